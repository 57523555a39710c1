//===- MfmaMixedTest.cpp - f8f6f4 with and without factors, sparse MFMA -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where elements lie is what AMD's examples of these instructions load: of eight bits,
// element 16 r + e of thread t is A[t % m][t / m * 16 + r * 16 * (64 / m) + e]; of six
// and four bits element e is A[t % m][t / m * 32 + e].
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/MatrixHarness.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
const Kind kinds[] = {floats(formats::e4m3), floats(formats::e5m2), floats(formats::e2m3),
                      floats(formats::e3m2), floats(formats::e2m1)};

using Values = std::vector<std::vector<double>>; // by row and k

/// Random elements for every thread, and the matrix that they are.
Image fill(const Kind &kind, unsigned m, unsigned kSize, std::mt19937 &generator,
           Values &values) {
  Image image;
  values.assign(m, std::vector<double>(kSize, NAN));
  for (unsigned thread = 0; thread < 64; ++thread)
    for (unsigned element = 0; element < 32; ++element) {
      uint64_t bits = kind.random(generator);
      image.put({thread, element * kind.bits}, kind.bits, bits);
      unsigned k = kind.bits == 8
                       ? thread / m * 16 + element / 16 * 16 * (64 / m) + element % 16
                       : thread / m * 32 + element;
      values[thread % m][k] = kind.decode(bits);
    }
  return image;
}

unsigned registersOf(const Kind &kind) { return kind.bits; } // 32 elements

std::string registers(unsigned first, unsigned count) {
  return "v[" + std::to_string(first) + ":" + std::to_string(first + count - 1) + "]";
}

void check(unsigned m, unsigned formatA, unsigned formatB, bool isScaled,
           unsigned byteA = 0, unsigned byteB = 0) {
  unsigned kSize = m == 16 ? 128 : 64, results = m * m / 64;
  std::mt19937 generator(m + 10 * formatA + formatB);
  Values a, b;
  Image imageA = fill(kinds[formatA], m, kSize, generator, a);
  Image imageB = fill(kinds[formatB], m, kSize, generator, b);
  std::string text =
      std::string(isScaled ? "v_mfma_scale_f32_" : "v_mfma_f32_") +
      (m == 16 ? "16x16x128_f8f6f4 " : "32x32x64_f8f6f4 ") + registers(0, results) +
      ", " + registers(64, registersOf(kinds[formatA])) + ", " +
      registers(80, registersOf(kinds[formatB])) + ", " + registers(96, results);
  if (isScaled)
    text += ", v120, v121 op_sel:[" + std::to_string(byteA % 2) + "," +
            std::to_string(byteB % 2) + ",0] op_sel_hi:[" + std::to_string(byteA / 2) +
            "," + std::to_string(byteB / 2) + ",0]";
  text += " cbsz:" + std::to_string(formatA) + " blgp:" + std::to_string(formatB);
  SCOPED_TRACE(text);
  Machine machine("gfx950", text);
  imageA.load(machine, 64, registersOf(kinds[formatA]));
  imageB.load(machine, 80, registersOf(kinds[formatB]));
  // The byte that is chosen is a factor near 1; the others are far off.
  auto factors = [&](unsigned byte, unsigned seed) {
    return [=](unsigned lane) {
      uint32_t word = 0xc8c8c8c8;
      return (word & ~(0xffu << 8 * byte)) | (120 + (lane * seed) % 13) << 8 * byte;
    };
  };
  machine.set(120, factors(byteA, 5));
  machine.set(121, factors(byteB, 7));
  for (unsigned i = 0; i < results; ++i)
    machine.set(uint16_t(96 + i), [&](unsigned lane) {
      return bitCast<uint32_t>(float(lane) - float(i) * 3);
    });
  machine.runClean();
  for (unsigned i = 0; i < m; ++i)
    for (unsigned j = 0; j < m; ++j) {
      unsigned lane = m * (i / 4 % (64 / m)) + j, reg = i / (4 * (64 / m)) * 4 + i % 4;
      double sum = double(float(lane) - float(reg) * 3), size = std::fabs(sum);
      for (unsigned k = 0; k < kSize; ++k) {
        double product = a[i][k] * b[j][k];
        if (isScaled) // of lane t: row t % m, the 32 k from t / m * 32
          product *= std::ldexp(1, int((k / 32 * m + i) * 5 % 13) - 7 +
                                       int((k / 32 * m + j) * 7 % 13) - 7);
        sum += product;
        size += std::fabs(product);
      }
      float got = bitCast<float>(machine.get(uint16_t(reg), lane));
      ASSERT_TRUE(isNear(double(got), sum, size, isScaled ? 1 : kSize, 24))
          << i << ", " << j << ": " << got << ", not " << sum;
    }
}
} // namespace

TEST(MfmaMixed, EveryPairOfFormats) {
  for (unsigned m : {16, 32})
    for (unsigned a = 0; a < 5; ++a)
      for (unsigned b = 0; b < 5; ++b) {
        check(m, a, b, false);
        check(m, a, b, true, a % 4, b % 4);
      }
}

TEST(MfmaMixed, EveryByteOfFactors) {
  for (unsigned a = 0; a < 4; ++a)
    for (unsigned b = 0; b < 4; ++b)
      check(32, 0, 4, true, a, b);
}

TEST(MfmaMixed, AFactorThatIsNotANumberOrUndefined) {
  Machine machine("gfx950",
                  "v_mfma_scale_f32_16x16x128_f8f6f4 v[0:3], v[64:67], v[80:83], "
                  "0, v120, v121 op_sel_hi:[0,0,0] cbsz:4 blgp:4");
  for (unsigned i = 0; i < 4; ++i) {
    machine.set(uint16_t(64 + i), 0x22222222); // ones
    machine.set(uint16_t(80 + i), 0x22222222);
  }
  machine.set(120, [](unsigned lane) { return lane == 16 + 5 ? 0xff : 0x7f; });
  machine.set(121, 0x80);
  machine.poison(121, 32 + 9, 0x1);
  machine.poison(121, 32 + 10, 0xe); // of bytes that are not read
  machine.runClean();
  // Row 5 is register 1 of the second quarter.
  EXPECT_EQ(machine.get(1, 16), 0x7fc00000u);
  EXPECT_EQ(machine.get(0, 16), bitCast<uint32_t>(256.0f));
  for (unsigned lane = 0; lane < 64; ++lane)
    EXPECT_EQ(machine.getPoison(0, lane), lane % 16 == 9 ? 0xf : 0);
}

TEST(Smfmac, MultipliesTwoOfEachFour) {
  struct Case {
    const char *name;
    unsigned m, k;
    Kind a, b;
  };
  const Kind f16 = floats(formats::f16), bf16 = floats(formats::bf16),
             fp8 = floats(formats::e4m3fnuz), bf8 = floats(formats::e5m2fnuz),
             i8{nullptr, 8, true};
  for (const Case &test : {Case{"f32_16x16x32_f16", 16, 32, f16, f16},
                           {"f32_32x32x16_f16", 32, 16, f16, f16},
                           {"f32_16x16x32_bf16", 16, 32, bf16, bf16},
                           {"f32_32x32x16_bf16", 32, 16, bf16, bf16},
                           {"i32_16x16x64_i8", 16, 64, i8, i8},
                           {"i32_32x32x32_i8", 32, 32, i8, i8},
                           {"f32_16x16x64_fp8_bf8", 16, 64, fp8, bf8},
                           {"f32_32x32x32_bf8_fp8", 32, 32, bf8, fp8}})
    for (unsigned abid = 0; abid < 2; ++abid) {
      unsigned m = test.m, perLane = m * test.k / 64, results = m * m / 64;
      unsigned aRegisters = perLane / 2 * test.a.bits / 32;
      std::string text = std::string("v_smfmac_") + test.name + " " +
                         registers(0, results) + ", " + registers(64, aRegisters) + ", " +
                         registers(80, 2 * aRegisters) + ", v120" +
                         (abid ? " abid:1" : "");
      SCOPED_TRACE(text);
      std::mt19937 generator(m * test.k);
      Image imageA, imageB;
      Values a(m, std::vector<double>(test.k, 0)), b = a;
      std::vector<uint32_t> index(64);
      for (unsigned lane = 0; lane < 64; ++lane) {
        index[lane] = generator();
        for (unsigned i = 0; i < perLane; ++i) {
          uint64_t bits = test.b.random(generator);
          imageB.put({lane, i * test.b.bits}, test.b.bits, bits);
          b[lane % m][lane / m * perLane + i] = test.b.decode(bits);
        }
        for (unsigned pair = 0; pair < perLane / 4; ++pair) {
          unsigned first = generator() % 3,
                   second = first + 1 + generator() % (3 - first);
          unsigned at = abid * perLane + 4 * pair;
          index[lane] &= ~(15u << at);
          index[lane] |= (first | second << 2) << at;
          for (unsigned i = 0; i < 2; ++i) {
            uint64_t bits = test.a.random(generator);
            imageA.put({lane, (2 * pair + i) * test.a.bits}, test.a.bits, bits);
            a[lane % m][lane / m * perLane + 4 * pair + (i ? second : first)] =
                test.a.decode(bits);
          }
        }
      }
      Machine machine("gfx942", text);
      imageA.load(machine, 64, aRegisters);
      imageB.load(machine, 80, 2 * aRegisters);
      machine.set(120, [&](unsigned lane) { return index[lane]; });
      for (unsigned i = 0; i < results; ++i)
        machine.set(uint16_t(i), 0);
      machine.runClean();
      for (unsigned i = 0; i < m; ++i)
        for (unsigned j = 0; j < m; ++j) {
          unsigned lane = m * (i / 4 % (64 / m)) + j,
                   reg = i / (4 * (64 / m)) * 4 + i % 4;
          double sum = 0, size = 0;
          for (unsigned k = 0; k < test.k; ++k) {
            sum += a[i][k] * b[j][k];
            size += std::fabs(a[i][k] * b[j][k]);
          }
          uint32_t got = machine.get(uint16_t(reg), lane);
          if (test.a.format)
            ASSERT_TRUE(isNear(double(bitCast<float>(got)), sum, size, test.k, 24));
          else
            ASSERT_EQ(double(int32_t(got)), sum);
        }
    }
}
