//===- MmaValuesTest.cpp - Special values, rounding, undefined data in MMAs ---===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixLayouts.h"
#include "emulators/ptx/MatrixMath.h"

#include "MatrixHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

/// One mma.m16n8k16.f16 with f32 accumulators. Words of a lane: 4 of A, 2 of B, 4 of C.
struct Product {
  std::vector<uint32_t> words = std::vector<uint32_t>(10 * 32);
  std::string before; ///< text between the loads and the product
  unsigned threads = 32;
  Harness harness{80};
  std::vector<uint32_t> result;
  std::vector<uint8_t> shadow;

  void run(const std::string &type = "f16") {
    std::string body = R"(
ld.param.u64 %d0, [a];
ld.param.u64 %d1, [o];
mov.u32 %r0, %tid.x;
mul.wide.u32 %d2, %r0, 4;
add.s64 %d0, %d0, %d2;
add.s64 %d1, %d1, %d2;
)";
    for (unsigned i = 0; i < 10; ++i)
      body += "ld.global.b32 %r" + std::to_string(10 + i) + ", [%d0+" +
              std::to_string(i * 128) + "];\n";
    body += before + "mma.sync.aligned.m16n8k16.row.col.f32." + type + "." + type +
            ".f32 {%r20,%r21,%r22,%r23}, {%r10,%r11,%r12,%r13}, {%r14,%r15}, "
            "{%r16,%r17,%r18,%r19};\n";
    for (unsigned i = 0; i < 4; ++i)
      body += "st.global.b32 [%d1+" + std::to_string(i * 128) + "], %r" +
              std::to_string(20 + i) + ";\n";
    ASSERT_EQ(harness.loadBody("u64 a, u64 o", body), "");
    uint64_t out = harness.empty<uint32_t>(4 * 32);
    harness.arg(harness.put(words)).arg(out);
    ASSERT_EQ(harness.launch({1, 1, 1}, {threads, 1, 1}), "");
    result = harness.get<uint32_t>(out, 4 * 32);
    shadow = harness.shadow(out, 4 * 32 * 4);
  }
};

unsigned rowOf(unsigned lane, unsigned i) { return lane / 4 + i / 2 * 8; }
unsigned columnOf(unsigned lane, unsigned i) { return lane % 4 * 2 + i % 2; }

} // namespace

TEST(MmaValues, UnpackEveryHalf) {
  std::vector<uint16_t> raw(65536);
  for (unsigned i = 0; i < 65536; ++i)
    raw[i] = static_cast<uint16_t>(i);
  std::vector<float> values(65536);
  for (auto [type, exponent] : {std::pair{Type::F16, 5}, std::pair{Type::BF16, 8}}) {
    unpack(type, raw.data(), raw.size(), values.data());
    int mantissa = 15 - exponent;
    for (unsigned i = 0; i < 65536; ++i) {
      unsigned top = i >> mantissa & ((1u << exponent) - 1);
      if (top == (1u << exponent) - 1) {
        bool isNan = i & ((1u << mantissa) - 1);
        ASSERT_EQ(std::isnan(values[i]), isNan) << i;
        ASSERT_EQ(std::isinf(values[i]), !isNan) << i;
        if (!isNan) {
          ASSERT_EQ(std::signbit(values[i]), i >> 15) << i;
        }
        continue;
      }
      ASSERT_EQ(values[i], static_cast<float>(decodeFloat(i, exponent, mantissa))) << i;
      ASSERT_EQ(std::signbit(values[i]), i >> 15) << i;
    }
    std::vector<float> low(8), high(8);
    for (unsigned i = 0; i < 65536 - 16; i += 1021) {
      uint32_t pairs[8];
      for (unsigned j = 0; j < 8; ++j)
        pairs[j] = raw[i + 2 * j] | uint32_t(raw[i + 2 * j + 1]) << 16;
      unpackPairs(type, pairs, low.data(), high.data());
      for (unsigned j = 0; j < 8; ++j) {
        ASSERT_EQ(memcmp(&low[j], &values[i + 2 * j], 4), 0);
        ASSERT_EQ(memcmp(&high[j], &values[i + 2 * j + 1], 4), 0);
      }
    }
  }
  // A number that is no multiple of the vectors'.
  std::vector<float> few(5, -1);
  unpack(Type::F16, &raw[0x3c00], 4, few.data());
  EXPECT_EQ(few[3], 1 + 3.0f / 1024);
  EXPECT_EQ(few[4], -1);
}

// Values of all sizes: each product rounds to f32 at most once for each of 16 sums.
TEST(MmaValues, RandomHalvesWithinTheBound) {
  Product run;
  for (unsigned i = 0; i < 6 * 32; ++i) {
    auto half = [] {
      uint64_t bits = randomBits()();
      return static_cast<uint32_t>((bits & 0x83ff) | (bits >> 20) % 20 << 10);
    };
    run.words[i] = half() | half() << 16;
  }
  for (unsigned i = 6 * 32; i < 10 * 32; ++i) {
    float value = static_cast<float>(static_cast<int>(randomBits()() % 2001) - 1000) / 77;
    memcpy(&run.words[i], &value, 4);
  }
  run.run();
  ASSERT_TRUE(run.harness.faults.empty()) << run.harness.faultText();
  auto half = [&](unsigned reg, unsigned lane, unsigned e) {
    return decodeFloat(run.words[reg * 32 + lane] >> (16 * e) & 0xffff, 5, 10);
  };
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = rowOf(lane, i), column = columnOf(lane, i);
      double sum = valueOf("f32", run.words[(6 + i) * 32 + lane]), size = std::fabs(sum);
      for (unsigned k = 0; k < 16; ++k) {
        double a = half(row / 8 + k / 8 * 2, row % 8 * 4 + k % 8 / 2, k % 2);
        double b = half(4 + k / 8, column * 4 + k % 8 / 2, k % 2);
        sum += a * b;
        size += std::fabs(a * b);
      }
      EXPECT_NEAR(valueOf("f32", run.result[i * 32 + lane]), sum, size * 17 * 0x1p-24);
    }
}

TEST(MmaValues, InfinityAndNan) {
  Product run;
  // A(2, 4) is infinite, A(5, 9) a NaN, B all ones but B(4, 3), which is zero.
  for (unsigned lane = 0; lane < 32; ++lane)
    run.words[4 * 32 + lane] = run.words[5 * 32 + lane] = 0x3c003c00;
  run.words[0 * 32 + 2 * 4 + 2] = 0x7c00;
  run.words[2 * 32 + 5 * 4 + 0] = 0x7e01u << 16;
  run.words[4 * 32 + 3 * 4 + 2] = 0x3c000000;
  run.run();
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = rowOf(lane, i), column = columnOf(lane, i);
      uint32_t expected = row == 5                  ? 0x7fffffff
                          : row == 2 && column == 3 ? 0x7fffffff
                          : row == 2                ? 0x7f800000
                                                    : 0;
      EXPECT_EQ(run.result[i * 32 + lane], expected) << row << ", " << column;
    }
}

TEST(MmaValues, UndefinedElements) {
  // The upper half of A's register 3 of lane 9: A(10, 11). All of B's register 0 of lane
  // 21: column 5. C's register 1 of lane 30: C(7, 5).
  Product run;
  run.before = R"(
.reg .b16 %low, %undefined;
.reg .b32 %nothing;
setp.eq.u32 %p1, %r0, 9;
@%p1 mov.b32 {%low, _}, %r13;
@%p1 mov.b32 %r13, {%low, %undefined};
setp.eq.u32 %p1, %r0, 21;
@%p1 mov.b32 %r14, %nothing;
setp.eq.u32 %p1, %r0, 30;
@%p1 mov.b32 %r17, %nothing;
)";
  run.run();
  ASSERT_TRUE(run.harness.faults.empty()) << run.harness.faultText();
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = rowOf(lane, i), column = columnOf(lane, i);
      bool undefined = row == 10 || column == 5 || (row == 7 && column == 5);
      for (unsigned byte = 0; byte < 4; ++byte)
        EXPECT_EQ(run.shadow[(i * 32 + lane) * 4 + byte] != 0, undefined)
            << row << ", " << column;
    }
}

TEST(MmaValues, Convergence) {
  Product some;
  some.threads = 31;
  some.run();
  EXPECT_TRUE(some.harness.hasFault(Rule::Convergence)) << some.harness.faultText();
  Product guarded;
  guarded.before = "setp.ne.u32 %p1, %r0, 4;\n@%p1 ";
  guarded.run();
  EXPECT_TRUE(guarded.harness.hasFault(Rule::Convergence)) << guarded.harness.faultText();
  Product gone;
  gone.before = "setp.eq.u32 %p1, %r0, 4;\n@%p1 exit;\n";
  gone.run();
  EXPECT_TRUE(gone.harness.hasFault(Rule::Convergence)) << gone.harness.faultText();
}

TEST(MmaValues, Refuses) {
  for (const char *text :
       {"mma.sync.aligned.m8n8k4.row.col.f32.f16.f16.f32 "
        "{%f0,%f1,%f2,%f3,%f4,%f5,%f6,%f7},"
        " {%r0,%r1}, {%r2,%r3}, {%f0,%f1,%f2,%f3,%f4,%f5,%f6,%f7};",
        "mma.sp.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, "
        "{%r0,%r1}, {%r2,%r3}, {%f0,%f1,%f2,%f3}, %r4, 0;",
        "mma.sync.aligned.m16n8k16.row.col.f16.bf16.bf16.f16 {%r8,%r9}, "
        "{%r0,%r1,%r2,%r3},"
        " {%r4,%r5}, {%r6,%r7};",
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.bf16.f32 {%f0,%f1,%f2,%f3}, "
        "{%r0,%r1,%r2,%r3}, {%r4,%r5}, {%f0,%f1,%f2,%f3};",
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, "
        "{%r0,%r1,%r2}, {%r4,%r5}, {%f0,%f1,%f2,%f3};",
        "mma.sync.aligned.m16n8k32.row.col.satfinite.f32.e4m3.e4m3.f32 "
        "{%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, {%r4,%r5}, {%f0,%f1,%f2,%f3};"}) {
    Harness harness;
    EXPECT_NE(harness.loadBody("u64 a", text), "") << text;
  }
  Harness old(80);
  EXPECT_NE(old.loadBody("u64 a", "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 "
                                  "{%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, {%r4,%r5}, "
                                  "{%f0,%f1,%f2,%f3};"),
            "");
}
