//===- IntegerHalfTest.cpp - Integers of sixteen bits -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Samples.h"

#include <algorithm>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;

namespace {
using U16 = uint16_t;
using I16 = int16_t;
using U32 = uint32_t;

/// Of v0, v1, v2 into v10, which holds 0xa5a5a5a5: `expected` gives sixteen bits of
/// halves.
struct Case {
  const char *cdna, *rdna;
  unsigned sources;
  U16 (*expected)(U16 a, U16 b, U16 c);
  bool zeroes; ///< gfx9 zeroes the upper half
};
U16 clampTo(int v, int low, int high) { return U16(std::clamp(v, low, high)); }
const Case cases[] = {
    {"v_add_u16", "v_add_nc_u16", 2, [](U16 a, U16 b, U16) { return U16(a + b); }, true},
    {"v_sub_u16", "v_sub_nc_u16", 2, [](U16 a, U16 b, U16) { return U16(a - b); }, true},
    {"v_subrev_u16", "", 2, [](U16 a, U16 b, U16) { return U16(b - a); }, true},
    {"v_add_i16", "v_add_nc_i16", 2, [](U16 a, U16 b, U16) { return U16(a + b); }, false},
    {"v_sub_i16", "v_sub_nc_i16", 2, [](U16 a, U16 b, U16) { return U16(a - b); }, false},
    {"v_mul_lo_u16", "v_mul_lo_u16", 2, [](U16 a, U16 b, U16) { return U16(U32(a) * b); },
     true},
    {"v_lshlrev_b16", "v_lshlrev_b16", 2,
     [](U16 a, U16 b, U16) { return U16(b << a % 16); }, true},
    {"v_lshrrev_b16", "v_lshrrev_b16", 2,
     [](U16 a, U16 b, U16) { return U16(b >> a % 16); }, true},
    {"v_ashrrev_i16", "v_ashrrev_i16", 2,
     [](U16 a, U16 b, U16) { return U16(I16(b) >> a % 16); }, true},
    {"v_min_u16", "v_min_u16", 2, [](U16 a, U16 b, U16) { return std::min(a, b); }, true},
    {"v_max_u16", "v_max_u16", 2, [](U16 a, U16 b, U16) { return std::max(a, b); }, true},
    {"v_min_i16", "v_min_i16", 2,
     [](U16 a, U16 b, U16) { return U16(std::min(I16(a), I16(b))); }, true},
    {"v_max_i16", "v_max_i16", 2,
     [](U16 a, U16 b, U16) { return U16(std::max(I16(a), I16(b))); }, true},
    {"v_max3_i16", "v_max3_i16", 3,
     [](U16 a, U16 b, U16 c) { return U16(std::max({I16(a), I16(b), I16(c)})); }, false},
    {"v_min3_u16", "v_min3_u16", 3,
     [](U16 a, U16 b, U16 c) { return std::min({a, b, c}); }, false},
    {"v_med3_u16", "v_med3_u16", 3,
     [](U16 a, U16 b, U16 c) {
       U16 v[] = {a, b, c};
       std::sort(v, v + 3);
       return v[1];
     },
     false},
    {"v_mad_u16", "v_mad_u16", 3, [](U16 a, U16 b, U16 c) { return U16(U32(a) * b + c); },
     false},
    {"", "v_and_b16", 2, [](U16 a, U16 b, U16) { return U16(a & b); }, false},
    {"", "v_or_b16", 2, [](U16 a, U16 b, U16) { return U16(a | b); }, false},
    {"", "v_xor_b16", 2, [](U16 a, U16 b, U16) { return U16(a ^ b); }, false},
};

/// " v10.h, v0.l, v1.h" on gfx11, which has names for halves; elsewhere op_sel says it.
std::string operands(const char *target, unsigned reg, unsigned sources, unsigned high) {
  const bool named = std::string(target) == "gfx1100";
  std::string text, select;
  for (unsigned i = 0; i <= sources; ++i) {
    unsigned bit = i ? i - 1 : sources; // the destination's is the last of op_sel
    text += (i ? ", v" : " v") + std::to_string(i ? i - 1 : reg);
    if (named)
      text += high >> bit & 1 ? ".h" : ".l";
  }
  for (unsigned i = 0; i <= sources; ++i)
    select += (i ? "," : " op_sel:[") + std::to_string(high >> i & 1);
  return named || !high ? text : text + select + "]";
}
} // namespace

TEST(IntegerHalf, Operations) {
  struct Run {
    const Case *one;
    unsigned high;
    uint16_t reg;
    std::string text;
  };
  for (const char *target : everyTarget) {
    const bool cdna = isCdna(target), named = std::string(target) == "gfx1100";
    std::vector<Run> runs;
    std::string text;
    for (const Case &one : cases) {
      std::string name = cdna ? one.cdna : one.rdna;
      if (name.empty())
        continue;
      // Of gfx12 these are written with op_sel where the encoding is VOP3 alone.
      const bool selects = named || (*one.cdna && !one.zeroes) ||
                           (!cdna && name.find("_nc_") != std::string::npos);
      for (unsigned high : {0u, 1u, 2u, 1u << one.sources, 3u | 1u << one.sources}) {
        if (high && !selects)
          continue;
        uint16_t reg = uint16_t(10 + runs.size());
        runs.push_back(
            {&one, high, reg, name + operands(target, reg, one.sources, high)});
        text += runs.back().text + "\n";
      }
    }
    ASSERT_LE(runs.size(), 110u);
    auto machine = runSamples(target, text);
    for (const Run &run : runs)
      for (unsigned item = 0; item < sampleCount; ++item) {
        auto half = [&](unsigned i) {
          return U16(sample(i, item) >> (run.high >> i & 1 ? 16 : 0));
        };
        U32 value = run.one->expected(half(0), half(1), half(2));
        U32 expected = run.high >> run.one->sources & 1 ? value << 16 | 0xa5a5
                       : cdna && run.one->zeroes        ? value
                                                        : value | 0xa5a50000;
        ASSERT_EQ(resultOf(*machine, run.reg, item), expected)
            << target << " " << run.text;
      }
  }
}

TEST(IntegerHalf, ClampGivesTheNearest) {
  for (const char *target : everyTarget) {
    const bool cdna = isCdna(target), named = std::string(target) == "gfx1100";
    std::string regs = named ? " v10.l, v0.l, v1.l clamp\n" : " v10, v0, v1 clamp\n";
    auto machine = runSamples(target, (cdna ? "v_add_u16" : "v_add_nc_u16") + regs);
    auto signedMachine = runSamples(target, (cdna ? "v_sub_i16" : "v_sub_nc_i16") + regs);
    for (unsigned item = 0; item < sampleCount; ++item) {
      U32 a = sample(0, item), b = sample(1, item);
      ASSERT_EQ(U16(resultOf(*machine, 10, item)), clampTo(U16(a) + U16(b), 0, 65535));
      ASSERT_EQ(U16(resultOf(*signedMachine, 10, item)),
                clampTo(I16(a) - I16(b), -32768, 32767));
    }
  }
}

TEST(IntegerHalf, WideProducts) {
  for (const char *target : everyTarget) {
    const bool named = std::string(target) == "gfx1100";
    auto machine =
        runSamples(target, named ? "v_mad_i32_i16 v10, v0.h, v1.l, v2"
                                 : "v_mad_i32_i16 v10, v0, v1, v2 op_sel:[1,0,0,0]");
    for (unsigned item = 0; item < sampleCount; ++item)
      ASSERT_EQ(resultOf(*machine, 10, item),
                U32(I16(sample(0, item) >> 16) * I16(sample(1, item))) + sample(2, item));
  }
}

TEST(IntegerHalf, UnariesOfAllValues) {
  // 64 registers of 1024 items: all of 65536.
  std::string text;
  for (unsigned i = 0; i < 64; ++i)
    text += "v_cvt_i32_i16 v" + std::to_string(64 + i) + ", v" + std::to_string(i) +
            ".l\n" + "v_not_b16 v" + std::to_string(i) + ".h, v" + std::to_string(i) +
            ".l\n";
  Machine machine("gfx1100", text, 1024);
  for (uint16_t i = 0; i < 64; ++i)
    machine.set(i, [i](unsigned item) { return i * 1024u + item; });
  machine.runClean();
  for (unsigned value = 0; value < 65536; ++value) {
    unsigned reg = value / 1024, item = value % 1024;
    ASSERT_EQ(machine.get(U16(64 + reg), item % 32, item / 32), U32(int32_t(I16(value))));
    ASSERT_EQ(machine.get(U16(reg), item % 32, item / 32),
              (~value & 0xffff) << 16 | value);
  }
}

TEST(IntegerHalf, HalvesKeepTheirUndefinedBytes) {
  Machine machine("gfx1100", "v_mov_b16 v1.h, v0.l\nv_mov_b16 v2.l, v0.h\n"
                             "v_swap_b16 v3.l, v0.h");
  for (uint16_t i = 0; i < 4; ++i)
    machine.set(i, i * 0x11112222u);
  machine.poison(0, 5, 0x6);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(1, 5), 0x8);
  EXPECT_EQ(machine.getPoison(2, 5), 0x1);
  EXPECT_EQ(machine.getPoison(3, 5), 0x1);
  EXPECT_EQ(machine.getPoison(0, 5), 0x2);
  EXPECT_EQ(machine.get(0, 4), 0x66660000u);
  EXPECT_EQ(machine.get(3, 4), 0x33330000u);
}
