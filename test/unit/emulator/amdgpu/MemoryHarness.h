//===- MemoryHarness.h - Memory operations, for tests -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_MEMORYHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_MEMORYHARNESS_H

#include "test/unit/emulator/amdgpu/Harness.h"

namespace tilewright::amdgpu::test {

inline auto everyTarget() {
  return testing::Values("gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201");
}
inline std::string nameOfTarget(const testing::TestParamInfo<const char *> &info) {
  return info.param;
}

/// "v4" or "v[4:7]".
inline std::string registers(const char *kind, unsigned first, unsigned count) {
  if (count == 1)
    return kind + std::to_string(first);
  return std::string(kind) + "[" + std::to_string(first) + ":" +
         std::to_string(first + count - 1) + "]";
}

// Waits for everything of a kind.
inline std::string waitForLds(const Target &target) {
  return target.generation < 12 ? "s_waitcnt lgkmcnt(0)\n" : "s_wait_dscnt 0x0\n";
}
inline std::string waitForLoads(const Target &target) {
  return target.generation < 12 ? "s_waitcnt vmcnt(0)\n" : "s_wait_loadcnt 0x0\n";
}
inline std::string waitForStores(const Target &target) {
  return target.generation < 11   ? "s_waitcnt vmcnt(0)\n"
         : target.generation < 12 ? "s_waitcnt_vscnt null, 0x0\n"
                                  : "s_wait_storecnt 0x0\n";
}

/// Defines all of LDS.
template <typename Byte> void fillLds(Machine &machine, Byte byte) {
  emulator::Bytes &lds = machine.group->lds;
  for (uint32_t i = 0; i < lds.size(); ++i) {
    lds.data()[i] = byte(i);
    lds.shadow()[i] = emulator::Sound;
  }
}

} // namespace tilewright::amdgpu::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_MEMORYHARNESS_H
