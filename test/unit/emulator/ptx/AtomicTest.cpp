//===- AtomicTest.cpp - Tests of atom and red ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"
#include "emulators/common/Float.h"

#include <cmath>
#include <functional>
#include <random>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

namespace {

uint64_t at(const std::vector<uint8_t> &bytes, size_t index, unsigned size) {
  uint64_t value = 0;
  memcpy(&value, bytes.data() + index * size, size);
  return value;
}

using Operation = std::function<uint64_t(uint64_t old, uint64_t b, uint64_t c)>;

/// Lane i applies `mnemonic` with b[i], c[i] to word i % `words`; old values and the
/// words are compared with `operation` applied in the order of lanes.
void check(const std::string &mnemonic, const std::string &space, unsigned size,
           const char *reg, unsigned words, const std::vector<uint64_t> &start,
           const std::vector<uint64_t> &b, const std::vector<uint64_t> &c, bool hasThird,
           const Operation &operation) {
  bool isShared = space.find("shared") != space.npos;
  std::string r = reg, bytes = std::to_string(size),
              type = "b" + std::to_string(8 * size);
  std::string loads = "ld.global." + type + " %" + r + "1, [%d3]; ld.global." + type +
                      " %" + r + "2, [%d4];\n";
  std::string body =
      "ld.param.u64 %d0, [mem]; ld.param.u64 %d1, [b]; ld.param.u64 %d2, [c];\n"
      "ld.param.u64 %d9, [old]; mov.u32 %r0, %tid.x;\n"
      "mad.wide.u32 %d3, %r0, " +
      bytes + ", %d1; mad.wide.u32 %d4, %r0, " + bytes +
      ", %d2; mad.wide.u32 %d5, %r0, " + bytes + ", %d9;\nrem.u32 %r10, %r0, " +
      std::to_string(words) + "; mad.wide.u32 %d6, %r10, " + bytes + ", %d0;\n" + loads;
  if (isShared)
    body += "mov.u64 %d7, s; mad.wide.u32 %d7, %r10, " + bytes + ", %d7;\n" +
            "ld.global." + type + " %" + r + "4, [%d6]; st.shared." + type + " [%d7], %" +
            r + "4; bar.warp.sync -1;\n";
  std::string target = isShared ? "[%d7]" : "[%d6]";
  body += "atom" + space + "." + mnemonic + " %" + r + "3, " + target + ", %" + r + "1" +
          (hasThird ? ", %" + r + "2" : "") + ";\nst.global." + type + " [%d5], %" + r +
          "3; bar.warp.sync -1;\n";
  if (isShared)
    body += "ld.shared." + type + " %" + r + "4, [%d7]; st.global." + type + " [%d6], %" +
            r + "4;\n";
  Harness h;
  ASSERT_EQ(
      h.loadBody("u64 mem, u64 b, u64 c, u64 old", body, ".shared .align 16 .b8 s[512];"),
      "")
      << body;
  auto pack = [&](const std::vector<uint64_t> &values) {
    std::vector<uint8_t> packed(32 * size);
    for (size_t i = 0; i < 32 && i < values.size(); ++i)
      memcpy(&packed[i * size], &values[i], size);
    return packed;
  };
  uint64_t mem = h.put(pack(start)), bAt = h.put(pack(b)), cAt = h.put(pack(c));
  uint64_t old = h.put(pack(start));
  ASSERT_EQ(h.arg(mem).arg(bAt).arg(cAt).arg(old).launch({}, {32, 1, 1}), "");
  ASSERT_TRUE(h.faults.empty()) << h.faultText() << body;
  auto expected = pack(start);
  auto memory = h.get<uint8_t>(mem, 32 * size), olds = h.get<uint8_t>(old, 32 * size);
  uint64_t mask = size == 8 ? ~uint64_t(0) : (uint64_t(1) << 8 * size) - 1;
  for (unsigned lane = 0; lane < 32; ++lane) {
    uint64_t was = at(expected, lane % words, size);
    EXPECT_EQ(at(olds, lane, size), was) << mnemonic << space << " lane " << lane;
    uint64_t now = operation(was, b[lane] & mask, c[lane] & mask) & mask;
    memcpy(&expected[lane % words * size], &now, size);
  }
  EXPECT_EQ(memory, expected) << mnemonic << space;
}

std::vector<uint64_t> randomWords(unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> words(32);
  for (uint64_t &word : words)
    word = random();
  return words;
}

const char *const spaces[] = {".global", ".shared", ".relaxed.cta.shared::cta",
                              ".acq_rel.sys.global"};

float toFloat(uint64_t bits) { return bitCast<float>(uint32_t(bits)); }
uint64_t fromFloat(float value) { return bitCast<uint32_t>(value); }

} // namespace

TEST(Atomic, Integers) {
  auto start = randomWords(1), b = randomWords(2), c = randomWords(3);
  for (int i = 0; i < 32; i += 3)
    b[i] = start[i % 5]; // some compare equal
  for (const char *space : spaces)
    for (unsigned words : {1u, 5u, 32u}) {
      auto all = [&](const char *type, unsigned size, const char *reg,
                     std::initializer_list<std::pair<const char *, Operation>> list) {
        for (const auto &[name, operation] : list) {
          bool third = std::string(name) == "cas";
          check(std::string(name) + "." + type, space, size, reg, words, start, b, c,
                third, operation);
        }
      };
      using U = uint64_t;
      all("u32", 4, "r",
          {{"add", [](U o, U b, U) { return o + b; }},
           {"min", [](U o, U b, U) { return std::min(o, b); }},
           {"max", [](U o, U b, U) { return std::max(o, b); }},
           {"inc", [](U o, U b, U) { return o >= b ? 0 : o + 1; }},
           {"dec", [](U o, U b, U) { return o == 0 || o > b ? b : o - 1; }}});
      all("s32", 4, "r",
          {{"add", [](U o, U b, U) { return o + b; }},
           {"min", [](U o, U b, U) { return U(std::min(int32_t(o), int32_t(b))); }},
           {"max", [](U o, U b, U) { return U(std::max(int32_t(o), int32_t(b))); }}});
      all("u64", 8, "d",
          {{"add", [](U o, U b, U) { return o + b; }},
           {"min", [](U o, U b, U) { return std::min(o, b); }},
           {"max", [](U o, U b, U) { return std::max(o, b); }}});
      all("s64", 8, "d",
          {{"min", [](U o, U b, U) { return U(std::min(int64_t(o), int64_t(b))); }},
           {"max", [](U o, U b, U) { return U(std::max(int64_t(o), int64_t(b))); }}});
      for (unsigned size : {4u, 8u})
        all(size == 4 ? "b32" : "b64", size, size == 4 ? "r" : "d",
            {{"and", [](U o, U b, U) { return o & b; }},
             {"or", [](U o, U b, U) { return o | b; }},
             {"xor", [](U o, U b, U) { return o ^ b; }},
             {"exch", [](U, U b, U) { return b; }},
             {"cas", [](U o, U b, U c) { return o == b ? c : o; }}});
      all("b16", 2, "h", {{"cas", [](U o, U b, U c) { return o == b ? c : o; }}});
    }
}

TEST(Atomic, Floats) {
  std::vector<uint64_t> start(32), b(32), wide(32), wideB(32), halves(32), halvesB(32);
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (int i = 0; i < 32; ++i) {
    start[i] = fromFloat(normal(random));
    b[i] = fromFloat(i == 7 ? 1e-40f : i == 9 ? INFINITY : normal(random) * 1e-3f);
    wide[i] = bitCast<uint64_t>(double(normal(random)));
    wideB[i] = bitCast<uint64_t>(double(normal(random)) * 1e-9);
    halves[i] = floatToF16(normal(random)) | uint64_t(floatToF16(normal(random))) << 16;
    halvesB[i] = floatToF16(1e-3f * normal(random)) | uint64_t(floatToF16(normal(random)))
                                                          << 16;
  }
  start[0] = fromFloat(1e-39f);
  b[0] = fromFloat(1e-40f);
  using U = uint64_t;
  auto flush = [](float x) {
    return std::fabs(x) < 0x1p-126f ? std::copysign(0.f, x) : x;
  };
  for (unsigned words : {1u, 5u, 32u}) {
    check("add.f32", ".shared", 4, "r", words, start, b, b, false,
          [](U o, U b, U) { return fromFloat(toFloat(o) + toFloat(b)); });
    check("add.f32", ".global", 4, "r", words, start, b, b, false, [&](U o, U b, U) {
      return fromFloat(flush(flush(toFloat(o)) + flush(toFloat(b))));
    });
    for (const char *space : spaces) {
      check("add.f64", space, 8, "d", words, wide, wideB, wideB, false, [](U o, U b, U) {
        return bitCast<U>(bitCast<double>(o) + bitCast<double>(b));
      });
      auto addHalf = [](U o, U b) {
        return U(doubleToHalf<F16>(halfToDouble<F16>(o) + halfToDouble<F16>(b)));
      };
      check("add.noftz.f16", space, 2, "h", words, halves, halvesB, b, false,
            [&](U o, U b, U) { return addHalf(o, b); });
      check("add.noftz.f16x2", space, 4, "r", words, halves, halvesB, b, false,
            [&](U o, U b, U) { return addHalf(o, b) | addHalf(o >> 16, b >> 16) << 16; });
      auto addBrain = [](U o, U b) {
        return U(doubleToHalf<BF16>(halfToDouble<BF16>(o) + halfToDouble<BF16>(b)));
      };
      check("add.noftz.bf16", space, 2, "h", words, halves, halvesB, b, false,
            [&](U o, U b, U) { return addBrain(o, b); });
      check(
          "add.noftz.bf16x2", space, 4, "r", words, halves, halvesB, b, false,
          [&](U o, U b, U) { return addBrain(o, b) | addBrain(o >> 16, b >> 16) << 16; });
    }
  }
}

TEST(Atomic, Vectors) {
  Harness h;
  ASSERT_EQ(
      h.loadBody(
          "u64 a, u64 b",
          "ld.param.u64 %d0, [a]; ld.param.u64 %d1, [b];\n"
          "mov.f32 %f0, 0f3F800000; mov.f32 %f1, 0f40000000;\n"
          "atom.global.add.v4.f32 {%f2, %f3, %f4, %f5}, [%d0], {%f0, %f1, %f0, %f1};\n"
          "red.global.add.v2.f32 [%d0+8], {%f1, %f1};\n"
          "mov.b16 %h0, 0x3c00; mov.b32 %r0, 0x40003c00;\n"
          "red.global.add.noftz.v2.f16x2 [%d1], {%r0, %r0};\n"
          "atom.relaxed.gpu.global.max.noftz.v2.f16 {%h1, %h2}, [%d1+8], "
          "{%h0, %h0};\nst.global.f32 [%d0+16], %f5;\n"),
      "");
  uint64_t a = h.put(std::vector<float>{1, 2, 3, 4, 0}),
           b = h.put(
               std::vector<uint16_t>{0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x4000, 0x3000});
  ASSERT_EQ(h.arg(a).arg(b).launch({}, {1, 1, 1}), "");
  EXPECT_TRUE(h.faults.empty()) << h.faultText();
  EXPECT_EQ(h.get<float>(a, 5), (std::vector<float>{2, 4, 6, 8, 4}));
  EXPECT_EQ(h.get<uint16_t>(b, 6),
            (std::vector<uint16_t>{0x4000, 0x4200, 0x4000, 0x4200, 0x4000, 0x3c00}));
}

TEST(Atomic, Wide) {
  Harness h;
  ASSERT_EQ(
      h.loadBody("u64 a",
                 ".reg .b128 %q<4>; ld.param.u64 %d0, [a];\n"
                 "ld.global.b128 %q0, [%d0]; ld.global.b128 %q1, [%d0+16];\n"
                 "atom.cas.b128 %q2, [%d0], %q0, %q1; st.global.b128 [%d0+32], %q2;\n"
                 "atom.cas.b128 %q2, [%d0], %q0, %q0; st.global.b128 [%d0+48], %q2;\n"
                 "atom.exch.b128 %q2, [%d0], %q0; st.global.b128 [%d0+64], %q2;\n"),
      "");
  uint64_t a = h.put(std::vector<uint64_t>{1, 2, 3, 4, 0, 0, 0, 0, 0, 0});
  ASSERT_EQ(h.arg(a).launch({}, {1, 1, 1}), "");
  EXPECT_TRUE(h.faults.empty()) << h.faultText();
  EXPECT_EQ(h.get<uint64_t>(a, 10),
            (std::vector<uint64_t>{1, 2, 3, 4, 1, 2, 3, 4, 3, 4}));
}

/// Blocks on all host threads count together.
TEST(Atomic, ManyBlocks) {
  Harness h;
  ASSERT_EQ(h.loadBody("u64 a", "ld.param.u64 %d0, [a]; mov.u32 %r0, %tid.x;\n"
                                "red.global.add.u32 [%d0], 1;\n"
                                "and.b32 %r1, %r0, 3; mad.wide.u32 %d1, %r1, 4, %d0;\n"
                                "atom.global.inc.u32 %r2, [%d1+4], 99;\n"),
            "");
  h.options.threads = 4;
  uint64_t a = h.put(std::vector<uint32_t>(5));
  ASSERT_EQ(h.arg(a).launch({300, 1, 1}, {96, 1, 1}), "");
  EXPECT_TRUE(h.faults.empty()) << h.faultText();
  EXPECT_EQ(h.get<uint32_t>(a, 5), (std::vector<uint32_t>{28800, 0, 0, 0, 0}));
}

/// A lock by compare-and-swap and one by exchange, taken by lanes and by blocks.
TEST(Atomic, SpinLocks) {
  for (const char *lock : {"atom.acquire.gpu.global.cas.b32 %r1, [%d0], 0, 1;",
                           "atom.acquire.gpu.global.exch.b32 %r1, [%d0], 1;"}) {
    Harness h;
    ASSERT_EQ(
        h.loadBody("u64 a", "ld.param.u64 %d0, [a]; mov.u32 %r9, 0;\n"
                            "L: " +
                                std::string(lock) +
                                "setp.ne.u32 %p0, %r1, 0; @%p0 bra L;\n"
                                "ld.volatile.global.u32 %r2, [%d0+4];\n"
                                "add.u32 %r2, %r2, 1;\n"
                                "st.volatile.global.u32 [%d0+4], %r2;\n"
                                "atom.release.gpu.global.exch.b32 %r3, [%d0], 0;\n"),
        "");
    uint64_t a = h.put(std::vector<uint32_t>(2));
    ASSERT_EQ(h.arg(a).launch({5, 1, 1}, {32, 1, 1}), "");
    EXPECT_TRUE(h.faults.empty()) << h.faultText();
    EXPECT_EQ(h.get<uint32_t>(a, 2), (std::vector<uint32_t>{0, 160})) << lock;
  }
}

TEST(Atomic, UndefinedData) {
  Harness h;
  ASSERT_EQ(h.loadBody("u64 a", "ld.param.u64 %d0, [a];\n"
                                "red.global.add.u32 [%d0], %r40;\n"
                                "atom.global.exch.b32 %r1, [%d0+4], %r40;\n"
                                "atom.global.cas.b32 %r1, [%d0+8], %r40, 3;\n"
                                "atom.global.add.u32 %r1, [%d0+12], 3;\n"
                                "st.global.u32 [%d0+16], %r1;\n"
                                "atom.global.exch.b32 %r2, [%d0+20], 3;\n"),
            "");
  uint64_t a = h.put(std::vector<uint32_t>(3)), b = h.empty<uint32_t>(4);
  (void)b;
  ASSERT_EQ(h.arg(a).launch({}, {1, 1, 1}), "");
  EXPECT_TRUE(h.hasFault(Rule::OutOfBounds)); // the fourth word is not there
  auto shadow = h.shadow(a, 12);
  for (uint8_t byte : shadow)
    EXPECT_EQ(byte, Undefined);
}

TEST(Atomic, RefusesWhatIsNotPtx) {
  for (const char *line :
       {"atom.global.add.f16 %h1, [%d0], %h2;", "atom.global.min.f32 %f1, [%d0], %f2;",
        "red.global.exch.b32 [%d0], %r1;", "atom.local.add.u32 %r1, [%d0], 1;",
        "atom.global.inc.u64 %d1, [%d0], 1;", "atom.global.and.u32 %r1, [%d0], 1;",
        "atom.global.cas.b32 %r1, [%d0], 1;", "atom.global.add.u32 %r1, [%d0], 1, 2;",
        "atom.shared.add.v2.f32 {%f1, %f2}, [%d0], {%f1, %f2};",
        "atom.volatile.global.add.u32 %r1, [%d0], 1;",
        "atom.global.add.rn.u32 %r1, [%d0], 1;",
        "red.async.relaxed.cluster.global.add.u32 [%r1], %r2, [%r3];",
        "atom.global.min.noftz.f16x2 %r1, [%d0], %r2;",
        "atom.const.add.u32 %r1, [%d0], 1;"}) {
    Harness h;
    EXPECT_NE(h.loadBody("u64 in", line), "") << line;
  }
}

TEST(Atomic, ReportsFaults) {
  struct Case {
    const char *line;
    Rule rule;
  };
  for (const Case &c :
       {Case{"atom.global.add.u32 %r1, [%d0+2], 1;", Rule::Misaligned},
        Case{"atom.global.add.u32 %r1, [%d0+16], 1;", Rule::OutOfBounds},
        Case{"atom.add.u32 %r1, [%d40], 1;", Rule::Uninitialised},
        Case{"mov.u64 %d3, c; atom.add.u32 %r1, [%d3], 1;", Rule::ReadOnly},
        Case{"st.local.u32 [l], 5; mov.u64 %d3, l; cvta.local.u64 %d3, %d3; "
             "atom.add.u32 %r1, [%d3], 1;",
             Rule::Unsupported}}) {
    Harness h;
    ASSERT_EQ(h.loadBody("u64 a",
                         ".local .u32 l; ld.param.u64 %d0, [a];\n" + std::string(c.line),
                         ".const .u32 c = 4;"),
              "");
    uint64_t a = h.put(std::vector<uint32_t>(4));
    ASSERT_EQ(h.arg(a).launch({}, {1, 1, 1}), "");
    EXPECT_TRUE(h.hasFault(c.rule)) << c.line << h.faultText();
  }
}
