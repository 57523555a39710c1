//===- ScalarTest.cpp - Conversions of scalar arguments ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Scalar.h"

#include "tilewright/abi.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace tilewright;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr uint64_t refused = ~uint64_t(0);

/// The word, or `refused`.
uint64_t fromDouble(int64_t dtype, double value) {
  uint64_t bits, word = 0;
  memcpy(&bits, &value, sizeof(bits));
  return convertScalar(dtype, TW_F64, bits, word) == ScalarResult::Converted ? word
                                                                             : refused;
}

uint64_t fromInteger(int64_t dtype, int64_t value) {
  uint64_t word = 0;
  return convertScalar(dtype, TW_I64, value, word) == ScalarResult::Converted ? word
                                                                              : refused;
}

TEST(Scalar, Float32IsTheHardwaresConversion) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    uint64_t bits = random();
    // Half of them in float32's range, down to its denormals.
    if (i & 1)
      bits = (bits & 0x800fffffffffffff) | (1023 - 152 + random() % 280) << 52;
    double value;
    memcpy(&value, &bits, sizeof(value));
    auto expected = static_cast<float>(value);
    uint32_t expectedBits;
    memcpy(&expectedBits, &expected, sizeof(expectedBits));
    if (std::isnan(value))
      EXPECT_EQ(fromDouble(TW_F32, value) & 0x7fc00000, 0x7fc00000u);
    else if (std::isinf(expected) && !std::isinf(value))
      EXPECT_EQ(fromDouble(TW_F32, value), refused);
    else
      ASSERT_EQ(fromDouble(TW_F32, value), expectedBits) << value;
  }
}

TEST(Scalar, Float16) {
  EXPECT_EQ(fromDouble(TW_F16, 1.0), 0x3c00u);
  EXPECT_EQ(fromDouble(TW_F16, -0.0), 0x8000u);
  EXPECT_EQ(fromDouble(TW_F16, 65504), 0x7bffu);
  EXPECT_EQ(fromDouble(TW_F16, 65519.99), 0x7bffu);
  EXPECT_EQ(fromDouble(TW_F16, 65520), refused);
  EXPECT_EQ(fromDouble(TW_F16, infinity), 0x7c00u);
  EXPECT_EQ(fromDouble(TW_F16, -infinity), 0xfc00u);
  EXPECT_EQ(fromDouble(TW_F16, nan), 0x7e00u);
  EXPECT_EQ(fromDouble(TW_F16, 0x1p-24), 1u) << "the least denormal";
  EXPECT_EQ(fromDouble(TW_F16, 0x1p-25), 0u) << "a tie goes to even";
  EXPECT_EQ(fromDouble(TW_F16, 0x1.8p-24), 2u) << "a tie goes to even";
  EXPECT_EQ(fromDouble(TW_F16, 0x1.ffcp-15), 0x400u) << "rounds up to a normal number";
}

TEST(Scalar, Bfloat16) {
  EXPECT_EQ(fromDouble(TW_BF16, 1.0), 0x3f80u);
  EXPECT_EQ(fromDouble(TW_BF16, 1.0 + 0x1p-8), 0x3f80u) << "a tie goes to even";
  EXPECT_EQ(fromDouble(TW_BF16, 1.0 + 0x1.8p-7), 0x3f82u) << "a tie goes to even";
  EXPECT_EQ(fromDouble(TW_BF16, 3.4e38), refused);
  EXPECT_EQ(fromDouble(TW_BF16, nan), 0x7fc0u);
}

TEST(Scalar, FormatsWithoutNegativeZero) {
  EXPECT_EQ(fromDouble(TW_F8E4M3FNUZ, 240), 0x7fu);
  EXPECT_EQ(fromDouble(TW_F8E4M3FNUZ, 247.9), 0x7fu);
  EXPECT_EQ(fromDouble(TW_F8E4M3FNUZ, 248.1), refused);
  EXPECT_EQ(fromDouble(TW_F8E4M3FNUZ, nan), 0x80u);
  EXPECT_EQ(fromDouble(TW_F8E4M3FNUZ, -0.0), 0u);
  EXPECT_EQ(fromDouble(TW_F8E4M3FNUZ, -0x1p-12), 0u);
  EXPECT_EQ(fromDouble(TW_F8E4M3FNUZ, -0x1p-10), 0x81u);
  EXPECT_EQ(fromDouble(TW_F8E5M2FNUZ, -57344), 0xffu);
  EXPECT_EQ(fromDouble(TW_F8E5M2FNUZ, infinity), refused);
  EXPECT_EQ(fromDouble(TW_F8E4M3B11FNUZ, 30), 0x7fu);
  EXPECT_EQ(fromDouble(TW_F8E4M3B11FNUZ, 0x1p-13), 1u);
}

TEST(Scalar, Float4) {
  EXPECT_EQ(fromDouble(TW_F4E2M1FN, 6), 7u);
  EXPECT_EQ(fromDouble(TW_F4E2M1FN, -6.9), 15u);
  EXPECT_EQ(fromDouble(TW_F4E2M1FN, 7.1), refused);
  EXPECT_EQ(fromDouble(TW_F4E2M1FN, 0.25), 0u);
  EXPECT_EQ(fromDouble(TW_F4E2M1FN, -0.26), 9u);
  EXPECT_EQ(fromDouble(TW_F4E2M1FN, nan), refused);
}

TEST(Scalar, PowersOfTwo) {
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 1), 127u);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 1.499), 127u);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 1.5), 128u);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 0x1p-127), 0u);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 0x1p127), 254u);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 0x1.8p127), refused);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 0x1p-130), refused);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, 0), refused);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, -2), refused);
  EXPECT_EQ(fromDouble(TW_F8E8M0FNU, nan), 0xffu);
}

TEST(Scalar, Float8) {
  EXPECT_EQ(fromDouble(TW_F8E4M3FN, 448), 0x7eu);
  EXPECT_EQ(fromDouble(TW_F8E4M3FN, 463.9), 0x7eu);
  EXPECT_EQ(fromDouble(TW_F8E4M3FN, 464.1), refused);
  EXPECT_EQ(fromDouble(TW_F8E4M3FN, infinity), refused) << "the format has none";
  EXPECT_EQ(fromDouble(TW_F8E4M3FN, nan), 0x7fu);
  EXPECT_EQ(fromDouble(TW_F8E4M3FN, 0x1p-9), 1u);
  EXPECT_EQ(fromDouble(TW_F8E5M2, 57344), 0x7bu);
  EXPECT_EQ(fromDouble(TW_F8E5M2, infinity), 0x7cu);
}

TEST(Scalar, IntegersMustFit) {
  EXPECT_EQ(fromInteger(TW_I8, 127), 127u);
  EXPECT_EQ(fromInteger(TW_I8, 128), refused);
  EXPECT_EQ(fromInteger(TW_I8, -128), uint64_t(-128));
  EXPECT_EQ(fromInteger(TW_I8, -129), refused);
  EXPECT_EQ(fromInteger(TW_U8, 255), 255u);
  EXPECT_EQ(fromInteger(TW_U8, 256), refused);
  EXPECT_EQ(fromInteger(TW_U8, -1), refused);
  EXPECT_EQ(fromInteger(TW_I64, INT64_MIN), uint64_t(1) << 63);
  EXPECT_EQ(fromInteger(TW_U64, -1), refused);
  EXPECT_EQ(fromInteger(TW_BOOL, 1), 1u);
  EXPECT_EQ(fromInteger(TW_BOOL, 2), refused);
  uint64_t word;
  EXPECT_EQ(convertScalar(TW_I64, TW_U64, uint64_t(1) << 63, word),
            ScalarResult::OutOfRange);
  EXPECT_EQ(convertScalar(TW_I32, TW_F64, 0, word), ScalarResult::NotAnInteger);
}

TEST(Scalar, IntegersForFloatParameters) {
  EXPECT_EQ(fromInteger(TW_F32, -2), 0xc0000000u);
  EXPECT_EQ(fromInteger(TW_F16, 70000), refused);
  EXPECT_EQ(fromInteger(TW_F64, 1), 0x3ff0000000000000u);
}

} // namespace
