//===- MemoryTest.cpp - Tests of loads and stores -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemoryHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

/// Every type and vector length copies what it reads, in warps of all lanes and of some.
TEST(Memory, CopiesAllTypes) {
  struct Case {
    const char *type, *reg;
    unsigned bytes;
  };
  const Case cases[] = {
      {"b8", "h", 1},  {"u8", "h", 1},  {"s8", "r", 1},  {"b16", "h", 2}, {"u16", "h", 2},
      {"s16", "r", 2}, {"b32", "r", 4}, {"u32", "r", 4}, {"s32", "r", 4}, {"f32", "f", 4},
      {"b64", "d", 8}, {"u64", "d", 8}, {"s64", "d", 8}, {"f64", "g", 8}};
  for (const Case &c : cases)
    for (unsigned count : {1u, 2u, 4u}) {
      unsigned size = c.bytes * count;
      if (size > 16)
        continue;
      for (const char *guard : {"", "@%p0 "}) {
        std::string data;
        for (unsigned i = 0; i < count; ++i)
          data += (i ? ", %" : "%") + std::string(c.reg) + std::to_string(20 + i);
        std::string vector;
        if (count > 1) {
          data = "{" + data + "}";
          vector = ".v" + std::to_string(count);
        }
        std::string body = prologue;
        body += "mad.wide.u32 %d2, %r0, " + std::to_string(size) + ", %d0;\n" +
                "mad.wide.u32 %d3, %r0, " + std::to_string(size) + ", %d1;\n" +
                "and.b32 %r1, %r0, 3; setp.ne.u32 %p0, %r1, 2;\n" + guard + "ld.global" +
                vector + "." + c.type + " " + data + ", [%d2];\n" + guard + "st.global" +
                vector + "." + c.type + " [%d3], " + data + ";\n";
        Harness h;
        ASSERT_EQ(h.loadBody("u64 in, u64 out", body), "");
        auto input = randomBytes(size * 48);
        uint64_t in = h.put(input), out = h.put(std::vector<uint8_t>(size * 48, 0));
        expectClean(h, h.arg(in).arg(out).launch({}, {48, 1, 1}));
        auto result = h.get<uint8_t>(out, size * 48);
        for (unsigned i = 0; i < size * 48; ++i) {
          bool skipped = *guard && (i / size & 3) == 2;
          ASSERT_EQ(result[i], skipped ? 0 : input[i]) << body << i;
        }
      }
    }
}

TEST(Memory, ExtendsToTheRegister) {
  Harness h;
  std::string body = prologue;
  body += "mad.wide.u32 %d2, %r0, 4, %d0; mad.wide.u32 %d3, %r0, 32, %d1;\n"
          "ld.global.s8 %r1, [%d2]; ld.global.u8 %r2, [%d2]; ld.global.s16 %r3, [%d2];\n"
          "ld.global.s8 %h1, [%d2]; ld.global.s32 %d4, [%d2]; ld.global.u32 %d5, [%d2];\n"
          "st.global.u32 [%d3], %r1; st.global.u32 [%d3+4], %r2;\n"
          "st.global.u32 [%d3+8], %r3; st.global.b16 [%d3+12], %h1;\n"
          "st.global.u64 [%d3+16], %d4; st.global.u64 [%d3+24], %d5;\n";
  ASSERT_EQ(h.loadBody("u64 in, u64 out", body), "");
  std::vector<int32_t> input;
  for (int i = 0; i < 32; ++i)
    input.push_back((i - 16) * 0x01234567);
  uint64_t in = h.put(input), out = h.put(std::vector<uint8_t>(32 * 32, 0));
  expectClean(h, h.arg(in).arg(out).launch({}, {32, 1, 1}));
  auto r32 = h.get<int32_t>(out, 32 * 8);
  auto r64 = h.get<int64_t>(out, 32 * 4);
  auto r16 = h.get<int16_t>(out, 32 * 16);
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(r32[i * 8], int8_t(input[i]));
    EXPECT_EQ(r32[i * 8 + 1], uint8_t(input[i]));
    EXPECT_EQ(r32[i * 8 + 2], int16_t(input[i]));
    EXPECT_EQ(r16[i * 16 + 6], int8_t(input[i]));
    EXPECT_EQ(r64[i * 4 + 2], input[i]);
    EXPECT_EQ(r64[i * 4 + 3], int64_t(uint32_t(input[i])));
  }
}

/// Addresses in any order: reversed, gathered, all the same; in global and shared memory.
TEST(Memory, GathersAndScatters) {
  for (const char *index :
       {"xor.b32 %r1, %r0, 31;",
        "mul.lo.u32 %r1, %r0, 7; "
        "and.b32 %r1, %r1, 31;",
        "mov.u32 %r1, 5;", "mul.lo.u32 %r1, %r0, 3; rem.u32 %r1, %r1, 29;"}) {
    std::string body = prologue;
    body += std::string(index) +
            "mad.wide.u32 %d2, %r1, 4, %d0; ld.global.u32 %r2, [%d2];\n"
            "mad.wide.u32 %d2, %r0, 4, %d0; ld.global.u32 %r9, [%d2];\n"
            "mov.u32 %r3, s; mad.lo.u32 %r4, %r0, 4, %r3; mad.lo.u32 %r5, %r1, 4, %r3;\n"
            "st.shared.u32 [%r4], %r9; bar.warp.sync -1; ld.shared.u32 %r6, [%r5];\n"
            "mad.wide.u32 %d3, %r0, 8, %d1; st.global.v2.u32 [%d3], {%r2, %r6};\n";
    Harness h;
    ASSERT_EQ(h.loadBody("u64 in, u64 out", body, ".shared .align 4 .b8 s[128];"), "");
    std::vector<uint32_t> input;
    for (unsigned i = 0; i < 32; ++i)
      input.push_back(i * i + 1000);
    uint64_t in = h.put(input), out = h.empty<uint32_t>(64);
    expectClean(h, h.arg(in).arg(out).launch({}, {32, 1, 1}));
    auto result = h.get<uint32_t>(out, 64);
    std::string text = index;
    for (unsigned i = 0; i < 32; ++i) {
      unsigned at = text[0] == 'x'                     ? i ^ 31
                    : text[0] == 'm' && text[1] == 'o' ? 5
                    : text.find("rem") != text.npos    ? i * 3 % 29
                                                       : i * 7 & 31;
      EXPECT_EQ(result[2 * i], input[at]) << index;
      EXPECT_EQ(result[2 * i + 1], input[at]) << index;
    }
  }
}

TEST(Memory, WideRegisters) {
  Harness h;
  std::string body = prologue;
  body += ".reg .b128 %q<2>;\n"
          "mad.wide.u32 %d2, %r0, 16, %d0; mad.wide.u32 %d3, %r0, 16, %d1;\n"
          "ld.global.b128 %q0, [%d2]; st.global.b128 [%d3], %q0;\n";
  ASSERT_EQ(h.loadBody("u64 in, u64 out", body), "");
  auto input = randomBytes(512);
  uint64_t in = h.put(input), out = h.empty<uint8_t>(512);
  expectClean(h, h.arg(in).arg(out).launch({}, {32, 1, 1}));
  EXPECT_EQ(h.get<uint8_t>(out, 512), input);
}

TEST(Memory, Modifiers) {
  Harness h;
  std::string body = prologue;
  body +=
      "createpolicy.fractional.L2::evict_last.b64 %d9, 1.0;\n"
      "createpolicy.fractional.L2::evict_first.L2::evict_unchanged.b64 %d8, 0.5;\n"
      "prefetch.global.L2 [%d0]; prefetchu.L1 [%d0]; "
      "prefetch.global.L2::evict_last [%d0];\n"
      "applypriority.global.L2::evict_normal [%d0], 128;\n"
      "ld.global.nc.L1::no_allocate.L2::cache_hint.L2::128B.v2.u32 {%r1, %r2}, [%d0], "
      "%d9;\n"
      "ld.global.cg.u32 %r3, [%d0+8]; ldu.global.u32 %r4, [%d0+12];\n"
      "ld.volatile.global.u32 %r5, [%d0+16]; ld.relaxed.gpu.global.u32 %r6, [%d0+20];\n"
      "ld.acquire.sys.u32 %r7, [%d0+24]; ld.weak.global.u32 %r8, [%d0+28];\n"
      "ld.mmio.relaxed.sys.global.u32 %r9, [%d0+32];\n"
      "st.global.wb.L2::cache_hint.u32 [%d1], %r1, %d9; st.weak.u32 [%d1+4], %r2;\n"
      "st.global.L1::evict_last.u32 [%d1+8], %r3; st.global.wt.u32 [%d1+12], %r4;\n"
      "st.volatile.global.u32 [%d1+16], %r5; st.relaxed.cta.u32 [%d1+20], %r6;\n"
      "st.release.gpu.global.u32 [%d1+24], %r7; st.u32 [%d1+28], %r8;\n"
      "st.mmio.relaxed.sys.u32 [%d1+32], %r9;\n";
  ASSERT_EQ(h.loadBody("u64 in, u64 out", body), "");
  auto input = randomBytes(128);
  uint64_t in = h.put(input), out = h.empty<uint8_t>(128);
  expectClean(h, h.arg(in).arg(out).launch({}, {32, 1, 1}));
  input.resize(36);
  EXPECT_EQ(h.get<uint8_t>(out, 36), input);
}

TEST(Memory, RefusesWhatIsNotPtx) {
  for (const char *line :
       {"ld.global.u32.foo %r1, [%d0];", "ld.relaxed.global.u32 %r1, [%d0];",
        "ld.release.gpu.global.u32 %r1, [%d0];", "st.acquire.gpu.global.u32 [%d0], %r1;",
        "ld.global.v4.u64 {%d1, %d2}, [%d0];", "ld.global.pred %p1, [%d0];",
        "st.const.u32 [%d0], %r1;", "ld.global.u32 %r1, %d0;", "ld.local.u32 %r1, [in];",
        "st.async.release.gpu.global.u32 [%d0], %r1;", "st.param.u32 [in], %r1;",
        "ld.global.cta.u32 %r1, [%d0];", "discard.global.L2 [%d0], 64;",
        "ld.global.v2.b128 {%d1, %d2}, [%d0];"}) {
    Harness h;
    EXPECT_NE(h.loadBody("u64 in", line), "") << line;
  }
}

/// Generic addresses reach every space.
TEST(Memory, GenericAddresses) {
  Harness h;
  std::string body = prologue;
  body += ".local .align 4 .b8 l[64];\n"
          "cvta.shared.u64 %d2, s; mad.wide.u32 %d2, %r0, 4, %d2; st.u32 [%d2], %r0;\n"
          "mov.u32 %r1, s; mad.lo.u32 %r1, %r0, 4, %r1; ld.shared.u32 %r2, [%r1];\n"
          "mov.u64 %d3, l; cvta.local.u64 %d3, %d3; add.u32 %r3, %r0, 100; st.u32 "
          "[%d3+8], %r3;\n"
          "ld.local.u32 %r4, [l+8];\n"
          "mul.lo.u32 %r9, %r0, 3; st.local.u32 [l+12], %r9; ld.u32 %r10, [%d3+12];\n"
          "mad.wide.u32 %d4, %r0, 12, %d1; st.u32 [%d4], %r2; st.u32 [%d4+4], %r4;\n"
          "st.u32 [%d4+8], %r10;\n";
  ASSERT_EQ(h.loadBody("u64 in, u64 out", body, ".shared .align 4 .b8 s[128];"), "");
  uint64_t out = h.empty<uint32_t>(96);
  expectClean(h, h.arg(out).arg(out).launch({}, {32, 1, 1}));
  auto result = h.get<uint32_t>(out, 96);
  for (unsigned i = 0; i < 32; ++i) {
    EXPECT_EQ(result[3 * i], i);
    EXPECT_EQ(result[3 * i + 1], i + 100);
    EXPECT_EQ(result[3 * i + 2], 3 * i);
  }
}

TEST(Memory, Parameters) {
  Harness h;
  ASSERT_EQ(
      h.load(".version 8.8\n.target sm_90a\n.address_size 64\n"
             ".func (.param .b32 r) f(.param .align 8 .b8 s[16], .param .b32 x)\n{\n"
             ".reg .b32 %r<8>; .reg .b64 %d<4>;\n"
             "ld.param.v2.u32 {%r1, %r2}, [s]; ld.param.u32 %r3, [s+12];\n"
             "ld.param.s8 %r4, [x]; mov.b64 %d1, s; ld.param.u32 %r5, [%d1+8];\n"
             "add.u32 %r1, %r1, %r2; add.u32 %r1, %r1, %r3; add.u32 %r1, %r1, %r4;\n"
             "add.u32 %r1, %r1, %r5; st.param.b32 [r], %r1; ret;\n}\n"
             ".entry k(.param .u64 out, .param .align 4 .b8 s[12], .param .s16 n)\n{\n"
             ".reg .b32 %r<16>; .reg .b64 %d<8>; .param .align 8 .b8 a[16];\n"
             ".param .b32 b; .param .b32 c;\n"
             "ld.param.u64 %d0, [out]; mov.u32 %r0, %tid.x; ld.param.u32 %r1, [s+4];\n"
             "ld.param.s16 %r2, [n]; mov.b64 %d1, s; ld.param.u32 %r3, [%d1+8];\n"
             "st.param.u32 [a], %r0; st.param.u32 [a+4], %r1; st.param.u32 [a+8], %r3;\n"
             "st.param.b32 [a+12], 7; st.param.b32 [b], %r2;\n"
             "call.uni (c), f, (a, b); ld.param.b32 %r4, [c];\n"
             "mad.wide.u32 %d2, %r0, 4, %d0; st.global.u32 [%d2], %r4; ret;\n}\n"),
      "");
  uint64_t out = h.empty<uint32_t>(40);
  struct {
    uint32_t s[3] = {10, 20, 30};
    int16_t n = -5;
  } rest;
  h.arg(out);
  h.options.params.resize(8 + 14);
  memcpy(h.options.params.data() + 8, &rest, 14);
  expectClean(h, h.launch({}, {40, 1, 1}));
  auto result = h.get<uint32_t>(out, 40);
  for (unsigned i = 0; i < 40; ++i)
    EXPECT_EQ(result[i], i + 20 + 30 + 7 - 5) << i;
}
