//===- FloatHarness.h - Values to test floating-point instructions with -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_FLOATHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_FLOATHARNESS_H

#include "emulators/common/Float.h"
#include "test/unit/emulator/amdgpu/Harness.h"

#include <random>

namespace tilewright::amdgpu::test {

/// `count` encodings: special ones, such of like exponents, and anything.
template <typename Bits>
std::vector<Bits> valuesOfFormat(const emulator::Format &format, unsigned count,
                                 unsigned seed) {
  std::mt19937_64 random(seed);
  const uint64_t one = uint64_t(format.bias) << format.mantissaBits;
  const uint64_t smallest = uint64_t(1) << format.mantissaBits;
  const uint64_t special[] = {0,
                              1,
                              smallest - 1,
                              smallest,
                              smallest + 1,
                              one,
                              one + 1,
                              one - 1,
                              format.largest(),
                              format.infinity(),
                              format.infinity() + 1,
                              format.infinity() | smallest >> 1,
                              one + smallest,
                              one - smallest};
  std::vector<Bits> values;
  while (values.size() < count) {
    uint64_t bits = random();
    switch (random() % 4) {
    case 0:
      bits = special[bits % std::size(special)] | (random() % 2 ? format.signBit() : 0);
      break;
    case 1: // near one, so that sums cancel and round
      bits = (one - 8 * smallest + bits % (16 * smallest)) |
             (random() % 2 ? format.signBit() : 0);
      break;
    default:
      break;
    }
    values.push_back(static_cast<Bits>(bits));
  }
  return values;
}

inline std::vector<uint32_t> valuesF32(unsigned count, unsigned seed) {
  return valuesOfFormat<uint32_t>(emulator::formats::f32, count, seed);
}
inline std::vector<uint16_t> valuesF16(unsigned count, unsigned seed) {
  return valuesOfFormat<uint16_t>(emulator::formats::f16, count, seed);
}
inline std::vector<uint64_t> valuesF64(unsigned count, unsigned seed) {
  return valuesOfFormat<uint64_t>(emulator::formats::f64, count, seed);
}

} // namespace tilewright::amdgpu::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_FLOATHARNESS_H
