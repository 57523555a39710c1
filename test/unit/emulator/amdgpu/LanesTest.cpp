//===- LanesTest.cpp - Values that go from lane to lane -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Samples.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

TEST(Lanes, OneLaneIsReadAndWrittenWhetherActiveOrNot) {
  for (const char *target : everyTarget) {
    Machine machine(target, "v_readlane_b32 s0, v0, 9\nv_readlane_b32 s1, v0, s4\n"
                            "v_writelane_b32 v1, s5, 20\nv_readfirstlane_b32 s2, v0");
    machine.set(0, [](unsigned lane) { return 100 + lane; });
    machine.set(1, [](unsigned lane) { return lane; });
    machine.setScalar(4, 64 + 13);
    machine.setScalar(5, 4242);
    machine.setExec(0x38);
    machine.runClean();
    EXPECT_EQ(machine.getScalar(0), 109u);
    EXPECT_EQ(machine.getScalar(1), 113u);
    EXPECT_EQ(machine.getScalar(2), 103u);
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(machine.get(1, lane), lane == 20 ? 4242 : lane);
  }
}

TEST(Lanes, CountsOfTheLanesBelow) {
  for (const char *target : everyTarget) {
    Machine machine(target,
                    "v_mbcnt_lo_u32_b32 v0, s0, 5\nv_mbcnt_hi_u32_b32 v0, s1, v0");
    machine.setScalar(0, 0xf0f0a5c3);
    machine.setScalar(1, 0x13579bdf);
    machine.runClean();
    uint32_t count = 5;
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      EXPECT_EQ(machine.get(0, lane), count) << target << lane;
      count += (uint64_t(0x13579bdf) << 32 | 0xf0f0a5c3) >> lane & 1;
    }
  }
}

TEST(Lanes, RowsArePermuted) {
  for (const char *target : {"gfx1100", "gfx1201"}) {
    Machine machine(target, "v_permlane16_b32 v1, v0, s0, s1\n"
                            "v_permlanex16_b32 v2, v0, s0, s1\n"
                            "v_permlanex16_b32 v3, v0, s0, s1 op_sel:[0,1]\n"
                            "v_permlanex16_b32 v4, v0, s0, s1 op_sel:[1,0]");
    machine.set(0, [](unsigned lane) { return lane + 1; });
    for (uint16_t i = 1; i < 5; ++i)
      machine.set(i, 99);
    machine.setScalar(0, 0x76543210);
    machine.setScalar(1, 0x00ffedcb);
    const unsigned order[] = {0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 15, 0, 0};
    machine.setExec(0x0000ffff);
    machine.runClean();
    for (unsigned lane = 0; lane < 16; ++lane) {
      EXPECT_EQ(machine.get(1, lane), order[lane] + 1);
      EXPECT_EQ(machine.get(2, lane), 99u);
      EXPECT_EQ(machine.get(3, lane), 0u);
      EXPECT_EQ(machine.get(4, lane), order[lane] + 17);
    }
    EXPECT_EQ(machine.get(1, 16), 99u);
  }
  Machine variable("gfx1201", "v_permlanex16_var_b32 v1, v0, v2");
  variable.set(0, [](unsigned lane) { return lane; });
  variable.set(1, 0u);
  variable.set(2, [](unsigned lane) { return lane * 3; });
  variable.runClean();
  for (unsigned lane = 0; lane < 32; ++lane)
    EXPECT_EQ(variable.get(1, lane), (lane / 16 ^ 1) * 16 + lane * 3 % 16);
}

TEST(Lanes, RowsOfTwoRegistersChangePlaces) {
  for (unsigned width : {16u, 32u}) {
    Machine machine("gfx950", "v_permlane" + std::to_string(width) + "_swap_b32 v0, v1");
    machine.set(0, [](unsigned lane) { return lane; });
    machine.set(1, [](unsigned lane) { return 100 + lane; });
    machine.runClean();
    for (unsigned lane = 0; lane < 64; ++lane) {
      bool upper = lane & width;
      EXPECT_EQ(machine.get(0, lane), upper ? 100 + lane - width : lane);
      EXPECT_EQ(machine.get(1, lane), upper ? 100 + lane : lane + width);
    }
  }
}

TEST(Lanes, SwapsAreOfActiveLanes) {
  for (const char *target : everyTarget) {
    Machine machine(target, "v_swap_b32 v0, v1");
    machine.set(0, [](unsigned lane) { return lane; });
    machine.set(1, 7777);
    machine.poison(1, 3, 0x2);
    machine.setExec(0xf);
    machine.runClean();
    for (unsigned lane = 0; lane < 8; ++lane) {
      EXPECT_EQ(machine.get(0, lane), lane < 4 ? 7777 : lane);
      EXPECT_EQ(machine.get(1, lane), lane < 4 ? lane : 7777);
    }
    EXPECT_EQ(machine.getPoison(0, 3), 0x2);
    EXPECT_EQ(machine.getPoison(1, 3), 0);
  }
}

TEST(Lanes, RegistersAreIndexed) {
  struct {
    const char *target, *text;
  } const all[] = {
      {"gfx942", "s_set_gpr_idx_on s0, gpr_idx(SRC0)\nv_mov_b32 v8, v1\n"
                 "s_set_gpr_idx_off\ns_set_gpr_idx_on s1, gpr_idx(DST)\n"
                 "v_mov_b32 v4, v0\ns_set_gpr_idx_off"},
      {"gfx1100", "s_mov_b32 m0, s0\nv_movrels_b32 v8, v1\ns_mov_b32 m0, s1\n"
                  "v_movreld_b32 v4, v0"},
      {"gfx1201", "s_mov_b32 m0, s0\nv_movrels_b32 v8, v1\ns_mov_b32 m0, s1\n"
                  "v_movreld_b32 v4, v0"},
  };
  for (const auto &one : all)
    for (uint32_t index : {2u, 300u}) {
      Machine machine(one.target, one.text);
      for (uint16_t reg = 0; reg < 9; ++reg)
        machine.set(reg, 100u + reg);
      machine.setScalar(0, index);
      machine.setScalar(1, 1);
      auto faults = machine.run();
      // gfx9's index has eight bits.
      bool isWild = index == 300 && std::string(one.target) != "gfx942";
      ASSERT_EQ(faults.size(), isWild ? 1u : 0u) << one.target;
      if (index == 2) {
        EXPECT_EQ(machine.get(8, 3), 103u);
        EXPECT_EQ(machine.get(5, 3), 100u);
        EXPECT_EQ(machine.get(4, 3), 104u);
      }
    }
  Machine scalars("gfx942", "s_mov_b32 m0, 3\ns_movrels_b32 s0, s4\n"
                            "s_movreld_b64 s[8:9], s[4:5]");
  for (uint16_t reg = 0; reg < 16; ++reg)
    scalars.setScalar(reg, 100u + reg);
  scalars.runClean();
  EXPECT_EQ(scalars.getScalar(0), 107u);
  EXPECT_EQ(scalars.getScalar(11), 104u);
  EXPECT_EQ(scalars.getScalar(12), 105u);
}

TEST(Lanes, AnUndefinedSelectorIsReported) {
  Machine machine("gfx1100", "v_permlane16_b32 v1, v0, s0, s1");
  machine.set(0, 1);
  machine.setScalar(0, 0);
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Uninitialised);
}

TEST(Barrier, AWaveThatWasReleasedMustLeaveBeforeTheNextOpens) {
  Machine machine("gfx942", "s_barrier", 128);
  WorkGroup &group = *machine.group;
  Wave &first = machine.wave(0), &second = machine.wave(1);
  EXPECT_FALSE(group.arrive(first));
  EXPECT_TRUE(group.arrive(second));
  // The second meets the next barrier while the first stands at the one before.
  EXPECT_FALSE(group.arrive(second));
  EXPECT_TRUE(group.arrive(first));
  EXPECT_TRUE(group.arrive(first));
  EXPECT_TRUE(group.arrive(second));
}

TEST(Barrier, SplitHalves) {
  Machine machine(
      "gfx1201",
      "s_barrier_signal -1\nv_add_nc_u32 v0, 1, v0\ns_barrier_wait -1\n"
      "s_barrier_signal_isfirst -1\ns_barrier_wait -1\ns_cselect_b32 s0, 1, 0",
      128);
  machine.set(0, 1u);
  machine.runClean();
  unsigned first = 0;
  for (unsigned wave = 0; wave < 4; ++wave)
    first += machine.getScalar(0, wave);
  EXPECT_EQ(first, 1u);
  Machine twice("gfx1201", "s_barrier_signal -1\ns_barrier_signal -1");
  EXPECT_EQ(twice.run().size(), 1u);
  Machine never("gfx1201", "s_barrier_wait -1");
  EXPECT_EQ(never.run().size(), 1u);
}
