//===- LaneRaceTest.cpp - Tests of the race check within a warp ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SyncHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

namespace {
/// %r11 is the lane's own word of `smem`, %r12 that of lane 31 - lane.
const std::string start = "mov.u32 %r10, smem; mad.lo.u32 %r11, %r3, 4, %r10;\n"
                          "sub.u32 %r12, 31, %r3; mad.lo.u32 %r12, %r12, 4, %r10;\n";
const std::string storeOwn = "st.shared.u32 [%r11], %r3;\n";
const std::string exchange = "ld.shared.u32 %r13, [%r12]; st.global.u32 [%d1], %r13;\n";

void expectSound(const std::string &body, uint32_t threads = 32) {
  runSound({start + body, threads});
}
void expectRace(const std::string &body, const std::string &text, uint32_t threads = 32) {
  expectFault({start + body, threads}, Rule::Race, text);
}
} // namespace

TEST(LaneRace, LoadOfWhatAnotherLaneStored) {
  expectRace(storeOwn + exchange,
             "of the same warp wrote at line 23, and nothing orders");
  expectSound(storeOwn + "bar.warp.sync -1;\n" + exchange);
  expectSound(storeOwn + "bar.sync 0;\n" + exchange);
  expectSound(storeOwn + "barrier.sync 1, 32;\n" + exchange);
  expectSound(storeOwn + "barrier.cluster.arrive; barrier.cluster.wait;\n" + exchange);
  expectSound(storeOwn + "ld.shared.u32 %r13, [%r11]; st.global.u32 [%d1], %r13;\n");
}

/// What makes lanes wait for each other need not order memory.
TEST(LaneRace, ShufflesAndFencesOrderNothing) {
  for (const char *text :
       {"shfl.sync.idx.b32 %r20, %r3, 0, 31, -1;", "vote.sync.ballot.b32 %r20, 1, -1;",
        "membar.cta;", "redux.sync.add.s32 %r20, %r3, -1;"})
    expectRace(storeOwn + text + "\n" + exchange, "of the same warp wrote");
}

TEST(LaneRace, StoreToWhatAnotherLaneRead) {
  const std::string first = storeOwn + "bar.warp.sync -1;\nld.shared.u32 %r13, [%r12];\n";
  const std::string second = "st.shared.u32 [%r11], %r0; st.global.u32 [%d1], %r13;\n";
  const std::string other = "add.u32 %r0, %r0, 7;\n";
  expectRace(first + other + second, "of the same warp read at line 25");
  expectSound(first + other + "bar.warp.sync -1;\n" + second);
  // A lane that read it alone may write it.
  expectSound(storeOwn + "ld.shared.u32 %r13, [%r11];\n" + other + second);
  // As may all store what is there.
  expectSound(storeOwn + "ld.shared.u32 %r13, [%r11];\n" + second);
}

/// Two stores of different values to one word, by other lanes each.
TEST(LaneRace, StoresOfLanes) {
  const std::string other = "add.u32 %r14, %r3, 100; st.shared.u32 [%r12], %r14;\n";
  expectRace(storeOwn + other, "it writes shared memory at");
  expectSound(storeOwn + "bar.warp.sync -1;\n" + other);
}

/// Bytes beside each other are different ones.
TEST(LaneRace, IsToTheByte) {
  const std::string bytes = "add.u32 %r14, %r10, %r3; st.shared.u8 [%r14], %r3;\n"
                            "ld.shared.u8 %r13, [%r14]; st.global.u32 [%d1], %r13;\n";
  expectSound(bytes);
  const std::string halves = "mad.lo.u32 %r14, %r3, 2, %r10; mov.u16 %h1, 3;\n"
                             "st.shared.u16 [%r14], %h1;\n";
  const std::string registers = ".reg .b16 %h<4>;\n";
  expectSound(registers + halves + "ld.shared.u16 %h2, [%r14];\n");
  expectRace(registers + halves + "ld.shared.u32 %r13, [%r11];\n", "same warp wrote");
  // A vector of 16 bytes that holds a neighbour's word.
  expectRace(storeOwn + "and.b32 %r14, %r3, 28; mad.lo.u32 %r14, %r14, 4, %r10;\n"
                        "ld.shared.v4.u32 {%r15, %r16, %r17, %r18}, [%r14];\n",
             "same warp wrote");
}

/// One word for all: what all stored may be read by all, what one stored may not.
TEST(LaneRace, OneWordForAll) {
  const std::string read = "ld.shared.u32 %r13, [%r10]; st.global.u32 [%d1], %r13;\n";
  expectSound("mov.u32 %r14, 5; st.shared.u32 [%r10], %r14;\n" + read);
  const std::string first = "setp.eq.u32 %p1, %r3, 0; @%p1 st.shared.u32 [%r10], 5;\n";
  expectRace(first + read, "which lane 0 of the same warp wrote");
  expectSound(first + "bar.warp.sync -1;\n" + read);
  // nvcc loads what one lane uses and replaces in front of the branch.
  expectSound(first + "bar.warp.sync -1;\n" + read +
              "mov.u32 %r15, 9; @%p1 st.shared.u32 [%r10], %r15;\n");
}

/// Strong and atomic operations race with plain ones alone, and may release and acquire.
TEST(LaneRace, StrongOperations) {
  const std::string zero = "setp.eq.u32 %p1, %r3, 0; @%p1 st.shared.u32 [%r10], 0;\n";
  const std::string count = "atom.shared.add.u32 %r13, [%r10], 1;\n";
  const std::string read = "ld.shared.u32 %r14, [%r10]; st.global.u32 [%d1], %r14;\n";
  expectSound(zero + "bar.warp.sync -1;\n" + count + "bar.warp.sync -1;\n" + read);
  expectRace(zero + count, "which lane 0 of the same warp wrote");
  expectRace(zero + "bar.warp.sync -1;\n" + count + read, "which another lane of");
  expectSound("st.volatile.shared.u32 [%r11], %r3;\n"
              "ld.volatile.shared.u32 %r13, [%r12]; st.global.u32 [%d1], %r13;\n");
  // Lane 0 writes, and releases a flag that the others wait for.
  expectSound("mov.u32 %r20, 64; add.u32 %r20, %r20, %r10;\n"
              "setp.eq.u32 %p1, %r3, 0; @%p1 st.relaxed.cta.shared.u32 [%r20], 0;\n"
              "bar.warp.sync -1;\n"
              "@!%p1 bra WAIT;\n"
              "st.shared.u32 [%r10], 5; st.release.cta.shared.u32 [%r20], 1; bra END;\n"
              "WAIT: ld.acquire.cta.shared.u32 %r21, [%r20]; setp.eq.u32 %p2, %r21, 0;\n"
              "@%p2 bra WAIT;\n"
              "ld.shared.u32 %r13, [%r10]; st.global.u32 [%d1], %r13;\nEND:\n");
}

/// Rows that ldmatrix reads are other lanes'; a copy is its lane's until they are
/// ordered.
TEST(LaneRace, MatricesAndCopies) {
  const std::string rows = "mad.lo.u32 %r14, %r3, 16, %r10;\n"
                           "st.shared.v4.u32 [%r14], {%r3, %r3, %r3, %r3};\n";
  const std::string matrices = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 "
                               "{%r15, %r16, %r17, %r18}, [%r14];\n";
  expectRace(rows + matrices, "of the same warp wrote");
  expectSound(rows + "bar.warp.sync -1;\n" + matrices);
  expectRace(rows + "bar.warp.sync -1;\n" + matrices +
                 "st.shared.v4.u32 [%r14], {%r0, %r3, %r3, %r15};\n",
             "which another lane of the same warp read");
  const std::string copy =
      "cp.async.ca.shared.global [%r11], [%d1], 4; cp.async.wait_all;\n";
  expectRace(copy + exchange, "of the same warp wrote");
  expectSound(copy + "bar.warp.sync -1;\n" + exchange);
}

/// Each warp of several is told apart, and the check is one that may be turned off.
TEST(LaneRace, SeveralWarps) {
  const std::string own = "shl.b32 %r14, %r2, 7; add.u32 %r11, %r11, %r14;\n"
                          "add.u32 %r12, %r12, %r14;\n";
  expectRace(own + storeOwn + exchange, "of the same warp wrote", 128);
  expectSound(own + storeOwn + "bar.warp.sync -1;\n" + exchange, 128);
  Harness harness;
  harness.options.checks.laneRaces = false;
  std::vector<uint32_t> result;
  EXPECT_EQ(run(harness, {start + storeOwn + exchange, 32}, Order(), result), "");
  EXPECT_EQ(harness.faultText(), "");
}
