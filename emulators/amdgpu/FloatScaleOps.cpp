//===- FloatScaleOps.cpp - Exponents and mantissas ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatLanes.h"

#include <algorithm>
#include <cmath>

using namespace tilewright::amdgpu;
namespace emulator = tilewright::emulator;

namespace {
/// value * 2^exponent, rounded once.
template <typename F>
typename F::Bits scale(const Environment &environment, typename F::Bits bits,
                       int exponent) {
  using Bits = typename F::Bits;
  if (environment.flushesSources)
    bits = flush<F>(bits);
  if (isNan<F>(bits))
    return bits | quietBit<F>;
  if (isZero<F>(bits) || magnitudeOf<F>(bits) == infinity<F>)
    return bits;
  constexpr unsigned mantissa = F::format.mantissaBits;
  int biased = static_cast<int>(magnitudeOf<F>(bits) >> mantissa);
  uint64_t significand = bits & ((uint64_t(1) << mantissa) - 1);
  if (biased)
    significand |= uint64_t(1) << mantissa;
  int power = std::max(biased, 1) - F::format.bias - int(mantissa);
  power += std::clamp(exponent, -5000, 5000);
  // 2^(bias + 1) is too large as well, and what fromFixed can encode of f64.
  if (power + 63 - __builtin_clzll(significand) > F::format.bias) {
    significand = 1;
    power = F::format.bias + 1;
  }
  bool saturates = environment.saturates && std::is_same_v<F, Half>;
  return static_cast<Bits>(emulator::fromFixed(F::format, (bits & signBit<F>) != 0,
                                               significand, power, environment.rounding,
                                               saturates));
}

/// v_ldexp: the second source is an integer, of 16 bits for f16.
template <typename F> Step scaleLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  using Exponent = std::conditional_t<std::is_same_v<F, Half>, uint16_t, uint32_t>;
  ReadSource<Bits> value[] = {ReadSource<Bits>(wave, instruction.source[0])};
  ReadSource<Exponent> exponent[] = {ReadSource<Exponent>(wave, instruction.source[1])};
  const Environment environment(wave, instruction.flags, F::isSingle);
  LaneArray<Bits> result;
  const Bits *values = valuesOf(value[0]);
  const Exponent *exponents = valuesOf(exponent[0]);
  // Normal values that stay normal get another exponent; then the others.
  using Wide = std::conditional_t<sizeof(Bits) == 2, int32_t, std::make_signed_t<Bits>>;
  using SignedExponent = std::make_signed_t<Exponent>;
  constexpr Wide largest = 2 * F::format.bias;
  LaneArray<Bits> isSpecial;
  Bits any = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    Wide power = static_cast<SignedExponent>(exponents[lane]);
    Wide clamped = power < -4000 ? Wide(-4000) : power > 4000 ? Wide(4000) : power;
    Wide old = Wide(magnitudeOf<F>(values[lane]) >> F::format.mantissaBits);
    Wide biased = old + clamped;
    bool isNormal = (old > 0) & (old <= largest) & (biased > 0) & (biased <= largest);
    result[lane] = values[lane] + (Bits(clamped) << F::format.mantissaBits);
    result[lane] = isZero<F>(values[lane]) ? values[lane] : result[lane];
    isSpecial[lane] = Bits(!isNormal & !isZero<F>(values[lane]));
    any |= isSpecial[lane];
  }
  for (unsigned lane = 0; any && lane < maxLanes; ++lane)
    if (isSpecial[lane])
      result[lane] = scale<F>(environment, values[lane],
                              static_cast<SignedExponent>(exponents[lane]));
  if (environment.changesResults())
    finishLanes<F>(environment, result);
  LanePoison buffer, second;
  const uint8_t *poison = anyPoison(value, buffer), *other = anyPoison(exponent, second);
  if (poison && other)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      buffer[lane] |= second[lane];
  writeResult(wave, instruction, result, poison ? poison : other);
  return Step::Next;
}

/// The exponent of a significand in [0.5, 1); 0 of zero, infinity and NaN.
template <typename F> int exponentOf(typename F::Bits bits) {
  if (isZero<F>(bits) || !(magnitudeOf<F>(bits) < infinity<F>))
    return 0;
  int exponent;
  std::frexp(valueOf<F>(bits), &exponent);
  return exponent;
}

template <typename F> Step exponentLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  using Exponent = std::conditional_t<std::is_same_v<F, Half>, uint16_t, uint32_t>;
  ReadSource<Bits> value[] = {ReadSource<Bits>(wave, instruction.source[0])};
  const Environment environment(wave, instruction.flags, F::isSingle);
  LaneArray<Exponent> result;
  const Bits *values = valuesOf(value[0]);
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    Bits bits = environment.flushesSources ? flush<F>(values[lane]) : values[lane];
    result[lane] = static_cast<Exponent>(exponentOf<F>(bits));
  }
  LanePoison buffer;
  writeResult(wave, instruction, result, anyPoison(value, buffer));
  return Step::Next;
}

template <typename F> Step mantissaLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  ReadSource<Bits> value[] = {ReadSource<Bits>(wave, instruction.source[0])};
  const Environment environment(wave, instruction.flags, F::isSingle);
  LaneArray<Bits> result;
  const Bits *values = valuesOf(value[0]);
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    Bits bits = environment.flushesSources ? flush<F>(values[lane]) : values[lane];
    result[lane] = scale<F>(environment, bits, -exponentOf<F>(bits));
  }
  if (environment.changesResults())
    finishLanes<F>(environment, result);
  LanePoison buffer;
  writeResult(wave, instruction, result, anyPoison(value, buffer));
  return Step::Next;
}

constexpr Type B16 = Type::B16, B32 = Type::B32, F16 = Type::F16, F32 = Type::F32,
               F64 = Type::F64;
constexpr FloatEntry entries[] = {
    {"v_ldexp_f32", scaleLanes<Single>, F32, {F32, B32}, 2},
    {"v_ldexp_f64", scaleLanes<Double>, F64, {F64, B32}, 2},
    {"v_ldexp_f16", scaleLanes<Half>, F16, {F16, B16}, 2, FloatEntry::ZeroesHalf},
    {"v_frexp_mant_f32", mantissaLanes<Single>, F32, {F32}, 1},
    {"v_frexp_mant_f64", mantissaLanes<Double>, F64, {F64}, 1},
    {"v_frexp_mant_f16", mantissaLanes<Half>, F16, {F16}, 1, FloatEntry::ZeroesHalf},
    {"v_frexp_exp_i32_f32", exponentLanes<Single>, B32, {F32}, 1, FloatEntry::NoOutputs},
    {"v_frexp_exp_i32_f64", exponentLanes<Double>, B32, {F64}, 1, FloatEntry::NoOutputs},
    {"v_frexp_exp_i16_f16", exponentLanes<Half>, B16, {F16}, 1, FloatEntry::ZeroesNoMods},
};
} // namespace

Decoded tilewright::amdgpu::decodeFloatScale(Decoder &decoder) {
  return decodeFloats(decoder, entries);
}
