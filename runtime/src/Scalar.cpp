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

/// A float format narrower than float32. `hasInfinity` is the IEEE use of the highest
/// exponent; without it, only its highest mantissa is special, a NaN.
struct FloatFormat {
  int exponentBits;
  int mantissaBits;
  bool hasInfinity;
};

} // namespace

template <typename To, typename From> static To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

/// Rounds a finite double or infinity or NaN to the format. A finite value that the
/// format cannot hold gives OutOfRange.
static ScalarResult roundTo(FloatFormat format, double value, uint64_t &word) {
  uint64_t bits = bitCast<uint64_t>(value);
  uint64_t sign = (bits >> 63) << (format.exponentBits + format.mantissaBits);
  uint64_t highest = (uint64_t(1) << (format.exponentBits + format.mantissaBits)) - 1;
  uint64_t infinity = highest >> format.mantissaBits << format.mantissaBits;
  int64_t exponent = static_cast<int64_t>(bits >> 52 & 0x7ff) - 1023;
  if (exponent == 1024) {
    bool nan = bits << 12;
    if (!nan && !format.hasInfinity)
      return ScalarResult::OutOfRange;
    uint64_t quiet = infinity | uint64_t(1) << (format.mantissaBits - 1);
    word = sign | (!nan ? infinity : format.hasInfinity ? quiet : highest);
    return ScalarResult::Converted;
  }

  // The value is mantissa * 2^(exponent - 52). Numbers below the format's least
  // normal one keep fewer bits. The carry of rounding runs into the exponent.
  int64_t bias = (int64_t(1) << (format.exponentBits - 1)) - 1;
  uint64_t mantissa = (bits & ((uint64_t(1) << 52) - 1)) | uint64_t(1) << 52;
  int64_t biased = exponent + bias;
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
  if (kept > (format.hasInfinity ? infinity : highest) - 1)
    return ScalarResult::OutOfRange;
  word = sign | kept;
  return ScalarResult::Converted;
}

static ScalarResult convertFloat(int64_t dtype, double value, uint64_t &word) {
  switch (dtype) {
  case TW_F16:
    return roundTo({5, 10, true}, value, word);
  case TW_BF16:
    return roundTo({8, 7, true}, value, word);
  case TW_F32:
    return roundTo({8, 23, true}, value, word);
  case TW_F8E4M3FN:
    return roundTo({4, 3, false}, value, word);
  case TW_F8E5M2:
    return roundTo({5, 2, true}, value, word);
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
