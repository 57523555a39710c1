//===- MemoryCheckTest.cpp - Tests of what accesses report and count ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemoryHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

//===----------------------------------------------------------------------===//
// What is reported
//===----------------------------------------------------------------------===//

namespace {
/// Runs `body` with 32 threads on buffers of 128 bytes; the faults stay in the harness.
void run(Harness &h, const std::string &body, unsigned threads = 32) {
  ASSERT_EQ(h.loadBody("u64 in, u64 out", prologue + body,
                       ".shared .align 16 .b8 s[512]; .global .u32 g = 5; "
                       ".const .u32 c = 6;"),
            "");
  uint64_t in = h.put(randomBytes(128), "in"), out = h.empty<uint8_t>(128, "out");
  EXPECT_EQ(h.arg(in).arg(out).launch({}, {threads, 1, 1}), "");
}
} // namespace

TEST(MemoryCheck, ReportsBadAddresses) {
  struct Case {
    const char *body;
    Rule rule;
  };
  const Case cases[] = {
      {"mad.wide.u32 %d2, %r0, 4, %d0; ld.global.u32 %r1, [%d2+4];", Rule::OutOfBounds},
      {"mad.wide.u32 %d2, %r0, 4, %d1; st.global.u32 [%d2+-4], %r0;", Rule::OutOfBounds},
      {"mad.wide.u32 %d2, %r0, 2, %d0; ld.global.u32 %r1, [%d2];", Rule::Misaligned},
      {"ld.global.v2.u32 {%r1, %r2}, [%d0+4];", Rule::Misaligned},
      {"mov.u32 %r1, s; ld.shared.u32 %r2, [%r1+512];", Rule::OutOfBounds},
      {"mov.u32 %r1, 16; st.shared.u32 [%r1], %r0;", Rule::OutOfBounds},
      {"ld.global.u32 %r1, [%d40];", Rule::Uninitialised},
      {"ld.global.u64 %d2, [%d1]; ld.global.u32 %r1, [%d2];", Rule::Uninitialised},
      {"mov.u32 %r1, c; cvt.u64.u32 %d2, %r1; mov.u64 %d2, c; st.u32 [%d2], %r0;",
       Rule::ReadOnly},
      {"ld.u32 %r1, [100];", Rule::OutOfBounds},
      {"mov.u64 %d3, s; ld.global.u32 %r1, [%d3];", Rule::OutOfBounds},
  };
  for (const Case &c : cases) {
    Harness h;
    run(h, c.body);
    EXPECT_TRUE(h.hasFault(c.rule)) << c.body << "\n" << h.faultText();
    EXPECT_EQ(h.faults.size(), 1u) << h.faultText();
  }
}

TEST(MemoryCheck, NamedVariables) {
  Harness h;
  std::string body = prologue;
  body += "ld.global.u32 %r1, [g]; ld.const.u32 %r2, [c+4]; add.u32 %r1, %r1, %r2;\n"
          "st.global.u32 [g], 9; ld.u32 %r3, [g]; add.u32 %r1, %r1, %r3;\n"
          "st.global.u32 [%d1], %r1;\n";
  ASSERT_EQ(h.loadBody("u64 in, u64 out", body,
                       ".global .u32 g = 5; .const .u32 c[2] = {100, 60};"),
            "");
  uint64_t out = h.empty<uint32_t>(1);
  expectClean(h, h.arg(out).arg(out).launch({}, {1, 1, 1}));
  EXPECT_EQ(h.get<uint32_t>(out, 1)[0], 5u + 60 + 9);
}

/// Undefined bytes travel through memory and registers as they are.
TEST(MemoryCheck, UndefinedBytesTravel) {
  Harness g;
  ASSERT_EQ(g.loadBody("u64 out",
                       "mov.u32 %r1, s; ld.param.u64 %d1, [out];\n"
                       "st.shared.u32 [%r1], %r40; mov.u32 %r2, 7;\n"
                       "st.shared.u8 [%r1+1], %r2; ld.shared.u32 %r3, [%r1];\n"
                       "st.global.u32 [%d1], %r3; ld.shared.s8 %r4, [%r1+2];\n"
                       "st.global.u32 [%d1+4], %r4; ld.shared.u8 %r5, [%r1+2];\n"
                       "st.global.u32 [%d1+8], %r5;\n"
                       "ld.shared.u16 %r6, [%r1+256]; "
                       "st.global.u16 [%d1+12], %r6;\n",
                       ".shared .align 16 .b8 s[512];"),
            "");
  uint64_t out = g.empty<uint8_t>(16);
  EXPECT_EQ(g.arg(out).launch({}, {1, 1, 1}), "");
  EXPECT_TRUE(g.faults.empty()) << g.faultText();
  using tilewright::emulator::Sound;
  using tilewright::emulator::Undefined;
  auto shadow = g.shadow(out, 14);
  const std::vector<uint8_t> expected = {
      Undefined, Sound,     Undefined, Undefined, Undefined, Undefined, Undefined,
      Undefined, Undefined, Sound,     Sound,     Sound,     Undefined, Undefined};
  EXPECT_EQ(shadow, expected);
}

TEST(MemoryCheck, LanesThatStoreToOneAddress) {
  for (const char *space : {"global", "shared"}) {
    std::string to = std::string(space) == "global" ? "%d1" : "%d3";
    std::string start = "mov.u64 %d3, s;";
    Harness different, equal, pairs, strong;
    run(different, start + "st." + space + ".u32 [" + to + "], %r0;");
    EXPECT_TRUE(different.hasFault(Rule::Race));
    run(equal, start + "mov.u32 %r1, 5; st." + space + ".u32 [" + to + "], %r1;");
    EXPECT_TRUE(equal.faults.empty()) << equal.faultText();
    run(pairs, start +
                   "shr.u32 %r1, %r0, 1; cvt.u64.u32 %d4, %r1; shl.b64 %d4, %d4, 2;"
                   "add.u64 %d4, %d4, " +
                   to + "; st." + space + ".u32 [%d4], %r0;");
    EXPECT_TRUE(pairs.hasFault(Rule::Race));
    // Sums that were rounded differently are no error: hardware keeps one of them.
    Harness rounded, apart;
    std::string sums = start +
                       "cvt.rn.f32.u32 %f1, %r0; fma.rn.f32 %f1, %f1, SCALE, 0f3F800000;"
                       "mov.b32 %r1, %f1; st." +
                       space + ".b32 [" + to + "], %r1;";
    auto scaled = [&](const char *scale) {
      std::string text = sums;
      return text.replace(text.find("SCALE"), 5, scale);
    };
    run(rounded, scaled("0f34000000")); // 2^-23
    EXPECT_TRUE(rounded.faults.empty()) << rounded.faultText();
    run(apart, scaled("0f3C23D70A")); // 0.01
    EXPECT_TRUE(apart.hasFault(Rule::Race));
    run(strong, start + "st.volatile." + space + ".u32 [" + to + "], %r0;");
    EXPECT_TRUE(strong.faults.empty()) << strong.faultText();
  }
}

TEST(MemoryCheck, RacesBetweenWarps) {
  // Warp 1 reads what warp 0 wrote: with a barrier, without one, by a flag.
  const std::string write = "mov.u32 %r1, s; setp.ge.u32 %p0, %r0, 32; @%p0 bra R;\n"
                            "mad.lo.u32 %r2, %r0, 4, %r1; st.shared.u32 [%r2], %r0;\n";
  const std::string read = "R: sub.u32 %r3, %r0, 32; mad.lo.u32 %r2, %r3, 4, %r1;\n"
                           "ld.shared.u32 %r4, [%r2]; E:\n";
  Harness racy;
  run(racy, write + "bra.uni E;\n" + read, 64);
  EXPECT_TRUE(racy.hasFault(Rule::Race));
  struct Case {
    const char *store, *load;
    bool isRace;
  };
  const Case cases[] = {
      {"st.release.cta.shared.u32", "ld.acquire.cta.shared.u32", false},
      {"fence.acq_rel.cta; st.relaxed.cta.shared.u32", "ld.acquire.cta.shared.u32",
       false},
      {"st.relaxed.cta.shared.u32", "ld.acquire.cta.shared.u32", true},
      {"st.release.cta.shared.u32", "ld.relaxed.cta.shared.u32", true},
      {"st.volatile.shared.u32", "ld.volatile.shared.u32", true},
  };
  for (const Case &c : cases) {
    std::string body =
        "mov.u32 %r1, s; st.shared.u32 [%r1+256], 0; bar.sync 0;\n"
        "setp.ge.u32 %p0, %r0, 32; @%p0 bra W;\n"
        "mad.lo.u32 %r2, %r0, 4, %r1; st.shared.u32 [%r2], %r0; bar.warp.sync -1;\n"
        "setp.ne.u32 %p1, %r0, 0; @%p1 bra E; " +
        std::string(c.store) + " [%r1+256], 1; bra.uni E;\n" + "W: " + c.load +
        " %r5, [%r1+256]; setp.eq.u32 %p2, %r5, 0; @%p2 bra W;\n" + read;
    Harness h;
    run(h, body, 64);
    EXPECT_EQ(h.hasFault(Rule::Race), c.isRace)
        << c.store << " " << c.load << h.faultText();
    EXPECT_EQ(h.faults.size(), size_t(c.isRace)) << h.faultText();
  }
}

/// Warps that all store the same do not race; one that stores something else does.
TEST(MemoryCheck, WarpsThatStoreTheSame) {
  for (const char *value : {"7", "%r4"}) {
    Harness h;
    run(h,
        "mov.u32 %r1, s; and.b32 %r3, %r0, 31; shr.u32 %r4, %r0, 5;\n"
        "mad.lo.u32 %r2, %r3, 4, %r1; st.shared.u32 [%r2], " +
            std::string(value) +
            ";\n"
            "bar.sync 0; ld.shared.u32 %r5, [%r2];\n",
        128);
    EXPECT_EQ(h.hasFault(Rule::Race), *value == '%') << h.faultText();
  }
}

TEST(MemoryCheck, MemoryInFlight) {
  for (const char *access : {"ld.shared.u32 %r3, [%r2+64];", "st.shared.u32 [%r2+64], 5;",
                             "atom.shared.add.u32 %r3, [%r2+64], 5;"}) {
    Harness h, waited;
    std::string copy = "mov.u32 %r1, s; mad.lo.u32 %r2, %r0, 4, %r1;\n"
                       "mad.wide.u32 %d2, %r0, 4, %d0; cp.async.ca.shared.global [%r2], "
                       "[%d2], 4;\ncp.async.commit_group;\n";
    run(h, copy + "mov.u32 %r2, s;" + access);
    EXPECT_TRUE(h.hasFault(Rule::InFlight)) << h.faultText();
    run(waited,
        copy + "cp.async.wait_group 0; bar.warp.sync -1; mov.u32 %r2, s;" + access);
    EXPECT_TRUE(waited.faults.empty()) << waited.faultText();
  }
}

//===----------------------------------------------------------------------===//
// Progress
//===----------------------------------------------------------------------===//

/// Blocks that wait for each other through global memory, more than run at once.
TEST(MemoryCheck, GridBarrier) {
  for (const char *load : {"ld.volatile.global.u32", "ld.acquire.gpu.global.u32"})
    for (Order::Kind order : {Order::Forward, Order::Reverse, Order::Shuffled}) {
      Harness h;
      std::string body = prologue;
      body += "setp.ne.u32 %p0, %r0, 0; @%p0 bra D;\n"
              "fence.acq_rel.gpu; atom.add.release.gpu.global.u32 %r1, [%d0], 1;\n"
              "mov.u32 %r2, %nctaid.x;\nL: " +
              std::string(load) +
              " %r3, [%d0];\n"
              "setp.lt.u32 %p1, %r3, %r2; @%p1 bra L;\n"
              "D: bar.sync 0; mov.u32 %r4, %ctaid.x; mad.wide.u32 %d2, %r4, 4, %d1;\n"
              "@!%p0 st.global.u32 [%d2], %r3;\n";
      ASSERT_EQ(h.loadBody("u64 in, u64 out", body), "");
      h.options.order = {order, 3};
      uint64_t in = h.put(std::vector<uint32_t>{0}), out = h.empty<uint32_t>(100);
      expectClean(h, h.arg(in).arg(out).launch({100, 1, 1}, {64, 1, 1}));
      EXPECT_EQ(h.get<uint32_t>(out, 100), std::vector<uint32_t>(100, 100));
    }
}

TEST(MemoryCheck, SpinForEverIsADeadlock) {
  Harness h;
  run(h, "mov.u32 %r1, s; st.shared.u32 [%r1], 0;\n"
         "L: ld.volatile.shared.u32 %r2, [%r1]; setp.eq.u32 %p0, %r2, 0; @%p0 bra L;\n");
  EXPECT_TRUE(h.hasFault(Rule::Deadlock)) << h.faultText();
  Harness g;
  run(g, "L: ld.acquire.gpu.global.u32 %r2, [g]; setp.eq.u32 %p0, %r2, 5; @%p0 bra L;\n");
  EXPECT_TRUE(g.hasFault(Rule::Deadlock)) << g.faultText();
}

/// A loop that polls so many times and goes on is none.
TEST(MemoryCheck, BoundedPollingEnds) {
  Harness h;
  run(h, "mov.u32 %r3, 0;\nL: ld.volatile.global.u32 %r2, [g]; add.u32 %r3, %r3, 1;\n"
         "setp.lt.u32 %p0, %r3, 5000; @%p0 bra L;\nst.global.u32 [%d1], %r3;\n");
  EXPECT_TRUE(h.faults.empty()) << h.faultText();
}

/// Lanes of one warp wait for another of it.
TEST(MemoryCheck, LaneWaitsForLane) {
  Harness h;
  run(h, "mov.u32 %r1, s; st.shared.u32 [%r1], 0; bar.warp.sync -1;\n"
         "setp.eq.u32 %p0, %r0, 31; @%p0 bra S;\n"
         "L: ld.volatile.shared.u32 %r2, [%r1]; setp.eq.u32 %p1, %r2, 0; @%p1 bra L;\n"
         "bra E;\nS: mov.u32 %r5, 0;\n"
         "M: add.u32 %r5, %r5, 1; setp.lt.u32 %p2, %r5, 300; @%p2 bra M;\n"
         "st.volatile.shared.u32 [%r1], 1;\nE:\n");
  EXPECT_TRUE(h.faults.empty()) << h.faultText();
}

//===----------------------------------------------------------------------===//
// Statistics and the check between blocks
//===----------------------------------------------------------------------===//

TEST(MemoryCheck, Statistics) {
  struct Case {
    const char *body;
    uint64_t wavefronts, ideal, sectors;
  };
  const Case cases[] = {
      {"mad.lo.u32 %r2, %r0, 4, %r1; ld.shared.u32 %r3, [%r2];", 1, 1, 0},
      {"mad.lo.u32 %r2, %r0, 8, %r1; ld.shared.u32 %r3, [%r2];", 2, 1, 0},
      {"mad.lo.u32 %r2, %r0, 128, %r1; ld.shared.u32 %r3, [%r2];", 32, 1, 0},
      {"ld.shared.u32 %r3, [%r1];", 1, 1, 0},
      {"mad.lo.u32 %r2, %r0, 16, %r1; ld.shared.v4.u32 {%r3, %r4, %r5, %r6}, [%r2];", 4,
       4, 0},
      {"mad.lo.u32 %r2, %r0, 8, %r1; ld.shared.v2.u32 {%r3, %r4}, [%r2];", 2, 2, 0},
      {"mad.wide.u32 %d2, %r0, 4, %d0; ld.global.u32 %r3, [%d2];", 0, 0, 4},
      {"mad.wide.u32 %d2, %r0, 128, %d0; ld.global.u32 %r3, [%d2];", 0, 0, 32},
  };
  for (const Case &c : cases) {
    Harness h;
    std::string body = prologue;
    body += std::string("mov.u32 %r1, s;\n") + c.body + "\n";
    ASSERT_EQ(h.loadBody("u64 in, u64 out", body, ".shared .align 16 .b8 s[4096];"), "");
    h.options.checks.statistics = true;
    uint64_t in = h.put(randomBytes(4096));
    expectClean(h, h.arg(in).arg(in).launch({}, {32, 1, 1}));
    LineCounts sum;
    for (const auto &line : h.statistics.lines) {
      sum.sharedWavefronts += line.second.sharedWavefronts;
      sum.sharedIdeal += line.second.sharedIdeal;
      sum.globalSectors += line.second.globalSectors;
    }
    EXPECT_EQ(sum.sharedWavefronts, c.wavefronts) << c.body;
    EXPECT_EQ(sum.globalSectors, c.sectors) << c.body;
    EXPECT_EQ(sum.sharedIdeal, c.ideal) << c.body;
    EXPECT_EQ(h.statistics.sharedRead + h.statistics.globalRead,
              std::string(c.body).find("v4") != std::string::npos   ? 512u
              : std::string(c.body).find("v2") != std::string::npos ? 256u
                                                                    : 128u);
  }
}

TEST(MemoryCheck, RacesBetweenBlocks) {
  struct Case {
    const char *body;
    bool isRace;
  };
  const Case cases[] = {
      // All blocks write one word.
      {"@!%p0 st.global.u32 [%d1], %r4;", true},
      // Each its own.
      {"mad.wide.u32 %d2, %r4, 4, %d1; @!%p0 st.global.u32 [%d2], %r4;", false},
      // By atomic operations.
      {"red.global.add.u32 [%d1], 1;", false},
      // The last block to arrive reads what all have written.
      {"mad.wide.u32 %d2, %r4, 4, %d1; @%p0 bra E; st.global.u32 [%d2], %r4;\n"
       "atom.add.acq_rel.gpu.global.u32 %r5, [%d0], 1; setp.ne.u32 %p1, %r5, 7;\n"
       "@%p1 bra E; ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%d1];\nE:",
       false},
      {"mad.wide.u32 %d2, %r4, 4, %d1; @%p0 bra E; st.global.u32 [%d2], %r4;\n"
       "membar.gl; atom.add.gpu.global.u32 %r5, [%d0], 1; setp.ne.u32 %p1, %r5, 7;\n"
       "@%p1 bra E; membar.gl; ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%d1];\nE:",
       false},
      {"mad.wide.u32 %d2, %r4, 4, %d1; @%p0 bra E; st.global.u32 [%d2], %r4;\n"
       "atom.add.gpu.global.u32 %r5, [%d0], 1; setp.ne.u32 %p1, %r5, 7;\n"
       "@%p1 bra E; ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%d1];\nE:",
       true},
      // Two warps of a block, in order and not.
      {"shr.u32 %r5, %r0, 5; mad.wide.u32 %d2, %r5, 4, %d1; setp.ne.u32 %p1, %r4, 0;\n"
       "@%p1 bra E; st.global.u32 [%d2], %r5; bar.sync 0; ld.global.v2.u32 {%r6, %r7}, "
       "[%d1];\nE:",
       false},
      {"shr.u32 %r5, %r0, 5; mad.wide.u32 %d2, %r5, 4, %d1; setp.ne.u32 %p1, %r4, 0;\n"
       "@%p1 bra E; st.global.u32 [%d2], %r5; ld.global.v2.u32 {%r6, %r7}, [%d1];\nE:",
       true},
      // A thread tells other blocks what its block's other warp wrote, after a barrier
      // and
      // without.
      {"shr.u32 %r5, %r0, 5; mad.wide.u32 %d2, %r4, 4, %d1; setp.eq.u32 %p1, %r5, 0;\n"
       "@!%p1 st.global.u32 [%d2], %r4; bar.sync 0; @%p0 bra E;\n"
       "atom.add.acq_rel.gpu.global.u32 %r5, [%d0], 1; setp.ne.u32 %p1, %r5, 7;\n"
       "@%p1 bra E; ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%d1];\nE:",
       false},
      {"shr.u32 %r5, %r0, 5; mad.wide.u32 %d2, %r4, 4, %d1; setp.eq.u32 %p1, %r5, 0;\n"
       "@!%p1 st.global.u32 [%d2], %r4; @%p0 bra E;\n"
       "atom.add.acq_rel.gpu.global.u32 %r5, [%d0], 1; setp.ne.u32 %p1, %r5, 7;\n"
       "@%p1 bra E; ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%d1];\nE:",
       true},
      // What a thread has acquired its block's other warp has after a barrier alone.
      {"shr.u32 %r5, %r0, 5; setp.eq.u32 %p1, %r5, 0; mad.wide.u32 %d2, %r4, 4, %d1;\n"
       "@%p0 bra W; st.global.u32 [%d2], %r4; red.add.release.gpu.global.u32 [%d0], 1;\n"
       "S: ld.acquire.gpu.global.u32 %r6, [%d0]; setp.ne.u32 %p2, %r6, 8; @%p2 bra S;\n"
       "W: bar.sync 0; @%p1 bra E; ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%d1];\nE:",
       false},
      {"shr.u32 %r5, %r0, 5; setp.eq.u32 %p1, %r5, 0; mad.wide.u32 %d2, %r4, 4, %d1;\n"
       "@%p0 bra W; st.global.u32 [%d2], %r4; red.add.release.gpu.global.u32 [%d0], 1;\n"
       "S: ld.acquire.gpu.global.u32 %r6, [%d0]; setp.ne.u32 %p2, %r6, 8; @%p2 bra S;\n"
       "W: @%p1 bra E; ld.global.v4.u32 {%r6, %r7, %r8, %r9}, [%d1];\nE:",
       true},
  };
  for (const Case &c : cases) {
    Harness h;
    std::string body = prologue;
    body +=
        "mov.u32 %r4, %ctaid.x; setp.ne.u32 %p0, %r0, 0;\n" + std::string(c.body) + "\n";
    ASSERT_EQ(h.loadBody("u64 in, u64 out", body), "");
    h.options.checks.globalRaces = true;
    uint64_t in = h.put(std::vector<uint32_t>{0}), out = h.put(std::vector<uint32_t>(8));
    EXPECT_EQ(h.arg(in).arg(out).launch({8, 1, 1}, {64, 1, 1}), "");
    EXPECT_EQ(h.hasFault(Rule::Race), c.isRace) << c.body << h.faultText();
  }
}
