//===- MfmaTest.cpp - CDNA's matrix instructions ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every instruction of every GPU with random matrices, its operands put where the
// equations of AMD's matrix instruction calculator say.
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/MatrixHarness.h"

#include <algorithm>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
enum class Out { F32, I32, F64 };

struct Case {
  const char *gpu, *name;
  unsigned m, k, blocks;
  Kind a, b;
  Out out = Out::F32;
};

const Kind f32 = floats(formats::f32), f64 = floats(formats::f64),
           f16 = floats(formats::f16), bf16 = floats(formats::bf16),
           fp8 = floats(formats::e4m3), bf8 = floats(formats::e5m2),
           fp8z = floats(formats::e4m3fnuz), bf8z = floats(formats::e5m2fnuz),
           i8{nullptr, 8, true};

const Case cases[] = {
    {"gfx90a", "f32_32x32x1f32", 32, 1, 2, f32, f32},
    {"gfx90a", "f32_16x16x1f32", 16, 1, 4, f32, f32},
    {"gfx90a", "f32_4x4x1f32", 4, 1, 16, f32, f32},
    {"gfx90a", "f32_32x32x2f32", 32, 2, 1, f32, f32},
    {"gfx90a", "f32_16x16x4f32", 16, 4, 1, f32, f32},
    {"gfx90a", "f32_32x32x4f16", 32, 4, 2, f16, f16},
    {"gfx90a", "f32_16x16x4f16", 16, 4, 4, f16, f16},
    {"gfx90a", "f32_4x4x4f16", 4, 4, 16, f16, f16},
    {"gfx90a", "f32_32x32x8f16", 32, 8, 1, f16, f16},
    {"gfx90a", "f32_16x16x16f16", 16, 16, 1, f16, f16},
    {"gfx90a", "i32_32x32x4i8", 32, 4, 2, i8, i8, Out::I32},
    {"gfx90a", "i32_16x16x4i8", 16, 4, 4, i8, i8, Out::I32},
    {"gfx90a", "i32_4x4x4i8", 4, 4, 16, i8, i8, Out::I32},
    {"gfx90a", "i32_32x32x8i8", 32, 8, 1, i8, i8, Out::I32},
    {"gfx90a", "i32_16x16x16i8", 16, 16, 1, i8, i8, Out::I32},
    {"gfx90a", "f32_32x32x4bf16_1k", 32, 4, 2, bf16, bf16},
    {"gfx90a", "f32_16x16x4bf16_1k", 16, 4, 4, bf16, bf16},
    {"gfx90a", "f32_4x4x4bf16_1k", 4, 4, 16, bf16, bf16},
    {"gfx90a", "f32_32x32x8bf16_1k", 32, 8, 1, bf16, bf16},
    {"gfx90a", "f32_16x16x16bf16_1k", 16, 16, 1, bf16, bf16},
    {"gfx90a", "f32_32x32x2bf16", 32, 2, 2, bf16, bf16},
    {"gfx90a", "f32_16x16x2bf16", 16, 2, 4, bf16, bf16},
    {"gfx90a", "f32_4x4x2bf16", 4, 2, 16, bf16, bf16},
    {"gfx90a", "f32_32x32x4bf16", 32, 4, 1, bf16, bf16},
    {"gfx90a", "f32_16x16x8bf16", 16, 8, 1, bf16, bf16},
    {"gfx90a", "f64_16x16x4f64", 16, 4, 1, f64, f64, Out::F64},
    {"gfx90a", "f64_4x4x4f64", 4, 4, 4, f64, f64, Out::F64},

    {"gfx942", "f32_16x16x8_xf32", 16, 8, 1, f32, f32},
    {"gfx942", "f32_32x32x4_xf32", 32, 4, 1, f32, f32},
    {"gfx942", "f32_32x32x1_2b_f32", 32, 1, 2, f32, f32},
    {"gfx942", "f32_16x16x1_4b_f32", 16, 1, 4, f32, f32},
    {"gfx942", "f32_4x4x1_16b_f32", 4, 1, 16, f32, f32},
    {"gfx942", "f32_32x32x2_f32", 32, 2, 1, f32, f32},
    {"gfx942", "f32_16x16x4_f32", 16, 4, 1, f32, f32},
    {"gfx942", "f32_32x32x4_2b_f16", 32, 4, 2, f16, f16},
    {"gfx942", "f32_16x16x4_4b_f16", 16, 4, 4, f16, f16},
    {"gfx942", "f32_4x4x4_16b_f16", 4, 4, 16, f16, f16},
    {"gfx942", "f32_32x32x8_f16", 32, 8, 1, f16, f16},
    {"gfx942", "f32_16x16x16_f16", 16, 16, 1, f16, f16},
    {"gfx942", "f32_32x32x4_2b_bf16", 32, 4, 2, bf16, bf16},
    {"gfx942", "f32_16x16x4_4b_bf16", 16, 4, 4, bf16, bf16},
    {"gfx942", "f32_4x4x4_16b_bf16", 4, 4, 16, bf16, bf16},
    {"gfx942", "f32_32x32x8_bf16", 32, 8, 1, bf16, bf16},
    {"gfx942", "f32_16x16x16_bf16", 16, 16, 1, bf16, bf16},
    {"gfx942", "i32_32x32x4_2b_i8", 32, 4, 2, i8, i8, Out::I32},
    {"gfx942", "i32_16x16x4_4b_i8", 16, 4, 4, i8, i8, Out::I32},
    {"gfx942", "i32_4x4x4_16b_i8", 4, 4, 16, i8, i8, Out::I32},
    {"gfx942", "i32_32x32x16_i8", 32, 16, 1, i8, i8, Out::I32},
    {"gfx942", "i32_16x16x32_i8", 16, 32, 1, i8, i8, Out::I32},
    {"gfx942", "f64_16x16x4_f64", 16, 4, 1, f64, f64, Out::F64},
    {"gfx942", "f64_4x4x4_4b_f64", 4, 4, 4, f64, f64, Out::F64},
    {"gfx942", "f32_16x16x32_bf8_bf8", 16, 32, 1, bf8z, bf8z},
    {"gfx942", "f32_16x16x32_bf8_fp8", 16, 32, 1, bf8z, fp8z},
    {"gfx942", "f32_16x16x32_fp8_bf8", 16, 32, 1, fp8z, bf8z},
    {"gfx942", "f32_16x16x32_fp8_fp8", 16, 32, 1, fp8z, fp8z},
    {"gfx942", "f32_32x32x16_bf8_bf8", 32, 16, 1, bf8z, bf8z},
    {"gfx942", "f32_32x32x16_bf8_fp8", 32, 16, 1, bf8z, fp8z},
    {"gfx942", "f32_32x32x16_fp8_bf8", 32, 16, 1, fp8z, bf8z},
    {"gfx942", "f32_32x32x16_fp8_fp8", 32, 16, 1, fp8z, fp8z},

    {"gfx950", "f32_32x32x1_2b_f32", 32, 1, 2, f32, f32},
    {"gfx950", "f32_16x16x1_4b_f32", 16, 1, 4, f32, f32},
    {"gfx950", "f32_4x4x1_16b_f32", 4, 1, 16, f32, f32},
    {"gfx950", "f32_32x32x2_f32", 32, 2, 1, f32, f32},
    {"gfx950", "f32_16x16x4_f32", 16, 4, 1, f32, f32},
    {"gfx950", "f32_32x32x4_2b_f16", 32, 4, 2, f16, f16},
    {"gfx950", "f32_16x16x4_4b_f16", 16, 4, 4, f16, f16},
    {"gfx950", "f32_4x4x4_16b_f16", 4, 4, 16, f16, f16},
    {"gfx950", "f32_32x32x8_f16", 32, 8, 1, f16, f16},
    {"gfx950", "f32_16x16x16_f16", 16, 16, 1, f16, f16},
    {"gfx950", "f32_32x32x4_2b_bf16", 32, 4, 2, bf16, bf16},
    {"gfx950", "f32_16x16x4_4b_bf16", 16, 4, 4, bf16, bf16},
    {"gfx950", "f32_4x4x4_16b_bf16", 4, 4, 16, bf16, bf16},
    {"gfx950", "f32_32x32x8_bf16", 32, 8, 1, bf16, bf16},
    {"gfx950", "f32_16x16x16_bf16", 16, 16, 1, bf16, bf16},
    {"gfx950", "i32_32x32x4_2b_i8", 32, 4, 2, i8, i8, Out::I32},
    {"gfx950", "i32_16x16x4_4b_i8", 16, 4, 4, i8, i8, Out::I32},
    {"gfx950", "i32_4x4x4_16b_i8", 4, 4, 16, i8, i8, Out::I32},
    {"gfx950", "i32_32x32x16_i8", 32, 16, 1, i8, i8, Out::I32},
    {"gfx950", "i32_16x16x32_i8", 16, 32, 1, i8, i8, Out::I32},
    {"gfx950", "f64_16x16x4_f64", 16, 4, 1, f64, f64, Out::F64},
    {"gfx950", "f64_4x4x4_4b_f64", 4, 4, 4, f64, f64, Out::F64},
    {"gfx950", "f32_16x16x32_bf8_bf8", 16, 32, 1, bf8, bf8},
    {"gfx950", "f32_16x16x32_bf8_fp8", 16, 32, 1, bf8, fp8},
    {"gfx950", "f32_16x16x32_fp8_bf8", 16, 32, 1, fp8, bf8},
    {"gfx950", "f32_16x16x32_fp8_fp8", 16, 32, 1, fp8, fp8},
    {"gfx950", "f32_32x32x16_bf8_bf8", 32, 16, 1, bf8, bf8},
    {"gfx950", "f32_32x32x16_bf8_fp8", 32, 16, 1, bf8, fp8},
    {"gfx950", "f32_32x32x16_fp8_bf8", 32, 16, 1, fp8, bf8},
    {"gfx950", "f32_32x32x16_fp8_fp8", 32, 16, 1, fp8, fp8},
    {"gfx950", "f32_16x16x32_f16", 16, 32, 1, f16, f16},
    {"gfx950", "f32_32x32x16_f16", 32, 16, 1, f16, f16},
    {"gfx950", "f32_16x16x32_bf16", 16, 32, 1, bf16, bf16},
    {"gfx950", "f32_32x32x16_bf16", 32, 16, 1, bf16, bf16},
    {"gfx950", "i32_16x16x64_i8", 16, 64, 1, i8, i8, Out::I32},
    {"gfx950", "i32_32x32x32_i8", 32, 32, 1, i8, i8, Out::I32},
};

/// Registers of the tests' operands.
constexpr unsigned aReg = 64, bReg = 80, cReg = 96, dReg = 0;

/// What cbsz, abid, blgp and neg do.
struct Modifiers {
  unsigned cbsz = 0, abid = 0, blgp = 0;
  bool negate[3] = {false, false, false};
  std::string text() const {
    std::string text;
    if (cbsz)
      text += " cbsz:" + std::to_string(cbsz) + " abid:" + std::to_string(abid);
    if (blgp)
      text += " blgp:" + std::to_string(blgp);
    if (negate[0] || negate[1] || negate[2])
      text += std::string(" neg:[") + (negate[0] ? "1," : "0,") +
              (negate[1] ? "1," : "0,") + (negate[2] ? "1]" : "0]");
    return text;
  }
};

std::string range(const char *kind, unsigned first, unsigned count) {
  std::string low = std::to_string(first);
  return count == 1 ? kind + low
                    : std::string(kind) + "[" + low + ":" +
                          std::to_string(first + count - 1) + "]";
}

/// Where element (row or column, k) of a block lies.
Spot inputSpot(const Case &test, const Kind &kind, unsigned block, unsigned i,
               unsigned k) {
  unsigned perLane = test.m * test.k * test.blocks / 64;
  return {i + test.m * block + test.m * test.blocks * (k / perLane),
          k % perLane * kind.bits};
}

/// The calculator's equations of each shape.
Spot outputSpot(const Case &test, unsigned block, unsigned i, unsigned j) {
  if (test.out == Out::F64)
    return test.m == 16 ? Spot{16 * (i % 4) + j, i / 4 * 64}
                        : Spot{16 * i + 4 * block + j, 0};
  if (test.m == 4)
    return {4 * block + j, 32 * i};
  if (test.m == 16)
    return {16 * (i / 4) + j, 32 * (4 * block + i % 4)};
  return {32 * (i / 4 % 2) + j, 32 * (16 * block + 4 * (i / 8) + i % 4)};
}

unsigned laneOfB(unsigned blgp, unsigned lane) {
  const unsigned quarters[8][4] = {{0, 1, 2, 3}, {0, 1, 0, 1}, {2, 3, 2, 3},
                                   {1, 2, 3, 0}, {0, 0, 0, 0}, {1, 1, 1, 1},
                                   {2, 2, 2, 2}, {3, 3, 3, 3}};
  return quarters[blgp][lane / 16] * 16 + lane % 16;
}

Kind outKind(Out out) {
  return out == Out::F64 ? f64 : out == Out::F32 ? f32 : Kind{nullptr, 32, true};
}

/// An f32 rounded to 11 bits.
double toXf32(double value) {
  int exponent;
  double fraction = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
}

struct Operands {
  unsigned aCount, bCount, cCount;
  explicit Operands(const Case &test)
      : aCount(test.m * test.k * test.blocks / 64 * test.a.bits / 32),
        bCount(test.m * test.k * test.blocks / 64 * test.b.bits / 32),
        cCount(test.m * test.m * test.blocks / 64 * outKind(test.out).bits / 32) {}
};

/// Random operands, a run, and each element against a sum in double. `addend` stands in
/// place of C where it is not empty, with the value `constant`.
void check(const Case &test, const Modifiers &modifiers = {},
           const char *resultKind = "v", const char *aKind = "v", std::string addend = "",
           double constant = 0, uint64_t exec = ~uint64_t(0)) {
  std::mt19937 generator(test.m * 1000 + test.k);
  Operands operands(test);
  Image a, b, c, d;
  for (Image *image : {&a, &b})
    for (auto &word : image->words)
      for (uint32_t &lane : word)
        lane = 0;
  const Kind result = outKind(test.out);
  for (unsigned block = 0; block < test.blocks; ++block)
    for (unsigned i = 0; i < test.m; ++i) {
      for (unsigned k = 0; k < test.k; ++k) {
        a.put(inputSpot(test, test.a, block, i, k), test.a.bits,
              test.a.random(generator));
        b.put(inputSpot(test, test.b, block, i, k), test.b.bits,
              test.b.random(generator));
      }
      for (unsigned j = 0; j < test.m; ++j)
        c.put(outputSpot(test, block, i, j), result.bits, result.random(generator));
    }
  bool isAgpr = resultKind[0] == 'a';
  std::string text =
      std::string("v_mfma_") + test.name + " " +
      range(resultKind, dReg, operands.cCount) + ", " +
      range(aKind, aReg, operands.aCount) + ", " + range("v", bReg, operands.bCount) +
      ", " + (addend.empty() ? range(resultKind, cReg, operands.cCount) : addend) +
      modifiers.text();
  SCOPED_TRACE(std::string(test.gpu) + " " + text);
  Machine machine(test.gpu, text);
  a.load(machine, aReg + (aKind[0] == 'a' ? Agpr0 : 0), operands.aCount);
  b.load(machine, bReg, operands.bCount);
  c.load(machine, cReg + (isAgpr ? Agpr0 : 0), operands.cCount);
  machine.setExec(exec);
  machine.runClean();
  d.store(machine, dReg + (isAgpr ? Agpr0 : 0), operands.cCount);
  bool isXf32 = std::string(test.name).find("xf32") != std::string::npos;
  unsigned wrong = 0;
  for (unsigned block = 0; block < test.blocks; ++block)
    for (unsigned i = 0; i < test.m; ++i)
      for (unsigned j = 0; j < test.m; ++j) {
        Spot at = outputSpot(test, block, i, j);
        double sum = addend.empty() ? result.decode(c.get(at, result.bits)) : constant;
        sum = modifiers.negate[2] ? -sum : sum;
        double size = std::fabs(sum);
        unsigned first = block >> modifiers.cbsz << modifiers.cbsz;
        for (unsigned k = 0; k < test.k; ++k) {
          Spot fromA = inputSpot(test, test.a, first + modifiers.abid, i, k);
          Spot fromB = inputSpot(test, test.b, block, j, k);
          fromB.lane = laneOfB(modifiers.blgp, fromB.lane);
          double x = test.a.decode(a.get(fromA, test.a.bits));
          double y = test.b.decode(b.get(fromB, test.b.bits));
          if (isXf32)
            x = toXf32(x), y = toXf32(y);
          double product = x * y * (modifiers.negate[0] != modifiers.negate[1] ? -1 : 1);
          sum += product;
          size += std::fabs(product);
        }
        uint64_t bits = d.get(at, result.bits);
        if (test.out == Out::I32)
          wrong += uint32_t(bits) != uint32_t(int64_t(sum));
        else if (test.out == Out::F64)
          wrong += result.decode(bits) != sum;
        else
          wrong += !isNear(result.decode(bits), sum, size, test.k, 24);
        ASSERT_EQ(machine.getPoison(uint16_t(dReg + (isAgpr ? Agpr0 : 0) + at.bit / 32),
                                    at.lane),
                  0);
      }
  EXPECT_EQ(wrong, 0u) << "elements of " << test.m * test.m * test.blocks;
  EXPECT_EQ(machine.group->statistics.multiplyAdds,
            uint64_t(test.m) * test.m * test.k * test.blocks);
}

class Mfma : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Every, Mfma, testing::ValuesIn(cases), [](const auto &info) {
  return std::string(info.param.gpu) + "_" + info.param.name;
});
} // namespace

TEST_P(Mfma, HasItsElementsWhereTheTablesSay) { check(GetParam()); }

TEST_P(Mfma, TakesAccumulationRegistersAndConstants) {
  const Case &test = GetParam();
  check(test, {}, "a");
  check(test, {}, "v", "a");
  check(test, {}, "v", "v", "0", 0);
  if (test.out == Out::I32)
    check(test, {}, "v", "v", "-5", -5);
  else
    check(test, {}, "a", "a", "1.0", 1);
}

TEST_P(Mfma, TakesNoNoticeOfExec) { check(GetParam(), {}, "v", "v", "", 0, 0xff00); }

TEST_P(Mfma, BroadcastsBlocksOfA) {
  const Case &test = GetParam();
  for (unsigned cbsz = 1; (1u << cbsz) <= test.blocks && test.out != Out::F64; ++cbsz)
    for (unsigned abid = 0; abid < 1u << cbsz; abid += cbsz)
      check(test, {cbsz, abid, 0});
}

TEST_P(Mfma, ReadsLanesOfBInPatterns) {
  const Case &test = GetParam();
  bool isNew = test.a.bits == 8 && test.a.format;
  isNew |= std::string(test.name).find("xf32") != std::string::npos;
  if (test.out != Out::F64 && !isNew)
    for (unsigned blgp = 1; blgp < 8; ++blgp)
      check(test, {0, 0, blgp});
}

TEST(MfmaF64, NegatesOperands) {
  for (const Case &test : cases)
    if (test.out == Out::F64 && std::string(test.gpu) != "gfx90a") {
      check(test, {0, 0, 0, {true, false, false}});
      check(test, {0, 0, 0, {false, true, false}});
      check(test, {0, 0, 0, {true, false, true}});
    }
}

TEST(MfmaPoison, SpreadsToItsRowAndItsColumn) {
  // D[i][j] of 32x32x8: an undefined half of A's row 5, of B's column 9, and C[2][3].
  const Case *test =
      std::find_if(std::begin(cases), std::end(cases), [](const Case &one) {
        return std::string(one.name) == "f32_32x32x8_f16";
      });
  Machine machine("gfx942",
                  "v_mfma_f32_32x32x8_f16 v[0:15], v[64:65], v[80:81], v[96:111]");
  for (unsigned reg : {64, 65, 80, 81})
    machine.set(uint16_t(reg), 0x3c003c00);
  for (unsigned reg = 96; reg < 112; ++reg)
    machine.set(uint16_t(reg), 0);
  machine.poison(65, 32 + 5, 0xc);
  machine.poison(80, 9, 0x1);
  Spot c = outputSpot(*test, 0, 2, 3);
  machine.poison(uint16_t(96 + c.bit / 32), c.lane, 0x8);
  machine.runClean();
  for (unsigned i = 0; i < 32; ++i)
    for (unsigned j = 0; j < 32; ++j) {
      Spot at = outputSpot(*test, 0, i, j);
      bool isUndefined = i == 5 || j == 9 || (i == 2 && j == 3);
      ASSERT_EQ(machine.getPoison(uint16_t(at.bit / 32), at.lane), isUndefined ? 0xf : 0)
          << i << " " << j;
    }
}

TEST(MfmaPoison, LanesThatAreNotThereAreUndefined) {
  Machine machine("gfx942", "v_mfma_f32_32x32x1_2b_f32 v[0:31], v64, v80, 0", 32);
  machine.set(64, 1);
  machine.set(80, 1);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(0, 3), 0);    // block 0
  EXPECT_EQ(machine.getPoison(16, 3), 0xf); // block 1, of lanes 32 to 63
}

TEST(MfmaSubnormals, AreZeroOnGfx90aAlone) {
  for (const char *gpu : {"gfx90a", "gfx942"}) {
    bool isOld = gpu[4] == '0';
    std::string name = isOld ? "v_mfma_f32_16x16x16f16" : "v_mfma_f32_16x16x16_f16";
    Machine machine(gpu, name + " v[0:3], v[64:65], v[80:81], 0\n" + name +
                             " v[4:7], v[66:67], v[80:81], v[96:99]");
    machine.set(64, 0x00000001); // the least f16
    machine.set(65, 0);
    machine.set(66, 0);
    machine.set(67, 0);
    machine.set(80, 0x3c003c00);
    machine.set(81, 0x3c003c00);
    for (unsigned reg = 96; reg < 100; ++reg)
      machine.set(uint16_t(reg), 0x1000); // a subnormal f32
    machine.runClean();
    // Four lanes have one each.
    EXPECT_EQ(machine.get(0, 0), isOld ? 0u : bitCast<uint32_t>(0x1p-22f));
    EXPECT_EQ(machine.get(4, 0), isOld ? 0u : 0x1000u);
  }
}

TEST(MfmaRefused, WhatIsNotModelled) {
  for (const char *text :
       {"v_mfma_f32_16x16x8_xf32 v[0:3], v[2:3], v[4:5], v[0:3] blgp:1",
        "v_mfma_f32_16x16x4_f32 v[0:3], v2, v4, v[0:3] cbsz:1"}) {
    Machine machine("gfx942", text);
    auto faults = machine.run();
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0].rule, Rule::Unsupported);
  }
}
