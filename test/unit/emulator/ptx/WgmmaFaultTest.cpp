//===- WgmmaFaultTest.cpp - What wgmma reports --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WgmmaHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

const std::string fence = "wgmma.fence.sync.aligned;\n";
const std::string product =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 $D, %a, %b, 1, 1, 1, 0, 0;\n";
const std::string fromRegisters =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 $D, $A, %b, 1, 1, 1, 0;\n";
const std::string commit = "wgmma.commit_group.sync.aligned;\n";
const std::string waitAll = "wgmma.wait_group.sync.aligned 0;\n";

CanonicalLayout makeLayout(uint32_t start) {
  CanonicalLayout layout;
  layout.swizzle = 64;
  layout.start = start;
  layout.stride = 512;
  return layout;
}

WgmmaRun makeRun() {
  WgmmaRun run;
  run.a = makeLayout(sharedBase).descriptor();
  run.b = makeLayout(sharedBase + 8192).descriptor();
  run.d.resize(4 * 128);
  return run;
}

/// `rule`, and no other: unless `mayRace`, since who writes too early for one warp may be
/// early for others that have waited too.
void expectFault(WgmmaRun run, const std::string &body, Rule rule, bool fences = true,
                 bool mayRace = false) {
  SCOPED_TRACE(body);
  ASSERT_EQ(run.run(makeWgmmaText(body, 4, fences)), "");
  EXPECT_TRUE(run.harness->hasFault(rule)) << run.harness->faultText();
  for (const auto &fault : run.harness->faults)
    EXPECT_TRUE(fault.rule == rule || (mayRace && fault.rule == Rule::Race))
        << run.harness->faultText();
}

void expectNone(const std::string &body) {
  SCOPED_TRACE(body);
  WgmmaRun run = makeRun();
  ASSERT_EQ(run.run(makeWgmmaText(body, 4)), "");
  EXPECT_TRUE(run.harness->faults.empty()) << run.harness->faultText();
}

} // namespace

TEST(WgmmaFault, SoundPrograms) {
  expectNone(fence + product + commit + waitAll);
  expectNone(fence + fromRegisters + commit + waitAll);
  // A write to shared memory that no matrix lies in, and one after the wait.
  expectNone(fence + product + commit +
             "setp.eq.u32 %q, %t, 7;\n@%q st.shared.u32 [s+20000], %t;\n" + waitAll +
             "bar.sync 0;\n@%q st.shared.u32 [s+8192], %t;\n");
}

TEST(WgmmaFault, WgmmaFence) {
  expectFault(makeRun(), product + commit + waitAll, Rule::ProxyFence);
  expectFault(makeRun(), fence + "mov.b32 %D1, 0;\n" + product + commit + waitAll,
              Rule::ProxyFence);
  expectFault(makeRun(), fence + "mov.b32 %A1, 0;\n" + fromRegisters + commit + waitAll,
              Rule::ProxyFence);
  expectNone(fence + "mov.b32 %A1, 0;\n" + product + commit + waitAll);
  // Around a loop.
  std::string loop = "mov.u32 %i, 0;\n" + fence + "again:\n" + product + commit + waitAll;
  std::string back = "add.u32 %i, %i, 1;\nsetp.lt.u32 %q, %i, 3;\n@%q bra again;\n";
  expectNone(loop + back);
  WgmmaRun run = makeRun();
  expectFault(makeRun(), loop + "add.f32 %D3, %D3, %D3;\n" + back, Rule::ProxyFence);
}

TEST(WgmmaFault, ProxyFence) {
  expectFault(makeRun(), fence + product + commit + waitAll, Rule::ProxyFence,
              /*fences=*/false);
}

TEST(WgmmaFault, SharedMemoryInFlight) {
  std::string store = "setp.eq.u32 %q, %t, 5;\n@%q st.shared.u32 [s+8192], %t;\n";
  expectFault(makeRun(), fence + product + commit + "bar.sync 0;\n" + store + waitAll,
              Rule::InFlight, true, /*mayRace=*/true);
  // Another warp's wait does not help: warp 0 writes after a barrier that warp 1 reaches
  // before its wait.
  expectFault(makeRun(),
              fence + product + commit +
                  "shr.u32 %i, %t, 5;\nsetp.eq.u32 %q, %i, 1;\n"
                  "@!%q bra others;\nbar.sync 0;\n" +
                  waitAll + "bra done;\nothers:\n" + waitAll +
                  "bar.sync 0;\nsetp.eq.u32 %q, %t, 0;\n@%q st.shared.u32 [s+8192], %t;\n"
                  "done:\n",
              Rule::InFlight, true, /*mayRace=*/true);
}

TEST(WgmmaFault, SharedMemoryRaces) {
  // Each warp waits for its own reads; the others' are not ordered before the write.
  std::string store = "setp.eq.u32 %q, %t, 5;\n@%q st.shared.u32 [s+8192], %t;\n";
  WgmmaRun run = makeRun();
  ASSERT_EQ(run.run(makeWgmmaText(fence + product + commit + waitAll + store, 4)), "");
  EXPECT_TRUE(run.harness->hasFault(Rule::Race) || run.harness->hasFault(Rule::InFlight))
      << run.harness->faultText();
}

TEST(WgmmaFault, RegistersInFlight) {
  expectFault(makeRun(), fence + product + commit + "mov.b32 %D2, 0;\n" + waitAll,
              Rule::InFlight);
  expectFault(makeRun(), fence + fromRegisters + commit + "mov.b32 %A2, 7;\n" + waitAll,
              Rule::InFlight);
  expectFault(
      makeRun(),
      fence + product +
          "wgmma.mma_async.sync.aligned.m64n8k16.f16.f16.f16 {%D0, %D1}, %a, %b, 1, "
          "1, 1, 0, 0;\n" +
          commit + waitAll,
      Rule::InFlight);
  expectFault(makeRun(),
              fence + product +
                  "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%r4,%r5,%r6,%r7}, "
                  "$D, %b, 0, 1, 1, 0;\n" +
                  commit + waitAll,
              Rule::InFlight);
}

// Accumulators are undefined until the wait, and afterwards if there is none.
TEST(WgmmaFault, AccumulatorsAreUndefined) {
  for (const std::string &end :
       {std::string(), commit, commit + commit + "wgmma.wait_group.sync.aligned 2;\n"}) {
    WgmmaRun run = makeRun();
    ASSERT_EQ(run.run(makeWgmmaText(fence + product + end, 4)), "");
    for (uint8_t byte : run.shadow)
      ASSERT_NE(byte, 0);
  }
  WgmmaRun run = makeRun();
  ASSERT_EQ(run.run(makeWgmmaText(fence + product + commit + waitAll, 4)), "");
  for (uint8_t byte : run.shadow)
    ASSERT_EQ(byte, 0);
}

TEST(WgmmaFault, UndefinedElements) {
  // Row 21 of A and column 3 of B have an element that was never written, and D element
  // (40, 6) of lane 3 in warp 2.
  WgmmaRun run = makeRun();
  CanonicalLayout a = makeLayout(sharedBase), b = makeLayout(sharedBase + 8192);
  std::string shared = "s"; // a load of undefined data, then a store of it
  std::string body =
      ".reg .b16 %undefined;\n@%q mov.b16 %undefined, 0;\nsetp.eq.u32 %q, %t, 0;\n"
      "@%q st.shared.b16 [s+" +
      std::to_string(a.addressOf(21, 9, 16) - sharedBase) + "], %undefined;\n" +
      "@%q st.shared.b16 [s+" + std::to_string(b.addressOf(3, 2, 16) - sharedBase) +
      "], %undefined;\nfence.proxy.async;\nbar.sync 0;\n" +
      "setp.eq.u32 %q, %t, 67;\n@%q mov.b32 %D2, %r7;\n" + fence + product + commit +
      waitAll;
  ASSERT_EQ(run.run(makeWgmmaText(body, 4)), "");
  ASSERT_TRUE(run.harness->faults.empty()) << run.harness->faultText();
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned column = 0; column < 8; ++column) {
      AccumulatorPlace at = placeOfD(row, column, 32);
      bool undefined = row == 21 || column == 3 || (row == 40 && column == 6);
      ASSERT_EQ(run.shadow[at.word * 4] != 0, undefined) << row << ", " << column;
    }
}

TEST(WgmmaFault, Descriptors) {
  auto with = [](uint64_t a, uint64_t b) {
    WgmmaRun run = makeRun();
    run.a = a;
    run.b = b;
    return run;
  };
  const std::string body = fence + product + commit + waitAll;
  WgmmaRun good = makeRun();
  expectFault(with(good.a | uint64_t(1) << 49, good.b), body, Rule::Descriptor);
  expectFault(with(good.a, good.b | uint64_t(1) << 46), body, Rule::Descriptor);
  expectFault(with(good.a, good.b | uint64_t(1) << 14), body, Rule::Descriptor);
  // Into row 1 of the pattern, and past the end of a row.
  expectFault(with(good.a + 4, good.b), body, Rule::Descriptor);
  expectFault(with(good.a + 3, good.b), body, Rule::Descriptor);
  // Before shared memory and after it.
  expectFault(with(good.a - 64, good.b), body, Rule::OutOfBounds);
  expectFault(with(good.a + imageBytes / 16, good.b), body, Rule::OutOfBounds);
  // Lanes that disagree, and warps.
  expectFault(makeRun(), "setp.eq.u32 %q, %t, 9;\n@%q add.s64 %a, %a, 2;\n" + body,
              Rule::Descriptor);
  expectFault(makeRun(), "setp.gt.u32 %q, %t, 63;\n@%q add.s64 %a, %a, 2;\n" + body,
              Rule::Convergence);
}

TEST(WgmmaFault, Convergence) {
  const std::string body = fence + product + commit + waitAll;
  WgmmaRun run = makeRun();
  run.threads = 96;
  for (unsigned threads : {96u, 160u}) {
    WgmmaRun some = makeRun();
    some.threads = threads;
    some.d.resize(4 * 160);
    some.fragment.resize(4 * 160);
    ASSERT_EQ(some.run(makeWgmmaText(body, 4)), "");
    EXPECT_TRUE(some.harness->hasFault(Rule::Convergence)) << some.harness->faultText();
  }
  // A warp without it; one that executes another one; a lane.
  expectFault(makeRun(), "setp.lt.u32 %q, %t, 96;\n@!%q exit;\n" + body,
              Rule::Convergence);
  expectFault(makeRun(), "setp.lt.u32 %q, %t, 32;\n@!%q exit;\n" + body,
              Rule::Convergence);
  expectFault(makeRun(),
              "setp.lt.u32 %q, %t, 64;\n" + fence + "@%q bra one;\n" + product +
                  "bra both;\none:\n" + product + "both:\n" + commit + waitAll,
              Rule::Convergence);
  expectFault(makeRun(),
              fence + "setp.ne.u32 %q, %t, 3;\n@%q " + product + commit + waitAll,
              Rule::Convergence);
  // scale-d is one for the warp.
  std::string scaled = product;
  scaled.replace(scaled.find("%b, 1"), 5, "%b, %q");
  expectFault(makeRun(), "setp.lt.u32 %q, %t, 16;\n" + fence + scaled + commit + waitAll,
              Rule::Convergence);
}

TEST(WgmmaFault, UndefinedOperands) {
  expectFault(makeRun(),
              ".reg .b64 %undefined;\nmov.b64 %a, %undefined;\n" + fence + product +
                  commit + waitAll,
              Rule::Uninitialised);
}
