//===- ExpandMathExp.cpp - Exponentials of f64 --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// e^x, and what is made of it. All of them go through e^r - 1 as a pair, whose error of
// 2^-55 leaves the last rounding as the one that counts. Polynomials are made as those of
// ExpandMathF32.cpp, in 200 bits.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/MathFunctions.h"

using namespace mlir;
using namespace tilewright;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Adding 1.5 * 2^52 to an f64 below 2^51 in magnitude rounds it to an integer, which
/// then sits in the low bits of the sum.
constexpr double rounder = 0x1.8p52;

/// e^r - 1 for |r| <= log(2) / 2. Error of the polynomial 2^-60.
static Pair expm1OfFraction(Pair r) {
  Expr q = polynomial(r.hi, {0x1.1f4aba025f0c1p-29, 0x1.af5d4305a332fp-26,
                             0x1.27e4f557cd2d8p-22, 0x1.71ddf93d1aa87p-19,
                             0x1.a01a019ecc24ep-16, 0x1.a01a01af971b6p-13,
                             0x1.6c16c16c16260p-10, 0x1.111111110f6f8p-7,
                             0x1.5555555555559p-5, 0x1.5555555555559p-3, 0.5});
  Pair result = orderedSum(r.hi, r.hi * r.hi * q);
  return {result.hi, result.lo + fma(r.lo, r.hi, r.lo)};
}

namespace {
/// x = n log(2) + rest for an integer n.
struct Exponent {
  Expr rounded; // n + `rounder`
  Pair rest;
};
} // namespace

static Exponent reduceByLog2(Pair x) {
  Expr rounded = fma(x.hi, 0x1.71547652b82fep+0, rounder);
  Expr n = rounded - rounder;
  // Exact: 42 bits of log(2) times n.
  Expr first = fma(n, -0x1.62e42fefa38p-1, x.hi);
  Pair rest = exactSum(first, n * -0x1.ef35793c76730p-45);
  return {rounded, orderedSum(rest.hi, rest.lo + x.lo)};
}

static Exponent reduceByLog2(Expr x) { return reduceByLog2({x, x.constant(0.0)}); }

/// e^r 2^n in one float, rounded once more where it is denormal; -1080 <= n <= 1024.
static Expr scaleByPowerOfTwo(Exponent x) {
  Pair fraction = expm1OfFraction(x.rest);
  Pair value = orderedSum(fraction.hi.constant(1.0), fraction.hi);
  Expr p = value.hi + (value.lo + fraction.lo);
  // p 2^(n - 1) is a normal number for n in [-1020, 1024]; below, 2^512 is lent and taken
  // back. Multiplications, unlike additions to p's exponent, keep NaN.
  Expr small = x.rounded < rounder - 1020;
  Expr n = select(small, x.rounded + 512, x.rounded).bits();
  Expr power = ((n << 52) + (int64_t(1022) << 52)).bitsAs(p.element());
  return p * power * select(small, 0x1p-511, p.constant(2.0));
}

Expr maths::expOfPair(Pair x) { return scaleByPowerOfTwo(reduceByLog2(x)); }

Expr maths::exp(Expr x) {
  // e^710 is infinite, e^-746 is zero.
  return scaleByPowerOfTwo(reduceByLog2(x.atMost(710).atLeast(-746)));
}

Expr maths::exp2(Expr x) {
  x = x.atMost(1024).atLeast(-1080);
  Expr rounded = x + rounder, fraction = x - (rounded - rounder);
  Pair rest = exactProduct(fraction, x.constant(0x1.62e42fefa39efp-1));
  rest.lo = fma(fraction, 0x1.abc9e3b39803fp-56, rest.lo);
  return scaleByPowerOfTwo({rounded, rest});
}

//===----------------------------------------------------------------------===//
// Differences from 1, hyperbolic functions
//===----------------------------------------------------------------------===//

/// Where sinh and cosh become infinite.
constexpr double largestHyperbolic = 0x1.633ce8fb9f87dp+9;

/// (e^x - 1) / 4 for x up to `largestHyperbolic`; -1/4 below -40.
static Pair quarterExpm1(Expr x) {
  Exponent reduced = reduceByLog2(x.atMost(largestHyperbolic).atLeast(-40));
  Pair fraction = expm1OfFraction(reduced.rest);
  // 2^(n - 2) for n up to 1025
  Expr power =
      ((reduced.rounded.bits() << 52) + (int64_t(1021) << 52)).bitsAs(x.element());
  // power (1 + fraction) - 1/4
  fraction = scaled(fraction, power);
  Pair result = exactSum(power - 0.25, fraction.hi);
  return orderedSum(result.hi, result.lo + fraction.lo);
}

/// `result`, but x itself where x is so small that the function is x.
static Expr orItself(Expr x, Expr result) {
  Expr small = x.apply<math::AbsFOp>() < 0x1p-54;
  return select(small, x, result);
}

Expr maths::expm1(Expr x) { return orItself(x, quarterExpm1(x).rounded() * 4.0); }

/// (1 - e^-a) / 4 for h = (e^a - 1) / 4, a >= 0.
static Pair quarterOfDecay(Pair h) {
  // h / (1 + 4h), which soon is 1/4.
  Expr big = h.hi > 0x1p60;
  h = {select(big, 0x1p60, h.hi), select(big, 0.0, h.lo)};
  Pair denominator = exactSum(h.hi.constant(1.0), h.hi * 4.0);
  return h / Pair{denominator.hi, fma(h.lo, 4.0, denominator.lo)};
}

Expr maths::sinh(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  Pair h = quarterExpm1(a);
  // (e^a - 1) / 2 + (1 - e^-a) / 2
  Expr result = sum(h, quarterOfDecay(h)).rounded() * 2.0;
  result = select(a > largestHyperbolic, infinity, result);
  return orItself(x, result.apply<math::CopySignOp>(x));
}

Expr maths::cosh(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  Pair h = quarterExpm1(a);
  // (e^a - 1) / 2 - (1 - e^-a) / 2 + 1
  Pair part = sum(h, -quarterOfDecay(h));
  Pair result = exactSum(part.hi, a.constant(0.5));
  return select(a > largestHyperbolic, infinity,
                (result.hi + (result.lo + part.lo)) * 2.0);
}

Expr maths::tanh(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  // (e^2a - 1) / (e^2a + 1), which is 1 from 20 on.
  Pair h = quarterExpm1(a.atMost(20) * 2.0);
  Pair denominator = exactSum(h.hi, a.constant(0.5));
  denominator.lo = denominator.lo + h.lo;
  Expr result = (h / denominator).rounded();
  return orItself(x, result.apply<math::CopySignOp>(x));
}

//===----------------------------------------------------------------------===//
// The error function
//===----------------------------------------------------------------------===//

Expr maths::erf(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  // erf(a) = a + a p(a^2) for a <= 1. Error 2^-56.0.
  Expr p = polynomial(
      a * a, {-0x1.a233661088e85p-31, 0x1.d3da7aa716d3dp-27, -0x1.5b8c0531bbc66p-23,
              0x1.b96b48ef77aa1p-20, -0x1.f4c82dc909d04p-17, 0x1.f9a296a427a84p-14,
              -0x1.c02daeb68034dp-11, 0x1.565bcceed7dcbp-8, -0x1.b82ce311a972cp-6,
              0x1.ce2f21a03f8b8p-4, -0x1.812746b03799dp-2, 0x1.06eba8214db68p-3});
  Expr near = fma(a, p, a);
  // Above, 1 - e^(b q(b)), which is 1 from 6 on. Error 2^-62.9.
  Expr b = a.atMost(6);
  Expr q = polynomial(
      b, {0x1.7acd254c2199bp-47,  -0x1.7e473caf91267p-41, 0x1.61a3a6cb8dbf8p-36,
          -0x1.924c22de26724p-32, 0x1.3d532b10d0be7p-28,  -0x1.721fdc2d433a8p-25,
          0x1.4b7cfe17b84c4p-22,  -0x1.d1e507e0377ecp-20, 0x1.030535ac4820bp-17,
          -0x1.c40751fe415ebp-16, 0x1.29818d59e65a2p-14,  -0x1.00c655e38b943p-13,
          0x1.4ef98f2f4bec1p-15,  0x1.15e578d8e8deep-11,  -0x1.b13e07eeb30d5p-10,
          0x1.83705377c640bp-13,  0x1.39919ae29dcacp-6,   -0x1.a4f8118b90cfdp-4,
          -0x1.45f2f3fb69712p-1,  -0x1.20dd75d75b5cdp+0});
  Expr far = 1.0 - expOfPair(exactProduct(b, q));
  return select(a < 1.0, near, far).apply<math::CopySignOp>(x);
}
