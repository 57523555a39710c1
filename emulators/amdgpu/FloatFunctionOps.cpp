//===- FloatFunctionOps.cpp - Functions of one float --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Hardware's v_exp, v_log, v_rcp, v_rsq, v_sqrt, v_sin and v_cos may be off by an ulp or
// more (of f64 by much more: programs refine them). Here they are the exact value, as
// double has it, rounded once. Those of f32 flush subnormals whatever MODE says.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatLanes.h"

#include <cmath>

using namespace tilewright::amdgpu;
using tilewright::emulator::select;
namespace emulator = tilewright::emulator;

namespace {
/// The nearest integral value, of up to 2^51, by a sum that has no bits for a fraction.
inline double roundSmall(double x) {
  const double anchor = 0x1.8p52;
  return (x + anchor) - anchor;
}

/// 2^x without branches or calls, so that lanes go together. The host rounds to nearest.
inline double exp2Of(double x) {
  uint64_t bits = bitCast<uint64_t>(x);
  uint64_t magnitude = bits & ~(uint64_t(1) << 63);
  // Beyond what any format here has, and still normal in double.
  constexpr uint64_t limit = uint64_t(1023 + 9) << 52 | uint64_t(0xf) << 48; // 992
  uint64_t clamped =
      select(int64_t(magnitude) > int64_t(limit), limit | (bits & ~magnitude), bits);
  double value = bitCast<double>(clamped);
  double whole = roundSmall(value);
  double t = (value - whole) * 0.693147180559945309417;
  // The series of e^t, |t| < 0.35, as numbers: with -frounding-math a compiler divides
  // constants each time.
  double sum = 1.6059043836821613e-10;
  sum = sum * t + 2.08767569878681e-09;
  sum = sum * t + 2.505210838544172e-08;
  sum = sum * t + 2.755731922398589e-07;
  sum = sum * t + 2.7557319223985893e-06;
  sum = sum * t + 2.48015873015873e-05;
  sum = sum * t + 0.0001984126984126984;
  sum = sum * t + 0.001388888888888889;
  sum = sum * t + 0.008333333333333333;
  sum = sum * t + 0.041666666666666664;
  sum = sum * t + 0.16666666666666666;
  sum = sum * t + 0.5;
  sum = sum * t + 1.0;
  sum = sum * t + 1.0;
  // whole + anchor has the integer in its low bits.
  uint64_t exponent = bitCast<uint64_t>(whole + 0x1.8p52) << 52;
  uint64_t result = bitCast<uint64_t>(sum) + exponent;
  return bitCast<double>(
      select(int64_t(magnitude) > int64_t(emulator::doubleInfinity), bits, result));
}

/// log2(x) in the same way, of values that are normal in double.
inline double log2Of(double x) {
  const uint64_t bits = bitCast<uint64_t>(x);
  // The value is m * 2^power, m in [sqrt(1/2), sqrt(2)).
  constexpr uint64_t rootHalf = 0x3fe6a09e667f3bcd, bias = 1100;
  uint64_t power = ((bits - rootHalf + (bias << 52)) >> 52) - bias;
  double m = bitCast<double>(bits - (power << 52));
  // As double: an integer in the low bits of an anchor.
  double whole = bitCast<double>(power + bitCast<uint64_t>(0x1.8p52)) - 0x1.8p52;
  // log2(m) = 2 / ln(2) * atanh(s), |s| < 0.172.
  double s = (m - 1.0) / (m + 1.0), t = s * s;
  double sum = 0.043478260869565216;
  sum = sum * t + 0.047619047619047616;
  sum = sum * t + 0.05263157894736842;
  sum = sum * t + 0.058823529411764705;
  sum = sum * t + 0.06666666666666667;
  sum = sum * t + 0.07692307692307693;
  sum = sum * t + 0.09090909090909091;
  sum = sum * t + 0.1111111111111111;
  sum = sum * t + 0.14285714285714285;
  sum = sum * t + 0.2;
  sum = sum * t + 0.3333333333333333;
  sum = sum * t + 1.0;
  uint64_t result = bitCast<uint64_t>(whole + sum * s * 2.8853900817779268);
  constexpr uint64_t sign = uint64_t(1) << 63;
  const uint64_t magnitude = bits & ~sign;
  // Infinity and NaN are their own, negative ones have none, that of zero is -infinity.
  result = select(int64_t(magnitude) >= int64_t(emulator::doubleInfinity), bits, result);
  result = select(int64_t(bits) < 0, uint64_t(0x7ff8) << 48, result);
  return bitCast<double>(select(magnitude == 0, emulator::doubleInfinity | sign, result));
}

/// Rounded to nearest whatever MODE says.
struct ToNearest {
  static constexpr bool ignoresRounding = true;
};
struct Exp : ToNearest {
  static constexpr bool flushes = true;
  static float apply(float a) { return float(exp2Of(a)); }
};
struct ExpF16 : ToNearest {
  static double toOdd(double a) { return exp2Of(a); }
};
struct Log : ToNearest {
  static constexpr bool flushes = true;
  static float apply(float a) { return float(log2Of(a)); }
};
struct LogF16 : ToNearest {
  static double toOdd(double a) { return log2Of(a); }
};
struct Reciprocal : ToNearest {
  static constexpr bool flushes = true;
  static float apply(float a) { return float(1.0 / double(a)); }
};
struct ReciprocalWide : ToNearest {
  static double apply(double a) { return 1.0 / a; }
  static double toOdd(double a) { return 1.0 / a; }
};
struct ReciprocalRoot : ToNearest {
  static constexpr bool flushes = true;
  static float apply(float a) { return float(1.0 / std::sqrt(double(a))); }
};
struct ReciprocalRootWide : ToNearest {
  static double apply(double a) { return 1.0 / std::sqrt(a); }
  static double toOdd(double a) { return 1.0 / std::sqrt(a); }
};
struct Root : ToNearest {
  static constexpr bool flushes = true;
  static float apply(float a) { return float(std::sqrt(double(a))); }
};
struct RootWide : ToNearest {
  static double apply(double a) { return std::sqrt(a); }
  static double toOdd(double a) { return std::sqrt(a); }
};

/// Of turns. Beyond 256 turns the sine is 0 and the cosine 1; of infinity both are NaN.
struct Sine : ToNearest {
  static double toOdd(double a) {
    if (std::fabs(a) > 256)
      return a - a;
    double part = a - roundSmall(a);
    if (std::fabs(part) == 0.5 || part == 0)
      return std::copysign(0.0, a);
    return std::sin(part * 6.283185307179586476925);
  }
  static float apply(float a) { return float(toOdd(a)); }
};
struct Cosine : ToNearest {
  static double toOdd(double a) {
    if (std::fabs(a) > 256)
      return (a - a) + 1;
    double part = std::fabs(a - roundSmall(a));
    if (part == 0.25)
      return 0;
    return std::cos(part * 6.283185307179586476925);
  }
  static float apply(float a) { return float(toOdd(a)); }
};

template <double (*function)(double)> struct ToIntegral : ToNearest {
  template <typename T> static T apply(T a) { return T(function(double(a))); }
  static double toOdd(double a) { return function(a); }
};
double floorOf(double a) { return std::floor(a); }
double ceilOf(double a) { return std::ceil(a); }
double truncOf(double a) { return std::trunc(a); }
double evenOf(double a) { return emulator::roundToIntegral(a, Rounding::NearestEven); }
using Floor = ToIntegral<floorOf>;
using Ceil = ToIntegral<ceilOf>;
using Trunc = ToIntegral<truncOf>;
using RoundEven = ToIntegral<evenOf>;

/// a - floor(a), which stays below 1.
struct Fract {
  static float apply(float a) {
    float part = a - std::floor(a);
    return part >= 1 ? 0x1.fffffep-1f : part;
  }
  static double apply(double a) {
    double part = a - std::floor(a);
    return part >= 1 ? 0x1.fffffffffffffp-1 : part;
  }
  static double toOdd(double a) {
    double part = a - std::floor(a);
    return part > 0x1.ffcp-1 ? 0x1.ffcp-1 : part;
  }
};

/// v_s_exp_f32 of gfx12: of a scalar, whichever lanes are active.
template <typename F, typename Operation>
Step runScalar(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  // abs and neg are of the lower half where there are two.
  ScalarValue value = wave.readScalar(instruction.source[0]);
  LaneArray<Bits> lanes, result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    lanes[lane] = static_cast<Bits>(value.bits);
  const Bits *in[] = {lanes.v};
  applyLanes<F, Operation>({wave, instruction.flags, F::isSingle}, result, in,
                           std::make_index_sequence<1>());
  bool isUndefined = static_cast<Bits>(value.poison) != 0;
  wave.writeScalar(instruction.destination[0],
                   {result[0], isUndefined ? ~uint64_t(0) : 0});
  return Step::Next;
}

constexpr Type F16 = Type::F16, F32 = Type::F32, F64 = Type::F64;
constexpr auto ZeroesHalf = FloatEntry::ZeroesHalf;
constexpr FloatEntry entries[] = {
    {"v_exp_f32", runFloat<Single, Exp, 1>, F32, {F32}, 1},
    {"v_exp_legacy_f32", runFloat<Single, Exp, 1>, F32, {F32}, 1},
    {"v_log_f32", runFloat<Single, Log, 1>, F32, {F32}, 1},
    {"v_log_legacy_f32", runFloat<Single, Log, 1>, F32, {F32}, 1},
    {"v_rcp_f32", runFloat<Single, Reciprocal, 1>, F32, {F32}, 1},
    {"v_rcp_iflag_f32", runFloat<Single, Reciprocal, 1>, F32, {F32}, 1},
    {"v_rsq_f32", runFloat<Single, ReciprocalRoot, 1>, F32, {F32}, 1},
    {"v_sqrt_f32", runFloat<Single, Root, 1>, F32, {F32}, 1},
    {"v_sin_f32", runFloat<Single, Sine, 1>, F32, {F32}, 1},
    {"v_cos_f32", runFloat<Single, Cosine, 1>, F32, {F32}, 1},
    {"v_floor_f32", runFloat<Single, Floor, 1>, F32, {F32}, 1},
    {"v_ceil_f32", runFloat<Single, Ceil, 1>, F32, {F32}, 1},
    {"v_trunc_f32", runFloat<Single, Trunc, 1>, F32, {F32}, 1},
    {"v_rndne_f32", runFloat<Single, RoundEven, 1>, F32, {F32}, 1},
    {"v_fract_f32", runFloat<Single, Fract, 1>, F32, {F32}, 1},

    {"v_rcp_f64", runFloat<Double, ReciprocalWide, 1>, F64, {F64}, 1},
    {"v_rsq_f64", runFloat<Double, ReciprocalRootWide, 1>, F64, {F64}, 1},
    {"v_sqrt_f64", runFloat<Double, RootWide, 1>, F64, {F64}, 1},
    {"v_floor_f64", runFloat<Double, Floor, 1>, F64, {F64}, 1},
    {"v_ceil_f64", runFloat<Double, Ceil, 1>, F64, {F64}, 1},
    {"v_trunc_f64", runFloat<Double, Trunc, 1>, F64, {F64}, 1},
    {"v_rndne_f64", runFloat<Double, RoundEven, 1>, F64, {F64}, 1},
    {"v_fract_f64", runFloat<Double, Fract, 1>, F64, {F64}, 1},

    {"v_exp_f16", runFloat<Half, ExpF16, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_log_f16", runFloat<Half, LogF16, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_rcp_f16", runFloat<Half, ReciprocalWide, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_rsq_f16", runFloat<Half, ReciprocalRootWide, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_sqrt_f16", runFloat<Half, RootWide, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_sin_f16", runFloat<Half, Sine, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_cos_f16", runFloat<Half, Cosine, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_floor_f16", runFloat<Half, Floor, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_ceil_f16", runFloat<Half, Ceil, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_trunc_f16", runFloat<Half, Trunc, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_rndne_f16", runFloat<Half, RoundEven, 1>, F16, {F16}, 1, ZeroesHalf},
    {"v_fract_f16", runFloat<Half, Fract, 1>, F16, {F16}, 1, ZeroesHalf},

    {"v_s_exp_f32", runScalar<Single, Exp>, F32, {F32}, 1},
    {"v_s_exp_f16", runScalar<Half, ExpF16>, F16, {F16}, 1},
    {"v_s_log_f32", runScalar<Single, Log>, F32, {F32}, 1},
    {"v_s_log_f16", runScalar<Half, LogF16>, F16, {F16}, 1},
    {"v_s_rcp_f32", runScalar<Single, Reciprocal>, F32, {F32}, 1},
    {"v_s_rcp_f16", runScalar<Half, ReciprocalWide>, F16, {F16}, 1},
    {"v_s_rsq_f32", runScalar<Single, ReciprocalRoot>, F32, {F32}, 1},
    {"v_s_rsq_f16", runScalar<Half, ReciprocalRootWide>, F16, {F16}, 1},
    {"v_s_sqrt_f32", runScalar<Single, Root>, F32, {F32}, 1},
    {"v_s_sqrt_f16", runScalar<Half, RootWide>, F16, {F16}, 1},
};
} // namespace

Decoded tilewright::amdgpu::decodeFloatFunctions(Decoder &decoder) {
  return decodeFloats(decoder, entries);
}
