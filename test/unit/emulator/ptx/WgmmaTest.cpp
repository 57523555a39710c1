//===- WgmmaTest.cpp - wgmma.mma_async: shapes, types, layouts ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WgmmaHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

namespace {

struct Case {
  std::string a, b, d;
  unsigned n, k;
  CanonicalLayout aLayout, bLayout;
  bool aInRegisters = false;
  int aScale = 1, bScale = 1;
  bool adds = true;
  std::string modifier; ///< .satfinite or .and.popc
};

std::string mnemonicOf(const Case &c) {
  std::string text = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(c.n) + "k" +
                     std::to_string(c.k);
  return text + (c.modifier == ".satfinite" ? c.modifier : "") + "." + c.d + "." + c.a +
         "." + c.b + (c.modifier == ".and.popc" ? c.modifier : "");
}

void check(const Case &c) {
  std::string mnemonic = mnemonicOf(c);
  SCOPED_TRACE(mnemonic + (c.aInRegisters ? " A in registers" : "") + " A swizzle " +
               std::to_string(c.aLayout.swizzle) + (c.aLayout.kMajor ? " K" : " MN") +
               " B swizzle " + std::to_string(c.bLayout.swizzle) +
               (c.bLayout.kMajor ? " K" : " MN"));
  TestMatrix a(c.a, 64, c.k), b(c.b, c.k, c.n), d(c.d, 64, c.n);
  a.fill();
  b.fill();
  d.fill();
  if (c.modifier == ".satfinite")
    for (size_t i = 0; i < d.bits.size(); ++i)
      d.bits[i] = i % 3 == 0 ? 0x7fffffff : i % 3 == 1 ? 0x80000000 : d.bits[i];
  unsigned bits = bitsOf(c.d), registers = c.n * bits / 64;
  WgmmaRun run;
  run.a = c.aLayout.descriptor();
  run.b = c.bLayout.descriptor();
  if (c.aInRegisters)
    run.fragment = layFragmentA(a);
  else
    c.aLayout.write(a, /*isB=*/false, run.image);
  c.bLayout.write(b, /*isB=*/true, run.image);
  run.d.resize(size_t(registers) * 128);
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned column = 0; column < c.n; ++column) {
      AccumulatorPlace at = placeOfD(row, column, bits);
      run.d[at.word] |= static_cast<uint32_t>(d.at(row, column) << at.shift);
    }
  run.scale = c.adds;
  std::string operands = "$D, " + std::string(c.aInRegisters ? "$A" : "%a") + ", %b, %p";
  if (c.d != "s32") {
    operands += ", " + std::to_string(c.aScale) + ", " + std::to_string(c.bScale);
    if (bitsOf(c.a) == 16) {
      if (!c.aInRegisters)
        operands += c.aLayout.kMajor ? ", 0" : ", 1";
      operands += c.bLayout.kMajor ? ", 0" : ", 1";
    }
  }
  std::string body = "wgmma.fence.sync.aligned;\n" + mnemonic + " " + operands +
                     ";\nwgmma.commit_group.sync.aligned;\n"
                     "wgmma.wait_group.sync.aligned 0;\n";
  ASSERT_EQ(run.run(makeWgmmaText(body, registers)), "");
  ASSERT_TRUE(run.harness->faults.empty()) << run.harness->faultText();
  EXPECT_EQ(run.harness->statistics.multiplyAdds, uint64_t(64) * c.n * c.k);
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned column = 0; column < c.n; ++column) {
      double sum = productAt(a, b, 0, row, column) * c.aScale * c.bScale;
      double expected = sum + (c.adds ? d.value(row, column) : 0);
      if (c.modifier == ".satfinite")
        expected = std::min(std::max(expected, -2147483648.0), 2147483647.0);
      if (c.d == "f16")
        expected = roundToF16(expected);
      AccumulatorPlace at = placeOfD(row, column, bits);
      ASSERT_EQ(valueOf(c.d, run.result[at.word] >> at.shift), expected)
          << row << ", " << column;
    }
}

/// A layout whose strides have room to spare, at `start`.
CanonicalLayout makeLayout(unsigned swizzle, bool kMajor, uint32_t start) {
  CanonicalLayout layout;
  layout.swizzle = swizzle;
  layout.kMajor = kMajor;
  layout.start = start;
  if (swizzle == 0) {
    // Atoms of 128 bytes. 64 rows or 256 columns are 32 of them, k two.
    layout.stride = kMajor ? 384 : 128;
    layout.leading = kMajor ? 128 : 32 * 128;
  } else {
    layout.stride = kMajor ? 8 * swizzle * 2 : 8 * swizzle;
    layout.leading = kMajor ? 16 : 8 * swizzle * 2;
  }
  return layout;
}

constexpr uint32_t aStart = sharedBase, bStart = sharedBase + 32 * 1024;

Case makeCase(const char *a, const char *b, const char *d, unsigned n, unsigned k) {
  Case c;
  c.a = a;
  c.b = b;
  c.d = d;
  c.n = n;
  c.k = k;
  c.aLayout = makeLayout(128, true, aStart);
  c.bLayout = makeLayout(128, true, bStart);
  return c;
}

} // namespace

TEST(Wgmma, EveryWidth) {
  for (unsigned n = 8; n <= 256; n += 8)
    check(makeCase("f16", "f16", "f32", n, 16));
  for (unsigned n = 8; n <= 256; n += n < 32 ? 8 : 16)
    check(makeCase("s8", "s8", "s32", n, 32));
}

TEST(Wgmma, EveryType) {
  for (bool inRegisters : {false, true})
    for (bool adds : {false, true}) {
      std::vector<Case> cases = {
          makeCase("f16", "f16", "f32", 24, 16), makeCase("f16", "f16", "f16", 40, 16),
          makeCase("bf16", "bf16", "f32", 24, 16), makeCase("tf32", "tf32", "f32", 72, 8),
          makeCase("b1", "b1", "s32", 48, 256)};
      for (const char *a : {"e4m3", "e5m2"})
        for (const char *b : {"e4m3", "e5m2"})
          for (const char *d : {"f32", "f16"})
            cases.push_back(makeCase(a, b, d, 16, 32));
      for (const char *a : {"s8", "u8"})
        for (const char *b : {"s8", "u8"})
          for (const char *modifier : {"", ".satfinite"}) {
            cases.push_back(makeCase(a, b, "s32", 32, 32));
            cases.back().modifier = modifier;
          }
      for (Case &c : cases) {
        if (c.a == "b1")
          c.modifier = ".and.popc";
        c.aInRegisters = inRegisters;
        c.adds = adds;
        check(c);
      }
    }
}

TEST(Wgmma, EveryLayoutOfHalves) {
  for (unsigned swizzle : {0u, 32u, 64u, 128u})
    for (bool kMajor : {true, false})
      for (unsigned n : {16u, 104u, 256u}) {
        Case c =
            makeCase(n == 16 ? "bf16" : "f16", n == 16 ? "bf16" : "f16", "f32", n, 16);
        c.bLayout = makeLayout(swizzle, kMajor, bStart);
        check(c);
        // Two layouts that differ.
        unsigned other = swizzle == 0 ? 128 : swizzle == 32 ? 64 : swizzle == 64 ? 32 : 0;
        c.aLayout = makeLayout(swizzle, kMajor, aStart);
        c.bLayout = makeLayout(other, !kMajor, bStart);
        check(c);
        c.aInRegisters = true;
        check(c);
      }
}

TEST(Wgmma, EveryKMajorLayoutOfOtherTypes) {
  for (unsigned swizzle : {0u, 32u, 64u, 128u})
    for (Case c :
         {makeCase("tf32", "tf32", "f32", 40, 8), makeCase("e4m3", "e5m2", "f32", 40, 32),
          makeCase("u8", "s8", "s32", 48, 32), makeCase("b1", "b1", "s32", 48, 256)}) {
      if (c.a == "b1")
        c.modifier = ".and.popc";
      c.aLayout = makeLayout(swizzle, true, aStart);
      c.bLayout = makeLayout(swizzle, true, bStart);
      check(c);
    }
}

TEST(Wgmma, StartInsideARowOfThePattern) {
  for (unsigned swizzle : {64u, 128u})
    for (uint32_t advance = 32; advance < swizzle; advance += 32) {
      Case c = makeCase("f16", "f16", "f32", 24, 16);
      c.aLayout = makeLayout(swizzle, true, aStart);
      c.bLayout = makeLayout(swizzle, true, bStart);
      c.aLayout.advance = advance;
      c.bLayout.advance = swizzle - advance;
      check(c);
      // 16 columns of N-major B further on in its atom.
      c.n = 16;
      c.bLayout = makeLayout(swizzle, false, bStart);
      c.bLayout.advance = advance;
      check(c);
    }
}

TEST(Wgmma, Scales) {
  for (int a : {1, -1})
    for (int b : {1, -1})
      for (const char *type : {"f16", "tf32", "e5m2"}) {
        Case c = makeCase(type, type, "f32", 16,
                          type[0] == 'f'   ? 16
                          : type[0] == 't' ? 8
                                           : 32);
        c.aScale = a;
        c.bScale = b;
        check(c);
      }
}

// Two products into the same accumulators, the second one waited for later, and a third
// whose scale-d is a constant.
TEST(Wgmma, Chains) {
  for (const char *type : {"f32", "f16"}) {
    TestMatrix a("f16", 64, 16), b("f16", 16, 32);
    a.fill();
    b.fill();
    CanonicalLayout aLayout = makeLayout(64, true, aStart),
                    bLayout = makeLayout(64, true, bStart);
    WgmmaRun run;
    aLayout.write(a, false, run.image);
    bLayout.write(b, true, run.image);
    run.a = aLayout.descriptor();
    run.b = bLayout.descriptor();
    unsigned bits = bitsOf(type), registers = 32 * bits / 64;
    run.d.resize(registers * 128);
    std::string product = std::string("wgmma.mma_async.sync.aligned.m64n32k16.") + type +
                          ".f16.f16 $D, %a, %b, ";
    std::string commit = "wgmma.commit_group.sync.aligned;\n";
    std::string body =
        "wgmma.fence.sync.aligned;\n" + product + "0, 1, 1, 0, 0;\n" + product +
        "%p, 1, 1, 0, 0;\n" + commit + product + "1, 1, 1, 0, 0;\n" + commit + commit +
        "wgmma.wait_group.sync.aligned 2;\n" + product + "!%q, -1, 1, 0, 0;\n" + commit +
        product + "1, 1, 1, 0, 0;\n" + commit + "wgmma.wait_group.sync.aligned 0;\n";
    ASSERT_EQ(run.run(makeWgmmaText(body, registers)), "");
    ASSERT_TRUE(run.harness->faults.empty()) << run.harness->faultText();
    for (unsigned row = 0; row < 64; ++row)
      for (unsigned column = 0; column < 32; ++column) {
        AccumulatorPlace at = placeOfD(row, column, bits);
        ASSERT_EQ(valueOf(type, run.result[at.word] >> at.shift),
                  3 * productAt(a, b, 0, row, column));
      }
  }
}

TEST(Wgmma, Refuses) {
  auto refuse = [](const std::string &text, unsigned registers) {
    Harness harness;
    std::string body = "wgmma.fence.sync.aligned;\n" + text + ";\n";
    EXPECT_NE(harness.load(makeWgmmaText(body, registers)), "") << text;
  };
  std::string start = "wgmma.mma_async.sync.aligned.m64n";
  refuse(start + "8k32.f32.f16.f16 $D, %a, %b, %p, 1, 1, 0, 0", 4);
  refuse(start + "8k16.f32.f16.bf16 $D, %a, %b, %p, 1, 1, 0, 0", 4);
  refuse(start + "8k16.f16.bf16.bf16 $D, %a, %b, %p, 1, 1, 0, 0", 2);
  refuse(start + "40k32.s32.s8.s8 $D, %a, %b, %p", 20);
  refuse(start + "8k16.f32.f16.f16 $D, %a, %b, %p, 1, 2, 0, 0", 4);
  refuse(start + "8k16.f32.f16.f16 $D, %a, %b, %p, 1, 1, 0", 4);
  refuse(start + "8k8.f32.tf32.tf32 $D, %a, %b, %p, 1, 1, 0, 0", 4);
  refuse(start + "8k16.f32.f16.f16 $D, %a, %b, %p, 1, 1, 0, 0", 5);
  refuse(start + "8k256.s32.b1.b1.xor.popc $D, %a, %b, %p", 4);
  refuse("wgmma.mma_async.sp.sync.aligned.m64n8k32.f32.f16.f16 "
         "$D, %a, %b, %v, 0, %p, 1, 1, 0, 0",
         4);
}
