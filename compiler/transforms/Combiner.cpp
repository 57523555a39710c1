//===- Combiner.cpp - How reductions and scans combine elements ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Combiner.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright;
using Kind = tile::Combiner;

ElementCombiner::ElementCombiner(std::optional<Kind> kind, Type element, bool isUnsigned,
                                 Region *body, Value neutral)
    : kind(kind), isUnsigned(isUnsigned), body(body), neutral(neutral) {
  accumulator = isTruth() ? IntegerType::get(element.getContext(), 8)
                          : tile::getCombinedType(element);
}

Expr tilewright::castElements(Expr x, Type element, bool isUnsigned) {
  if (x.element() == element)
    return x;
  bool isInt = !x.isFloat(), toInt = !isa<FloatType>(element);
  Value result =
      tile::CastOp::create(x.builder(), x.loc(), withElement(x.type(), element), x,
                           isUnsigned && isInt, isUnsigned && toInt);
  return {x.builder(), x.loc(), result};
}

Expr ElementCombiner::fromSource(Expr element) const {
  if (isTruth())
    return fromResult(element);
  Expr x = castElements(element, accumulator);
  if (kind != Kind::AbsSum && kind != Kind::AbsMax && kind != Kind::AbsMaxNum)
    return x;
  if (x.isFloat())
    return x.apply<math::AbsFOp>();
  return isUnsigned ? x : x.apply<math::AbsIOp>();
}

Expr ElementCombiner::fromResult(Expr result) const {
  if (!isTruth()) {
    Expr x = castElements(result, accumulator);
    if (kind != Kind::AbsMax || x.isFloat() || isUnsigned)
      return x;
    // Magnitudes are compared unsigned, for that of the least integer; any other former
    // value below zero is below them all.
    return select((x < 0) & (x.apply<math::AbsIOp>() >= 0), 0, x);
  }
  OpBuilder &b = result.builder();
  return castElements(castElements(result, b.getI1Type()), accumulator);
}

Expr ElementCombiner::toResult(Expr accumulated, Type element) const {
  // Of NaN alone, two of which are combined to one.
  if (leavesNaNOut())
    accumulated = combine(accumulated, identity(accumulated.builder(), accumulated.loc(),
                                                accumulated.type()));
  if (accumulated.element() == element || !accumulated.isFloat())
    return castElements(accumulated, element);
  // An extremum is one of the elements: an infinity stays one, where a sum's saturates.
  bool isElement =
      leavesNaNOut() || kind == Kind::Max || kind == Kind::Min || kind == Kind::AbsMax;
  OpBuilder &b = accumulated.builder();
  Type type = withElement(accumulated.type(), element);
  return {b, accumulated.loc(),
          tile::CastOp::create(b, accumulated.loc(), type, accumulated, false, false,
                               /*keepInfinity=*/isElement)};
}

/// The body's operations on `x` and `y`; what they take from outside is the same in every
/// lane of a vector.
Expr ElementCombiner::inlineBody(Expr x, Expr y) const {
  OpBuilder &b = x.builder();
  Location loc = x.loc();
  Block &block = body->front();
  IRMapping mapping;
  mapping.map(block.getArguments(), ArrayRef<Value>{x, y});
  auto vector = dyn_cast<VectorType>(x.type());
  auto inLanes = [&](Value value) -> Value {
    value = mapping.lookupOrDefault(value);
    if (!vector || isa<VectorType>(value.getType()))
      return value;
    return b.createOrFold<vector::BroadcastOp>(
        loc, VectorType::get(vector.getShape(), value.getType()), value);
  };
  for (Operation &inner : block.without_terminator()) {
    IRMapping operands;
    for (Value operand : inner.getOperands())
      operands.map(operand, inLanes(operand));
    Operation *copy = b.clone(inner, operands);
    for (auto [from, to] : llvm::zip_equal(inner.getResults(), copy->getResults())) {
      if (vector &&
          inner.getNumOperands() != 0) // a constant is broadcast where it is used
        to.setType(withElement(vector, from.getType()));
      mapping.map(from, to);
    }
  }
  return {b, loc, inLanes(block.getTerminator()->getOperand(0))};
}

Expr ElementCombiner::combine(Expr x, Expr y) const {
  if (!kind)
    return inlineBody(x, y);
  bool isFloat = x.isFloat();
  switch (*kind) {
  case Kind::Sum:
  case Kind::AbsSum:
    return x + y;
  case Kind::AbsMax:
    // The magnitude of the most negative integer fits as an unsigned one.
    return isFloat ? x.apply<arith::MaximumFOp>(y) : x.apply<arith::MaxUIOp>(y);
  case Kind::Max:
    return isFloat      ? x.apply<arith::MaximumFOp>(y)
           : isUnsigned ? x.apply<arith::MaxUIOp>(y)
                        : x.apply<arith::MaxSIOp>(y);
  case Kind::Min:
    return isFloat      ? x.apply<arith::MinimumFOp>(y)
           : isUnsigned ? x.apply<arith::MinUIOp>(y)
                        : x.apply<arith::MinSIOp>(y);
  case Kind::MaxNum:
  case Kind::AbsMaxNum:
    return x.apply<arith::MaxNumFOp>(y);
  case Kind::MinNum:
    return x.apply<arith::MinNumFOp>(y);
  case Kind::All:
  case Kind::BitAnd:
    return x & y;
  case Kind::Any:
  case Kind::BitOr:
    return x | y;
  case Kind::BitXor:
    return x ^ y;
  case Kind::ArgMax:
  case Kind::ArgMin:
    break;
  }
  llvm_unreachable("positions are not combined as elements");
}

TypedAttr ElementCombiner::identityElement() const {
  Builder b(accumulator.getContext());
  if (auto type = dyn_cast<FloatType>(accumulator)) {
    const llvm::fltSemantics &semantics = type.getFloatSemantics();
    switch (*kind) {
    case Kind::Max:
    case Kind::MaxNum:
      return b.getFloatAttr(type, APFloat::getInf(semantics, /*Negative=*/true));
    case Kind::Min:
    case Kind::MinNum:
      return b.getFloatAttr(type, APFloat::getInf(semantics));
    default: // -0 is what leaves zeros of either sign as they are
      return b.getFloatAttr(type, APFloat::getZero(semantics, kind == Kind::Sum));
    }
  }
  unsigned width = accumulator.getIntOrFloatBitWidth();
  switch (*kind) {
  case Kind::Max:
    return b.getIntegerAttr(accumulator, isUnsigned ? APInt::getZero(width)
                                                    : APInt::getSignedMinValue(width));
  case Kind::Min:
    return b.getIntegerAttr(accumulator, isUnsigned ? APInt::getMaxValue(width)
                                                    : APInt::getSignedMaxValue(width));
  case Kind::All:
    return b.getIntegerAttr(accumulator, 1);
  case Kind::BitAnd:
    return b.getIntegerAttr(accumulator, APInt::getAllOnes(width));
  default:
    return b.getIntegerAttr(accumulator, 0);
  }
}

Expr ElementCombiner::identity(OpBuilder &b, Location loc, Type type) const {
  if (kind)
    return {b, loc, splat(b, loc, type, identityElement())};
  if (!isa<VectorType>(type))
    return {b, loc, neutral};
  return {b, loc, b.createOrFold<vector::BroadcastOp>(loc, type, neutral)};
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

Type tilewright::orderKeyType(Type element) {
  bool isWide = element.getIntOrFloatBitWidth() > 32;
  return IntegerType::get(element.getContext(), isWide ? 64 : 32);
}

Expr tilewright::orderKey(Expr element, bool isUnsigned, bool reversed) {
  OpBuilder &b = element.builder();
  Type keyType = orderKeyType(element.element());
  unsigned width = keyType.getIntOrFloatBitWidth();
  if (!element.isFloat()) {
    Expr key = castElements(element, keyType, isUnsigned);
    if (isUnsigned && element.width() == width)
      key = key ^ key.constant(APInt::getSignedMinValue(width));
    return reversed ? key ^ -1 : key;
  }
  // Positive floats are ordered as their bits are, negative ones the other way round.
  Expr x = castElements(element, width == 64 ? b.getF64Type() : b.getF32Type());
  Expr bits = (x + 0.0).bits(); // -0 becomes 0
  Expr most = bits.constant(APInt::getSignedMaxValue(width));
  Expr key = bits ^ (shiftSigned(bits, width - 1) & most);
  return select(isNaN(x), most, reversed ? key ^ -1 : key);
}
