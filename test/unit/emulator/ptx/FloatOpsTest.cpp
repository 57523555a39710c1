//===- FloatOpsTest.cpp - Floating-point arithmetic ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// f32 and f64 against single host operations under the host's rounding mode, halves
// against 113-bit arithmetic, approximations against long double.
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

const Values special32 = {0,          0x80000000, 1,          0x80000001, 0x007fffff,
                          0x807fffff, 0x00800000, 0x80800000, 0x3f800000, 0xbf800000,
                          0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000,
                          0xffc12345, 0x7f812345, 0x33800000, 0x4b000000, 0x3f7fffff,
                          0x7e800001, 0x42c80000};
const Values special64 = {0,
                          uint64_t(1) << 63,
                          1,
                          0x000fffffffffffff,
                          0x0010000000000000,
                          0x3ff0000000000000,
                          0xbff0000000000000,
                          0x7fefffffffffffff,
                          0x7ff0000000000000,
                          0xfff0000000000000,
                          0x7ff8000000000000};
const Values special16 = {0,      0x8000, 1,      0x8001, 0x3ff,  0x400,  0x7f,   0x80,
                          0x3c00, 0xbc00, 0x3f80, 0xbf80, 0x7bff, 0x7c00, 0xfc00, 0x7c01,
                          0xfe00, 0x7f7f, 0x7f80, 0xff80, 0x7fc0, 0x7fff};

/// Pairs of halves, each special or random.
Values halves(unsigned seed, size_t count) {
  std::mt19937_64 random(seed);
  auto one = [&]() -> uint64_t {
    return random() % 4 ? random() & 0xffff : special16[random() % special16.size()];
  };
  Values values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(one() | one() << 16);
  return values;
}
/// Mostly near one, so that sums and products matter.
Values floats(unsigned seed, size_t count) {
  std::mt19937_64 random(seed);
  Values values;
  for (size_t i = 0; i < count; ++i) {
    uint64_t value = random() & 0xffffffff;
    if (i % 3 == 0)
      value = special32[random() % special32.size()];
    else if (i % 3 == 1)
      value = (value & 0x87ffffff) | 0x38000000;
    values.push_back(value);
  }
  return values;
}
Values doubles(unsigned seed, size_t count) {
  std::mt19937_64 random(seed);
  Values values;
  for (size_t i = 0; i < count; ++i) {
    uint64_t value = random();
    if (i % 3 == 0)
      value = special64[random() % special64.size()];
    else if (i % 3 == 1)
      value = (value & 0x83ffffffffffffff) | 0x3c00000000000000;
    values.push_back(value);
  }
  return values;
}

float f32(uint64_t bits) { return bitCast<float>(uint32_t(bits)); }
double f64(uint64_t bits) { return bitCast<double>(bits); }
uint64_t canonical(float value) {
  return std::isnan(value) ? 0x7fffffff : bitCast<uint32_t>(value);
}
uint64_t flush(uint64_t bits) { return bits & 0x7f800000 ? bits : bits & 0x80000000; }

struct Mode {
  const char *name;
  int host;
};
const Mode modes[] = {{".rn", FE_TONEAREST},
                      {".rz", FE_TOWARDZERO},
                      {".rm", FE_DOWNWARD},
                      {".rp", FE_UPWARD}};

/// One operation of the host, of operands that it cannot know.
template <typename T> T compute(char op, T a, T b, T c, int mode) {
  volatile T x = a, y = b, z = c;
  std::fesetround(mode);
  volatile T result = 0;
  switch (op) {
  case '+':
    result = x + y;
    break;
  case '-':
    result = x - y;
    break;
  case '*':
    result = x * y;
    break;
  case '/':
    result = x / y;
    break;
  case 'f':
    result = std::fma(T(x), T(y), T(z));
    break;
  case 'r':
    result = T(1) / x;
    break;
  case 's':
    result = std::sqrt(T(x));
    break;
  }
  std::fesetround(FE_TONEAREST);
  return result;
}

struct Operation {
  const char *name;
  char op;
  unsigned sources;
};
const Operation operations[] = {{"add", '+', 2}, {"sub", '-', 2}, {"mul", '*', 2},
                                {"div", '/', 2}, {"fma", 'f', 3}, {"mad", 'f', 3},
                                {"rcp", 'r', 1}, {"sqrt", 's', 1}};

std::string sourcesOf(const std::string &reg, unsigned count) {
  std::string text = reg + "9";
  for (unsigned i = 0; i < count; ++i)
    text += ", " + reg + std::to_string(i);
  return text + ";";
}

} // namespace

TEST(FloatOps, SingleInAllRoundings) {
  Values a = floats(1, 3000), b = floats(2, 3000), c = floats(3, 3000);
  for (const Operation &operation : operations)
    for (const Mode &mode : modes)
      for (bool ftz : {false, true})
        for (bool sat : {false, true}) {
          if (sat && operation.sources == 1)
            continue;
          if (sat && operation.op == '/')
            continue;
          std::string text = std::string(operation.name) + mode.name +
                             (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + ".f32 " +
                             sourcesOf("%f", operation.sources);
          Snippet snippet;
          Values got = snippet.run(text, "f32 %f9", a, b, c);
          for (size_t i = 0; i < a.size(); ++i) {
            uint64_t x = ftz ? flush(a[i]) : a[i], y = ftz ? flush(b[i]) : b[i],
                     z = ftz ? flush(c[i]) : c[i];
            uint64_t expected =
                canonical(compute(operation.op, f32(x), f32(y), f32(z), mode.host));
            if (ftz)
              expected = flush(expected);
            if (sat) {
              float value = f32(expected);
              expected = !(value > 0) ? 0 : value > 1 ? 0x3f800000 : expected;
            }
            ASSERT_EQ(got[i], expected)
                << text << " " << f32(a[i]) << " " << f32(b[i]) << " " << f32(c[i])
                << std::hex << " " << a[i] << " " << b[i] << " " << c[i];
          }
        }
}

TEST(FloatOps, DoubleInAllRoundings) {
  Values a = doubles(1, 3000), b = doubles(2, 3000), c = doubles(3, 3000);
  for (const Operation &operation : operations)
    for (const Mode &mode : modes) {
      std::string text = std::string(operation.name) + mode.name + ".f64 " +
                         sourcesOf("%g", operation.sources);
      Snippet snippet;
      Values got = snippet.run(text, "f64 %g9", a, b, c);
      for (size_t i = 0; i < a.size(); ++i) {
        double expected =
            compute(operation.op, f64(a[i]), f64(b[i]), f64(c[i]), mode.host);
        if (std::isnan(expected)) {
          ASSERT_TRUE(std::isnan(f64(got[i]))) << text;
        } else {
          ASSERT_EQ(got[i], bitCast<uint64_t>(expected))
              << text << " " << f64(a[i]) << " " << f64(b[i]) << " " << f64(c[i]);
        }
      }
    }
}

TEST(FloatOps, Halves) {
  Values a = halves(1, 6000), b = halves(2, 6000), c = halves(3, 6000);
  // Near cancellation and half-way: third operands about -a b.
  for (size_t i = 0; i < a.size(); i += 3)
    for (unsigned shift : {0, 16}) {
      double product = toDouble(formats::f16, a[i] >> shift & 0xffff) *
                       toDouble(formats::f16, b[i] >> shift & 0xffff);
      uint64_t near = fromDouble(formats::f16, -product, Rounding::Zero) ^ (i % 4);
      c[i] = (c[i] & ~(0xffffull << shift)) | near << shift;
    }
  for (const char *name : {"f16", "bf16"}) {
    const Format &format = name[0] == 'b' ? formats::bf16 : formats::f16;
    Reference reference(format);
    auto exact = [&](char op, uint64_t x, uint64_t y, uint64_t z, uint32_t flags) {
      auto value = [&](uint64_t bits) { return toDouble(format, bits); };
      double p = value(x), q = value(y), r = value(z);
      double special = op == '+'   ? p + q
                       : op == '-' ? p - q
                       : op == '*' ? p * q
                                   : p * q + r;
      uint64_t result;
      if (std::isnan(special))
        result = 0x7fff;
      else if (std::isinf(special) && (std::isinf(p) || std::isinf(q) || std::isinf(r)))
        result = format.infinity() | (special < 0 ? 0x8000 : 0);
      else {
        Quad sum = op == '+'   ? Quad(p) + Quad(q)
                   : op == '-' ? Quad(p) - Quad(q)
                   : op == '*' ? Quad(p) * Quad(q)
                               : Quad(p) * Quad(q) + Quad(r);
        bool negative = sum == 0 ? std::signbit(special) : sum < 0;
        result = reference.round(sum, negative, Rounding::NearestEven, false);
      }
      bool isNan = (result & 0x7fff) > format.infinity();
      uint64_t one = fromDouble(format, 1, Rounding::Zero);
      if (flags & 1 && !isNan && (result & 0x7fff) < (1u << format.mantissaBits))
        result &= 0x8000;
      if (flags & 2)
        result = isNan || result & 0x8000 ? 0 : std::min(result, one);
      if (flags & 4)
        result = !isNan && result & 0x8000 ? 0 : result;
      return result;
    };
    auto isExact = [&](uint64_t x, uint64_t y, uint64_t z) {
      // bf16 sums can have more than 113 bits: leave those to FloatTest.
      if (name[0] == 'f')
        return true;
      auto exponent = [](uint64_t v) { return int(v >> 7 & 0xff); };
      int product = exponent(x) + exponent(y) - 127;
      return std::abs(product - exponent(z)) < 90 && product > 0;
    };
    for (const Operation &operation : operations) {
      if (std::string("+-*f").find(operation.op) == std::string::npos ||
          std::string(operation.name) == "mad")
        continue;
      for (uint32_t flags : {0u, 1u, 2u, 3u, 4u, 5u}) {
        if (name[0] == 'b' && (flags & 3))
          continue;
        if ((flags & 4) && operation.op != 'f')
          continue;
        for (bool packed : {false, true}) {
          std::string reg = packed ? "%r" : "%h";
          std::string text = std::string(operation.name) + ".rn" +
                             (flags & 1 ? ".ftz" : "") + (flags & 2 ? ".sat" : "") +
                             (flags & 4 ? ".relu" : "") + "." + name +
                             (packed ? "x2 " : " ") + sourcesOf(reg, operation.sources);
          Snippet snippet;
          Values got = snippet.run(text, (packed ? "b32 " : "b16 ") + reg + "9", a, b, c);
          for (size_t i = 0; i < a.size(); ++i)
            for (unsigned shift = 0; shift < (packed ? 32u : 16u); shift += 16) {
              auto half = [&](uint64_t bits) {
                uint64_t x = bits >> shift & 0xffff;
                if (flags & 1 && (x & 0x7fff) < (1u << format.mantissaBits))
                  x &= 0x8000;
                return x;
              };
              uint64_t x = half(a[i]), y = half(b[i]), z = half(c[i]);
              if (operation.op == 'f' && !isExact(x, y, z))
                continue;
              ASSERT_EQ(got[i] >> shift & 0xffff, exact(operation.op, x, y, z, flags))
                  << text << std::hex << " " << x << " " << y << " " << z;
            }
        }
      }
    }
  }
}

TEST(FloatOps, MinAndMax) {
  struct Row {
    const char *type, *reg;
    unsigned bits, count;
    const Format &format;
    Values a, b;
  };
  const Row rows[] = {
      {"f32", "%f", 32, 1, formats::f32, floats(5, 4000), floats(6, 4000)},
      {"f64", "%g", 64, 1, formats::f64, doubles(5, 4000), doubles(6, 4000)},
      {"f16", "%h", 16, 1, formats::f16, halves(5, 4000), halves(6, 4000)},
      {"bf16", "%h", 16, 1, formats::bf16, halves(5, 4000), halves(6, 4000)},
      {"f16x2", "%r", 16, 2, formats::f16, halves(5, 4000), halves(6, 4000)},
      {"bf16x2", "%r", 16, 2, formats::bf16, halves(7, 4000), halves(8, 4000)}};
  for (const Row &row : rows)
    for (bool isMax : {false, true})
      for (const char *modifiers : {"", ".NaN", ".xorsign.abs", ".NaN.xorsign.abs"}) {
        if (row.bits == 64 && *modifiers)
          continue;
        bool nan = modifiers[0] && modifiers[1] == 'N';
        bool xorSign = std::string(modifiers).find("xor") != std::string::npos;
        std::string reg = row.reg;
        std::string text = std::string(isMax ? "max" : "min") + modifiers + "." +
                           row.type + " " + sourcesOf(reg, 2);
        std::string store = row.bits * row.count == 16     ? "b16 "
                            : row.bits == 64               ? "f64 "
                            : std::string(row.reg) == "%r" ? "b32 "
                                                           : "f32 ";
        Snippet snippet;
        Values got = snippet.run(text, store + reg + "9", row.a, row.b);
        uint64_t mask = row.bits == 64 ? ~0ull : (1ull << row.bits) - 1;
        uint64_t sign = row.format.signBit();
        for (size_t i = 0; i < row.a.size(); ++i)
          for (unsigned k = 0; k < row.count; ++k) {
            uint64_t x = row.a[i] >> (k * row.bits) & mask,
                     y = row.b[i] >> (k * row.bits) & mask;
            uint64_t both = (x ^ y) & sign;
            if (xorSign)
              x &= ~sign, y &= ~sign;
            double p = toDouble(row.format, x), q = toDouble(row.format, y);
            uint64_t expected;
            if (nan ? std::isnan(p) || std::isnan(q) : std::isnan(p) && std::isnan(q))
              // Of f64 the second one, made quiet.
              expected =
                  row.bits == 64 ? y | uint64_t(1) << 51 : uint64_t(row.format.nan());
            else {
              if (std::isnan(p))
                expected = y;
              else if (std::isnan(q))
                expected = x;
              else if (p == q)
                expected = isMax ? (std::signbit(p) ? y : x) : (std::signbit(p) ? x : y);
              else
                expected = (p < q) == isMax ? y : x;
              if (xorSign)
                expected |= both;
            }
            ASSERT_EQ(got[i] >> (k * row.bits) & mask, expected)
                << text << std::hex << " " << x << " " << y;
          }
      }
}

TEST(FloatOps, SignOperations) {
  Values a = floats(9, 2000), b = floats(10, 2000), h = halves(11, 2000);
  Snippet s1, s2, s3, s4, s5;
  Values abs = s1.run("abs.f32 %f9, %f0;", "f32 %f9", a);
  Values neg = s2.run("neg.ftz.f32 %f9, %f0;", "f32 %f9", a);
  Values copied = s3.run("copysign.f32 %f9, %f0, %f1;", "f32 %f9", a, b);
  Values negPair = s4.run("neg.f16x2 %r9, %r0;", "b32 %r9", h);
  Values absPair = s5.run("abs.bf16x2 %r9, %r0;", "b32 %r9", h);
  for (size_t i = 0; i < a.size(); ++i) {
    bool isNan = std::isnan(f32(a[i]));
    ASSERT_EQ(abs[i], isNan ? 0x7fffffff : a[i] & 0x7fffffff);
    ASSERT_EQ(neg[i], isNan ? 0x7fffffff : flush(a[i]) ^ 0x80000000);
    ASSERT_EQ(copied[i], (a[i] & 0x80000000) | (b[i] & 0x7fffffff));
    // A NaN becomes the canonical one.
    auto each = [&](uint64_t infinity, uint64_t flip, uint64_t keep) {
      uint64_t pair = 0;
      for (unsigned shift : {0, 16}) {
        uint64_t half = h[i] >> shift & 0xffff;
        bool isNan = (half & 0x7fff) > infinity;
        pair |= (isNan ? 0x7fff : (half ^ flip) & keep) << shift;
      }
      return pair;
    };
    ASSERT_EQ(negPair[i], each(0x7c00, 0x8000, 0xffff));
    ASSERT_EQ(absPair[i], each(0x7f80, 0, 0x7fff));
  }
}

TEST(FloatOps, TestsOfKinds) {
  Values a = floats(12, 2000), d = doubles(13, 2000);
  for (const char *kind :
       {"finite", "infinite", "number", "notanumber", "normal", "subnormal"}) {
    std::string text = std::string("testp.") + kind;
    Snippet s1, s2;
    Values single =
        s1.run(text + ".f32 %p1, %f0; selp.u32 %r9, 1, 0, %p1;", "b32 %r9", a);
    Values twice = s2.run(text + ".f64 %p1, %g0; selp.u32 %r9, 1, 0, %p1;", "b32 %r9", d);
    auto expected = [&](auto value) {
      std::string k = kind;
      int c = std::fpclassify(value);
      return k == "finite"       ? std::isfinite(value)
             : k == "infinite"   ? c == FP_INFINITE
             : k == "number"     ? c != FP_NAN
             : k == "notanumber" ? c == FP_NAN
             : k == "normal"     ? c == FP_NORMAL || c == FP_ZERO
                                 : c == FP_SUBNORMAL;
    };
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(single[i], expected(f32(a[i]))) << kind;
      ASSERT_EQ(twice[i], expected(f64(d[i]))) << kind;
    }
  }
}

TEST(FloatOps, Approximations) {
  struct Row {
    const char *text;
    long double (*function)(long double);
  };
  const Row rows[] = {{"rcp.approx", [](long double x) { return 1 / x; }},
                      {"sqrt.approx", [](long double x) { return std::sqrt(x); }},
                      {"rsqrt.approx", [](long double x) { return 1 / std::sqrt(x); }},
                      {"sin.approx", [](long double x) { return std::sin(x); }},
                      {"cos.approx", [](long double x) { return std::cos(x); }},
                      {"lg2.approx", [](long double x) { return std::log2(x); }},
                      {"ex2.approx", [](long double x) { return std::exp2(x); }},
                      {"tanh.approx", [](long double x) { return std::tanh(x); }}};
  Values a = floats(14, 6000);
  std::mt19937_64 random(15);
  for (size_t i = 0; i < a.size(); i += 2) // where functions are not trivial
    a[i] = (random() & 0x87ffffff) | 0x3c000000;
  for (size_t i = 0; i < a.size(); i += 8) // integers and subnormal powers
    a[i] = bitCast<uint32_t>(float(int(random() % 300)) - 150 + (i % 16 ? 0.37f : 0));
  for (const Row &row : rows) {
    Snippet snippet;
    Values got = snippet.run(std::string(row.text) + ".f32 %f9, %f0;", "f32 %f9", a);
    for (size_t i = 0; i < a.size(); ++i) {
      long double exact = row.function(f32(a[i]));
      float value = f32(got[i]);
      if (std::isnan(exact)) {
        ASSERT_EQ(got[i], 0x7fffffffu) << row.text << " " << f32(a[i]);
        continue;
      }
      float rounded = float(exact);
      if (std::isinf(rounded) || rounded == 0) {
        ASSERT_EQ(got[i], bitCast<uint32_t>(rounded)) << row.text << " " << f32(a[i]);
        continue;
      }
      long double unit = std::ldexp(1.0L, std::max(std::ilogb(rounded) - 23, -149));
      ASSERT_LE(std::fabs(value - exact), 0.501L * unit) << row.text << " " << f32(a[i]);
    }
    if (std::string(row.text) == "tanh.approx")
      continue;
    Snippet flushed;
    Values ftz = flushed.run(std::string(row.text) + ".ftz.f32 %f9, %f0;", "f32 %f9", a);
    for (size_t i = 0; i < a.size(); ++i) {
      float rounded = float(row.function(f32(flush(a[i]))));
      if (std::isnan(rounded))
        continue;
      if (std::fabs(rounded) < 0x1p-126) {
        ASSERT_EQ(ftz[i] & 0x7fffffff, 0u) << row.text << " " << f32(a[i]);
      } else if (std::isinf(rounded)) {
        ASSERT_EQ(f32(ftz[i]), rounded) << row.text << " " << f32(a[i]);
      } else {
        ASSERT_NEAR(f32(ftz[i]) / rounded, 1, 1e-6) << row.text << " " << f32(a[i]);
      }
    }
  }
}

TEST(FloatOps, HalfFunctionsOnAllValues) {
  Values all;
  for (uint64_t i = 0; i < 65536; ++i)
    all.push_back(i | (65535 - i) << 16);
  struct Row {
    const char *text;
    double (*function)(double);
    const Format &format;
  };
  for (const Row &row :
       {Row{"ex2.approx.f16x2", [](double x) { return std::exp2(x); }, formats::f16},
        Row{"ex2.approx.ftz.bf16x2", [](double x) { return std::exp2(x); },
            formats::bf16},
        Row{"tanh.approx.f16x2", [](double x) { return std::tanh(x); }, formats::f16},
        Row{"tanh.approx.bf16x2", [](double x) { return std::tanh(x); },
            formats::bf16}}) {
    Snippet snippet;
    Values got = snippet.run(std::string(row.text) + " %r9, %r0;", "b32 %r9", all);
    bool ftz = std::string(row.text).find("ftz") != std::string::npos;
    for (size_t i = 0; i < all.size(); ++i)
      for (unsigned shift : {0, 16}) {
        uint64_t bits = all[i] >> shift & 0xffff;
        double x = toDouble(row.format, bits);
        uint64_t expected =
            fromDouble(row.format, row.function(x), Rounding::NearestEven);
        if (ftz && (expected & 0x7fff) < 0x80)
          expected &= 0x8000;
        ASSERT_EQ(got[i] >> shift & 0xffff, expected) << row.text << " " << x;
      }
  }
}

TEST(FloatOps, DivisionApproximation) {
  Values a = floats(16, 4000), b = floats(17, 4000);
  Snippet s1, s2;
  Values approx = s1.run("div.approx.f32 %f9, %f0, %f1;", "f32 %f9", a, b);
  Values full = s2.run("div.full.f32 %f9, %f0, %f1;", "f32 %f9", a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    float x = f32(a[i]), y = f32(b[i]);
    ASSERT_EQ(full[i], canonical(x / y));
    if (std::isfinite(y) && std::fabs(y) > 0x1p126f) {
      if (std::isinf(x) || std::isnan(x)) {
        ASSERT_EQ(approx[i], 0x7fffffffu);
      } else {
        ASSERT_EQ(f32(approx[i]), 0);
      }
    } else {
      ASSERT_EQ(approx[i], canonical(x / y));
    }
  }
}

TEST(FloatOps, GrossReciprocals) {
  Values a = doubles(18, 2000);
  Snippet s1, s2;
  Values rcp = s1.run("rcp.approx.ftz.f64 %g9, %g0;", "f64 %g9", a);
  Values rsqrt = s2.run("rsqrt.approx.f64 %g9, %g0;", "f64 %g9", a);
  for (size_t i = 0; i < a.size(); ++i) {
    double x = f64(a[i]);
    ASSERT_EQ(rcp[i] & 0xffffffff, 0u);
    if (std::isnormal(x) && std::isnormal(1 / x)) {
      ASSERT_NEAR(f64(rcp[i]) * x, 1, 0x1p-18);
    }
    if (x > 0 && std::isfinite(x)) {
      ASSERT_NEAR(f64(rsqrt[i]) * std::sqrt(x), 1, 1e-15);
    }
  }
}

TEST(FloatOps, PairsAndMixedPrecision) {
  Values a, b, c;
  Values low = floats(19, 3000), high = floats(20, 3000);
  for (size_t i = 0; i < low.size(); ++i) {
    a.push_back(low[i] | high[i] << 32);
    b.push_back(low[(i * 7 + 1) % 3000] | high[(i * 5 + 2) % 3000] << 32);
    c.push_back(high[(i * 3 + 1) % 3000] | low[(i * 11 + 2) % 3000] << 32);
  }
  Snippet pair(100);
  Values got = pair.run("fma.rz.f32x2 %d9, %d0, %d1, %d2;", "b64 %d9", a, b, c);
  for (size_t i = 0; i < a.size(); ++i)
    for (unsigned shift : {0, 32})
      ASSERT_EQ(got[i] >> shift & 0xffffffff,
                canonical(compute('f', f32(a[i] >> shift), f32(b[i] >> shift),
                                  f32(c[i] >> shift), FE_TOWARDZERO)));
  Values h = halves(21, 3000);
  Snippet mixed(100);
  Values sums = mixed.run("add.rm.f32.bf16 %f9, %h0, %f1;", "f32 %f9", h, low);
  for (size_t i = 0; i < h.size(); ++i)
    ASSERT_EQ(sums[i], canonical(compute('+', f32((h[i] & 0xffff) << 16), f32(low[i]),
                                         0.0f, FE_DOWNWARD)));
  Snippet mixedFma(100);
  Values fused =
      mixedFma.run("fma.rn.sat.f32.f16 %f9, %h0, %h1, %f2;", "f32 %f9", h, h, low);
  for (size_t i = 0; i < h.size(); ++i) {
    float x = float(toDouble(formats::f16, h[i] & 0xffff));
    float value = std::fma(x, x, f32(low[i]));
    ASSERT_EQ(fused[i], !(value > 0) ? 0
                        : value > 1  ? 0x3f800000
                                     : bitCast<uint32_t>(value));
  }
}

TEST(FloatOps, RefusesWhatIsNoPtx) {
  Snippet snippet;
  for (const char *text :
       {"fma.f32 %f0, %f1, %f2, %f3;", "add.rz.f16 %h0, %h1, %h2;",
        "add.sat.f64 %g0, %g1, %g2;", "add.ftz.f64 %g0, %g1, %g2;",
        "fma.rn.oob.bf16 %h0, %h1, %h2, %h3;", "fma.rn.sat.relu.f16 %h0, %h1, %h2, %h3;",
        "add.rn.f32x2 %d0, %d1, %d2;", "sqrt.f32 %f0, %f1;", "ex2.f32 %f0, %f1;",
        "ex2.approx.f64 %g0, %g1;", "ex2.approx.bf16 %h0, %h1;",
        "tanh.approx.ftz.f32 %f0, %f1;", "div.full.f64 %g0, %g1, %g2;",
        "max.xorsign.f32 %f0, %f1, %f2;", "max.f32 %f0, %f1, %f2, %f3;",
        "rcp.approx.f64 %g0, %g1;", "div.f32 %f0, %f1, %f2;",
        "mul.rn.relu.f16 %h0, %h1, %h2;"})
    EXPECT_NE(snippet.refuse(text), "") << text;
  Snippet old(80);
  EXPECT_NE(old.refuse("add.bf16 %h0, %h1, %h2;"), "");
  EXPECT_EQ(old.refuse("fma.rn.bf16 %h0, %h1, %h2, %h3;"), "");
}
