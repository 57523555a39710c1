//===- AsyncStoreTest.cpp - st.async and red.async ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <random>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

static constexpr unsigned threads = 64, blocks = 2;

static const char *buffers =
    ".shared .align 128 .b8 s[4096];\n.shared .align 16 .b64 bar[2];\n";

/// Of each thread: %p0 is it thread 0, %r0 thread, %r1 s, %r2 bar, %r3 rank, %d0 its 16
/// bytes of a, %d1 its 16 bytes of out; %r5 its 16 bytes of the other block's s, %r6 the
/// other's bar, %r7 its 16 bytes of s. The mbarrier expects one arrival.
static const char *prologue = R"(
  ld.param.u64 %d0, [a];
  ld.param.u64 %d1, [out];
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, s;
  mov.u32 %r2, bar;
  mov.u32 %r3, %cluster_ctarank;
  mad.lo.u32 %r8, %r3, 64, %r0;
  mad.wide.u32 %d0, %r8, 16, %d0;
  mad.wide.u32 %d1, %r8, 16, %d1;
  xor.b32 %r4, %r3, 1;
  mad.lo.u32 %r7, %r0, 16, %r1;
  mapa.shared::cluster.u32 %r5, %r7, %r4;
  mapa.shared::cluster.u32 %r6, %r2, %r4;
  setp.eq.u32 %p0, %r0, 0;
  @%p0 mbarrier.init.shared.b64 [%r2], 1;
  @%p0 fence.mbarrier_init.release.cluster;
)";
static const char *together = R"(
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
)";
static const char *waitForBytes = R"(
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p1, [%r2], 0;
  @!%p1 bra WAIT;
)";
static const char *loadValue =
    "ld.global.v4.b32 {%r20, %r21, %r22, %r23}, [%d0];\n"
    "ld.global.v2.b64 {%d20, %d21}, [%d0];\n"
    "mov.b32 %f20, %r20; mov.b64 %g20, %d20; mov.b64 %g21, %d21;\n";
/// Copies the thread's 16 bytes of s to out.
static const char *storeResult = "ld.shared.v4.b32 {%r30, %r31, %r32, %r33}, [%r7];\n"
                                 "st.global.v4.b32 [%d1], {%r30, %r31, %r32, %r33};\n";

static std::string expectBytes(unsigned bytes) {
  return "@%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], " + std::to_string(bytes) +
         ";\n";
}
static std::string storeAsync(const std::string &type, const std::string &operands) {
  return "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes." + type + " " +
         operands + ";\n";
}
static const std::string wholeStore =
    storeAsync("v4.b32", "[%r5], {%r20, %r21, %r22, %r23}, [%r6]");
/// Zeros in the thread's 16 bytes, of the generic proxy.
static const char *clear =
    "mov.b32 %r40, 0; st.shared.v4.b32 [%r7], {%r40, %r40, %r40, %r40};\n";

class AsyncStoreTest : public testing::Test {
protected:
  /// Runs `text` on a cluster of two blocks.
  void run(const std::string &text) {
    harness = std::make_unique<Harness>(90);
    harness->options.order.kind = order;
    ASSERT_EQ(harness->loadBody("u64 a, u64 out", prologue + text, buffers), "") << text;
    std::mt19937 random(3);
    input.resize(threads * blocks * 4);
    for (uint32_t &word : input)
      word = random();
    uint64_t a = harness->put(input, "a");
    out = harness->empty<uint32_t>(input.size());
    ASSERT_EQ(harness->arg(a).arg(out).launch({blocks, 1, 1}, {threads, 1, 1}, 0,
                                              {blocks, 1, 1}),
              "");
  }
  void expectFault(Rule rule, const std::string &text) {
    run(text);
    EXPECT_TRUE(harness->hasFault(rule)) << text << harness->faultText();
  }
  /// Whether the other block's words, the first `words` of each four, have come.
  void expectSent(unsigned words) {
    EXPECT_EQ(harness->faultText(), "");
    std::vector<uint32_t> got = harness->get<uint32_t>(out, input.size());
    std::vector<uint8_t> shadow = harness->shadow(out, input.size() * 4);
    const size_t block = threads * 4;
    for (size_t i = 0; i < got.size(); ++i) {
      if (i % 4 < words) {
        ASSERT_EQ(got[i], input[(i + block) % input.size()]) << i;
      }
      ASSERT_EQ(shadow[i * 4] == Sound, i % 4 < words) << i;
    }
  }

  Order::Kind order = Order::Forward;
  std::unique_ptr<Harness> harness;
  std::vector<uint32_t> input;
  uint64_t out = 0;
};

TEST_F(AsyncStoreTest, StoresEveryType) {
  struct Form {
    const char *type, *value;
    unsigned words;
  };
  const Form forms[] = {{"b32", "%r20", 1},
                        {"u32", "%r20", 1},
                        {"s32", "%r20", 1},
                        {"f32", "%f20", 1},
                        {"b64", "%d20", 2},
                        {"u64", "%d20", 2},
                        {"s64", "%d20", 2},
                        {"f64", "%g20", 2},
                        {"v2.u32", "{%r20, %r21}", 2},
                        {"v2.s64", "{%d20, %d21}", 4},
                        {"v2.f64", "{%g20, %g21}", 4},
                        {"v4.b32", "{%r20, %r21, %r22, %r23}", 4}};
  for (const Form &form : forms)
    for (Order::Kind kind : {Order::Forward, Order::Reverse, Order::Shuffled}) {
      order = kind;
      run(expectBytes(threads * form.words * 4) + together + loadValue +
          storeAsync(form.type, std::string("[%r5], ") + form.value + ", [%r6]") +
          waitForBytes + storeResult + together);
      expectSent(form.words);
    }
}

TEST_F(AsyncStoreTest, FormsOfAddresses) {
  // Generic addresses, and what may be left out; the scope.
  const std::string generic = R"(
    cvt.u64.u32 %d30, %r7; cvta.shared.u64 %d30, %d30; mapa.u64 %d30, %d30, %r4;
    cvt.u64.u32 %d31, %r2; cvta.shared.u64 %d31, %d31; mapa.u64 %d31, %d31, %r4;
  )";
  for (const char *form : {"st.async.mbarrier::complete_tx::bytes.b32",
                           "st.async.weak.b32", "st.async.b32"}) {
    run(expectBytes(threads * 4) + together + loadValue + generic + form +
        " [%d30], %r20, [%d31];" + waitForBytes + storeResult + together);
    expectSent(1);
  }
  expectFault(Rule::OutOfBounds, std::string(together) + loadValue + generic +
                                     "st.async.b32 [%d0], %r20, [%d31];");
  expectFault(Rule::OutOfBounds, std::string(together) + loadValue + generic +
                                     "st.async.b32 [%d30], %r20, [%d0];");
  expectFault(Rule::OutOfBounds,
              std::string(together) + loadValue + "st.async.b32 [%d0], %r20, [%d0];");
  // Offsets and a constant, in the own block.
  run(expectBytes(threads * 8) + together + storeAsync("u32", "[%r7 + 4], 77, [bar]") +
      storeAsync("u32", "[%r7], %r0, [%r2 + 0]") + waitForBytes +
      "ld.shared.v2.b32 {%r30, %r31}, [%r7]; st.global.v2.b32 [%d1], {%r30, %r31};");
  EXPECT_EQ(harness->faultText(), "");
  std::vector<uint32_t> got = harness->get<uint32_t>(out, input.size());
  for (unsigned i = 0; i < threads * blocks; ++i) {
    ASSERT_EQ(got[4 * i], i % threads);
    ASSERT_EQ(got[4 * i + 1], 77u);
  }
}

TEST_F(AsyncStoreTest, ReadsItsValueAtIssueAndKeepsUndefinedData) {
  run(expectBytes(threads * 16) + together + loadValue + wholeStore +
      "mov.b32 %r20, 1; mov.b32 %r21, 2;" + waitForBytes + storeResult + together);
  expectSent(4);
  run(expectBytes(threads * 8) + together + loadValue +
      storeAsync("v2.b32", "[%r5], {%r20, %r99}, [%r6]") + waitForBytes + storeResult +
      together);
  expectSent(1);
}

TEST_F(AsyncStoreTest, InactiveLanesStoreNothing) {
  run(expectBytes(4) + together + loadValue + "@%p0 " +
      storeAsync("b32", "[%r5], %r20, [%r6]") + waitForBytes + storeResult + together);
  EXPECT_EQ(harness->faultText(), "");
  std::vector<uint8_t> shadow = harness->shadow(out, input.size() * 4);
  for (size_t i = 0; i < shadow.size(); ++i)
    ASSERT_EQ(shadow[i] == Sound, i % (threads * 16) < 4) << i;
}

TEST_F(AsyncStoreTest, StoreFaults) {
  const std::string start = expectBytes(threads * 16) + together + loadValue;
  const std::string end = waitForBytes + std::string(storeResult) + together;
  auto with = [](std::string operands) { return storeAsync("b32", operands); };
  // The mbarrier has to be in the destination's block, initialised, and in its place.
  expectFault(Rule::OutOfBounds, start + with("[%r5], %r20, [%r2]") + end);
  expectFault(Rule::OutOfBounds, start + with("[%r7], %r20, [%r6]") + end);
  expectFault(Rule::Uninitialised, start + with("[%r5], %r20, [%r6 + 8]") + end);
  expectFault(Rule::Misaligned, start + with("[%r5], %r20, [%r6 + 4]") + end);
  expectFault(Rule::Misaligned, start + with("[%r5 + 2], %r20, [%r6]") + end);
  expectFault(Rule::Misaligned,
              start + storeAsync("v2.b32", "[%r5 + 4], {%r20, %r21}, [%r6]") + end);
  expectFault(Rule::OutOfBounds, start + with("[%r5 + 8192], %r20, [%r6]") + end);
  expectFault(Rule::Uninitialised, start + with("[%r99], %r20, [%r6]") + end);
  expectFault(Rule::Uninitialised, start + with("[%r5], %r20, [%r99]") + end);
  // Too few bytes, over an mbarrier, over another store, and no wait.
  expectFault(Rule::Deadlock, start + with("[%r5], %r20, [%r6]") + end);
  expectFault(Rule::InFlight, start + with("[%r6], %r20, [%r6]") + end);
  expectFault(Rule::InFlight, start + wholeStore + with("[%r5], %r20, [%r6]") + end);
  expectFault(Rule::InFlight, expectBytes(threads * 16) + together + loadValue +
                                  storeAsync("v4.b32", "[%r7], {%r20, %r21, %r22, %r23}, "
                                                       "[%r2]") +
                                  storeResult + waitForBytes);
  // Ordinary writes before the store: a barrier orders them, as it is one of their proxy.
  expectFault(Rule::Race, start + clear + wholeStore + end);
  run(start + clear + together + wholeStore + end);
  expectSent(4);
  // A bulk copy of what was stored is not.
  const std::string copyOut =
      "bar.sync 0;\n@%p0 cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r1], 16;\n"
      "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;\n";
  expectFault(Rule::ProxyFence,
              start + together + wholeStore + waitForBytes + copyOut + together);
  run(start + together + wholeStore + waitForBytes + "fence.proxy.async;\n" + copyOut +
      together);
  EXPECT_EQ(harness->faultText(), "");
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

static std::string reduceAsync(const std::string &operation,
                               const std::string &operands) {
  return "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes." +
         operation + " " + operands + ";\n";
}

/// Combines the other block's first words with the own second ones; checks the results.
template <typename T>
static void checkReduction(const char *operation, T (*expected)(T, T)) {
  Harness h(90);
  const bool isWide = sizeof(T) == 8;
  std::string text =
      std::string(prologue) +
      "ld.global.v4.b32 {%r20, %r21, %r22, %r23}, [%d0];\n"
      "ld.global.v2.b64 {%d20, %d21}, [%d0];\n" +
      (isWide ? "st.shared.b64 [%r7], %d21;" : "st.shared.b32 [%r7], %r21;") +
      "fence.proxy.async;" + expectBytes(threads * sizeof(T)) + together +
      reduceAsync(operation, isWide ? "[%r5], %d20, [%r6]" : "[%r5], %r20, [%r6]") +
      waitForBytes +
      (isWide ? "ld.shared.b64 %d30, [%r7]; st.global.b64 [%d1], %d30;"
              : "ld.shared.b32 %r30, [%r7]; st.global.b32 [%d1], %r30;") +
      together;
  ASSERT_EQ(h.loadBody("u64 a, u64 out", text, buffers), "") << operation;
  std::mt19937_64 random(11);
  const size_t stride = 16 / sizeof(T), count = threads * blocks;
  std::vector<T> input(count * stride);
  for (T &value : input)
    value = static_cast<T>(random());
  // Equal values and zeros too.
  for (size_t i = 0; i < count; i += 3)
    input[i * stride + 1] = i % 2 ? 0 : input[(i + threads) % count * stride];
  input[5 * stride] = 0;
  uint64_t a = h.put(input, "a"), out = h.empty<T>(input.size());
  ASSERT_EQ(h.arg(a).arg(out).launch({blocks, 1, 1}, {threads, 1, 1}, 0, {blocks, 1, 1}),
            "");
  EXPECT_EQ(h.faultText(), "") << operation;
  std::vector<T> got = h.get<T>(out, input.size());
  for (size_t i = 0; i < count; ++i)
    ASSERT_EQ(got[i * stride],
              expected(input[i * stride + 1], input[(i + threads) % count * stride]))
        << operation << " " << i;
}

TEST(AsyncReduceTest, EveryOperation) {
  using U = uint32_t;
  using S = int32_t;
  checkReduction<U>("add.u32", [](U a, U b) { return a + b; });
  checkReduction<S>("add.s32", [](S a, S b) { return S(U(a) + U(b)); });
  checkReduction<uint64_t>("add.u64", [](uint64_t a, uint64_t b) { return a + b; });
  checkReduction<U>("min.u32", [](U a, U b) { return std::min(a, b); });
  checkReduction<S>("min.s32", [](S a, S b) { return std::min(a, b); });
  checkReduction<U>("max.u32", [](U a, U b) { return std::max(a, b); });
  checkReduction<S>("max.s32", [](S a, S b) { return std::max(a, b); });
  checkReduction<U>("inc.u32", [](U a, U b) { return a >= b ? 0 : a + 1; });
  checkReduction<U>("dec.u32", [](U a, U b) { return a == 0 || a > b ? b : a - 1; });
  checkReduction<U>("and.b32", [](U a, U b) { return a & b; });
  checkReduction<U>("or.b32", [](U a, U b) { return a | b; });
  checkReduction<U>("xor.b32", [](U a, U b) { return a ^ b; });
}

TEST_F(AsyncStoreTest, ReductionsOfAllThreadsMeet) {
  // Both blocks' threads add to one word of rank 0, four times over.
  const std::string text =
      std::string("mov.b32 %r50, 0; mapa.shared::cluster.u32 %r51, %r1, %r50;\n"
                  "mapa.shared::cluster.u32 %r52, %r2, %r50;\n") +
      "@%p0 st.shared.b32 [%r1], %r50;\nfence.proxy.async;" +
      expectBytes(threads * blocks * 4) + together + loadValue +
      reduceAsync("add.u32", "[%r51], %r20, [%r52]") +
      "setp.ne.u32 %p4, %r3, 0;\n@%p4 bra END;\n" + waitForBytes +
      "ld.shared.b32 %r30, [%r1];\nst.global.b32 [%d1], %r30;\nEND:" + together;
  for (Order::Kind kind : {Order::Forward, Order::Reverse, Order::Shuffled}) {
    order = kind;
    run(text);
    EXPECT_EQ(harness->faultText(), "");
    uint32_t sum = 0;
    for (size_t i = 0; i < input.size(); i += 4)
      sum += input[i];
    for (unsigned i = 0; i < threads; ++i)
      ASSERT_EQ(harness->get<uint32_t>(out, input.size())[4 * i], sum);
  }
}

TEST_F(AsyncStoreTest, ReductionFaults) {
  const std::string start = expectBytes(threads * 4) + clear;
  const std::string end = waitForBytes + std::string(storeResult) + together;
  const std::string add = "add.u32";
  run(start + together + loadValue + reduceAsync(add, "[%r5], %r20, [%r6]") + end);
  EXPECT_EQ(harness->faultText(), "");
  expectFault(Rule::OutOfBounds, start + together + loadValue +
                                     reduceAsync(add, "[%r5], %r20, [%r2]") + end);
  expectFault(Rule::Misaligned, start + together + loadValue +
                                    reduceAsync("add.u64", "[%r5 + 4], %d20, [%r6]") +
                                    end);
  // What the destination's block reads before its wait.
  expectFault(Rule::Race, start + together + loadValue +
                              reduceAsync(add, "[%r5], %r20, [%r6]") + storeResult +
                              waitForBytes + together);
}

TEST(AsyncReduceTest, RefusedForms) {
  const std::string store = "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.";
  const std::string red =
      "red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.";
  for (const std::string &text :
       {store + "b16 [%r1], %h1, [%r2];",
        store + "b32 [%r1], %r3;",
        store + "v2.b32 [%r1], %r3, [%r2];",
        store + "b32 [%r1], {%r3, %r4}, [%r2];",
        store + "v8.b32 [%r1], %r3, [%r2];",
        store + "f16x2 [%r1], %r3, [%r2];",
        store + "v4.b64 [%r1], {%d1, %d2, %d3, %d4}, [%r2];",
        store + "b128 [%r1], %d1, [%r2];",
        store + "L2::cache_hint.b32 [%r1], %r3, [%r2];",
        std::string("st.async.weak.shared::cta.b32 [%r1], %r3, [%r2];"),
        std::string("st.async.release.gpu.global.b32 [%d1], %r3;"),
        std::string(
            "st.async.release.cluster.shared::cluster.mbarrier::complete_tx::bytes"
            ".b32 [%r1], %r3, [%r2];"),
        red + "add.s64 [%r1], %d1, [%r2];",
        red + "min.u64 [%r1], %d1, [%r2];",
        red + "and.b64 [%r1], %d1, [%r2];",
        red + "inc.s32 [%r1], %r3, [%r2];",
        red + "and.u32 [%r1], %r3, [%r2];",
        red + "add.f32 [%r1], %f1, [%r2];",
        red + "exch.b32 [%r1], %r3, [%r2];",
        red + "v2.add.u32 [%r1], {%r3, %r4}, [%r2];",
        std::string("red.async.shared::cluster.mbarrier::complete_tx::bytes.add.u32 "
                    "[%r1], %r3, [%r2];"),
        std::string("red.async.relaxed.cluster.shared::cluster.add.u32 [%r1], %r3, "
                    "[%r2];"),
        std::string("red.async.release.gpu.global.add.u32 [%d1], %r3;"),
        std::string("atom.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::"
                    "bytes.add.u32 %r4, [%r1], %r3;")}) {
    Harness h(90);
    EXPECT_NE(h.loadBody("u64 a", text, buffers), "") << text;
  }
  Harness old(80);
  EXPECT_NE(old.loadBody("u64 a", store + "b32 [%r1], %r3, [%r2];", buffers), "");
}
