//===- SystemTest.cpp - Registers of warps, sleep, local stack ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SyncHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

/// Warps 0 to 3 give registers up, the others take some.
static SyncProgram specialised(const std::string &less, const std::string &more) {
  return {
      "setp.lt.u32 %p1, %r2, 4;\n@%p1 bra PRODUCE;\nsetmaxnreg.inc.sync.aligned.u32 " +
          more + ";\nbra END;\nPRODUCE:\nsetmaxnreg.dec.sync.aligned.u32 " + less +
          ";\nEND:\nst.global.u32 [%d1], %r0;\n",
      384, 1, 1, " .maxntid 384, 1, 1"};
}

TEST(SetMaxNReg, WaitsForThePool) {
  // 168 registers of 384 threads are 64512: 24 and twice 240 fit.
  std::vector<uint32_t> result = runSound(specialised("24", "240"));
  for (uint32_t i = 0; i < 384; ++i)
    EXPECT_EQ(result[i], i);
  expectFault(specialised("40", "240"), Rule::Limit, "registers of the block's pool");
}

// Without .maxnreg nothing says what the assembler gives a thread at first: 168 is the
// most that fits, and TileLang's kernels increase from less.
TEST(SetMaxNReg, StartsWithWhatIsNotKnown) {
  std::vector<uint32_t> result = runSound(specialised("24", "160"));
  for (uint32_t i = 0; i < 384; ++i)
    EXPECT_EQ(result[i], i);
}

TEST(SetMaxNReg, Faults) {
  expectFault(specialised("176", "240"), Rule::Limit, "a decrease to 176");
  expectFault({"setmaxnreg.dec.sync.aligned.u32 24;", 128}, Rule::Limit, ".maxnreg");
  expectFault({"setp.eq.u32 %p1, %r3, 0;\n@%p1 setmaxnreg.dec.sync.aligned.u32 24;", 128,
               1, 1, " .maxntid 128, 1, 1"},
              Rule::BarrierDivergence);
  EXPECT_NE(getError("setmaxnreg.dec.sync.aligned.u32 25;"), "");
  EXPECT_NE(getError("setmaxnreg.dec.sync.aligned.u32 16;"), "");
  EXPECT_NE(getError("setmaxnreg.inc.sync.aligned.u32 264;"), "");
  EXPECT_NE(getError("setmaxnreg.inc.u32 64;"), "");
}

TEST(Nanosleep, LetsOthersRun) {
  // Warp 0 sleeps a hundred times, the last warp polls for its word with sleeps between.
  std::string body =
      "mov.u32 %r10, smem; setp.eq.u32 %p9, %r0, 0;\n"
      "@%p9 st.volatile.shared.u32 [%r10], 0;\nbar.sync 0;\n"
      "setp.ne.u32 %p1, %r2, 0;\n@%p1 bra POLL;\nmov.u32 %r20, 0;\nSLEEP:\n"
      "nanosleep.u32 1000; add.u32 %r20, %r20, 1;\n"
      "setp.lt.u32 %p2, %r20, 3000; @%p2 bra SLEEP;\n"
      "st.release.cta.shared.u32 [%r10], 5;\nbra END;\nPOLL:\n"
      "nanosleep.u32 %r0; ld.acquire.cta.shared.u32 %r21, [%r10];\n"
      "setp.ne.u32 %p3, %r21, 5; @%p3 bra POLL;\nst.global.u32 [%d1], %r21;\n"
      "END:\n";
  std::vector<uint32_t> result = runSound({body, 64});
  for (uint32_t i = 32; i < 64; ++i)
    EXPECT_EQ(result[i], 5u);
}

TEST(Nanosleep, ForEverIsADeadlock) {
  expectFault({"mov.u32 %r10, bars; mbarrier.init.shared.b64 [%r10], 1;\nPOLL:\n"
               "nanosleep.u32 20; mbarrier.test_wait.parity.shared.b64 %p1, [%r10], 0;\n"
               "@!%p1 bra POLL;\n",
               1},
              Rule::Deadlock, "1 of 1 arrivals");
}

TEST(LocalStack, AllocatesAndRestores) {
  std::string body =
      "stacksave.u64 %d5;\nmov.u32 %r10, 0;\nLOOP:\n"
      "cvt.u64.u32 %d6, %r0; shl.b64 %d6, %d6, 2; add.u64 %d6, %d6, 16;\n"
      "alloca.u64 %d7, %d6, 16;\nst.local.u32 [%d7+12], %r0;\n"
      "alloca.u64 %d8, 64;\nst.local.u32 [%d8], 9;\n"
      "ld.local.u32 %r11, [%d7+12];\nstackrestore.u64 %d5;\n"
      "add.u32 %r10, %r10, 1; setp.lt.u32 %p1, %r10, 1000; @%p1 bra LOOP;\n"
      "st.global.u32 [%d1], %r11;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i);
  expectFault({"mov.u64 %d5, 64; alloca.u64 %d6, %d5;\nst.local.u32 [%d6+64], 1;\n"},
              Rule::OutOfBounds);
  expectFault({"mov.u64 %d5, 1000000; alloca.u64 %d6, %d5;\n"}, Rule::Limit);
  expectFault({"mov.u64 %d5, 9999; stackrestore.u64 %d5;\n"}, Rule::OutOfBounds);
}

TEST(Control, DependentGridsAndEvents) {
  runSound({"griddepcontrol.launch_dependents;\ngriddepcontrol.wait;\npmevent 3;\n"
            "pmevent.mask 7;\n"});
  EXPECT_NE(getError("griddepcontrol.start;"), "");
}

TEST(SpecialRegisters, WarpsOfAMultiprocessor) {
  for (auto [architecture, count] : {std::pair{80u, 64u}, {86u, 48u}, {90u, 64u}}) {
    Harness h(architecture);
    ASSERT_EQ(h.loadBody("u64 out", "ld.param.u64 %d0, [out]; mov.u32 %r0, %tid.x;\n"
                                    "mul.wide.u32 %d1, %r0, 4; add.u64 %d1, %d1, %d0;\n"
                                    "mov.u32 %r1, %nwarpid; st.global.u32 [%d1], %r1;"),
              "");
    uint64_t out = h.empty<uint32_t>(96);
    h.arg(out);
    ASSERT_EQ(h.launch({1, 1, 1}, {96, 1, 1}), "");
    EXPECT_EQ(h.get<uint32_t>(out, 96), std::vector<uint32_t>(96, count));
  }
}

// Cooperative groups keep barriers of several warps in what the system has.
TEST(SpecialRegisters, ReservedSharedMemory) {
  Harness h;
  ASSERT_EQ(
      h.loadBody(
          "u64 out",
          "ld.param.u64 %d0, [out];\nmov.u32 %r1, %reserved_smem_offset_begin;\n"
          "mov.u32 %r2, %reserved_smem_offset_end;\n"
          "mov.u32 %r3, %reserved_smem_offset_cap;\n"
          "mov.u32 %r4, %reserved_smem_offset_0;\n"
          "mov.u32 %r5, %reserved_smem_offset_1;\nmov.u32 %r6, own;\n"
          "st.shared.u32 [own], 7; st.shared.u32 [%r5+284], 8;\n"
          "ld.shared.u32 %r7, [own]; sub.u32 %r8, %r2, %r1; sub.u32 %r9, %r5, %r4;\n"
          "setp.lt.u32 %p1, %r6, %r1; selp.u32 %r10, 1, 0, %p1;\n"
          "st.global.v4.u32 [%d0], {%r3, %r7, %r8, %r9};\n"
          "st.global.u32 [%d0+16], %r10;",
          ".shared .align 4 .b8 own[4];\n"),
      "");
  uint64_t out = h.empty<uint32_t>(5);
  h.arg(out);
  ASSERT_EQ(h.launch({1, 1, 1}, {1, 1, 1}), "");
  EXPECT_EQ(h.faultText(), "");
  EXPECT_EQ(h.get<uint32_t>(out, 5), (std::vector<uint32_t>{1024, 7, 1024, 512, 1}));
}

TEST(Launch, NeedsABlock) {
  Harness h;
  ASSERT_EQ(h.loadBody("u64 a", ""), "");
  h.arg(uint64_t(0));
  EXPECT_NE(h.launch({1, 0, 1}, {1, 1, 1}).find("has no blocks"), std::string::npos);
}
