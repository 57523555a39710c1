//===- FloatConvertTest.cpp - Conversions, packed, mixed, dot products --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/FloatHarness.h"

#include <cmath>
#include <limits>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
class EveryTarget : public testing::TestWithParam<const char *> {
protected:
  const Target &target() const { return *findTarget(GetParam()); }
  bool isRdna() const { return target().isRdna(); }
  bool isModern() const { return target().generation >= 12; }
  std::string low(const char *reg) const {
    return isRdna() ? std::string(reg) + ".l" : reg;
  }
};
INSTANTIATE_TEST_SUITE_P(FloatConvert, EveryTarget,
                         testing::Values("gfx90a", "gfx942", "gfx950", "gfx1100",
                                         "gfx1201"),
                         [](const auto &info) { return std::string(info.param); });

/// A machine whose code runs again and again.
void runAgain(Machine &machine) {
  machine.wave().pc = 0;
  machine.wave().isDone = false;
  machine.runClean();
}

template <typename Integer> Integer clamped(double value) {
  if (std::isnan(value))
    return 0;
  value = std::trunc(value);
  if (value <= double(std::numeric_limits<Integer>::min()))
    return std::numeric_limits<Integer>::min();
  if (value >= double(std::numeric_limits<Integer>::max()))
    return std::numeric_limits<Integer>::max();
  return Integer(value);
}

uint32_t nearest(const Format &format, double value, bool saturate = false) {
  return uint32_t(fromDouble(format, value, Rounding::NearestEven, saturate));
}
} // namespace

TEST_P(EveryTarget, EveryF16BecomesF32AndBack) {
  Machine machine(GetParam(), "v_cvt_f32_f16 v1, " + low("v0") + "\nv_cvt_f16_f32 " +
                                  low("v2") + ", v1\nv_cvt_i16_f16 " + low("v3") + ", " +
                                  low("v0") + "\nv_cvt_u16_f16 " + low("v4") + ", " +
                                  low("v0"));
  for (unsigned base = 0; base < 65536; base += machine.wave().lanes) {
    machine.set(0, [&](unsigned lane) { return 0x12340000 | (base + lane); });
    for (uint16_t reg = 2; reg < 5; ++reg)
      machine.set(reg, 0);
    runAgain(machine);
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      uint32_t bits = base + lane;
      double value = toDouble(formats::f16, bits);
      bool isNan = std::isnan(value);
      uint32_t wide = isNan ? 0x7fc00000 | (bits & 0x8000) << 16 | (bits & 0x3ff) << 13
                            : bitCast<uint32_t>(float(value));
      EXPECT_EQ(machine.get(1, lane), wide) << std::hex << bits;
      EXPECT_EQ(machine.get(2, lane), isNan ? bits | 0x200 : bits) << std::hex << bits;
      EXPECT_EQ(machine.get(3, lane), uint16_t(clamped<int16_t>(value))) << value;
      EXPECT_EQ(machine.get(4, lane), clamped<uint16_t>(value)) << value;
    }
  }
}

TEST_P(EveryTarget, FloatsBecomeIntegersAndBack) {
  Machine machine(GetParam(), "v_cvt_i32_f32 v1, v0\nv_cvt_u32_f32 v2, v0\n"
                              "v_cvt_f32_i32 v3, v0\nv_cvt_f32_u32 v4, v0\n"
                              "v_cvt_f64_f32 v[6:7], v0\nv_cvt_f32_f64 v5, v[6:7]\n"
                              "v_cvt_i32_f64 v8, v[6:7]\nv_cvt_u32_f64 v9, v[6:7]\n"
                              "v_cvt_f64_i32 v[10:11], v0\nv_cvt_f64_u32 v[12:13], v0\n"
                              "v_cvt_f32_ubyte0 v14, v0\nv_cvt_f32_ubyte3 v15, v0\n"
                              "v_cvt_f16_f32 " +
                                  low("v16") + ", v0");
  machine.set(16, 0);
  for (unsigned round = 0; round < 50; ++round) {
    auto values = valuesF32(64, round + 1);
    machine.set(0, [&](unsigned lane) { return values[lane]; });
    runAgain(machine);
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      uint32_t bits = values[lane];
      float value = bitCast<float>(bits);
      auto wide = [&](uint16_t reg) {
        return bitCast<double>(machine.get(reg, lane) |
                               uint64_t(machine.get(reg + 1, lane)) << 32);
      };
      EXPECT_EQ(machine.get(1, lane), uint32_t(clamped<int32_t>(value))) << value;
      EXPECT_EQ(machine.get(2, lane), clamped<uint32_t>(value)) << value;
      EXPECT_EQ(machine.get(3, lane), bitCast<uint32_t>(float(int32_t(bits))));
      EXPECT_EQ(machine.get(4, lane), bitCast<uint32_t>(float(bits)));
      EXPECT_EQ(machine.get(8, lane), uint32_t(clamped<int32_t>(value)));
      EXPECT_EQ(machine.get(9, lane), clamped<uint32_t>(value));
      EXPECT_EQ(wide(10), double(int32_t(bits)));
      EXPECT_EQ(wide(12), double(bits));
      EXPECT_EQ(machine.get(14, lane), bitCast<uint32_t>(float(bits & 0xff)));
      EXPECT_EQ(machine.get(15, lane), bitCast<uint32_t>(float(bits >> 24)));
      if (std::isnan(value)) {
        EXPECT_EQ(machine.get(5, lane), bits | 0x400000);
        EXPECT_EQ(machine.get(16, lane) & 0x7e00, 0x7e00u);
      } else {
        EXPECT_EQ(machine.get(5, lane), bits);
        EXPECT_EQ(wide(6), double(value));
        EXPECT_EQ(machine.get(16, lane), nearest(formats::f16, value)) << value;
      }
    }
  }
}

TEST_P(EveryTarget, IntegersAreRoundedAsTheNameSays) {
  Machine machine(
      GetParam(),
      isRdna() ? "v_cvt_nearest_i32_f32 v1, v0\nv_cvt_floor_i32_f32 v2, v0\n"
                 "v_cvt_pk_norm_i16_f32 v3, v0, -v0\nv_cvt_pk_norm_u16_f32 v4, v0, v0\n"
                 "v_cvt_off_f32_i4 v5, v6"
               : "v_cvt_rpi_i32_f32 v1, v0\nv_cvt_flr_i32_f32 v2, v0\n"
                 "v_cvt_pknorm_i16_f32 v3, v0, -v0\nv_cvt_pknorm_u16_f32 v4, v0, v0\n"
                 "v_cvt_off_f32_i4 v5, v6");
  const float values[] = {0.5f, -0.5f, 1.5f,     2.5f, -2.5f, 0.25f,
                          1.0f, -1.0f, INFINITY, NAN,  3e9f,  -3e9f};
  machine.set(0, [&](unsigned lane) { return bitCast<uint32_t>(values[lane % 12]); });
  machine.set(6, [](unsigned lane) { return 0xf0 | (lane & 15); });
  machine.runClean();
  for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
    double value = values[lane % 12];
    EXPECT_EQ(machine.get(1, lane), uint32_t(clamped<int32_t>(std::floor(value + 0.5))));
    EXPECT_EQ(machine.get(2, lane), uint32_t(clamped<int32_t>(std::floor(value))));
    double limited = std::isnan(value) ? 0 : std::fmin(std::fmax(value, -1), 1);
    int16_t low = int16_t(std::nearbyint(limited * 32767));
    EXPECT_EQ(machine.get(3, lane), uint16_t(low) | uint32_t(uint16_t(-low)) << 16);
    uint32_t positive = uint32_t(std::nearbyint(std::fmax(limited, 0) * 65535));
    EXPECT_EQ(machine.get(4, lane), positive | positive << 16) << value;
    int nibble = int(lane & 15);
    EXPECT_EQ(bitCast<float>(machine.get(5, lane)),
              float(nibble < 8 ? nibble : nibble - 16) / 16);
  }
}

TEST_P(EveryTarget, AnUndefinedByteIsOneResult) {
  Machine machine(GetParam(), "v_cvt_f32_ubyte0 v1, v0\nv_cvt_f32_ubyte3 v2, v0");
  machine.set(0, 0x05000007);
  machine.poison(0, 0, 8);
  machine.runClean();
  EXPECT_EQ(machine.get(1, 0), bitCast<uint32_t>(7.0f));
  EXPECT_EQ(machine.getPoison(1, 0), 0);
  EXPECT_EQ(machine.getPoison(2, 0), 0xf);
}

TEST_P(EveryTarget, RoundingTowardsZeroInPairs) {
  Machine machine(GetParam(), isRdna() ? "v_cvt_pk_rtz_f16_f32 v2, v0, v1"
                                       : "v_cvt_pkrtz_f16_f32 v2, v0, v1");
  for (unsigned round = 0; round < 20; ++round) {
    auto a = valuesF32(64, 2 * round + 1), b = valuesF32(64, 2 * round + 2);
    machine.set(0, [&](unsigned lane) { return a[lane]; });
    machine.set(1, [&](unsigned lane) { return b[lane]; });
    runAgain(machine);
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane)
      for (unsigned part = 0; part < 2; ++part) {
        float value = bitCast<float>((part ? b : a)[lane]);
        uint32_t got = machine.get(2, lane) >> (16 * part) & 0xffff;
        if (std::isnan(value))
          EXPECT_EQ(got & 0x7e00, 0x7e00u);
        else
          EXPECT_EQ(got, fromDouble(formats::f16, value, Rounding::Zero)) << value;
      }
  }
}

TEST_P(EveryTarget, TooLargeF16AreTheLargestWhereModeSaysSo) {
  Machine machine(GetParam(), "v_cvt_f16_f32 " + low("v1") + ", v0");
  machine.wave().mode |= 1 << 23;
  machine.set(0, [](unsigned lane) { return bitCast<uint32_t>(lane ? INFINITY : 1e6f); });
  machine.set(1, 0);
  machine.runClean();
  EXPECT_EQ(machine.get(1, 0), 0x7bffu);
  EXPECT_EQ(machine.get(1, 1), 0x7c00u);
}

TEST_P(EveryTarget, PackedF16) {
  Machine machine(GetParam(),
                  "v_pk_add_f16 v3, v0, v1\nv_pk_mul_f16 v4, v0, v1\n"
                  "v_pk_fma_f16 v5, v0, v1, v2\n"
                  "v_pk_fma_f16 v6, v0, v1, v2 op_sel:[1,0,0] op_sel_hi:[0,1,1] "
                  "neg_lo:[0,1,0] neg_hi:[1,0,0]\n"
                  "v_pk_add_f16 v7, v0, 1.0 op_sel_hi:[1,0]\nv_pk_add_f16 v8, v0, 1.0");
  for (unsigned round = 0; round < 20; ++round) {
    std::vector<uint16_t> in[3][2];
    for (unsigned i = 0; i < 3; ++i) {
      for (unsigned part = 0; part < 2; ++part)
        in[i][part] = valuesF16(64, 6 * round + 2 * i + part + 1);
      machine.set(uint16_t(i), [&](unsigned lane) {
        return in[i][0][lane] | uint32_t(in[i][1][lane]) << 16;
      });
    }
    runAgain(machine);
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      double v[3][2];
      for (unsigned i = 0; i < 3; ++i)
        for (unsigned part = 0; part < 2; ++part)
          v[i][part] = toDouble(formats::f16, in[i][part][lane]);
      auto expect = [&](uint16_t reg, unsigned part, double want) {
        uint32_t got = machine.get(reg, lane) >> (16 * part) & 0xffff;
        if (std::isnan(want))
          EXPECT_EQ(got & 0x7e00, 0x7e00u) << reg;
        else
          EXPECT_EQ(got, nearest(formats::f16, want)) << reg << " " << part;
      };
      for (unsigned part = 0; part < 2; ++part) {
        expect(3, part, v[0][part] + v[1][part]);
        expect(4, part, v[0][part] * v[1][part]);
        expect(5, part, fusedToOdd(v[0][part], v[1][part], v[2][part]));
        expect(7, part, v[0][part] + 1.0);
        // The constant's upper half is zero.
        expect(8, part, v[0][part] + (part ? 0.0 : 1.0));
      }
      expect(6, 0, fusedToOdd(v[0][1], -v[1][0], v[2][0]));
      expect(6, 1, fusedToOdd(-v[0][0], v[1][1], v[2][1]));
    }
  }
}

TEST_P(EveryTarget, PackedHalvesAreUndefinedApart) {
  Machine machine(GetParam(), "v_pk_add_f16 v2, v0, v1");
  machine.set(0, 0);
  machine.set(1, 0);
  machine.poison(0, 1, 1);
  machine.poison(1, 2, 8);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(2, 1), 3);
  EXPECT_EQ(machine.getPoison(2, 2), 12);
}

TEST_P(EveryTarget, PackedF32) {
  if (isRdna())
    return; // these are of CDNA alone
  Machine machine(GetParam(),
                  "v_pk_add_f32 v[6:7], v[0:1], v[2:3]\n"
                  "v_pk_mul_f32 v[8:9], v[0:1], s[2:3] op_sel:[1,0] op_sel_hi:[0,1]\n"
                  "v_pk_fma_f32 v[10:11], v[0:1], v[2:3], v[4:5] neg_lo:[1,0,0] "
                  "neg_hi:[0,0,1]\n"
                  "v_pk_add_f32 v[12:13], v[0:1], 1.0 op_sel_hi:[1,0]");
  machine.setScalar(2, bitCast<uint32_t>(3.0f));
  machine.setScalar(3, bitCast<uint32_t>(5.0f));
  for (uint16_t reg = 0; reg < 6; ++reg)
    machine.set(
        reg, [&](unsigned lane) { return bitCast<uint32_t>(float(reg * 100 + lane)); });
  machine.runClean();
  for (unsigned lane = 0; lane < 64; ++lane) {
    float v[6];
    for (unsigned reg = 0; reg < 6; ++reg)
      v[reg] = float(reg * 100 + lane);
    auto value = [&](uint16_t reg) { return bitCast<float>(machine.get(reg, lane)); };
    EXPECT_EQ(value(6), v[0] + v[2]);
    EXPECT_EQ(value(7), v[1] + v[3]);
    EXPECT_EQ(value(8), v[1] * 3);
    EXPECT_EQ(value(9), v[0] * 5);
    EXPECT_EQ(value(10), -v[0] * v[2] + v[4]);
    EXPECT_EQ(value(11), v[1] * v[3] - v[5]);
    EXPECT_EQ(value(12), v[0] + 1);
    EXPECT_EQ(value(13), v[1] + 1);
  }
}

TEST_P(EveryTarget, MixedPrecision) {
  Machine machine(GetParam(),
                  "v_fma_mix_f32 v3, v0, -|v1|, v2 op_sel:[1,0,0] op_sel_hi:[1,0,1]\n"
                  "v_fma_mixlo_f16 v4, v0, v1, v2 op_sel_hi:[1,0,1]\n"
                  "v_fma_mixhi_f16 v4, v0, v1, 1.0 op_sel:[1,0,0] op_sel_hi:[1,0,0]");
  machine.set(0, 0x42003c00); // 1 below, 3 above
  machine.set(1, bitCast<uint32_t>(-2.5f));
  machine.set(2, 0x00004900); // 10
  machine.set(4, 0xffffffff);
  machine.runClean();
  EXPECT_EQ(bitCast<float>(machine.get(3, 0)), 3 * -2.5f + 10);
  EXPECT_EQ(machine.get(4, 0), nearest(formats::f16, 7.5) | // 1 * -2.5 + 10
                                   nearest(formats::f16, -6.5) << 16);
}

TEST_P(EveryTarget, DotProducts) {
  bool accumulatesByName = !isModern();
  std::string code = "v_dot2_f32_f16 v3, v0, v1, v2 neg_lo:[1,0,0]\nv_mov_b32 v4, v2\n";
  if (accumulatesByName)
    code += isRdna() ? "v_dot2acc_f32_f16 v4, v0, v1\n" : "v_dot2c_f32_f16 v4, v0, v1\n";
  Machine machine(GetParam(), code);
  machine.set(0, nearest(formats::f16, 1.5) | nearest(formats::f16, -4) << 16);
  machine.set(1, nearest(formats::f16, 6) | nearest(formats::f16, 0.25) << 16);
  machine.set(2, bitCast<uint32_t>(100.0f));
  machine.runClean();
  EXPECT_EQ(bitCast<float>(machine.get(3, 0)), 100.0f - 9 - 1);
  if (accumulatesByName) {
    EXPECT_EQ(bitCast<float>(machine.get(4, 0)), 100.0f + 9 - 1);
  }
}

TEST(FloatConvert, DotProductsOfShortFormats) {
  for (const char *gpu : {"gfx950", "gfx1100", "gfx1201"}) {
    Machine machine(gpu, "v_dot2_f32_bf16 v3, v0, v1, v2");
    machine.set(0, nearest(formats::bf16, 1.5) | nearest(formats::bf16, -4) << 16);
    machine.set(1, nearest(formats::bf16, 6) | nearest(formats::bf16, 0.25) << 16);
    machine.set(2, bitCast<uint32_t>(100.0f));
    machine.runClean();
    EXPECT_EQ(bitCast<float>(machine.get(3, 0)), 108.0f);
  }
  for (const char *gpu : {"gfx1100", "gfx1201"}) {
    Machine machine(gpu, "v_dot2_f16_f16 v3.l, v0, v1, v2.h");
    machine.set(0, nearest(formats::f16, 1.5) | nearest(formats::f16, -4) << 16);
    machine.set(1, nearest(formats::f16, 6) | nearest(formats::f16, 0.25) << 16);
    machine.set(2, nearest(formats::f16, 100) << 16);
    machine.set(3, 0xabcd0000);
    machine.runClean();
    EXPECT_EQ(machine.get(3, 0), 0xabcd0000 | nearest(formats::f16, 108));
  }
  Machine machine("gfx1201", "v_dot4_f32_fp8_bf8 v3, v0, v1, v2");
  uint32_t a = 0, b = 0;
  float sum = 7;
  for (unsigned i = 0; i < 4; ++i) {
    a |= nearest(formats::e4m3, i + 1.0) << (8 * i);
    b |= nearest(formats::e5m2, 2.0 * i - 3) << (8 * i);
    sum += float(i + 1) *
           float(toDouble(formats::e5m2, nearest(formats::e5m2, 2.0 * i - 3)));
  }
  machine.set(0, a);
  machine.set(1, b);
  machine.set(2, bitCast<uint32_t>(7.0f));
  machine.runClean();
  EXPECT_EQ(bitCast<float>(machine.get(3, 0)), sum);
}

TEST_P(EveryTarget, HalvesArePackedAsTheyAre) {
  Machine machine(GetParam(), isRdna() ? "v_pack_b32_f16 v2, v0.h, -v1.l"
                                       : "v_pack_b32_f16 v2, v0, -v1 op_sel:[1,0,0]");
  machine.set(0, 0x7c011111);
  machine.set(1, 0x22223333);
  machine.poison(0, 1, 4);
  machine.poison(1, 1, 2);
  machine.runClean();
  EXPECT_EQ(machine.get(2, 0), 0xb3337c01u);
  EXPECT_EQ(machine.getPoison(2, 1), 9);
}

TEST(FloatConvert, SeedsRoundHalves) {
  Machine machine("gfx950", "v_cvt_sr_bf16_f32 v2, v0, v1\n"
                            "v_cvt_sr_f16_f32 v2, v0, v1 op_sel:[0,0,1]");
  machine.set(0, 0x3f800001); // just above one
  machine.set(1, [](unsigned lane) { return lane ? 0xffffffff : 0; });
  machine.set(2, 0);
  machine.runClean();
  EXPECT_EQ(machine.get(2, 0), 0x3c003f80u);
  EXPECT_EQ(machine.get(2, 1), 0x3c013f81u);
}

TEST(FloatConvert, ScalarFunctionsOfGfx12) {
  Machine machine("gfx1201", "v_s_rcp_f32 s1, s0\nv_s_sqrt_f16 s3, s2\n"
                             "v_s_exp_f32 s4, -s0");
  machine.setScalar(0, bitCast<uint32_t>(4.0f));
  machine.setScalar(2, nearest(formats::f16, 9));
  machine.setExec(0);
  machine.runClean();
  EXPECT_EQ(bitCast<float>(machine.getScalar(1)), 0.25f);
  EXPECT_EQ(machine.getScalar(3), nearest(formats::f16, 3));
  EXPECT_EQ(bitCast<float>(machine.getScalar(4)), 0.0625f);
}

TEST(FloatConvert, PairsOfGfx950) {
  Machine machine("gfx950", "v_cvt_pk_bf16_f32 v2, v0, v1\nv_cvt_pk_f16_f32 v3, v0, v1\n"
                            "v_cvt_f32_bf16 v4, v0");
  for (unsigned round = 0; round < 20; ++round) {
    auto a = valuesF32(64, 2 * round + 1), b = valuesF32(64, 2 * round + 2);
    machine.set(0, [&](unsigned lane) { return a[lane]; });
    machine.set(1, [&](unsigned lane) { return b[lane]; });
    runAgain(machine);
    for (unsigned lane = 0; lane < 64; ++lane)
      for (unsigned part = 0; part < 2; ++part) {
        float value = bitCast<float>((part ? b : a)[lane]);
        if (std::isnan(value))
          continue;
        EXPECT_EQ(machine.get(2, lane) >> (16 * part) & 0xffff,
                  nearest(formats::bf16, value));
        EXPECT_EQ(machine.get(3, lane) >> (16 * part) & 0xffff,
                  nearest(formats::f16, value));
      }
  }
}
