//===- ConvertTest.cpp - Conversions ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All values of formats of up to 16 bits, and boundaries and random values of wider ones,
// against FloatReference.h and integer arithmetic in 128 bits.
//
//===----------------------------------------------------------------------===//

#include "FloatReference.h"
#include "Snippets.h"

#include <cmath>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;
using tilewright::emulator::test::Quad;
using tilewright::emulator::test::Reference;

namespace {

struct FloatType {
  const char *name, *reg;
  unsigned bits;
  const Format &format;
};
const FloatType floatTypes[] = {{"f16", "%h", 16, formats::f16},
                                {"bf16", "%h", 16, formats::bf16},
                                {"f32", "%f", 32, formats::f32},
                                {"f64", "%g", 64, formats::f64}};

struct IntType {
  const char *name, *reg; ///< a register of its width, 16 bits for those of 8
  unsigned bits;
  bool isSigned;
};
const IntType intTypes[] = {{"u8", "%h", 8, false},   {"s8", "%h", 8, true},
                            {"u16", "%h", 16, false}, {"s16", "%h", 16, true},
                            {"u32", "%r", 32, false}, {"s32", "%r", 32, true},
                            {"u64", "%d", 64, false}, {"s64", "%d", 64, true}};

struct Mode {
  const char *name, *integral;
  Rounding rounding;
};
const Mode modes[] = {{"rn", "rni", Rounding::NearestEven},
                      {"rz", "rzi", Rounding::Zero},
                      {"rm", "rmi", Rounding::Down},
                      {"rp", "rpi", Rounding::Up}};

/// All encodings of 16 bits; for f32 and f64 those of all f16 and bf16 and their
/// neighbours, half-way cases and random ones.
Values valuesOf(const FloatType &type) {
  Values values;
  if (type.bits == 16) {
    for (uint64_t i = 0; i < 65536; ++i)
      values.push_back(i);
    return values;
  }
  std::mt19937_64 random(type.bits);
  for (uint64_t i = 0; i < 65536; i += 29)
    for (const Format *from : {&formats::f16, &formats::bf16}) {
      uint64_t bits = fromDouble(type.format, toDouble(*from, i), Rounding::Zero);
      unsigned shift = type.format.mantissaBits - from->mantissaBits - 1;
      values.push_back(bits);
      values.push_back(bits + (uint64_t(1) << shift));
      values.push_back(bits + (uint64_t(1) << shift) + (random() & 3) - 1);
    }
  for (int i = 0; i < 4000; ++i)
    values.push_back(random() >> (64 - type.bits));
  // About the limits of integers, and halves between small ones.
  for (int i = 0; i < 4000; ++i) {
    double limit = std::ldexp(1.0, int(random() % 66)) + int(random() % 9) * 0.25 - 1;
    values.push_back(
        fromDouble(type.format, i % 2 ? limit : -limit, Rounding::NearestEven));
  }
  return values;
}

uint64_t maskOf(unsigned bits) { return bits == 64 ? ~0ull : (1ull << bits) - 1; }

__int128 floorOf(Quad value) {
  __int128 whole = static_cast<__int128>(value);
  return whole > value ? whole - 1 : whole;
}
/// Rounds |value| < 2^100.
__int128 integral(Quad value, Rounding rounding) {
  __int128 below = floorOf(value);
  Quad rest = value - Quad(below);
  if (rest == 0)
    return below;
  switch (rounding) {
  case Rounding::Zero:
    return below < 0 ? below + 1 : below;
  case Rounding::Down:
    return below;
  case Rounding::Up:
    return below + 1;
  default:
    return rest < 0.5       ? below
           : rest > 0.5     ? below + 1
           : below % 2 == 0 ? below
                            : below + 1;
  }
}

} // namespace

TEST(Convert, FloatsToIntegers) {
  for (const FloatType &from : floatTypes) {
    Values a = valuesOf(from);
    for (const IntType &to : intTypes)
      for (const Mode &mode : modes) {
        Snippet snippet;
        std::string text = std::string("cvt.") + mode.integral + "." + to.name + "." +
                           from.name + " " + to.reg + "9, " + from.reg + "0;";
        unsigned width = to.bits == 8 ? 16 : to.bits;
        Values got =
            snippet.run(text, "b" + std::to_string(width) + " " + to.reg + "9", a);
        __int128 low = to.isSigned ? -(__int128(1) << (to.bits - 1)) : 0;
        __int128 high = (__int128(1) << (to.bits - to.isSigned)) - 1;
        for (size_t i = 0; i < a.size(); ++i) {
          double value = toDouble(from.format, a[i]);
          uint64_t expected;
          if (std::isnan(value)) {
            bool middle = from.bits == 64 || to.bits == 64;
            expected = middle ? 1ull << (to.bits - 1) : 0;
            if (to.isSigned && to.bits == 8 && middle)
              expected = 0xff80;
          } else {
            double limited = std::max(std::min(value, 0x1p90), -0x1p90);
            __int128 whole = integral(limited, mode.rounding);
            whole = std::min(std::max(whole, low), high);
            expected = uint64_t(whole) & maskOf(width);
          }
          ASSERT_EQ(got[i], expected) << text << " " << value;
        }
      }
  }
}

TEST(Convert, FloatsToFloats) {
  for (const FloatType &from : floatTypes) {
    Values a = valuesOf(from);
    for (const FloatType &to : floatTypes) {
      if (to.bits == 64 || (to.bits == 32 && from.bits != 64)) {
        // Exact.
        Snippet snippet;
        std::string text = std::string("cvt.") + to.name + "." + from.name + " " +
                           to.reg + "9, " + from.reg + "0;";
        Values got = snippet.run(text, std::string(to.name) + " " + to.reg + "9", a);
        for (size_t i = 0; i < a.size(); ++i) {
          double value = toDouble(from.format, a[i]);
          if (std::isnan(value)) {
            ASSERT_TRUE(std::isnan(toDouble(to.format, got[i]))) << text;
          } else {
            ASSERT_EQ(toDouble(to.format, got[i]), value) << text;
          }
        }
        continue;
      }
      if (from.bits == to.bits && from.name[0] == to.name[0])
        continue;
      std::unique_ptr<Reference> reference;
      if (to.bits == 16)
        reference = std::make_unique<Reference>(to.format);
      for (const Mode &mode : modes) {
        Snippet snippet;
        std::string text = std::string("cvt.") + mode.name + "." + to.name + "." +
                           from.name + " " + to.reg + "9, " + from.reg + "0;";
        Values got = snippet.run(
            text, (to.bits == 16 ? "b16 " : "f32 ") + std::string(to.reg) + "9", a);
        for (size_t i = 0; i < a.size(); ++i) {
          double value = toDouble(from.format, a[i]);
          bool negative = std::signbit(value);
          uint64_t expected;
          if (std::isnan(value))
            expected = to.format.nan();
          else if (std::isinf(value))
            expected = to.format.infinity() | (negative ? to.format.signBit() : 0);
          else if (reference)
            expected = reference->round(value, negative, mode.rounding, false);
          else
            expected = fromDouble(formats::f32, value, mode.rounding); // see FloatTest
          ASSERT_EQ(got[i], expected) << text << " " << value;
        }
      }
    }
  }
}

TEST(Convert, ToIntegralFloats) {
  for (const FloatType &type : floatTypes) {
    Values a = valuesOf(type);
    for (const Mode &mode : modes) {
      Snippet snippet;
      std::string text = std::string("cvt.") + mode.integral + "." + type.name + "." +
                         type.name + " " + type.reg + "9, " + type.reg + "0;";
      Values got = snippet.run(
          text, (type.bits == 16 ? "b16" : std::string(type.name)) + " " + type.reg + "9",
          a);
      for (size_t i = 0; i < a.size(); ++i) {
        double value = toDouble(type.format, a[i]),
               result = toDouble(type.format, got[i]);
        if (std::isnan(value)) {
          ASSERT_TRUE(std::isnan(result)) << text;
          continue;
        }
        double expected =
            std::fabs(value) < 0x1p80 ? double(integral(value, mode.rounding)) : value;
        ASSERT_EQ(result, expected) << text << " " << value;
        ASSERT_EQ(std::signbit(result), std::signbit(value)) << text << " " << value;
      }
    }
  }
}

TEST(Convert, IntegersToFloats) {
  std::mt19937_64 random(7);
  Values a;
  for (int i = 0; i < 6000; ++i) {
    uint64_t value = random() >> (random() % 64);
    if (i % 2) // few bits, and half-way cases
      value &= ~0ull << (random() % 60);
    if (i % 4 == 3)
      value = -value;
    a.push_back(value);
  }
  for (const IntType &from : intTypes)
    for (const FloatType &to : floatTypes) {
      std::unique_ptr<Reference> reference;
      if (to.bits == 16)
        reference = std::make_unique<Reference>(to.format);
      for (const Mode &mode : modes) {
        Snippet snippet;
        std::string text = std::string("cvt.") + mode.name + "." + to.name + "." +
                           from.name + " " + to.reg + "9, " + from.reg + "0;";
        Values got = snippet.run(
            text, (to.bits == 16 ? "b16" : std::string(to.name)) + " " + to.reg + "9", a);
        for (size_t i = 0; i < a.size(); ++i) {
          unsigned shift = 64 - from.bits;
          bool negative = from.isSigned && (a[i] >> (from.bits - 1) & 1);
          uint64_t bits = a[i] << shift >> shift;
          uint64_t magnitude = negative ? -bits << shift >> shift : bits;
          uint64_t expected =
              reference ? reference->round(magnitude, negative, mode.rounding, false)
                        : fromFixed(to.format, negative, magnitude, 0, mode.rounding);
          if (!reference && mode.rounding == Rounding::NearestEven) {
            // The host's conversion is another witness.
            double wide = negative ? -double(magnitude) : double(magnitude);
            float narrow = negative ? -float(magnitude) : float(magnitude);
            ASSERT_EQ(expected, to.bits == 32 ? bitCast<uint32_t>(narrow)
                                              : bitCast<uint64_t>(wide));
          }
          ASSERT_EQ(got[i], expected) << text << " " << std::hex << a[i];
        }
      }
    }
}

TEST(Convert, IntegersToIntegers) {
  Values a = someValues(3, 3000,
                        {0, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
                         0x80000000, 0xffffffff, ~0ull, 1ull << 63});
  for (const IntType &from : intTypes)
    for (const IntType &to : intTypes)
      for (bool sat : {false, true})
        for (const char *reg : {to.reg, "%d"}) { // wider registers too
          Snippet snippet;
          std::string text = std::string("cvt.") + (sat ? "sat." : "") + to.name + "." +
                             from.name + " " + reg + "9, %d0;";
          unsigned width = reg[1] == 'd' ? 64 : to.bits == 8 ? 16 : to.bits;
          // There is no .sat where every value fits.
          bool fits = to.isSigned ? to.bits >= from.bits + !from.isSigned
                                  : !from.isSigned && to.bits >= from.bits;
          if (sat && fits) {
            EXPECT_NE(snippet.refuse(text), "") << text;
            continue;
          }
          Values got =
              snippet.run(text, "b" + std::to_string(width) + " " + reg + "9", a);
          for (size_t i = 0; i < a.size(); ++i) {
            unsigned shift = 64 - from.bits;
            __int128 value = from.isSigned ? __int128(int64_t(a[i] << shift) >> shift)
                                           : __int128(a[i] << shift >> shift);
            if (sat) {
              __int128 low = to.isSigned ? -(__int128(1) << (to.bits - 1)) : 0;
              __int128 high = (__int128(1) << (to.bits - to.isSigned)) - 1;
              value = std::min(std::max(value, low), high);
            }
            uint64_t bits = uint64_t(value) & maskOf(to.bits);
            if (to.isSigned && (bits >> (to.bits - 1) & 1))
              bits |= ~maskOf(to.bits);
            ASSERT_EQ(got[i], bits & maskOf(width)) << text << std::hex << " " << a[i];
          }
        }
}

TEST(Convert, FlushingAndClamping) {
  Values a = valuesOf(floatTypes[2]);
  Reference half(formats::f16), bfloat(formats::bf16), tf32(formats::tf32);
  auto flush = [](uint64_t x) { return x & 0x7f800000 ? x : x & 0x80000000; };
  struct Row {
    const char *text, *result;
    const Reference *reference;
    Rounding rounding;
    bool finite, relu, sat, ftz;
    unsigned shift;
  };
  const Row rows[] = {{"cvt.rn.satfinite.f16.f32 %h9, %f0;", "b16 %h9", &half,
                       Rounding::NearestEven, true, false, false, false, 0},
                      {"cvt.rn.relu.f16.f32 %h9, %f0;", "b16 %h9", &half,
                       Rounding::NearestEven, false, true, false, false, 0},
                      {"cvt.rz.relu.satfinite.bf16.f32 %h9, %f0;", "b16 %h9", &bfloat,
                       Rounding::Zero, true, true, false, false, 0},
                      {"cvt.rn.ftz.f16.f32 %h9, %f0;", "b16 %h9", &half,
                       Rounding::NearestEven, false, false, false, true, 0},
                      {"cvt.rp.sat.f16.f32 %h9, %f0;", "b16 %h9", &half, Rounding::Up,
                       false, false, true, false, 0},
                      {"cvt.rp.ftz.f16.f32 %h9, %f0;", "b16 %h9", &half, Rounding::Up,
                       false, false, false, true, 0},
                      {"cvt.rna.tf32.f32 %r9, %f0;", "b32 %r9", &tf32,
                       Rounding::NearestAway, false, false, false, false, 13},
                      {"cvt.rna.satfinite.tf32.f32 %r9, %f0;", "b32 %r9", &tf32,
                       Rounding::NearestAway, true, false, false, false, 13},
                      {"cvt.rz.relu.tf32.f32 %r9, %f0;", "b32 %r9", &tf32, Rounding::Zero,
                       false, true, false, false, 13}};
  for (const Row &row : rows) {
    Snippet snippet;
    Values got = snippet.run(row.text, row.result, a);
    for (size_t i = 0; i < a.size(); ++i) {
      float value = bitCast<float>(uint32_t(row.ftz ? flush(a[i]) : a[i]));
      const Format &format = row.reference->format;
      uint64_t expected;
      if (std::isnan(value))
        expected = row.sat ? 0 : row.shift ? 0x7fffffff : format.nan();
      else {
        expected = std::isinf(value)
                       ? row.reference->round(1e300, value < 0, Rounding::NearestEven,
                                              row.finite)
                       : row.reference->round(value, std::signbit(value), row.rounding,
                                              row.finite);
        if ((row.relu || row.sat) && (expected & format.signBit()))
          expected = 0;
        if (row.sat)
          expected = std::min<uint64_t>(expected, 0x3c00);
        expected <<= row.shift;
      }
      ASSERT_EQ(got[i], expected) << row.text << " " << value;
    }
  }
  Snippet s1, s2, s3;
  Values sat = s1.run("cvt.sat.f32.f32 %f9, %f0;", "f32 %f9", a);
  Values flushed =
      s2.run("cvt.rni.ftz.s32.f32 %r9, %f0; cvt.ftz.f32.f32 %f9, %f0;", "f32 %f9", a);
  Values up = s3.run("cvt.rpi.ftz.s32.f32 %r9, %f0;", "b32 %r9", a);
  for (size_t i = 0; i < a.size(); ++i) {
    float value = bitCast<float>(uint32_t(a[i]));
    float clamped = !(value > 0) ? 0 : value > 1 ? 1 : value;
    ASSERT_EQ(sat[i], bitCast<uint32_t>(clamped));
    if (!std::isnan(value)) {
      ASSERT_EQ(flushed[i], flush(a[i]));
      if (std::fabs(value) < 0x1p-126f) {
        ASSERT_EQ(up[i], 0u); // a subnormal is not rounded up to one
      }
    }
  }
}

TEST(Convert, PairsOfHalves) {
  Values a = valuesOf(floatTypes[2]), b = a;
  std::reverse(b.begin(), b.end());
  Reference half(formats::f16), bfloat(formats::bf16);
  for (bool isBfloat : {false, true})
    for (const char *modifiers :
         {"rn", "rz", "rn.relu", "rn.satfinite", "rz.relu.satfinite"}) {
      std::string m = modifiers;
      const Reference &reference = isBfloat ? bfloat : half;
      Rounding rounding = m[1] == 'z' ? Rounding::Zero : Rounding::NearestEven;
      bool finite = m.find("sat") != m.npos, relu = m.find("relu") != m.npos;
      Snippet snippet(80);
      Values got = snippet.run("cvt." + m + (isBfloat ? ".bf16x2" : ".f16x2") +
                                   ".f32 %r9, %f0, %f1;",
                               "b32 %r9", a, b);
      auto expected = [&](uint64_t bits) -> uint64_t {
        float value = bitCast<float>(uint32_t(bits));
        if (std::isnan(value))
          return 0x7fff;
        uint64_t result =
            std::isinf(value)
                ? reference.round(1e300, value < 0, Rounding::NearestEven, finite)
                : reference.round(value, std::signbit(value), rounding, finite);
        return relu && result & 0x8000 ? 0 : result;
      };
      for (size_t i = 0; i < a.size(); ++i)
        ASSERT_EQ(got[i], expected(a[i]) << 16 | expected(b[i])) << m;
    }
}

TEST(Convert, SmallFormats) {
  Values singles = valuesOf(floatTypes[2]), reversed = singles;
  std::reverse(reversed.begin(), reversed.end());
  Values pairs;
  for (uint64_t i = 0; i < 65536; ++i)
    pairs.push_back(i | (i * 40503 & 0xffff) << 16);
  Values codes;
  for (uint64_t i = 0; i < 65536; ++i)
    codes.push_back(i);
  struct Row {
    const char *name;
    const Format &format;
    unsigned stride, architecture;
  };
  for (const Row &row :
       {Row{"e4m3x2", formats::e4m3, 8, 89}, Row{"e5m2x2", formats::e5m2, 8, 89},
        Row{"e2m3x2", formats::e2m3, 8, 100}, Row{"e3m2x2", formats::e3m2, 8, 100},
        Row{"e2m1x2", formats::e2m1, 4, 100}}) {
    Reference reference(row.format);
    bool isFour = row.stride == 4;
    std::string declare = "{ .reg .b8 %b<2>; ", to = isFour ? "%b0" : "%h9";
    std::string after = isFour ? " mov.b16 %h9, {%b0, %b0}; }" : " }";
    for (bool relu : {false, true}) {
      auto expected = [&](double value) -> uint64_t {
        if (std::isnan(value))
          return row.format.nan();
        uint64_t bits = std::isinf(value) ? reference.round(1e300, value < 0,
                                                            Rounding::NearestEven, true)
                                          : reference.round(value, std::signbit(value),
                                                            Rounding::NearestEven, true);
        return relu && bits & row.format.signBit() ? 0 : bits;
      };
      std::string head =
          std::string("cvt.rn.satfinite.") + (relu ? "relu." : "") + row.name;
      Snippet s1(row.architecture);
      Values got = s1.run(declare + head + ".f32 " + to + ", %f0, %f1;" + after,
                          "b16 %h9", singles, reversed);
      uint64_t mask = isFour ? 0xff : 0xffff;
      for (size_t i = 0; i < singles.size(); ++i)
        ASSERT_EQ(got[i] & mask, expected(bitCast<float>(uint32_t(singles[i])))
                                         << row.stride |
                                     expected(bitCast<float>(uint32_t(reversed[i]))))
            << head << " " << bitCast<float>(uint32_t(singles[i]));
      if (row.architecture < 100) {
        Snippet s2(row.architecture);
        Values halves =
            s2.run(declare + head + ".f16x2 " + to + ", %r0;" + after, "b16 %h9", pairs);
        for (size_t i = 0; i < pairs.size(); ++i)
          ASSERT_EQ(halves[i] & mask,
                    expected(toDouble(formats::f16, pairs[i] >> 16)) << row.stride |
                        expected(toDouble(formats::f16, pairs[i] & 0xffff)))
              << head;
      }
      Snippet s3(row.architecture);
      std::string from = isFour ? "mov.b16 {%b0, %b1}, %h0; " : "";
      Values back = s3.run(declare + from + "cvt.rn." + (relu ? "relu." : "") + "f16x2." +
                               row.name + " %r9, " + (isFour ? "%b0" : "%h0") + "; }",
                           "b32 %r9", codes);
      uint64_t element = maskOf(row.stride);
      for (size_t i = 0; i < codes.size(); ++i)
        for (unsigned k = 0; k < 2; ++k) {
          double value = toDouble(row.format, codes[i] >> (k * row.stride) & element);
          double result = toDouble(formats::f16, back[i] >> (16 * k) & 0xffff);
          if (std::isnan(value)) {
            ASSERT_EQ(back[i] >> (16 * k) & 0xffff, 0x7fffu) << row.name;
          } else {
            ASSERT_EQ(result, relu ? std::max(value, 0.0) : value) << row.name;
          }
        }
    }
  }
}

TEST(Convert, Scales) {
  Values a = valuesOf(floatTypes[2]);
  for (bool up : {false, true})
    for (bool finite : {false, true}) {
      Snippet snippet(100);
      Values got =
          snippet.run(std::string("cvt.") + (up ? "rp" : "rz") +
                          (finite ? ".satfinite" : "") + ".ue8m0x2.f32 %h9, %f0, 1.0;",
                      "b16 %h9", a);
      for (size_t i = 0; i < a.size(); ++i) {
        float value = std::fabs(bitCast<float>(uint32_t(a[i])));
        uint64_t expected;
        if (std::isnan(value))
          expected = 0xff;
        else if (std::isinf(value))
          expected = finite ? 0xfe : 0xff;
        else if (value <= 0x1p-127f)
          expected = 0;
        else {
          int exponent = std::ilogb(value);
          if (up && std::ldexp(1.0, exponent) != value)
            ++exponent;
          expected = uint64_t(std::max(exponent + 127, 0));
          if (expected == 0xff && finite)
            expected = 0xfe;
        }
        ASSERT_EQ(got[i], expected << 8 | 127) << value << up << finite;
      }
    }
  Values codes;
  for (uint64_t i = 0; i < 65536; ++i)
    codes.push_back(i);
  Snippet snippet(100);
  Values got = snippet.run("cvt.rn.bf16x2.ue8m0x2 %r9, %h0;", "b32 %r9", codes);
  for (size_t i = 0; i < codes.size(); ++i)
    for (unsigned k = 0; k < 2; ++k) {
      unsigned code = codes[i] >> (8 * k) & 0xff;
      unsigned result = got[i] >> (16 * k) & 0xffff;
      if (code == 0xff) {
        ASSERT_EQ(result, 0x7fffu);
      } else {
        ASSERT_EQ(toDouble(formats::bf16, result), std::ldexp(1.0, int(code) - 127));
      }
    }
}

TEST(Convert, PacksIntegers) {
  Values a = someValues(5, 3000, {0, 0x7fff, 0x8000, 0xffff, 0xffffffff, 0x80000000}),
         b = someValues(6, 3000, {7, 8, 0xfffffff8, 0xfffffff7, 127, 128}),
         c = someValues(7, 3000, {});
  for (auto [name, bits, isSigned] :
       {std::tuple("u16", 16, 0), std::tuple("s16", 16, 1), std::tuple("u8", 8, 0),
        std::tuple("s8", 8, 1), std::tuple("u4", 4, 0), std::tuple("s4", 4, 1),
        std::tuple("u2", 2, 0), std::tuple("s2", 2, 1)}) {
    Snippet snippet;
    Values got =
        snippet.run(std::string("cvt.pack.sat.") + name + ".s32" +
                        (bits < 16 ? ".b32 %r9, %r0, %r1, %r2;" : " %r9, %r0, %r1;"),
                    "b32 %r9", a, b, c);
    int64_t low = isSigned ? -(1 << (bits - 1)) : 0, high = (1 << (bits - isSigned)) - 1;
    auto clamp = [&](uint64_t v) {
      return uint64_t(std::min(std::max(int64_t(int32_t(v)), low), high)) & maskOf(bits);
    };
    for (size_t i = 0; i < a.size(); ++i)
      ASSERT_EQ(got[i], uint32_t(clamp(b[i]) | clamp(a[i]) << bits |
                                 (bits < 16 ? c[i] << (2 * bits) : 0)))
          << name;
  }
}

TEST(Convert, RefusesWhatIsNoPtx) {
  Snippet snippet;
  for (const char *text :
       {"cvt.f16.f32 %h0, %f0;", "cvt.s32.f32 %r0, %f0;", "cvt.f32.s32 %f0, %r0;",
        "cvt.rn.s32.f32 %r0, %f0;", "cvt.rni.f32.s32 %f0, %r0;",
        "cvt.rni.f32.f64 %f0, %g0;", "cvt.rna.f16.f32 %h0, %f0;",
        "cvt.rn.relu.f32.f64 %f0, %g0;", "cvt.rs.f16x2.f32 %r0, %f0, %f1, %r1;",
        "cvt.rn.e4m3x2.f32 %h0, %f0, %f1;", "cvt.rn.satfinite.e2m1x2.f32 %h0, %f0, %f1;",
        "cvt.rm.f16x2.f32 %r0, %f0, %f1;", "cvt.rn.f16x2.f32 %r0, %f0;",
        "cvt.rn.ftz.f64.f64 %g0, %g1;", "cvt.pack.sat.u8.s32 %r0, %r1, %r2;",
        "cvt.rn.satfinite.f32.f64 %f0, %g0;"})
    EXPECT_NE(snippet.refuse(text), "") << text;
  Snippet old(80);
  EXPECT_NE(old.refuse("cvt.rn.satfinite.e4m3x2.f32 %h0, %f0, %f1;"), "");
  EXPECT_NE(old.refuse("cvt.rn.bf16.f16 %h0, %h1;"), "");
  EXPECT_EQ(old.refuse("cvt.rn.bf16.f32 %h0, %f1;"), "");
}

// The two halves convert into each other without a word about rounding, to nearest.
TEST(Convert, BetweenHalves) {
  Harness h;
  ASSERT_EQ(h.loadBody("u64 out", "ld.param.u64 %d0, [out];\n"
                                  "mov.b16 %h0, 0x3c01; cvt.bf16.f16 %h1, %h0;\n"
                                  "mov.b16 %h2, 0x3c0c; cvt.bf16.f16 %h3, %h2;\n"
                                  "mov.b16 %h4, 0x3f81; cvt.f16.bf16 %h5, %h4;\n"
                                  "mov.b16 %h6, 0x4780; cvt.f16.bf16 %h7, %h6;\n"
                                  "st.global.v4.b16 [%d0], {%h1, %h3, %h5, %h7};"),
            "");
  uint64_t out = h.empty<uint16_t>(4);
  h.arg(out);
  ASSERT_EQ(h.launch({1, 1, 1}, {1, 1, 1}), "");
  EXPECT_EQ(h.faultText(), "");
  // 1 + 2^-10, 1 + 12 * 2^-10 (a tie, to even), 1 + 2^-7, and 2^16.
  EXPECT_EQ(h.get<uint16_t>(out, 4),
            (std::vector<uint16_t>{0x3f80, 0x3f82, 0x3c08, 0x7c00}));
  EXPECT_NE(h.loadBody("u64 a", "cvt.f16.f32 %h0, %f0;"), "");
}
