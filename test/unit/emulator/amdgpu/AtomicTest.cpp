//===- AtomicTest.cpp - Atomic operations on global memory, buffers and LDS ---===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Float.h"
#include "test/unit/emulator/amdgpu/MemoryHarness.h"

#include <cmath>
#include <random>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
class Atomics : public testing::TestWithParam<const char *> {
protected:
  const Target &target = *findTarget(GetParam());
  bool isCdna = target.isCdna();
  unsigned lanes = target.waveSize;
  std::string waitAll = waitForLoads(target) + waitForStores(target) + waitForLds(target);
  std::string zero = target.generation < 12 ? "0" : "null";
  /// What makes an operation on global memory return.
  std::string returns = target.gpu == Gpu::Gfx90a ? " glc"
                        : target.generation == 9  ? " sc0"
                        : target.generation == 11 ? " glc"
                                                  : " th:TH_ATOMIC_RETURN";
};
INSTANTIATE_TEST_SUITE_P(Targets, Atomics, everyTarget(), nameOfTarget);

using Function = uint64_t (*)(uint64_t memory, uint64_t data, unsigned bits);
int64_t extend(uint64_t value, unsigned bits) {
  return bits == 64 ? int64_t(value) : int64_t(int32_t(value));
}
struct Operation {
  const char *cdna, *rdna, *lds; ///< names without a type; the type of the last two
  char type;
  Function apply;
};
const Operation operations[] = {
    {"add", "add", "add", 'u', [](uint64_t m, uint64_t d, unsigned) { return m + d; }},
    {"sub", "sub", "sub", 'u', [](uint64_t m, uint64_t d, unsigned) { return m - d; }},
    {"smin", "min", "min", 'i',
     [](uint64_t m, uint64_t d, unsigned bits) {
       return extend(d, bits) < extend(m, bits) ? d : m;
     }},
    {"umin", "min", "min", 'u',
     [](uint64_t m, uint64_t d, unsigned) { return d < m ? d : m; }},
    {"smax", "max", "max", 'i',
     [](uint64_t m, uint64_t d, unsigned bits) {
       return extend(d, bits) > extend(m, bits) ? d : m;
     }},
    {"umax", "max", "max", 'u',
     [](uint64_t m, uint64_t d, unsigned) { return d > m ? d : m; }},
    {"and", "and", "and", 'b', [](uint64_t m, uint64_t d, unsigned) { return m & d; }},
    {"or", "or", "or", 'b', [](uint64_t m, uint64_t d, unsigned) { return m | d; }},
    {"xor", "xor", "xor", 'b', [](uint64_t m, uint64_t d, unsigned) { return m ^ d; }},
    {"inc", "inc", "inc", 'u',
     [](uint64_t m, uint64_t d, unsigned) { return m >= d ? 0 : m + 1; }},
    {"dec", "dec", "dec", 'u',
     [](uint64_t m, uint64_t d, unsigned) { return m == 0 || m > d ? d : m - 1; }},
    {"swap", "swap", nullptr, 'b', [](uint64_t, uint64_t d, unsigned) { return d; }},
    {nullptr, nullptr, "rsub", 'u',
     [](uint64_t m, uint64_t d, unsigned) { return d - m; }},
};

/// Random values, among them equal, zero and extreme ones.
std::vector<uint64_t> someValues(unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> values(64);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = i % 8 == 0 ? 0 : i % 8 == 1 ? ~uint64_t(0) : i % 8 == 2 ? 5 : random();
  return values;
}

uint64_t get(Machine &machine, uint16_t reg, unsigned lane, unsigned bits) {
  uint64_t value = machine.get(reg, lane);
  return bits == 64 ? value | uint64_t(machine.get(reg + 1, lane)) << 32 : value;
}
void set(Machine &machine, uint16_t reg, const std::vector<uint64_t> &values) {
  machine.set(reg, [&](unsigned lane) { return uint32_t(values[lane]); });
  machine.set(reg + 1, [&](unsigned lane) { return uint32_t(values[lane] >> 32); });
}
} // namespace

TEST_P(Atomics, IntegersOfGlobalMemoryAndBuffers) {
  for (const Operation &operation : operations)
    for (unsigned bits : {32u, 64u})
      for (bool isReturning : {false, true})
        for (bool isBuffer : {false, true}) {
          if (!operation.cdna)
            continue;
          std::string name =
              std::string("atomic_") + (isCdna ? operation.cdna : operation.rdna) +
              (isCdna ? (bits == 64 ? "_x2" : "")
                      : std::string("_") + operation.type + std::to_string(bits));
          std::string data = registers("v", 4, bits / 32);
          std::string text =
              isBuffer
                  ? "buffer_" + name + " " + data + ", v2, s[4:7], " + zero + " offen"
                  : "global_" + name + " " +
                        (isReturning ? registers("v", 8, bits / 32) + ", " : "") +
                        "v2, " + data + ", s[0:1]";
          Machine machine(GetParam(),
                          text + (isReturning ? returns : "") + "\n" + waitAll, lanes);
          std::vector<uint64_t> memory = someValues(1), values = someValues(2);
          std::rotate(values.begin(), values.begin() + 3, values.end());
          Allocation *array = machine.allocate(memory);
          machine.setScalar64(0, array->base);
          machine.setScalar64(4, array->base);
          machine.setScalar(6, 8 * 60);
          machine.setScalar(7, isCdna ? 0x27000 : 0x31027000);
          machine.set(2, [](unsigned lane) { return lane * 8; });
          set(machine, 4, values);
          machine.runClean();
          for (unsigned lane = 0; lane < lanes; ++lane) {
            bool in = !isBuffer || lane < 60;
            uint64_t mask = bits == 64 ? ~uint64_t(0) : 0xffffffff;
            uint64_t before = memory[lane] & mask;
            uint64_t after = operation.apply(before, values[lane] & mask, bits) & mask;
            uint64_t now;
            memcpy(&now, array->memory.data() + 8 * lane, 8);
            ASSERT_EQ(now & mask, in ? after : before) << text << lane;
            ASSERT_EQ(now & ~mask, memory[lane] & ~mask);
            if (isReturning) {
              ASSERT_EQ(get(machine, isBuffer ? 4 : 8, lane, bits), in ? before : 0)
                  << text << lane;
            }
          }
        }
}

TEST_P(Atomics, IntegersOfLds) {
  for (const Operation &operation : operations)
    for (unsigned bits : {32u, 64u})
      for (bool isReturning : {false, true}) {
        if (!operation.lds)
          continue;
        std::string text = std::string("ds_") + operation.lds +
                           (isReturning ? "_rtn_" : "_") + operation.type +
                           std::to_string(bits) + " " +
                           (isReturning ? registers("v", 8, bits / 32) + ", " : "") +
                           "v2, " + registers("v", 4, bits / 32) + " offset:16\n";
        Machine machine(GetParam(), text + waitAll, lanes, 1024);
        std::vector<uint64_t> memory = someValues(3), values = someValues(4);
        std::rotate(values.begin(), values.begin() + 3, values.end());
        fillLds(machine, [](uint32_t) { return uint8_t(0); });
        memcpy(machine.group->lds.data() + 16, memory.data(), 512);
        machine.set(2, [](unsigned lane) { return lane * 8; });
        set(machine, 4, values);
        machine.runClean();
        uint64_t mask = bits == 64 ? ~uint64_t(0) : 0xffffffff;
        for (unsigned lane = 0; lane < lanes; ++lane) {
          uint64_t before = memory[lane] & mask, now;
          memcpy(&now, machine.group->lds.data() + 16 + 8 * lane, 8);
          ASSERT_EQ(now & mask, operation.apply(before, values[lane] & mask, bits) & mask)
              << text << lane;
          if (isReturning) {
            ASSERT_EQ(get(machine, 8, lane, bits), before) << text;
          }
        }
      }
}

TEST_P(Atomics, LanesOfOneWordGoOneAfterTheOther) {
  Machine machine(GetParam(), "ds_add_rtn_u32 v4, v2, v3\n" + waitAll, lanes, 64);
  fillLds(machine, [](uint32_t) { return uint8_t(0); });
  machine.set(2, 8);
  machine.set(3, [](unsigned lane) { return lane; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane)
    EXPECT_EQ(machine.get(4, lane), lane * (lane - 1) / 2);
}

/// gfx9's LDS operation has the compared value before the new one, all others after it.
TEST_P(Atomics, CompareAndSwap) {
  std::string lds = isCdna ? "ds_cmpst_rtn_b32 v8, v2, v5, v4\n"
                           : "ds_cmpstore_rtn_b32 v8, v2, v4, v5\n";
  std::string name = isCdna ? "atomic_cmpswap" : "atomic_cmpswap_b32";
  std::string wide = isCdna ? "atomic_cmpswap_x2" : "atomic_cmpswap_b64";
  Machine machine(GetParam(),
                  lds + "global_" + name + " v9, v2, v[4:5], s[0:1]" + returns +
                      "\nglobal_" + wide + " v[10:11], v3, v[4:7], s[2:3]" + returns +
                      "\nbuffer_" + name + " v[12:13], v2, s[4:7], " + zero + " offen" +
                      returns + "\n" + waitAll,
                  lanes, 256);
  std::vector<uint32_t> memory(64);
  for (unsigned i = 0; i < 64; ++i)
    memory[i] = 1000 + i;
  std::vector<uint64_t> wideMemory(64);
  for (unsigned i = 0; i < 64; ++i)
    wideMemory[i] = uint64_t(2000) << 32 | i;
  fillLds(machine, [](uint32_t) { return uint8_t(0); });
  memcpy(machine.group->lds.data(), memory.data(), 256);
  Allocation *global = machine.allocate(memory), *buffer = machine.allocate(memory);
  Allocation *wides = machine.allocate(wideMemory);
  machine.setScalar64(0, global->base);
  machine.setScalar64(2, wides->base);
  machine.setScalar64(4, buffer->base);
  machine.setScalar(6, 256);
  machine.setScalar(7, isCdna ? 0x27000 : 0x31027000);
  machine.set(2, [](unsigned lane) { return lane * 4; });
  machine.set(3, [](unsigned lane) { return lane * 8; });
  machine.set(4, [](unsigned lane) { return lane; });
  // Even lanes compare to what is there.
  machine.set(5, [](unsigned lane) { return lane % 2 ? 7 : 1000 + lane; });
  machine.set(6, [](unsigned lane) { return lane; });
  machine.set(7, [](unsigned lane) { return lane % 2 ? 2001 : 2000; });
  machine.set(12, [](unsigned lane) { return lane; });
  machine.set(13, [](unsigned lane) { return lane % 2 ? 7 : 1000 + lane; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint32_t after = lane % 2 ? 1000 + lane : lane, word;
    for (Bytes *bytes : {&machine.group->lds, &global->memory, &buffer->memory}) {
      memcpy(&word, bytes->data() + 4 * lane, 4);
      EXPECT_EQ(word, after);
    }
    for (uint16_t reg : {8, 9, 12})
      EXPECT_EQ(machine.get(reg, lane), 1000 + lane);
    uint64_t wideAfter, compared = lane % 2 ? 7 : 1000 + lane;
    memcpy(&wideAfter, wides->memory.data() + 8 * lane, 8);
    EXPECT_EQ(wideAfter, lane % 2 ? wideMemory[lane] : compared << 32 | lane);
    EXPECT_EQ(get(machine, 10, lane, 64), wideMemory[lane]);
  }
}

TEST_P(Atomics, MaskedOrAndExchangesOfTwo) {
  std::string exchange = isCdna ? "ds_wrxchg2_rtn_b32" : "ds_storexchg_2addr_rtn_b32";
  Machine machine(GetParam(),
                  "ds_mskor_rtn_b32 v8, v2, v4, v5\n" + exchange +
                      " v[10:11], v2, v4, v5 offset0:64 offset1:128\n" + waitAll,
                  lanes, 1024);
  std::vector<uint32_t> memory(256);
  for (unsigned i = 0; i < 256; ++i)
    memory[i] = 0x12345678 * i;
  fillLds(machine, [](uint32_t) { return uint8_t(0); });
  memcpy(machine.group->lds.data(), memory.data(), 1024);
  machine.set(2, [](unsigned lane) { return lane * 4; });
  machine.set(4, 0xff00);
  machine.set(5, [](unsigned lane) { return lane << 8; });
  machine.runClean();
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint32_t word;
    memcpy(&word, machine.group->lds.data() + 4 * lane, 4);
    EXPECT_EQ(word, (memory[lane] & 0xffff00ff) | lane << 8);
    memcpy(&word, machine.group->lds.data() + 4 * lane + 256, 4);
    EXPECT_EQ(word, 0xff00u);
    memcpy(&word, machine.group->lds.data() + 4 * lane + 512, 4);
    EXPECT_EQ(word, lane << 8);
    EXPECT_EQ(machine.get(8, lane), memory[lane]);
    EXPECT_EQ(machine.get(10, lane), memory[lane + 64]);
    EXPECT_EQ(machine.get(11, lane), memory[lane + 128]);
  }
}

TEST_P(Atomics, FloatsOfLds) {
  bool isGfx12 = target.generation == 12;
  struct Case {
    std::string name;
    float (*apply)(float, float);
  };
  const Case cases[] = {
      {"ds_add_rtn_f32", [](float a, float b) { return a + b; }},
      {isGfx12 ? "ds_min_num_rtn_f32" : "ds_min_rtn_f32",
       [](float a, float b) { return std::fmin(a, b); }},
      {isGfx12 ? "ds_max_num_rtn_f32" : "ds_max_rtn_f32",
       [](float a, float b) { return std::fmax(a, b); }},
  };
  const float special[] = {0.0f,  -0.0f,    1.5f,      -2.25f, 1e-40f,
                           3e38f, INFINITY, -INFINITY, NAN,    1.0f / 3};
  for (const Case &one : cases) {
    Machine machine(GetParam(), one.name + " v4, v2, v3\n" + waitAll, lanes, 256);
    fillLds(machine, [](uint32_t) { return uint8_t(0); });
    std::vector<float> memory(64), values(64);
    std::mt19937 random(5);
    for (unsigned i = 0; i < 64; ++i) {
      memory[i] = special[random() % 10];
      values[i] = special[random() % 10];
    }
    memcpy(machine.group->lds.data(), memory.data(), 256);
    machine.set(2, [](unsigned lane) { return lane * 4; });
    machine.set(3, [&](unsigned lane) { return bitCast<uint32_t>(values[lane]); });
    machine.runClean();
    for (unsigned lane = 0; lane < lanes; ++lane) {
      float now, expected = one.apply(memory[lane], values[lane]);
      memcpy(&now, machine.group->lds.data() + 4 * lane, 4);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(now));
      } else {
        EXPECT_EQ(now, expected) << one.name << memory[lane] << " " << values[lane];
      }
      EXPECT_EQ(machine.get(4, lane), bitCast<uint32_t>(memory[lane]));
    }
  }
}

TEST_P(Atomics, PackedHalves) {
  // What each target has of them.
  std::vector<std::string> names;
  if (isCdna)
    names = {"global_atomic_pk_add_f16"};
  if (target.gpu == Gpu::Gfx942 || target.gpu == Gpu::Gfx950)
    names = {"global_atomic_pk_add_f16", "global_atomic_pk_add_bf16", "ds_pk_add_f16",
             "ds_pk_add_bf16"};
  if (target.gpu == Gpu::Gfx1201)
    names = {"global_atomic_pk_add_f16", "global_atomic_pk_add_bf16"};
  for (const std::string &name : names) {
    bool isLds = name[0] == 'd', isBf16 = name.find("bf16") != std::string::npos;
    Machine machine(GetParam(),
                    name + (isLds ? " v2, v3\n" : " v2, v3, s[0:1]\n") + waitAll, lanes,
                    256);
    std::mt19937 random(6);
    std::vector<uint32_t> memory(64), values(64);
    for (unsigned i = 0; i < 64; ++i) { // exponents that are near each other
      memory[i] = (random() & 0x83ff83ff) | 0x3c003c00;
      values[i] = (random() & 0x87ff87ff) | 0x38003800;
    }
    fillLds(machine, [](uint32_t) { return uint8_t(0); });
    memcpy(machine.group->lds.data(), memory.data(), 256);
    Allocation *array = machine.allocate(memory);
    machine.setScalar64(0, array->base);
    machine.set(2, [](unsigned lane) { return lane * 4; });
    machine.set(3, [&](unsigned lane) { return values[lane]; });
    machine.runClean();
    const Format &format = isBf16 ? formats::bf16 : formats::f16;
    for (unsigned lane = 0; lane < lanes; ++lane) {
      uint32_t now, expected = 0;
      memcpy(&now, (isLds ? machine.group->lds.data() : array->memory.data()) + 4 * lane,
             4);
      for (unsigned shift : {0u, 16u})
        expected |=
            uint32_t(fromDouble(format,
                                toDouble(format, memory[lane] >> shift & 0xffff) +
                                    toDouble(format, values[lane] >> shift & 0xffff),
                                Rounding::NearestEven))
            << shift;
      EXPECT_EQ(now, expected) << name;
    }
  }
}

TEST_P(Atomics, DoublesOfCdna) {
  if (!isCdna)
    return;
  for (std::string name : {"add_f64", "min_f64", "max_f64"}) {
    Machine machine(GetParam(),
                    "global_atomic_" + name + " v[8:9], v2, v[4:5], s[0:1]" + returns +
                        "\n" + waitAll,
                    lanes);
    std::vector<double> memory(64), values(64);
    for (unsigned i = 0; i < 64; ++i) {
      memory[i] = i * 1.25 - 7;
      values[i] = 3.5 - i / 3.0;
    }
    Allocation *array = machine.allocate(memory);
    machine.setScalar64(0, array->base);
    machine.set(2, [](unsigned lane) { return lane * 8; });
    std::vector<uint64_t> bits(64);
    memcpy(bits.data(), values.data(), 512);
    set(machine, 4, bits);
    machine.runClean();
    for (unsigned lane = 0; lane < lanes; ++lane) {
      double now, a = memory[lane], b = values[lane];
      memcpy(&now, array->memory.data() + 8 * lane, 8);
      EXPECT_EQ(now, name == "add_f64"   ? a + b
                     : name == "min_f64" ? std::fmin(a, b)
                                         : std::fmax(a, b));
      EXPECT_EQ(get(machine, 8, lane, 64), bitCast<uint64_t>(a));
    }
  }
}

TEST(AtomicsGfx1201, SubtractionsThatStopAtZero) {
  Machine machine("gfx1201",
                  "ds_sub_clamp_rtn_u32 v4, v2, v3\nds_cond_sub_rtn_u32 v5, v2, v3 "
                  "offset:128\ns_wait_dscnt 0x0",
                  32, 256);
  fillLds(machine, [](uint32_t at) { return uint8_t(at % 4 ? 0 : 10); });
  machine.set(2, [](unsigned lane) { return lane * 4; });
  machine.set(3, [](unsigned lane) { return lane; });
  machine.runClean();
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(machine.group->lds.data()[4 * lane], lane > 10 ? 0 : 10 - lane);
    EXPECT_EQ(machine.group->lds.data()[4 * lane + 128], lane > 10 ? 10 : 10 - lane);
    EXPECT_EQ(machine.get(4, lane), 10u);
    EXPECT_EQ(machine.get(5, lane), 10u);
  }
}

TEST_P(Atomics, AppendAndConsumeCountLanes) {
  Machine machine(GetParam(), "ds_append v4 offset:8\nds_consume v5 offset:8\n" + waitAll,
                  lanes, 64);
  fillLds(machine, [](uint32_t at) { return uint8_t(at == 24 ? 50 : 0); });
  machine.setScalar(M0, 16);
  machine.setExec(0xfff);
  machine.runClean();
  for (unsigned lane = 0; lane < 12; ++lane) {
    EXPECT_EQ(machine.get(4, lane), 50u);
    EXPECT_EQ(machine.get(5, lane), 62u);
  }
  EXPECT_EQ(machine.group->lds.data()[24], 50);
}

TEST_P(Atomics, UndefinedDataStaysUndefined) {
  Machine machine(GetParam(), "ds_add_rtn_u32 v4, v2, v3\n" + waitAll, lanes, 256);
  fillLds(machine, [](uint32_t) { return uint8_t(0); });
  machine.group->lds.shadow()[4 * 3 + 1] = NeverWritten;
  machine.set(2, [](unsigned lane) { return lane * 4; });
  machine.set(3, 1);
  machine.poison(3, 7, 0x1);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(4, 3), 0x2);
  EXPECT_EQ(machine.getPoison(4, 7), 0);
  for (unsigned byte = 0; byte < 4; ++byte) {
    EXPECT_EQ(machine.group->lds.shadow()[4 * 3 + byte], Undefined);
    EXPECT_EQ(machine.group->lds.shadow()[4 * 7 + byte], Undefined);
    EXPECT_EQ(machine.group->lds.shadow()[4 * 8 + byte], Sound);
  }
}

TEST_P(Atomics, MisalignedOperationsAreReported) {
  Machine machine(GetParam(), "ds_add_u32 v2, v3\n" + waitAll, lanes, 256);
  fillLds(machine, [](uint32_t) { return uint8_t(0); });
  machine.set(2, 2);
  machine.set(3, 1);
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Misaligned);
}

TEST_P(Atomics, AtomicOperationsOfTwoWavesDoNotRace) {
  for (bool isAtomic : {true, false}) {
    std::string store = isCdna ? "ds_write_b32 v2, v3\n" : "ds_store_b32 v2, v3\n";
    Machine machine(GetParam(), (isAtomic ? "ds_add_u32 v2, v3\n" : store) + waitAll,
                    2 * lanes, 256);
    fillLds(machine, [](uint32_t) { return uint8_t(0); });
    machine.set(2, 16);
    machine.set(3, [&](unsigned item) { return item / lanes + 1; });
    auto faults = machine.run();
    EXPECT_EQ(faults.empty(), isAtomic);
    if (isAtomic) {
      EXPECT_EQ(machine.group->lds.data()[16], uint8_t(3 * lanes));
    }
  }
}

/// A load before a loop of compare-and-swap is no race; one without the loop is.
TEST_P(Atomics, LoadsThatACompareSwapFollowsDoNotRace) {
  std::string load = isCdna ? "ds_read_b32 v4, v2\n" : "ds_load_b32 v4, v2\n";
  std::string swap =
      isCdna ? "ds_cmpst_b32 v2, v4, v5\n" : "ds_cmpstore_b32 v2, v5, v4\n";
  for (bool swaps : {true, false}) {
    Machine machine(GetParam(),
                    load + waitForLds(target) + (swaps ? swap : "ds_add_u32 v2, v5\n") +
                        waitAll,
                    2 * lanes, 256);
    fillLds(machine, [](uint32_t) { return uint8_t(0); });
    machine.set(2, 16);
    machine.set(5, 1);
    auto faults = machine.run();
    EXPECT_EQ(faults.empty(), swaps);
    for (const Fault &fault : faults)
      EXPECT_EQ(fault.rule, Rule::Race);
  }
}
