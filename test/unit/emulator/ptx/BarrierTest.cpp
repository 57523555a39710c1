//===- BarrierTest.cpp - Named barriers, warp barriers, fences ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SyncHarness.h"
#include "emulators/ptx/Fences.h"
#include "emulators/ptx/GlobalWrites.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

/// Each thread stores its index and reads that of its mirror image, `barrier` between.
static std::string mirror(const std::string &barrier, uint32_t threads = 128) {
  return "mov.u32 %r10, smem; shl.b32 %r11, %r0, 2; add.u32 %r12, %r10, %r11;\n"
         "st.shared.u32 [%r12], %r0;\n" +
         barrier + "\nsub.u32 %r13, " + std::to_string(threads - 1) +
         ", %r0; shl.b32 %r13, %r13, 2;\n"
         "add.u32 %r13, %r10, %r13; ld.shared.u32 %r14, [%r13];\n"
         "st.global.u32 [%d1], %r14;\n";
}

static void expectMirrored(const std::vector<uint32_t> &result, uint32_t threads = 128) {
  for (uint32_t i = 0; i < threads; ++i)
    EXPECT_EQ(result[i], threads - 1 - i);
}

TEST(Barrier, OrdersAllThreads) {
  for (const char *barrier :
       {"bar.sync 0;", "barrier.sync 3;", "barrier.cta.sync.aligned 5, 128;",
        "bar.cta.sync 0;", "mov.u32 %r20, 7; bar.sync %r20;",
        "mov.u32 %r20, 15; mov.u32 %r21, 128; barrier.sync.aligned %r20, %r21;",
        "setp.ne.u32 %p1, %r0, 200; bar.red.popc.u32 %r20, 0, %p1;"})
    expectMirrored(runSound({mirror(barrier)}));
}

TEST(Barrier, MissingOneIsARace) { expectFault({mirror("")}, Rule::Race); }

TEST(Barrier, OneWarpNeedsOneOfItsOwn) {
  expectMirrored(runSound({mirror("bar.warp.sync -1;", 32), 32}), 32);
  expectFault({mirror("", 32), 32}, Rule::Race);
}

TEST(Barrier, PartialLastWarpCounts) {
  expectMirrored(runSound({mirror("bar.sync 0;", 40), 40}), 40);
  expectMirrored(runSound({mirror("bar.sync 0, 64;", 40), 40}), 40);
}

TEST(Barrier, CountedBarriersOfHalves) {
  // Warps 0 and 1 meet at barrier 1, 2 and 3 at barrier 2; each reads its partner's word.
  std::string body =
      "mov.u32 %r10, smem; shl.b32 %r11, %r0, 2; add.u32 %r12, %r10, %r11;\n"
      "st.shared.u32 [%r12], %r0;\nshr.u32 %r20, %r2, 1;\n"
      "add.u32 %r20, %r20, 1;\nbar.sync %r20, 64;\n"
      "xor.b32 %r13, %r11, 128; add.u32 %r13, %r10, %r13;\n"
      "ld.shared.u32 %r14, [%r13]; st.global.u32 [%d1], %r14;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i ^ 32);
}

/// Warp 0 hands four values to warp 1 through one word for each lane.
static std::string handOver(const std::string &full, const std::string &empty,
                            const std::string &fullWait, const std::string &emptyDone) {
  return "mov.u32 %r10, smem; shl.b32 %r11, %r3, 2; add.u32 %r12, %r10, %r11;\n"
         "mov.u32 %r15, 0; mov.u32 %r16, 0;\nsetp.ne.u32 %p1, %r2, 0;\n@%p1 bra "
         "CONSUME;\n"
         "PRODUCE:\nmad.lo.u32 %r17, %r15, 100, %r3; st.shared.u32 [%r12], %r17;\n" +
         full + "\n" + empty +
         "\nadd.u32 %r15, %r15, 1; setp.lt.u32 %p2, %r15, 4; @%p2 bra PRODUCE;\nbra "
         "END;\n"
         "CONSUME:\n" +
         fullWait + "\nld.shared.u32 %r17, [%r12];\n" + emptyDone +
         "\nadd.u32 %r16, %r16, %r17;\nadd.u32 %r15, %r15, 1; setp.lt.u32 %p2, %r15, 4;\n"
         "@%p2 bra CONSUME;\nEND:\nst.global.u32 [%d1], %r16;\n";
}

TEST(Barrier, ProducerArrivesConsumerWaits) {
  std::vector<uint32_t> result =
      runSound({handOver("bar.arrive 1, 64;", "bar.sync 2, 64;", "bar.sync 1, 64;",
                         "bar.arrive 2, 64;"),
                64});
  for (uint32_t lane = 0; lane < 32; ++lane)
    EXPECT_EQ(result[32 + lane], 600 + 4 * lane);
}

TEST(Barrier, ProducerThatDoesNotWait) {
  expectFault({"setp.ne.u32 %p1, %r2, 0;\n@%p1 bra OTHERS;\nbar.arrive 1, 96;\n"
               "bar.arrive 1, 96;\nOTHERS:\nbar.sync 2, 96;\n@%p1 bar.sync 1, 96;\n",
               96},
              Rule::BarrierCount, "has arrived in this phase");
}

TEST(Barrier, Reductions) {
  std::string body = "and.b32 %r10, %r0, 3; setp.eq.u32 %p1, %r10, 1;\n"
                     "bar.red.popc.u32 %r11, 0, %p1;\n"
                     "bar.red.popc.u32 %r12, 1, 128, !%p1;\n"
                     "bar.red.and.pred %p2, 0, %p1;\nbar.red.or.pred %p3, 0, %p1;\n"
                     "setp.lt.u32 %p4, %r0, 128; barrier.red.and.pred %p5, 0, %p4;\n"
                     "barrier.cta.red.or.pred %p6, 2, !%p4;\n"
                     "selp.u32 %r13, 1000, 0, %p2; selp.u32 %r14, 2000, 0, %p3;\n"
                     "selp.u32 %r15, 4000, 0, %p5; selp.u32 %r16, 8000, 0, %p6;\n"
                     "add.u32 %r11, %r11, %r13; add.u32 %r11, %r11, %r14;\n"
                     "add.u32 %r11, %r11, %r15; add.u32 %r11, %r11, %r16;\n"
                     "mad.lo.u32 %r11, %r12, 100000, %r11; st.global.u32 [%d1], %r11;\n";
  for (uint32_t value : runSound({body}))
    EXPECT_EQ(value, 96u * 100000 + 6000 + 32);
}

TEST(Barrier, ReductionOfSomeThreads) {
  // Warps 2 and 3 arrive without a predicate; the others count theirs.
  std::string body =
      "setp.ge.u32 %p1, %r2, 2; setp.lt.u32 %p2, %r3, 5;\nmov.u32 %r10, 7;\n"
      "@%p1 bra ARRIVE;\nbar.red.popc.u32 %r10, 4, 128, %p2;\nbra END;\n"
      "ARRIVE:\nbar.arrive 4, 128;\nEND:\nst.global.u32 [%d1], %r10;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i < 64 ? 10u : 7u);
}

TEST(Barrier, ThreadsThatExitedDoNotCount) {
  std::string exits = "setp.ge.u32 %p1, %r0, 50; @%p1 ret;\n";
  std::vector<uint32_t> result = runSound({exits + mirror("bar.sync 0;", 50)});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i < 50 ? 49 - i : 0);
  // A count waits for that many threads, whoever has exited.
  expectFault({exits + mirror("bar.sync 0, 128;", 50)}, Rule::Deadlock,
              "barrier 0: 64 of 128 threads have arrived");
}

TEST(Barrier, UnalignedInBothBranches) {
  std::string body =
      "setp.lt.u32 %p1, %r3, 9;\n@%p1 bra LOW;\nbarrier.sync 1;\nbra END;\n"
      "LOW:\nbarrier.sync 1;\nEND:\n";
  expectMirrored(runSound({mirror(body)}));
  body =
      "setp.lt.u32 %p1, %r3, 9;\n@%p1 barrier.sync 1, 128;\n@!%p1 barrier.sync 1, 128;\n";
  expectMirrored(runSound({mirror(body)}));
}

TEST(Barrier, AlignedInBothBranches) {
  std::string body = "setp.lt.u32 %p1, %r3, 9;\n@%p1 bra LOW;\nbar.sync 1;\nbra END;\n"
                     "LOW:\nbar.sync 1;\nEND:\n";
  expectFault({mirror(body)}, Rule::BarrierDivergence,
              "of the warp wait here and lanes 0x");
}

TEST(Barrier, AlignedUnderAGuard) {
  expectFault({"setp.lt.u32 %p1, %r3, 9;\n@%p1 bar.sync 0;\n"}, Rule::BarrierDivergence,
              "the guard is false in lanes 0xfffffe00");
  // Whole warps may be predicated off.
  runSound({"setp.lt.u32 %p1, %r2, 2;\n@%p1 bar.sync 1, 64;\n"});
}

TEST(Barrier, LanesThatComeLaterAreWaitedFor) {
  std::string body =
      "setp.ne.u32 %p1, %r3, 0;\n@%p1 bra END;\nmov.u32 %r20, 0;\nSPIN:\n"
      "add.u32 %r20, %r20, 1; setp.lt.u32 %p2, %r20, 2000; @%p2 bra SPIN;\n"
      "END:\nbar.sync 0;\n";
  expectMirrored(runSound({mirror(body)}));
}

TEST(Barrier, LanesThatNeverCome) {
  // Lane 0 waits for a barrier of the other lanes, which wait for lane 0.
  std::string body = "setp.ne.u32 %p1, %r3, 0;\n@%p1 bra END;\nbar.sync 1, 64;\nEND:\n"
                     "bar.sync 0;\n";
  expectFault({mirror(body)}, Rule::BarrierDivergence);
  // Lane 0 polls for ever, which is the reason.
  body = "mov.u32 %r20, bars;\nsetp.ne.u32 %p1, %r3, 0;\n@%p1 bra END;\n"
         "setp.ne.u32 %p3, %r0, 0;\n@%p3 bra END;\nmbarrier.init.shared.b64 [%r20], 1;\n"
         "SPIN:\nmbarrier.try_wait.parity.shared.b64 %p2, [%r20], 0;\n@!%p2 bra SPIN;\n"
         "END:\nbar.sync 0;\n";
  expectFault({mirror(body)}, Rule::Deadlock, "lanes 0x1 of the warp");
}

TEST(Barrier, LanesThatSpin) {
  // Others of the warp wait at the barrier for a lane that polls: that is who is to
  // blame.
  for (const char *flag : {"[%d0]", "[%d0+4]"})
    expectFault({std::string("setp.ne.u32 %p0, %r0, 40;\n@%p0 bra MEET;\nSPIN:\n") +
                 "ld.volatile.global.u32 %r10, " + flag +
                 ";\nsetp.eq.u32 %p1, %r10, 0;\n@%p1 bra SPIN;\nMEET:\nbar.sync 0;"},
                Rule::Deadlock, "another value than it reads");
}

TEST(Barrier, AWarpThatNeverComes) {
  std::string body = "setp.eq.u32 %p1, %r2, 2;\n@%p1 bra END;\nbar.sync 1, 128;\nEND:\n"
                     "bar.sync 2, 128;\n";
  expectFault({body}, Rule::Deadlock, "barrier 1: 96 of 128 threads have arrived");
  expectFault({body}, Rule::Deadlock, "barrier 2: 32 of 128 threads have arrived");
  // In many blocks it is found as fast.
  expectFault({body, 128, 5000}, Rule::Deadlock, "96 of 128");
}

TEST(Barrier, WrongNumbersAndCounts) {
  expectFault({"mov.u32 %r20, 16; bar.sync %r20;"}, Rule::BarrierCount, "no barrier 16");
  expectFault({"bar.sync 0, 48;"}, Rule::BarrierCount, "no multiple of 32");
  expectFault({"bar.sync 0, 0;"}, Rule::BarrierCount, "no multiple of 32");
  expectFault({"bar.sync 0, 160;"}, Rule::BarrierCount, "of a block of 128");
  expectFault({"setp.eq.u32 %p1, %r2, 1; selp.u32 %r20, 96, 128, %p1; bar.sync 1, %r20;"},
              Rule::BarrierCount, "in one phase");
  expectFault({"bar.sync 0, %r50;"}, Rule::Uninitialised, "thread count");
  expectFault({"bar.sync %r3;"}, Rule::BarrierDivergence, "in another");
}

TEST(Barrier, MoreArrivalsThanTheCount) {
  // Three warps meet at a barrier for two; the third is left, or waits with two others.
  expectFault({"bar.sync 1, 64;", 96}, Rule::Deadlock, "barrier 1: 32 of 64");
}

TEST(Barrier, RefusedForms) {
  EXPECT_NE(getError("bar.arrive 0;"), "");
  EXPECT_NE(getError("bar.sync.foo 0;"), "");
  EXPECT_NE(getError("bar.red.xor.pred %p1, 0, %p2;"), "");
  EXPECT_NE(getError("bar.red.popc.s32 %r1, 0, %p2;"), "");
  EXPECT_NE(getError("barrier.sync;"), "");
  EXPECT_NE(getError("fence.acq_rel;"), "");
  EXPECT_NE(getError("fence.proxy.surface;"), "");
  EXPECT_NE(getError("membar.cluster;"), "");
}

TEST(WarpBarrier, LanesMeetAcrossBranches) {
  std::string body =
      "setp.lt.u32 %p1, %r3, 9;\n@%p1 bra LOW;\nbar.warp.sync 0xffffffff;\n"
      "bra END;\nLOW:\nbar.warp.sync -1;\nEND:\nbar.warp.sync 0xffffffff;\n"
      "st.global.u32 [%d1], %r0;\n";
  std::vector<uint32_t> result = runSound({body});
  for (uint32_t i = 0; i < 128; ++i)
    EXPECT_EQ(result[i], i);
}

TEST(WarpBarrier, HalvesAndLoops) {
  // Each half has its own mask; lanes of a half take turns through different branches.
  std::string body = "setp.lt.u32 %p1, %r3, 16; selp.b32 %r20, 0xffff, 0xffff0000, %p1;\n"
                     "and.b32 %r21, %r3, 1; setp.eq.u32 %p2, %r21, 0; mov.u32 %r22, 0;\n"
                     "LOOP:\n@%p2 bra EVEN;\nbar.warp.sync %r20;\nbra JOIN;\nEVEN:\n"
                     "add.u32 %r23, %r22, 1;\nbar.warp.sync %r20;\nJOIN:\n"
                     "add.u32 %r22, %r22, 1; setp.lt.u32 %p3, %r22, 5; @%p3 bra LOOP;\n"
                     "st.global.u32 [%d1], %r22;\n";
  for (uint32_t value : runSound({body}))
    EXPECT_EQ(value, 5u);
}

TEST(WarpBarrier, Faults) {
  expectFault({"setp.lt.u32 %p1, %r3, 9;\n@%p1 bra LOW;\nbar.warp.sync 0xffffffff;\n"
               "LOW:\nbar.sync 0;\n"},
              Rule::Convergence, "lanes 0x1ff of the warp");
  expectFault({"bar.warp.sync 0xfffffffe;"}, Rule::Convergence, "its own member mask");
  expectFault({"bar.warp.sync %r50;"}, Rule::Uninitialised, "member mask");
}

TEST(Fence, FormsDecode) {
  std::string body;
  for (const char *sem : {"", ".sc", ".acq_rel", ".acquire", ".release"})
    for (const char *scope : {"cta", "cluster", "gpu", "sys"})
      body += std::string("fence") + sem + "." + scope + ";\n";
  for (const char *form :
       {"membar.cta", "membar.gl", "membar.sys", "fence.proxy.async",
        "fence.proxy.async.global", "fence.proxy.async.shared::cta",
        "fence.proxy.async.shared::cluster", "fence.proxy.alias",
        "fence.mbarrier_init.release.cluster",
        "fence.acquire.sync_restrict::shared::cluster.cluster",
        "fence.release.sync_restrict::shared::cta.cluster",
        "fence.proxy.async::generic.acquire.sync_restrict::shared::cluster.cluster",
        "fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster",
        "fence.proxy.tensormap::generic.release.gpu",
        "fence.proxy.tensormap::generic.acquire.gpu [%d0], 128"})
    body += std::string(form) + ";\n";
  runSound({body});
}

TEST(Fence, ViewsFollowSynchronisation) {
  Harness harness;
  ASSERT_EQ(harness.loadBody("u64 a", ""), "");
  harness.options.block = {96};
  LaunchRun run(harness.device, *harness.program, *harness.program->find("k"),
                harness.options);
  run.globalWrites = std::make_shared<GlobalWrites>();
  Cluster cluster(run, {0, 0, 0});
  Block &block = *cluster.blocks[0];
  Warp &writer = *block.warps[0], &fencer = *block.warps[1], &user = *block.warps[2];
  // What the race check remembers of an access that the writer makes now.
  auto access = [&] { return block.clockOf(writer)[0] + 1; };
  auto sees = [&](View view, uint32_t clock) {
    return visibleClock(user, view, 0) >= clock;
  };
  tilewright::emulator::VectorClock first, second;

  // A fence of any warp on the way makes a write visible to the async proxy.
  uint32_t early = access();
  block.release(writer, first);
  uint32_t late = access();
  block.acquire(fencer, first);
  fenceProxyAsync(fencer, /*ofShared=*/true, /*ofGlobal=*/false);
  block.release(fencer, second);
  block.acquire(user, second);
  EXPECT_TRUE(sees(View::Generic, early));
  EXPECT_TRUE(sees(View::Async, early));
  EXPECT_FALSE(sees(View::AsyncGlobal, early));
  EXPECT_FALSE(sees(View::Generic, late));

  // Without one it is visible to ordinary instructions alone.
  second = {};
  block.release(writer, second);
  block.acquire(user, second);
  EXPECT_TRUE(sees(View::Generic, late));
  EXPECT_FALSE(sees(View::Async, late));
  fenceProxyAsync(user, /*ofShared=*/false, /*ofGlobal=*/true);
  EXPECT_TRUE(sees(View::AsyncGlobal, late));
  EXPECT_FALSE(sees(View::Async, late));
  fenceProxyAsync(user, /*ofShared=*/true, /*ofGlobal=*/true);
  EXPECT_TRUE(sees(View::Async, late));

  // A relaxed release carries what was fenced before it, and no more.
  uint32_t init = access();
  fenceMbarrierInit(writer);
  uint32_t after = access();
  second = {};
  releaseRelaxed(writer, second);
  block.acquire(user, second);
  EXPECT_TRUE(sees(View::MbarrierInit, init));
  EXPECT_FALSE(sees(View::MbarrierInit, after));
  EXPECT_FALSE(sees(View::Generic, init));
  fenceRelease(writer);
  second = {};
  releaseRelaxed(writer, second);
  acquireRelaxed(user, second);
  EXPECT_FALSE(sees(View::Generic, init));
  fenceAcquire(user);
  EXPECT_TRUE(sees(View::Generic, init));
}
