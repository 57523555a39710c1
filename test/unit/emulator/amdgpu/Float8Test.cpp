//===- Float8Test.cpp - fp8, bf8, and formats with scales ---------------------===//
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
class Fp8Targets : public testing::TestWithParam<const char *> {
protected:
  bool isRdna() const { return findTarget(GetParam())->isRdna(); }
  const Format &format(bool isBf8) const {
    bool isOcp = strcmp(GetParam(), "gfx942");
    return isBf8 ? (isOcp ? formats::e5m2 : formats::e5m2fnuz)
                 : (isOcp ? formats::e4m3 : formats::e4m3fnuz);
  }
};
INSTANTIATE_TEST_SUITE_P(Float8, Fp8Targets,
                         testing::Values("gfx942", "gfx950", "gfx1201"),
                         [](const auto &info) { return std::string(info.param); });

void runAgain(Machine &machine) {
  machine.wave().pc = 0;
  machine.wave().isDone = false;
  machine.runClean();
}
} // namespace

TEST_P(Fp8Targets, EveryEncodingBecomesF32) {
  for (bool isBf8 : {false, true}) {
    std::string type = isBf8 ? "bf8" : "fp8";
    std::string low = isRdna() ? "v0.l" : "v0";
    Machine machine(GetParam(), "v_cvt_f32_" + type + " v1, v0\nv_cvt_pk_f32_" + type +
                                    " v[2:3], " + low);
    for (unsigned base = 0; base < 256; base += machine.wave().lanes) {
      machine.set(0, [&](unsigned lane) {
        return 0x12340000 | ((base + lane) ^ 0x55) << 8 | (base + lane);
      });
      runAgain(machine);
      for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
        auto expect = [&](uint16_t reg, unsigned bits) {
          double want = toDouble(format(isBf8), bits);
          float got = bitCast<float>(machine.get(reg, lane));
          if (std::isnan(want))
            EXPECT_TRUE(std::isnan(got)) << type << bits;
          else
            EXPECT_EQ(double(got), want) << type << bits;
        };
        expect(1, base + lane);
        expect(2, base + lane);
        expect(3, (base + lane) ^ 0x55);
      }
    }
  }
}

TEST_P(Fp8Targets, PairsAreRoundedIntoAWord) {
  for (bool isBf8 : {false, true})
    for (bool saturates : {false, true}) {
      std::string type = isBf8 ? "bf8" : "fp8";
      std::string high = isRdna() ? " v2.h, v0, v1" : " v2, v0, v1 op_sel:[0,0,1]";
      Machine machine(GetParam(), "v_cvt_pk_" + type + "_f32" + high);
      if (saturates)
        machine.wave().mode |= 1 << 23;
      machine.set(2, 0x5678);
      for (unsigned round = 0; round < 40; ++round) {
        auto a = valuesF32(64, 2 * round + 1), b = valuesF32(64, 2 * round + 2);
        // Of sizes that the format has.
        for (auto *values : {&a, &b})
          for (unsigned lane = 0; lane < 48; ++lane)
            (*values)[lane] = ((*values)[lane] & 0x87ffffff) | 0x38000000;
        machine.set(0, [&](unsigned lane) { return a[lane]; });
        machine.set(1, [&](unsigned lane) { return b[lane]; });
        runAgain(machine);
        for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
          EXPECT_EQ(machine.get(2, lane) & 0xffff, 0x5678u);
          for (unsigned part = 0; part < 2; ++part) {
            float value = bitCast<float>((part ? b : a)[lane]);
            uint32_t got = machine.get(2, lane) >> (16 + 8 * part) & 0xff;
            if (std::isnan(value))
              EXPECT_TRUE(std::isnan(toDouble(format(isBf8), got)));
            else
              EXPECT_EQ(
                  got, fromDouble(format(isBf8), value, Rounding::NearestEven, saturates))
                  << type << value;
          }
        }
      }
    }
}

TEST_P(Fp8Targets, StochasticRoundingGoesUpAsOftenAsItShould) {
  // 1 + 3/32 between 1 and 1 + 1/8: three quarters of all seeds go up.
  std::string byte = isRdna() ? " byte_sel:2" : " op_sel:[0,0,0,1]";
  Machine machine(GetParam(), "v_cvt_sr_fp8_f32 v2, v0, v1" + byte);
  machine.set(0, bitCast<uint32_t>(1.09375f));
  machine.set(2, 0x11223344);
  uint32_t one = uint32_t(fromDouble(format(false), 1, Rounding::NearestEven));
  const unsigned lanes = machine.wave().lanes;
  machine.set(1, [&](unsigned lane) { return lane * (0xffffffffu / (lanes - 1)); });
  machine.runClean();
  unsigned up = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint32_t got = machine.get(2, lane);
    EXPECT_EQ(got & 0xff00ffff, 0x11003344u);
    uint32_t bits = got >> 16 & 0xff;
    EXPECT_TRUE(bits == one || bits == one + 1) << bits;
    up += bits - one;
  }
  EXPECT_EQ(machine.get(2, 0) >> 16 & 0xff, one);
  EXPECT_EQ(up, lanes * 3 / 4);
}

TEST(Float8, ScaledPairs) {
  // fp8 of what is divided by 4, into the upper word.
  Machine machine("gfx950", "v_cvt_scalef32_pk_fp8_f32 v3, v0, v1, v2 op_sel:[0,0,0,1]\n"
                            "v_cvt_scalef32_pk_f32_fp8 v[4:5], v3, v2 op_sel:[1,0,0]\n"
                            "v_cvt_scalef32_pk_fp4_f32 v6, v0, v1, v2 op_sel:[0,0,0,1]\n"
                            "v_cvt_scalef32_pk_f32_fp4 v[8:9], v6, v2 op_sel:[0,1,0]\n"
                            "v_cvt_scalef32_f32_fp8 v10, v3, v2 op_sel:[1,1,0]\n"
                            "v_cvt_scalef32_pk_f16_fp8 v11, v3, v2 op_sel:[1,0,0]\n"
                            "v_cvt_scalef32_pk_bf8_f16 v12, v11, v2\n"
                            "v_cvt_scalef32_f16_fp8 v13, v3, v2 op_sel:[0,1,1]\n");
  machine.set(0, bitCast<uint32_t>(6.0f));
  machine.set(1, bitCast<uint32_t>(-16.0f));
  machine.set(2, bitCast<uint32_t>(4.0f));
  machine.set(3, 0x7777);
  machine.set(6, 0x11223344);
  machine.set(12, 0);
  machine.set(13, 0x5555);
  machine.runClean();
  auto bits = [](const Format &format, double value) {
    return uint32_t(fromDouble(format, value, Rounding::NearestEven));
  };
  auto value = [&](uint16_t reg) { return bitCast<float>(machine.get(reg, 0)); };
  EXPECT_EQ(machine.get(3, 0),
            0x7777 | bits(formats::e4m3, 1.5) << 16 | bits(formats::e4m3, -4) << 24);
  EXPECT_EQ(value(4), 6.0f);
  EXPECT_EQ(value(5), -16.0f);
  EXPECT_EQ(machine.get(6, 0),
            0x11003344 | (bits(formats::e2m1, 1.5) | bits(formats::e2m1, -4) << 4) << 16);
  EXPECT_EQ(value(8), 6.0f);
  EXPECT_EQ(value(9), -16.0f);
  EXPECT_EQ(value(10), -16.0f);
  EXPECT_EQ(machine.get(11, 0), bits(formats::f16, 6) | bits(formats::f16, -16) << 16);
  EXPECT_EQ(machine.get(12, 0), bits(formats::e5m2, 1.5) | bits(formats::e5m2, -4) << 8);
  EXPECT_EQ(machine.get(13, 0), 0x5555 | bits(formats::f16, 6) << 16);
}

TEST(Float8, ThirtyTwoAtOnce) {
  Machine machine("gfx950",
                  "v_cvt_scalef32_2xpk16_fp6_f32 v[64:69], v[0:15], v[16:31], v70\n"
                  "v_cvt_scalef32_pk32_f32_fp6 v[72:103], v[64:69], v70\n"
                  "v_cvt_scalef32_pk32_f16_fp6 v[104:119], v[64:69], v70\n"
                  "v_cvt_scalef32_pk32_fp6_f16 v[120:125], v[104:119], v70\n");
  machine.set(70, bitCast<uint32_t>(0.5f));
  // Element 2i is of the first source, 2i + 1 of the second.
  auto value = [](unsigned i) { return (i % 2 ? -0.0625f : 0.0625f) * float(i); };
  for (uint16_t i = 0; i < 16; ++i) {
    machine.set(i, bitCast<uint32_t>(value(2 * i)));
    machine.set(16 + i, bitCast<uint32_t>(value(2 * i + 1)));
  }
  for (uint16_t i = 64; i < 126; ++i)
    if (i != 70)
      machine.set(i, 0);
  machine.poison(1, 5, 1); // element 2, whose bits are in bytes 1 and 2
  machine.runClean();
  for (unsigned i = 0; i < 32; ++i) {
    double want = toDouble(formats::e2m3, fromDouble(formats::e2m3, value(i) / 0.5,
                                                     Rounding::NearestEven)) *
                  0.5;
    EXPECT_EQ(bitCast<float>(machine.get(uint16_t(72 + i), 0)), want) << i;
    uint32_t half = machine.get(uint16_t(104 + i / 2), 0) >> (16 * (i % 2)) & 0xffff;
    EXPECT_EQ(toDouble(formats::f16, half), want) << i;
  }
  for (uint16_t i = 0; i < 6; ++i)
    EXPECT_EQ(machine.get(120 + i, 0), machine.get(64 + i, 0));
  EXPECT_EQ(machine.getPoison(64, 5), 6);
  EXPECT_EQ(machine.getPoison(74, 5), 0xf);
  EXPECT_EQ(machine.getPoison(76, 5), 0);
}
