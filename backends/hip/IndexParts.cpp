//===- IndexParts.cpp - What a block's threads have in common of an index -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/hip/IndexParts.h"

#include "dialects/simt/Simt.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::hip;

//===----------------------------------------------------------------------===//
// Who has the same value
//===----------------------------------------------------------------------===//

bool IndexSplitter::isOutside(Value value) const {
  return !kernel->isAncestor(value.getParentBlock()->getParentOp());
}

bool IndexSplitter::isUniform(Value value) {
  if (auto known = uniform.find(value); known != uniform.end())
    return known->second;
  bool result = computeUniform(value);
  return uniform[value] = result;
}

/// A launch passes what is computed outside; what is read at an address that all threads
/// have is the same for all, since nobody writes it at that time.
bool IndexSplitter::computeUniform(Value value) {
  if (isOutside(value))
    return true;
  auto allUniform = [&](ValueRange values) {
    return llvm::all_of(values, [&](Value each) { return isUniform(each); });
  };
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    Operation *parent = argument.getOwner()->getParentOp();
    if (parent == kernel)
      return true;
    auto loop = dyn_cast<scf::ForOp>(parent);
    return loop && value == loop.getInductionVar() &&
           allUniform({loop.getLowerBound(), loop.getUpperBound(), loop.getStep()});
  }
  Operation *op = value.getDefiningOp();
  if (isa<tile::LoadOp, memref::LoadOp>(op))
    return tile::getSpace(op->getOperand(0)) != tile::Space::Local &&
           allUniform(op->getOperands().drop_front());
  if (isa<memref::DimOp>(op))
    return true;
  return isa<arith::ArithDialect>(op->getDialect()) && allUniform(op->getOperands());
}

/// Whether it may differ between iterations of a loop in the kernel.
bool IndexSplitter::isOfLoop(Value value) {
  if (isOutside(value))
    return false;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner()->getParentOp() != kernel;
  Operation *op = value.getDefiningOp();
  if (isa<tile::LoadOp, memref::LoadOp>(op)) {
    auto loop = op->getParentOfType<LoopLikeOpInterface>();
    return loop && kernel->isAncestor(loop);
  }
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    return operand.getType().isIntOrIndex() && isOfLoop(operand);
  });
}

//===----------------------------------------------------------------------===//
// How great a value is
//===----------------------------------------------------------------------===//

static std::optional<int64_t> sum(std::optional<int64_t> a, std::optional<int64_t> b) {
  int64_t result;
  return a && b && !llvm::AddOverflow(*a, *b, result) ? std::optional(result)
                                                      : std::nullopt;
}

static std::optional<int64_t> product(std::optional<int64_t> a,
                                      std::optional<int64_t> b) {
  int64_t result;
  return a && b && !llvm::MulOverflow(*a, *b, result) ? std::optional(result)
                                                      : std::nullopt;
}

IndexSplitter::Range IndexSplitter::rangeOf(Value value) {
  if (auto known = ranges.find(value); known != ranges.end())
    return known->second;
  Range result = computeRange(value);
  // Indices are taken not to overflow. Other integers wrap, and may be extended with
  // their sign.
  if (auto integer = dyn_cast<IntegerType>(value.getType()))
    if (!result.max || !llvm::isIntN(integer.getWidth(), *result.max))
      result = Range();
  if (!result.isNonNegative)
    result.max.reset();
  return ranges[value] = result;
}

IndexSplitter::Range IndexSplitter::computeRange(Value value) {
  if (std::optional<int64_t> number = getConstantIntValue(value))
    return {*number >= 0, number};
  if (auto argument = dyn_cast<BlockArgument>(value))
    return rangeOfArgument(argument);
  return rangeOfOperation(value.getDefiningOp());
}

IndexSplitter::Range IndexSplitter::rangeOfArgument(BlockArgument argument) {
  Operation *parent = argument.getOwner()->getParentOp();
  if (parent == kernel) {
    std::optional<int64_t> count = rangeOf(kernel.getGrid()[argument.getArgNumber()]).max;
    return {true, sum(count, -1)};
  }
  auto loop = dyn_cast<scf::ForOp>(parent);
  if (!loop || argument != loop.getInductionVar())
    return {};
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  if (!step || *step <= 0 || !rangeOf(loop.getLowerBound()).isNonNegative)
    return {};
  return {true, sum(rangeOf(loop.getUpperBound()).max, -1)};
}

IndexSplitter::Range IndexSplitter::rangeOfOperation(Operation *op) {
  if (isa<simt::ThreadIdOp>(op))
    return {true, kernel.getThreads().value_or(simt::defaultThreads) - 1};
  if (isa<memref::DimOp>(op))
    return {true, std::nullopt};
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp>(op))
    return rangeOf(op->getOperand(0));
  if (!isa<arith::ArithDialect>(op->getDialect()) || op->getNumOperands() != 2)
    return {};
  Range a = rangeOf(op->getOperand(0)), b = rangeOf(op->getOperand(1));
  std::optional<int64_t> number = getConstantIntValue(op->getOperand(1));
  bool both = a.isNonNegative && b.isNonNegative, isDivisor = number && *number > 0;
  auto least = [&]() -> std::optional<int64_t> {
    return a.max && b.max ? std::min(*a.max, *b.max) : a.max ? a.max : b.max;
  };
  return llvm::TypeSwitch<Operation *, Range>(op)
      .Case<arith::AddIOp>([&](auto) { return Range{both, sum(a.max, b.max)}; })
      .Case<arith::SubIOp>([&](auto) {
        std::optional<int64_t> first = getConstantIntValue(op->getOperand(0));
        std::optional<int64_t> rest =
            first && number ? sum(first, -*number) : std::nullopt;
        return Range{rest && *rest >= 0, rest};
      })
      .Case<arith::MulIOp>([&](auto) { return Range{both, product(a.max, b.max)}; })
      .Case<arith::DivUIOp, arith::DivSIOp, arith::FloorDivSIOp>([&](auto) {
        return Range{a.isNonNegative && isDivisor,
                     a.max && isDivisor ? std::optional(*a.max / *number) : std::nullopt};
      })
      .Case<arith::RemUIOp>([&](auto) { return Range{isDivisor, sum(number, -1)}; })
      .Case<arith::RemSIOp>(
          [&](auto) { return Range{a.isNonNegative && isDivisor, sum(number, -1)}; })
      .Case<arith::AndIOp>([&](auto) { return Range{b.isNonNegative, b.max}; })
      .Case<arith::OrIOp, arith::XOrIOp>([&](auto) {
        // Below the power of two that is above both.
        std::optional<int64_t> greater;
        if (a.max && b.max && std::max(*a.max, *b.max) < INT32_MAX)
          greater = llvm::NextPowerOf2(std::max(*a.max, *b.max)) - 1;
        return Range{both, greater};
      })
      .Case<arith::MinSIOp>([&](auto) { return Range{both, least()}; })
      .Case<arith::MinUIOp>(
          [&](auto) { return Range{a.isNonNegative || b.isNonNegative, least()}; })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](auto) {
        return Range{both, a.max && b.max ? std::optional(std::max(*a.max, *b.max))
                                          : std::nullopt};
      })
      .Default([](Operation *) { return Range{}; });
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

void IndexSplitter::addParts(Value value, int64_t factor, bool mostInBase,
                             IndexParts &parts) {
  if (std::optional<int64_t> number = getConstantIntValue(value)) {
    parts.constant += *number * factor;
    return;
  }
  if (auto add = value.getDefiningOp<arith::AddIOp>()) {
    addParts(add.getLhs(), factor, mostInBase, parts);
    return addParts(add.getRhs(), factor, mostInBase, parts);
  }
  if (auto multiply = value.getDefiningOp<arith::MulIOp>()) {
    Value other = multiply.getLhs();
    std::optional<int64_t> number = getConstantIntValue(multiply.getRhs());
    if (!number) {
      other = multiply.getRhs();
      number = getConstantIntValue(multiply.getLhs());
    }
    if (number && *number > 0 && *number <= INT32_MAX && factor <= INT32_MAX)
      return addParts(other, *number * factor, mostInBase, parts);
  }
  if (auto subtract = value.getDefiningOp<arith::SubIOp>();
      subtract && isUniform(subtract.getRhs())) {
    if (std::optional<int64_t> number = getConstantIntValue(subtract.getRhs())) {
      parts.constant -= *number * factor;
    } else {
      parts.base.push_back({subtract.getRhs(), -factor});
      parts.isBaseNonNegative = false;
    }
    return addParts(subtract.getLhs(), factor, mostInBase, parts);
  }

  Range range = rangeOf(value);
  bool isSame = isUniform(value), isLoop = isSame && isOfLoop(value);
  if (isSame && (!isLoop || mostInBase || !range.max)) {
    parts.base.push_back({value, factor});
    parts.isBaseNonNegative &= range.isNonNegative;
    return;
  }
  (isLoop ? parts.loop : parts.lane).push_back({value, factor});
  parts.isNonNegative &= range.isNonNegative;
  parts.bound = sum(parts.bound, product(range.max, factor));
}

IndexParts IndexSplitter::split(Value index, bool mostInBase) {
  IndexParts parts;
  addParts(index, /*factor=*/1, mostInBase, parts);
  if (parts.constant < 0 || mostInBase) {
    parts.isBaseNonNegative &= parts.constant >= 0;
    std::swap(parts.baseConstant, parts.constant);
  }
  parts.bound = sum(parts.bound, parts.constant);
  return parts;
}
