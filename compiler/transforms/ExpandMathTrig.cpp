//===- ExpandMathTrig.cpp - Functions of angles, of f64 -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Polynomials are made as those of ExpandMathF32.cpp, in 200 bits; results are pairs
// until the last sum, so that its rounding is the error that counts.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/MathFunctions.h"

using namespace mlir;
using namespace tilewright;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
constexpr PairConstant pi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};
constexpr PairConstant halfPi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
constexpr PairConstant quarterPi = {0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55};

static Pair constant(Expr like, PairConstant pair) {
  return {like.constant(pair.hi), like.constant(pair.lo)};
}

//===----------------------------------------------------------------------===//
// Sine, cosine, tangent
//===----------------------------------------------------------------------===//

/// The sine of |y| <= pi/4. Error of the polynomial 2^-57.9.
static Pair sineOfReduced(Pair y) {
  Expr square = y.hi * y.hi;
  Expr s = polynomial(square, {0x1.5d8b554668f46p-33, -0x1.ae5e4b83d4da0p-26,
                               0x1.71de35552bb86p-19, -0x1.a01a019be921ap-13,
                               0x1.111111110f730p-7, -0x1.5555555555548p-3});
  Expr ofLow = y.lo * fma(square, -0.5, 1.0);
  return orderedSum(y.hi, fma(y.hi * square, s, ofLow));
}

/// The cosine of |y| <= pi/4. Error of the polynomial 2^-63.9.
static Pair cosineOfReduced(Pair y) {
  Pair square = exactProduct(y.hi, y.hi);
  Expr c = polynomial(square.hi, {-0x1.8fa6721d5d9a5p-37, 0x1.1ee9dbaf92a2fp-29,
                                  -0x1.27e4f7f16a36dp-22, 0x1.a01a019c8efb8p-16,
                                  -0x1.6c16c16c15014p-10, 0x1.555555555554bp-5});
  Pair result = orderedSum(y.hi.constant(1.0), square.hi * -0.5);
  Expr low = fma(square.lo, -0.5, result.lo) - y.hi * y.lo;
  return orderedSum(result.hi, fma(square.hi * square.hi, c, low));
}

/// `result`, but x itself where x is so small that the function is x.
static Expr orItself(Expr x, Expr result) {
  Expr small = x.apply<math::AbsFOp>() < 0x1p-28;
  return select(small, x, result);
}

/// The sine of an angle plus `quarters` * pi/2.
static Expr sine(maths::Angle angle, int quarters) {
  Expr quadrant = angle.quarters + quarters;
  Expr result = select(differ(quadrant & 1, 0), cosineOfReduced(angle.rest),
                       sineOfReduced(angle.rest))
                    .rounded();
  return select(differ(quadrant & 2, 0), -result, result);
}

Expr maths::sin(Expr x) { return orItself(x, sine(reduceAngle(x), 0)); }
Expr maths::cos(Expr x) { return sine(reduceAngle(x), 1); }

Expr maths::tan(Expr x) {
  Angle angle = reduceAngle(x);
  Pair sine = sineOfReduced(angle.rest), cosine = cosineOfReduced(angle.rest);
  // A quarter of the circle further it is -cosine / sine.
  Expr further = differ(angle.quarters & 1, 0);
  Pair result = select(further, -cosine, sine) / select(further, sine, cosine);
  return orItself(x, result.rounded());
}

//===----------------------------------------------------------------------===//
// Inverse functions
//===----------------------------------------------------------------------===//

namespace {
/// The arc sine of the magnitude of x, or half its arc cosine.
struct Arc {
  Expr isHalf; // |x| > 1/2: `angle` is half the arc cosine
  Pair angle;
};
} // namespace

static Arc arcOf(Expr x) {
  Expr a = x.apply<math::AbsFOp>(), isHalf = a > 0.5;
  // cos(2t) = 1 - 2 sin(t)^2
  Expr square = select(isHalf, fma(a, -0.5, 0.5), a * a);
  Expr root = square.apply<math::SqrtOp>();
  Expr ofRoot = fma(-root, root, square) / (root * 2.0).atLeast(0x1p-1000);
  Pair s = select(isHalf, Pair{root, ofRoot}, Pair{a, a.constant(0.0)});
  // asin(s) = s + s^3 p(s^2). Error 2^-59.8.
  Expr p = polynomial(square,
                      {0x1.0b7150c4dcdadp-5, -0x1.58805bdb16f71p-6, 0x1.63f50b40fb65fp-6,
                       0x1.e4df8e51f93b1p-9, 0x1.614e04ceebefbp-7, 0x1.758298b2ffd12p-7,
                       0x1.ca1fe38d30cdap-7, 0x1.1c49ed0ac7b5cp-6, 0x1.6e8bdf0b2a86cp-6,
                       0x1.f1c71a939dd2ep-6, 0x1.6db6db7215447p-5, 0x1.333333332e10bp-4,
                       0x1.5555555555577p-3});
  return {isHalf, orderedSum(s.hi, fma(s.hi * square, p, s.lo))};
}

Expr maths::asin(Expr x) {
  Arc arc = arcOf(x);
  Pair complement = sum(constant(x, halfPi), scaled(arc.angle, -2.0));
  return select(arc.isHalf, complement, arc.angle).rounded().apply<math::CopySignOp>(x);
}

Expr maths::acos(Expr x) {
  Arc arc = arcOf(x);
  Expr negative = x < 0.0;
  Pair twice = scaled(arc.angle, 2.0);
  Pair far = select(negative, sum(constant(x, pi), -twice), twice);
  Pair near = sum(constant(x, halfPi), select(negative, arc.angle, -arc.angle));
  return select(arc.isHalf, far, near).rounded();
}

/// The angle of the point (x, y), neither of them negative and one of them positive.
static Pair angleOfPoint(Expr y, Expr x) {
  // An eighth of the circle less where that brings it below pi/8 in magnitude, a quarter
  // less from 3/8 pi on. Of x and y one is at most 0.41421 of the other then.
  constexpr double tangent = 0x1.a827999fcef32p-2;
  Expr low = y<x * tangent, high = y * tangent> x;
  Pair sine = exactSum(y, -x), cosine = exactSum(y, x),
       zero = {x.constant(0.0), x.constant(0.0)};
  sine = select(low, Pair{y, zero.lo}, select(high, Pair{-x, zero.lo}, sine));
  cosine = select(low, Pair{x, zero.lo}, select(high, Pair{y, zero.lo}, cosine));
  Pair base =
      select(low, zero, select(high, constant(x, halfPi), constant(x, quarterPi)));
  Pair t = sine / cosine;
  // atan(t) = t + t^3 p(t^2). Error 2^-63.9.
  Expr square = t.hi * t.hi;
  Expr p = polynomial(
      square, {0x1.e807f269b5a3bp-7, -0x1.0fc476b8caf7cp-5, 0x1.6fddcf0c991d7p-5,
               -0x1.ab3a403eb4612p-5, 0x1.e1677ae32bdc2p-5, -0x1.110be864e8a37p-4,
               0x1.3b1364c013adcp-4, -0x1.745d144e71d1cp-4, 0x1.c71c71b44e573p-4,
               -0x1.249249246f49ap-3, 0x1.9999999999583p-3, -0x1.5555555555554p-2});
  Pair angle = orderedSum(t.hi, fma(t.hi * square, p, t.lo));
  return sum(base, angle);
}

Expr maths::atan(Expr x) {
  // The angle of the point (1, x); where x is huge, 2^100 gives the same.
  Expr a = x.apply<math::AbsFOp>();
  Expr result = angleOfPoint(a.atMost(0x1p100), a.constant(1.0)).rounded();
  return orItself(x, result.apply<math::CopySignOp>(x));
}

Expr maths::atan2(Expr y, Expr x) {
  Expr v = y.apply<math::AbsFOp>(), u = x.apply<math::AbsFOp>();
  // Infinities count as 1, and then other numbers as 0.
  Expr bothFinite = ((v < infinity) & (u < infinity)) | isNaN(v) | isNaN(u);
  auto finite = [&](Expr z) {
    return select(bothFinite, z, select(equal(z, infinity), 1.0, z.constant(0.0)));
  };
  Expr up = finite(v), right = finite(u);
  // Brought near 1, where nothing overflows or vanishes. (0, 0) is as (1, 0).
  Expr larger = select(up > right, up, right);
  Expr scale = select(larger > 0x1p400, 0x1p-600,
                      select(larger < 0x1p-400, 0x1p600, up.constant(1.0)));
  up = up * scale;
  right = select(equal(larger, 0.0), 1.0, right * scale);
  Pair angle = angleOfPoint(up, right);
  Expr left = x.bits() < 0;
  Pair mirrored = sum(constant(x, pi), -angle);
  return select(left, mirrored, angle).rounded().apply<math::CopySignOp>(y);
}
