//===- LaneValue.cpp - A value of a loop body seen over a vector --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LaneValue.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace mlir;
using namespace tilewright::tile;

namespace tilewright::cpu {

LaneValue LaneValue::linear(LoopBuilder &b, Value scalar, SmallVector<int64_t> offsets) {
  if (!llvm::all_equal(offsets))
    return {scalar, std::move(offsets), {}};
  if (offsets.front() == 0)
    return uniform(scalar);
  Value distance = arith::ConstantOp::create(
      b, b.getLoc(), b.getIntegerAttr(scalar.getType(), offsets.front()));
  return uniform(b.add(scalar, distance));
}

Value getConstantVector(LoopBuilder &b, ArrayRef<int64_t> values, Type type) {
  SmallVector<Attribute> elements;
  unsigned bits = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  for (int64_t value : values)
    elements.push_back(b.getIntegerAttr(type, APInt(bits, value, /*isSigned=*/true,
                                                    /*implicitTrunc=*/true)));
  auto vectorType = VectorType::get({static_cast<int64_t>(values.size())}, type);
  return arith::ConstantOp::create(b, b.getLoc(),
                                   DenseElementsAttr::get(vectorType, elements));
}

Value getVector(LoopBuilder &b, const LaneValue &value, int64_t lanes) {
  if (value.isVarying())
    return value.vector;
  Type element = value.scalar.getType();
  Value splat = b.createOrFold<vector::BroadcastOp>(
      b.getLoc(), VectorType::get({lanes}, element), value.scalar);
  if (value.isUniform())
    return splat;
  return b.add(splat, getConstantVector(b, value.offsets, element));
}

/// The largest number known to divide `value`: 0 for zero itself.
static int64_t knownMultiple(Value value) {
  if (auto constant = getConstantIntValue(value))
    return std::abs(*constant);
  if (auto arg = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<scf::ForOp>(arg.getOwner()->getParentOp());
    if (!loop || arg != loop.getInductionVar())
      return 1;
    return std::gcd(knownMultiple(loop.getLowerBound()), knownMultiple(loop.getStep()));
  }
  Operation *op = value.getDefiningOp();
  if (isa<arith::AddIOp, arith::SubIOp>(op))
    return std::gcd(knownMultiple(op->getOperand(0)), knownMultiple(op->getOperand(1)));
  if (isa<arith::MulIOp>(op)) {
    int64_t product;
    return llvm::MulOverflow(knownMultiple(op->getOperand(0)),
                             knownMultiple(op->getOperand(1)), product)
               ? 1
               : product;
  }
  if (isa<arith::IndexCastOp>(op))
    return knownMultiple(op->getOperand(0));
  return 1;
}

/// A linear or uniform value divided by a constant.
struct Division {
  LaneValue quotient, remainder;
};

/// Divides `value` by `divisor` > 0, rounding down, where the lanes' quotients have
/// constant distances. `scalarDivide` and `scalarRemainder` make the scalar parts.
static std::optional<Division> divide(LoopBuilder &b, const LaneValue &value,
                                      int64_t divisor, function_ref<Value()> scalarDivide,
                                      function_ref<Value()> scalarRemainder) {
  int64_t multiple = knownMultiple(value.scalar);
  SmallVector<int64_t> offsets = value.offsets;
  if (multiple % divisor == 0) {
    SmallVector<int64_t> quotients, remainders;
    for (int64_t offset : offsets) {
      quotients.push_back(llvm::divideFloorSigned(offset, divisor));
      remainders.push_back(offset - quotients.back() * divisor);
    }
    Value zero = arith::ConstantOp::create(b, b.getLoc(),
                                           b.getIntegerAttr(value.scalar.getType(), 0));
    return Division{LaneValue::linear(b, scalarDivide(), quotients),
                    LaneValue::linear(b, zero, remainders)};
  }
  // The lanes stay between two multiples of the divisor.
  if (divisor % multiple == 0 && *llvm::min_element(offsets) >= 0 &&
      *llvm::max_element(offsets) < multiple)
    return Division{LaneValue::uniform(scalarDivide()),
                    LaneValue::linear(b, scalarRemainder(), offsets)};
  return std::nullopt;
}

/// Bit operations with a constant, where the offsets stay below the scalar's lowest bit.
static std::optional<LaneValue> emitBitwise(LoopBuilder &b, Operation *op,
                                            const LaneValue &value, int64_t bits) {
  int64_t multiple = knownMultiple(value.scalar);
  int64_t unit = multiple == 0 ? int64_t(1) << 62 : multiple & -multiple;
  if (*llvm::min_element(value.offsets) < 0 || *llvm::max_element(value.offsets) >= unit)
    return std::nullopt;
  int64_t high = bits & ~(unit - 1);
  SmallVector<int64_t> offsets;
  for (int64_t offset : value.offsets)
    offsets.push_back(isa<arith::AndIOp>(op)  ? offset & bits
                      : isa<arith::OrIOp>(op) ? offset | (bits & (unit - 1))
                                              : offset ^ (bits & (unit - 1)));
  Value constant = arith::ConstantOp::create(
      b, b.getLoc(), b.getIntegerAttr(value.scalar.getType(), high));
  Operation *scalar = b.clone(*op);
  scalar->setOperands({value.scalar, constant});
  return LaneValue::linear(b, scalar->getResult(0), offsets);
}

/// Whether division of `dividend` rounds down: it is index or does not wrap, and where
/// the operation is not a floor division it is not negative.
static bool roundsDown(Operation *op, IndexBounds &bounds) {
  Value dividend = op->getOperand(0);
  if (!dividend.getType().isIndex() && !bounds.isExact(dividend))
    return false;
  return isa<arith::FloorDivSIOp, arith::ShRSIOp>(op) ||
         bounds.isNonNegative(dividend, op);
}

/// Whether a conversion keeps the lanes' distances: it narrows, or the source does not
/// wrap (nor is negative, where it is taken as unsigned).
static bool keepsDistances(Operation *op, bool isUnsigned, IndexBounds &bounds) {
  auto bits = [](Value v) -> unsigned {
    return v.getType().isIndex() ? 64 : v.getType().getIntOrFloatBitWidth();
  };
  Value source = op->getOperand(0);
  if (bits(op->getResult(0)) <= bits(source))
    return true;
  return bounds.isExact(source) && (!isUnsigned || bounds.isNonNegative(source, op));
}

std::optional<LaneValue> emitLinear(LoopBuilder &b, Operation *op,
                                    ArrayRef<LaneValue> operands, IndexBounds &bounds) {
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isIntOrIndex() ||
      op->getResult(0).getType().isInteger(1) ||
      llvm::any_of(operands, [](const LaneValue &v) {
        return v.isVarying() || !v.scalar.getType().isIntOrIndex();
      }))
    return std::nullopt;

  // The operation on the scalars alone.
  auto scalar = [&] {
    Operation *copy = b.clone(*op);
    for (auto [i, operand] : llvm::enumerate(operands))
      copy->setOperand(i, operand.scalar);
    return copy->getResult(0);
  };
  int64_t lanes = 0;
  for (const LaneValue &operand : operands)
    lanes = std::max<int64_t>(lanes, operand.offsets.size());
  auto mapOffsets = [&](auto fn) {
    SmallVector<int64_t> offsets;
    for (int64_t lane = 0; lane < lanes; ++lane)
      offsets.push_back(fn(lane));
    return offsets;
  };
  auto constantRhs = [&]() -> std::optional<int64_t> {
    return operands[1].isUniform() ? getConstantIntValue(operands[1].scalar)
                                   : std::nullopt;
  };

  using Result = std::optional<LaneValue>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<arith::AddIOp, arith::SubIOp>([&](auto) -> Result {
        int64_t sign = isa<arith::AddIOp>(op) ? 1 : -1;
        auto offsets = mapOffsets([&](int64_t l) {
          return operands[0].offset(l) + sign * operands[1].offset(l);
        });
        return LaneValue::linear(b, scalar(), offsets);
      })
      .Case([&](arith::MulIOp) -> Result {
        unsigned linear = operands[0].isLinear() ? 0 : 1;
        auto factor = operands[1 - linear].isUniform()
                          ? getConstantIntValue(operands[1 - linear].scalar)
                          : std::nullopt;
        if (!factor || std::abs(*factor) > std::numeric_limits<int32_t>::max())
          return std::nullopt;
        auto offsets =
            mapOffsets([&](int64_t l) { return operands[linear].offset(l) * *factor; });
        return LaneValue::linear(b, scalar(), offsets);
      })
      .Case([&](arith::ShLIOp) -> Result {
        auto shift = constantRhs();
        if (!shift || *shift < 0 || *shift > 31)
          return std::nullopt;
        return LaneValue::linear(b, scalar(), mapOffsets([&](int64_t l) {
                                   return operands[0].offset(l) << *shift;
                                 }));
      })
      .Case<arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp, arith::RemUIOp,
            arith::RemSIOp, arith::ShRUIOp, arith::ShRSIOp>([&](auto) -> Result {
        auto amount = constantRhs();
        bool isShift = isa<arith::ShRUIOp, arith::ShRSIOp>(op);
        if (!amount || *amount < 0 || (isShift ? *amount > 31 : *amount == 0) ||
            !roundsDown(op, bounds))
          return std::nullopt;
        bool isRemainder = isa<arith::RemUIOp, arith::RemSIOp>(op);
        auto nothing = [] { return Value(); };
        auto division = divide(b, operands[0], isShift ? int64_t(1) << *amount : *amount,
                               isRemainder ? function_ref<Value()>(nothing) : scalar,
                               isRemainder ? scalar : function_ref<Value()>(nothing));
        if (!division)
          return std::nullopt;
        return isRemainder ? division->remainder : division->quotient;
      })
      .Case<arith::AndIOp, arith::OrIOp, arith::XOrIOp>([&](auto) -> Result {
        auto bits = constantRhs();
        return bits && operands[0].isLinear() ? emitBitwise(b, op, operands[0], *bits)
                                              : std::nullopt;
      })
      .Case<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>([&](auto) -> Result {
        if (!keepsDistances(op, /*isUnsigned=*/false, bounds))
          return std::nullopt;
        return LaneValue::linear(b, scalar(), operands[0].offsets);
      })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp>([&](auto) -> Result {
        if (!keepsDistances(op, /*isUnsigned=*/true, bounds))
          return std::nullopt;
        return LaneValue::linear(b, scalar(), operands[0].offsets);
      })
      .Case([&](CastOp cast) -> Result {
        if (!keepsDistances(op, cast.getUnsignedSource(), bounds))
          return std::nullopt;
        return LaneValue::linear(b, scalar(), operands[0].offsets);
      })
      .Default([](Operation *) { return std::nullopt; });
}

Value compareOffsets(LoopBuilder &b, arith::CmpIPredicate predicate,
                     ArrayRef<int64_t> offsets, Value bound, int64_t vectorBits) {
  int64_t lanes = offsets.size();
  int64_t low = *llvm::min_element(offsets) - 1, high = *llvm::max_element(offsets) + 1;
  int64_t bits = std::clamp<int64_t>(vectorBits / lanes, 8, 32);
  while (!llvm::isIntN(bits, low) || !llvm::isIntN(bits, high))
    bits *= 2;
  Type type = b.getIntegerType(std::min<int64_t>(bits, 64));
  Value clamped = b.max(b.min(bound, b.index(high)), b.index(low));
  Value narrow = b.createOrFold<arith::IndexCastOp>(b.getLoc(), type, clamped);
  return arith::CmpIOp::create(b, b.getLoc(), predicate,
                               getConstantVector(b, offsets, type),
                               getVector(b, LaneValue::uniform(narrow), lanes));
}

/// The difference of two indices, or the number nearest to it.
static Value subtractSaturating(LoopBuilder &b, Value x, Value y) {
  Location loc = b.getLoc();
  auto toWord = [&](Value value) {
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI64Type(), value);
  };
  Value difference = LLVM::SSubSat::create(b, loc, toWord(x), toWord(y));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), difference);
}

/// The signed form of a predicate on numbers that are not negative.
static arith::CmpIPredicate toSigned(arith::CmpIPredicate predicate) {
  using Predicate = arith::CmpIPredicate;
  switch (predicate) {
  case Predicate::ult:
    return Predicate::slt;
  case Predicate::ule:
    return Predicate::sle;
  case Predicate::ugt:
    return Predicate::sgt;
  case Predicate::uge:
    return Predicate::sge;
  default:
    return predicate;
  }
}

std::optional<LaneValue> emitLinearCompare(LoopBuilder &b, arith::CmpIOp op,
                                           const LaneValue &lhs, const LaneValue &rhs,
                                           IndexBounds &bounds, int64_t vectorBits) {
  if (lhs.isVarying() || rhs.isVarying() || lhs.scalar.getType().isInteger(1))
    return std::nullopt;
  for (auto [value, operand] :
       {std::pair(&lhs, op.getLhs()), std::pair(&rhs, op.getRhs())})
    if (value->isLinear() && !operand.getType().isIndex() && !bounds.isExact(operand))
      return std::nullopt;
  auto predicate = toSigned(op.getPredicate());
  if (predicate != op.getPredicate() &&
      !(bounds.isNonNegative(op.getLhs(), op) && bounds.isNonNegative(op.getRhs(), op)))
    return std::nullopt;

  int64_t lanes = std::max(lhs.offsets.size(), rhs.offsets.size());
  SmallVector<int64_t> offsets;
  for (int64_t lane = 0; lane < lanes; ++lane)
    offsets.push_back(lhs.offset(lane) - rhs.offset(lane));
  auto toIndex = [&](Value value) {
    return b.createOrFold<arith::IndexCastOp>(b.getLoc(), b.getIndexType(), value);
  };
  Value bound;
  if (bounds.isNonNegative(op.getLhs(), op) && bounds.isNonNegative(op.getRhs(), op))
    bound = b.sub(toIndex(rhs.scalar), toIndex(lhs.scalar));
  else
    bound = subtractSaturating(b, toIndex(rhs.scalar), toIndex(lhs.scalar));
  if (llvm::all_equal(offsets))
    return LaneValue::uniform(b.compare(predicate, b.index(offsets.front()), bound));
  return LaneValue::varying(compareOffsets(b, predicate, offsets, bound, vectorBits));
}

} // namespace tilewright::cpu
