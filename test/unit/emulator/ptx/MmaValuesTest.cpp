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
    // Eight rows of eight, as they are and transposed.
    constexpr unsigned edge = 8, stride = 13;
    std::vector<float> rows(edge * stride), columns(edge * stride);
    for (unsigned first = 0; first < 65536; first += edge * edge) {
      const uint8_t *at[edge];
      for (unsigned i = 0; i < edge; ++i)
        at[i] = reinterpret_cast<const uint8_t *>(&raw[first + i * edge]);
      unpackRows(type, at, edge, rows.data(), stride);
      unpackColumns(type, at, columns.data(), stride);
      for (unsigned i = 0; i < edge * edge; ++i) {
        unsigned row = i / edge, column = i % edge;
        const float *value = &values[first + i];
        ASSERT_EQ(memcmp(&rows[row * stride + column], value, 4), 0);
        ASSERT_EQ(memcmp(&columns[column * stride + row], value, 4), 0);
      }
    }
  }
  // A number that is no multiple of the vectors'.
  std::vector<float> few(5, -1);
  unpack(Type::F16, &raw[0x3c00], 4, few.data());
  EXPECT_EQ(few[3], 1 + 3.0f / 1024);
  EXPECT_EQ(few[4], -1);
}

// Fragments as rows of floats are what they are element by element.
TEST(MmaValues, RowsAsElements) {
  constexpr unsigned registers = 128;
  std::vector<uint64_t> values(registers * 32);
  for (uint64_t &value : values)
    value = randomBits()(); // the upper halves are no part of the registers
  std::vector<uint8_t> poison(registers * 32, 0xff);
  RegisterFile file(values.data(), poison.data());
  std::vector<uint32_t> numbers(registers);
  for (unsigned i = 0; i < registers; ++i)
    numbers[i] = i * 37 % registers;
  for (Type type : {Type::F16, Type::BF16})
    for (auto [outer, inner] : {std::pair{16u, 16u}, std::pair{16u, 8u}, {8u, 16u}}) {
      Fragment fragment = makeMultiplicand(type, outer, inner);
      std::vector<uint16_t> raw(outer * inner);
      std::vector<float> expected(outer * inner), rows(outer * inner, -1);
      gather(file, numbers.data(), fragment, raw.data(), {inner, 1});
      unpack(type, raw.data(), raw.size(), expected.data());
      gatherHalfRows(file, numbers.data(), fragment, type, rows.data(), inner);
      ASSERT_EQ(memcmp(rows.data(), expected.data(), rows.size() * 4), 0);
      if (outer != 8)
        continue;
      gather(file, numbers.data(), fragment, raw.data(), {1, outer});
      unpack(type, raw.data(), raw.size(), expected.data());
      gatherHalfColumns(file, numbers.data(), fragment, type, rows.data());
      ASSERT_EQ(memcmp(rows.data(), expected.data(), rows.size() * 4), 0);
    }
  for (unsigned columns : {8u, 16u, 256u}) {
    Fragment fragment = makeAccumulator(Type::F32, 16, columns);
    std::vector<uint32_t> expected(16 * columns);
    std::vector<float> rows(16 * columns, -1);
    gather(file, numbers.data(), fragment, expected.data(), {columns, 1});
    gatherFloatRows(file, numbers.data(), fragment, rows.data(), columns);
    ASSERT_EQ(memcmp(rows.data(), expected.data(), rows.size() * 4), 0);

    // NaNs of both signs, infinities, and a sink.
    const uint32_t special[] = {0x7f800001, 0xffffffff, 0xff800000, 0x7f800000, 1};
    memcpy(rows.data(), special, sizeof(special));
    std::vector<uint32_t> to = numbers;
    to[1] = noRegister;
    std::vector<uint64_t> plainValues = values, fastValues = values;
    std::vector<uint8_t> plainPoison = poison, fastPoison = poison;
    pack(rows.data(), rows.size(), expected.data());
    scatter(RegisterFile(plainValues.data(), plainPoison.data()), to.data(), fragment,
            expected.data(), {columns, 1});
    scatterFloatRows(RegisterFile(fastValues.data(), fastPoison.data()), to.data(),
                     fragment, rows.data(), columns);
    EXPECT_EQ(fastValues, plainValues);
    EXPECT_EQ(fastPoison, plainPoison);
  }
}

// Where products are exact, adding them in one rounding or in two is the same.
TEST(MmaValues, FusedSumsOfExactProducts) {
  const MatrixSize size{16, 24, 16};
  std::vector<uint16_t> halves(size.k * (size.m + size.n));
  std::vector<float> values(halves.size()), fused(size.m * size.n), plain(fused.size());
  ASSERT_TRUE(hasExactProducts(Type::F16));
  ASSERT_FALSE(hasExactProducts(Type::BF16) || hasExactProducts(Type::TF32));
  for (unsigned round = 0; round < 200; ++round) {
    for (uint16_t &half : halves) {
      half = static_cast<uint16_t>(randomBits()());
      if ((half & 0x7c00) == 0x7c00)
        half &= 0x83ff; // subnormal
    }
    unpack(Type::F16, halves.data(), halves.size(), values.data());
    for (size_t i = 0; i < fused.size(); ++i)
      fused[i] = plain[i] = static_cast<float>(static_cast<int32_t>(randomBits()()));
    const float *a = values.data(), *b = a + size.m * size.k;
    multiplyAdd(size, a, b, fused.data(), /*isExact=*/true);
    for (unsigned m = 0; m < size.m; ++m)
      for (unsigned n = 0; n < size.n; ++n)
        for (unsigned k = 0; k < size.k; ++k) {
          volatile float product = a[m * size.k + k] * b[k * size.n + n];
          plain[m * size.n + n] += product;
        }
    ASSERT_EQ(memcmp(fused.data(), plain.data(), plain.size() * 4), 0);
  }
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
       {// The result may not be narrower than what it is added to.
        "mma.sync.aligned.m8n8k4.row.col.f16.f16.f16.f32 {%r4,%r5,%r6,%r7},"
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
