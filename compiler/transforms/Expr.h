//===- Expr.h - Elementwise IR written as expressions -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Formulas on scalars and vectors of any shape, written with C++ operators:
//
//   Expr t = fma(x, 1.442695, 0x1.8p23), n = t - 0x1.8p23;
//   Expr scale = (t.bits() << 23) + (127 << 23);
//
// An operand that is a number becomes a constant (a splat) of the other's type.
// Constants fold as they are built.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_EXPR_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_EXPR_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"

namespace tilewright {

/// The type of `like` with its element type replaced.
inline mlir::Type withElement(mlir::Type like, mlir::Type element) {
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(like))
    return mlir::VectorType::get(vector.getShape(), element);
  return element;
}

/// A constant of `type`, an integer or float or a vector of these.
inline mlir::Value splat(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type,
                         mlir::TypedAttr element) {
  if (auto vector = llvm::dyn_cast<mlir::VectorType>(type))
    element = mlir::DenseElementsAttr::get(vector, llvm::cast<mlir::Attribute>(element));
  return mlir::arith::ConstantOp::create(b, loc, element);
}

/// A scalar or vector value with the builder that extends it.
class Expr {
public:
  Expr(mlir::OpBuilder &b, mlir::Location loc, mlir::Value value)
      : b(&b), where(loc), value(value) {}
  operator mlir::Value() const { return value; }

  mlir::OpBuilder &builder() const { return *b; }
  mlir::Location loc() const { return where; }
  mlir::Type type() const { return value.getType(); }
  mlir::Type element() const { return mlir::getElementTypeOrSelf(value); }
  unsigned width() const { return element().getIntOrFloatBitWidth(); }
  bool isFloat() const { return llvm::isa<mlir::FloatType>(element()); }

  /// A constant of this type: floats are rounded, integers truncated to it.
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  Expr constant(T number) const {
    if (isFloat())
      return {*b, where, splat(*b, where, type(), b->getFloatAttr(element(), number))};
    assert(std::is_integral_v<T> && "a float constant of an integer type");
    return constant(llvm::APInt(64, number, /*isSigned=*/true, /*implicitTrunc=*/true));
  }
  Expr constant(const llvm::APInt &number) const {
    llvm::APInt fitted = number.sextOrTrunc(width());
    return {*b, where, splat(*b, where, type(), b->getIntegerAttr(element(), fitted))};
  }

  /// The operation `Op` applied to this and further operands of its type.
  template <typename Op, typename... Operands> Expr apply(Operands... operands) const {
    return {*b, where, b->createOrFold<Op>(where, value, mlir::Value(operands)...)};
  }
  /// The conversion `Op` to another element type.
  template <typename Op> Expr to(mlir::Type element) const {
    return {*b, where, b->createOrFold<Op>(where, withElement(type(), element), value)};
  }
  /// The bits of a float as an integer of its width.
  Expr bits() const { return to<mlir::arith::BitcastOp>(b->getIntegerType(width())); }
  Expr bitsAs(mlir::Type element) const { return to<mlir::arith::BitcastOp>(element); }

  /// This value where it is not below (above) `bound`, else `bound`; NaN stays NaN.
  template <typename Number> Expr atLeast(Number bound) const;
  template <typename Number> Expr atMost(Number bound) const;

private:
  mlir::OpBuilder *b;
  mlir::Location where;
  mlir::Value value;
};

namespace detail {
template <typename FloatOp, typename IntOp> Expr binary(Expr x, Expr y) {
  return x.isFloat() ? x.apply<FloatOp>(y) : x.apply<IntOp>(y);
}
inline Expr compare(mlir::arith::CmpFPredicate onFloats,
                    mlir::arith::CmpIPredicate onInts, Expr x, Expr y) {
  auto &b = x.builder();
  if (x.isFloat())
    return {b, x.loc(), b.createOrFold<mlir::arith::CmpFOp>(x.loc(), onFloats, x, y)};
  return {b, x.loc(), b.createOrFold<mlir::arith::CmpIOp>(x.loc(), onInts, x, y)};
}
template <typename T> using IfNumber = std::enable_if_t<std::is_arithmetic_v<T>>;
} // namespace detail

#define TILEWRIGHT_EXPR_OPERATOR(NAME, ...)                                              \
  inline Expr NAME(Expr x, Expr y) { return __VA_ARGS__; }                               \
  template <typename T, typename = detail::IfNumber<T>> Expr NAME(Expr x, T y) {         \
    return NAME(x, x.constant(y));                                                       \
  }                                                                                      \
  template <typename T, typename = detail::IfNumber<T>> Expr NAME(T x, Expr y) {         \
    return NAME(y.constant(x), y);                                                       \
  }
#define TILEWRIGHT_EXPR_COMPARE(NAME, ON_FLOATS, ON_INTS)                                \
  TILEWRIGHT_EXPR_OPERATOR(NAME,                                                         \
                           detail::compare(mlir::arith::CmpFPredicate::ON_FLOATS,        \
                                           mlir::arith::CmpIPredicate::ON_INTS, x, y))

TILEWRIGHT_EXPR_OPERATOR(operator+,
                         detail::binary<mlir::arith::AddFOp, mlir::arith::AddIOp>(x, y))
TILEWRIGHT_EXPR_OPERATOR(operator-,
                         detail::binary<mlir::arith::SubFOp, mlir::arith::SubIOp>(x, y))
TILEWRIGHT_EXPR_OPERATOR(operator*,
                         detail::binary<mlir::arith::MulFOp, mlir::arith::MulIOp>(x, y))
TILEWRIGHT_EXPR_OPERATOR(operator/, x.apply<mlir::arith::DivFOp>(y))
TILEWRIGHT_EXPR_OPERATOR(operator&, x.apply<mlir::arith::AndIOp>(y))
TILEWRIGHT_EXPR_OPERATOR(operator|, x.apply<mlir::arith::OrIOp>(y))
TILEWRIGHT_EXPR_OPERATOR(operator^, x.apply<mlir::arith::XOrIOp>(y))
TILEWRIGHT_EXPR_OPERATOR(operator<<, x.apply<mlir::arith::ShLIOp>(y))
/// Shifts right: `shiftUnsigned` brings in zeros, `shiftSigned` the sign.
TILEWRIGHT_EXPR_OPERATOR(shiftUnsigned, x.apply<mlir::arith::ShRUIOp>(y))
TILEWRIGHT_EXPR_OPERATOR(shiftSigned, x.apply<mlir::arith::ShRSIOp>(y))
/// Comparisons, false on NaN (but for `differ`); integers are signed but in `below`.
TILEWRIGHT_EXPR_COMPARE(operator<, OLT, slt)
TILEWRIGHT_EXPR_COMPARE(operator>, OGT, sgt)
TILEWRIGHT_EXPR_COMPARE(operator<=, OLE, sle)
TILEWRIGHT_EXPR_COMPARE(operator>=, OGE, sge)
TILEWRIGHT_EXPR_COMPARE(equal, OEQ, eq)
TILEWRIGHT_EXPR_COMPARE(differ, UNE, ne)
TILEWRIGHT_EXPR_COMPARE(below, OLT, ult)

#undef TILEWRIGHT_EXPR_COMPARE
#undef TILEWRIGHT_EXPR_OPERATOR

inline Expr operator-(Expr x) { return x.apply<mlir::arith::NegFOp>(); }

inline Expr isNaN(Expr x) {
  auto &b = x.builder();
  return {b, x.loc(),
          b.createOrFold<mlir::arith::CmpFOp>(x.loc(), mlir::arith::CmpFPredicate::UNO, x,
                                              x)};
}

inline Expr select(Expr condition, Expr x, Expr y) {
  return condition.apply<mlir::arith::SelectOp>(x, y);
}
template <typename T, typename = detail::IfNumber<T>>
Expr select(Expr condition, T x, Expr y) {
  return select(condition, y.constant(x), y);
}
template <typename T, typename = detail::IfNumber<T>>
Expr select(Expr condition, Expr x, T y) {
  return select(condition, x, x.constant(y));
}

template <typename Number> Expr Expr::atLeast(Number bound) const {
  return select(*this < bound, bound, *this);
}
template <typename Number> Expr Expr::atMost(Number bound) const {
  return select(*this > bound, bound, *this);
}

/// x * y + z with one rounding.
inline Expr fma(Expr x, Expr y, Expr z) { return x.apply<mlir::math::FmaOp>(y, z); }
inline Expr fma(Expr x, double y, Expr z) { return fma(x, x.constant(y), z); }
inline Expr fma(Expr x, Expr y, double z) { return fma(x, y, x.constant(z)); }
inline Expr fma(Expr x, double y, double z) { return fma(x, x.constant(y), z); }

/// The polynomial in `x` with the given coefficients, highest power first.
inline Expr polynomial(Expr x, llvm::ArrayRef<double> coefficients) {
  Expr sum = x.constant(coefficients.front());
  for (double coefficient : coefficients.drop_front())
    sum = fma(sum, x, coefficient);
  return sum;
}

} // namespace tilewright

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_EXPR_H
