//===- FloatTest.cpp - Formats and rounding against exact arithmetic ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Against FloatReference.h, in 113-bit arithmetic and, for f32, the host's own rounding.
//
//===----------------------------------------------------------------------===//

#include "FloatReference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace tilewright::emulator;
using tilewright::emulator::test::Quad;
using tilewright::emulator::test::Reference;

namespace {
const Rounding allRoundings[] = {Rounding::NearestEven, Rounding::NearestAway,
                                 Rounding::Zero,        Rounding::Down,
                                 Rounding::Up,          Rounding::Odd};
const Format smallFormats[] = {formats::e5m2,     formats::e4m3, formats::e5m2fnuz,
                               formats::e4m3fnuz, formats::e3m2, formats::e2m3,
                               formats::e2m1,     formats::ue8m0};
const Format wideFormats[] = {formats::f16, formats::bf16, formats::tf32};

double randomDouble(std::mt19937_64 &random, int range) {
  double mantissa = 1 + std::ldexp(double(random() >> 12), -52);
  double value = std::ldexp(mantissa, int(random() % (2 * range)) - range);
  return random() & 1 ? -value : value;
}
} // namespace

TEST(Float, DecodesEveryEncoding) {
  for (const Format *list : {smallFormats, wideFormats})
    for (size_t i = 0; i < (list == smallFormats ? std::size(smallFormats) : 3); ++i) {
      const Format &format = list[i];
      Reference reference(format);
      for (uint64_t code = 0; code <= format.largest(); ++code) {
        ASSERT_EQ(Quad(toDouble(format, code)), reference.magnitudes[code]) << code;
        if (format.isSigned() &&
            !(code == 0 && format.specials == Specials::NanAsMinusZero)) {
          double negative = toDouble(format, code | format.signBit());
          ASSERT_TRUE(std::signbit(negative));
          ASSERT_EQ(Quad(-negative), reference.magnitudes[code]);
        }
      }
      if (format.specials != Specials::None) {
        EXPECT_TRUE(std::isnan(toDouble(format, format.nan())));
      }
      if (format.specials == Specials::Infinities) {
        EXPECT_EQ(toDouble(format, format.infinity()), INFINITY);
        EXPECT_EQ(toDouble(format, format.infinity() | format.signBit()), -INFINITY);
      }
    }
}

// All 65,536 values of each 16-bit format, into all smaller formats, in all roundings.
TEST(Float, RoundsEveryHalfToSmallFormats) {
  for (const Format &target : smallFormats) {
    Reference reference(target);
    for (const Format &source : {formats::f16, formats::bf16})
      for (uint64_t bits = 0; bits < 65536; ++bits) {
        double value = toDouble(source, bits);
        bool negative = std::signbit(value);
        for (Rounding rounding : allRoundings)
          for (bool saturate : {false, true}) {
            uint64_t got = fromDouble(target, value, rounding, saturate);
            uint64_t expected;
            if (std::isnan(value))
              expected = target.nan();
            else if (std::isinf(value))
              expected =
                  reference.round(Quad(1e300), negative, Rounding::NearestEven, saturate);
            else
              expected = reference.round(value, negative, rounding, saturate);
            ASSERT_EQ(got, expected)
                << "from " << value << " bits " << bits << " rounding " << int(rounding)
                << " saturate " << saturate << " exponent bits "
                << int(target.exponentBits);
          }
      }
  }
}

TEST(Float, RoundsDoublesAroundEveryBoundary) {
  std::mt19937_64 random(1);
  for (const Format &target : wideFormats) {
    Reference reference(target);
    auto check = [&](double value) {
      for (Rounding rounding : allRoundings)
        for (bool saturate : {false, true})
          ASSERT_EQ(fromDouble(target, value, rounding, saturate),
                    reference.round(value, std::signbit(value), rounding, saturate))
              << value << " rounding " << int(rounding);
    };
    for (uint64_t code = 0; code <= target.largest();
         code += target.bits() > 16 ? 29 : 5) {
      double value = toDouble(target, code);
      double next = code == target.largest() ? double(reference.magnitudes[code + 1])
                                             : toDouble(target, code + 1);
      double middle = value + (next - value) / 2;
      for (double v :
           {value, middle, std::nextafter(middle, 0.0), std::nextafter(middle, INFINITY),
            std::nextafter(value, INFINITY)}) {
        check(v);
        check(-v);
      }
    }
    for (int i = 0; i < 30000; ++i)
      check(randomDouble(random, 160));
    check(5e-324);
    check(1.7e308);
  }
}

TEST(Float, RoundsDoublesToFloatAsTheHostDoes) {
  std::mt19937_64 random(2);
  struct Mode {
    Rounding rounding;
    int host;
  };
  for (Mode mode :
       {Mode{Rounding::NearestEven, FE_TONEAREST}, Mode{Rounding::Zero, FE_TOWARDZERO},
        Mode{Rounding::Down, FE_DOWNWARD}, Mode{Rounding::Up, FE_UPWARD}})
    for (int i = 0; i < 300000; ++i) {
      double value = randomDouble(random, 160);
      if (i % 3 == 0) // half-way cases
        value = bitCast<double>((bitCast<uint64_t>(value) & ~uint64_t(0x1fffffff)) |
                                0x10000000);
      volatile double input = value;
      std::fesetround(mode.host);
      volatile float expected = float(input);
      std::fesetround(FE_TONEAREST);
      ASSERT_EQ(fromDouble(formats::f32, value, mode.rounding),
                bitCast<uint32_t>(float(expected)))
          << value << " " << int(mode.rounding);
    }
}

TEST(Float, RoundsIntegersOnce) {
  std::mt19937_64 random(3);
  Reference half(formats::f16), bfloat(formats::bf16);
  for (int i = 0; i < 300000; ++i) {
    uint64_t value = random() >> (random() % 64);
    if (i % 2) // many half-way cases
      value &= ~uint64_t(0) << (random() % 50);
    for (Rounding rounding : allRoundings) {
      ASSERT_EQ(fromFixed(formats::f16, false, value, 0, rounding),
                half.round(value, false, rounding, false));
      ASSERT_EQ(fromFixed(formats::bf16, true, value, 0, rounding),
                bfloat.round(value, true, rounding, false));
    }
    // What the host's own conversions give.
    ASSERT_EQ(fromFixed(formats::f32, false, value, 0, Rounding::NearestEven),
              bitCast<uint32_t>(float(value)));
    ASSERT_EQ(fromFixed(formats::f64, false, value, 0, Rounding::NearestEven),
              bitCast<uint64_t>(double(value)));
  }
}

TEST(Float, FastHalfConversionsAgreeWithTheExactOnes) {
  Reference half(formats::f16), bfloat(formats::bf16);
  for (uint64_t bits = 0; bits < 65536; ++bits) {
    double f16 = toDouble(formats::f16, bits), bf16 = toDouble(formats::bf16, bits);
    ASSERT_EQ(std::isnan(f16), std::isnan(halfToDouble<F16>(bits)));
    ASSERT_EQ(std::isnan(bf16), std::isnan(halfToDouble<BF16>(bits)));
    if (!std::isnan(f16)) {
      ASSERT_EQ(bitCast<uint64_t>(f16), bitCast<uint64_t>(halfToDouble<F16>(bits)));
      ASSERT_EQ(f16, double(f16ToFloat(uint16_t(bits))));
      ASSERT_EQ(doubleToHalf<F16>(f16), bits);
    } else {
      ASSERT_EQ(doubleToHalf<F16>(f16), 0x7fffu);
    }
    if (!std::isnan(bf16)) {
      ASSERT_EQ(bitCast<uint64_t>(bf16), bitCast<uint64_t>(halfToDouble<BF16>(bits)));
      ASSERT_EQ(bf16, double(bf16ToFloat(uint16_t(bits))));
      ASSERT_EQ(doubleToHalf<BF16>(bf16), bits);
    } else {
      ASSERT_EQ(doubleToHalf<BF16>(bf16), 0x7fffu);
    }
  }
  std::mt19937_64 random(4);
  for (int i = 0; i < 300000; ++i) {
    double value = randomDouble(random, i % 2 ? 30 : 160);
    if (i % 5 == 0)
      value = bitCast<double>(bitCast<uint64_t>(value) & ~uint64_t(0) << (random() % 46));
    ASSERT_EQ(doubleToHalf<F16>(value),
              half.round(value, value < 0, Rounding::NearestEven, false))
        << value;
    ASSERT_EQ(doubleToHalf<BF16>(value),
              bfloat.round(value, value < 0, Rounding::NearestEven, false))
        << value;
  }
}

// The exact result of half arithmetic in 113 bits, rounded by the reference.
TEST(Float, HalfArithmeticIsRoundedOnce) {
  std::mt19937_64 random(5);
  Reference half(formats::f16), bfloat(formats::bf16);
  auto check = [&](auto tag, const Reference &reference, uint64_t a, uint64_t b,
                   uint64_t c) {
    using Half = decltype(tag);
    double x = halfToDouble<Half>(a), y = halfToDouble<Half>(b),
           z = halfToDouble<Half>(c);
    if (!std::isfinite(x) || !std::isfinite(y) || !std::isfinite(z))
      return;
    Quad sum = Quad(x) + Quad(y);
    // Exact: |x y| has 22 bits, but together with z more than 113 are possible in bf16;
    // then z matters by its sign only, or the product does, and Quad keeps neither from
    // the right side except exactly half-way, which `scale` steers clear of.
    Quad product = Quad(x) * Quad(y), fused = product + Quad(z);
    uint64_t gotSum = doubleToHalf<Half>(addToOdd(x, y));
    uint64_t gotFused = doubleToHalf<Half>(fusedToOdd(x, y, z));
    if (sum != 0) {
      ASSERT_EQ(gotSum, reference.round(sum, sum < 0, Rounding::NearestEven, false));
    }
    if (fused != 0) {
      ASSERT_EQ(gotFused, reference.round(fused, fused < 0, Rounding::NearestEven, false))
          << x << " * " << y << " + " << z;
    }
  };
  for (int i = 0; i < 200000; ++i) {
    uint64_t a = random() & 0xffff, b = random() & 0xffff, c = random() & 0xffff;
    check(F16(), half, a, b, c);
    // Half-way cases: few bits, and a small third operand that breaks the tie.
    check(F16(), half, (a & 0xfc3f), (b & 0xfc3f), c & 0x83ff);
    // bf16 within 100 bits of exponents.
    auto scale = [](uint64_t v) { return (v & 0x87ff) | 0x3c00; };
    check(BF16(), bfloat, scale(a), scale(b), scale(c));
    check(BF16(), bfloat, (a & 0x807f) | (b & 0x3f80),
          (b & 0x807f) | 0x0080 | (c & 0x0f80), c & 0x81ff);
  }
}

TEST(Float, IntegralRoundingAndClamping) {
  struct Row {
    double value, even, away, zero, down, up;
  };
  for (const Row &row : {Row{2.5, 2, 3, 2, 2, 3}, Row{-2.5, -2, -3, -2, -3, -2},
                         Row{3.5, 4, 4, 3, 3, 4}, Row{-0.25, -0.0, -0.0, -0.0, -1, -0.0},
                         Row{1e300, 1e300, 1e300, 1e300, 1e300, 1e300}}) {
    EXPECT_EQ(roundToIntegral(row.value, Rounding::NearestEven), row.even);
    EXPECT_EQ(roundToIntegral(row.value, Rounding::NearestAway), row.away);
    EXPECT_EQ(roundToIntegral(row.value, Rounding::Zero), row.zero);
    EXPECT_EQ(roundToIntegral(row.value, Rounding::Down), row.down);
    EXPECT_EQ(roundToIntegral(row.value, Rounding::Up), row.up);
  }
  EXPECT_TRUE(std::signbit(roundToIntegral(-0.25, Rounding::NearestEven)));
  EXPECT_EQ(toInteger(-129, 8, true), 0x80u);
  EXPECT_EQ(toInteger(128, 8, true), 0x7fu);
  EXPECT_EQ(toInteger(-128, 8, true), 0x80u);
  EXPECT_EQ(toInteger(-1, 8, true), 0xffu);
  EXPECT_EQ(toInteger(-1, 8, false), 0u);
  EXPECT_EQ(toInteger(256, 8, false), 255u);
  EXPECT_EQ(toInteger(0x1p63, 64, true), uint64_t(INT64_MAX));
  EXPECT_EQ(toInteger(-0x1p63, 64, true), uint64_t(INT64_MIN));
  EXPECT_EQ(toInteger(0x1p63, 64, false), uint64_t(1) << 63);
  EXPECT_EQ(toInteger(INFINITY, 64, false), ~uint64_t(0));
  EXPECT_EQ(toInteger(-INFINITY, 32, true), 0x80000000u);
}

TEST(Float, RoundingScopeSetsAndRestores) {
  volatile float a = 1, b = 3, up, down;
  {
    RoundingScope scope(Rounding::Up);
    up = a / b;
  }
  {
    RoundingScope scope(Rounding::Down);
    down = a / b;
  }
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
  EXPECT_EQ(std::nextafterf(down, 2), up);
}

TEST(Float, TablesOfBytes) {
  for (const Format &format : {formats::e4m3, formats::e5m2, formats::e4m3fnuz})
    for (unsigned i = 0; i < 256; ++i) {
      double expected = toDouble(format, i);
      float got = getValues8(format)[i];
      EXPECT_TRUE(got == expected || (std::isnan(got) && std::isnan(expected)));
    }
}
