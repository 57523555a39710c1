//===- OriginsTest.cpp - Undefined bits that cancel out ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Harness.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;

namespace {
class UndefinedBits : public testing::TestWithParam<const char *> {};
INSTANTIATE_TEST_SUITE_P(Origins, UndefinedBits,
                         testing::Values("gfx90a", "gfx942", "gfx950", "gfx1100",
                                         "gfx1201"),
                         [](const auto &info) { return std::string(info.param); });

/// What is undefined of v2 in lane 3 after `text`, where v4 is the mask 0xffff, v5 is
/// 0x0f0f and nothing wrote v2, v3, v6 and v7.
uint8_t poisonAfter(const char *target, const std::string &text) {
  Machine machine(target, text);
  machine.set(4, 0xffff);
  machine.set(5, 0x0f0f);
  machine.runClean();
  return machine.getPoison(2, 3);
}
} // namespace

TEST_P(UndefinedBits, CancelOutUnderAMask) {
  // As LLVM makes an element of an undefined vector zero.
  Machine machine(GetParam(), "v_and_b32 v2, v6, v4\nv_xor_b32 v8, v2, v6");
  machine.set(4, [](unsigned lane) { return lane % 2 ? 0xffff : 0xffff0000; });
  machine.runClean();
  for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
    EXPECT_EQ(machine.getPoison(8, lane), lane % 2 ? 0xc : 0x3) << lane;
    EXPECT_EQ(machine.get(8, lane) & (lane % 2 ? 0xffff : 0xffff0000), 0u) << lane;
  }
}

TEST_P(UndefinedBits, CancelOutWhicheverWayOperandsStand) {
  EXPECT_EQ(poisonAfter(GetParam(), "v_and_b32 v3, v4, v6\nv_xor_b32 v2, v6, v3"), 0xc);
  EXPECT_EQ(poisonAfter(GetParam(), "v_and_b32 v3, 0xff, v6\nv_xor_b32 v2, v6, v3"), 0xe);
  EXPECT_EQ(poisonAfter(GetParam(), "v_xor_b32 v2, v6, v6"), 0);
}

TEST_P(UndefinedBits, CancelOutOfTwoMasks) {
  EXPECT_EQ(poisonAfter(GetParam(), "v_and_b32 v3, v6, v4\nv_and_b32 v7, 0xff, v6\n"
                                    "v_xor_b32 v2, v3, v7"),
            0x2);
}

TEST_P(UndefinedBits, OfDifferentRegistersStay) {
  EXPECT_EQ(poisonAfter(GetParam(), "v_and_b32 v3, v6, v4\nv_xor_b32 v2, v3, v7"), 0xf);
}

TEST_P(UndefinedBits, OfARegisterWrittenInBetweenStay) {
  EXPECT_EQ(poisonAfter(GetParam(), "v_and_b32 v3, v6, v4\nv_or_b32 v6, v7, v7\n"
                                    "v_xor_b32 v2, v3, v6"),
            0xf);
  EXPECT_EQ(poisonAfter(GetParam(), "v_and_b32 v3, v6, v4\nv_or_b32 v3, v7, v7\n"
                                    "v_xor_b32 v2, v3, v6"),
            0xf);
}

TEST_P(UndefinedBits, CancelOutInPartsOfBytes) {
  std::string text = "v_and_b32 v3, v6, v5\nv_xor_b32 v2, v3, v6\n";
  EXPECT_EQ(poisonAfter(GetParam(), text), 0xf);
  EXPECT_EQ(poisonAfter(GetParam(), text + "v_and_b32 v2, v2, v5"), 0);
}

TEST_P(UndefinedBits, StayInLanesThatWereNotMasked) {
  bool isWide = findTarget(GetParam())->isCdna();
  std::string all = isWide ? "s_mov_b64 exec, -1\n" : "s_mov_b32 exec_lo, -1\n";
  Machine machine(GetParam(), "v_and_b32 v3, v6, v4\n" + all + "v_xor_b32 v2, v3, v6");
  machine.set(4, 0xffff);
  machine.setExec(0x5);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(2, 2), 0xc);
  EXPECT_EQ(machine.getPoison(2, 3), 0xf);
}

TEST_P(UndefinedBits, OfScalarsCancelOut) {
  Machine machine(GetParam(), "s_and_b64 s[2:3], s[0:1], s[4:5]\n"
                              "s_xor_b64 s[6:7], s[2:3], s[0:1]\n"
                              "v_and_b32 v3, s0, v4\nv_xor_b32 v2, s0, v3");
  machine.setScalar64(4, 0xff000000ffff);
  machine.set(4, 0xffff);
  machine.runClean();
  EXPECT_EQ(machine.getScalarPoison(6), 0xffff0000u);
  EXPECT_EQ(machine.getScalarPoison(7), 0xffff00ffu);
  EXPECT_EQ(machine.getPoison(2, 3), 0xc);
}
