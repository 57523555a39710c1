//===- TensorEnds.cpp - Tensors at whose end a block's results end --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TensorEnds.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

namespace {
/// Collects the ends of one class of a kernel's dimensions.
class EndFinder {
public:
  EndFinder(KernelOp kernel, const TiedDims &ties, OwnedDim dim, IndexBounds &bounds)
      : kernel(kernel), ties(ties), dim(dim), bounds(bounds) {}

  bool run();

  TensorEnds ends;

private:
  bool addMove(Operation *op, Value dst, ArrayRef<OpFoldResult> offsets);
  bool addAccess(Operation *op, Value tensor, ValueRange indices);

  KernelOp kernel;
  const TiedDims &ties;
  OwnedDim dim;
  IndexBounds &bounds;
};
} // namespace

/// A region of a tensor that is written from a tile: what lies behind the tensor's end is
/// not, wherever in the tensor the region begins.
bool EndFinder::addMove(Operation *op, Value dst, ArrayRef<OpFoldResult> offsets) {
  std::optional<Move> move = Move::get(op);
  std::optional<int64_t> own = ties.find(move->src, dim);
  for (auto [number, dims] : llvm::enumerate(move->dims)) {
    if (dims.first != own)
      continue;
    OpFoldResult offset = offsets[dims.second];
    std::optional<int64_t> constant = getConstantIntValue(offset);
    bool isInside =
        constant ? *constant >= 0 : bounds.isNonNegative(cast<Value>(offset), op);
    ends.insert({dst, dims.second});
    return isInside && number != move->axis;
  }
  return false;
}

/// An element that a loop over the class writes, at the loop's variable or behind it.
bool EndFinder::addAccess(Operation *op, Value tensor, ValueRange indices) {
  auto loop = op->getParentOfType<ParallelOp>();
  Value variable = loop.getBody().getArgument(*ties.find(loop, dim));
  for (auto [number, index] : llvm::enumerate(indices)) {
    bool isBehind = index == variable;
    if (auto sum = index.getDefiningOp<arith::AddIOp>())
      for (auto [side, other] :
           {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
        isBehind |= side == variable && bounds.isNonNegative(other, op);
    if (!isBehind)
      continue;
    ends.insert({tensor, number});
    return true;
  }
  return false;
}

bool EndFinder::run() {
  return !kernel
              .walk([&](Operation *op) {
                bool isKnown =
                    llvm::TypeSwitch<Operation *, bool>(op)
                        .Case<CopyOp, GatherOp, ScatterOp>([&](auto move) {
                          return isTile(move.getDst().getType()) ||
                                 addMove(move, move.getDst(), move.getMixedDstOffsets());
                        })
                        .Case<StoreOp, AtomicOp>([&](auto access) {
                          return isTile(access.getMemref().getType()) ||
                                 addAccess(access, access.getMemref(),
                                           access.getIndices());
                        })
                        .Default(true);
                return isKnown ? WalkResult::advance() : WalkResult::interrupt();
              })
              .wasInterrupted();
}

std::optional<TensorEnds> cpu::findTensorEnds(KernelOp kernel, const TiedDims &ties,
                                              OwnedDim dim, IndexBounds &bounds) {
  EndFinder finder(kernel, ties, dim, bounds);
  if (!finder.run())
    return std::nullopt;
  return finder.ends;
}
