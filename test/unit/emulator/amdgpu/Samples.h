//===- Samples.h - Operands for tests of lanes --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_SAMPLES_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_SAMPLES_H

#include "test/unit/emulator/amdgpu/Harness.h"

namespace tilewright::amdgpu::test {

constexpr const char *everyTarget[] = {"gfx90a", "gfx942", "gfx950", "gfx1100",
                                       "gfx1201"};
inline bool isCdna(const char *target) { return findTarget(target)->isCdna(); }

constexpr unsigned sampleCount = 512;
/// All pairs of values at the edges of ranges, then random ones; `operand` 0 and 1 are
/// the pairs, others are random.
inline uint32_t sample(unsigned operand, unsigned item) {
  constexpr uint32_t special[16] = {
      0,      1,      2,      31,         32,         0x7f,       0x80,       0xff,
      0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80008000, 0xfffffffe, 0xffffffff};
  if (item < 256 && operand < 2)
    return special[operand ? item / 16 : item % 16];
  // splitmix64
  uint64_t bits = (uint64_t(item) * 8 + operand + 1) * 0x9e3779b97f4a7c15;
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
  return static_cast<uint32_t>(bits >> 32);
}
inline uint64_t sample64(unsigned operand, unsigned item) {
  return sample(operand, item) | uint64_t(sample(operand + 2, item)) << 32;
}

/// Runs `text` with samples: 0, 1, 2 in v0, v1, v2, and 64 bits of them (0, 1, 4) in
/// v[4:5], v[6:7], v[8:9]; v10 to v119 hold 0xa5a5a5a5.
inline std::unique_ptr<Machine> runSamples(const char *target, const std::string &text) {
  auto machine = std::make_unique<Machine>(target, text, sampleCount);
  for (uint16_t i = 0; i < 3; ++i)
    machine->set(i, [i](unsigned item) { return sample(i, item); });
  for (uint16_t i = 0; i < 3; ++i)
    for (unsigned half = 0; half < 2; ++half)
      machine->set(static_cast<uint16_t>(4 + 2 * i + half), [i, half](unsigned item) {
        return static_cast<uint32_t>(sample64(i == 2 ? 4 : i, item) >> (32 * half));
      });
  for (uint16_t reg = 10; reg < 120; ++reg)
    machine->set(reg, 0xa5a5a5a5);
  machine->runClean();
  return machine;
}
inline uint32_t resultOf(Machine &machine, uint16_t reg, unsigned item) {
  unsigned lanes = machine.wave().lanes;
  return machine.get(reg, item % lanes, item / lanes);
}
inline bool maskBit(Machine &machine, uint16_t reg, unsigned item) {
  unsigned lanes = machine.wave().lanes, lane = item % lanes;
  return machine.getScalar(static_cast<uint16_t>(reg + lane / 32), item / lanes) >>
             (lane % 32) &
         1;
}

} // namespace tilewright::amdgpu::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_SAMPLES_H
