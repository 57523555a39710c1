//===- Float.cpp - Floating-point formats of GPUs -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Float.h"

#include <cmath>
#include <map>
#include <mutex>

using namespace tilewright::emulator;

static constexpr int doubleBias = 1023, doubleMantissa = 52;
static constexpr uint64_t doubleFraction = (uint64_t(1) << doubleMantissa) - 1;

double tilewright::emulator::toDouble(const Format &format, uint64_t bits) {
  uint64_t magnitude = bits & ((uint64_t(1) << format.magnitudeBits()) - 1);
  uint64_t sign = (bits & format.signBit()) ? uint64_t(1) << 63 : 0;
  uint64_t fraction = magnitude & ((uint64_t(1) << format.mantissaBits) - 1);
  int exponent = static_cast<int>(magnitude >> format.mantissaBits);

  bool isNan = false;
  switch (format.specials) {
  case Specials::Infinities:
    if (magnitude == format.infinity())
      return bitCast<double>(sign | doubleInfinity);
    isNan = magnitude > format.infinity();
    break;
  case Specials::OneNan:
  case Specials::PowersOfTwo:
    isNan = magnitude > format.largest();
    break;
  case Specials::NanAsMinusZero:
    isNan = bits == format.signBit();
    break;
  case Specials::None:
    break;
  }
  if (isNan) {
    uint64_t payload = fraction << (doubleMantissa - format.mantissaBits);
    return bitCast<double>(sign | doubleInfinity | payload |
                           uint64_t(1) << (doubleMantissa - 1));
  }
  if (format.specials == Specials::PowersOfTwo)
    return std::ldexp(1.0, exponent - format.bias);
  double value = exponent == 0
                     ? std::ldexp(double(fraction), 1 - format.bias - format.mantissaBits)
                     : std::ldexp(double(fraction | uint64_t(1) << format.mantissaBits),
                                  exponent - format.bias - format.mantissaBits);
  return sign ? -value : value;
}

/// The encoding of what is too large for `format`.
static uint64_t getOverflow(const Format &format, bool negative, Rounding rounding,
                            bool saturate) {
  uint64_t sign = negative ? format.signBit() : 0;
  if (saturate || format.specials == Specials::None)
    return sign | format.largest();
  if (format.specials == Specials::OneNan)
    return sign | format.nan();
  if (format.specials != Specials::Infinities)
    return format.nan();
  bool finite = rounding == Rounding::Zero || rounding == Rounding::Odd ||
                (rounding == Rounding::Down && !negative) ||
                (rounding == Rounding::Up && negative);
  return sign | (finite ? format.largest() : format.infinity());
}

/// Whether a magnitude is rounded up, the last bit of whose encoding is `odd` and of
/// which `rest`, less than 2 · `half`, is lost.
static bool roundsUp(Rounding rounding, bool negative, bool odd, uint64_t rest,
                     uint64_t half) {
  switch (rounding) {
  case Rounding::NearestEven:
    return rest > half || (rest == half && odd);
  case Rounding::NearestAway:
    return rest >= half;
  case Rounding::Zero:
    return false;
  case Rounding::Down:
    return negative && rest != 0;
  case Rounding::Up:
    return !negative && rest != 0;
  case Rounding::Odd:
    return rest != 0 && !odd;
  }
  return false;
}

uint64_t tilewright::emulator::fromFixed(const Format &format, bool negative,
                                         uint64_t significand, int exponent,
                                         Rounding rounding, bool saturate) {
  bool powersOfTwo = format.specials == Specials::PowersOfTwo;
  negative = negative && !powersOfTwo;
  uint64_t sign = negative ? format.signBit() : 0;
  if (format.specials == Specials::NanAsMinusZero && significand == 0)
    sign = 0;
  if (significand == 0)
    return sign;

  // The place of the last bit that is kept. Powers of two have no subnormals: below the
  // smallest, whose encoding is zero, everything is rounded to it.
  int leading = exponent + 63 - __builtin_clzll(significand);
  int smallest = powersOfTwo ? -format.bias : 1 - format.bias;
  if (powersOfTwo && leading < smallest)
    return 0;
  int place = (leading > smallest ? leading : smallest) - format.mantissaBits;

  // kept · 2^place, and what is lost of it in units of 2^(place - 63) or so.
  int shift = place - exponent;
  uint64_t kept, rest = 0, half = uint64_t(1) << 63;
  if (shift <= 0) {
    kept = significand << -shift;
  } else if (shift < 64) {
    kept = significand >> shift;
    rest = significand << (64 - shift);
  } else {
    kept = 0;
    // Less than half, unless the leading bit is the one below the last kept.
    rest = shift == 64 ? significand : 1;
  }
  // The leading bit of a normal value adds one to the exponent before it, which is why
  // that is one too small; so does a carry out of the mantissa.
  int64_t encoded = (int64_t(place) + format.mantissaBits + format.bias - !powersOfTwo) *
                        (int64_t(1) << format.mantissaBits) +
                    int64_t(kept) - powersOfTwo;
  encoded += roundsUp(rounding, negative, encoded & 1, rest, half);
  if (encoded > static_cast<int64_t>(format.largest()))
    return getOverflow(format, negative, rounding, saturate);
  if (format.specials == Specials::NanAsMinusZero && encoded == 0)
    return 0;
  return sign | static_cast<uint64_t>(encoded);
}

uint64_t tilewright::emulator::fromDouble(const Format &format, double value,
                                          Rounding rounding, bool saturate) {
  uint64_t bits = bitCast<uint64_t>(value);
  bool negative = bits >> 63;
  uint64_t magnitude = bits & ~(uint64_t(1) << 63);
  if (magnitude > doubleInfinity)
    return format.nan();
  if (magnitude == doubleInfinity) {
    // An infinity is no overflow that rounding toward zero would keep finite.
    return getOverflow(format, negative && format.isSigned(), Rounding::NearestEven,
                       saturate);
  }
  uint64_t fraction = magnitude & doubleFraction;
  int exponent = static_cast<int>(magnitude >> doubleMantissa);
  if (exponent == 0)
    return fromFixed(format, negative, fraction, 1 - doubleBias - doubleMantissa,
                     rounding, saturate);
  return fromFixed(format, negative, fraction | uint64_t(1) << doubleMantissa,
                   exponent - doubleBias - doubleMantissa, rounding, saturate);
}

double tilewright::emulator::roundToIntegral(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::NearestEven:
  case Rounding::Odd:
    return std::nearbyint(value);
  case Rounding::NearestAway:
    return std::round(value);
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  }
  return value;
}

static double getPowerOfTwo(unsigned exponent) {
  return bitCast<double>(uint64_t(doubleBias + exponent) << doubleMantissa);
}

uint64_t tilewright::emulator::toInteger(double value, unsigned bits, bool isSigned) {
  uint64_t mask = bits == 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  if (!isSigned) {
    if (value <= 0)
      return 0;
    return value >= getPowerOfTwo(bits) ? mask : static_cast<uint64_t>(value);
  }
  double limit = getPowerOfTwo(bits - 1);
  if (value < -limit)
    return uint64_t(1) << (bits - 1);
  if (value >= limit)
    return mask >> 1;
  return static_cast<uint64_t>(static_cast<int64_t>(value)) & mask;
}

const std::array<float, 256> &tilewright::emulator::getValues8(const Format &format) {
  static std::mutex lock;
  static std::map<std::array<int, 4>, std::array<float, 256>> tables;
  std::lock_guard<std::mutex> guard(lock);
  auto [found, isNew] =
      tables.try_emplace({format.exponentBits, format.mantissaBits, format.bias,
                          static_cast<int>(format.specials)});
  if (isNew)
    for (unsigned i = 0; i < 256; ++i)
      found->second[i] = static_cast<float>(toDouble(format, i));
  return found->second;
}

RoundingScope::RoundingScope(Rounding rounding) : changed(true) {
  switch (rounding) {
  case Rounding::Zero:
    std::fesetround(FE_TOWARDZERO);
    return;
  case Rounding::Down:
    std::fesetround(FE_DOWNWARD);
    return;
  case Rounding::Up:
    std::fesetround(FE_UPWARD);
    return;
  default:
    changed = false;
  }
}

RoundingScope::~RoundingScope() {
  if (changed)
    std::fesetround(FE_TONEAREST);
}
