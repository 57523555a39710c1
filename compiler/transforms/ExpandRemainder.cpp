//===- ExpandRemainder.cpp - Exact rests of float divisions -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For a whole number q that is the quotient t / y rounded to a float, the rest t - q y is
// a float as well, so fma gives it without error; it is at most 2^-53 of t, or less than
// y. Such steps repeat until the rest is less than y: one does where the quotient is
// below 2^53, 40 are enough for any f64.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/MathFunctions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tilewright;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

/// `t` less a multiple of the positive `y`, of either sign; `t` itself where it is less
/// than y, which may be infinite.
static Expr reduce(Expr t, Expr y) {
  Expr size = t.apply<math::AbsFOp>(), done = size < y;
  // The quotient stays finite where y is scaled up for a t that is far larger.
  for (int i = 0; i < 2; ++i)
    y = select(size * 0x1p-600 > y, y * 0x1p600, y);
  Expr quotient = (t / y).apply<math::TruncOp>();
  return select(done, t, fma(-quotient, y, t));
}

Expr maths::remainder(Expr dividend, Expr divisor) {
  Type type = dividend.element(), f64 = dividend.builder().getF64Type();
  bool isWide = type == f64;
  Expr x = isWide ? dividend : dividend.to<arith::ExtFOp>(f64);
  Expr y = isWide ? divisor : divisor.to<arith::ExtFOp>(f64);
  OpBuilder &b = x.builder();
  Location loc = x.loc();
  Expr size = x.apply<math::AbsFOp>(), by = y.apply<math::AbsFOp>();
  Expr defined = (size < infinity) & (by > 0.0);
  by = select(defined, by, 1.0);
  Expr start = select(defined, x, 0.0);
  auto loop = scf::WhileOp::create(
      b, loc, TypeRange(start.type()), ValueRange{start},
      [&](OpBuilder &, Location, ValueRange arguments) {
        Expr t(b, loc, arguments[0]);
        Expr more = t.apply<math::AbsFOp>() >= by;
        scf::ConditionOp::create(b, loc, maths::anyLane(more), arguments);
      },
      [&](OpBuilder &, Location, ValueRange arguments) {
        Value next = reduce(Expr(b, loc, arguments[0]), by);
        scf::YieldOp::create(b, loc, next);
      });
  Expr rest(b, loc, loop.getResult(0));
  // A quotient rounded up leaves a rest of the other sign.
  Expr other = ((rest.bits() ^ x.bits()) < 0) & differ(rest, 0.0);
  rest = select(other, rest + by.apply<math::CopySignOp>(x), rest);
  // A rest of narrow floats is one itself. The sign comes last and in their type: LLVM 22
  // would narrow that of an f64 by a function that no library has.
  if (!isWide)
    rest = rest.to<arith::TruncFOp>(type);
  return select(defined, rest.apply<math::CopySignOp>(dividend), notANumber);
}
