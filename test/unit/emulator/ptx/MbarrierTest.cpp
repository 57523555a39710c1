//===- MbarrierTest.cpp - mbarrier programs and faults ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Mbarrier.h"
#include "SyncHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

/// %r30 is the address of bars[0], which thread 0 initialises for `count` arrivals.
static std::string init(unsigned count, const std::string &after = "bar.sync 0;\n") {
  return "mov.u32 %r30, bars;\nsetp.eq.u32 %p9, %r0, 0;\n"
         "@%p9 mbarrier.init.shared::cta.b64 [%r30], " +
         std::to_string(count) + ";\n" + after;
}

/// A loop that waits until `%p8` is set by `wait`; `label` is unique.
static std::string spin(const std::string &wait, const std::string &label = "WAIT") {
  return label + ":\n" + wait + "\n@!%p8 bra " + label + ";\n";
}

static const std::string store = "mov.u32 %r10, smem; shl.b32 %r11, %r0, 2;\n"
                                 "add.u32 %r12, %r10, %r11; st.shared.u32 [%r12], %r0;\n";
static const std::string load =
    "xor.b32 %r13, %r11, 508; add.u32 %r13, %r10, %r13; ld.shared.u32 %r14, [%r13];\n"
    "st.global.u32 [%d1], %r14;\n";

static void expectMirrored(const SyncProgram &program) {
  std::vector<uint32_t> result = runSound(program);
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], 127 - i);
}

TEST(Mbarrier, OrdersArrivalsAndWaits) {
  struct {
    const char *arrive, *wait;
  } cases[] = {
      {"mbarrier.arrive.shared::cta.b64 _, [%r30];",
       "mbarrier.try_wait.parity.shared::cta.b64 %p8, [%r30], 0;"},
      // Of a parity the lowest bit counts: Triton passes what it counts phases with.
      {"mbarrier.arrive.shared::cta.b64 _, [%r30];",
       "mbarrier.try_wait.parity.shared::cta.b64 %p8, [%r30], 4294967294;"},
      {"mbarrier.arrive.shared.b64 %d5, [%r30];",
       "mbarrier.test_wait.shared.b64 %p8, [%r30], %d5;"},
      {"mbarrier.arrive.release.cta.shared::cta.b64 %d5, [%r30], 1;",
       "mbarrier.try_wait.acquire.cta.shared::cta.b64 %p8, [%r30], %d5, 1000000;"},
      {"cvta.shared.u64 %d6, %d7; mbarrier.arrive.b64 _, [%d6];",
       "mbarrier.test_wait.parity.b64 %p8, [%d6], 0;"},
      {"mbarrier.arrive.relaxed.cluster.shared::cta.b64 _, [%r30];",
       "mbarrier.try_wait.parity.relaxed.cluster.shared::cta.b64 %p8, [%r30], 0;"},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    std::string arrive = cases[i].arrive, wait = spin(cases[i].wait);
    arrive = "cvt.u64.u32 %d7, %r30;\n" + arrive;
    if (i == 5) {
      expectFault({init(128) + store + arrive + wait + load}, Rule::Race,
                  "nothing orders");
      expectFault({init(128) + store + "fence.acq_rel.cta;\n" + arrive + wait + load},
                  Rule::Race);
      expectFault({init(128) + store + arrive + wait + "fence.acq_rel.cta;\n" + load},
                  Rule::Race);
      arrive = "fence.release.cta;\n" + arrive;
      wait += "fence.acquire.cta;\n";
    }
    expectMirrored({init(128) + store + arrive + wait + load});
    expectFault({init(128) + store + arrive + load}, Rule::Race);
  }
}

TEST(Mbarrier, PhasesFollowEachOther) {
  // In phase i each thread adds what its neighbour of the next warp wrote in phase i.
  std::string body =
      init(128) +
      "mov.u32 %r10, smem; shl.b32 %r11, %r0, 2; add.u32 %r12, %r10, %r11;\n"
      "add.u32 %r13, %r11, 128; and.b32 %r13, %r13, 511; add.u32 %r13, %r10, %r13;\n"
      "mov.u32 %r15, 0; mov.u32 %r16, 0;\nLOOP:\n"
      "mad.lo.u32 %r17, %r15, 1000, %r0; st.shared.u32 [%r12], %r17;\n"
      "mbarrier.arrive.shared.b64 _, [%r30];\n" +
      spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 0;", "W0") +
      "ld.shared.u32 %r17, [%r13]; add.u32 %r16, %r16, %r17;\n"
      "mbarrier.arrive.shared.b64 _, [%r30];\n" +
      spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 1;", "W1") +
      "add.u32 %r15, %r15, 1; setp.lt.u32 %p2, %r15, 5; @%p2 bra LOOP;\n"
      "st.global.u32 [%d1], %r16;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], 10000 + 5 * ((i + 32) % 128));
}

TEST(Mbarrier, CountsAndStates) {
  // Lane 0 of each warp arrives for 8, the first time without completing anything.
  std::string body = init(33) +
                     "setp.eq.u32 %p1, %r3, 0; mov.u32 %r20, 99;\n"
                     "@%p1 mbarrier.arrive.noComplete.shared.b64 %d5, [%r30], 8;\n"
                     "@%p1 mbarrier.pending_count.b64 %r20, %d5;\nbar.sync 0;\n"
                     "mov.u32 %r21, 0; setp.ne.u32 %p2, %r0, 77; @%p2 bra MORE;\n"
                     "mbarrier.arrive.shared.b64 %d6, [%r30];\n"
                     "mbarrier.pending_count.b64 %r21, %d6;\nMORE:\n" +
                     spin("mbarrier.test_wait.parity.shared.b64 %p8, [%r30], 0;") +
                     "mad.lo.u32 %r20, %r21, 1000, %r20; st.global.u32 [%d1], %r20;\n";
  std::vector<uint32_t> seen;
  Harness harness;
  ASSERT_EQ(run(harness, {body}, {}, seen), "");
  EXPECT_EQ(harness.faultText(), "");
  std::vector<uint32_t> pending;
  for (uint32_t i = 0; i < 128; ++i)
    if (i % 32 == 0)
      pending.push_back(seen[i]);
    else
      EXPECT_EQ(seen[i], i == 77 ? 1099u : 99u);
  std::sort(pending.begin(), pending.end());
  EXPECT_EQ(pending, (std::vector<uint32_t>{9, 17, 25, 33}));
}

TEST(Mbarrier, Transactions) {
  // Thread 0 expects 512 bytes and each thread completes four.
  std::string body = init(1) + store +
                     "@%p9 mbarrier.arrive.expect_tx.shared.b64 _, [%r30], 512;\n"
                     "mbarrier.complete_tx.shared.b64 [%r30], 4;\n" +
                     spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 0;") +
                     "st.global.u32 [%d1], %r0;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i);
  auto with = [&](const char *from, const char *to) {
    std::string changed = body;
    changed.replace(changed.find(from), strlen(from), to);
    return SyncProgram{changed};
  };
  expectFault(with("512", "528"), Rule::Deadlock, "0 of 1 arrivals and 16 bytes");
  expectFault({init(1) +
               "@%p9 mbarrier.complete_tx.shared.b64 [%r30], 512;\n"
               "@%p9 mbarrier.arrive.expect_tx.shared.b64 _, [%r30], 496;\n" +
               spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 0;")},
              Rule::Deadlock, "0 of 1 arrivals and -16 bytes");
  expectMirrored({init(1) + store + "bar.sync 1;\n" +
                  "@%p9 mbarrier.expect_tx.relaxed.cta.shared.b64 [%r30], 64;\n"
                  "@%p9 mbarrier.complete_tx.relaxed.cta.shared.b64 [%r30], 64;\n"
                  "@%p9 mbarrier.arrive.shared.b64 _, [%r30];\n" +
                  spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 0;") + load});
}

TEST(Mbarrier, DroppedArrivals) {
  // Warps 2 and 3 leave after the first phase; the others go through three more.
  std::string body =
      init(128) +
      "setp.ge.u32 %p1, %r2, 2; mov.u32 %r15, 0;\n"
      "@%p1 mbarrier.arrive_drop.shared.b64 _, [%r30];\n@%p1 bra END;\nLOOP:\n"
      "mbarrier.arrive.shared.b64 %d5, [%r30];\n" +
      spin("mbarrier.try_wait.shared.b64 %p8, [%r30], %d5;") +
      "add.u32 %r15, %r15, 1; setp.lt.u32 %p2, %r15, 4; @%p2 bra LOOP;\n"
      "END:\nst.global.u32 [%d1], %r15;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i < 64 ? 4u : 0u);
}

/// Warp 0 fills two stages, warp 1 empties them; full barriers are bars[0] and bars[1],
/// empty ones bars[2] and bars[3].
static std::string pipeline(const std::string &firstEmptyParity = "1") {
  return "mov.u32 %r30, bars; setp.eq.u32 %p9, %r0, 0;\n@!%p9 bra READY;\n"
         "mbarrier.init.shared.b64 [%r30], 32; mbarrier.init.shared.b64 [%r30+8], 32;\n"
         "mbarrier.init.shared.b64 [%r30+16], 32; mbarrier.init.shared.b64 [%r30+24], "
         "32;\n"
         "READY:\nbar.sync 0;\nmov.u32 %r10, smem; shl.b32 %r11, %r3, 2;\n"
         "add.u32 %r10, %r10, %r11; mov.u32 %r15, 0; mov.u32 %r16, 0;\n"
         "setp.ne.u32 %p1, %r2, 0; @%p1 bra CONSUME;\nPRODUCE:\n"
         "and.b32 %r20, %r15, 1; mad.lo.u32 %r21, %r20, 8, %r30;\n"
         "mad.lo.u32 %r22, %r20, 128, %r10; shr.u32 %r23, %r15, 1; xor.b32 %r23, %r23, " +
         firstEmptyParity + "; and.b32 %r23, %r23, 1;\n" +
         spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r21+16], %r23;", "EMPTY") +
         "mad.lo.u32 %r24, %r15, 100, %r3; st.shared.u32 [%r22], %r24;\n"
         "mbarrier.arrive.shared.b64 _, [%r21];\nadd.u32 %r15, %r15, 1;\n"
         "setp.lt.u32 %p2, %r15, 6; @%p2 bra PRODUCE;\nbra END;\nCONSUME:\n"
         "and.b32 %r20, %r15, 1; mad.lo.u32 %r21, %r20, 8, %r30;\n"
         "mad.lo.u32 %r22, %r20, 128, %r10; shr.u32 %r23, %r15, 1; and.b32 %r23, %r23, "
         "1;\n" +
         spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r21], %r23;", "FULL") +
         "ld.shared.u32 %r24, [%r22]; add.u32 %r16, %r16, %r24;\n"
         "mbarrier.arrive.shared.b64 _, [%r21+16];\nadd.u32 %r15, %r15, 1;\n"
         "setp.lt.u32 %p2, %r15, 6; @%p2 bra CONSUME;\nEND:\nst.global.u32 [%d1], "
         "%r16;\n";
}

TEST(Mbarrier, Pipeline) {
  std::vector<uint32_t> result = runSound({pipeline(), 64});
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(result[32 + lane], 1500 + 6 * lane);
  expectFault({pipeline("0"), 64}, Rule::Deadlock, "waiting with parity 0");
}

TEST(Mbarrier, LanesOfAWarpWaitForEachOther) {
  // Lane 0 spins at the lower place for what lane 1 does later.
  std::string body =
      init(1) +
      "setp.eq.u32 %p1, %r3, 1; setp.ne.u32 %p2, %r0, 0; mov.u32 %r20, 3;\n"
      "@%p2 bra OTHERS;\n" +
      spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 0;") +
      "mov.u32 %r20, 4;\nbra END;\nOTHERS:\nsetp.eq.u32 %p3, %r0, 1;\n"
      "@%p3 mbarrier.arrive.shared.b64 _, [%r30];\nEND:\n"
      "bar.warp.sync -1;\nst.global.u32 [%d1], %r20;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i ? 3u : 4u);
}

TEST(Mbarrier, InitIsOrderedBeforeUse) {
  std::string body = init(128, "nanosleep.u32 20; nanosleep.u32 20;\n") +
                     "mbarrier.arrive.shared.b64 _, [%r30];\n";
  Harness harness;
  std::vector<uint32_t> result;
  ASSERT_EQ(run(harness, {body}, {}, result), "");
  EXPECT_TRUE(harness.hasFault(Rule::Race)) << harness.faultText();
}

TEST(Mbarrier, MemoryIsTheBarriersAlone) {
  expectFault({init(128) + "ld.shared.u32 %r20, [%r30+4];"}, Rule::InFlight, "mbarrier");
  expectFault({init(128) + "st.shared.u8 [%r30+3], %r0;"}, Rule::InFlight, "mbarrier");
  expectFault({"mov.u32 %r30, bars; mbarrier.init.shared.b64 [%r30+8], 1;\n"
               "ld.shared.v4.u32 {%r20, %r21, %r22, %r23}, [%r30];",
               1},
              Rule::InFlight, "mbarrier");
  // After inval it is memory again, and may be another barrier.
  std::string again = init(1) + "@%p9 mbarrier.inval.shared.b64 [%r30];\nbar.sync 0;\n";
  expectMirrored({again + "st.shared.u32 [%r30], 5;\nbar.sync 0;\n" + init(128) + store +
                  "mbarrier.arrive.shared.b64 _, [%r30];\n" +
                  spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 0;") + load});
}

TEST(Mbarrier, Faults) {
  std::string address = "mov.u32 %r30, bars;\n", one = init(1);
  expectFault({address + "mbarrier.arrive.shared.b64 _, [%r30];"}, Rule::Uninitialised,
              "was not initialised");
  expectFault({one + "@%p9 mbarrier.init.shared.b64 [%r30], 1;"}, Rule::BarrierCount,
              "already");
  expectFault({address + "mbarrier.init.shared.b64 [%r30], 0;", 1}, Rule::BarrierCount,
              "for 0 arrivals");
  expectFault({address + "mbarrier.init.shared.b64 [%r30], 1048576;", 1},
              Rule::BarrierCount, "1048576");
  expectFault({address + "mbarrier.init.shared.b64 [%r30+4], 1;", 1}, Rule::Misaligned);
  expectFault({"mov.u32 %r30, 8;\nmbarrier.init.shared.b64 [%r30], 1;", 1},
              Rule::OutOfBounds);
  expectFault({"mbarrier.init.b64 [%d0], 1;", 32}, Rule::OutOfBounds, "shared memory");
  expectFault({"mbarrier.arrive.shared.b64 _, [%r50];"}, Rule::Uninitialised, "address");
  expectFault({init(2) + "mbarrier.arrive.shared.b64 _, [%r30], 3;"}, Rule::BarrierCount,
              "3 arrivals are too many");
  expectFault({init(4) + "@%p9 mbarrier.arrive_drop.shared.b64 _, [%r30], 5;"},
              Rule::BarrierCount, "cannot be dropped");
  expectFault({init(4) + "@%p9 mbarrier.arrive.noComplete.shared.b64 %d5, [%r30], 4;"},
              Rule::BarrierCount, "noComplete");
  expectFault({one + "@%p9 mbarrier.expect_tx.relaxed.cta.shared.b64 [%r30], 1048576;"},
              Rule::BarrierCount, "limit");
  expectFault({one + "@%p9 mbarrier.arrive.shared.b64 _, [%r30], %r50;"},
              Rule::Uninitialised, "count");
  expectFault({one + "mov.u64 %d5, 77; mbarrier.try_wait.shared.b64 %p8, [%r30], %d5;"},
              Rule::BarrierCount, "neither");
  expectFault({one + spin("mbarrier.try_wait.parity.shared.b64 %p8, [%r30], 0;")},
              Rule::Deadlock,
              "phase 0 of the mbarrier at 2048: 1 of 1 arrivals and 0 bytes");
  // The state of a phase before the last one.
  expectFault({one + "@!%p9 bra END;\nmbarrier.arrive.shared.b64 %d5, [%r30];\n"
                     "mbarrier.arrive.shared.b64 _, [%r30];\n"
                     "mbarrier.test_wait.shared.b64 %p8, [%r30], %d5;\nEND:\n"},
              Rule::BarrierCount, "neither");
  // Warp 1 may still be at the barrier that warp 0 invalidates.
  expectFault(
      {init(32) +
           "setp.ne.u32 %p1, %r2, 1;\n"
           "@!%p1 mbarrier.arrive.relaxed.cta.shared.b64 _, [%r30];\n" +
           spin("mbarrier.try_wait.parity.relaxed.cta.shared.b64 %p8, [%r30], 0;") +
           "@%p9 mbarrier.inval.shared.b64 [%r30];\n",
       64},
      Rule::Race, "");
}

TEST(Mbarrier, RefusedForms) {
  EXPECT_NE(getError("mbarrier.arrive.shared::cluster.b64 %d5, [%r30];"), "");
  EXPECT_NE(getError("mbarrier.arrive.b32 _, [%r30];"), "");
  EXPECT_NE(getError("mbarrier.arrive.global.b64 _, [%d0];"), "");
  EXPECT_NE(getError("mbarrier.arrive.expect_tx.shared.b64 _, [%r30];"), "");
  EXPECT_NE(getError("mbarrier.test_wait.shared.b64 %p8, [%r30], %d5, 10;"), "");
  EXPECT_NE(getError("mbarrier.try_wait.parity.shared::cluster.b64 %p8, [%r30], 0;"), "");
  EXPECT_NE(getError("mbarrier.fetch.shared.b64 %d5, [%r30];"), "");
}

//===----------------------------------------------------------------------===//
// Deferred operations
//===----------------------------------------------------------------------===//

namespace {
/// A cluster of one block that runs nothing.
class MbarrierState : public testing::Test {
protected:
  MbarrierState() {
    EXPECT_EQ(harness.loadBody("u64 a", ""), "");
    harness.options.block = {32};
    run = std::make_unique<LaunchRun>(harness.device, *harness.program,
                                      *harness.program->find("k"), harness.options);
    cluster = std::make_unique<Cluster>(*run, tilewright::emulator::Dim3{0, 0, 0});
  }
  Mbarrier make(uint32_t count) { return Mbarrier(*cluster->blocks[0], 0, count); }
  DeferredOperation copy(uint32_t bytes, uint32_t arrivals = 0) {
    DeferredOperation operation;
    operation.land = [this] { ++landed; };
    operation.bytes = bytes;
    operation.arrivals = arrivals;
    return operation;
  }

  Harness harness;
  std::unique_ptr<LaunchRun> run;
  std::unique_ptr<Cluster> cluster;
  int landed = 0;
};
} // namespace

TEST_F(MbarrierState, CopiesLandWhenNothingElseIsMissing) {
  Mbarrier barrier = make(2);
  barrier.defer(copy(64));
  barrier.defer(copy(64));
  EXPECT_EQ(barrier.landDeferred(), "");
  EXPECT_EQ(landed, 0);
  EXPECT_EQ(barrier.arrive(1), "");
  EXPECT_EQ(barrier.expectTx(128), "");
  EXPECT_EQ(barrier.arrive(1), "");
  EXPECT_EQ(barrier.getPhase(), 0u);
  EXPECT_EQ(barrier.landDeferred(), "");
  EXPECT_EQ(landed, 2);
  EXPECT_EQ(barrier.getPhase(), 1u);
  EXPECT_EQ(barrier.getPending(), 2);
  EXPECT_EQ(barrier.getBytes(), 0);
}

TEST_F(MbarrierState, CopiesThatAPhaseDoesNotExpectStayForTheNext) {
  Mbarrier barrier = make(1);
  EXPECT_EQ(barrier.expectTx(64), "");
  EXPECT_EQ(barrier.arrive(1), "");
  barrier.defer(copy(64));
  barrier.defer(copy(32));
  EXPECT_EQ(barrier.landDeferred(), "");
  EXPECT_EQ(landed, 1);
  EXPECT_EQ(barrier.getPhase(), 1u);
  EXPECT_TRUE(barrier.hasDeferred());
}

TEST_F(MbarrierState, ArrivalsOfCopies) {
  // As cp.async.mbarrier.arrive: 32 lanes, whose arrivals the completion brings.
  Mbarrier barrier = make(33);
  barrier.defer(copy(0, 32));
  EXPECT_EQ(barrier.landDeferred(), "");
  EXPECT_EQ(landed, 0);
  EXPECT_EQ(barrier.arrive(1), "");
  EXPECT_EQ(barrier.landDeferred(), "");
  EXPECT_EQ(barrier.getPhase(), 1u);
  EXPECT_EQ(barrier.addPending(32), "");
  EXPECT_EQ(barrier.getPending(), 65);
}

TEST_F(MbarrierState, Limits) {
  Mbarrier barrier = make(3);
  EXPECT_EQ(barrier.expectTx(mbarrierLimit), "");
  EXPECT_NE(barrier.expectTx(1), "");
  EXPECT_EQ(barrier.completeTx(mbarrierLimit), "");
  EXPECT_EQ(barrier.completeTx(mbarrierLimit), "");
  EXPECT_NE(barrier.completeTx(1), "");
  EXPECT_NE(barrier.arrive(4), "");
  EXPECT_EQ(barrier.arriveAndDrop(2), "");
  EXPECT_NE(barrier.arriveAndDrop(2), "");
  EXPECT_NE(barrier.addPending(mbarrierLimit), "");
  EXPECT_NE(barrier.describe().find("1 of 3 arrivals"), std::string::npos);
}
