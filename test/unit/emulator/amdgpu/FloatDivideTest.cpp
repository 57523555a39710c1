//===- FloatDivideTest.cpp - Divisions as compilers write them ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The published sequences give the correctly rounded quotient for all operands, which
// holds only if each of their steps is as it should be.
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/FloatHarness.h"

#include <cmath>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
class EveryTarget : public testing::TestWithParam<const char *> {
protected:
  bool isRdna() const { return findTarget(GetParam())->isRdna(); }
  std::string vcc() const { return isRdna() ? "vcc_lo" : "vcc"; }
  std::string mask() const { return isRdna() ? "s0" : "s[0:1]"; }
};
INSTANTIATE_TEST_SUITE_P(FloatDivide, EveryTarget,
                         testing::Values("gfx90a", "gfx942", "gfx950", "gfx1100",
                                         "gfx1201"),
                         [](const auto &info) { return std::string(info.param); });
} // namespace

TEST_P(EveryTarget, QuotientsOfF32AreRoundedCorrectly) {
  std::string code = "v_div_scale_f32 v2, " + mask() + ", v1, v1, v0\n" +
                     "v_div_scale_f32 v3, " + vcc() + ", v0, v1, v0\n" +
                     "v_rcp_f32 v4, v2\n"
                     "v_fma_f32 v5, -v2, v4, 1.0\n"
                     "v_fma_f32 v4, v5, v4, v4\n"
                     "v_mul_f32 v5, v3, v4\n"
                     "v_fma_f32 v6, -v2, v5, v3\n"
                     "v_fma_f32 v5, v6, v4, v5\n"
                     "v_fma_f32 v2, -v2, v5, v3\n"
                     "v_div_fmas_f32 v2, v2, v4, v5\n"
                     "v_div_fixup_f32 v2, v2, v1, v0\n";
  Machine machine(GetParam(), code);
  for (unsigned round = 0; round < 300; ++round) {
    machine.wave().pc = 0;
    machine.wave().isDone = false;
    auto n = valuesF32(64, 2 * round + 1), d = valuesF32(64, 2 * round + 2);
    machine.set(0, [&](unsigned lane) { return n[lane]; });
    machine.set(1, [&](unsigned lane) { return d[lane]; });
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      volatile float x = bitCast<float>(n[lane]), y = bitCast<float>(d[lane]);
      float want = x / y;
      uint32_t got = machine.get(2, lane);
      if (std::isnan(want))
        EXPECT_TRUE(std::isnan(bitCast<float>(got))) << x << " / " << y;
      else
        EXPECT_EQ(got, bitCast<uint32_t>(want)) << std::hexfloat << x << " / " << y;
    }
  }
}

TEST_P(EveryTarget, QuotientsOfF64AreRoundedCorrectly) {
  std::string code = "v_div_scale_f64 v[4:5], " + mask() + ", v[2:3], v[2:3], v[0:1]\n" +
                     "v_div_scale_f64 v[6:7], " + vcc() + ", v[0:1], v[2:3], v[0:1]\n" +
                     "v_rcp_f64 v[8:9], v[4:5]\n"
                     "v_fma_f64 v[10:11], -v[4:5], v[8:9], 1.0\n"
                     "v_fma_f64 v[8:9], v[8:9], v[10:11], v[8:9]\n"
                     "v_fma_f64 v[10:11], -v[4:5], v[8:9], 1.0\n"
                     "v_fma_f64 v[8:9], v[8:9], v[10:11], v[8:9]\n"
                     "v_mul_f64 v[10:11], v[6:7], v[8:9]\n"
                     "v_fma_f64 v[4:5], -v[4:5], v[10:11], v[6:7]\n"
                     "v_div_fmas_f64 v[4:5], v[4:5], v[8:9], v[10:11]\n"
                     "v_div_fixup_f64 v[4:5], v[4:5], v[2:3], v[0:1]\n";
  Machine machine(GetParam(), code);
  for (unsigned round = 0; round < 300; ++round) {
    machine.wave().pc = 0;
    machine.wave().isDone = false;
    auto n = valuesF64(64, 2 * round + 1), d = valuesF64(64, 2 * round + 2);
    for (unsigned part = 0; part < 2; ++part) {
      machine.set(uint16_t(part),
                  [&](unsigned lane) { return uint32_t(n[lane] >> (32 * part)); });
      machine.set(uint16_t(2 + part),
                  [&](unsigned lane) { return uint32_t(d[lane] >> (32 * part)); });
    }
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      volatile double x = bitCast<double>(n[lane]), y = bitCast<double>(d[lane]);
      double want = x / y;
      uint64_t got = machine.get(4, lane) | uint64_t(machine.get(5, lane)) << 32;
      if (std::isnan(want))
        EXPECT_TRUE(std::isnan(bitCast<double>(got))) << x << " / " << y;
      else
        EXPECT_EQ(got, bitCast<uint64_t>(want)) << std::hexfloat << x << " / " << y;
    }
  }
}

TEST_P(EveryTarget, UndefinedOperandsMakeTheirLanesUndefined) {
  Machine machine(GetParam(), "v_div_scale_f32 v2, " + vcc() +
                                  ", v0, v1, v0\nv_div_fmas_f32 v3, v1, v1, v1\n");
  machine.set(0, bitCast<uint32_t>(1.0f));
  machine.set(1, bitCast<uint32_t>(2.0f));
  machine.poison(0, 4, 1);
  machine.runClean();
  EXPECT_EQ(machine.getScalarPoison(Vcc), 16u);
  EXPECT_EQ(machine.getPoison(2, 4), 0xf);
  EXPECT_EQ(machine.getPoison(3, 4), 0xf);
  EXPECT_EQ(machine.getPoison(3, 3), 0);
}

TEST_P(EveryTarget, ScalesAndParts) {
  Machine machine(GetParam(), "v_ldexp_f32 v2, v0, v1\n"
                              "v_frexp_exp_i32_f32 v3, v0\n"
                              "v_frexp_mant_f32 v4, v0\n");
  for (unsigned round = 0; round < 30; ++round) {
    machine.wave().pc = 0;
    machine.wave().isDone = false;
    auto values = valuesF32(64, round + 1);
    std::mt19937 random(round);
    std::vector<int> powers(64);
    for (int &power : powers)
      power = int(random() % 600) - 300;
    machine.set(0, [&](unsigned lane) { return values[lane]; });
    machine.set(1, [&](unsigned lane) { return uint32_t(powers[lane]); });
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      float value = bitCast<float>(values[lane]);
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(bitCast<float>(machine.get(2, lane))));
        EXPECT_EQ(machine.get(3, lane), 0u);
        continue;
      }
      EXPECT_EQ(bitCast<float>(machine.get(2, lane)), std::ldexp(value, powers[lane]));
      int exponent = 0;
      float mantissa = std::frexp(value, &exponent);
      EXPECT_EQ(machine.get(3, lane), std::isinf(value) ? 0u : uint32_t(exponent));
      EXPECT_EQ(bitCast<float>(machine.get(4, lane)), mantissa);
    }
  }
}

TEST_P(EveryTarget, ScalesOfF64AndF16) {
  std::string low = isRdna() ? ".l" : "";
  Machine machine(GetParam(), "v_ldexp_f64 v[4:5], v[0:1], v2\nv_ldexp_f16 v6" + low +
                                  ", v3" + low + ", v2" + low +
                                  "\nv_frexp_exp_i32_f64 v7, v[0:1]\n"
                                  "v_frexp_exp_i16_f16 v8" +
                                  low + ", v3" + low);
  machine.set(6, 0);
  machine.set(8, 0);
  for (unsigned round = 0; round < 30; ++round) {
    machine.wave().pc = 0;
    machine.wave().isDone = false;
    auto wide = valuesF64(64, round + 1);
    auto half = valuesF16(64, round + 1);
    std::mt19937 random(round);
    std::vector<int> powers(64);
    for (int &power : powers)
      power = round % 2 ? int(random() % 4200) - 2100 : int(random() % 60) - 30;
    machine.set(0, [&](unsigned lane) { return uint32_t(wide[lane]); });
    machine.set(1, [&](unsigned lane) { return uint32_t(wide[lane] >> 32); });
    machine.set(2, [&](unsigned lane) { return uint32_t(powers[lane]); });
    machine.set(3, [&](unsigned lane) { return half[lane]; });
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      double value = bitCast<double>(wide[lane]), want = std::ldexp(value, powers[lane]);
      uint64_t got = machine.get(4, lane) | uint64_t(machine.get(5, lane)) << 32;
      int exponent = 0;
      if (!std::isnan(value)) {
        EXPECT_EQ(got, bitCast<uint64_t>(want)) << value << " " << powers[lane];
        std::frexp(value, &exponent);
        EXPECT_EQ(machine.get(7, lane), std::isinf(value) ? 0u : uint32_t(exponent));
      }
      double small = toDouble(formats::f16, half[lane]);
      if (std::isnan(small))
        continue;
      EXPECT_EQ(machine.get(6, lane),
                fromDouble(formats::f16, std::ldexp(small, powers[lane]),
                           Rounding::NearestEven));
      std::frexp(small, &exponent);
      EXPECT_EQ(machine.get(8, lane), std::isinf(small) ? 0u : uint16_t(exponent));
    }
  }
}
