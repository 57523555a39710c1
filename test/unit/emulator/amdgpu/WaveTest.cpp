//===- WaveTest.cpp - Registers, EXEC, undefined data, waits, barriers --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Harness.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
class EveryTarget : public testing::TestWithParam<const char *> {};
INSTANTIATE_TEST_SUITE_P(Wave, EveryTarget,
                         testing::Values("gfx90a", "gfx942", "gfx950", "gfx1100",
                                         "gfx1201"),
                         [](const auto &info) { return std::string(info.param); });
} // namespace

TEST_P(EveryTarget, ResultsAreOfActiveLanesAlone) {
  Machine machine(GetParam(), "v_and_b32 v2, v0, v1");
  machine.set(0, [](unsigned lane) { return lane * 0x01010101; });
  machine.set(1, 0xff00ff);
  machine.set(2, 7);
  machine.setExec(0x5555);
  machine.runClean();
  for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
    bool active = lane < 16 && lane % 2 == 0;
    EXPECT_EQ(machine.get(2, lane), active ? (lane << 16 | lane) : 7u) << lane;
  }
}

TEST_P(EveryTarget, UndefinedBytesThatAZeroDecidesAreDefined) {
  Machine machine(GetParam(), "v_and_b32 v2, 0xffff, v0\nv_add_f32 v3, v0, v1");
  machine.set(0, 1);
  machine.set(1, 1);
  machine.poison(0, 3, 0x8);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(2, 3), 0);
  EXPECT_EQ(machine.getPoison(3, 3), 0xf);
  EXPECT_EQ(machine.getPoison(3, 2), 0);
}

TEST_P(EveryTarget, AByteMayBeUndefinedInPart) {
  // The sign of a half, beside one that nothing wrote: LLVM does not mask it first.
  const std::string shift = "v_lshrrev_b32 v1, 12, v0\n";
  struct {
    const char *text;
    uint8_t poison;
  } const all[] = {
      {"v_and_b32 v2, 15, v1", 0},
      {"v_and_b32 v2, 31, v1", 0x1},
      {"v_and_or_b32 v2, v1, 8, v3", 0},
      {"v_bfe_u32 v2, v1, 0, 4", 0},
      {"v_bfe_i32 v2, v1, 1, 4", 0xf},
      {"v_lshlrev_b32 v2, 28, v1", 0},
      {"v_lshl_or_b32 v2, v1, 27, v3", 0x8},
      {"v_or_b32 v2, 0xfffffff0, v1", 0},
      {"v_mov_b32 v4, v1\nv_not_b32 v4, v4\nv_and_b32 v2, 15, v4", 0},
      {"v_bfi_b32 v2, 15, v1, v3", 0},
      {"v_add_u32 v2, v1, v3\nv_and_b32 v2, 15, v2", 0x1},
  };
  for (const auto &one : all) {
    std::string text = one.text;
    if (!findTarget(GetParam())->isCdna() && text.find("v_add_u32") == 0)
      text.replace(0, 9, "v_add_nc_u32");
    Machine machine(GetParam(), shift + text);
    machine.set(0, 0x12345678);
    machine.set(3, 0);
    machine.poison(0, 3, 0xc);
    machine.runClean();
    EXPECT_EQ(machine.getPoison(2, 3), one.poison) << one.text;
    EXPECT_EQ(machine.getPoison(2, 2), 0) << one.text;
  }
}

TEST_P(EveryTarget, AnUndefinedBranchIsReported) {
  Machine machine(GetParam(), "s_and_b32 s0, s1, s2\ns_cbranch_scc1 0");
  machine.setScalar(1, 0xff);
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Uninitialised);
  EXPECT_EQ(faults[0].site.instruction, "s_cbranch_scc1 0");
}

TEST_P(EveryTarget, ALoadThatNoWaitCoversIsReported) {
  bool isCdna = findTarget(GetParam())->isCdna();
  bool isOld = findTarget(GetParam())->generation < 12;
  std::string load = isCdna ? "global_load_dword v2, v[0:1], off\n"
                            : "global_load_b32 v2, v[0:1], off\n";
  std::string wait = isOld ? "s_waitcnt vmcnt(0)\n" : "s_wait_loadcnt 0x0\n";
  for (bool waits : {false, true}) {
    Machine machine(GetParam(), load + (waits ? wait : "") + "v_mov_b32 v3, v2");
    Allocation *array = machine.allocate(std::vector<uint32_t>(64, 42));
    machine.set(0, [&](unsigned lane) { return uint32_t(array->base + 4 * lane); });
    machine.set(1, static_cast<uint32_t>(array->base >> 32));
    auto faults = machine.run();
    EXPECT_EQ(machine.get(3, 5), 42u);
    ASSERT_EQ(faults.size(), waits ? 0u : 1u);
    if (!waits) {
      EXPECT_EQ(faults[0].rule, Rule::InFlight);
      EXPECT_NE(faults[0].message.find("reads v2"), std::string::npos);
    }
  }
}

TEST(Wave, ABarrierThatAWaveSkipsIsADeadlockOnlyWhileItLives) {
  // Wave 0 goes to the barrier, wave 1 ends: the barrier is for those alive.
  Machine machine("gfx942",
                  "v_readfirstlane_b32 s0, v0\ns_and_b32 s0, s0, 64\n"
                  "s_cbranch_scc1 1\ns_barrier\n",
                  128);
  machine.set(0, [](unsigned item) { return item; });
  machine.runClean();
}

TEST(Wave, WhatIsNotModelledStops) {
  Machine machine("gfx942", "s_cbranch_cdbgsys 0");
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Unsupported);
  EXPECT_NE(faults[0].message.find("s_cbranch_cdbgsys"), std::string::npos);
}
