//===- BufferTest.cpp - Loads and stores of buffers ---------------------------===//
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
class Buffer : public testing::TestWithParam<const char *> {
protected:
  const Target &target = *findTarget(GetParam());
  bool isCdna = target.isCdna();
  unsigned lanes = target.waveSize;
  std::string waitLoads = waitForLoads(target);
  std::string zero = target.generation < 12 ? "0" : "null"; ///< no scalar offset

  std::string loadOf(unsigned bytes) const {
    return isCdna
               ? "buffer_load_dword" + (bytes > 4 ? "x" + std::to_string(bytes / 4) : "")
               : "buffer_load_b" + std::to_string(bytes * 8);
  }
  std::string storeOf(unsigned bytes) const {
    return isCdna
               ? "buffer_store_dword" + (bytes > 4 ? "x" + std::to_string(bytes / 4) : "")
               : "buffer_store_b" + std::to_string(bytes * 8);
  }
  /// In s[4:7]; `select` is what later generations choose the check by.
  void describe(Machine &machine, uint64_t base, uint32_t records, uint32_t stride = 0,
                uint32_t select = 3) const {
    machine.setScalar64(4, base | uint64_t(stride) << 48);
    machine.setScalar(6, records);
    machine.setScalar(7, isCdna ? 0x27000 : 0x1027000 | select << 28);
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, Buffer, everyTarget(), nameOfTarget);

std::vector<uint32_t> someWords(size_t size) {
  std::vector<uint32_t> words(size);
  for (size_t i = 0; i < size; ++i)
    words[i] = static_cast<uint32_t>(i * 0x01030507 + 99);
  return words;
}
} // namespace

TEST_P(Buffer, LoadsOutOfRangeAreZeroAndStoresAreDropped) {
  Machine machine(GetParam(),
                  loadOf(4) + " v4, v2, s[4:7], " + zero + " offen\n" + storeOf(4) +
                      " v3, v2, s[4:7], " + zero + " offen\n" + waitLoads,
                  lanes);
  std::vector<uint32_t> words = someWords(64);
  Allocation *array = machine.allocate(words);
  describe(machine, array->base, 0x7ffffffe);
  // As Triton masks: the offset of a lane that takes no part is 2 GB.
  machine.set(2, [](unsigned lane) { return lane % 3 ? lane * 4 : 0x80000000; });
  machine.set(3, [](unsigned lane) { return lane; });
  machine.set(4, 77);
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    EXPECT_EQ(machine.get(4, lane), lane % 3 ? words[lane] : 0u);
    EXPECT_EQ(machine.getPoison(4, lane), 0);
    uint32_t word;
    memcpy(&word, array->memory.data() + lane * 4, 4);
    EXPECT_EQ(word, lane % 3 ? lane : words[lane]);
  }
}

TEST_P(Buffer, ANegativeOffsetAndALargerImmediateAreInRange) {
  Machine machine(
      GetParam(),
      loadOf(4) + " v4, v2, s[4:7], " + zero + " offen offset:132\n" + waitLoads, lanes);
  std::vector<uint32_t> words = someWords(64);
  Allocation *array = machine.allocate(words);
  describe(machine, array->base, 256);
  // As LLVM begins loops; the last lane's sum is negative, which is out of range.
  machine.set(2, [&](unsigned lane) { return lane * 4 - (lane + 1 < lanes ? 132 : 1320); });
  machine.set(4, 77);
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane)
    EXPECT_EQ(machine.get(4, lane), lane + 1 < lanes ? words[lane] : 0u);
}

TEST_P(Buffer, EachDwordIsCheckedAlone) {
  for (unsigned halfLane : {5u, lanes - 1}) { // of which the half is in range
    Machine machine(GetParam(),
                    loadOf(16) + " v[4:7], v2, s[4:7], " + zero + " offen offset:16\n" +
                        storeOf(16) + " v[8:11], v2, s[4:7], " + zero +
                        " offen offset:16\n" + waitLoads,
                    lanes);
    std::vector<uint32_t> words = someWords(64 * 5);
    Allocation *array = machine.allocate(words);
    uint32_t records = 16 + 16 * halfLane + 8;
    describe(machine, array->base, records);
    machine.set(2, [](unsigned lane) { return lane * 16; });
    for (uint16_t i = 0; i < 4; ++i)
      machine.set(8 + i, [i](unsigned lane) { return lane * 4 + i; });
    machine.runClean();
    for (unsigned lane = 0; lane < lanes; ++lane)
      for (unsigned i = 0; i < 4; ++i) {
        bool in = 16 + lane * 16 + i * 4 < records;
        EXPECT_EQ(machine.get(4 + i, lane), in ? words[4 + lane * 4 + i] : 0);
        EXPECT_EQ(machine.getPoison(4 + i, lane), 0);
        uint32_t word;
        memcpy(&word, array->memory.data() + 16 + lane * 16 + 4 * i, 4);
        EXPECT_EQ(word, in ? lane * 4 + i : words[4 + lane * 4 + i]);
      }
  }
}

TEST_P(Buffer, TheDescriptorDoesNotHideAnAccessOutsideEveryAllocation) {
  Machine machine(GetParam(),
                  loadOf(4) + " v4, v2, s[4:7], " + zero + " offen\n" + waitLoads, lanes);
  describe(machine, machine.allocate(someWords(16))->base, 0x7ffffffe);
  machine.set(2, [](unsigned lane) { return lane % 17 * 4; });
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::OutOfBounds);
  EXPECT_EQ(faults[0].site.thread.x, 16u);
}

TEST_P(Buffer, ScalarOffsetsAndIndices) {
  Machine machine(GetParam(),
                  loadOf(4) + " v4, off, s[4:7], s2 offset:12\n" + loadOf(4) +
                      " v5, v[2:3], s[4:7], s2 idxen offen offset:4\n" + loadOf(4) +
                      " v6, v2, s[4:7], " + zero + " idxen\n" + waitLoads,
                  lanes);
  std::vector<uint32_t> words = someWords(1024);
  describe(machine, machine.allocate(words)->base, 20, 24, isCdna ? 3 : 1);
  machine.setScalar(2, 8);
  machine.set(2, [](unsigned lane) { return lane; }); // index
  machine.set(3, [](unsigned lane) { return lane % 4 * 4; });
  auto faults = machine.run();
  EXPECT_TRUE(faults.empty());
  for (unsigned lane = 0; lane < lanes; ++lane) {
    EXPECT_EQ(machine.get(5, lane), lane < 20 ? words[lane * 6 + lane % 4 + 1 + 2] : 0)
        << lane;
    EXPECT_EQ(machine.get(6, lane), lane < 20 ? words[lane * 6] : 0);
    // Without an index, 20 are bytes on gfx9: the offsets, the scalar one among them,
    // are out of range.
    EXPECT_EQ(machine.get(4, lane), isCdna ? 0 : words[5]);
  }
}

TEST_P(Buffer, StructuresCheckTheOffsetToo) {
  if (isCdna)
    return;
  Machine machine(GetParam(),
                  loadOf(8) + " v[4:5], v[2:3], s[4:7], " + zero + " idxen offen\n" +
                      waitLoads,
                  lanes);
  std::vector<uint32_t> words = someWords(1024);
  describe(machine, machine.allocate(words)->base, 20, 24, 0);
  machine.set(2, [](unsigned lane) { return lane; });
  machine.set(3, [](unsigned lane) { return lane % 8 * 4; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane)
    for (unsigned i = 0; i < 2; ++i)
      EXPECT_EQ(machine.get(4 + i, lane),
                lane < 20 && lane % 8 + i < 6 ? words[lane * 6 + lane % 8 + i] : 0);
}

TEST_P(Buffer, AnUndefinedDescriptorIsReported) {
  Machine machine(GetParam(), loadOf(4) + " v4, off, s[4:7], " + zero + "\n" + waitLoads,
                  lanes);
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Uninitialised);
}

TEST_P(Buffer, ASwizzledBufferIsRefused) {
  Machine machine(GetParam(), loadOf(4) + " v4, off, s[4:7], " + zero + "\n" + waitLoads,
                  lanes);
  describe(machine, machine.allocate(someWords(16))->base, 64, 4 | 0x8000);
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Unsupported);
}

TEST_P(Buffer, LoadsToLdsWriteZerosOutOfRange) {
  if (!isCdna)
    return;
  std::string wide = target.gpu == Gpu::Gfx950 ? "x4" : "";
  unsigned words = wide.empty() ? 1 : 4;
  Machine machine(GetParam(),
                  "buffer_load_dword" + wide +
                      " v2, s[4:7], 0 offen offset:16 lds\ns_waitcnt vmcnt(0)",
                  lanes, 4096);
  std::vector<uint32_t> source = someWords(1024);
  describe(machine, machine.allocate(source)->base, 4096);
  machine.setScalar(M0, 32);
  machine.set(2, [](unsigned lane) { return lane == 9 ? 0x80000000 : lane * 32; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane)
    for (unsigned i = 0; i < words; ++i) {
      uint32_t word;
      size_t at = 48 + (lane * words + i) * 4;
      memcpy(&word, machine.group->lds.data() + at, 4);
      EXPECT_EQ(word, lane == 9 ? 0 : source[4 + lane * 8 + i]);
      EXPECT_EQ(machine.group->lds.shadow()[at], Sound);
    }
}

/// The private memory of gfx90a is a buffer whose scalar offset is of a whole wave.
TEST(Buffer, PrivateMemoryOfGfx90a) {
  Machine machine("gfx90a",
                  "buffer_store_dword v4, off, s[0:3], s32 offset:8\n"
                  "buffer_store_dword v5, v3, s[0:3], 0 offen\n"
                  "buffer_load_dword v6, v2, s[0:3], 0 offen offset:8\n"
                  "buffer_load_dword v7, off, s[0:3], 0 offset:40\ns_waitcnt vmcnt(0)",
                  64);
  machine.setScalar64(0, privateAperture | uint64_t(1) << 63);
  machine.setScalar64(2, uint64_t(0x00e80000) << 32 | 0xffffffff);
  machine.setScalar(32, 64 * 16);
  machine.set(2, 16);
  machine.set(3, 40);
  machine.set(4, [](unsigned lane) { return lane + 1; });
  machine.set(5, [](unsigned lane) { return lane + 2; });
  machine.runClean();
  for (unsigned lane = 0; lane < 64; ++lane) {
    EXPECT_EQ(machine.get(6, lane), lane + 1);
    EXPECT_EQ(machine.get(7, lane), lane + 2);
  }
}
