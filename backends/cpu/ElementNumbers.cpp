//===- ElementNumbers.cpp - What a block's number is used for ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ElementNumbers.h"

#include "backends/cpu/TilePart.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// Whether `op` is a sum or a multiple, which is looked at where its result is used.
static bool isIndexArithmetic(Operation *op) {
  if (op->getNumResults() != 1 || !op->getResult(0).getType().isIndex())
    return false;
  if (isa<arith::MulIOp>(op))
    return getConstantIntValue(op->getOperand(0)) ||
           getConstantIntValue(op->getOperand(1));
  return isa<arith::AddIOp, arith::SubIOp>(op);
}

/// `sum` and `factor` times `other`.
static void add(IndexSum &sum, const IndexSum &other, int64_t factor) {
  sum.constant += factor * other.constant;
  for (auto [value, times] : other.factors)
    sum.factors[value] += factor * times;
}

const IndexSum &ElementNumbers::get(Value value) {
  auto known = sums.find(value);
  if (known != sums.end())
    return known->second;
  IndexSum sum;
  Operation *op = value.getDefiningOp();
  if (std::optional<int64_t> constant = getConstantIntValue(value)) {
    sum.constant = *constant;
  } else if (op && isIndexArithmetic(op)) {
    IndexSum a = get(op->getOperand(0)), b = get(op->getOperand(1));
    if (isa<arith::MulIOp>(op))
      getConstantIntValue(op->getOperand(1)) ? add(sum, a, b.constant)
                                             : add(sum, b, a.constant);
    else
      add(sum, a, 1), add(sum, b, isa<arith::SubIOp>(op) ? -1 : 1);
  } else {
    sum.factors[value] = 1;
  }
  return sums[value] = std::move(sum);
}

//===----------------------------------------------------------------------===//
// Uses
//===----------------------------------------------------------------------===//

ElementNumbers::ElementNumbers(KernelOp kernel, const TiedDims &ties, OwnedDim dim)
    : kernel(kernel), ties(ties), dim(dim), extent(getExtent(dim)) {}

BlockArgument ElementNumbers::findCoordinate(const TensorEnds &ends) {
  SmallVector<OpFoldResult> begins;
  auto addBegins = [&](Value tensor, auto positions) {
    for (auto [number, position] : llvm::enumerate(positions))
      if (ends.contains({tensor, number}))
        begins.push_back(position);
  };
  kernel.walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case<CopyOp, GatherOp, ScatterOp>(
            [&](auto move) { addBegins(move.getDst(), move.getMixedDstOffsets()); })
        .Case<StoreOp, AtomicOp>(
            [&](auto access) { addBegins(access.getMemref(), access.getIndices()); });
  });
  // A loop's elements are written at its variable behind where the block's begin.
  auto isBegin = [&](OpFoldResult begin, BlockArgument coordinate) {
    auto value = dyn_cast<Value>(begin);
    if (!value)
      return false;
    const IndexSum &sum = get(value);
    return sum.constant == 0 && sum.factorOf(coordinate) == extent &&
           llvm::all_of(sum.factors, [&](auto &term) {
             auto variable = dyn_cast<BlockArgument>(term.first);
             return term.first == coordinate ||
                    (variable && isa<ParallelOp>(variable.getOwner()->getParentOp()));
           });
  };
  for (BlockArgument coordinate : kernel.getBody().getArguments())
    if (!begins.empty() && llvm::all_of(begins, [&](OpFoldResult begin) {
          return isBegin(begin, coordinate);
        }))
      return coordinate;
  return {};
}

/// Whether `operand` of `user` follows from elements' numbers and from what has nothing
/// to do with which element it is.
bool ElementNumbers::isNumber(Value operand, Operation *user, BlockArgument coordinate) {
  const IndexSum &sum = get(operand);
  SmallVector<Value> variables;
  for (auto loop = user->getParentOfType<ParallelOp>(); loop;
       loop = loop->getParentOfType<ParallelOp>())
    if (std::optional<int64_t> own = ties.find(loop, dim))
      variables.push_back(loop.getBody().getArgument(*own));
  if (variables.size() == 1)
    return sum.factorOf(coordinate) == sum.factorOf(variables.front()) * extent;
  return sum.factorOf(coordinate) == 0 &&
         llvm::all_of(variables, [&](Value v) { return sum.factorOf(v) == 0; });
}

/// Whether a move's regions begin at the block's first element in the class's dimensions
/// of tensors, and at the same place for all blocks in others.
template <typename Op>
bool ElementNumbers::movesElements(Op move, BlockArgument coordinate) {
  std::optional<Move> sides = Move::get(move);
  auto isInClass = [&](Value memref, bool isSrc, int64_t of) {
    if (!sides || isTile(memref.getType()))
      return false;
    for (auto [number, pair] : llvm::enumerate(sides->dims)) {
      auto [src, dst] = pair;
      if (number != sides->axis && (isSrc ? src : dst) == of &&
          (ties.find(sides->src, dim) == src || ties.find(sides->dst, dim) == dst))
        return true;
    }
    return false;
  };
  auto begin = [&](Value memref, bool isSrc, ArrayRef<OpFoldResult> offsets) {
    return llvm::all_of(llvm::enumerate(offsets), [&](auto numbered) {
      auto value = dyn_cast<Value>(numbered.value());
      int64_t factor = value ? get(value).factorOf(coordinate) : 0;
      return factor == (isInClass(memref, isSrc, numbered.index()) ? extent : 0);
    });
  };
  // Anything else, as where a list of rows begins, is the same for all blocks.
  auto isOffset = [&](Value operand) {
    return llvm::is_contained(move.getSrcOffsets(), operand) ||
           llvm::is_contained(move.getDstOffsets(), operand);
  };
  return begin(move.getSrc(), /*isSrc=*/true, move.getMixedSrcOffsets()) &&
         begin(move.getDst(), /*isSrc=*/false, move.getMixedDstOffsets()) &&
         llvm::all_of(move->getOperands(), [&](Value operand) {
           return isOffset(operand) || get(operand).factorOf(coordinate) == 0;
         });
}

bool ElementNumbers::takesNumbers(Operation *op, BlockArgument coordinate) {
  if (isa<AssumeOp, AssertOp, PrintOp>(op))
    return false; // of elements that no block had
  if (isIndexArithmetic(op))
    return true;
  // An element of a tile, by its place there.
  auto isPlace = [&](Value memref, int64_t index) {
    return ties.find(memref, dim) == index;
  };
  auto areNumbers = [&](OperandRange operands, int64_t firstIndex, Value memref) {
    return llvm::all_of(llvm::enumerate(operands), [&](auto numbered) {
      int64_t index = static_cast<int64_t>(numbered.index()) - firstIndex;
      return (memref && index >= 0 && isPlace(memref, index)) ||
             isNumber(numbered.value(), op, coordinate);
    });
  };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<CopyOp, GatherOp, ScatterOp>(
          [&](auto move) { return movesElements(move, coordinate); })
      .Case([&](memref::LoadOp load) {
        return areNumbers(load->getOperands(), /*firstIndex=*/1, load.getMemRef());
      })
      .Case([&](memref::StoreOp store) {
        return areNumbers(store->getOperands(), /*firstIndex=*/2, store.getMemRef());
      })
      .Default(
          [&](Operation *) { return areNumbers(op->getOperands(), 0, /*memref=*/{}); });
}

bool ElementNumbers::areAll(BlockArgument coordinate) {
  return !kernel.getBody()
              .walk([&](Operation *op) {
                return takesNumbers(op, coordinate) ? WalkResult::advance()
                                                    : WalkResult::interrupt();
              })
              .wasInterrupted();
}
