//===- FloatConvert.h - Values of one format in another -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_FLOATCONVERT_H
#define TILEWRIGHT_EMULATORS_AMDGPU_FLOATCONVERT_H

#include "emulators/amdgpu/FloatLanes.h"

#include <cmath>
#include <limits>

namespace tilewright::amdgpu {

/// The value as double, by the host where it has the format.
template <typename F> inline double widen(typename F::Bits bits) {
  if constexpr (std::is_same_v<F, Half>)
    return emulator::halfToDouble<emulator::F16>(bits);
  else
    return double(bitCast<typename F::Value>(bits));
}

/// A NaN keeps its sign and the top of its payload, and becomes quiet.
template <typename From, typename To>
void convertNans(const typename From::Bits *values,
                 LaneArray<typename To::Bits> &result) {
  using Bits = typename To::Bits;
  typename From::Bits any = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    any |= typename From::Bits(magnitudeOf<From>(values[lane]) > infinity<From>);
  if (!any)
    return;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    auto bits = values[lane];
    if (!isNan<From>(bits))
      continue;
    uint64_t payload = bits & ((uint64_t(1) << From::format.mantissaBits) - 1);
    constexpr int shift = To::format.mantissaBits - From::format.mantissaBits;
    payload = shift >= 0 ? payload << (shift & 63) : payload >> (-shift & 63);
    result[lane] = Bits(payload) | Bits(infinity<To> | quietBit<To>) |
                   (bits & signBit<From> ? signBit<To> : Bits(0));
  }
}

/// An integral value or NaN, which is 0, as an integer of up to 32 bits.
template <typename Integer> inline Integer toInteger(double whole) {
  constexpr double least = std::numeric_limits<Integer>::min();
  constexpr double most = std::numeric_limits<Integer>::max();
  uint64_t bits = bitCast<uint64_t>(whole);
  bool isNan = (bits & ~(uint64_t(1) << 63)) > emulator::doubleInfinity;
  whole = bitCast<double>(isNan ? uint64_t(0) : bits);
  whole = whole > least ? whole : least;
  whole = whole < most ? whole : most;
  // Hosts convert to signed integers of 32 bits.
  if constexpr (std::is_same_v<Integer, uint32_t>)
    return uint32_t(static_cast<int32_t>(whole - 2147483648.0)) ^ 0x80000000;
  else
    return static_cast<Integer>(static_cast<int32_t>(whole));
}

/// [-1, 1] or [0, 1] in all of an integer's range.
template <typename Integer> inline uint16_t toNormalised(double value) {
  constexpr double most = std::numeric_limits<Integer>::max();
  constexpr double least = std::is_signed_v<Integer> ? -most : 0;
  double scaled = emulator::roundToIntegral(value * most, Rounding::NearestEven);
  scaled = scaled < least ? least : scaled;
  return static_cast<uint16_t>(toInteger<Integer>(scaled));
}

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_FLOATCONVERT_H
