//===- Pair.h - Numbers as unevaluated sums of two floats ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pair stands for hi + lo, where lo is at most about one unit in the last place of hi:
// twice the precision of its type. Sums and products of two floats are exact as pairs,
// what else is below keeps about 100 of 106 bits of f64.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_PAIR_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_PAIR_H

#include "compiler/transforms/Expr.h"

namespace tilewright {

struct Pair {
  Expr hi, lo;
  /// The pair in one float.
  Expr rounded() const { return hi + lo; }
};

/// A constant written as its two parts.
struct PairConstant {
  double hi, lo;
};

/// x + y exactly, for |x| >= |y| or x = 0.
inline Pair orderedSum(Expr x, Expr y) {
  Expr sum = x + y;
  return {sum, y - (sum - x)};
}

/// x + y exactly.
inline Pair exactSum(Expr x, Expr y) {
  Expr sum = x + y, ofY = sum - x;
  return {sum, (x - (sum - ofY)) + (y - ofY)};
}

/// x * y exactly.
inline Pair exactProduct(Expr x, Expr y) {
  Expr product = x * y;
  return {product, fma(x, y, -product)};
}

/// The sum of `x` and `y`, for |x| >= |y| or x = 0.
inline Pair sum(Expr x, Pair y) {
  Pair result = orderedSum(x, y.hi);
  return {result.hi, result.lo + y.lo};
}
inline Pair sum(Pair x, Pair y) {
  Pair result = orderedSum(x.hi, y.hi);
  return {result.hi, result.lo + (x.lo + y.lo)};
}

inline Pair operator-(Pair x) { return {-x.hi, -x.lo}; }
/// The product with a power of two, which is exact.
inline Pair scaled(Pair x, Expr power) { return {x.hi * power, x.lo * power}; }
inline Pair scaled(Pair x, double power) { return {x.hi * power, x.lo * power}; }

inline Pair operator*(Pair x, Pair y) {
  Pair result = exactProduct(x.hi, y.hi);
  return {result.hi, result.lo + fma(x.hi, y.lo, x.lo * y.hi)};
}
inline Pair operator*(Pair x, PairConstant y) {
  return x * Pair{x.hi.constant(y.hi), x.hi.constant(y.lo)};
}

/// The quotient, for finite operands whose squares neither overflow nor vanish.
inline Pair operator/(Pair x, Pair y) {
  Expr reciprocal = 1.0 / y.hi, quotient = x.hi * reciprocal;
  Expr rest = fma(-quotient, y.hi, x.hi) + fma(-quotient, y.lo, x.lo);
  return orderedSum(quotient, rest * reciprocal);
}

inline Pair select(Expr condition, Pair x, Pair y) {
  return {select(condition, x.hi, y.hi), select(condition, x.lo, y.lo)};
}

} // namespace tilewright

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_PAIR_H
