//===- FloatDivideOps.cpp - The steps of a division ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A division N / D is: v_div_scale of D and of N, which move them out of the ranges where
// steps in between would overflow or be subnormal; Newton's iteration on v_rcp;
// v_div_fmas, whose last step takes the scale back where VCC says that it has to;
// v_div_fixup, which knows zeroes, infinities and NaNs.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatLanes.h"

#include <cfenv>
#include <cmath>

using namespace tilewright::amdgpu;
namespace emulator = tilewright::emulator;

namespace {
/// How far operands are moved, and from where on.
template <typename F> struct Limits;
template <> struct Limits<Single> {
  static constexpr int scale = 64, farApart = 96, tiny = 23, underflow = -150;
};
template <> struct Limits<Double> {
  static constexpr int scale = 128, farApart = 768, tiny = 53, underflow = -1075;
};

template <typename F> int biasedExponent(typename F::Bits bits) {
  return static_cast<int>(magnitudeOf<F>(bits) >> F::format.mantissaBits);
}
template <typename F> typename F::Bits scaled(typename F::Bits bits, int power) {
  using Value = typename F::Value;
  return bitCast<typename F::Bits>(std::ldexp(bitCast<Value>(bits), power));
}

/// Whether |a / b| is less than the smallest normal value. Both are finite, not zero.
template <typename F> bool isQuotientSubnormal(typename F::Bits a, typename F::Bits b) {
  int powerA, powerB;
  double x = std::frexp(std::fabs(valueOf<F>(a)), &powerA);
  double y = std::frexp(std::fabs(valueOf<F>(b)), &powerB);
  // The quotient is in [1/2, 1) * 2^power or in [1, 2) * 2^power.
  int power = powerA - powerB;
  constexpr int smallest = 1 - F::format.bias;
  return power + (x >= y ? 0 : -1) < smallest;
}

template <typename F>
typename F::Bits divScale(typename F::Bits a, typename F::Bits denominator,
                          typename F::Bits numerator, bool &takesBack) {
  using L = Limits<F>;
  constexpr typename F::Bits one = oneBits<F>;
  takesBack = false;
  if (isZero<F>(numerator) || isZero<F>(denominator))
    return defaultNan<F>;
  int exponentN = biasedExponent<F>(numerator);
  int exponentD = biasedExponent<F>(denominator);
  bool isFinite = magnitudeOf<F>(numerator) < infinity<F> &&
                  magnitudeOf<F>(denominator) < infinity<F>;
  if (exponentN - exponentD >= L::farApart) {
    takesBack = true;
    return a == denominator ? scaled<F>(a, L::scale) : a;
  }
  if (isSubnormal<F>(denominator))
    return scaled<F>(a, L::scale);
  bool isReciprocalSubnormal = isFinite && isQuotientSubnormal<F>(one, denominator);
  bool isResultSubnormal = isFinite && isQuotientSubnormal<F>(numerator, denominator);
  if (isReciprocalSubnormal && isResultSubnormal) {
    // The published description scales up, which would overflow.
    takesBack = true;
    return a == denominator ? scaled<F>(a, -L::scale) : a;
  }
  if (isReciprocalSubnormal)
    return scaled<F>(a, -L::scale);
  if (isResultSubnormal) {
    takesBack = true;
    return a == numerator ? scaled<F>(a, L::scale) : a;
  }
  return exponentN <= L::tiny ? scaled<F>(a, L::scale) : a;
}

/// Whether an exponent of any lane is where `divScale` may change something.
template <typename F>
bool anyNeedsScale(const typename F::Bits *denominators,
                   const typename F::Bits *numerators) {
  using L = Limits<F>;
  using Signed = std::make_signed_t<typename F::Bits>;
  constexpr Signed largest = 2 * F::format.bias;
  Signed any = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    Signed d = Signed(magnitudeOf<F>(denominators[lane]) >> F::format.mantissaBits);
    Signed n = Signed(magnitudeOf<F>(numerators[lane]) >> F::format.mantissaBits);
    any |= (d < 1) | (d > largest - 2) | (n <= L::tiny) | (n > largest) |
           (n - d >= L::farApart) | (n - d <= 2 - F::format.bias);
  }
  return any;
}

template <typename F> Step divScaleLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  ReadSource<Bits> sources[] = {ReadSource<Bits>(wave, instruction.source[0]),
                                ReadSource<Bits>(wave, instruction.source[1]),
                                ReadSource<Bits>(wave, instruction.source[2])};
  const Environment environment(wave, instruction.flags, F::isSingle);
  LaneArray<Bits> result;
  const Bits *in[] = {sources[0].values, sources[1].values, sources[2].values};
  LaneArray<Bits> copies[3];
  if (environment.flushesSources)
    for (unsigned i = 0; i < 3; ++i) {
      memcpy(copies[i].v, in[i], sizeof(copies[i].v));
      flushLanes<F>(copies[i]);
      in[i] = copies[i].v;
    }
  ScalarValue mask;
  memcpy(result.v, in[0], sizeof(result.v));
  if (anyNeedsScale<F>(in[1], in[2]))
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      bool takesBack;
      result[lane] = divScale<F>(in[0][lane], in[1][lane], in[2][lane], takesBack);
      mask.bits |= uint64_t(takesBack) << lane;
    }
  if (environment.changesResults())
    finishLanes<F>(environment, result);
  LanePoison buffer;
  const uint8_t *poison = anyPoison(sources, buffer);
  for (unsigned lane = 0; poison && lane < maxLanes; ++lane)
    mask.poison |= uint64_t(poison[lane] != 0) << lane;
  mask.bits &= wave.active;
  mask.poison &= wave.active;
  wave.write(instruction.destination[0], result.v, poison);
  wave.writeMask(instruction.destination[1], mask);
  return Step::Next;
}

/// (a * b + c) * 2^power, rounded once: a subnormal quotient is right only so.
float fusedScaled(float a, float b, float c, int power, Rounding rounding) {
  double exact = std::ldexp(emulator::fusedToOdd(a, b, c), power);
  return bitCast<float>(static_cast<uint32_t>(
      emulator::fromDouble(emulator::formats::f32, exact, rounding)));
}
double fusedScaled(double a, double b, double c, int power, Rounding rounding) {
  volatile long double sum;
  bool isInexact;
  {
    emulator::RoundingScope scope(Rounding::Zero);
    volatile long double x = a, y = b, z = c;
    std::feclearexcept(FE_INEXACT);
    sum = std::fma(x, y, z);
    isInexact = std::fetestexcept(FE_INEXACT);
  }
  // Rounded to odd, with more bits than double has.
  long double odd = sum;
  uint64_t significand;
  memcpy(&significand, &odd, sizeof(significand));
  significand |= isInexact;
  memcpy(&odd, &significand, sizeof(significand));
  emulator::RoundingScope scope(rounding);
  volatile double result = static_cast<double>(std::ldexp(odd, power));
  return result;
}

template <typename F> Step divFmasLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  using Value = typename F::Value;
  ReadSource<Bits> sources[] = {ReadSource<Bits>(wave, instruction.source[0]),
                                ReadSource<Bits>(wave, instruction.source[1]),
                                ReadSource<Bits>(wave, instruction.source[2])};
  Source vcc;
  vcc.kind = Operand::Scalar;
  vcc.reg = Vcc;
  vcc.count = static_cast<uint8_t>(wave.lanes / 32);
  ScalarValue mask = wave.readMask(vcc);
  Environment environment(wave, instruction.flags, F::isSingle);
  const Bits *in[] = {sources[0].values, sources[1].values, sources[2].values};
  LaneArray<Bits> copies[3];
  if (environment.flushesSources)
    for (unsigned i = 0; i < 3; ++i) {
      memcpy(copies[i].v, in[i], sizeof(copies[i].v));
      flushLanes<F>(copies[i]);
      in[i] = copies[i].v;
    }
  LaneArray<Bits> result;
  {
    emulator::RoundingScope scope(environment.rounding);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] =
          bitCast<Bits>(std::fma(bitCast<Value>(in[0][lane]), bitCast<Value>(in[1][lane]),
                                 bitCast<Value>(in[2][lane])));
  }
  // Up what was large, down what was small.
  for (uint64_t left = mask.bits & wave.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    bool isLarge = biasedExponent<F>(in[2][lane]) > F::format.bias;
    result[lane] = bitCast<Bits>(fusedScaled(
        bitCast<Value>(in[0][lane]), bitCast<Value>(in[1][lane]),
        bitCast<Value>(in[2][lane]), isLarge ? Limits<F>::scale : -Limits<F>::scale,
        environment.rounding));
  }
  chooseNans<F>(result, in, 3);
  if (environment.changesResults())
    finishLanes<F>(environment, result);
  LanePoison buffer;
  const uint8_t *poison = anyPoison(sources, buffer);
  if (mask.poison & wave.active) {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      buffer[lane] = (poison ? poison[lane] : 0) | (mask.poison >> lane & 1 ? 0xff : 0);
    poison = buffer.v;
  }
  wave.write(instruction.destination[0], result.v, poison);
  return Step::Next;
}

template <typename F>
typename F::Bits divFixup(const Environment &environment, typename F::Bits quotient,
                          typename F::Bits denominator, typename F::Bits numerator) {
  using Bits = typename F::Bits;
  const Bits sign = (denominator ^ numerator) & signBit<F>;
  if (isNan<F>(numerator))
    return numerator | quietBit<F>;
  if (isNan<F>(denominator))
    return denominator | quietBit<F>;
  bool isInfiniteN = magnitudeOf<F>(numerator) == infinity<F>;
  bool isInfiniteD = magnitudeOf<F>(denominator) == infinity<F>;
  if ((isZero<F>(denominator) && isZero<F>(numerator)) || (isInfiniteN && isInfiniteD))
    return signBit<F> | defaultNan<F>;
  if (isZero<F>(denominator) || isInfiniteN)
    return sign | infinity<F>;
  if (isInfiniteD || isZero<F>(numerator))
    return sign;
  if constexpr (!std::is_same_v<F, Half>) {
    // What rounding makes of a value too small for all, or too large: the iteration makes
    // a NaN of a quotient that overflows.
    bool isTiny = biasedExponent<F>(numerator) - biasedExponent<F>(denominator) <
                  Limits<F>::underflow;
    if (isTiny || isNan<F>(quotient))
      return static_cast<Bits>(emulator::fromFixed(F::format, sign != 0, 1,
                                                   isTiny ? -4000 : F::format.bias + 1,
                                                   environment.rounding));
  }
  return sign | magnitudeOf<F>(quotient);
}

template <typename F> Step divFixupLanes(Wave &wave, const Instruction &instruction) {
  using Bits = typename F::Bits;
  ReadSource<Bits> sources[] = {ReadSource<Bits>(wave, instruction.source[0]),
                                ReadSource<Bits>(wave, instruction.source[1]),
                                ReadSource<Bits>(wave, instruction.source[2])};
  const Environment environment(wave, instruction.flags, F::isSingle);
  LaneArray<Bits> result;
  const Bits *in[] = {valuesOf(sources[0]), valuesOf(sources[1]), valuesOf(sources[2])};
  LaneArray<Bits> copies[3];
  if (environment.flushesSources)
    for (unsigned i = 0; i < 3; ++i) {
      memcpy(copies[i].v, in[i], sizeof(copies[i].v));
      flushLanes<F>(copies[i]);
      in[i] = copies[i].v;
    }
  // Lanes of normal values, whose quotient is right but for its sign; then the others.
  LaneArray<Bits> isSpecial;
  Bits any = 0;
  constexpr Bits smallest = Bits(uint64_t(1) << F::format.mantissaBits);
  constexpr int underflow = std::is_same_v<F, Half> ? -100 : -150;
  using Signed = std::make_signed_t<Bits>;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    Bits d = magnitudeOf<F>(in[1][lane]), n = magnitudeOf<F>(in[2][lane]);
    Signed apart =
        Signed(n >> F::format.mantissaBits) - Signed(d >> F::format.mantissaBits);
    result[lane] =
        ((in[1][lane] ^ in[2][lane]) & signBit<F>) | magnitudeOf<F>(in[0][lane]);
    isSpecial[lane] =
        Bits((d < smallest) | (d >= infinity<F>) | (n < smallest) | (n >= infinity<F>) |
             (apart < underflow) | (magnitudeOf<F>(in[0][lane]) > infinity<F>));
    any |= isSpecial[lane];
  }
  for (unsigned lane = 0; any && lane < maxLanes; ++lane)
    if (isSpecial[lane])
      result[lane] = divFixup<F>(environment, in[0][lane], in[1][lane], in[2][lane]);
  if (environment.changesResults())
    finishLanes<F>(environment, result);
  LanePoison buffer;
  writeResult(wave, instruction, result, anyPoison(sources, buffer));
  return Step::Next;
}

constexpr Type F16 = Type::F16, F32 = Type::F32, F64 = Type::F64;
constexpr FloatEntry entries[] = {
    {"v_div_fmas_f32", divFmasLanes<Single>, F32, {F32, F32, F32}, 3},
    {"v_div_fmas_f64", divFmasLanes<Double>, F64, {F64, F64, F64}, 3},
    {"v_div_fixup_f32", divFixupLanes<Single>, F32, {F32, F32, F32}, 3},
    {"v_div_fixup_f64", divFixupLanes<Double>, F64, {F64, F64, F64}, 3},
    {"v_div_fixup_f16", divFixupLanes<Half>, F16, {F16, F16, F16}, 3},
};
} // namespace

Decoded tilewright::amdgpu::decodeFloatDivide(Decoder &decoder) {
  bool isSingle = decoder.mnemonic() == "v_div_scale_f32";
  if (!isSingle && decoder.mnemonic() != "v_div_scale_f64")
    return decodeFloats(decoder, entries);
  Instruction &instruction = decoder.instruction;
  instruction.execute = isSingle ? divScaleLanes<Single> : divScaleLanes<Double>;
  const Type type = isSingle ? F32 : F64;
  bool good =
      decoder.expect(5) &&
      decoder.destination(0, instruction.destination[0], isSingle ? 1 : 2) &&
      decoder.destination(1, instruction.destination[1], decoder.target.waveSize / 32) &&
      decodeFloatModifiers(decoder);
  for (unsigned i = 0; good && i < 3; ++i)
    good = decoder.source(i + 2, type, instruction.source[i]);
  return decodedIf(good);
}
