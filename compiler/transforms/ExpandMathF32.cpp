//===- ExpandMathF32.cpp - Functions of f32 as polynomials --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each f32 function below is straight-line code without branches or tables, so that it
// costs the same on a vector as on a scalar. The polynomials are minimax fits made for
// this file (Lawson's algorithm, the coefficients rounded to f32 one after the other
// from the lowest power, the rest refitted); beside each stands its relative error in
// exact arithmetic. The error of the whole function, rounding included, is the bound in
// docs/semantics.md, which the tests measure.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/MathFunctions.h"

using namespace mlir;
using namespace tilewright;
using tilewright::maths::reduceHugeAngle;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

/// Adding 1.5 * 2^23 to an f32 below 2^22 in magnitude rounds it to an integer, which
/// then sits in the low bits of the sum; NaN and all else need no conversion that is
/// undefined somewhere.
constexpr double rounder = 0x1.8p23;

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

/// p * 2^n where `rounded` is n + `rounder` and -160 <= n <= 128, rounded once more
/// where the result is denormal.
static Expr scaleByPowerOfTwo(Expr p, Expr rounded) {
  // p * 2^(n - 1) is a normal number for n in [-124, 128]; below, 2^64 is lent and taken
  // back. Multiplications, unlike additions to p's exponent, keep NaN.
  Expr small = rounded < rounder - 124;
  Expr n = select(small, rounded + 64, rounded).bits();
  Expr power = ((n << 23) + (126 << 23)).bitsAs(p.element());
  return p * power * select(small, 0x1p-63, p.constant(2.0));
}

/// 2^f for |f| <= 1/2, exactly 1 at 0. Error 2^-28.3.
Expr maths::exp2OfFraction(Expr f) {
  return polynomial(f, {0x1.416b80p-13, 0x1.5f0838p-10, 0x1.3b2de0p-7, 0x1.c6af7cp-5,
                        0x1.ebfbdcp-3, 0x1.62e430p-1, 1.0});
}

/// e^r for |r| <= log(2) / 2. Error 2^-28.2.
static Expr expOfFraction(Expr r) {
  return polynomial(r, {0x1.6a4e96p-10, 0x1.12399ap-7, 0x1.5558b0p-5, 0x1.555492p-3,
                        0x1.fffffcp-2, 1.0, 1.0});
}

Expr maths::exp2F32(Expr x) {
  // At 128 the result is infinite, at -160 it is zero.
  x = x.atMost(128).atLeast(-160);
  Expr rounded = x + rounder;
  return scaleByPowerOfTwo(exp2OfFraction(x - (rounded - rounder)), rounded);
}

/// The pair of n + `rounder` and x - n log(2), where n is x / log(2) to the nearest.
static std::pair<Expr, Expr> reduceByLog2(Expr x) {
  Expr rounded = fma(x, 0x1.715476p+0, rounder);
  Expr n = rounded - rounder;
  Expr r = fma(n, -0x1.62e400p-1, x); // exact: 14 bits of log(2) times n
  return {rounded, fma(n, -0x1.7f7d1cp-20, r)};
}

/// `x` where e^x is neither zero nor infinite, or else e^89 or e^-105, which are.
static Expr limitExponent(Expr x) { return x.atMost(89).atLeast(-105); }

Expr maths::expF32(Expr x) {
  auto [rounded, r] = reduceByLog2(limitExponent(x));
  return scaleByPowerOfTwo(expOfFraction(r), rounded);
}

Expr maths::expF32(Expr x, Scaling scale) {
  auto [rounded, r] = reduceByLog2(limitExponent(x));
  return scale(expOfFraction(r), rounded - rounder);
}

/// e^x for -80 <= x <= 80 only.
static Expr expInRange(Expr x) {
  auto [rounded, r] = reduceByLog2(x);
  Expr power = ((rounded.bits() << 23) + (127 << 23)).bitsAs(x.element());
  return expOfFraction(r) * power;
}

//===----------------------------------------------------------------------===//
// Logarithms
//===----------------------------------------------------------------------===//

/// The pair (e, f) with x = 2^e (1 + f) and -1/3 <= f < 1/3, for positive finite x.
static std::pair<Expr, Expr> splitExponent(Expr x) {
  Expr denormal = x < 0x1p-126;
  Expr bits = select(denormal, x * 0x1p23, x).bits();
  // The bits of 2/3: what is at least 2/3 * 2^e counts for e.
  Expr exponent = (bits - 0x3f2aaaab) & 0xff800000;
  Expr f = (bits - exponent).bitsAs(x.element()) - 1.0;
  Expr e = shiftSigned(exponent, 23).to<arith::SIToFPOp>(x.element());
  return {e + select(denormal, -23.0, x.constant(0.0)), f};
}

/// `result` for positive finite x; the values of a logarithm elsewhere.
static Expr logEdges(Expr x, Expr result) {
  result = select(equal(x, infinity), x, result);
  Expr edge = select(equal(x, 0.0), -infinity, x.constant(notANumber));
  return select(x > 0.0, result, edge);
}

Expr maths::logF32(Expr x) {
  auto [e, f] = splitExponent(x);
  // log(1 + f) = f + f^2 p(f). Error 2^-27.7.
  Expr p = polynomial(f, {-0x1.07c96cp-3, 0x1.1e678cp-3, -0x1.f332a4p-4, 0x1.1ed662p-3,
                          -0x1.559c46p-3, 0x1.99d044p-3, -0x1.fffefcp-3, 0x1.555506p-2,
                          -0x1.000000p-1});
  Expr log1p = fma(f * f, p, f);
  return logEdges(x, fma(e, 0x1.62e430p-1, log1p));
}

Expr maths::log2F32(Expr x) {
  auto [e, f] = splitExponent(x);
  // log2(1 + f) = f / log(2) + f^2 p(f), with 1 / log(2) in two parts. Error 2^-27.7.
  Expr p = polynomial(f, {-0x1.7bdaa6p-3, 0x1.9cda3ep-3, -0x1.684fb2p-3, 0x1.9de66ap-3,
                          -0x1.ecd0d8p-3, 0x1.279d6cp-2, -0x1.7153e0p-2, 0x1.ec7030p-2,
                          -0x1.715476p-1});
  Expr low = fma(f * f, p, f * 0x1.4ae0c0p-26);
  return logEdges(x, e + fma(f, 0x1.715476p+0, low));
}

//===----------------------------------------------------------------------===//
// Sine and cosine
//===----------------------------------------------------------------------===//

/// The sine of x + `quarters` * pi/2. The argument is reduced in f64, where x - n pi/2
/// for |x| < 2^50 is good to 2^-59 with pi/2 in two parts; f32 does the rest.
static Expr sine(Expr x, int quarters) {
  OpBuilder &b = x.builder();
  const double rounder64 = 0x1.8p52;
  Expr wide = x.to<arith::ExtFOp>(b.getF64Type());
  Expr rounded = fma(wide, 0x1.45f306dc9c883p-1, rounder64);
  Expr n = rounded - rounder64;
  Expr r = fma(n, -0x1.921fb54442d18p+0, wide);
  r = fma(n, -0x1.1a62633145c07p-54, r);
  Expr ofSmall = rounded.bits().to<arith::TruncIOp>(b.getI32Type());
  Expr isHuge = x.apply<math::AbsFOp>() >= 0x1p50;
  auto [quadrant, rest] = reduceHugeAngle(wide, isHuge, {ofSmall, {r, r.constant(0.0)}});
  Expr reduced = rest.hi.to<arith::TruncFOp>(b.getF32Type());
  quadrant = quadrant + quarters;

  // sin(y) = y + y^3 s(y^2), error 2^-27.9; cos(y) = 1 - y^2/2 + y^4 c(y^2), 2^-33.0.
  Expr y = reduced.apply<math::AbsFOp>(), square = y * y;
  Expr s = polynomial(square, {-0x1.995400p-13, 0x1.110778p-7, -0x1.555546p-3});
  Expr c =
      polynomial(square, {0x1.99e80cp-16, -0x1.6c0c28p-10, 0x1.55554ap-5, -0.5, 1.0});
  Expr sine = fma(y * square, s, y);
  Expr useCosine = differ(quadrant & 1, 0);
  // The sine has the sign of y; both change it in the lower half of the circle.
  Expr signOfY = select(useCosine, 0, reduced.bits()) & 0x80000000;
  Expr sign = signOfY ^ ((quadrant << 30) & 0x80000000);
  return (select(useCosine, c, sine).bits() ^ sign).bitsAs(x.element());
}

Expr maths::sinF32(Expr x) { return sine(x, 0); }
Expr maths::cosF32(Expr x) { return sine(x, 1); }

//===----------------------------------------------------------------------===//
// tanh, erf
//===----------------------------------------------------------------------===//

Expr maths::tanhF32(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  // tanh(a) = a + a^3 p(a^2) for a <= 5/8. Error 2^-27.7.
  Expr square = a * a;
  Expr p = polynomial(square, {-0x1.750ce2p-8, 0x1.51f8cep-6, -0x1.b835a4p-5,
                               0x1.1106f6p-3, -0x1.555532p-2});
  Expr near = fma(a * square, p, a);
  // Above, 1 - 2 / (e^2a + 1), which is 1 from 10 on.
  Expr b = a.atMost(10);
  Expr far = 1.0 - 2.0 / (expInRange(b + b) + 1.0);
  return select(a < 0.625, near, far).apply<math::CopySignOp>(x);
}

Expr maths::erfF32(Expr x) {
  Expr a = x.apply<math::AbsFOp>();
  // erf(a) = a + a p(a^2) for a <= 0.921875. Error 2^-30.0.
  Expr p =
      polynomial(a * a, {0x1.4f562ep-14, -0x1.a606c2p-11, 0x1.5449e4p-8, -0x1.b80118p-6,
                         0x1.ce2d64p-4, -0x1.812740p-2, 0x1.06eba8p-3});
  Expr near = fma(a, p, a);
  // Above, 1 - e^(b q(b)), which is 1 from 4 on. Error 2^-32.1.
  Expr b = a.atMost(4);
  Expr q = polynomial(b, {-0x1.495f92p-18, 0x1.7b436ep-15, 0x1.afd97ap-15, -0x1.80c080p-9,
                          0x1.73a23ep-6, -0x1.af308cp-4, -0x1.45701ep-1, -0x1.20e8d4p+0});
  Expr far = 1.0 - expInRange(b * q);
  return select(a < 0.921875, near, far).apply<math::CopySignOp>(x);
}
