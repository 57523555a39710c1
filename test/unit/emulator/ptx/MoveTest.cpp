//===- MoveTest.cpp - Moves, addresses and undefined bytes --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Snippets.h"

#include "emulators/ptx/Block.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {
Values inputs(unsigned seed) { return someValues(seed, 500, {0, ~0ull}); }

/// The undefined bytes of the result of `body`, in %d9, as a bit of each: where its
/// sources are %d20, of which the bytes of `poison` are undefined, and what `body` makes
/// of it.
unsigned undefinedBytes(const std::string &body, uint8_t poison,
                        uint64_t bits = 0x8877665544332211) {
  Harness harness;
  std::string error = harness.loadBody(
      "u64 in, u64 out",
      "ld.param.u64 %d40, [in]; ld.param.u64 %d41, [out]; ld.global.b64 %d20, [%d40];\n" +
          body + "\nst.global.b64 [%d41], %d9;");
  EXPECT_EQ(error, "") << body;
  if (!error.empty())
    return ~0u;
  uint64_t in = harness.put(Values{bits}), out = harness.empty<uint64_t>(1);
  auto *allocation = harness.device.memory.find(in);
  for (unsigned i = 0; i < 8; ++i)
    if (poison >> i & 1)
      allocation->memory.shadow()[i] = tilewright::emulator::NeverWritten;
  harness.arg(in).arg(out);
  EXPECT_EQ(harness.launch({1, 1, 1}, {1, 1, 1}), "");
  EXPECT_TRUE(harness.faults.empty()) << harness.faultText();
  unsigned result = 0;
  std::vector<uint8_t> shadow = harness.shadow(out, 8);
  for (unsigned i = 0; i < 8; ++i)
    result |= (shadow[i] != tilewright::emulator::Sound) << i;
  return result;
}
} // namespace

TEST(Move, PacksAndUnpacks) {
  Values a = inputs(1), b = inputs(2);
  struct Row {
    const char *text, *result;
    std::function<uint64_t(uint64_t, uint64_t)> function;
  };
  for (const Row &row : std::initializer_list<Row>{
           {"mov.b64 %d9, {%r0, %r1};", "b64 %d9",
            [](uint64_t x, uint64_t y) { return (x & 0xffffffff) | y << 32; }},
           {"mov.b64 {%r10, %r11}, %d0; sub.u32 %r9, %r11, %r10;", "b32 %r9",
            [](uint64_t x, uint64_t) { return uint32_t((x >> 32) - x); }},
           {"mov.b32 %r9, {%h0, %h1};", "b32 %r9",
            [](uint64_t x, uint64_t y) { return (x & 0xffff) | (y & 0xffff) << 16; }},
           {"mov.b32 {_, %h9}, %r0;", "b16 %h9",
            [](uint64_t x, uint64_t) { return x >> 16 & 0xffff; }},
           {"mov.b64 {%h9, %h10, %h11, %h12}, %d0; mov.b64 %d9, {%h12, %h11, %h10, %h9};",
            "b64 %d9",
            [](uint64_t x, uint64_t) {
              return x >> 48 | (x >> 16 & 0xffff0000) | (x << 16 & 0xffff00000000) |
                     x << 48;
            }},
           {"mov.b64 %d9, {%r0, 5};", "b64 %d9",
            [](uint64_t x, uint64_t) { return (x & 0xffffffff) | 5ull << 32; }},
           {"mov.b64 {%r0, %r1}, %d0; mov.b64 %d9, {%r1, %r0};", "b64 %d9",
            [](uint64_t x, uint64_t) { return x >> 32 | x << 32; }},
           {"{ .reg .b128 %q<2>; mov.b128 %q0, {%d0, %d1}; mov.b128 %q1, %q0;"
            " mov.b128 {_, %d9}, %q1; }",
            "b64 %d9", [](uint64_t, uint64_t y) { return y; }},
           {"{ .reg .b128 %q<2>; mov.b128 %q0, {%d0, %d1}; mov.b128 {%d1, %d0}, %q0; }"
            " sub.u64 %d9, %d1, %d0;",
            "b64 %d9", [](uint64_t x, uint64_t y) { return x - y; }},
           {"{ .reg .b8 %b<4>; mov.b32 {%b0, %b1, %b2, %b3}, %r0;"
            " mov.b32 %r9, {%b3, %b2, %b1, %b0}; }",
            "b32 %r9",
            [](uint64_t x, uint64_t) { return __builtin_bswap32(uint32_t(x)); }},
           {"mov.u16 %h9, %h0;", "b16 %h9",
            [](uint64_t x, uint64_t) { return x & 0xffff; }},
           {"mov.f32 %f9, 0fC0490FDB;", "f32 %f9",
            [](uint64_t, uint64_t) { return 0xc0490fdbull; }},
           {"mov.f64 %g9, 1.5;", "f64 %g9",
            [](uint64_t, uint64_t) { return 0x3ff8000000000000ull; }},
           {"mov.b32 %r9, -1;", "b32 %r9",
            [](uint64_t, uint64_t) { return 0xffffffffull; }}}) {
    Snippet snippet;
    Values got = snippet.run(row.text, row.result, a, b);
    for (size_t i = 0; i < a.size(); ++i)
      ASSERT_EQ(got[i], row.function(a[i], b[i])) << row.text;
  }
}

TEST(Move, OnlyActiveLanesChange) {
  Values a = inputs(3), b = inputs(4);
  Snippet snippet;
  Values got = snippet.run("mov.b64 %d9, %d0; setp.lt.u32 %p1, %r0, %r1;\n"
                           "@%p1 mov.b64 %d9, {%r1, %r0};\n@!%p1 add.u64 %d9, %d9, 1;",
                           "b64 %d9", a, b);
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(got[i], uint32_t(a[i]) < uint32_t(b[i]) ? (b[i] & 0xffffffff) | a[i] << 32
                                                      : a[i] + 1);
}

TEST(Move, SpecialRegisters) {
  Values a(256);
  Snippet s1, s2, s3;
  Values lanes = s1.run("mov.u32 %r9, %laneid;", "b32 %r9", a);
  Values clocks = s2.run("mov.u64 %d10, %clock64; mov.u64 %d11, %clock64;\n"
                         "setp.le.u64 %p1, %d10, %d11; selp.u32 %r9, 1, 0, %p1;",
                         "b32 %r9", a);
  Values sizes = s3.run("mov.u16 %h9, %ntid.x;", "b16 %h9", a);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(lanes[i], i % 32);
    ASSERT_EQ(clocks[i], 1u);
    ASSERT_EQ(sizes[i], 128u);
  }
}

TEST(Move, AddressesOfVariables) {
  Values a(1);
  const char *globals = ".global .align 4 .b32 table[4] = {1, 2, 3, 4};\n"
                        ".shared .align 16 .b8 block[64];\n";
  auto run = [&](const std::string &text) {
    Snippet snippet;
    return snippet.run(text, "b64 %d9", a, {}, {}, globals)[0];
  };
  EXPECT_EQ(run("mov.u64 %d10, table; cvta.global.u64 %d11, %d10; ld.global.b32 %r10, "
                "[%d11+8]; mov.b64 %d9, {%r10, %r10};"),
            0x300000003u);
  EXPECT_EQ(run("mov.u64 %d9, block;"), sharedStart);
  EXPECT_EQ(run("mov.u32 %r10, block; mov.b64 %d9, {%r10, 0};"), sharedStart);
  EXPECT_EQ(run("mov.u64 %d9, block+8;"), sharedStart + 8);
  EXPECT_EQ(run("mov.u64 %d10, block; cvta.shared.u64 %d9, %d10;"),
            sharedWindow + sharedStart);
  EXPECT_EQ(run("mov.u64 %d10, block; cvta.shared.u64 %d11, %d10; "
                "cvta.to.shared.u64 %d9, %d11;"),
            sharedStart);
  EXPECT_EQ(run(".local .align 8 .b8 stack[32]; mov.u64 %d10, stack; "
                "cvta.local.u64 %d11, %d10; cvta.to.local.u64 %d12, %d11; "
                "sub.u64 %d9, %d11, %d12;"),
            localWindow);
  EXPECT_EQ(run("mov.b64 %d10, out; cvta.param.u64 %d9, %d10;"), paramWindow + 8);
}

TEST(Move, KnowsSpaces) {
  Values a(1);
  const char *globals = ".global .b32 table[4];\n.const .b32 fixed[4];\n"
                        ".shared .align 16 .b8 block[64];\n";
  struct Row {
    const char *make;
    unsigned expected; ///< global 1, shared 2, local 4, const 8, cluster 16
  };
  for (const Row &row :
       {Row{"mov.u64 %d10, table; cvta.global.u64 %d11, %d10;", 1},
        Row{"mov.u64 %d10, block; cvta.shared.u64 %d11, %d10;", 2 | 16},
        Row{".local .b8 stack[32]; mov.u64 %d10, stack; cvta.local.u64 %d11, %d10;", 4},
        Row{"mov.u64 %d10, fixed; cvta.const.u64 %d11, %d10;", 8}}) {
    Snippet snippet;
    Values got = snippet.run(
        std::string(row.make) +
            "isspacep.global %p1, %d11; isspacep.shared %p2, %d11; isspacep.local %p3, "
            "%d11;\n"
            "isspacep.const %p4, %d11; isspacep.shared::cluster %p5, %d11; mov.u32 %r9, "
            "0;\n"
            "@%p1 or.b32 %r9, %r9, 1; @%p2 or.b32 %r9, %r9, 2; @%p3 or.b32 %r9, %r9, 4;\n"
            "@%p4 or.b32 %r9, %r9, 8; @%p5 or.b32 %r9, %r9, 16;",
        "b32 %r9", a, {}, {}, globals);
    EXPECT_EQ(got[0], row.expected) << row.make;
  }
}

TEST(Move, UndefinedBytesStayTheirOwn) {
  EXPECT_EQ(undefinedBytes("mov.b64 %d9, %d20;", 0x25), 0x25u);
  EXPECT_EQ(undefinedBytes("mov.b64 {%r1, %r2}, %d20; mov.b64 %d9, {%r2, %r1};", 0x21),
            0x12u);
  EXPECT_EQ(undefinedBytes("mov.b64 {%r1, %r2}, %d20; mov.b64 %d9, {%r1, 0};", 0xf0), 0u);
  EXPECT_EQ(undefinedBytes("shr.u64 %d9, %d20, 8;", 0x81), 0x40u);
  EXPECT_EQ(undefinedBytes("shr.s64 %d9, %d20, 16;", 0x80), 0xe0u);
  EXPECT_EQ(undefinedBytes("shl.b64 %d9, %d20, 4;", 0x02), 0x06u);
  EXPECT_EQ(undefinedBytes("and.b64 %d9, %d20, 0xff00ff;", 0xff), 0x05u);
  EXPECT_EQ(undefinedBytes("or.b64 %d9, %d20, 0xff00ff;", 0x03), 0x02u);
  EXPECT_EQ(undefinedBytes("xor.b64 %d9, %d20, 0xff00ff;", 0x03), 0x03u);
  EXPECT_EQ(undefinedBytes("not.b64 %d9, %d20;", 0x30), 0x30u);
  EXPECT_EQ(undefinedBytes("mov.b64 {%r1, %r2}, %d20; prmt.b32 %r3, %r1, %r2, 0x7160;"
                           " mov.b64 %d9, {%r3, 0};",
                           0x82),
            0x0cu);
  EXPECT_EQ(undefinedBytes("cvt.u32.u64 %r1, %d20; mov.b64 %d9, {%r1, 0};", 0xf2), 0x02u);
  EXPECT_EQ(undefinedBytes("cvt.s64.s8 %d9, %d20;", 0x01), 0xffu);
  EXPECT_EQ(undefinedBytes("cvt.u64.u8 %d9, %d20;", 0xfe), 0u);
  EXPECT_EQ(undefinedBytes("mov.b64 {%r1, %r2}, %d20; setp.eq.u32 %p1, 1, 1;"
                           " selp.b32 %r3, %r1, %r2, %p1; mov.b64 %d9, {%r3, 0};",
                           0xf1),
            0x01u);
}

TEST(Move, ArithmeticSpreadsUndefinedBytes) {
  EXPECT_EQ(undefinedBytes("add.u64 %d9, %d20, 1;", 0x10), 0xffu);
  EXPECT_EQ(undefinedBytes("mov.b64 {%r1, %r2}, %d20; add.u32 %r3, %r1, 1;"
                           " mov.b64 %d9, {%r3, %r2};",
                           0x02),
            0x0fu);
  EXPECT_EQ(undefinedBytes("mov.b64 {%r1, %r2}, %d20; mul.wide.u32 %d9, %r2, 3;", 0x0f),
            0u);
  // Packed halves are apart.
  EXPECT_EQ(undefinedBytes("mov.b64 {%r1, %r2}, %d20; add.f16x2 %r3, %r1, %r1;"
                           " mov.b64 %d9, {%r3, 0};",
                           0x04),
            0x0cu);
  EXPECT_EQ(undefinedBytes("mov.b64 {%f1, %f2}, %d20; cvt.rn.f16x2.f32 %r3, %f2, %f1;"
                           " mov.b64 %d9, {%r3, 0};",
                           0x10),
            0x0cu);
  // A comparison with what is undefined, and a predicate that decides without it.
  EXPECT_EQ(undefinedBytes("setp.ne.u64 %p1, %d20, 1; selp.b64 %d9, 1, 2, %p1;", 0x01),
            0xffu);
  EXPECT_EQ(undefinedBytes("mov.pred %p2, 0; setp.ne.and.u64 %p1, %d20, 1, %p2;"
                           " selp.b64 %d9, 1, 2, %p1;",
                           0x01),
            0u);
  // The carry flag before anything set it.
  EXPECT_EQ(undefinedBytes("addc.u64 %d9, %d20, 1;", 0), 0xffu);
  EXPECT_EQ(undefinedBytes("add.cc.u64 %d9, %d20, 1; addc.u64 %d9, 0, 1;", 0x01), 0xffu);
  EXPECT_EQ(undefinedBytes("add.cc.u64 %d9, %d20, 1; addc.u64 %d9, 0, 1;", 0), 0u);
}

TEST(Move, RefusesWhatIsNoPtx) {
  Snippet snippet;
  for (const char *text :
       {"mov.u32 %r0, %nothing;", "mov.b64 %d0, {%r0, %r1, %r2};",
        "mov.b32 {%r0, %r1}, {%r2, %r3};", "mov.b32 _, %r0;", "mov.u32 %r0, nowhere;",
        "mov.pred %p0, %r0;", "cvta.u64 %d0, %d1;", "cvta.to.global.u16 %h0, %h1;",
        "isspacep %p0, %d0;", "mov.v2.u32 %r0, %r1;"})
    EXPECT_NE(snippet.refuse(text), "") << text;
}
