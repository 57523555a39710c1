//===- FloatSelectTest.cpp - Minima, maxima, comparisons, classes -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/FloatHarness.h"

#include <algorithm>
#include <cmath>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
class EveryTarget : public testing::TestWithParam<const char *> {
protected:
  const Target &target() const { return *findTarget(GetParam()); }
  bool isRdna() const { return target().isRdna(); }
  bool isModern() const { return target().generation >= 12; }
  /// v_min_f32 is v_min_num_f32 on gfx12.
  std::string named(std::string name) const {
    if (isModern())
      name.insert(name.find("_f"), "_num");
    return name;
  }
  std::string vcc() const { return isRdna() ? "vcc_lo" : "vcc"; }
  std::string mask(unsigned s) const {
    return isRdna() ? "s" + std::to_string(s)
                    : "s[" + std::to_string(s) + ":" + std::to_string(s + 1) + "]";
  }
};
INSTANTIATE_TEST_SUITE_P(FloatSelect, EveryTarget,
                         testing::Values("gfx90a", "gfx942", "gfx950", "gfx1100",
                                         "gfx1201"),
                         [](const auto &info) { return std::string(info.param); });

constexpr uint32_t quietNan = 0x7fc00001, signalling = 0x7f800001, minusZero = 0x80000000;
constexpr uint32_t one = 0x3f800000;

uint32_t run2(const char *target, const std::string &name, uint32_t a, uint32_t b,
              bool isIeee = true) {
  Machine machine(target, name + " v2, v0, v1");
  if (!isIeee)
    machine.wave().mode &= ~0x200u;
  machine.set(0, a);
  machine.set(1, b);
  machine.runClean();
  return machine.get(2, 0);
}
} // namespace

TEST_P(EveryTarget, MinimaKnowNansAndZeroes) {
  std::string min = named("v_min_f32"), max = named("v_max_f32");
  const char *gpu = GetParam();
  EXPECT_EQ(run2(gpu, min, 0, minusZero), minusZero);
  EXPECT_EQ(run2(gpu, min, minusZero, 0), minusZero);
  EXPECT_EQ(run2(gpu, max, 0, minusZero), 0u);
  EXPECT_EQ(run2(gpu, max, minusZero, 0), 0u);
  EXPECT_EQ(run2(gpu, min, quietNan, one), one);
  EXPECT_EQ(run2(gpu, max, one, quietNan), one);
  EXPECT_EQ(run2(gpu, min, bitCast<uint32_t>(-2.0f), one), bitCast<uint32_t>(-2.0f));
  // Signalling NaNs win in IEEE mode, which gfx12 has no more.
  EXPECT_EQ(run2(gpu, min, signalling, one), isModern() ? one : 0x7fc00001u);
  EXPECT_EQ(run2(gpu, max, one, signalling), isModern() ? one : 0x7fc00001u);
  if (!isModern()) {
    EXPECT_EQ(run2(gpu, min, signalling, one, false), one);
  }
}

TEST_P(EveryTarget, MinimaOfThree) {
  std::string code = named("v_min3_f32") + " v3, v0, v1, v2\n" + named("v_max3_f32") +
                     " v4, v0, v1, v2\n" + named("v_med3_f32") + " v5, v0, v1, v2";
  for (unsigned round = 0; round < 20; ++round) {
    Machine machine(GetParam(), code);
    std::vector<uint32_t> in[3];
    for (unsigned i = 0; i < 3; ++i) {
      in[i] = valuesF32(64, 3 * round + i + 1);
      machine.set(uint16_t(i), [&](unsigned lane) { return in[i][lane]; });
    }
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
      float v[3];
      bool hasNan = false;
      for (unsigned i = 0; i < 3; ++i) {
        v[i] = bitCast<float>(in[i][lane]);
        hasNan |= std::isnan(v[i]);
      }
      if (hasNan)
        continue;
      std::sort(v, v + 3);
      EXPECT_EQ(bitCast<float>(machine.get(3, lane)), v[0]);
      EXPECT_EQ(bitCast<float>(machine.get(4, lane)), v[2]);
      EXPECT_EQ(bitCast<float>(machine.get(5, lane)), v[1]);
    }
  }
}

TEST(FloatSelect, MinimumLetsNansThrough) {
  EXPECT_EQ(run2("gfx1201", "v_minimum_f32", one, quietNan), quietNan);
  EXPECT_EQ(run2("gfx1201", "v_maximum_f32", signalling, one), 0x7fc00001u);
  EXPECT_EQ(run2("gfx1201", "v_maximum_f32", minusZero, 0), 0u);
  for (const char *gpu : {"gfx950", "gfx1201"}) {
    Machine machine(gpu, "v_minimum3_f32 v3, v0, v1, v2\nv_maximum3_f32 v4, v0, v1, v1");
    machine.set(0, one);
    machine.set(1, bitCast<uint32_t>(3.0f));
    machine.set(2, [](unsigned lane) { return lane ? quietNan : minusZero; });
    machine.runClean();
    EXPECT_EQ(machine.get(3, 0), minusZero);
    EXPECT_EQ(machine.get(3, 1), quietNan);
    EXPECT_EQ(machine.get(4, 1), bitCast<uint32_t>(3.0f));
  }
}

TEST_P(EveryTarget, Comparisons) {
  struct {
    const char *name;
    bool (*holds)(float, float);
  } const comparisons[] = {
      {"lt", [](float a, float b) { return a < b; }},
      {"eq", [](float a, float b) { return a == b; }},
      {"le", [](float a, float b) { return a <= b; }},
      {"gt", [](float a, float b) { return a > b; }},
      {"lg", [](float a, float b) { return a < b || a > b; }},
      {"ge", [](float a, float b) { return a >= b; }},
      {"o", [](float a, float b) { return !std::isnan(a) && !std::isnan(b); }},
      {"u", [](float a, float b) { return std::isnan(a) || std::isnan(b); }},
      {"nge", [](float a, float b) { return !(a >= b); }},
      {"nlg", [](float a, float b) { return !(a < b || a > b); }},
      {"ngt", [](float a, float b) { return !(a > b); }},
      {"nle", [](float a, float b) { return !(a <= b); }},
      {"neq", [](float a, float b) { return !(a == b); }},
      {"nlt", [](float a, float b) { return !(a < b); }},
  };
  for (const auto &comparison : comparisons)
    for (const char *format : {"f32", "f16", "f64"}) {
      bool isHalf = !strcmp(format, "f16"), isDouble = !strcmp(format, "f64");
      std::string operands = isDouble             ? "v[0:1], v[2:3]"
                             : isHalf && isRdna() ? "v1.l, v3.l"
                                                  : "v1, v3";
      Machine machine(GetParam(), std::string("v_cmp_") + comparison.name + "_" + format +
                                      "_e64 " + mask(4) + ", " + operands);
      auto a = valuesF32(64, 5), b = valuesF32(64, 6);
      for (unsigned lane = 0; lane < 64; lane += 3)
        b[lane] = a[lane];
      auto set = [&](uint16_t low, const std::vector<uint32_t> &values) {
        machine.set(low, [&](unsigned lane) {
          return isDouble
                     ? uint32_t(bitCast<uint64_t>(double(bitCast<float>(values[lane]))))
                     : 0;
        });
        machine.set(low + 1, [&](unsigned lane) {
          float value = bitCast<float>(values[lane]);
          return isDouble ? uint32_t(bitCast<uint64_t>(double(value)) >> 32)
                 : isHalf ? 0x5555u << 16 | floatToF16(value)
                          : values[lane];
        });
      };
      set(0, a);
      set(2, b);
      machine.setExec(isRdna() ? 0xfffffff0 : ~uint64_t(0xf));
      machine.poison(1, 9, 2);
      machine.runClean();
      EXPECT_EQ(machine.getScalarPoison(4), 1u << 9);
      for (unsigned lane = 0; lane < machine.wave().lanes; ++lane) {
        float x = bitCast<float>(a[lane]), y = bitCast<float>(b[lane]);
        if (isHalf) {
          x = f16ToFloat(floatToF16(x));
          y = f16ToFloat(floatToF16(y));
        }
        bool want = lane >= 4 && comparison.holds(x, y);
        bool got = machine.getScalar(uint16_t(4 + lane / 32)) >> lane % 32 & 1;
        if (lane != 9) {
          EXPECT_EQ(got, want) << comparison.name << format << " " << x << " " << y;
        }
      }
    }
}

TEST_P(EveryTarget, ComparisonsThatSetExec) {
  Machine machine(GetParam(), isRdna() ? "v_cmpx_lt_f32 v0, v1\nv_mov_b32 v2, 1"
                                       : "v_cmpx_lt_f32 vcc, v0, v1\nv_mov_b32 v2, 1");
  machine.set(0, [](unsigned lane) { return bitCast<uint32_t>(float(lane)); });
  machine.set(1, bitCast<uint32_t>(5.0f));
  machine.set(2, 0);
  machine.setScalar64(Vcc, 99);
  machine.runClean();
  for (unsigned lane = 0; lane < machine.wave().lanes; ++lane)
    EXPECT_EQ(machine.get(2, lane), lane < 5 ? 1u : 0u);
  EXPECT_EQ(machine.getScalar(Vcc), isRdna() ? 99u : 31u);
}

TEST_P(EveryTarget, Classes) {
  const uint32_t values[] = {0x7f800001, 0x7fc00000, 0xff800000, 0xbf800000, 0x80000001,
                             0x80000000, 0,          1,          0x3f800000, 0x7f800000};
  Machine machine(GetParam(), "v_cmp_class_f32 " + vcc() + ", v0, v1");
  for (unsigned kind = 0; kind < 10; ++kind) {
    machine.wave().pc = 0;
    machine.wave().isDone = false;
    machine.set(0, [&](unsigned lane) { return values[lane % 10]; });
    machine.set(1, 1u << kind);
    machine.runClean();
    for (unsigned lane = 0; lane < machine.wave().lanes; ++lane)
      EXPECT_EQ(machine.getScalar(uint16_t(Vcc + lane / 32)) >> lane % 32 & 1,
                lane % 10 == kind ? 1u : 0u);
  }
}
