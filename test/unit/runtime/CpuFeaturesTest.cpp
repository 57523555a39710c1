//===- CpuFeaturesTest.cpp - The extensions that this machine has ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/CpuTarget.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

using namespace tilewright;

static bool has(const char *feature) {
  size_t length = 0;
  return !findMissingCpuFeature(feature, &length);
}

#if defined(__x86_64__)
// GCC's own answers, which it gets in another way.
TEST(CpuFeatures, AgreeWithTheCompilers) {
#define EXPECT_SAME(NAME) EXPECT_EQ(has(NAME), __builtin_cpu_supports(NAME) != 0) << NAME
  EXPECT_SAME("avx2");
  EXPECT_SAME("fma");
  EXPECT_SAME("f16c");
  EXPECT_SAME("bmi");
  EXPECT_SAME("bmi2");
  EXPECT_SAME("lzcnt");
  EXPECT_SAME("movbe");
  EXPECT_SAME("popcnt");
  EXPECT_SAME("gfni");
  EXPECT_SAME("avxvnni");
  EXPECT_SAME("avx512f");
  EXPECT_SAME("avx512bw");
  EXPECT_SAME("avx512cd");
  EXPECT_SAME("avx512dq");
  EXPECT_SAME("avx512vl");
  EXPECT_SAME("avx512ifma");
  EXPECT_SAME("avx512vbmi");
  EXPECT_SAME("avx512vbmi2");
  EXPECT_SAME("avx512bitalg");
  EXPECT_SAME("avx512vnni");
  EXPECT_SAME("avx512vpopcntdq");
  EXPECT_SAME("avx512bf16");
  EXPECT_SAME("avx512fp16");
#undef EXPECT_SAME
}
#endif

TEST(CpuFeatures, TheFirstMissingOneIsNamed) {
  size_t length = 0;
  const char *missing = findMissingCpuFeature("no-such-thing,avx2", &length);
  ASSERT_NE(missing, nullptr);
  EXPECT_EQ(std::string(missing, length), "no-such-thing");
  EXPECT_EQ(findMissingCpuFeature("", &length), nullptr);
  EXPECT_EQ(findMissingCpuFeature(nullptr, &length), nullptr);
}
