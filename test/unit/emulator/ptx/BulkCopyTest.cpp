//===- BulkCopyTest.cpp - cp.async.bulk ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "emulators/common/Float.h"

#include <cmath>
#include <random>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

static std::vector<uint32_t> randomWords(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint32_t> words(count);
  for (uint32_t &word : words)
    word = random();
  return words;
}

static const char *buffers =
    ".shared .align 128 .b8 s[4096];\n.shared .align 16 .b64 bar[2];\n";

/// %p0: thread 0; %r0 thread, %r1 s, %r2 bar, %d0 a, %d1 out. The mbarrier expects one
/// arrival.
static const char *prologue = R"(
  ld.param.u64 %d0, [a];
  ld.param.u64 %d1, [out];
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, s;
  mov.u32 %r2, bar;
  setp.eq.u32 %p0, %r0, 0;
  @%p0 mbarrier.init.shared.b64 [%r2], 1;
  @%p0 fence.mbarrier_init.release.cluster;
  bar.sync 0;
)";
static const char *waitForCopy = R"(
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p1, [%r2], 0;
  @!%p1 bra WAIT;
)";
/// Stores the thread's word of s to out.
static const char *storeWord = R"(
  shl.b32 %r10, %r0, 2;
  add.u32 %r11, %r1, %r10;
  ld.shared.b32 %r12, [%r11];
  mul.wide.u32 %d10, %r0, 4;
  add.s64 %d11, %d1, %d10;
  st.global.b32 [%d11], %r12;
)";
/// Puts the thread's word of a in s.
static const char *loadWord = R"(
  shl.b32 %r10, %r0, 2;
  add.u32 %r11, %r1, %r10;
  mul.wide.u32 %d10, %r0, 4;
  add.s64 %d11, %d0, %d10;
  ld.global.b32 %r12, [%d11];
  st.shared.b32 [%r11], %r12;
)";

class BulkCopyTest : public testing::Test {
protected:
  /// Runs `text` on blocks of 256 threads with as many words in `a`.
  void run(const std::string &text, unsigned cluster = 1) {
    harness = std::make_unique<Harness>(90);
    harness->options.order.kind = order;
    ASSERT_EQ(harness->loadBody("u64 a, u64 out", prologue + text, buffers), "");
    input = randomWords(256, 7);
    uint64_t a = harness->put(input, "a");
    out = harness->empty<uint32_t>(256 * cluster);
    ASSERT_EQ(
        harness->arg(a).arg(out).launch({cluster, 1, 1}, {256, 1, 1}, 0, {cluster, 1, 1}),
        "");
  }
  std::vector<uint32_t> result(size_t count = 256) {
    return harness->get<uint32_t>(out, count);
  }
  void expectFault(Rule rule, const std::string &text, unsigned cluster = 1) {
    run(text, cluster);
    EXPECT_TRUE(harness->hasFault(rule)) << text << harness->faultText();
  }

  Order::Kind order = Order::Forward;
  std::unique_ptr<Harness> harness;
  std::vector<uint32_t> input;
  uint64_t out = 0;
};

static std::string loadBulk(const char *bytes = "1024", const char *expected = "1024") {
  return std::string("@%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], ") + expected +
         ";\n@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
         "[%r1], [%d0], " +
         bytes + ", [%r2];\n";
}

TEST_F(BulkCopyTest, Loads) {
  for (Order::Kind kind : {Order::Forward, Order::Reverse, Order::Shuffled}) {
    order = kind;
    run(loadBulk() + waitForCopy + storeWord);
    EXPECT_EQ(harness->faultText(), "");
    EXPECT_EQ(result(), input);
  }
  // .shared::cta, a cache hint, and in two parts.
  run(std::string(R"(
    @%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], 1024;
    mov.b64 %d20, 0;
    @%p0 cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes.L2::cache_hint [%r1 + 16], [%d0 + 16], 1008, [%r2], %d20;
    @%p0 cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [%r1], [%d0], 16, [%r2];
)") + waitForCopy +
      storeWord);
  EXPECT_EQ(harness->faultText(), "");
  EXPECT_EQ(result(), input);
}

TEST_F(BulkCopyTest, LoadFaults) {
  expectFault(Rule::InFlight, loadBulk() + storeWord);                 // no wait
  expectFault(Rule::Deadlock, loadBulk("1008", "1024") + waitForCopy); // too few
  run(loadBulk("1024", "1008") + waitForCopy + storeWord);             // too many
  EXPECT_FALSE(harness->faults.empty());
  expectFault(Rule::Misaligned, loadBulk("1000") + waitForCopy);
  expectFault(Rule::OutOfBounds, loadBulk("1040") + waitForCopy);
  expectFault(Rule::OutOfBounds, "add.u32 %r1, %r1, 4096;" + loadBulk() + waitForCopy);
  expectFault(Rule::Misaligned, "add.u32 %r1, %r1, 8;" + loadBulk("16") + waitForCopy);
  expectFault(Rule::Misaligned, "add.s64 %d0, %d0, 8;" + loadBulk("16") + waitForCopy);
  // Over a copy under way, and over the mbarrier itself.
  std::string copy = loadBulk("1024", "2048");
  expectFault(Rule::InFlight, copy + copy.substr(copy.find('\n')) + waitForCopy);
  expectFault(Rule::InFlight, "mov.u32 %r1, bar;" + loadBulk("16") + waitForCopy);
  // Generic writes before the copy: a fence and a barrier order them.
  expectFault(Rule::Race, loadWord + loadBulk() + waitForCopy + storeWord);
  expectFault(Rule::ProxyFence,
              std::string(loadWord) + "bar.sync 0;" + copy + waitForCopy);
  run(std::string(loadWord) + "fence.proxy.async; bar.sync 0;" + loadBulk() +
      waitForCopy + storeWord);
  EXPECT_EQ(harness->faultText(), "");
}

static const char *store = R"(
  @%p0 cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r1], 1024;
)";
static const char *fence = "fence.proxy.async.shared::cta; bar.sync 0;\n";

TEST_F(BulkCopyTest, Stores) {
  for (const char *end :
       {"cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;",
        "cp.async.bulk.commit_group; cp.async.bulk.wait_group.read 0;"}) {
    run(std::string(loadWord) + fence + store + end);
    EXPECT_EQ(harness->faultText(), "");
    EXPECT_EQ(result(), input);
  }
}

TEST_F(BulkCopyTest, StoreOfLoadedDataNeedsNoFence) {
  run(loadBulk() + waitForCopy + store +
      "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;");
  EXPECT_EQ(harness->faultText(), "");
  EXPECT_EQ(result(), input);
}

TEST_F(BulkCopyTest, StoreFaults) {
  const std::string words = loadWord, commit = "cp.async.bulk.commit_group;\n";
  const std::string read = "cp.async.bulk.wait_group.read 0;\n";
  expectFault(Rule::ProxyFence, words + "bar.sync 0;" + store + commit + read);
  expectFault(Rule::Race, words + "fence.proxy.async;" + store + commit + read);
  expectFault(Rule::InFlight, words + fence + store + commit);
  expectFault(Rule::InFlight, words + fence + store + read);
  // Another warp writes the source: it has to wait, and to be told.
  std::string again = "not.b32 %r12, %r12; st.shared.b32 [%r11], %r12;\n";
  expectFault(Rule::InFlight,
              words + fence + store + commit + "bar.sync 0;" + again + read);
  expectFault(Rule::Race, words + fence + store + commit + read + again);
  run(words + fence + store + commit + read + "bar.sync 0;" + again);
  EXPECT_EQ(harness->faultText(), "");
  EXPECT_EQ(result(), input);
}

TEST_F(BulkCopyTest, StoreIsNotThereBeforeItsWait) {
  // wait_group.read says nothing of the result; thread 0 looks at it.
  std::string look = R"(
    @%p0 ld.global.b32 %r20, [%d1];
    @%p0 st.global.b32 [%d1 + 1024], %r20;
)";
  std::string text =
      std::string(loadWord) + fence + store + "cp.async.bulk.commit_group;\n";
  for (bool full : {false, true}) {
    harness = std::make_unique<Harness>(90);
    ASSERT_EQ(harness->loadBody("u64 a, u64 out",
                                prologue + text +
                                    (full ? "cp.async.bulk.wait_group 0;"
                                          : "cp.async.bulk.wait_group.read 0;") +
                                    look,
                                buffers),
              "");
    uint64_t a = harness->put(randomWords(256, 3), "a");
    uint64_t result = harness->empty<uint32_t>(257);
    ASSERT_EQ(harness->arg(a).arg(result).launch({1, 1, 1}, {256, 1, 1}), "");
    EXPECT_EQ(harness->faults.empty(), full) << harness->faultText();
    EXPECT_EQ(harness->hasFault(Rule::InFlight), !full);
    EXPECT_EQ(harness->shadow(result + 1024, 1)[0] == Sound, full);
    EXPECT_EQ(harness->shadow(result, 1)[0], Sound);
  }
}

TEST_F(BulkCopyTest, PrefetchChecksItsRange) {
  run("cp.async.bulk.prefetch.L2.global [%d0], 1024;");
  EXPECT_EQ(harness->faultText(), "");
  expectFault(Rule::OutOfBounds, "cp.async.bulk.prefetch.L2.global [%d0 + 16], 1024;");
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

/// %r3: rank; %d1: out of the block. All blocks' barriers are ready.
static const char *clustered = R"(
  mov.u32 %r3, %cluster_ctarank;
  mul.wide.u32 %d5, %r3, 1024;
  add.s64 %d1, %d1, %d5;
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
)";
static const char *clusterEnd = R"(
  barrier.cluster.arrive.aligned;
  barrier.cluster.wait.aligned;
)";

TEST_F(BulkCopyTest, Multicast) {
  // Rank 2 sends to ranks 0, 1 and 3.
  std::string text = std::string(clustered) + R"(
    setp.ne.and.u32 %p2, %r3, 2, %p0;
    @%p2 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], 1024;
    setp.eq.and.u32 %p3, %r3, 2, %p0;
    mov.b16 %h0, MASK;
    @%p3 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%r1], [%d0], 1024, [%r2], %h0;
    setp.eq.u32 %p4, %r3, 2;
    @%p4 bra END;
)" + waitForCopy + storeWord +
                     "END:" + clusterEnd;
  auto with = [&](const char *mask) {
    std::string copy = text;
    copy.replace(copy.find("MASK"), 4, mask);
    return copy;
  };
  run(with("11"), 4);
  EXPECT_EQ(harness->faultText(), "");
  for (unsigned rank = 0; rank < 4; ++rank)
    for (unsigned i = 0; rank != 2 && i < 256; ++i)
      ASSERT_EQ(result(1024)[rank * 256 + i], input[i]);
  expectFault(Rule::OutOfBounds, with("16"), 4);
  expectFault(Rule::Deadlock, with("3"), 4);
}

TEST_F(BulkCopyTest, ToAnotherBlock) {
  // Each block of two sends its words, block 1 the inverted ones, to the other one.
  std::string fill = std::string(loadWord) + R"(
    setp.eq.u32 %p5, %r3, 1;
    @%p5 not.b32 %r12, %r12;
    @%p5 st.shared.b32 [%r11], %r12;
)" + fence;
  std::string send = R"(
    @%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], 1024;
    xor.b32 %r4, %r3, 1;
    mapa.shared::cluster.u32 %r5, %r1, %r4;
    mapa.shared::cluster.u32 %r6, %r2, %r4;
    @%p0 cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%r5 + 2048], [%r1], 1024, [%r6];
)";
  std::string receive = std::string(waitForCopy) + "add.u32 %r1, %r1, 2048;" + storeWord;
  run(clustered + fill + send + receive + clusterEnd, 2);
  EXPECT_EQ(harness->faultText(), "");
  for (unsigned i = 0; i < 512; ++i)
    ASSERT_EQ(result(512)[i], i < 256 ? ~input[i] : input[i - 256]);
  // The mbarrier has to be in the destination's block.
  std::string wrong = send;
  wrong.replace(wrong.find("[%r6]"), 5, "[%r2]");
  expectFault(Rule::OutOfBounds, clustered + fill + wrong + receive + clusterEnd, 2);
}

TEST_F(BulkCopyTest, ReducesInAnotherBlock) {
  // Rank 0 and rank 1 add their words to zeros of rank 0.
  std::string text = std::string(loadWord) + R"(
    mov.b32 %r13, 5;
    st.shared.b32 [%r11 + 2048], %r13;
)" + fence + clustered +
                     R"(
    mov.b32 %r4, 0;
    setp.eq.and.u32 %p2, %r3, 0, %p0;
    @%p2 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], 2048;
    mapa.shared::cluster.u32 %r5, %r1, %r4;
    mapa.shared::cluster.u32 %r6, %r2, %r4;
    @%p0 cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.add.u32 [%r5 + 2048], [%r1], 1024, [%r6];
    setp.eq.u32 %p4, %r3, 1;
    @%p4 bra END;
)" + waitForCopy + "add.u32 %r1, %r1, 2048;" +
                     storeWord + "END:" + clusterEnd;
  run(text, 2);
  EXPECT_EQ(harness->faultText(), "");
  for (unsigned i = 0; i < 256; ++i)
    ASSERT_EQ(result()[i], 2 * input[i] + 5);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Runs cp.reduce of 1024 bytes of `source` on those of `target`; what comes of it.
template <typename T>
static std::vector<T> reduce(const std::string &operation, const std::vector<T> &source,
                             const std::vector<T> &target) {
  Harness h(90);
  EXPECT_EQ(h.loadBody("u64 a, u64 out",
                       std::string(prologue) + loadWord + fence +
                           "@%p0 cp.reduce.async.bulk.global.shared::cta.bulk_group." +
                           operation +
                           " [%d1], [%r1], 1024;\n"
                           "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;",
                       buffers),
            "");
  uint64_t a = h.put(source, "a"), out = h.put(target, "out");
  EXPECT_EQ(h.arg(a).arg(out).launch({1, 1, 1}, {256, 1, 1}), "");
  EXPECT_EQ(h.faultText(), "");
  return h.get<T>(out, target.size());
}

template <typename T> static std::vector<T> randomValues(unsigned seed) {
  std::vector<T> values(1024 / sizeof(T));
  std::mt19937_64 random(seed);
  for (T &value : values)
    value = static_cast<T>(random());
  values[3] = 0;
  values[5] = static_cast<T>(~T(0));
  return values;
}

template <typename T, typename F> static void check(const char *operation, F expected) {
  std::vector<T> source = randomValues<T>(1), target = randomValues<T>(2);
  target[7] = source[7];
  std::vector<T> got = reduce(operation, source, target);
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], expected(target[i], source[i])) << operation << " " << i;
}

TEST(BulkReduceTest, Integers) {
  check<uint32_t>("add.u32", [](uint32_t a, uint32_t b) { return a + b; });
  check<int32_t>("add.s32",
                 [](int32_t a, int32_t b) { return int32_t(uint32_t(a) + b); });
  check<uint64_t>("add.u64", [](uint64_t a, uint64_t b) { return a + b; });
  check<int32_t>("min.s32", [](int32_t a, int32_t b) { return std::min(a, b); });
  check<uint32_t>("max.u32", [](uint32_t a, uint32_t b) { return std::max(a, b); });
  check<int64_t>("max.s64", [](int64_t a, int64_t b) { return std::max(a, b); });
  check<uint64_t>("min.u64", [](uint64_t a, uint64_t b) { return std::min(a, b); });
  check<uint32_t>("inc.u32", [](uint32_t a, uint32_t b) { return a >= b ? 0 : a + 1; });
  check<uint32_t>("dec.u32",
                  [](uint32_t a, uint32_t b) { return a == 0 || a > b ? b : a - 1; });
  check<uint32_t>("and.b32", [](uint32_t a, uint32_t b) { return a & b; });
  check<uint64_t>("or.b64", [](uint64_t a, uint64_t b) { return a | b; });
  check<uint64_t>("xor.b64", [](uint64_t a, uint64_t b) { return a ^ b; });
}

TEST(BulkReduceTest, Floats) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal(0, 3);
  std::vector<float> a(256), b(256);
  std::vector<double> c(128), d(128);
  for (unsigned i = 0; i < 256; ++i)
    a[i] = normal(random), b[i] = normal(random);
  for (unsigned i = 0; i < 128; ++i)
    c[i] = normal(random), d[i] = normal(random);
  std::vector<float> sums = reduce("add.f32", a, b);
  for (unsigned i = 0; i < 256; ++i)
    EXPECT_EQ(sums[i], a[i] + b[i]);
  std::vector<double> wide = reduce("add.f64", c, d);
  for (unsigned i = 0; i < 128; ++i)
    EXPECT_EQ(wide[i], c[i] + d[i]);
}

TEST(BulkReduceTest, Halves) {
  for (bool brain : {false, true}) {
    const Format &format = brain ? formats::bf16 : formats::f16;
    std::string type = brain ? ".bf16" : ".f16";
    std::vector<uint16_t> source = randomValues<uint16_t>(11);
    std::vector<uint16_t> target = randomValues<uint16_t>(12);
    for (const char *operation : {"add.noftz", "min", "max"}) {
      std::vector<uint16_t> got = reduce(operation + type, source, target);
      for (size_t i = 0; i < got.size(); ++i) {
        // Sums of two halves are exact in long double.
        double a = toDouble(format, target[i]), b = toDouble(format, source[i]);
        double value = toDouble(format, got[i]);
        if (operation[0] == 'm') {
          double expected = operation[1] == 'i' ? std::fmin(a, b) : std::fmax(a, b);
          EXPECT_TRUE(std::isnan(expected) ? std::isnan(value) : value == expected);
          continue;
        }
        long double sum = static_cast<long double>(a) + b;
        if (std::isnan(sum)) {
          EXPECT_TRUE(std::isnan(value));
          continue;
        }
        // No neighbour is nearer.
        for (int step : {-1, 1}) {
          double other = toDouble(format, static_cast<uint16_t>(got[i] + step));
          if (std::isfinite(value) && std::isfinite(other)) {
            EXPECT_LE(std::fabs(static_cast<double>(sum - value)),
                      std::fabs(static_cast<double>(sum - other)));
          }
        }
      }
    }
  }
}

TEST(BulkReduceTest, RefusedForms) {
  for (const char *text :
       {"cp.reduce.async.bulk.global.shared::cta.bulk_group.add.s64 [%d1], [%r1], 16;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f16 [%d1], [%r1], 16;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.min.f32 [%d1], [%r1], 16;",
        "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes"
        ".add.f32 [%r1], [%r2], 16, [%r3];",
        "cp.async.bulk.global.shared::cta [%d1], [%r1], 16;",
        "cp.async.bulk.shared::cta.global [%r1], [%d1], 16, [%r2];",
        "cp.async.bulk.global.shared::cta.bulk_group.cp_mask [%d1], [%r1], 16, %h0;",
        "cp.async.bulk.wait_group %r1;"}) {
    Harness h(90);
    EXPECT_NE(h.loadBody("u64 a", text, buffers), "") << text;
  }
}
