//===- WmmaTest.cpp - RDNA's matrix instructions ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// gfx11: lanes l and l + 16 hold row l of A (column l of B) whole; register r of lane l
// holds D[2 r + l / 16][l % 16]. gfx12: lane l holds half of the row, from k = l / 16 *
// K / 2; element r of lane l is D[r + l / 16 * 8][l % 16], two of them in a register
// where they have sixteen bits.
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/MatrixHarness.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
const Kind f32 = floats(formats::f32), f16 = floats(formats::f16),
           bf16 = floats(formats::bf16), fp8 = floats(formats::e4m3),
           bf8 = floats(formats::e5m2), i8{nullptr, 8, false}, i4{nullptr, 4, false},
           i32{nullptr, 32, true};

struct Case {
  const char *gpu, *name;
  unsigned k;
  Kind a, b, out;
};
const Case cases[] = {
    {"gfx1100", "f32_16x16x16_f16", 16, f16, f16, f32},
    {"gfx1100", "f32_16x16x16_bf16", 16, bf16, bf16, f32},
    {"gfx1100", "f16_16x16x16_f16", 16, f16, f16, f16},
    {"gfx1100", "bf16_16x16x16_bf16", 16, bf16, bf16, bf16},
    {"gfx1100", "i32_16x16x16_iu8", 16, i8, i8, i32},
    {"gfx1100", "i32_16x16x16_iu4", 16, i4, i4, i32},
    {"gfx1201", "f32_16x16x16_f16", 16, f16, f16, f32},
    {"gfx1201", "f32_16x16x16_bf16", 16, bf16, bf16, f32},
    {"gfx1201", "f16_16x16x16_f16", 16, f16, f16, f16},
    {"gfx1201", "bf16_16x16x16_bf16", 16, bf16, bf16, bf16},
    {"gfx1201", "i32_16x16x16_iu8", 16, i8, i8, i32},
    {"gfx1201", "i32_16x16x16_iu4", 16, i4, i4, i32},
    {"gfx1201", "i32_16x16x32_iu4", 32, i4, i4, i32},
    {"gfx1201", "f32_16x16x16_fp8_fp8", 16, fp8, fp8, f32},
    {"gfx1201", "f32_16x16x16_fp8_bf8", 16, fp8, bf8, f32},
    {"gfx1201", "f32_16x16x16_bf8_fp8", 16, bf8, fp8, f32},
    {"gfx1201", "f32_16x16x16_bf8_bf8", 16, bf8, bf8, f32},
};

struct Modifiers {
  std::string text;
  bool low[3] = {}, high[3] = {}; ///< neg_lo and neg_hi
  bool isHigh = false;            ///< op_sel of C and D
  bool clamps = false;
};

std::string registers(unsigned first, unsigned count) {
  std::string low = std::to_string(first);
  return count == 1 ? "v" + low
                    : "v[" + low + ":" + std::to_string(first + count - 1) + "]";
}

void check(const Case &test, const Modifiers &modifiers = {}) {
  bool isOld = std::string(test.gpu) == "gfx1100";
  std::mt19937 generator(test.k + test.a.bits);
  unsigned perLane = isOld ? test.k : test.k / 2;
  unsigned count = perLane * test.a.bits / 32, outBits = test.out.bits;
  bool isHalf = outBits == 16;
  unsigned outCount = isHalf && !isOld ? 4 : 8;
  Image imageA, imageB, c, d;
  double a[16][32], b[16][32];
  Kind kindA = test.a, kindB = test.b;
  if (!test.a.format) {
    kindA.isSigned = modifiers.low[0];
    kindB.isSigned = modifiers.low[1];
  }
  auto fill = [&](const Kind &kind, Image &image, double (*values)[32], unsigned which) {
    for (unsigned i = 0; i < 16; ++i)
      for (unsigned k = 0; k < test.k; ++k) {
        uint64_t bits = kind.random(generator);
        image.put({i + k / perLane * 16, k % perLane * kind.bits}, kind.bits, bits);
        if (isOld)
          image.put({i + 16, k * kind.bits}, kind.bits, bits);
        values[i][k] = kind.decode(bits);
        if (kind.format && (k % 2 ? modifiers.high : modifiers.low)[which])
          values[i][k] = -values[i][k];
      }
  };
  fill(kindA, imageA, a, 0);
  fill(kindB, imageB, b, 1);
  auto spot = [&](unsigned i, unsigned j) {
    if (isOld)
      return Spot{i % 2 * 16 + j, i / 2 * 32 + (isHalf && modifiers.isHigh ? 16 : 0)};
    return Spot{i / 8 * 16 + j, i % 8 * outBits};
  };
  for (auto &word : c.words)
    for (uint32_t &lane : word)
      lane = 0x55555555;
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 16; ++j) {
      uint64_t bits = test.out.random(generator);
      if (modifiers.clamps) // some at the ends of the range
        bits = generator() % 2 ? (j % 2 ? 0x7ffffff0 : 0x80000010) : bits;
      c.put(spot(i, j), outBits, bits);
    }
  std::string text = std::string("v_wmma_") + test.name + " " + registers(0, outCount) +
                     ", " + registers(64, count) + ", " + registers(80, count) + ", " +
                     registers(96, outCount) + modifiers.text;
  SCOPED_TRACE(std::string(test.gpu) + " " + text);
  Machine machine(test.gpu, text, 32);
  imageA.load(machine, 64, count);
  imageB.load(machine, 80, count);
  c.load(machine, 96, outCount);
  for (unsigned i = 0; i < outCount; ++i)
    machine.set(uint16_t(i), 0x12345678);
  machine.runClean();
  d.store(machine, 0, outCount);
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 16; ++j) {
      double sum = test.out.decode(c.get(spot(i, j), outBits));
      if (test.out.format && modifiers.high[2])
        sum = std::fabs(sum);
      if (test.out.format && modifiers.low[2])
        sum = -sum;
      double size = std::fabs(sum);
      for (unsigned k = 0; k < test.k; ++k) {
        sum += a[i][k] * b[j][k];
        size += std::fabs(a[i][k] * b[j][k]);
      }
      uint64_t got = d.get(spot(i, j), outBits);
      if (!test.out.format) {
        if (modifiers.clamps)
          sum = std::min(std::max(sum, -2147483648.0), 2147483647.0);
        ASSERT_EQ(uint32_t(got), uint32_t(int64_t(sum))) << i << ", " << j;
      } else if (isHalf) {
        // One rounding to sixteen bits, after those of f32.
        double unit =
            std::fabs(sum) * (test.out.format == &formats::f16 ? 0x1p-11 : 0x1p-8);
        ASSERT_NEAR(test.out.decode(got), sum, unit + size * 0x1p-19);
      } else {
        ASSERT_TRUE(isNear(test.out.decode(got), sum, size, test.k, 24))
            << i << ", " << j;
      }
    }
  // The other half stays.
  for (unsigned i = 0; i < (isHalf && isOld ? 8u : 0u); ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      ASSERT_EQ(d.get({lane, 32 * i + (modifiers.isHigh ? 0u : 16u)}, 16),
                modifiers.isHigh ? 0x5678u : 0x1234u);
}

class Wmma : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Every, Wmma, testing::ValuesIn(cases), [](const auto &info) {
  return std::string(info.param.gpu) + "_" + info.param.name;
});
} // namespace

TEST_P(Wmma, HasItsElementsWhereTheTablesSay) { check(GetParam()); }

TEST_P(Wmma, Modifiers) {
  const Case &test = GetParam();
  if (!test.a.format) {
    check(test, {" neg_lo:[1,0,0]", {true, false, false}});
    check(test, {" neg_lo:[0,1,0]", {false, true, false}});
    check(test, {" neg_lo:[1,1,0] clamp", {true, true, false}, {}, false, true});
    return;
  }
  if (test.out.bits == 16 && std::string(test.gpu) == "gfx1100")
    check(test, {" op_sel:[0,0,1]", {}, {}, true});
  if (test.a.bits != 16 || std::string(test.name).substr(0, 4) == "bf16")
    return;
  if (test.out.bits == 32 || std::string(test.gpu) != "gfx1100") {
    check(test, {" neg_lo:[0,0,1]", {false, false, true}});
    check(test,
          {" neg_lo:[0,0,1] neg_hi:[0,0,1]", {false, false, true}, {false, false, true}});
    check(test,
          {" neg_lo:[1,0,0] neg_hi:[0,1,0]", {true, false, false}, {false, true, false}});
  }
}

TEST(WmmaConstants, StandForC) {
  for (const char *gpu : {"gfx1100", "gfx1201"}) {
    bool isOld = std::string(gpu) == "gfx1100";
    std::string a = isOld ? "v[64:71]" : "v[64:67]", b = isOld ? "v[80:87]" : "v[80:83]";
    Machine machine(gpu, "v_wmma_f32_16x16x16_f16 v[0:7], " + a + ", " + b + ", 1.0", 32);
    for (unsigned i = 0; i < 8; ++i) {
      machine.set(uint16_t(64 + i), 0x3c003c00);
      machine.set(uint16_t(80 + i), 0x40004000);
    }
    machine.runClean();
    EXPECT_EQ(machine.get(3, 20), bitCast<uint32_t>(33.0f));
  }
}

TEST(WmmaPoison, SpreadsToItsRowAndItsColumn) {
  Machine machine("gfx1201",
                  "v_wmma_f16_16x16x16_f16 v[0:3], v[64:67], v[80:83], v[96:99]", 32);
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned reg : {64, 80, 96})
      machine.set(uint16_t(reg + i), 0);
  machine.poison(66, 16 + 11, 0x2); // A, row 11
  machine.poison(80, 4, 0x1);       // B, column 4
  machine.poison(97, 7, 0x4);       // C[3][7]
  machine.runClean();
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 16; ++j) {
      bool isUndefined = i == 11 || j == 4 || (i == 3 && j == 7);
      unsigned state = machine.getPoison(uint16_t(i % 8 / 2), i / 8 * 16 + j);
      ASSERT_EQ(state >> (i % 2 * 2) & 3, isUndefined ? 3u : 0u) << i << ", " << j;
    }
}

TEST(WmmaTwofold, HalfWavesThatDifferAreReported) {
  Machine machine("gfx1100", "v_wmma_f32_16x16x16_f16 v[0:7], v[64:71], v[80:87], 0", 32);
  for (unsigned i = 0; i < 8; ++i) {
    machine.set(uint16_t(64 + i), 0);
    machine.set(uint16_t(80 + i), [&](unsigned lane) { return lane == 19 && i == 2; });
  }
  auto faults = machine.run();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].rule, Rule::Convergence);
  EXPECT_NE(faults[0].message.find("lanes 3 and 19 differ in register 2 of B"),
            std::string::npos);
}
