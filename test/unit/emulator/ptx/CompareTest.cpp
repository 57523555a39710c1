//===- CompareTest.cpp - setp, set, selp, slct --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Snippets.h"
#include "emulators/common/Float.h"

#include <cmath>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

namespace {

/// Whether `x op y`, of doubles or of integers that fit 128 bits.
template <typename T> bool holds(const std::string &op, T x, T y, bool unordered) {
  std::string base = op;
  if (op == "num")
    return !unordered;
  if (op == "nan")
    return unordered;
  bool acceptsNan = op.size() == 3 && op[2] == 'u';
  if (acceptsNan)
    base = op.substr(0, 2);
  if (unordered)
    return acceptsNan;
  return base == "eq"                   ? x == y
         : base == "ne"                 ? x != y
         : base == "lt" || base == "lo" ? x < y
         : base == "le" || base == "ls" ? x <= y
         : base == "gt" || base == "hi" ? x > y
                                        : x >= y;
}

const Values specials = {0,
                         1,
                         0x8000,
                         0x80000000,
                         0x7fff,
                         0xffff,
                         0x3c00,
                         0xbc00,
                         0x3f80,
                         0x7c00,
                         0xfc00,
                         0x7e00,
                         0x7f80,
                         0x7fc0,
                         0xffffffff,
                         0x7fffffff,
                         0x3f800000,
                         0x7f800000,
                         0xff800000,
                         0x7fc00000,
                         0xffc00000,
                         ~0ull,
                         0x8000000000000000,
                         0x7ff0000000000000,
                         0x7ff8000000000000,
                         0x3ff0000000000000,
                         0x00000001,
                         0x80000001,
                         0x0200};

/// Values of which many are equal or nearly so.
struct Sources {
  Values a = someValues(1, 2000, specials), b = someValues(2, 2000, specials);
  Sources() {
    for (size_t i = 0; i < a.size(); i += 3)
      b[i] = a[i] + (i % 2 ? 0 : i % 4 - 1);
  }
};

const char *const floatOperators[] = {"eq",  "ne",  "lt",  "le",  "gt",  "ge",  "equ",
                                      "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};

struct FloatType {
  const char *name, *reg;
  unsigned bits, count;
  const Format &format;
};
const FloatType floatTypes[] = {
    {"f16", "%h", 16, 1, formats::f16},   {"bf16", "%h", 16, 1, formats::bf16},
    {"f16x2", "%r", 16, 2, formats::f16}, {"bf16x2", "%r", 16, 2, formats::bf16},
    {"f32", "%f", 32, 1, formats::f32},   {"f64", "%g", 64, 1, formats::f64}};

uint64_t field(uint64_t bits, unsigned width, unsigned k) {
  return width == 64 ? bits : bits >> (width * k) & ((1ull << width) - 1);
}

} // namespace

TEST(Compare, IntegersByEveryOperator) {
  Sources s;
  struct Row {
    const char *type, *reg;
    unsigned bits;
    bool isSigned;
    std::vector<const char *> operators;
  };
  std::vector<const char *> bitwise = {"eq", "ne"},
                            ordered = {"eq", "ne", "lt", "le", "gt", "ge"}, all = ordered;
  for (const char *op : {"lo", "ls", "hi", "hs"})
    all.push_back(op);
  for (const Row &row :
       {Row{"b16", "%h", 16, false, bitwise}, Row{"b32", "%r", 32, false, bitwise},
        Row{"b64", "%d", 64, false, bitwise}, Row{"u16", "%h", 16, false, all},
        Row{"u32", "%r", 32, false, all}, Row{"u64", "%d", 64, false, all},
        Row{"s16", "%h", 16, true, ordered}, Row{"s32", "%r", 32, true, ordered},
        Row{"s64", "%d", 64, true, ordered}})
    for (const char *op : row.operators) {
      Snippet snippet;
      std::string reg = row.reg;
      Values got = snippet.run(std::string("setp.") + op + "." + row.type + " %p1|%p2, " +
                                   reg + "0, " + reg +
                                   "1; selp.u32 %r9, 1, 0, %p1; @%p2 or.b32 %r9, %r9, 2;",
                               "b32 %r9", s.a, s.b);
      unsigned shift = 64 - row.bits;
      for (size_t i = 0; i < s.a.size(); ++i) {
        auto value = [&](uint64_t v) -> __int128 {
          return row.isSigned ? __int128(int64_t(v << shift) >> shift)
                              : __int128(v << shift >> shift);
        };
        bool is = holds<__int128>(op, value(s.a[i]), value(s.b[i]), false);
        ASSERT_EQ(got[i], is ? 1u : 2u) << op << row.type << std::hex << s.a[i] << s.b[i];
      }
    }
}

TEST(Compare, FloatsByEveryOperator) {
  Sources s;
  for (const FloatType &type : floatTypes)
    for (const char *op : floatOperators)
      for (bool ftz : {false, true}) {
        if (ftz && (type.bits == 64 || type.name[0] == 'b'))
          continue;
        Snippet snippet;
        std::string reg = type.reg;
        Values got =
            snippet.run(std::string("setp.") + op + (ftz ? ".ftz." : ".") + type.name +
                            " %p1|%p2, " + reg + "0, " + reg +
                            "1; selp.u32 %r9, 1, 0, %p1; @%p2 or.b32 %r9, %r9, 2;",
                        "b32 %r9", s.a, s.b);
        for (size_t i = 0; i < s.a.size(); ++i) {
          bool is[2] = {};
          for (unsigned k = 0; k < type.count; ++k) {
            auto value = [&](uint64_t bits) {
              double v = toDouble(type.format, field(bits, type.bits, k));
              double least = std::ldexp(1.0, 1 - type.format.bias);
              return ftz && std::fabs(v) < least ? std::copysign(0.0, v) : v;
            };
            double x = value(s.a[i]), y = value(s.b[i]);
            is[k] = holds<double>(op, x, y, std::isnan(x) || std::isnan(y));
          }
          if (type.count == 1)
            is[1] = !is[0];
          ASSERT_EQ(got[i], uint64_t(is[0] | is[1] << 1)) << op << type.name;
        }
      }
}

TEST(Compare, CombinesWithAPredicate) {
  Sources s;
  for (const char *with : {"and", "or", "xor"})
    for (bool negated : {false, true}) {
      Snippet snippet;
      // The third operand is also a result.
      Values got =
          snippet.run(std::string("and.b32 %r10, %r0, 1; setp.eq.u32 %p1, %r10, 1;\n"
                                  "setp.lt.") +
                          with + ".s32 %p1|%p2, %r0, %r1, " + (negated ? "!" : "") +
                          "%p1;\n"
                          "selp.u32 %r9, 1, 0, %p1; @%p2 or.b32 %r9, %r9, 2;",
                      "b32 %r9", s.a, s.b);
      for (size_t i = 0; i < s.a.size(); ++i) {
        bool is = int32_t(s.a[i]) < int32_t(s.b[i]), third = (s.a[i] & 1) != negated;
        auto combine = [&](bool x) {
          return with[0] == 'a' ? x && third : with[0] == 'o' ? x || third : x != third;
        };
        ASSERT_EQ(got[i], uint64_t(combine(is) | combine(!is) << 1));
      }
    }
}

TEST(Compare, SetsValues) {
  Sources s;
  struct Row {
    const char *text, *result;
    uint64_t isTrue;
  };
  for (const Row &row : {Row{"set.lt.u32.s32 %r9, %r0, %r1;", "b32 %r9", 0xffffffff},
                         Row{"set.lt.f32.s32 %f9, %r0, %r1;", "f32 %f9", 0x3f800000},
                         Row{"set.lt.f16.s32 %h9, %r0, %r1;", "b16 %h9", 0x3c00},
                         Row{"set.lt.bf16.s32 %h9, %r0, %r1;", "b16 %h9", 0x3f80}}) {
    Snippet snippet;
    Values got = snippet.run(row.text, row.result, s.a, s.b);
    for (size_t i = 0; i < s.a.size(); ++i)
      ASSERT_EQ(got[i], int32_t(s.a[i]) < int32_t(s.b[i]) ? row.isTrue : 0) << row.text;
  }
  for (const char *result : {"f16x2", "u32"}) {
    Snippet snippet;
    Values got = snippet.run(std::string("setp.ne.u32 %p1, %r0, 0; set.geu.or.") +
                                 result + ".f16x2 %r9, %r0, %r1, !%p1;",
                             "b32 %r9", s.a, s.b);
    for (size_t i = 0; i < s.a.size(); ++i) {
      uint64_t expected = 0;
      for (unsigned shift : {0, 16}) {
        double x = toDouble(formats::f16, s.a[i] >> shift & 0xffff),
               y = toDouble(formats::f16, s.b[i] >> shift & 0xffff);
        if (!(x < y) || uint32_t(s.a[i]) == 0)
          expected |= (result[0] == 'u' ? 0xffffull : 0x3c00ull) << shift;
      }
      ASSERT_EQ(got[i], expected);
    }
  }
}

TEST(Compare, Selects) {
  Sources s;
  for (auto [type, reg, bits] : {std::tuple("b16", "%h", 16), std::tuple("u32", "%r", 32),
                                 std::tuple("f32", "%f", 32), std::tuple("s64", "%d", 64),
                                 std::tuple("f64", "%g", 64)}) {
    std::string r = reg;
    Snippet s1, s2, s3, s4;
    std::string store = bits == 16 ? "b16 " : std::string(type) + " ";
    Values bySign = s1.run(std::string("slct.") + type + ".s32 " + r + "9, " + r + "0, " +
                               r + "1, %r2;",
                           store + r + "9", s.a, s.b, s.b);
    Values byFloat = s2.run(std::string("slct.") + type + ".f32 " + r + "9, " + r +
                                "0, " + r + "1, %f2;",
                            store + r + "9", s.a, s.b, s.b);
    Values flushed = s4.run(std::string("slct.ftz.") + type + ".f32 " + r + "9, " + r +
                                "0, " + r + "1, %f2;",
                            store + r + "9", s.a, s.b, s.b);
    Values byPredicate = s3.run(std::string("setp.gt.u32 %p1, %r0, %r1; selp.") + type +
                                    " " + r + "9, " + r + "0, " + r + "1, %p1;",
                                store + r + "9", s.a, s.b);
    uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1;
    for (size_t i = 0; i < s.a.size(); ++i) {
      float c = bitCast<float>(uint32_t(s.b[i]));
      ASSERT_EQ(bySign[i], (int32_t(s.b[i]) >= 0 ? s.a[i] : s.b[i]) & mask);
      ASSERT_EQ(byFloat[i], (c >= 0 ? s.a[i] : s.b[i]) & mask) << c;
      ASSERT_EQ(flushed[i],
                (c >= 0 || std::fabs(c) < 0x1p-126f ? s.a[i] : s.b[i]) & mask);
      ASSERT_EQ(byPredicate[i],
                (uint32_t(s.a[i]) > uint32_t(s.b[i]) ? s.a[i] : s.b[i]) & mask);
    }
  }
}

TEST(Compare, RefusesWhatIsNoPtx) {
  Snippet snippet;
  for (const char *text :
       {"setp.lt.b32 %p0, %r0, %r1;", "setp.lo.s32 %p0, %r0, %r1;",
        "setp.ltu.u32 %p0, %r0, %r1;", "setp.lo.f32 %p0, %f0, %f1;",
        "setp.u32 %p0, %r0, %r1;", "setp.lt.and.u32 %p0, %r0, %r1;",
        "setp.lt.u32 %p0, %r0, %r1, %p1;", "setp.lt.ftz.f64 %p0, %g0, %g1;",
        "set.lt.u64.s32 %d0, %r0, %r1;", "set.lt.f32.f16x2 %f0, %r0, %r1;",
        "selp.u32 %r0, %r1, %r2, %r3;", "selp.f16x2 %r0, %r1, %r2, %p0;",
        "slct.u32.u32 %r0, %r1, %r2, %r3;"})
    EXPECT_NE(snippet.refuse(text), "") << text;
}

// The assembler takes constants where a predicate is read.
TEST(Compare, ConstantPredicates) {
  Harness h;
  ASSERT_EQ(h.loadBody("u64 out",
                       "ld.param.u64 %d0, [out]; mov.u32 %r0, 3;\n"
                       "setp.eq.and.u32 %p1, %r0, 3, 1; selp.u32 %r1, 1, 0, %p1;\n"
                       "setp.eq.and.u32 %p2, %r0, 3, 0; selp.u32 %r2, 1, 0, %p2;\n"
                       "selp.u32 %r3, 5, 6, 0;\n"
                       "lop3.or.b32 %r4|%p3, %r0, %r0, %r0, 0, 1;\n"
                       "selp.u32 %r4, 7, 8, %p3;\n"
                       "vote.sync.ballot.b32 %r5, 1, -1;\n"
                       "set.eq.or.u32.u32 %r6, %r0, 4, 1;\n"
                       "st.global.v2.u32 [%d0], {%r1, %r2};\n"
                       "st.global.v2.u32 [%d0+8], {%r3, %r4};\n"
                       "st.global.v2.u32 [%d0+16], {%r5, %r6};"),
            "");
  uint64_t out = h.empty<uint32_t>(6);
  h.arg(out);
  ASSERT_EQ(h.launch({1, 1, 1}, {32, 1, 1}), "");
  EXPECT_EQ(h.faultText(), "");
  EXPECT_EQ(h.get<uint32_t>(out, 6),
            (std::vector<uint32_t>{1, 0, 6, 7, 0xffffffff, 0xffffffff}));
  EXPECT_NE(h.loadBody("u64 a", "setp.eq.u32 1, %r0, %r1;"), "");
}
