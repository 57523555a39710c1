//===- Scalar.cpp - Scalar arguments in a parameter's dtype ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scalar.h"

#include "tilewright/abi.h"

#include <cstring>

using namespace tilewright;

namespace {

/// What the highest codes of a format mean.
enum class Specials {
  Ieee,        // the highest exponent is infinity and NaN
  OneNaN,      // the highest code is NaN
  NegativeNaN, // the code of -0 is NaN, and zero has no sign
  None
};

/// A float format narrower than float64; value = significand * 2^(exponent - bias).
struct FloatFormat {
  int exponentBits;
  int mantissaBits;
  int bias;
  Specials specials;
};

} // namespace

template <typename To, typename From> static To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

/// Rounds a finite double or infinity or NaN to the format. What the format cannot hold
/// gives OutOfRange.
static ScalarResult roundTo(FloatFormat format, double value, uint64_t &word) {
  uint64_t bits = bitCast<uint64_t>(value);
  uint64_t negative = uint64_t(1) << (format.exponentBits + format.mantissaBits);
  uint64_t sign = bits >> 63 ? negative : 0;
  uint64_t highest = negative - 1;
  uint64_t infinity = highest >> format.mantissaBits << format.mantissaBits;
  int64_t exponent = static_cast<int64_t>(bits >> 52 & 0x7ff) - 1023;
  bool isIeee = format.specials == Specials::Ieee;
  if (exponent == 1024) {
    bool nan = bits << 12;
    if (format.specials == Specials::None || (!nan && !isIeee))
      return ScalarResult::OutOfRange;
    uint64_t quiet = infinity | uint64_t(1) << (format.mantissaBits - 1);
    word = format.specials == Specials::NegativeNaN ? negative
                                                    : sign | (!nan     ? infinity
                                                              : isIeee ? quiet
                                                                       : highest);
    return ScalarResult::Converted;
  }

  // The value is mantissa * 2^(exponent - 52). Numbers below the format's least
  // normal one keep fewer bits. The carry of rounding runs into the exponent.
  uint64_t mantissa = (bits & ((uint64_t(1) << 52) - 1)) | uint64_t(1) << 52;
  int64_t biased = exponent + format.bias;
  int64_t dropped = 52 - format.mantissaBits + (biased < 1 ? 1 - biased : 0);
  uint64_t kept = 0;
  if (dropped < 64) {
    uint64_t rest = mantissa & ((uint64_t(1) << dropped) - 1);
    uint64_t half = uint64_t(1) << (dropped - 1);
    kept = mantissa >> dropped;
    kept += rest > half || (rest == half && (kept & 1));
  }
  if (biased >= 1)
    kept += static_cast<uint64_t>(biased - 1) << format.mantissaBits;
  uint64_t largest = isIeee                                ? infinity - 1
                     : format.specials == Specials::OneNaN ? highest - 1
                                                           : highest;
  if (kept > largest)
    return ScalarResult::OutOfRange;
  if (kept == 0 && format.specials == Specials::NegativeNaN)
    sign = 0;
  word = sign | kept;
  return ScalarResult::Converted;
}

/// The exponent, as a byte, of the power of two that is nearest, the larger of two.
static ScalarResult roundToPower(double value, uint64_t &word) {
  if (value != value) {
    word = 0xff;
    return ScalarResult::Converted;
  }
  uint64_t bits = bitCast<uint64_t>(value);
  int64_t power = static_cast<int64_t>((bits + (uint64_t(1) << 51)) >> 52) - 1023 + 127;
  if (!(value > 0) || power < 0 || power > 254)
    return ScalarResult::OutOfRange;
  word = static_cast<uint64_t>(power);
  return ScalarResult::Converted;
}

static ScalarResult convertFloat(int64_t dtype, double value, uint64_t &word) {
  switch (dtype) {
  case TW_F16:
    return roundTo({5, 10, 15, Specials::Ieee}, value, word);
  case TW_BF16:
    return roundTo({8, 7, 127, Specials::Ieee}, value, word);
  case TW_F32:
    return roundTo({8, 23, 127, Specials::Ieee}, value, word);
  case TW_F8E4M3FN:
    return roundTo({4, 3, 7, Specials::OneNaN}, value, word);
  case TW_F8E5M2:
    return roundTo({5, 2, 15, Specials::Ieee}, value, word);
  case TW_F8E4M3FNUZ:
    return roundTo({4, 3, 8, Specials::NegativeNaN}, value, word);
  case TW_F8E5M2FNUZ:
    return roundTo({5, 2, 16, Specials::NegativeNaN}, value, word);
  case TW_F8E4M3B11FNUZ:
    return roundTo({4, 3, 11, Specials::NegativeNaN}, value, word);
  case TW_F8E8M0FNU:
    return roundToPower(value, word);
  case TW_F4E2M1FN:
    return roundTo({2, 1, 1, Specials::None}, value, word);
  default:
    word = bitCast<uint64_t>(value);
    return ScalarResult::Converted;
  }
}

/// `negative` says that `bits` is a negative int64.
static ScalarResult convertInteger(int64_t dtype, uint64_t bits, bool negative,
                                   uint64_t &word) {
  bool isSigned = dtype >= TW_I8 && dtype <= TW_I64;
  int width = dtype == TW_BOOL ? 1 : 8 << (isSigned ? dtype - TW_I8 : dtype - TW_U8);
  word = bits;
  if (negative)
    return isSigned && static_cast<int64_t>(bits) >> (width - 1) == -1
               ? ScalarResult::Converted
               : ScalarResult::OutOfRange;
  uint64_t maximum = ~uint64_t(0) >> (64 - width + isSigned);
  return bits <= maximum ? ScalarResult::Converted : ScalarResult::OutOfRange;
}

ScalarResult tilewright::convertScalar(int64_t dtype, int64_t from, uint64_t bits,
                                       uint64_t &word) {
  if (from != TW_BOOL && from != TW_I64 && from != TW_U64 && from != TW_F64)
    return ScalarResult::NotAScalar;
  bool negative = from == TW_I64 && static_cast<int64_t>(bits) < 0;
  if (dtype < TW_F16)
    return from == TW_F64 ? ScalarResult::NotAnInteger
                          : convertInteger(dtype, bits, negative, word);
  double value = from == TW_F64 ? bitCast<double>(bits)
                 : negative     ? static_cast<double>(static_cast<int64_t>(bits))
                                : static_cast<double>(bits);
  return convertFloat(dtype, value, word);
}
