//===- LdsTest.cpp - Loads and stores of LDS ----------------------------------===//
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
class Lds : public testing::TestWithParam<const char *> {
protected:
  const Target &target = *findTarget(GetParam());
  bool isCdna = target.isCdna();
  unsigned items = target.waveSize; ///< of one wave
  std::string wait = waitForLds(target);
  std::string read = isCdna ? "ds_read" : "ds_load";
  std::string write = isCdna ? "ds_write" : "ds_store";
};
INSTANTIATE_TEST_SUITE_P(Targets, Lds, everyTarget(), nameOfTarget);

/// A byte of LDS that says where it is.
uint8_t byteAt(uint32_t offset) { return static_cast<uint8_t>(offset * 37 + 11); }
uint32_t wordAt(uint32_t offset) {
  uint32_t word = 0;
  for (unsigned i = 0; i < 4; ++i)
    word |= uint32_t(byteAt(offset + i)) << (8 * i);
  return word;
}
} // namespace

TEST_P(Lds, LoadsOfEveryWidthReadTheirBytes) {
  for (unsigned bytes : {4, 8, 12, 16}) {
    for (unsigned stride : {4u, 16u, 20u, 13u}) { // also not aligned
      Machine machine(GetParam(),
                      read + "_b" + std::to_string(bytes * 8) + " " +
                          registers("v", 4, bytes / 4) + ", v2 offset:8\n" + wait,
                      items, 4096);
      fillLds(machine, byteAt);
      machine.set(2, [&](unsigned lane) { return lane * stride; });
      machine.runClean();
      for (unsigned lane = 0; lane < machine.wave().lanes; ++lane)
        for (unsigned i = 0; i < bytes / 4; ++i)
          ASSERT_EQ(machine.get(4 + i, lane), wordAt(lane * stride + 8 + 4 * i));
    }
  }
}

TEST_P(Lds, SmallLoadsAreExtended) {
  for (const char *kind : {"u8", "i8", "u16", "i16"}) {
    Machine machine(GetParam(), read + "_" + kind + " v4, v2 offset:1\n" + wait, items,
                    512);
    fillLds(machine, byteAt);
    machine.set(2, [](unsigned lane) { return lane * 3; });
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      uint32_t low = byteAt(lane * 3 + 1), both = low | byteAt(lane * 3 + 2) << 8;
      std::string name = kind;
      uint32_t expected = name == "u8"    ? low
                          : name == "i8"  ? uint32_t(int32_t(int8_t(low)))
                          : name == "u16" ? both
                                          : uint32_t(int32_t(int16_t(both)));
      ASSERT_EQ(machine.get(4, lane), expected) << kind << lane;
      ASSERT_EQ(machine.getPoison(4, lane), 0);
    }
  }
}

TEST_P(Lds, HalvesOfRegistersAreLoadedAndStored) {
  struct Case {
    std::string name;
    bool isHigh;
    unsigned bytes;
    bool isSigned;
  };
  for (const Case &one :
       {Case{"u8_d16", false, 1, false}, Case{"u8_d16_hi", true, 1, false},
        Case{"i8_d16", false, 1, true}, Case{"i8_d16_hi", true, 1, true},
        Case{"u16_d16", false, 2, false}, Case{"u16_d16_hi", true, 2, false}}) {
    Machine machine(GetParam(), read + "_" + one.name + " v4, v2\n" + wait, items, 512);
    fillLds(machine, byteAt);
    machine.set(2, [](unsigned lane) { return lane * 3; });
    machine.set(4, 0x12345678);
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      uint32_t half = byteAt(lane * 3);
      if (one.bytes == 2)
        half |= byteAt(lane * 3 + 1) << 8;
      if (one.isSigned)
        half = uint16_t(int16_t(int8_t(half)));
      uint32_t shift = one.isHigh ? 16 : 0;
      ASSERT_EQ(machine.get(4, lane) >> shift & 0xffff, half) << one.name;
      // RDNA keeps the other half, CDNA loses it.
      uint32_t other = machine.get(4, lane) >> (16 - shift) & 0xffff;
      if (!isCdna) {
        ASSERT_EQ(other, one.isHigh ? 0x5678u : 0x1234u) << one.name;
      }
      ASSERT_EQ(machine.getPoison(4, lane), !isCdna ? 0 : one.isHigh ? 0x3 : 0xc);
    }
  }
  Machine machine(GetParam(),
                  write + "_b8 v2, v4\n" + write + "_b8_d16_hi v2, v4 offset:1\n" +
                      write + "_b16 v2, v4 offset:2\n" + write +
                      "_b16_d16_hi v2, v4 offset:4\n" + wait,
                  items, 512);
  machine.set(2, [](unsigned lane) { return lane * 6; });
  machine.set(4, [](unsigned lane) { return 0x01020304 * (lane + 1); });
  machine.runClean();
  for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
    uint32_t value = 0x01020304 * (lane + 1);
    const uint8_t *at = machine.group->lds.data() + lane * 6;
    EXPECT_EQ(at[0], value & 0xff);
    EXPECT_EQ(at[1], value >> 16 & 0xff);
    EXPECT_EQ(uint32_t(at[2] | at[3] << 8), value & 0xffff);
    EXPECT_EQ(uint32_t(at[4] | at[5] << 8), value >> 16);
  }
}

TEST_P(Lds, StoresOfEveryWidthWriteActiveLanes) {
  for (unsigned bytes : {4, 8, 12, 16}) {
    Machine machine(GetParam(),
                    write + "_b" + std::to_string(bytes * 8) + " v2, " +
                        registers("v", 4, bytes / 4) + " offset:16\n" + wait,
                    items, 4096);
    machine.set(2, [&](unsigned lane) { return lane * 16; });
    for (uint16_t i = 0; i < 4; ++i)
      machine.set(4 + i, [i](unsigned lane) { return lane * 1000 + i; });
    machine.poison(4, 2, 0x2);
    machine.setExec(0x0fff0fff);
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      bool active = lane < 32 && (lane & 15) < 12;
      size_t at = 16 + lane * 16;
      for (unsigned i = 0; i < bytes / 4; ++i) {
        uint32_t word;
        memcpy(&word, machine.group->lds.data() + at + 4 * i, 4);
        ASSERT_EQ(word, active ? lane * 1000 + i : 0xffffffffu);
        for (unsigned byte = 0; byte < 4; ++byte)
          ASSERT_EQ(machine.group->lds.shadow()[at + 4 * i + byte],
                    !active                            ? NeverWritten
                    : lane == 2 && i == 0 && byte == 1 ? Undefined
                                                       : Sound);
      }
    }
  }
}

TEST_P(Lds, TwoOffsetsAreInElementsOrSixtyFourOfThem) {
  for (unsigned words : {1u, 2u})
    for (bool strided : {false, true}) {
      std::string suffix = isCdna
                               ? std::string("2") + (strided ? "st64" : "") + "_b"
                               : std::string("_2addr_") + (strided ? "stride64_b" : "b");
      suffix += std::to_string(32 * words);
      std::string offsets = " offset0:3 offset1:1\n";
      Machine machine(GetParam(),
                      write + suffix + " v2, " + registers("v", 4, words) + ", " +
                          registers("v", 6, words) + offsets + wait + read + suffix +
                          " " + registers("v", 10, 2 * words) + ", v2" + offsets + wait,
                      items, 16384);
      machine.set(2, [&](unsigned lane) { return lane * 64; });
      for (uint16_t i = 0; i < 4; ++i)
        machine.set(4 + i, [i](unsigned lane) { return lane * 1000 + i; });
      machine.runClean();
      unsigned unit = 4 * words * (strided ? 64 : 1);
      for (unsigned lane = 0; lane < machine.wave().lanes; ++lane)
        for (unsigned i = 0; i < words; ++i) {
          uint32_t word;
          memcpy(&word, machine.group->lds.data() + lane * 64 + 3 * unit + 4 * i, 4);
          if (!strided) {
            ASSERT_EQ(word, lane * 1000 + i);
          }
          ASSERT_EQ(machine.get(10 + i, lane), word);
          memcpy(&word, machine.group->lds.data() + lane * 64 + unit + 4 * i, 4);
          ASSERT_EQ(machine.get(10 + words + i, lane), word);
        }
    }
}

TEST_P(Lds, AccessesBeyondTheEndAreReported) {
  for (bool isStore : {false, true}) {
    Machine machine(GetParam(),
                    (isStore ? write + "_b64 v2, v[4:5]\n" : read + "_b64 v[4:5], v2\n") +
                        wait,
                    items, 248);
    fillLds(machine, byteAt);
    machine.set(2, [](unsigned lane) { return lane % 32 * 8; });
    machine.set(4, 1);
    machine.set(5, 1);
    auto faults = machine.run();
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].rule, Rule::OutOfBounds);
    EXPECT_EQ(faults[0].site.thread.x, 31u);
  }
}

TEST_P(Lds, TwoAddressesMustBeAligned) {
  Machine machine(GetParam(),
                  (isCdna ? "ds_read2_b64" : "ds_load_2addr_b64") +
                      std::string(" v[4:7], v2 offset1:1\n") + wait,
                  items, 2048);
  fillLds(machine, byteAt);
  machine.set(2, [](unsigned lane) { return lane * 16 + (lane == 5 ? 4 : 0); });
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Misaligned);
  EXPECT_EQ(faults[0].site.thread.x, 5u);
}

TEST_P(Lds, UndefinedBytesStayUndefined) {
  Machine machine(GetParam(), read + "_b64 v[4:5], v2\n" + wait, items, 1024);
  fillLds(machine, byteAt);
  machine.group->lds.shadow()[8 * 7 + 5] = NeverWritten;
  machine.set(2, [](unsigned lane) { return lane * 8; });
  machine.runClean();
  EXPECT_EQ(machine.getPoison(4, 7), 0);
  EXPECT_EQ(machine.getPoison(5, 7), 0x2);
  EXPECT_EQ(machine.getPoison(5, 6), 0);
}

TEST_P(Lds, AnUndefinedAddressIsReported) {
  Machine machine(GetParam(), read + "_b32 v4, v2\n" + wait, items, 1024);
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Uninitialised);
  EXPECT_EQ(machine.getPoison(4, 3), 0xf);
}

/// Two waves exchange their values through LDS. The LDS unit has several queues for the
/// waves of a work-group, so that a barrier orders only what was waited for; a flat store
/// takes another way to LDS.
TEST_P(Lds, ABarrierOrdersWhatWasStoredBefore) {
  if (target.generation >= 12)
    return; // its barriers are not modelled here yet
  struct Case {
    bool isFlat, waits, meets, isRight;
  };
  for (const Case &one : {Case{false, true, true, true}, Case{false, false, true, false},
                          Case{false, true, false, false}, Case{true, true, true, true},
                          Case{true, false, true, false}}) {
    std::string flat = isCdna ? "flat_store_dword v[6:7], v0\n"
                              : "flat_store_b32 v[6:7], v0\n" + waitForStores(target);
    Machine machine(GetParam(),
                    (one.isFlat ? flat : write + "_b32 v2, v0\n") +
                        (one.waits ? wait : "") + (one.meets ? "s_barrier\n" : "") +
                        read + "_b32 v4, v3\n" + wait,
                    2 * target.waveSize, 1024);
    unsigned all = 2 * target.waveSize;
    machine.set(0, [](unsigned item) { return item + 100; });
    machine.set(2, [](unsigned item) { return item * 4; });
    machine.set(3, [&](unsigned item) { return (all - 1 - item) * 4; });
    machine.set(6, [](unsigned item) { return item * 4; });
    machine.set(7, uint32_t(sharedAperture >> 32));
    auto faults = machine.run();
    EXPECT_EQ(faults.empty(), one.isRight) << one.isFlat << one.waits << one.meets;
    for (const Fault &fault : faults)
      EXPECT_EQ(fault.rule, Rule::Race);
    for (unsigned wave = 0; one.isRight && wave < 2; ++wave)
      for (unsigned lane = 0; lane < target.waveSize; ++lane)
        EXPECT_EQ(machine.get(4, lane, wave),
                  all - 1 - (wave * target.waveSize + lane) + 100);
  }
}

/// A wait after the barrier is too late for it, and in time for the next one.
TEST_P(Lds, TheNextBarrierOrdersWhatWasWaitedForSince) {
  if (target.generation >= 12)
    return;
  for (bool isLate : {false, true}) {
    Machine machine(GetParam(),
                    write + "_b32 v2, v0\ns_barrier\n" + wait +
                        (isLate ? "" : "s_barrier\n") + read + "_b32 v4, v3\n" + wait,
                    2 * target.waveSize, 1024);
    unsigned all = 2 * target.waveSize;
    machine.set(0, [](unsigned item) { return item + 100; });
    machine.set(2, [](unsigned item) { return item * 4; });
    machine.set(3, [&](unsigned item) { return (all - 1 - item) * 4; });
    auto faults = machine.run();
    EXPECT_EQ(faults.empty(), !isLate);
    for (const Fault &fault : faults)
      EXPECT_EQ(fault.rule, Rule::Race);
  }
}

/// A load under way at a barrier is not before what another wave stores behind it.
TEST_P(Lds, ABarrierOrdersWhatWasLoadedBefore) {
  if (target.generation >= 12)
    return;
  const std::string load = read + "_b32 v4, v2\n", store = write + "_b32 v3, v0\n";
  struct Case {
    std::string before;
    bool isRight;
  };
  for (const Case &one :
       {Case{load + wait, true}, Case{load, false},
        // Of two loads the first one is done, and only that is stored over.
        Case{load + read + "_b32 v5, v6\ns_waitcnt lgkmcnt(1)\n", true}}) {
    unsigned all = 2 * target.waveSize;
    Machine machine(GetParam(), one.before + "s_barrier\n" + store + wait, all, 2048);
    fillLds(machine, byteAt);
    machine.set(0, [](unsigned item) { return item + 100; });
    machine.set(2, [](unsigned item) { return item * 4; });
    machine.set(3, [&](unsigned item) { return (all - 1 - item) * 4; });
    machine.set(6, [](unsigned item) { return 1024 + item * 4; });
    auto faults = machine.run();
    EXPECT_EQ(faults.empty(), one.isRight) << one.before;
    for (const Fault &fault : faults)
      EXPECT_EQ(fault.rule, Rule::Race);
  }
}

TEST_P(Lds, WavesMayWriteTheSameValue) {
  for (bool same : {true, false}) {
    Machine machine(GetParam(), write + "_b32 v2, v0\n" + wait, 2 * target.waveSize, 512);
    machine.set(0, [&](unsigned item) { return same ? item % target.waveSize : item; });
    machine.set(2, [&](unsigned item) { return item % target.waveSize * 4; });
    auto faults = machine.run();
    EXPECT_EQ(faults.empty(), same);
  }
}

TEST_P(Lds, ALoadThatNoWaitCoversIsReported) {
  Machine machine(GetParam(), read + "_b32 v4, v2\nv_mov_b32 v5, v4", items, 1024);
  fillLds(machine, byteAt);
  machine.set(2, [](unsigned lane) { return lane * 4; });
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::InFlight);
}

TEST_P(Lds, LoadsToOneRegisterEndInOrder) {
  Machine machine(GetParam(),
                  read + "_b32 v4, v2\n" + read + "_b32 v4, v2 offset:4\n" + wait, items,
                  1024);
  fillLds(machine, byteAt);
  machine.set(2, [](unsigned lane) { return lane * 4; });
  machine.runClean();
  EXPECT_EQ(machine.get(4, 3), wordAt(16));
}

TEST_P(Lds, LanesNumbersMakeAddresses) {
  Machine machine(GetParam(),
                  write + "_addtid_b32 v0 offset:8\n" + wait + read +
                      "_addtid_b32 v4 offset:8\n" + wait,
                  items, 1024);
  machine.setScalar(M0, 64);
  machine.set(0, [](unsigned lane) { return lane + 7; });
  machine.runClean();
  uint32_t word;
  memcpy(&word, machine.group->lds.data() + 72 + 4 * 5, 4);
  EXPECT_EQ(word, 12u);
  EXPECT_EQ(machine.get(4, 5), 12u);
}
