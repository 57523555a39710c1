//===- GlobalMemoryTest.cpp - Global, flat and scratch loads and stores -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/MemoryHarness.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
class Global : public testing::TestWithParam<const char *> {
protected:
  const Target &target = *findTarget(GetParam());
  bool isCdna = target.isCdna();
  unsigned lanes = target.waveSize;
  std::string waitLoads = waitForLoads(target), waitLds = waitForLds(target);

  std::string loadOf(unsigned bytes) const {
    return isCdna ? "load_dword" + (bytes > 4 ? "x" + std::to_string(bytes / 4) : "")
                  : "load_b" + std::to_string(bytes * 8);
  }
  std::string storeOf(unsigned bytes) const {
    return isCdna ? "store_dword" + (bytes > 4 ? "x" + std::to_string(bytes / 4) : "")
                  : "store_b" + std::to_string(bytes * 8);
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, Global, everyTarget(), nameOfTarget);

std::vector<uint8_t> someBytes(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<uint8_t>(i * 37 + 11);
  return bytes;
}
uint32_t wordOf(const std::vector<uint8_t> &bytes, size_t at) {
  uint32_t word;
  memcpy(&word, &bytes[at], 4);
  return word;
}
void setAddress(Machine &machine, uint16_t reg,
                const std::function<uint64_t(unsigned)> &address) {
  machine.set(reg, [&](unsigned lane) { return uint32_t(address(lane)); });
  machine.set(reg + 1, [&](unsigned lane) { return uint32_t(address(lane) >> 32); });
}
} // namespace

TEST_P(Global, LoadsOfEveryWidthAndStride) {
  std::vector<uint8_t> bytes = someBytes(4096);
  for (unsigned width : {4u, 8u, 12u, 16u})
    for (unsigned stride : {width, 4u, 21u})
      for (bool hasBase : {false, true}) {
        std::string to = registers("v", 4, width / 4);
        Machine machine(GetParam(),
                        "global_" + loadOf(width) + " " + to +
                            (hasBase ? ", v2, s[0:1]" : ", v[2:3], off") +
                            " offset:-16\n" + waitLoads,
                        lanes);
        uint64_t base = machine.allocate(bytes)->base;
        machine.setScalar64(0, base + 8);
        if (hasBase)
          machine.set(2, [&](unsigned lane) { return lane * stride + 24; });
        else
          setAddress(machine, 2,
                     [&](unsigned lane) { return base + lane * stride + 32; });
        machine.runClean();
        for (unsigned lane = 0; lane < lanes; ++lane)
          for (unsigned i = 0; i < width / 4; ++i)
            ASSERT_EQ(machine.get(4 + i, lane),
                      wordOf(bytes, 16 + lane * stride + 4 * i));
      }
}

TEST_P(Global, StoresOfEveryWidthKeepUndefinedBytes) {
  for (unsigned width : {4u, 8u, 12u, 16u}) {
    Machine machine(GetParam(),
                    "global_" + storeOf(width) + " v2, " + registers("v", 4, width / 4) +
                        ", s[0:1]\n",
                    lanes);
    Allocation *array = machine.device.memory.allocate(4096, "array");
    machine.setScalar64(0, array->base);
    machine.set(2, [&](unsigned lane) { return lane * width; });
    for (uint16_t i = 0; i < width / 4; ++i)
      machine.set(4 + i, [i](unsigned lane) { return lane * 1000 + i; });
    machine.poison(4, 3, 0x8);
    machine.setExec(0xfffffff7 | 8);
    machine.runClean();
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < width / 4; ++i) {
        uint32_t word;
        size_t at = lane * width + 4 * i;
        memcpy(&word, array->memory.data() + at, 4);
        ASSERT_EQ(word, lane * 1000 + i);
        ASSERT_EQ(array->memory.shadow()[at + 3],
                  lane == 3 && i == 0 ? Undefined : Sound);
      }
    EXPECT_EQ(array->memory.shadow()[32 * width], NeverWritten);
  }
}

TEST_P(Global, SmallLoadsAndStores) {
  std::vector<uint8_t> bytes = someBytes(512);
  auto name = [&](const char *cdna, const char *rdna) {
    return std::string("global_") + (isCdna ? cdna : rdna);
  };
  Machine machine(GetParam(),
                  name("load_ubyte", "load_u8") + " v4, v2, s[0:1]\n" +
                      name("load_sbyte", "load_i8") + " v5, v2, s[0:1]\n" +
                      name("load_ushort", "load_u16") + " v6, v2, s[0:1]\n" +
                      name("load_sshort", "load_i16") + " v7, v2, s[0:1]\n" +
                      name("load_short_d16", "load_d16_b16") + " v8, v2, s[0:1]\n" +
                      name("load_short_d16_hi", "load_d16_hi_b16") + " v9, v2, s[0:1]\n" +
                      name("load_ubyte_d16_hi", "load_d16_hi_u8") + " v10, v2, s[0:1]\n" +
                      name("load_sbyte_d16", "load_d16_i8") + " v11, v2, s[0:1]\n" +
                      name("store_byte", "store_b8") + " v2, v12, s[2:3]\n" +
                      name("store_short", "store_b16") + " v2, v12, s[2:3] offset:1\n" +
                      name("store_short_d16_hi", "store_d16_hi_b16") +
                      " v2, v12, s[2:3] offset:3\n" +
                      name("store_byte_d16_hi", "store_d16_hi_b8") +
                      " v2, v12, s[2:3] offset:5\n" + waitLoads,
                  lanes);
  machine.setScalar64(0, machine.allocate(bytes)->base);
  Allocation *to = machine.device.memory.allocate(1024, "array");
  machine.setScalar64(2, to->base);
  machine.set(2, [](unsigned lane) { return lane * 7; });
  for (uint16_t reg = 8; reg < 12; ++reg)
    machine.set(reg, 0x12345678);
  machine.set(12, [](unsigned lane) { return 0x04030201 * (lane + 1); });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint32_t low = bytes[lane * 7], both = low | bytes[lane * 7 + 1] << 8;
    EXPECT_EQ(machine.get(4, lane), low);
    EXPECT_EQ(machine.get(5, lane), uint32_t(int32_t(int8_t(low))));
    EXPECT_EQ(machine.get(6, lane), both);
    EXPECT_EQ(machine.get(7, lane), uint32_t(int32_t(int16_t(both))));
    EXPECT_EQ(machine.get(8, lane) & 0xffff, both);
    EXPECT_EQ(machine.get(9, lane) >> 16, both);
    EXPECT_EQ(machine.get(10, lane) >> 16, low);
    EXPECT_EQ(machine.get(11, lane) & 0xffff, uint16_t(int16_t(int8_t(low))));
    if (!isCdna) {
      EXPECT_EQ(machine.get(8, lane) >> 16, 0x1234u);
      EXPECT_EQ(machine.get(9, lane) & 0xffff, 0x5678u);
    }
    EXPECT_EQ(machine.getPoison(9, lane), isCdna ? 0x3 : 0);
    uint32_t value = 0x04030201 * (lane + 1);
    const uint8_t *at = to->memory.data() + lane * 7;
    EXPECT_EQ(at[0], value & 0xff);
    EXPECT_EQ(uint32_t(at[1] | at[2] << 8), value & 0xffff);
    EXPECT_EQ(uint32_t(at[3] | at[4] << 8), value >> 16);
    EXPECT_EQ(at[5], value >> 16 & 0xff);
  }
}

TEST_P(Global, WhatIsOutsideOrFreedOrReadOnlyIsReported) {
  for (Rule rule : {Rule::OutOfBounds, Rule::UseAfterFree, Rule::ReadOnly}) {
    Machine machine(GetParam(), "global_" + storeOf(4) + " v2, v4, s[0:1]\n", lanes);
    Allocation *array = machine.allocate(std::vector<uint32_t>(lanes));
    machine.setScalar64(0, array->base);
    machine.set(2, [&](unsigned lane) {
      return lane * 4 + (rule == Rule::OutOfBounds && lane == 5 ? lanes * 4 : 0);
    });
    machine.set(4, 1);
    if (rule == Rule::ReadOnly)
      array->readOnlyBytes = array->size;
    if (rule == Rule::UseAfterFree)
      machine.device.memory.release(array->base);
    auto faults = machine.run();
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].rule, rule);
    EXPECT_EQ(faults[0].site.thread.x, rule == Rule::OutOfBounds ? 5u : 0u);
  }
}

TEST_P(Global, FlatAddressesGoToThreeMemories) {
  Machine machine(GetParam(),
                  "flat_" + storeOf(8) + " v[2:3], v[4:5]\n" + waitForStores(target) +
                      waitLds + "flat_" + loadOf(8) + " v[6:7], v[2:3]\n" + waitLoads +
                      waitLds,
                  lanes, 1024);
  Allocation *array = machine.device.memory.allocate(1024, "array");
  auto address = [&](unsigned lane) {
    uint64_t start = lane % 3 == 0   ? array->base
                     : lane % 3 == 1 ? sharedAperture
                                     : privateAperture;
    return start + lane * 8;
  };
  setAddress(machine, 2, address);
  machine.set(4, [](unsigned lane) { return lane + 1; });
  machine.set(5, [](unsigned lane) { return lane + 2; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    EXPECT_EQ(machine.get(6, lane), lane + 1);
    EXPECT_EQ(machine.get(7, lane), lane + 2);
    uint32_t word = 0;
    if (lane % 3 == 0)
      memcpy(&word, array->memory.data() + lane * 8, 4);
    else if (lane % 3 == 1)
      memcpy(&word, machine.group->lds.data() + lane * 8, 4);
    else
      memcpy(&word,
             machine.wave().privateMemory().data() +
                 (lane * 2 * size_t(maxLanes) + lane) * 4,
             4);
    EXPECT_EQ(word, lane + 1);
  }
}

TEST_P(Global, AFlatLoadEndsByTwoCounters) {
  for (bool loads : {false, true})
    for (bool lds : {false, true}) {
      Machine machine(GetParam(),
                      "flat_" + loadOf(4) + " v4, v[2:3]\n" + (loads ? waitLoads : "") +
                          (lds ? waitLds : "") + "v_mov_b32 v5, v4",
                      lanes);
      uint64_t base = machine.allocate(std::vector<uint32_t>(64, 1))->base;
      setAddress(machine, 2, [&](unsigned lane) { return base + 4 * lane; });
      auto faults = machine.run();
      EXPECT_EQ(faults.empty(), loads && lds);
      if (!faults.empty()) {
        EXPECT_EQ(faults[0].rule, Rule::InFlight);
      }
    }
}

TEST_P(Global, ScratchIsEachLanesOwn) {
  if (target.gpu == Gpu::Gfx90a)
    return; // its private memory is a buffer
  std::string both = "v3, v4, s2 offset:-4\n";
  std::string text = "scratch_" + storeOf(4) + " off, v4, s2 offset:8\n" + "scratch_" +
                     storeOf(8) + " v3, v[4:5], off offset:16\n" + "scratch_" +
                     loadOf(4) + " v6, off, s2 offset:8\n" + "scratch_" + loadOf(8) +
                     " v[8:9], v3, s3\n" + "scratch_" + loadOf(4) +
                     " v10, off, off offset:108\n" + waitLoads;
  Machine machine(GetParam(), text, lanes);
  machine.setScalar(2, 100);
  machine.setScalar(3, 16);
  machine.set(3, [](unsigned lane) { return lane % 2 ? 200 : 300; });
  machine.set(4, [](unsigned lane) { return lane + 1; });
  machine.set(5, [](unsigned lane) { return lane + 2; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    EXPECT_EQ(machine.get(6, lane), lane + 1);
    EXPECT_EQ(machine.get(8, lane), lane + 1);
    EXPECT_EQ(machine.get(9, lane), lane + 2);
    EXPECT_EQ(machine.get(10, lane), lane + 1);
  }
}

TEST_P(Global, ScratchHasTheKernelsSize) {
  if (target.gpu == Gpu::Gfx90a)
    return;
  Machine machine(GetParam(), "scratch_" + loadOf(8) + " v[4:5], v3, off\n" + waitLoads,
                  lanes);
  machine.set(3, [](unsigned lane) { return lane == 7 ? 1020 : 8; });
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::OutOfBounds);
  EXPECT_EQ(faults[0].site.thread.x, 7u);
  EXPECT_EQ(machine.getPoison(4, 3), 0xf); // nothing was written there
}

TEST_P(Global, AddressesMayBeOfLanesNumbers) {
  if (isCdna)
    return;
  Machine machine(GetParam(),
                  "global_load_addtid_b32 v4, s[0:1] offset:8\n"
                  "global_store_addtid_b32 v5, s[2:3]\n" +
                      waitLoads,
                  lanes);
  std::vector<uint8_t> bytes = someBytes(512);
  machine.setScalar64(0, machine.allocate(bytes)->base);
  Allocation *to = machine.allocate(std::vector<uint32_t>(64));
  machine.setScalar64(2, to->base);
  machine.set(5, [](unsigned lane) { return lane + 5; });
  machine.runClean();
  EXPECT_EQ(machine.get(4, 9), wordOf(bytes, 44));
  EXPECT_EQ(to->memory.data()[4 * 9], 14);
}

/// gfx942 and gfx950 load to LDS; no register is in between.
TEST(GlobalToLds, LoadsToLdsArriveWhenTheyAreWaitedFor) {
  struct Case {
    const char *target, *name;
    unsigned bytes;
  };
  for (const Case &one : {Case{"gfx942", "global_load_lds_dword", 4},
                          Case{"gfx950", "global_load_lds_dwordx3", 12},
                          Case{"gfx950", "global_load_lds_dwordx4", 16}})
    for (bool waits : {true, false}) {
      Machine machine(one.target,
                      std::string(one.name) + " v2, s[0:1] offset:16\n" +
                          (waits ? "s_waitcnt vmcnt(0)\n" : "") +
                          "ds_read_b32 v4, v3 offset:80\ns_waitcnt lgkmcnt(0)",
                      64, 2048);
      std::vector<uint8_t> bytes = someBytes(4096);
      machine.setScalar64(0, machine.allocate(bytes)->base);
      machine.setScalar(M0, 64);
      machine.set(2, [](unsigned lane) { return lane * 20; });
      machine.set(3, [&](unsigned lane) { return lane * one.bytes; });
      machine.setExec(~uint64_t(2));
      auto faults = machine.run();
      if (!waits) {
        ASSERT_EQ(faults.size(), 1u);
        EXPECT_EQ(faults[0].rule, Rule::InFlight);
        continue;
      }
      EXPECT_TRUE(faults.empty());
      for (unsigned lane = 0; lane < 64; ++lane) {
        const uint8_t *at = machine.group->lds.data() + 80 + lane * one.bytes;
        if (lane == 1) {
          EXPECT_EQ(machine.group->lds.shadow()[80 + lane * one.bytes], NeverWritten);
        } else {
          EXPECT_EQ(memcmp(at, &bytes[16 + lane * 20], one.bytes), 0) << lane;
        }
      }
      EXPECT_EQ(machine.get(4, 5), wordOf(bytes, 116));
    }
}

/// One wave's loads to LDS, which another reads after the barrier.
TEST(GlobalToLds, ALoadToLdsThatNoWaitCoversBeforeTheBarrierIsReported) {
  for (bool waits : {true, false}) {
    Machine machine("gfx942",
                    "v_readfirstlane_b32 s4, v0\ns_and_b32 s4, s4, 64\n"
                    "s_cbranch_scc1 3\nglobal_load_lds_dword v2, s[0:1]\n" +
                        std::string(waits ? "s_waitcnt vmcnt(0)\n" : "s_nop 0\n") +
                        "s_barrier\nds_read_b32 v4, v3\ns_waitcnt lgkmcnt(0)",
                    128, 512);
    machine.setScalar64(0, machine.allocate(someBytes(4096))->base);
    machine.setScalar(M0, 0);
    machine.set(0, [](unsigned item) { return item; });
    machine.set(2, [](unsigned item) { return item % 64 * 4; });
    machine.set(3, [](unsigned item) { return item % 64 * 4; });
    auto faults = machine.run();
    EXPECT_EQ(faults.empty(), waits);
    if (!waits) {
      EXPECT_EQ(faults[0].rule, Rule::InFlight);
    }
  }
}
