//===- ExpandMathLog.cpp - Logarithms of f64 ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Logarithms of one float are good to 2^-55 before their last rounding. The others take
// and give a pair that is good to about 2^-64, which powers need: it is multiplied by up
// to 2^9 before it becomes an exponent.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/MathFunctions.h"

using namespace mlir;
using namespace tilewright;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

/// The logarithm of m, a pair between sqrt(1/2) and sqrt(2).
static Pair logOfMantissa(Pair m) {
  // log(m) = 2 atanh(s) with s = f / (2 + f) for f = m - 1, which is exact.
  Expr f = m.hi - 1.0;
  Pair denominator = orderedSum(f.constant(2.0), f);
  denominator.lo = denominator.lo + m.lo;
  Pair s = Pair{f, m.lo} / denominator;
  // atanh(s) = s + s z (1/3 + z p(z)) with z = s^2. Error 2^-73.5.
  Pair z = s * s;
  Expr p =
      polynomial(z.hi, {0x1.eac5b560f36edp-5, 0x1.de3d715ee8797p-5, 0x1.11206f2adcff5p-4,
                        0x1.3b1364c9538bdp-4, 0x1.745d1829567e8p-4, 0x1.c71c71c5968f8p-4,
                        0x1.2492492492f51p-3, 0x1.9999999999996p-3});
  Pair third = {f.constant(0x1.5555555555555p-2), f.constant(0x1.5555555555555p-56)};
  Pair factor = orderedSum(third.hi, z.hi * p);
  factor.lo = factor.lo + third.lo;
  return scaled(sum(s, s * (z * factor)), 2.0);
}

/// The logarithm of m, between sqrt(1/2) and sqrt(2), to 2^-55.
static Pair logOfMantissa(Expr m) {
  // log(m) = f - (h - s (h + z p(z))) with h = f^2 / 2, z = s^2. Error 2^-59.5.
  Expr f = m - 1.0, s = f / (f + 2.0), z = s * s;
  Expr p =
      polynomial(z, {0x1.2f0465c02a932p-3, 0x1.39a1d9a55b93fp-3, 0x1.74663d6f3acb5p-3,
                     0x1.c71c521247833p-3, 0x1.24924941e337cp-2, 0x1.999999997ff05p-2,
                     0x1.5555555555592p-1});
  Pair h = scaled(exactProduct(f, f), 0.5);
  Pair result = orderedSum(f, -h.hi);
  return {result.hi, result.lo + fma(s, fma(z, p, h.hi), -h.lo)};
}

namespace {
/// x = 2^exponent * m for a mantissa m between sqrt(1/2) and sqrt(2).
struct Split {
  Expr exponent; // of f64
  Pair mantissa;
};
} // namespace

/// Splits a positive finite `x`; its lower part counts where its higher is no denormal.
static Split splitExponent(Pair x) {
  OpBuilder &b = x.hi.builder();
  Expr denormal = x.hi < 0x1p-1022;
  Expr bits = select(denormal, x.hi * 0x1p54, x.hi).bits();
  // The bits of 1 less those of sqrt(1/2): what is at least sqrt(1/2) 2^e counts for e.
  const int64_t one = 0x3ff0000000000000, root = 0x3fe6a09e667f3bcd;
  Expr biased = shiftUnsigned(bits + (one - root), 52);
  Expr hi = (bits - ((biased << 52) - one)).bitsAs(x.hi.element());
  // 2^(1 - e), which is 0 for the largest e, 1024.
  Expr power = ((2047 - biased) << 52).bitsAs(x.hi.element());
  Expr exponent = (biased.to<arith::TruncIOp>(b.getI32Type()) - 1023)
                      .to<arith::SIToFPOp>(x.hi.element());
  return {exponent + select(denormal, -54.0, exponent.constant(0.0)),
          {hi, x.lo * 0.5 * power}};
}

/// e log(2) + log, for an exponent e.
static Pair withExponent(Expr e, Pair log) {
  // Exact: 42 bits of log(2) times e.
  Pair result = sum(e * 0x1.62e42fefa38p-1, log);
  return orderedSum(result.hi, fma(e, 0x1.ef35793c76730p-45, result.lo));
}

/// The logarithm of x to 2^-64; where x is not positive or not finite, any.
static Pair logOf(Pair x) {
  auto [e, mantissa] = splitExponent(x);
  return withExponent(e, logOfMantissa(mantissa));
}

/// The logarithm of x to 2^-55; where x is not positive or not finite, any.
static Pair shortLogOf(Expr x) {
  auto [e, mantissa] = splitExponent({x, x.constant(0.0)});
  return withExponent(e, logOfMantissa(mantissa.hi));
}

/// `result` for positive finite x; the values of a logarithm elsewhere.
static Expr logEdges(Expr x, Expr result) {
  result = select(equal(x, infinity), x, result);
  Expr edge = select(equal(x, 0.0), -infinity, x.constant(notANumber));
  return select(x > 0.0, result, edge);
}

Expr maths::log(Expr x) { return logEdges(x, shortLogOf(x).rounded()); }

Expr maths::log2(Expr x) {
  auto [e, mantissa] = splitExponent({x, x.constant(0.0)});
  constexpr PairConstant perLog2 = {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};
  return logEdges(x, sum(e, logOfMantissa(mantissa.hi) * perLog2).rounded());
}

Expr maths::log10(Expr x) {
  constexpr PairConstant perLog10 = {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
  return logEdges(x, (shortLogOf(x) * perLog10).rounded());
}

/// `result`, but x itself where |x| is below `bound`.
static Expr orItself(Expr x, double bound, Expr result) {
  Expr small = x.apply<math::AbsFOp>() < bound;
  return select(small, x, result);
}

Expr maths::log1p(Expr x) {
  Pair over1 = exactSum(x.constant(1.0), x);
  return orItself(x, 0x1p-54, logEdges(over1.hi, logOf(over1).rounded()));
}

//===----------------------------------------------------------------------===//
// Inverse hyperbolic functions
//===----------------------------------------------------------------------===//

/// The root of x, a pair that is not negative, for x.hi without overflow nearby.
static Pair root(Pair x) {
  Expr root = x.hi.apply<math::SqrtOp>();
  Expr rest = fma(-root, root, x.hi) + x.lo;
  return {root, rest / (root * 2.0).atLeast(0x1p-1000)};
}

/// From here on, x + sqrt(x^2 + 1) is 2x.
constexpr double hugeHyperbolic = 0x1p60;

/// log(1 + v) for v >= 0, but log(2 v) where `isHuge`.
static Expr logOver1(Pair v, Expr isHuge) {
  Pair over1 = exactSum(v.hi, v.hi.constant(1.0));
  over1 = orderedSum(over1.hi, over1.lo + v.lo);
  Pair log = logOf(select(isHuge, v, over1));
  Pair log2 = {v.hi.constant(0x1.62e42fefa39efp-1), v.hi.constant(0x1.abc9e3b39803fp-56)};
  return select(isHuge, sum(log, log2), log).rounded();
}

Expr maths::asinh(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  Expr isHuge = a >= hugeHyperbolic, c = a.atMost(hugeHyperbolic);
  // log(a + sqrt(a^2 + 1)) = log(1 + a + a^2 / (1 + sqrt(a^2 + 1)))
  Expr square = c * c;
  Pair v = orderedSum(c, square / (1.0 + (square + 1.0).apply<math::SqrtOp>()));
  Expr result = logOver1(select(isHuge, Pair{a, a.constant(0.0)}, v), isHuge);
  result = select(a < infinity, result, a);
  return orItself(x, 0x1p-28, result.apply<math::CopySignOp>(x));
}

Expr maths::acosh(Expr x) {
  Expr isHuge = x >= hugeHyperbolic;
  // log(x + sqrt(x^2 - 1)) = log(1 + t + sqrt(t^2 + 2t)) for t = x - 1, which is exact.
  Expr t = x.atMost(hugeHyperbolic) - 1.0;
  Pair square = exactProduct(t, t);
  Pair inner = exactSum(t * 2.0, square.hi);
  Pair r = root({inner.hi, inner.lo + square.lo});
  Pair v = exactSum(r.hi, t);
  v.lo = v.lo + r.lo;
  Expr result = logOver1(select(isHuge, Pair{x, x.constant(0.0)}, v), isHuge);
  result = select(x < infinity, result, x);
  return select(x >= 1.0, result, notANumber);
}

Expr maths::atanh(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  // log((1 + a) / (1 - a)) / 2
  Pair quotient = exactSum(a.constant(1.0), a) / exactSum(a.constant(1.0), -a);
  Expr result = logOf(quotient).rounded() * 0.5;
  result = select(equal(a, 1.0), infinity, result);
  result = select(a <= 1.0, result, notANumber);
  return orItself(x, 0x1p-28, result.apply<math::CopySignOp>(x));
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

/// x to the power y, for the logarithm of |x| where that is positive and finite.
static Expr powerOfLog(Expr x, Expr y, Pair log) {
  Expr a = x.apply<math::AbsFOp>();
  log.hi = logEdges(a, log.hi);
  Pair exponent = exactProduct(log.hi, y);
  // Beyond 800 only the sign counts; there the lower parts may be no numbers.
  Expr inside = exponent.hi.apply<math::AbsFOp>() < 800.0;
  Expr lo = select(inside, fma(log.lo, y, exponent.lo), 0.0);
  Expr size = maths::expOfPair({exponent.hi.atMost(710).atLeast(-746), lo});
  Expr one = equal(y, 0.0) | equal(x, 1.0);
  one = one | (equal(a, 1.0) & equal(y.apply<math::AbsFOp>(), infinity));
  size = select(one, 1.0, size);

  // A negative base has powers with whole exponents, the sign of odd ones.
  Expr half = y * 0.5;
  Expr whole = equal(y.apply<math::FloorOp>(), y);
  Expr odd = whole & differ(half.apply<math::FloorOp>(), half);
  Expr signBit = x.bits() < 0;
  size = select(odd & signBit, -size, size);
  Expr undefined = (x < 0.0) & (a < infinity) & differ(y.apply<math::FloorOp>(), y);
  return select(undefined & equal(y, y), notANumber, size);
}

Expr maths::pow(Expr x, Expr y) {
  Expr a = x.apply<math::AbsFOp>();
  return powerOfLog(x, y, logOf({a, a.constant(0.0)}));
}

Expr maths::powForF32(Expr x, Expr y) {
  Expr a = x.apply<math::AbsFOp>();
  return powerOfLog(x, y, {shortLogOf(a).rounded(), a.constant(0.0)});
}
