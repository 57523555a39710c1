//===- ClusterTest.cpp - Clusters: barrier, addresses, remote mbarriers -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SyncHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

static const std::string both = "barrier.cluster.arrive;\nbarrier.cluster.wait;\n";

/// Each block writes its shared memory and reads that of the next rank, `barrier` between
/// and `last` at the end, in clusters of four.
static SyncProgram ring(const std::string &barrier, const std::string &last = both) {
  return {"mov.u32 %r10, smem; shl.b32 %r11, %r0, 2; add.u32 %r12, %r10, %r11;\n"
          "mad.lo.u32 %r13, %r4, 10, 7; st.shared.u32 [%r12], %r13;\n" +
              barrier +
              "add.u32 %r14, %r1, 1; and.b32 %r14, %r14, 3;\n"
              "mapa.shared::cluster.u32 %r15, %r12, %r14;\n"
              "ld.shared::cluster.u32 %r16, [%r15]; st.global.u32 [%d1], %r16;\n" +
              last,
          64, 8, 4};
}

static void expectRing(const SyncProgram &program) {
  std::vector<uint32_t> result = runSound(program);
  for (uint32_t i = 0; i < program.count(); ++i) {
    uint32_t block = i / 64, next = block / 4 * 4 + (block + 1) % 4;
    EXPECT_EQ(result[i], (next * 64 + i % 64) * 10 + 7);
  }
}

TEST(Cluster, BarrierOrdersBlocks) {
  expectRing(ring(both));
  expectRing(ring("barrier.cluster.arrive.release.aligned;\n"
                  "barrier.cluster.wait.acquire.aligned;\n"));
  expectRing(ring("fence.acq_rel.cluster;\nbarrier.cluster.arrive.relaxed.aligned;\n"
                  "barrier.cluster.wait.aligned;\n"));
  expectRing(ring("setp.lt.u32 %p1, %r3, 7;\n@%p1 barrier.cluster.arrive;\n"
                  "@!%p1 barrier.cluster.arrive;\n@%p1 barrier.cluster.wait;\n"
                  "@!%p1 barrier.cluster.wait;\n"));
  expectFault(ring("barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait;\n"),
              Rule::Race);
  expectFault(ring("bar.sync 0;\n"), Rule::Race);
}

TEST(Cluster, MemoryOfABlockThatHasExited) {
  // One block reads late, after others are done.
  SyncProgram program =
      ring(both + "setp.ne.u32 %p1, %r1, 0;\n@%p1 ret;\nmov.u32 %r20, 0;\n"
                  "SPIN:\nadd.u32 %r20, %r20, 1; setp.lt.u32 %p2, %r20, 3000;\n"
                  "@%p2 bra SPIN;\n",
           "");
  expectFault(program, Rule::UseAfterFree, "exited");
}

TEST(Cluster, WarpsThatExitedDoNotCount) {
  runSound({"setp.eq.u32 %p1, %r1, 2;\n@%p1 ret;\nsetp.eq.u32 %p1, %r2, 1;\n@%p1 ret;\n" +
                both + both + both,
            64, 4, 4});
}

TEST(Cluster, BarrierFaults) {
  expectFault({"setp.eq.u32 %p1, %r1, 1;\n@%p1 bar.sync 1, 64;\nbarrier.cluster.arrive;\n"
               "setp.eq.u32 %p2, %r2, 0;\n@%p2 barrier.cluster.wait;\n"
               "@!%p1 bra END;\n@%p2 bar.sync 2, 64;\nEND:\n",
               64, 2, 2},
              Rule::Deadlock, "barrier 2: 32 of 64");
  expectFault({"setp.eq.u32 %p1, %r1, 1;\nsetp.eq.and.u32 %p1, %r2, 1, %p1;\n"
               "@%p1 bar.sync 1, 64;\n" +
                   both,
               64, 2, 2},
              Rule::Deadlock,
              "1 warps have not arrived, warp 1 of block rank 1 the first");
  expectFault({"barrier.cluster.arrive;\nbarrier.cluster.arrive;\n", 32, 2, 2},
              Rule::BarrierCount, "comes between two arrivals");
  expectFault({"barrier.cluster.wait;\n", 32, 2, 2}, Rule::BarrierCount, "comes first");
  expectFault(
      {"setp.eq.u32 %p1, %r3, 1;\n@%p1 barrier.cluster.arrive.aligned;\n", 32, 2, 2},
      Rule::BarrierDivergence);
  EXPECT_NE(getError("barrier.cluster.sync;"), "");
  EXPECT_NE(getError("barrier.cluster.wait.release;"), "");
}

TEST(Cluster, AddressesAndRanks) {
  std::string body =
      "mov.u32 %r10, smem; cvt.u64.u32 %d5, %r10; cvta.shared.u64 %d6, %d5;\n"
      "mapa.u64 %d7, %d6, 1; getctarank.u64 %r11, %d7;\n"
      "getctarank.u64 %r12, %d6; mapa.shared::cluster.u32 %r13, %r10, 1;\n"
      "getctarank.shared::cluster.u32 %r14, %r13;\n"
      "getctarank.shared::cluster.u32 %r15, %r10;\n"
      "mapa.shared::cluster.u32 %r16, smem, %r1; st.shared.u32 [%r16], %r1;\n" +
      both +
      "ld.u32 %r17, [%d7]; ld.shared::cluster.u32 %r18, [%r13];\n"
      "mad.lo.u32 %r11, %r11, 10, %r12; mad.lo.u32 %r11, %r11, 10, %r14;\n"
      "mad.lo.u32 %r11, %r11, 10, %r15; mad.lo.u32 %r11, %r11, 10, %r17;\n"
      "mad.lo.u32 %r11, %r11, 10, %r18; st.global.u32 [%d1], %r11;\n" +
      both;
  std::vector<uint32_t> result = runSound({body, 1, 4, 2});
  for (uint32_t i = 0; i < 4; ++i)
    EXPECT_EQ(result[i], i % 2 ? 111111u : 101011u);
  expectFault({"mov.u32 %r10, smem; mapa.shared::cluster.u32 %r11, %r10, 2;", 32, 2, 2},
              Rule::OutOfBounds, "rank 2 in a cluster of 2");
  expectFault({"mapa.u64 %d5, %d0, 0;", 32, 2, 2}, Rule::OutOfBounds, "not of shared");
  EXPECT_NE(getError("mapa.shared::cta.u32 %r1, %r1, 0;"), "");
}

/// Block 0 waits for the arrivals of all blocks of a cluster of four, after which it
/// reads what each wrote into its memory. `publish` comes between the init and its use.
static SyncProgram
gather(const std::string &publish,
       const std::string &arrive = "mbarrier.arrive.release.cluster."
                                   "shared::cluster.b64 _, [%r20];\n") {
  return {
      "mov.u32 %r30, bars; mov.u32 %r10, smem; setp.eq.u32 %p9, %r0, 0;\n"
      "setp.eq.and.u32 %p1, %r1, 0, %p9;\n"
      "@%p1 mbarrier.init.shared::cta.b64 [%r30], 128;\n" +
          publish +
          "mapa.shared::cluster.u32 %r20, %r30, 0;\n"
          "mad.lo.u32 %r11, %r1, 32, %r0; shl.b32 %r11, %r11, 2;\n"
          "add.u32 %r11, %r10, %r11; mapa.shared::cluster.u32 %r12, %r11, 0;\n"
          "mad.lo.u32 %r13, %r1, 1000, %r0; st.shared::cluster.u32 [%r12], %r13;\n" +
          arrive +
          "setp.ne.u32 %p2, %r1, 0;\n@%p2 bra END;\nWAIT:\n"
          "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p8, [%r30], 0;\n"
          "@!%p8 bra WAIT;\nmov.u32 %r15, 0; mov.u32 %r16, 0;\n"
          "shl.b32 %r17, %r0, 2; add.u32 %r17, %r10, %r17;\nSUM:\n"
          "ld.shared.u32 %r18, [%r17]; add.u32 %r16, %r16, %r18;\n"
          "add.u32 %r17, %r17, 128; add.u32 %r15, %r15, 1;\n"
          "setp.lt.u32 %p3, %r15, 4; @%p3 bra SUM;\nst.global.u32 [%d1], %r16;\nEND:\n" +
          both,
      32, 4, 4};
}

TEST(Cluster, RemoteArrivals) {
  std::vector<uint32_t> result = runSound(gather(both));
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], 6000 + 4 * i);
  runSound(gather("fence.mbarrier_init.release.cluster;\n"
                  "barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait;\n"));
  expectFault(gather("barrier.cluster.arrive.relaxed;\nbarrier.cluster.wait;\n"),
              Rule::Race, "nothing orders its mbarrier.init");
  expectFault(gather(both, "mbarrier.arrive.relaxed.cluster.shared::cluster.b64 _, "
                           "[%r20];\n"),
              Rule::Race);
  expectFault(gather(both,
                     "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r20], "
                     "3;\n"),
              Rule::BarrierCount, "too many");
}

TEST(Cluster, RemoteBarriersAreNotWaitedFor) {
  expectFault(
      {"mov.u32 %r30, bars; setp.eq.u32 %p9, %r0, 0;\n"
       "@%p9 mbarrier.init.shared::cta.b64 [%r30], 1;\n" +
           both +
           "cvt.u64.u32 %d5, %r30; cvta.shared.u64 %d6, %d5; mapa.u64 %d7, %d6, 1;\n"
           "mbarrier.try_wait.parity.b64 %p8, [%d7], 1;\n" +
           both,
       32, 2, 2},
      Rule::OutOfBounds, "own block");
}
