//===- MemoryHarness.h - What tests of loads and stores share -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_MEMORYHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_MEMORYHARNESS_H

#include "Harness.h"

#include <random>

namespace tilewright::ptx::test {

inline std::vector<uint8_t> randomBytes(size_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t &byte : bytes)
    byte = static_cast<uint8_t>(random());
  return bytes;
}

/// %r0 = the thread's number, %d0 = parameter `in`, %d1 = parameter `out`.
inline const char *const prologue = "mov.u32 %r0, %tid.x; ld.param.u64 %d0, [in]; "
                                    "ld.param.u64 %d1, [out];\n";

inline void expectClean(Harness &h, const std::string &error) {
  EXPECT_EQ(error, "");
  EXPECT_TRUE(h.faults.empty()) << h.faultText();
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_MEMORYHARNESS_H
