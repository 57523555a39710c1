//===- IntegerTest.cpp - Integer and bit instructions -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Against arithmetic on 128-bit integers and loops over bits as the manual writes them.
//
//===----------------------------------------------------------------------===//

#include "Snippets.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

using Wide = __int128;

struct Width {
  const char *name;
  unsigned bits;
  bool isSigned;
  const char *reg; ///< prefix of its registers
};
const Width widths[] = {{"u16", 16, false, "%h"}, {"s16", 16, true, "%h"},
                        {"u32", 32, false, "%r"}, {"s32", 32, true, "%r"},
                        {"u64", 64, false, "%d"}, {"s64", 64, true, "%d"}};

Wide valueOf(uint64_t bits, const Width &width) {
  unsigned shift = 64 - width.bits;
  if (width.isSigned)
    return static_cast<int64_t>(bits << shift) >> shift;
  return bits << shift >> shift;
}
uint64_t cut(Wide value, unsigned bits) {
  uint64_t low = static_cast<uint64_t>(value);
  return bits == 64 ? low : low & ((uint64_t(1) << bits) - 1);
}
Wide least(const Width &width) {
  return width.isSigned ? -(Wide(1) << (width.bits - 1)) : Wide(0);
}
Wide most(const Width &width) { return (Wide(1) << (width.bits - width.isSigned)) - 1; }

const Values special = {0,
                        1,
                        2,
                        0x7f,
                        0x80,
                        0xff,
                        0x7fff,
                        0x8000,
                        0xffff,
                        0x10000,
                        0x7fffffff,
                        0x80000000,
                        0xffffffff,
                        0x100000000,
                        0x7fffffffffffffff,
                        0x8000000000000000,
                        ~uint64_t(0),
                        0xfffffffffffffffe,
                        0xffffffff80000000};

using Meaning = std::function<Wide(Wide, Wide, Wide)>;

class IntegerOps : public ::testing::Test {
protected:
  Values a = someValues(1, 1000, special), b = someValues(2, 1000, special),
         c = someValues(3, 1000, special);

  /// Checks `text`, in which $t is the type and $0 to $2 its registers, $9 the result.
  void check(std::string text, const Width &width, const Meaning &function,
             unsigned resultBits = 0) {
    resultBits = resultBits ? resultBits : width.bits;
    const char *resultReg = resultBits == 16 ? "%h9" : resultBits == 32 ? "%r9" : "%d9";
    auto replace = [&](const std::string &what, const std::string &with) {
      for (size_t at; (at = text.find(what)) != std::string::npos;)
        text.replace(at, what.size(), with);
    };
    replace("$t", width.name);
    replace("$9", resultReg);
    for (const char *k : {"0", "1", "2"})
      replace(std::string("$") + k, width.reg + std::string(k));
    Snippet snippet;
    Values got =
        snippet.run(text, "b" + std::to_string(resultBits) + " " + resultReg, a, b, c);
    for (size_t i = 0; i < a.size(); ++i) {
      Wide expected =
          function(valueOf(a[i], width), valueOf(b[i], width), valueOf(c[i], width));
      ASSERT_EQ(got[i], cut(expected, resultBits))
          << text << std::hex << " a " << a[i] << " b " << b[i] << " c " << c[i];
    }
  }
};

} // namespace

TEST_F(IntegerOps, Arithmetic) {
  for (const Width &width : widths) {
    check("add.$t $9, $0, $1;", width, [](Wide x, Wide y, Wide) { return x + y; });
    check("sub.$t $9, $0, $1;", width, [](Wide x, Wide y, Wide) { return x - y; });
    check("mul.lo.$t $9, $0, $1;", width, [](Wide x, Wide y, Wide) {
      return Wide((unsigned __int128)x * (unsigned __int128)y);
    });
    auto high = [&](Wide x, Wide y) {
      if (width.isSigned || width.bits < 64)
        return (x * y) >> width.bits;
      return Wide(((unsigned __int128)x * (unsigned __int128)y) >> 64);
    };
    check("mul.hi.$t $9, $0, $1;", width,
          [&](Wide x, Wide y, Wide) { return high(x, y); });
    check("mad.lo.$t $9, $0, $1, $2;", width, [](Wide x, Wide y, Wide z) {
      return Wide((unsigned __int128)x * (unsigned __int128)y + (unsigned __int128)z);
    });
    check("mad.hi.$t $9, $0, $1, $2;", width,
          [&](Wide x, Wide y, Wide z) { return high(x, y) + z; });
    if (width.bits < 64)
      check(
          "mul.wide.$t $9, $0, $1;", width, [](Wide x, Wide y, Wide) { return x * y; },
          2 * width.bits);
    check("div.$t $9, $0, $1;", width,
          [](Wide x, Wide y, Wide) { return y == 0 ? Wide(-1) : x / y; });
    check("rem.$t $9, $0, $1;", width,
          [](Wide x, Wide y, Wide) { return y == 0 ? Wide(-1) : x % y; });
    check("min.$t $9, $0, $1;", width,
          [](Wide x, Wide y, Wide) { return x < y ? x : y; });
    check("max.$t $9, $0, $1;", width,
          [](Wide x, Wide y, Wide) { return x > y ? x : y; });
    check("sad.$t $9, $0, $1, $2;", width,
          [](Wide x, Wide y, Wide z) { return z + (x < y ? y - x : x - y); });
    if (width.isSigned) {
      check("abs.$t $9, $0;", width, [](Wide x, Wide, Wide) { return x < 0 ? -x : x; });
      check("neg.$t $9, $0;", width, [](Wide x, Wide, Wide) { return -x; });
    }
  }
}

TEST_F(IntegerOps, WideSums) {
  for (const char *type : {"u32", "s32"}) {
    Snippet snippet;
    Values got = snippet.run(std::string("mad.wide.") + type + " %d9, %r0, %r1, %d2;",
                             "b64 %d9", a, b, c);
    for (size_t i = 0; i < a.size(); ++i) {
      Wide product = type[0] == 's' ? Wide(int32_t(a[i])) * int32_t(b[i])
                                    : Wide(uint32_t(a[i])) * uint32_t(b[i]);
      ASSERT_EQ(got[i], cut(product + Wide(c[i]), 64));
    }
  }
  Snippet snippet;
  Values got = snippet.run("mad.wide.s16 %r9, %h0, %h1, -5;", "b32 %r9", a, b);
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(got[i], uint32_t(int16_t(a[i]) * int16_t(b[i]) - 5));
}

TEST_F(IntegerOps, SaturationAndRelu) {
  const Width &s32 = widths[3];
  auto clamp = [&](Wide x) {
    return x < least(s32) ? least(s32) : x > most(s32) ? most(s32) : x;
  };
  check("add.sat.$t $9, $0, $1;", s32,
        [&](Wide x, Wide y, Wide) { return clamp(x + y); });
  check("sub.sat.$t $9, $0, $1;", s32,
        [&](Wide x, Wide y, Wide) { return clamp(x - y); });
  check("mad.hi.sat.$t $9, $0, $1, $2;", s32,
        [&](Wide x, Wide y, Wide z) { return clamp((x * y >> 32) + z); });
  check("min.relu.$t $9, $0, $1;", s32,
        [](Wide x, Wide y, Wide) { return std::max<Wide>(std::min(x, y), 0); });
  check("max.relu.$t $9, $0, $1;", s32,
        [](Wide x, Wide y, Wide) { return std::max<Wide>(std::max(x, y), 0); });
}

TEST_F(IntegerOps, Packed16) {
  auto byHalves = [&](const char *text, bool isSigned, const Meaning &function) {
    Snippet snippet;
    Values got = snippet.run(text, "b32 %r9", a, b);
    const Width &width = widths[isSigned];
    for (size_t i = 0; i < a.size(); ++i) {
      uint64_t expected = 0;
      for (unsigned shift : {0, 16})
        expected |=
            cut(function(valueOf(a[i] >> shift, width), valueOf(b[i] >> shift, width), 0),
                16)
            << shift;
      ASSERT_EQ(got[i], expected) << text;
    }
  };
  auto add = [](Wide x, Wide y, Wide) { return x + y; };
  auto min = [](Wide x, Wide y, Wide) { return x < y ? x : y; };
  auto max = [](Wide x, Wide y, Wide) { return x > y ? x : y; };
  byHalves("add.u16x2 %r9, %r0, %r1;", false, add);
  byHalves("add.s16x2 %r9, %r0, %r1;", true, add);
  byHalves("min.u16x2 %r9, %r0, %r1;", false, min);
  byHalves("min.s16x2 %r9, %r0, %r1;", true, min);
  byHalves("max.u16x2 %r9, %r0, %r1;", false, max);
  byHalves("max.s16x2 %r9, %r0, %r1;", true, max);
  byHalves("max.relu.s16x2 %r9, %r0, %r1;", true,
           [](Wide x, Wide y, Wide) { return std::max<Wide>(std::max(x, y), 0); });
}

TEST_F(IntegerOps, Products24) {
  for (unsigned k : {2, 3}) {
    const Width &width = widths[k];
    auto product = [&](Wide x, Wide y) {
      auto low = [&](Wide v) -> Wide {
        int64_t bits = int64_t(uint64_t(v) << 40);
        return width.isSigned ? bits >> 40 : Wide(uint64_t(bits) >> 40);
      };
      return low(x) * low(y);
    };
    check("mul24.lo.$t $9, $0, $1;", width,
          [&](Wide x, Wide y, Wide) { return product(x, y); });
    check("mul24.hi.$t $9, $0, $1;", width,
          [&](Wide x, Wide y, Wide) { return product(x, y) >> 16; });
    check("mad24.lo.$t $9, $0, $1, $2;", width,
          [&](Wide x, Wide y, Wide z) { return product(x, y) + z; });
    check("mad24.hi.$t $9, $0, $1, $2;", width,
          [&](Wide x, Wide y, Wide z) { return (product(x, y) >> 16) + z; });
  }
}

TEST_F(IntegerOps, DotProducts) {
  for (bool signedA : {false, true})
    for (bool signedB : {false, true}) {
      std::string types =
          std::string(signedA ? ".s32" : ".u32") + (signedB ? ".s32" : ".u32");
      auto byte = [](uint64_t v, unsigned i, bool isSigned) -> int64_t {
        uint8_t one = uint8_t(v >> (8 * i));
        return isSigned ? int8_t(one) : one;
      };
      auto word = [](uint64_t v, unsigned i, bool isSigned) -> int64_t {
        uint16_t one = uint16_t(v >> (16 * i));
        return isSigned ? int16_t(one) : one;
      };
      Snippet four, low, high;
      Values dot4 = four.run("dp4a" + types + " %r9, %r0, %r1, %r2;", "b32 %r9", a, b, c);
      Values dotLow =
          low.run("dp2a.lo" + types + " %r9, %r0, %r1, %r2;", "b32 %r9", a, b, c);
      Values dotHigh =
          high.run("dp2a.hi" + types + " %r9, %r0, %r1, %r2;", "b32 %r9", a, b, c);
      for (size_t i = 0; i < a.size(); ++i) {
        int64_t sum = int32_t(c[i]), sumLow = sum, sumHigh = sum;
        for (unsigned k = 0; k < 4; ++k)
          sum += byte(a[i], k, signedA) * byte(b[i], k, signedB);
        for (unsigned k = 0; k < 2; ++k) {
          sumLow += word(a[i], k, signedA) * byte(b[i], k, signedB);
          sumHigh += word(a[i], k, signedA) * byte(b[i], k + 2, signedB);
        }
        ASSERT_EQ(dot4[i], uint32_t(sum));
        ASSERT_EQ(dotLow[i], uint32_t(sumLow));
        ASSERT_EQ(dotHigh[i], uint32_t(sumHigh));
      }
    }
}

// 128-bit sums, differences and products out of 32- and 64-bit pieces.
TEST_F(IntegerOps, ExtendedPrecision) {
  Snippet add, subtract, product, borrow;
  Values sum = add.run("mov.b64 {%r10, %r11}, %d0; mov.b64 {%r12, %r13}, %d1;\n"
                       "add.cc.u32 %r14, %r10, %r12; addc.u32 %r15, %r11, %r13;\n"
                       "mov.b64 %d9, {%r14, %r15};",
                       "b64 %d9", a, b);
  Values difference =
      subtract.run("mov.b64 {%r10, %r11}, %d0; mov.b64 {%r12, %r13}, %d1;\n"
                   "sub.cc.u32 %r14, %r10, %r12; subc.cc.u32 %r15, %r11, %r13;\n"
                   "mov.b64 %d9, {%r14, %r15};",
                   "b64 %d9", a, b);
  // The borrow of the whole, as 0 - 0 - borrow.
  Values borrowed =
      borrow.run("sub.cc.u64 %d10, %d0, %d1; subc.u64 %d9, 0, 0;", "b64 %d9", a, b);
  Values mixed = product.run(
      "mov.b64 {%r10, %r11}, %d0; mov.b64 {%r12, %r13}, %d1; mov.b64 {%r20, %r21}, %d2;\n"
      "mad.lo.cc.u32 %r14, %r10, %r12, %r20; madc.hi.u32 %r15, %r10, %r12, %r21;\n"
      "mov.b64 %d9, {%r14, %r15};",
      "b64 %d9", a, b, c);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(sum[i], a[i] + b[i]);
    ASSERT_EQ(difference[i], a[i] - b[i]);
    ASSERT_EQ(borrowed[i], a[i] < b[i] ? ~uint64_t(0) : 0);
    ASSERT_EQ(mixed[i], uint64_t(uint32_t(a[i])) * uint32_t(b[i]) + c[i]);
  }
}

TEST_F(IntegerOps, CarryIsOfEachLaneAndSurvivesGuards) {
  Snippet snippet;
  // Only lanes with a < b set the carry of their own addition.
  Values got = snippet.run("add.cc.u32 %r10, 0, 0; setp.lt.u32 %p1, %r0, %r1;\n"
                           "@%p1 add.cc.u32 %r11, -1, 1; addc.u32 %r9, %r0, 0;",
                           "b32 %r9", a, b);
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(got[i], uint32_t(uint32_t(a[i]) + (uint32_t(a[i]) < uint32_t(b[i]))));
}

TEST_F(IntegerOps, RefusesWhatIsNoPtx) {
  Snippet snippet;
  for (const char *text :
       {"add.sat.u32 %r0, %r1, %r2;", "add.u8 %h0, %h1, %h2;", "mul.u32 %r0, %r1, %r2;",
        "mul.wide.u64 %d0, %d1, %d2;", "dp4a.u32 %r0, %r1, %r2, %r3;",
        "add.cc.u16 %h0, %h1, %h2;", "add.u32 %r0, %r1;", "add.lo.u32 %r0, %r1, %r2;",
        "sub.u16x2 %r0, %r1, %r2;", "abs.u32 %r0, %r1;", "add.u32 _, %r1, %r2;",
        "and.s32 %r0, %r1, %r2;", "lop3.b32 %r0, %r1, %r2, %r3, 256;",
        "prmt.b32.xyz %r0, %r1, %r2, %r3;", "shf.l.b32 %r0, %r1, %r2, %r3;",
        "popc.u32 %r0, %r1;", "bfe.b32 %r0, %r1, %r2, %r3;", "shl.u32 %r0, %r1, %r2;"})
    EXPECT_NE(snippet.refuse(text), "") << text;
  Snippet old(80);
  EXPECT_NE(old.refuse("min.u16x2 %r0, %r1, %r2;"), "");
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

TEST_F(IntegerOps, Logic) {
  for (unsigned bits : {16u, 32u, 64u}) {
    std::string b = std::to_string(bits);
    Width width{bits == 16   ? "b16"
                : bits == 32 ? "b32"
                             : "b64",
                bits, false,
                bits == 16   ? "%h"
                : bits == 32 ? "%r"
                             : "%d"};
    check("and.$t $9, $0, $1;", width, [](Wide x, Wide y, Wide) { return x & y; });
    check("or.$t $9, $0, $1;", width, [](Wide x, Wide y, Wide) { return x | y; });
    check("xor.$t $9, $0, $1;", width, [](Wide x, Wide y, Wide) { return x ^ y; });
    check("not.$t $9, $0;", width, [](Wide x, Wide, Wide) { return ~x; });
    check("cnot.$t $9, $0;", width, [](Wide x, Wide, Wide) { return Wide(x == 0); });
  }
  const Width b32{"b32", 32, false, "%r"};
  for (unsigned table : {0x00u, 0x80u, 0x96u, 0xe8u, 0xcau, 0x1du, 0xffu, 0x35u})
    check("lop3.$t $9, $0, $1, $2, " + std::to_string(table) + ";", b32,
          [&](Wide x, Wide y, Wide z) {
            Wide result = 0;
            for (unsigned i = 0; i < 32; ++i) {
              unsigned index = (x >> i & 1) * 4 + (y >> i & 1) * 2 + (z >> i & 1);
              result |= Wide(table >> index & 1) << i;
            }
            return result;
          });
}

TEST_F(IntegerOps, Lop3WithPredicate) {
  Snippet snippet;
  Values got = snippet.run("setp.lt.u32 %p1, %r2, %r1;\n"
                           "lop3.or.b32 %r10|%p2, %r0, %r1, %r2, 0x80, !%p1;\n"
                           "selp.b32 %r9, 1, 0, %p2;",
                           "b32 %r9", a, b, c);
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(got[i], uint64_t(uint32_t(a[i] & b[i] & c[i]) != 0 ||
                               !(uint32_t(c[i]) < uint32_t(b[i]))));
}

TEST_F(IntegerOps, Shifts) {
  // Amounts about the widths among others.
  for (size_t i = 0; i < b.size(); i += 2)
    b[i] = i % 70;
  for (const Width &width : widths) {
    std::string type = "b" + std::to_string(width.bits), reg = width.reg;
    Snippet left, right;
    Values shl = left.run("shl." + type + " " + reg + "9, " + reg + "0, %r1;",
                          type + " " + reg + "9", a, b);
    Values shr =
        right.run("shr." + std::string(width.name) + " " + reg + "9, " + reg + "0, %r1;",
                  type + " " + reg + "9", a, b);
    for (size_t i = 0; i < a.size(); ++i) {
      unsigned amount = std::min<uint64_t>(uint32_t(b[i]), width.bits);
      ASSERT_EQ(shl[i],
                cut(Wide((unsigned __int128)valueOf(a[i], width) << amount), width.bits));
      ASSERT_EQ(shr[i], cut(valueOf(a[i], width) >> amount, width.bits));
    }
  }
  for (bool leftward : {true, false})
    for (bool wraps : {true, false}) {
      Snippet snippet;
      Values got =
          snippet.run(std::string("shf.") + (leftward ? "l." : "r.") +
                          (wraps ? "wrap" : "clamp") + ".b32 %r9, %r0, %r2, %r1;",
                      "b32 %r9", a, b, c);
      for (size_t i = 0; i < a.size(); ++i) {
        uint32_t n = uint32_t(b[i]);
        n = wraps ? n & 31 : std::min(n, 32u);
        uint64_t low = uint32_t(a[i]), high = uint32_t(c[i]);
        uint64_t expected =
            leftward
                ? uint32_t((n == 32 ? 0 : high << n) | (n == 0 ? 0 : low >> (32 - n)))
                : uint32_t((n == 0    ? 0
                            : n == 32 ? high
                                      : high << (32 - n)) |
                           (n == 32 ? 0 : low >> n));
        ASSERT_EQ(got[i], expected) << leftward << wraps << " " << n;
      }
    }
}

TEST_F(IntegerOps, BitFields) {
  for (size_t i = 0; i < a.size(); ++i)
    if (i % 8) {
      b[i] = (b[i] & ~0xffull) | (b[i] % 70);
      c[i] = (c[i] & ~0xffull) | (c[i] % 70);
    }
  for (const Width &width : widths) {
    if (width.bits == 16)
      continue;
    std::string reg = width.reg, type = "b" + std::to_string(width.bits);
    int msb = width.bits - 1;
    // Of 32 bits the low eight of position and length count, of 64 all.
    if (width.bits == 64)
      for (size_t i = 0; i < a.size(); ++i)
        if (i % 3)
          b[i] &= 0xff, c[i] &= 0xff;
    auto field = [&](uint64_t given) {
      return width.bits == 64 ? int(std::min<uint64_t>(uint32_t(given), 256))
                              : int(given & 0xff);
    };
    Snippet extractor, inserter;
    Values got = extractor.run("bfe." + std::string(width.name) + " " + reg + "9, " +
                                   reg + "0, %r1, %r2;",
                               type + " " + reg + "9", a, b, c);
    Values put = inserter.run("bfi." + type + " " + reg + "9, " + reg + "0, " + reg +
                                  "2, %r1, 11;",
                              type + " " + reg + "9", a, b, c);
    for (size_t i = 0; i < a.size(); ++i) {
      int pos = field(b[i]), len = field(c[i]);
      bool sign = width.isSigned && len > 0 && (a[i] >> std::min(pos + len - 1, msb) & 1);
      uint64_t expected = 0;
      for (int k = 0; k <= msb; ++k)
        expected |= uint64_t(k < len && pos + k <= msb ? a[i] >> (pos + k) & 1 : sign)
                    << k;
      ASSERT_EQ(got[i], expected) << width.name << " " << pos << " " << len;
      uint64_t inserted = cut(c[i], width.bits);
      for (int k = 0; k < 11 && pos + k <= msb; ++k)
        inserted = (inserted & ~(uint64_t(1) << (pos + k))) | (a[i] >> k & 1)
                                                                  << (pos + k);
      ASSERT_EQ(put[i], inserted);
    }
  }
}

TEST_F(IntegerOps, Counts) {
  for (unsigned bits : {32u, 64u}) {
    std::string reg = bits == 32 ? "%r" : "%d", b = "b" + std::to_string(bits);
    Snippet s1, s2, s3;
    Values clz = s1.run("clz." + b + " %r9, " + reg + "0;", "b32 %r9", a);
    Values popc = s2.run("popc." + b + " %r9, " + reg + "0;", "b32 %r9", a);
    Values brev =
        s3.run("brev." + b + " " + reg + "9, " + reg + "0;", b + " " + reg + "9", a);
    for (size_t i = 0; i < a.size(); ++i) {
      unsigned zeros = 0, ones = 0;
      uint64_t reversed = 0;
      while (zeros < bits && !(a[i] >> (bits - 1 - zeros) & 1))
        ++zeros;
      for (unsigned k = 0; k < bits; ++k) {
        ones += a[i] >> k & 1;
        reversed |= (a[i] >> k & 1) << (bits - 1 - k);
      }
      ASSERT_EQ(clz[i], zeros);
      ASSERT_EQ(popc[i], ones);
      ASSERT_EQ(brev[i], reversed);
    }
    for (bool isSigned : {false, true}) {
      std::string type = (isSigned ? "s" : "u") + std::to_string(bits);
      Snippet s4, s5;
      Values found = s4.run("bfind." + type + " %r9, " + reg + "0;", "b32 %r9", a);
      Values shift =
          s5.run("bfind.shiftamt." + type + " %r9, " + reg + "0;", "b32 %r9", a);
      for (size_t i = 0; i < a.size(); ++i) {
        bool sign = isSigned && (a[i] >> (bits - 1) & 1);
        int expected = -1;
        for (int k = bits - 1; k >= 0 && expected < 0; --k)
          if ((a[i] >> k & 1) != sign)
            expected = k;
        ASSERT_EQ(found[i], uint32_t(expected));
        ASSERT_EQ(shift[i], uint32_t(expected < 0 ? -1 : int(bits) - 1 - expected));
      }
    }
  }
}

TEST_F(IntegerOps, Permutes) {
  struct Row {
    const char *mode;
    unsigned table[4][4]; ///< by select, then byte
  };
  // As the manual's table, lowest byte first.
  const Row rows[] = {
      {".f4e", {{0, 1, 2, 3}, {1, 2, 3, 4}, {2, 3, 4, 5}, {3, 4, 5, 6}}},
      {".b4e", {{0, 7, 6, 5}, {1, 0, 7, 6}, {2, 1, 0, 7}, {3, 2, 1, 0}}},
      {".rc8", {{0, 0, 0, 0}, {1, 1, 1, 1}, {2, 2, 2, 2}, {3, 3, 3, 3}}},
      {".ecl", {{0, 1, 2, 3}, {1, 1, 2, 3}, {2, 2, 2, 3}, {3, 3, 3, 3}}},
      {".ecr", {{0, 0, 0, 0}, {0, 1, 1, 1}, {0, 1, 2, 2}, {0, 1, 2, 3}}},
      {".rc16", {{0, 1, 0, 1}, {2, 3, 2, 3}, {0, 1, 0, 1}, {2, 3, 2, 3}}}};
  auto byteOf = [&](size_t i, unsigned k) -> uint64_t {
    return (k < 4 ? a[i] >> (8 * k) : b[i] >> (8 * (k - 4))) & 0xff;
  };
  for (const Row &row : rows) {
    Snippet snippet;
    Values got = snippet.run(std::string("prmt.b32") + row.mode + " %r9, %r0, %r1, %r2;",
                             "b32 %r9", a, b, c);
    for (size_t i = 0; i < a.size(); ++i) {
      uint64_t expected = 0;
      for (unsigned k = 0; k < 4; ++k)
        expected |= byteOf(i, row.table[c[i] & 3][k]) << (8 * k);
      ASSERT_EQ(got[i], expected) << row.mode << " " << (c[i] & 3);
    }
  }
  Snippet snippet;
  Values got = snippet.run("prmt.b32 %r9, %r0, %r1, %r2;", "b32 %r9", a, b, c);
  for (size_t i = 0; i < a.size(); ++i) {
    uint64_t expected = 0;
    for (unsigned k = 0; k < 4; ++k) {
      unsigned select = c[i] >> (4 * k) & 15;
      uint64_t byte = byteOf(i, select & 7);
      if (select & 8)
        byte = byte & 0x80 ? 0xff : 0;
      expected |= byte << (8 * k);
    }
    ASSERT_EQ(got[i], expected);
  }
}

TEST_F(IntegerOps, MasksAndExtensions) {
  for (size_t i = 0; i < a.size(); ++i) {
    b[i] = b[i] % 8 ? b[i] % 40 : b[i];
    c[i] = c[i] % 8 ? c[i] % 40 : c[i];
  }
  for (bool wraps : {false, true}) {
    std::string mode = wraps ? "wrap" : "clamp";
    Snippet s1, s2, s3;
    Values zeros = s1.run("szext." + mode + ".u32 %r9, %r0, %r1;", "b32 %r9", a, b);
    Values signs = s2.run("szext." + mode + ".s32 %r9, %r0, %r1;", "b32 %r9", a, b);
    Values masks = s3.run("bmsk." + mode + ".b32 %r9, %r1, %r2;", "b32 %r9", a, b, c);
    for (size_t i = 0; i < a.size(); ++i) {
      uint32_t n = uint32_t(b[i]), x = uint32_t(a[i]);
      uint32_t b1 = n & 31;
      bool tooLarge = n >= 32 && !wraps;
      uint32_t mask = tooLarge ? 0 : ~0u << b1;
      bool sign = !(b1 == 0 || tooLarge) && (x >> ((b1 - 1) & 31) & 1);
      if (tooLarge) {
        ASSERT_EQ(signs[i], x);
      } else {
        ASSERT_EQ(signs[i], (x & ~mask) | (sign ? mask : 0));
      }
      ASSERT_EQ(zeros[i], x & ~mask);
      uint32_t p = uint32_t(b[i]), w = uint32_t(c[i]);
      uint64_t ones = 0;
      if (wraps)
        p &= 31, w &= 31;
      for (uint64_t k = p; k < 32 && k < uint64_t(p) + w; ++k)
        ones |= uint64_t(1) << k;
      ASSERT_EQ(masks[i], ones) << p << " " << w;
    }
  }
}

TEST_F(IntegerOps, FindsNthSetBit) {
  for (size_t i = 0; i < a.size(); ++i) {
    b[i] %= 32;
    c[i] = uint64_t(int64_t(c[i] % 21) - 10);
  }
  Snippet snippet;
  Values got = snippet.run("fns.b32 %r9, %r0, %r1, %r2;", "b32 %r9", a, b, c);
  for (size_t i = 0; i < a.size(); ++i) {
    int offset = int(int64_t(c[i]));
    std::vector<int> set;
    for (int k = int(b[i]); k >= 0 && k < 32; k += offset < 0 ? -1 : 1)
      if (a[i] >> k & 1)
        set.push_back(k);
    uint32_t expected = ~0u;
    if (offset == 0) {
      if (a[i] >> b[i] & 1)
        expected = uint32_t(b[i]);
    } else if (size_t(std::abs(offset)) <= set.size()) {
      expected = set[std::abs(offset) - 1];
    }
    ASSERT_EQ(got[i], expected);
  }
}

TEST_F(IntegerOps, PredicateLogic) {
  Snippet snippet;
  Values got = snippet.run(
      "and.b32 %r10, %r0, 1; and.b32 %r11, %r1, 1;\n"
      "setp.ne.u32 %p1, %r10, 0; setp.ne.u32 %p2, %r11, 0;\n"
      "and.pred %p3, %p1, %p2; or.pred %p4, %p1, %p2; xor.pred %p5, %p1, %p2;\n"
      "not.pred %p6, %p1; mov.pred %p7, %p2; mov.pred %p8, 1; mov.pred %p9, 0;\n"
      "mov.u32 %r9, 0;\n"
      "@%p3 or.b32 %r9, %r9, 1; @%p4 or.b32 %r9, %r9, 2; @%p5 or.b32 %r9, %r9, 4;\n"
      "@%p6 or.b32 %r9, %r9, 8; @%p7 or.b32 %r9, %r9, 16; @%p8 or.b32 %r9, %r9, 32;\n"
      "@!%p9 or.b32 %r9, %r9, 64;",
      "b32 %r9", a, b);
  for (size_t i = 0; i < a.size(); ++i) {
    bool p = a[i] & 1, q = b[i] & 1;
    ASSERT_EQ(got[i],
              uint64_t((p && q) | (p || q) << 1 | (p != q) << 2 | !p << 3 | q << 4 | 96));
  }
}
