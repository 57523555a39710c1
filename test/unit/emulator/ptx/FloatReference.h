//===- FloatReference.h - Rounding by looking up neighbours -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reference knows a format as the increasing list of its magnitudes, made by steps
// that double, and rounds by looking for a value's neighbours in it, in 113-bit
// arithmetic.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_FLOATREFERENCE_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_FLOATREFERENCE_H

#include "emulators/common/Float.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tilewright::emulator::test {

using Quad = __float128;

struct Reference {
  explicit Reference(const Format &format) : format(format) {
    bool powers = format.specials == Specials::PowersOfTwo;
    Quad step = std::ldexp(1.0, 1 - format.bias - format.mantissaBits);
    Quad value = 0;
    uint64_t block = uint64_t(1) << format.mantissaBits;
    // One more than the largest, which says where overflow begins.
    for (uint64_t code = 0; code <= format.largest() + 1; ++code) {
      if (powers) {
        magnitudes.push_back(std::ldexp(1.0, int(code) - format.bias));
        continue;
      }
      magnitudes.push_back(value);
      if (code >= 2 * block && code % block == 0)
        step *= 2;
      value += step;
    }
  }

  uint64_t round(Quad value, bool negative, Rounding rounding, bool saturate) const {
    if (!format.isSigned())
      negative = false;
    uint64_t sign = negative ? format.signBit() : 0;
    Quad magnitude = value < 0 ? -value : value;
    size_t above = std::lower_bound(magnitudes.begin(), magnitudes.end(), magnitude) -
                   magnitudes.begin();
    size_t code;
    if (above == magnitudes.size())
      code = above;
    else if (magnitudes[above] == magnitude || above == 0)
      code = above;
    else {
      size_t below = above - 1;
      Quad toBelow = magnitude - magnitudes[below],
           toAbove = magnitudes[above] - magnitude;
      switch (rounding) {
      case Rounding::NearestEven:
        code = toBelow < toAbove   ? below
               : toAbove < toBelow ? above
               : below % 2 == 0    ? below
                                   : above;
        break;
      case Rounding::NearestAway:
        code = toBelow < toAbove ? below : above;
        break;
      case Rounding::Zero:
        code = below;
        break;
      case Rounding::Down:
        code = negative ? above : below;
        break;
      case Rounding::Up:
        code = negative ? below : above;
        break;
      default:
        code = below % 2 ? below : above;
      }
    }
    if (code > format.largest()) {
      bool keepsFinite = (rounding == Rounding::Zero || rounding == Rounding::Odd ||
                          (rounding == Rounding::Down && !negative) ||
                          (rounding == Rounding::Up && negative));
      if (saturate || format.specials == Specials::None)
        return sign | format.largest();
      if (format.specials == Specials::Infinities)
        return sign | (keepsFinite ? format.largest() : format.largest() + 1);
      if (format.specials == Specials::OneNan)
        return sign | format.nan();
      return format.nan();
    }
    if (code == 0 && format.specials == Specials::NanAsMinusZero)
      return 0;
    return sign | code;
  }

  Format format;
  std::vector<Quad> magnitudes;
};

} // namespace tilewright::emulator::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_FLOATREFERENCE_H
