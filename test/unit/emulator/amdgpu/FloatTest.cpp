//===- FloatTest.cpp - Arithmetic of f32, f64 and f16 -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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
  const Target &target() const { return *findTarget(GetParam()); }
  bool isRdna() const { return target().isRdna(); }
  std::string half(const char *name) const {
    return isRdna() ? name + std::string(".l") : name;
  }
};
INSTANTIATE_TEST_SUITE_P(Float, EveryTarget,
                         testing::Values("gfx90a", "gfx942", "gfx950", "gfx1100",
                                         "gfx1201"),
                         [](const auto &info) { return std::string(info.param); });

using Reference = double (*)(double, double, double);

/// Runs a line on the values of v0, v1, v2 with the result in v3.
void expectF32(const char *target, const std::string &line, Reference reference,
               bool flushes = false) {
  Machine machine(target, line);
  for (unsigned round = 0; round < 40; ++round) {
    machine.wave().pc = 0;
    machine.wave().isDone = false;
    std::vector<uint32_t> in[3];
    for (unsigned i = 0; i < 3; ++i) {
      in[i] = valuesF32(64, round * 3 + i + 1);
      machine.set(uint16_t(i), [&](unsigned lane) { return in[i][lane]; });
    }
    machine.set(3, 7);
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      uint32_t a = in[0][lane], b = in[1][lane], c = in[2][lane];
      uint32_t got = machine.get(3, lane);
      auto value = [flushes](uint32_t bits) {
        double of = toDouble(formats::f32, bits);
        return flushes && std::fabs(of) < 0x1p-126 ? std::copysign(0.0, of) : of;
      };
      double exact = reference(value(a), value(b), value(c));
      uint32_t want = uint32_t(fromDouble(formats::f32, exact, Rounding::NearestEven));
      if (flushes && !(want & 0x7f800000))
        want &= 0x80000000;
      if (std::isnan(exact))
        EXPECT_TRUE((got & 0x7fc00000) == 0x7fc00000)
            << line << std::hex << " " << a << " " << b << " " << c << " " << got;
      else
        EXPECT_EQ(got, want) << line << std::hex << " " << a << " " << b << " " << c;
    }
  }
}
} // namespace

TEST_P(EveryTarget, SumsAndProductsOfF32AreRoundedOnce) {
  // Exact in long double or rounded to odd, then once to f32.
  expectF32(GetParam(), "v_add_f32 v3, v0, v1",
            [](double a, double b, double) { return addToOdd(a, b); });
  expectF32(GetParam(), "v_sub_f32 v3, v0, v1",
            [](double a, double b, double) { return addToOdd(a, -b); });
  expectF32(GetParam(), "v_subrev_f32 v3, v0, v1",
            [](double a, double b, double) { return addToOdd(b, -a); });
  expectF32(GetParam(), "v_mul_f32 v3, v0, v1",
            [](double a, double b, double) { return a * b; });
  expectF32(GetParam(), "v_fma_f32 v3, v0, v1, v2",
            [](double a, double b, double c) { return fusedToOdd(a, b, c); });
  expectF32(GetParam(), "v_fma_f32 v3, -v0, |v1|, -|v2|",
            [](double a, double b, double c) {
              return fusedToOdd(-a, std::fabs(b), -std::fabs(c));
            });
  expectF32(GetParam(), "v_mov_b32 v3, v2\nv_fmac_f32 v3, v0, v1",
            [](double a, double b, double c) { return fusedToOdd(a, b, c); });
}

TEST_P(EveryTarget, FunctionsOfF32AreRoundedFromDouble) {
  const char *gpu = GetParam();
  expectF32(
      gpu, "v_exp_f32 v3, v0", [](double a, double, double) { return std::exp2(a); },
      true);
  expectF32(
      gpu, "v_log_f32 v3, v0", [](double a, double, double) { return std::log2(a); },
      true);
  expectF32(
      gpu, "v_rcp_f32 v3, v0", [](double a, double, double) { return 1 / a; }, true);
  expectF32(
      gpu, "v_rsq_f32 v3, v0", [](double a, double, double) { return 1 / std::sqrt(a); },
      true);
  expectF32(
      gpu, "v_sqrt_f32 v3, v0", [](double a, double, double) { return std::sqrt(a); },
      true);
  expectF32(gpu, "v_floor_f32 v3, v0",
            [](double a, double, double) { return std::floor(a); });
  expectF32(gpu, "v_ceil_f32 v3, v0",
            [](double a, double, double) { return std::ceil(a); });
  expectF32(gpu, "v_trunc_f32 v3, v0",
            [](double a, double, double) { return std::trunc(a); });
  expectF32(gpu, "v_rndne_f32 v3, v0",
            [](double a, double, double) { return std::nearbyint(a); });
  expectF32(gpu, "v_fract_f32 v3, v0", [](double a, double, double) {
    return std::isfinite(a) ? std::fmin(a - std::floor(a), 0x1.fffffep-1) : NAN;
  });
}

TEST_P(EveryTarget, SinesAreOfTurns) {
  Machine machine(GetParam(), "v_sin_f32 v1, v0\nv_cos_f32 v2, v0");
  machine.set(0, [](unsigned lane) { return bitCast<uint32_t>((float(lane) - 16) / 8); });
  machine.runClean();
  for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
    double turn = (double(lane) - 16) / 8 * 6.283185307179586;
    EXPECT_NEAR(bitCast<float>(machine.get(1, lane)), std::sin(turn), 1e-7) << lane;
    EXPECT_NEAR(bitCast<float>(machine.get(2, lane)), std::cos(turn), 1e-7) << lane;
  }
}

TEST_P(EveryTarget, ArithmeticOfF16IsRoundedOnce) {
  struct {
    const char *name;
    double (*apply)(double, double);
  } const operations[] = {
      {"v_add_f16", [](double a, double b) { return a + b; }},
      {"v_sub_f16", [](double a, double b) { return a - b; }},
      {"v_mul_f16", [](double a, double b) { return a * b; }},
  };
  for (const auto &operation : operations) {
    std::string line = std::string(operation.name) + " " + half("v2") + ", " +
                       half("v0") + ", " + half("v1");
    Machine machine(GetParam(), line);
    for (unsigned round = 0; round < 40; ++round) {
      machine.wave().pc = 0;
      machine.wave().isDone = false;
      auto a = valuesF16(64, 2 * round + 1), b = valuesF16(64, 2 * round + 2);
      machine.set(0, [&](unsigned lane) { return 0xabcd0000u | a[lane]; });
      machine.set(1, [&](unsigned lane) { return 0x12340000u | b[lane]; });
      machine.set(2, 0x77770000);
      machine.runClean();
      for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
        double exact = operation.apply(toDouble(formats::f16, a[lane]),
                                       toDouble(formats::f16, b[lane]));
        uint32_t want = uint32_t(fromDouble(formats::f16, exact, Rounding::NearestEven));
        uint32_t got = machine.get(2, lane);
        // gfx9 zeroes the other half, later ones keep it.
        EXPECT_EQ(got >> 16, isRdna() ? 0x7777u : 0u);
        if (std::isnan(exact))
          EXPECT_EQ(got & 0x7e00, 0x7e00u) << line;
        else
          EXPECT_EQ(got & 0xffff, want) << line << std::hex << a[lane] << " " << b[lane];
      }
    }
  }
}

TEST_P(EveryTarget, HalvesAreSelected) {
  // The upper half of v0 and the lower of v1, negated, into the upper of v3.
  std::string line = isRdna() ? "v_fma_f16 v3.h, v0.h, -v1.l, v2.l"
                              : "v_fma_f16 v3, v0, -v1, v2 op_sel:[1,0,0,1]";
  Machine machine(GetParam(), line);
  machine.set(0, 0x4200ffff); // 3 above
  machine.set(1, 0xffff4000); // 2 below
  machine.set(2, 0xffff4900); // 10 below
  machine.set(3, 0x0000aaaa);
  machine.poison(0, 1, 3);
  machine.poison(0, 2, 4);
  machine.poison(3, 3, 1);
  machine.runClean();
  EXPECT_EQ(machine.get(3, 0), 0x4400aaaau); // 4
  EXPECT_EQ(machine.getPoison(3, 1), 0);
  EXPECT_EQ(machine.getPoison(3, 2), 0xc);
  EXPECT_EQ(machine.getPoison(3, 3), 1);
}

TEST_P(EveryTarget, F64) {
  Machine machine(GetParam(), "v_add_f64 v[8:9], v[0:1], v[2:3]\n"
                              "v_mul_f64 v[10:11], v[0:1], -v[2:3]\n"
                              "v_fma_f64 v[12:13], v[0:1], v[2:3], v[4:5]\n"
                              "v_add_f64 v[14:15], v[0:1], 0.5\n"
                              "v_rcp_f64 v[16:17], v[0:1]\n"
                              "v_floor_f64 v[18:19], v[0:1]");
  std::vector<uint64_t> in[3];
  for (unsigned i = 0; i < 3; ++i) {
    in[i] = valuesF64(64, i + 1);
    machine.set(uint16_t(2 * i), [&](unsigned lane) { return uint32_t(in[i][lane]); });
    machine.set(uint16_t(2 * i + 1),
                [&](unsigned lane) { return uint32_t(in[i][lane] >> 32); });
  }
  machine.runClean();
  for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
    double a = bitCast<double>(in[0][lane]), b = bitCast<double>(in[1][lane]),
           c = bitCast<double>(in[2][lane]);
    auto expect = [&](uint16_t reg, double want) {
      uint64_t bits = machine.get(reg, lane) | uint64_t(machine.get(reg + 1, lane)) << 32;
      if (std::isnan(want))
        EXPECT_TRUE(std::isnan(bitCast<double>(bits))) << reg;
      else
        EXPECT_EQ(bits, bitCast<uint64_t>(want)) << reg << " " << a << " " << b;
    };
    expect(8, a + b);
    expect(10, a * -b);
    expect(12, std::fma(a, b, c));
    expect(14, a + 0.5);
    expect(16, 1 / a);
    expect(18, std::floor(a));
  }
}

TEST_P(EveryTarget, ModeRoundsAndFlushes) {
  for (unsigned rounding = 0; rounding < 4; ++rounding) {
    Machine machine(GetParam(), "v_add_f32 v2, v0, v1\nv_mul_f32 v3, v0, v1");
    machine.wave().mode = 0x3c0 | rounding; // f32 flushes all
    machine.set(0, bitCast<uint32_t>(-1.0f));
    machine.set(1, bitCast<uint32_t>(0x1p-30f));
    machine.runClean();
    float below = -1.0f + 0x1p-24f;
    float want = rounding == 1 || rounding == 3 ? below : -1.0f;
    EXPECT_EQ(bitCast<float>(machine.get(2, 0)), want) << rounding;
  }
  Machine machine(GetParam(), "v_mul_f32 v2, v0, v1\nv_add_f32 v3, v0, -v4");
  machine.wave().mode = 0x3c0;
  machine.set(0, 0x80800000); // the smallest normal value, negative
  machine.set(1, bitCast<uint32_t>(0.5f));
  machine.set(4, 1);
  machine.runClean();
  EXPECT_EQ(machine.get(2, 0), 0x80000000u);
  EXPECT_EQ(machine.get(3, 0), 0x80800000u);
}

TEST_P(EveryTarget, ClampAndOmod) {
  Machine machine(GetParam(), "v_add_f32_e64 v1, v0, v0 clamp\n"
                              "v_mul_f32_e64 v2, v0, v0 mul:4\n"
                              "v_add_f32_e64 v3, v0, 0 div:2");
  bool hasIeee = target().generation < 12;
  machine.set(0, [](unsigned lane) {
    const float values[] = {0.25f, 2, -1, NAN, INFINITY, 0x1p-126f};
    return bitCast<uint32_t>(values[lane % 6]);
  });
  machine.wave().mode = hasIeee ? 0x1c0 : 0xc0; // no subnormals, no IEEE, DX10_CLAMP
  machine.runClean();
  auto value = [&](uint16_t reg, unsigned lane) {
    return bitCast<float>(machine.get(reg, lane));
  };
  EXPECT_EQ(value(1, 0), 0.5f);
  EXPECT_EQ(value(1, 1), 1.0f);
  EXPECT_EQ(value(1, 2), 0.0f);
  EXPECT_EQ(value(1, 3), 0.0f);
  EXPECT_EQ(value(1, 4), 1.0f);
  EXPECT_EQ(value(2, 0), 0.25f);
  EXPECT_EQ(value(2, 1), 16.0f);
  EXPECT_EQ(value(3, 1), 1.0f);
  EXPECT_EQ(value(3, 5), 0.0f);
}

TEST_P(EveryTarget, FunctionsOfEveryF16) {
  struct {
    const char *name;
    double (*apply)(double);
  } const functions[] = {
      {"v_rcp_f16", [](double a) { return 1 / a; }},
      {"v_rsq_f16", [](double a) { return 1 / std::sqrt(a); }},
      {"v_sqrt_f16", [](double a) { return std::sqrt(a); }},
      {"v_exp_f16", [](double a) { return std::exp2(a); }},
      {"v_log_f16", [](double a) { return std::log2(a); }},
      {"v_floor_f16", [](double a) { return std::floor(a); }},
      {"v_ceil_f16", [](double a) { return std::ceil(a); }},
      {"v_trunc_f16", [](double a) { return std::trunc(a); }},
      {"v_rndne_f16", [](double a) { return std::nearbyint(a); }},
      {"v_fract_f16",
       [](double a) {
         return std::isfinite(a) ? std::fmin(a - std::floor(a), 0x1.ffcp-1) : NAN;
       }},
      {"v_frexp_mant_f16",
       [](double a) {
         int exponent;
         return std::frexp(a, &exponent);
       }},
  };
  for (const auto &function : functions) {
    Machine machine(GetParam(),
                    std::string(function.name) + " " + half("v1") + ", " + half("v0"));
    machine.set(1, 0);
    for (unsigned base = 0; base < 65536; base += machine.wave().lanes) {
      machine.wave().pc = 0;
      machine.wave().isDone = false;
      machine.set(0, [&](unsigned lane) { return 0xabcd0000u | (base + lane); });
      machine.runClean();
      for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
        double exact = function.apply(toDouble(formats::f16, base + lane));
        uint32_t got = machine.get(1, lane);
        if (std::isnan(exact))
          EXPECT_EQ(got & 0x7e00, 0x7e00u) << function.name << base + lane;
        else
          EXPECT_EQ(got, fromDouble(formats::f16, exact, Rounding::NearestEven))
              << function.name << std::hex << base + lane;
      }
    }
  }
}

TEST_P(EveryTarget, ModeRoundsF16AndF64) {
  const Rounding roundings[] = {Rounding::NearestEven, Rounding::Up, Rounding::Down,
                                Rounding::Zero};
  for (unsigned mode = 0; mode < 4; ++mode) {
    Machine machine(GetParam(), "v_cvt_f16_f32 " + half("v4") + ", v0\nv_mul_f16 " +
                                    half("v5") + ", " + half("v4") + ", " + half("v4") +
                                    "\nv_cvt_f64_f32 v[6:7], v0\n"
                                    "v_mul_f64 v[6:7], v[6:7], v[2:3]\n"
                                    "v_cvt_f32_f64 v8, v[6:7]\nv_rndne_f32 v9, v0");
    machine.wave().mode = 0x3f0 | mode << 2;
    auto values = valuesF32(64, mode + 1);
    for (uint32_t &value : values)
      value = (value & 0x83ffffff) | 0x3c000000; // no extremes
    machine.set(0, [&](unsigned lane) { return values[lane]; });
    const double third = 1.0 / 3;
    machine.set(2, uint32_t(bitCast<uint64_t>(third)));
    machine.set(3, uint32_t(bitCast<uint64_t>(third) >> 32));
    machine.set(4, 0);
    machine.set(5, 0);
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      float value = bitCast<float>(values[lane]);
      uint64_t half = fromDouble(formats::f16, value, roundings[mode]);
      EXPECT_EQ(machine.get(4, lane), half);
      double wide = toDouble(formats::f16, half);
      EXPECT_EQ(machine.get(5, lane),
                fromDouble(formats::f16, wide * wide, roundings[mode]));
      volatile double product;
      {
        RoundingScope scope(roundings[mode]);
        volatile double x = value, y = third;
        product = x * y;
      }
      EXPECT_EQ(machine.get(6, lane) | uint64_t(machine.get(7, lane)) << 32,
                bitCast<uint64_t>(double(product)));
      EXPECT_EQ(machine.get(8, lane), fromDouble(formats::f32, product, roundings[mode]));
      EXPECT_EQ(bitCast<float>(machine.get(9, lane)), std::nearbyint(value));
    }
  }
}

TEST_P(EveryTarget, TheFirstNanIsTheResult) {
  Machine machine(GetParam(), "v_fma_f32 v3, v0, v1, v2\nv_add_f32 v4, v5, -v5");
  machine.set(0, bitCast<uint32_t>(1.0f));
  machine.set(1, 0xff800123); // signalling
  machine.set(2, 0x7fc00456);
  machine.set(5, 0x7f800000);
  machine.runClean();
  EXPECT_EQ(machine.get(3, 0), 0xffc00123u);
  EXPECT_EQ(machine.get(4, 0), 0x7fc00000u);
}

TEST(Float, LegacyProductsOfZero) {
  Machine old("gfx90a", "v_mul_legacy_f32 v2, v0, v1\nv_mad_legacy_f32 v3, v0, v1, v1\n"
                        "v_mov_b32 v4, 0\nv_mac_f32 v4, v5, v5");
  old.set(0, 0x80000000);
  old.set(1, 0x7f800000);
  old.set(5, 0x1f000000); // its square is subnormal
  old.runClean();
  EXPECT_EQ(old.get(2, 0), 0u);
  EXPECT_EQ(old.get(3, 0), 0x7f800000u);
  EXPECT_EQ(old.get(4, 0), 0u);
  for (const char *gpu : {"gfx1100", "gfx1201"}) {
    Machine machine(gpu, "v_mul_dx9_zero_f32 v2, v0, v1\n"
                         "v_fma_dx9_zero_f32 v3, v0, v1, -v1");
    machine.set(0, 0x80000000);
    machine.set(1, 0x7f800000);
    machine.runClean();
    EXPECT_EQ(machine.get(2, 0), 0u);
    EXPECT_EQ(machine.get(3, 0), 0xff800000u);
  }
}

TEST(Float, ConstantsHaveTheTypesBits) {
  Machine machine("gfx1100", "v_add_f16 v2.l, 0.5, v0.l\nv_fmaak_f32 v3, v1, v1, "
                             "0x40400000\nv_fmamk_f32 v4, v1, 0x40400000, v1\n"
                             "v_add_f64 v[6:7], v[0:1], 0x40100000\n"
                             "v_mul_f32 v5, 0.15915494, v1");
  machine.set(0, 0);
  machine.set(1, bitCast<uint32_t>(2.0f));
  machine.set(2, 0);
  machine.runClean();
  EXPECT_EQ(machine.get(2, 0), 0x3800u);
  EXPECT_EQ(bitCast<float>(machine.get(3, 0)), 7.0f);
  EXPECT_EQ(bitCast<float>(machine.get(4, 0)), 8.0f);
  EXPECT_EQ(machine.get(5, 0), 0x3e22f983u + 0x800000u);
}
