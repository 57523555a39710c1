//===- MathFunctions.h - The functions that expand-math writes out ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All take and give scalars or vectors of any shape, of the type that a function's name
// says.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_MATHFUNCTIONS_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_MATHFUNCTIONS_H

#include "compiler/transforms/Pair.h"

namespace tilewright::maths {

// ExpandMathF32.cpp
Expr expF32(Expr x);
Expr exp2F32(Expr x);
/// Gives p * 2^n for an integer n in [-160, 128], rounded once.
using Scaling = llvm::function_ref<Expr(Expr p, Expr n)>;
/// expF32 with `scale` for its last step.
Expr expF32(Expr x, Scaling scale);
/// 2^f for |f| <= 1/2.
Expr exp2OfFraction(Expr f);
Expr logF32(Expr x);
Expr log2F32(Expr x);
Expr sinF32(Expr x);
Expr cosF32(Expr x);
Expr tanhF32(Expr x);
Expr erfF32(Expr x);

// ExpandMathExp.cpp, all of f64
Expr exp(Expr x);
Expr exp2(Expr x);
Expr expm1(Expr x);
Expr sinh(Expr x);
Expr cosh(Expr x);
Expr tanh(Expr x);
Expr erf(Expr x);
/// e to the power of `x`, which is in [-746, 710] or NaN.
Expr expOfPair(Pair x);

// ExpandMathLog.cpp, all of f64
Expr log(Expr x);
Expr log2(Expr x);
Expr log10(Expr x);
Expr log1p(Expr x);
Expr asinh(Expr x);
Expr acosh(Expr x);
Expr atanh(Expr x);
Expr pow(Expr x, Expr y);
/// In f64 as well, good enough to be rounded to f32.
Expr powForF32(Expr x, Expr y);

// ExpandMathTrig.cpp, all of f64
Expr sin(Expr x);
Expr cos(Expr x);
Expr tan(Expr x);
Expr asin(Expr x);
Expr acos(Expr x);
Expr atan(Expr x);
Expr atan2(Expr y, Expr x);

// ReduceAngle.cpp
/// An angle of f64 less a multiple of pi/2.
struct Angle {
  /// The multiple modulo 4, of i32: of its bits the lowest two count.
  Expr quarters;
  /// The rest, up to pi/4 in magnitude.
  Pair rest;
};
/// `x` up to 2^20 in magnitude as an angle. Larger x give any.
Angle reduceSmallAngle(Expr x);
/// `small`, but in the lanes where `isHuge` is true, `x` reduced whatever its size from
/// 2^10 on.
Angle reduceHugeAngle(Expr x, Expr isHuge, Angle small);
/// Any `x` as an angle.
Angle reduceAngle(Expr x);

// ExpandRemainder.cpp
/// The rest of x / y rounded towards zero, exactly; of f32 or f64.
Expr remainder(Expr x, Expr y);

/// Whether a lane of `condition` is true.
mlir::Value anyLane(Expr condition);

} // namespace tilewright::maths

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_MATHFUNCTIONS_H
