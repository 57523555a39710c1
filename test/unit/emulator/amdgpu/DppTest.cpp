//===- DppTest.cpp - Sources from other lanes, two operations at once ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Samples.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;

namespace {
struct Control {
  const char *text;
  bool onCdna, onRdna;
  int (*from)(int lane); ///< the lane that is read, or -1
};
const Control controls[] = {
    {"quad_perm:[1,2,3,0]", true, true, [](int l) { return l / 4 * 4 + (l + 1) % 4; }},
    {"row_shl:3", true, true, [](int l) { return l % 16 + 3 < 16 ? l + 3 : -1; }},
    {"row_shr:1", true, true, [](int l) { return l % 16 ? l - 1 : -1; }},
    {"row_ror:5", true, true, [](int l) { return l / 16 * 16 + (l + 11) % 16; }},
    {"row_mirror", true, true, [](int l) { return l ^ 15; }},
    {"row_half_mirror", true, true, [](int l) { return l ^ 7; }},
    {"row_bcast:15", true, false, [](int l) { return l < 16 ? -1 : l / 16 * 16 - 1; }},
    {"row_bcast:31", true, false, [](int l) { return l < 32 ? -1 : 31; }},
    {"row_newbcast:6", true, false, [](int l) { return l / 16 * 16 + 6; }},
    {"wave_shl:1", true, false, [](int l) { return l < 63 ? l + 1 : -1; }},
    {"wave_rol:1", true, false, [](int l) { return (l + 1) % 64; }},
    {"wave_shr:1", true, false, [](int l) { return l - 1; }},
    {"wave_ror:1", true, false, [](int l) { return (l + 63) % 64; }},
    {"row_share:9", false, true, [](int l) { return l / 16 * 16 + 9; }},
    {"row_xmask:6", false, true, [](int l) { return l ^ 6; }},
    {"dpp8:[7,0,6,1,5,2,4,3]", false, true,
     [](int l) {
       const int order[] = {7, 0, 6, 1, 5, 2, 4, 3};
       return l / 8 * 8 + order[l % 8];
     }},
};
} // namespace

TEST(Dpp, LanesComeFromWhereTheControlSays) {
  constexpr uint64_t someLanes = 0xf7ff7fff3fffeffd;
  for (const char *target : everyTarget)
    for (const Control &control : controls) {
      if (!(isCdna(target) ? control.onCdna : control.onRdna))
        continue;
      const bool isDpp8 = std::string(control.text).find("dpp8") == 0;
      for (bool masks : {false, true})
        for (bool bound : {false, true}) {
          if (isDpp8 && (masks || bound))
            continue;
          std::string text = std::string("v_add_u32_dpp v2, v0, v1 ") + control.text;
          if (!isCdna(target))
            text.replace(0, 13, "v_add_nc_u32_dpp");
          if (!isDpp8)
            text += masks ? " row_mask:0xa bank_mask:0x7" : " row_mask:0xf bank_mask:0xf";
          Machine machine(target, text + (bound ? " bound_ctrl:1" : ""));
          machine.set(0, [](unsigned lane) { return lane * 1000 + 7; });
          machine.set(1, [](unsigned lane) { return lane; });
          machine.set(2, 0x77777777);
          machine.setExec(someLanes);
          machine.runClean();
          for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
            int from = control.from(int(lane));
            bool reads = from >= 0 && someLanes >> from & 1;
            bool writes = someLanes >> lane & 1 && (reads || bound);
            if (masks)
              writes &= (lane / 16 == 1 || lane / 16 == 3) && lane / 4 % 4 != 3;
            uint32_t expected = !writes ? 0x77777777
                                : reads ? uint32_t(from) * 1000 + 7 + lane
                                        : lane;
            EXPECT_EQ(machine.get(2, lane), expected)
                << target << " " << text << " " << lane;
          }
        }
    }
}

TEST(Dpp, InactiveLanesCanBeFetched) {
  for (const char *target : {"gfx1100", "gfx1201"}) {
    Machine machine(target,
                    "v_mov_b32_dpp v1, v0 row_mirror row_mask:0xf bank_mask:0xf fi:1");
    machine.set(0, [](unsigned lane) { return lane; });
    machine.set(1, 99);
    machine.setExec(0xff);
    machine.runClean();
    for (unsigned lane = 0; lane < 16; ++lane)
      EXPECT_EQ(machine.get(1, lane), lane < 8 ? 15 - lane : 99u);
  }
}

TEST(Dpp, PairsAndComparisons) {
  Machine pair("gfx942", "v_mov_b64_dpp v[2:3], v[0:1] row_newbcast:3");
  for (uint16_t i = 0; i < 2; ++i) {
    pair.set(i, [i](unsigned lane) { return lane + i * 100; });
    pair.set(uint16_t(i + 2), 0u);
  }
  pair.runClean();
  EXPECT_EQ(pair.get(2, 20), 19u);
  EXPECT_EQ(pair.get(3, 20), 119u);
  Machine compare("gfx1201", "v_cmp_lt_u32_dpp vcc_lo, v0, v1 row_shr:1 row_mask:0xf "
                             "bank_mask:0xf bound_ctrl:1");
  compare.set(0, [](unsigned lane) { return lane % 3; });
  compare.set(1, 1);
  compare.runClean();
  for (unsigned lane = 0; lane < 32; ++lane)
    EXPECT_EQ(compare.getScalar(Vcc) >> lane & 1, lane % 16 == 0 || (lane - 1) % 3 == 0)
        << lane;
}

TEST(Dpp, UndefinedBytesMoveAlong) {
  Machine machine("gfx942", "v_mov_b32_dpp v1, v0 row_shr:1 row_mask:0xf bank_mask:0xf");
  machine.set(0, 1);
  machine.set(1, 1);
  machine.poison(0, 4, 0x3);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(1, 5), 0x3);
  EXPECT_EQ(machine.getPoison(1, 4), 0);
}

TEST(Dual, BothReadBeforeEitherWrites) {
  for (const char *target : {"gfx1100", "gfx1201"}) {
    Machine machine(target,
                    "v_dual_mov_b32 v0, v1 :: v_dual_mov_b32 v1, v0\n"
                    "v_dual_mov_b32 v3, v2 :: v_dual_lshlrev_b32 v2, 3, v3\n"
                    "v_dual_cndmask_b32 v4, v0, v1 :: v_dual_and_b32 v5, 0x70, v4");
    machine.set(0, [](unsigned lane) { return lane; });
    machine.set(1, 1000);
    machine.set(2, 5);
    machine.set(3, 6);
    machine.set(4, 0xff);
    machine.setScalar(Vcc, 0x10);
    machine.runClean();
    for (unsigned lane = 0; lane < 32; ++lane) {
      EXPECT_EQ(machine.get(0, lane), 1000u);
      EXPECT_EQ(machine.get(1, lane), lane);
      EXPECT_EQ(machine.get(3, lane), 5u);
      EXPECT_EQ(machine.get(2, lane), 48u);
      EXPECT_EQ(machine.get(4, lane), lane == 4 ? lane : 1000u);
      EXPECT_EQ(machine.get(5, lane), 0x70u);
    }
  }
}
