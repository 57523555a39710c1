//===- FloatOps.h - Sums and products -----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_FLOATOPS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_FLOATOPS_H

#include "emulators/amdgpu/FloatLanes.h"

namespace tilewright::amdgpu {

// Sums and products of two values of f16 are exact in double.
struct Add {
  template <typename T> static T apply(T a, T b) { return a + b; }
  static double toOdd(double a, double b) { return a + b; }
};
struct Subtract {
  template <typename T> static T apply(T a, T b) { return a - b; }
  static double toOdd(double a, double b) { return a - b; }
};
struct SubtractReversed {
  template <typename T> static T apply(T a, T b) { return b - a; }
  static double toOdd(double a, double b) { return b - a; }
};
struct Multiply {
  template <typename T> static T apply(T a, T b) { return a * b; }
  static double toOdd(double a, double b) { return a * b; }
};
struct Fma {
  static float apply(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static double apply(double a, double b, double c) { return __builtin_fma(a, b, c); }
  static double toOdd(double a, double b, double c) {
    return emulator::fusedToOdd(a, b, c);
  }
};

/// Of gfx90a: the product is rounded, and subnormals are flushed whatever MODE says.
struct Mad {
  static constexpr bool flushes = true;
  static float apply(float a, float b, float c) {
    // A subnormal product is flushed too.
    uint32_t product = flush<Single>(bitCast<uint32_t>(a * b));
    return bitCast<float>(product) + c;
  }
};
/// v_mad_f16 rounds its product to f16.
struct MadF16 {
  static double toOdd(double a, double b, double c) {
    return emulator::halfToDouble<emulator::F16>(
               emulator::doubleToHalf<emulator::F16>(a * b)) +
           c;
  }
};

/// Direct3D 9's: zero times anything is +0.
inline bool isEitherZero(float a, float b) {
  return isZero<Single>(bitCast<uint32_t>(a)) | isZero<Single>(bitCast<uint32_t>(b));
}
struct MultiplyLegacy {
  static float apply(float a, float b) { return isEitherZero(a, b) ? 0.0f : a * b; }
};
struct MadLegacy {
  static constexpr bool flushes = true;
  static float apply(float a, float b, float c) {
    uint32_t product = flush<Single>(bitCast<uint32_t>(MultiplyLegacy::apply(a, b)));
    return bitCast<float>(product) + c;
  }
};
struct FmaLegacy {
  static float apply(float a, float b, float c) {
    return isEitherZero(a, b) ? 0.0f + c : __builtin_fmaf(a, b, c);
  }
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_FLOATOPS_H
