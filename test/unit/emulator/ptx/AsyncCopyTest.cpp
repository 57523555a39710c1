//===- AsyncCopyTest.cpp - cp.async -------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <random>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

static std::vector<uint32_t> randomWords(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint32_t> words(count);
  for (uint32_t &word : words)
    word = random();
  return words;
}

static const char *buffer = ".shared .align 16 .b8 s[8192];\n";

/// Sets %r0 to the thread, %r1 and %d2 to the address of its 16 bytes in shared memory
/// and in `a`, %d3 to that in `out`; `copy` in between, then what lies in shared memory
/// is stored.
static std::string body(const std::string &copy, const std::string &after = "") {
  return R"(
    ld.param.u64 %d0, [a];
    ld.param.u64 %d1, [out];
    mov.u32 %r0, %tid.x;
    mul.wide.u32 %d4, %r0, 16;
    add.s64 %d2, %d0, %d4;
    add.s64 %d3, %d1, %d4;
    mov.u32 %r1, s;
    shl.b32 %r2, %r0, 4;
    add.u32 %r1, %r1, %r2;
)" + copy +
         R"(
    ld.shared.v4.b32 {%r10, %r11, %r12, %r13}, [%r1];
    st.global.v4.b32 [%d3], {%r10, %r11, %r12, %r13};
)" + after;
}

class AsyncCopyTest : public testing::Test {
protected:
  void run(const std::string &text, unsigned threads, unsigned architecture = 80) {
    harness = std::make_unique<Harness>(architecture);
    ASSERT_EQ(harness->loadBody("u64 a, u64 out", text, buffer), "");
    input = randomWords(threads * 4, threads);
    uint64_t a = harness->put(input, "a");
    out = harness->empty<uint32_t>(threads * 4);
    ASSERT_EQ(harness->arg(a).arg(out).launch({1, 1, 1}, {threads, 1, 1}), "");
  }
  std::vector<uint32_t> result() { return harness->get<uint32_t>(out, input.size()); }

  std::unique_ptr<Harness> harness;
  std::vector<uint32_t> input;
  uint64_t out = 0;
};

TEST_F(AsyncCopyTest, SizesAndWaits) {
  const char *waits[] = {"cp.async.commit_group; cp.async.wait_group 0;",
                         "cp.async.wait_all;"};
  for (const char *wait : waits)
    for (std::string copy : {"cp.async.cg.shared.global.L2::128B [%r1], [%d2], 16;",
                             "cp.async.ca.shared::cta.global [%r1], [%d2], 8;"
                             "cp.async.ca.shared.global [%r1 + 8], [%d2 + 8], 8, 8;",
                             "cp.async.ca.shared.global [%r1], [%d2], 4;"
                             "cp.async.ca.shared.global [%r1 + 4], [%d2 + 4], 4;"
                             "cp.async.ca.shared.global [%r1 + 8], [%d2 + 8], 4;"
                             "cp.async.ca.shared.global [%r1 + 12], [%d2 + 12], 4;"})
      for (unsigned threads : {32u, 77u, 256u}) {
        run(body(copy + wait), threads);
        EXPECT_EQ(harness->faultText(), "");
        EXPECT_EQ(result(), input);
      }
}

TEST_F(AsyncCopyTest, ShortSourcesAreFilledWithZeros) {
  // Thread t reads t % 17 bytes; where that is none, its address is outside.
  run(body(R"(
    rem.u32 %r3, %r0, 17;
    setp.eq.u32 %p1, %r3, 0;
    selp.b64 %d2, 0, %d2, %p1;
    cp.async.cg.shared.global [%r1], [%d2], 16, %r3;
    cp.async.wait_all;)"),
      96);
  EXPECT_EQ(harness->faultText(), "");
  std::vector<uint32_t> expected = input;
  auto *bytes = reinterpret_cast<uint8_t *>(expected.data());
  for (unsigned t = 0; t < 96; ++t)
    for (unsigned i = t % 17; i < 16; ++i)
      bytes[t * 16 + i] = 0;
  EXPECT_EQ(result(), expected);
}

TEST_F(AsyncCopyTest, IgnoredSources) {
  run(body(R"(
    and.b32 %r3, %r0, 2;
    setp.ne.u32 %p1, %r3, 0;
    cp.async.cg.shared.global [%r1], [%d2], 16, %p1;
    cp.async.wait_all;)"),
      64);
  EXPECT_EQ(harness->faultText(), "");
  for (unsigned i = 0; i < input.size(); ++i)
    EXPECT_EQ(result()[i], i / 4 & 2 ? 0 : input[i]);
}

TEST_F(AsyncCopyTest, GroupsAreCountedByThread) {
  // Odd threads commit an empty group first, so that for them wait_group 1 covers nothing
  // and wait_group 0 is needed; even ones have two groups.
  std::string copy = R"(
    and.b32 %r3, %r0, 1;
    setp.ne.u32 %p1, %r3, 0;
    cp.async.ca.shared.global [%r1], [%d2], 8;
    cp.async.commit_group;
    cp.async.ca.shared.global [%r1 + 8], [%d2 + 8], 8;
    @!%p1 cp.async.commit_group;
    @!%p1 cp.async.commit_group;
)";
  run(body(copy + "cp.async.wait_group 1; @%p1 cp.async.wait_all;"), 64);
  EXPECT_EQ(harness->faultText(), "");
  EXPECT_EQ(result(), input);
  // The open group is not covered.
  run(body(copy + "cp.async.wait_group 0;"), 64);
  EXPECT_TRUE(harness->hasFault(Rule::InFlight)) << harness->faultText();
}

TEST_F(AsyncCopyTest, WaitsLeaveTheLastGroups) {
  std::string copy = R"(
    cp.async.ca.shared.global [%r1], [%d2], 8;
    cp.async.commit_group;
    cp.async.ca.shared.global [%r1 + 8], [%d2 + 8], 8;
    cp.async.commit_group;
    cp.async.wait_group 1;
    ld.shared.b64 %d5, [%r1];
    st.global.b64 [%d3], %d5;
)";
  run(body(copy + "cp.async.wait_group 0;"), 32);
  EXPECT_EQ(harness->faultText(), "");
  EXPECT_EQ(result(), input);
  run(body(copy), 32);
  EXPECT_TRUE(harness->hasFault(Rule::InFlight));
}

TEST_F(AsyncCopyTest, ReadBeforeWait) {
  run(body("cp.async.cg.shared.global [%r1], [%d2], 16; cp.async.commit_group;"), 32);
  EXPECT_TRUE(harness->hasFault(Rule::InFlight)) << harness->faultText();
}

TEST_F(AsyncCopyTest, TwoCopiesToOnePlace) {
  run(body("cp.async.cg.shared.global [%r1], [%d2], 16;"
           "cp.async.cg.shared.global [%r1], [%d2], 16; cp.async.wait_all;"),
      32);
  EXPECT_TRUE(harness->hasFault(Rule::InFlight));
}

TEST_F(AsyncCopyTest, OtherWarpsNeedABarrierAfterTheWait) {
  // Thread t reads what thread t ^ 32 copied.
  std::string copy = R"(
    cp.async.cg.shared.global [%r1], [%d2], 16;
    cp.async.commit_group;
)";
  std::string exchange = R"(
    xor.b32 %r1, %r1, 512;
)";
  run(body(copy + "cp.async.wait_group 0; bar.sync 0;" + exchange), 64);
  EXPECT_EQ(harness->faultText(), "");
  for (unsigned i = 0; i < input.size(); ++i)
    EXPECT_EQ(result()[i], input[i ^ 128]);
  run(body(copy + "bar.sync 0; cp.async.wait_group 0;" + exchange), 64);
  EXPECT_TRUE(harness->hasFault(Rule::Race) || harness->hasFault(Rule::InFlight));
  run(body(copy + "cp.async.wait_group 0;" + exchange), 64);
  EXPECT_TRUE(harness->hasFault(Rule::Race) || harness->hasFault(Rule::InFlight));
}

TEST_F(AsyncCopyTest, TellsAnMbarrier) {
  for (const char *kind : {"", ".noinc"}) {
    // Without .noinc the arrivals do not count: thread 0 arrives besides.
    std::string count = *kind ? "64" : "1";
    std::string text =
        R"(
      .shared .align 8 .b64 bar;
      mov.u32 %r20, bar;
      mov.u32 %r21, %tid.x;
      setp.eq.u32 %p0, %r21, 0;
      @%p0 mbarrier.init.shared.b64 [%r20], )" +
        count + R"(;
      bar.sync 0;
)" +
        body(R"(
      cp.async.cg.shared.global [%r1], [%d2], 16;
      cp.async.mbarrier.arrive)" +
             std::string(kind) + R"(.shared.b64 [%r20];)" +
             (*kind ? "" : "bar.sync 0; @%p0 mbarrier.arrive.shared.b64 _, [%r20];") + R"(
    WAIT:
      mbarrier.try_wait.parity.shared.b64 %p2, [%r20], 0;
      @!%p2 bra WAIT;
      xor.b32 %r1, %r1, 512;
)");
    run(text, 64, 90);
    EXPECT_EQ(harness->faultText(), "");
    for (unsigned i = 0; i < input.size(); ++i)
      ASSERT_EQ(result()[i], input[i ^ 128]);
  }
}

TEST_F(AsyncCopyTest, Faults) {
  run(body("cp.async.cg.shared.global [%r1 + 8], [%d2], 16;"), 32);
  EXPECT_TRUE(harness->hasFault(Rule::Misaligned));
  run(body("cp.async.cg.shared.global [%r1], [%d2 + 4], 16;"), 32);
  EXPECT_TRUE(harness->hasFault(Rule::Misaligned));
  run(body("cp.async.cg.shared.global [%r1], [%d2 + 16], 16;"), 32);
  EXPECT_TRUE(harness->hasFault(Rule::OutOfBounds));
  run(body("cp.async.cg.shared.global [%r1 + 8192], [%d2], 16;"), 32);
  EXPECT_TRUE(harness->hasFault(Rule::OutOfBounds));
  run(body("mov.u32 %r3, 17; cp.async.cg.shared.global [%r1], [%d2], 16, %r3;"), 32);
  EXPECT_TRUE(harness->hasFault(Rule::OutOfBounds));
  run(body("cp.async.cg.shared.global [%r1], [%d2], 16, %r99;"), 32);
  EXPECT_TRUE(harness->hasFault(Rule::Uninitialised));
}

TEST_F(AsyncCopyTest, UndefinedDataIsCarried) {
  Harness h(80);
  ASSERT_EQ(h.loadBody("u64 a, u64 out",
                       body("cp.async.cg.shared.global [%r1], [%d2], 16;"
                            "cp.async.wait_all;"),
                       buffer),
            "");
  uint64_t a = h.empty<uint32_t>(128), out = h.empty<uint32_t>(128);
  ASSERT_EQ(h.arg(a).arg(out).launch({1, 1, 1}, {32, 1, 1}), "");
  EXPECT_EQ(h.faultText(), "");
  for (uint8_t mark : h.shadow(out, 512))
    EXPECT_NE(mark, tilewright::emulator::Sound);
}

TEST_F(AsyncCopyTest, RefusedForms) {
  for (const char *text :
       {"cp.async.cg.shared.global [%r1], [%d2], 8;",
        "cp.async.ca.shared.global [%r1], [%d2], 12;",
        "cp.async.ca.global.global [%r1], [%d2], 16;",
        "cp.async.ca.shared.global.new [%r1], [%d2], 16;", "cp.async.wait_group %r0;",
        "cp.async.bulk.commit_group;", // before sm_90
        "multimem.ld_reduce.global.add.u32 %r1, [%d2];"}) {
    Harness h(80);
    EXPECT_NE(h.loadBody("u64 a", text, buffer), "") << text;
  }
}
