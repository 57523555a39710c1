//===- LdsExchangeTest.cpp - Permutes, swizzles, transposing loads ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/MemoryHarness.h"

#include <random>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
class Exchange : public testing::TestWithParam<const char *> {
protected:
  const Target &target = *findTarget(GetParam());
  unsigned lanes = target.waveSize;
  std::string wait = waitForLds(target);
};
INSTANTIATE_TEST_SUITE_P(Targets, Exchange, everyTarget(), nameOfTarget);

/// Element `index` of `bits` bits.
uint32_t element(const uint8_t *data, unsigned bits, unsigned index) {
  uint32_t value = 0;
  for (unsigned i = 0; i < bits; ++i) {
    unsigned bit = index * bits + i;
    value |= uint32_t(data[bit / 8] >> (bit % 8) & 1) << i;
  }
  return value;
}
} // namespace

TEST_P(Exchange, BackwardPermuteReadsActiveLanes) {
  Machine machine(GetParam(), "ds_bpermute_b32 v4, v2, v3 offset:4\n" + wait, lanes);
  std::mt19937 random(1);
  std::vector<uint32_t> index(64);
  for (uint32_t &one : index)
    one = random(); // the index wraps, and its two lowest bits do not count
  machine.set(2, [&](unsigned lane) { return index[lane]; });
  machine.set(3, [](unsigned lane) { return lane + 100; });
  machine.set(4, 7);
  machine.poison(3, 9, 0x4);
  uint64_t exec = 0xfff0ff0ff7ffff3f;
  machine.setExec(lanes == 32 ? exec & 0xffffffff : exec);
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    unsigned from = (index[lane] + 4) / 4 % lanes;
    if (!(exec >> lane & 1)) {
      EXPECT_EQ(machine.get(4, lane), 7u);
      continue;
    }
    EXPECT_EQ(machine.get(4, lane), exec >> from & 1 ? from + 100 : 0) << lane;
    EXPECT_EQ(machine.getPoison(4, lane), from == 9 ? 0x4 : 0) << lane;
  }
}

TEST_P(Exchange, ForwardPermuteGivesTheHighestSender) {
  Machine machine(GetParam(), "ds_permute_b32 v4, v2, v3\n" + wait, lanes);
  machine.set(2, [](unsigned lane) { return lane / 2 * 8; }); // to even lanes
  machine.set(3, [](unsigned lane) { return lane + 100; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane)
    EXPECT_EQ(machine.get(4, lane), lane % 2 ? 0 : lane + 1 + 100);
}

TEST(ExchangeGfx1201, FetchOfInactiveLanes) {
  Machine machine("gfx1201", "ds_bpermute_fi_b32 v4, v2, v3\ns_wait_dscnt 0x0", 32);
  machine.set(2, [](unsigned lane) { return (31 - lane) * 4; });
  machine.set(3, [](unsigned lane) { return lane + 100; });
  machine.setExec(0xffff);
  machine.runClean();
  for (unsigned lane = 0; lane < 16; ++lane)
    EXPECT_EQ(machine.get(4, lane), 131 - lane);
}

TEST_P(Exchange, SwizzlesOfEveryMode) {
  struct Case {
    const char *pattern;
    std::function<unsigned(unsigned)> from;
  };
  const Case cases[] = {
      {"swizzle(QUAD_PERM,3,1,0,2)",
       [](unsigned lane) { return lane / 4 * 4 + (0x2013 >> (4 * (lane % 4)) & 3); }},
      {"swizzle(BITMASK_PERM,\"01pi0\")",
       [](unsigned lane) { return 8 + (lane & 4) + (~lane & 2); }},
      {"swizzle(BROADCAST,8,3)", [](unsigned lane) { return lane / 8 * 8 + 3; }},
      {"swizzle(SWAP,16)", [](unsigned lane) { return lane ^ 16; }},
      {"swizzle(REVERSE,8)", [](unsigned lane) { return lane / 8 * 8 + 7 - lane % 8; }},
      {"swizzle(ROTATE,0,5)", [](unsigned lane) { return (lane + 5) % 32; }},
      {"swizzle(ROTATE,1,5)", [](unsigned lane) { return (lane + 27) % 32; }},
      {"swizzle(FFT,0)",
       [](unsigned lane) {
         return (lane & 1) << 4 | (lane & 2) << 2 | (lane & 4) | (lane & 8) >> 2 |
                lane >> 4;
       }},
      {"0x00a1", [](unsigned lane) { return (lane & 1) | 5; }},
  };
  for (const Case &one : cases) {
    Machine machine(
        GetParam(),
        std::string("ds_swizzle_b32 v4, v2 offset:") + one.pattern + "\n" + wait, lanes);
    machine.set(2, [](unsigned lane) { return lane + 100; });
    machine.setExec(lanes == 32 ? 0xfffffffb : ~uint64_t(4));
    machine.runClean();
    for (unsigned lane = 0; lane < lanes; ++lane) {
      unsigned from = lane / 32 * 32 + one.from(lane % 32);
      if (lane != 2) {
        EXPECT_EQ(machine.get(4, lane), from == 2 ? 0 : from + 100)
            << one.pattern << " " << lane;
      }
    }
  }
}

/// The tiles of gfx950, of 16 columns; each row is read by lanes side by side.
TEST(ExchangeGfx950, LdsLoadsTranspose) {
  struct Case {
    const char *name;
    unsigned bits, bytes;
  };
  for (const Case &one :
       {Case{"ds_read_b64_tr_b16", 16, 8}, Case{"ds_read_b64_tr_b8", 8, 8},
        Case{"ds_read_b64_tr_b4", 4, 8}, Case{"ds_read_b96_tr_b6", 6, 12}}) {
    unsigned registers = one.bytes / 4, elements = one.bytes * 8 / one.bits;
    unsigned lanesOfRow = 16 / elements, rowBytes = 16 * one.bits / 8 + 16;
    Machine machine("gfx950",
                    std::string(one.name) + " " + test::registers("v", 4, registers) +
                        ", v2 offset:48\ns_waitcnt lgkmcnt(0)",
                    64, 8192);
    std::mt19937 random(2);
    fillLds(machine, [&](uint32_t) { return static_cast<uint8_t>(random()); });
    // Each group of 16 lanes reads its own tile, 1024 bytes apart.
    machine.set(2, [&](unsigned lane) {
      return lane / 16 * 1024 + lane % 16 / lanesOfRow * rowBytes +
             lane % lanesOfRow * one.bytes;
    });
    machine.group->lds.shadow()[48 + 2 * 1024] = NeverWritten; // of element (0, 0)
    machine.runClean();
    for (unsigned lane = 0; lane < 64; ++lane) {
      const uint8_t *tile = machine.group->lds.data() + 48 + lane / 16 * 1024;
      uint8_t bytes[16];
      for (unsigned i = 0; i < registers; ++i) {
        uint32_t word = machine.get(4 + i, lane);
        memcpy(bytes + 4 * i, &word, 4);
      }
      for (unsigned row = 0; row < elements; ++row)
        ASSERT_EQ(element(bytes, one.bits, row),
                  element(tile + row * rowBytes, one.bits, lane % 16))
            << one.name << " lane " << lane << " row " << row;
      bool touches = lane / 16 == 2 && lane % 16 * one.bits < 8;
      EXPECT_EQ(machine.getPoison(4, lane) != 0, touches) << one.name << lane;
    }
  }
}

/// Operands of a matrix product: a lane has column lane % 16 of eight rows.
TEST(ExchangeGfx1201, GlobalLoadsTranspose) {
  for (unsigned bits : {16u, 8u}) {
    unsigned registers = bits / 4, rowBytes = 16 * bits / 8;
    Machine machine("gfx1201",
                    "global_load_tr_b" + std::to_string(bits * 8) + " " +
                        test::registers("v", 4, registers) +
                        ", v2, s[0:1]\ns_wait_loadcnt 0x0",
                    32);
    std::mt19937 random(3);
    std::vector<uint8_t> tile(16 * rowBytes);
    for (uint8_t &byte : tile)
      byte = static_cast<uint8_t>(random());
    machine.setScalar64(0, machine.allocate(tile)->base);
    machine.set(2, [&](unsigned lane) {
      unsigned row = bits == 16 ? lane / 16 * 8 + lane % 8 : lane / 8 * 4 + lane % 4;
      unsigned half = bits == 16 ? lane / 8 % 2 : lane / 4 % 2;
      return row * rowBytes + half * bits;
    });
    machine.runClean();
    for (unsigned lane = 0; lane < 32; ++lane) {
      uint8_t bytes[16];
      for (unsigned i = 0; i < registers; ++i) {
        uint32_t word = machine.get(4 + i, lane);
        memcpy(bytes + 4 * i, &word, 4);
      }
      for (unsigned i = 0; i < 8; ++i)
        ASSERT_EQ(element(bytes, bits, i),
                  element(tile.data() + (lane / 16 * 8 + i) * rowBytes, bits, lane % 16))
            << bits << " lane " << lane << " row " << i;
    }
  }
}

TEST(ExchangeGfx950, ATransposingLoadNeedsAllLanes) {
  Machine machine("gfx950", "ds_read_b64_tr_b16 v[4:5], v2", 64, 1024);
  machine.set(2, 0);
  machine.setExec(0xff);
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Convergence);
}
