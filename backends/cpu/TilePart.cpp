//===- TilePart.cpp - A part of a block's tiles --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TilePart.h"

#include "backends/cpu/LoopBuilder.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

int64_t cpu::getExtent(OwnedDim dim) {
  if (auto alloc = dyn_cast<AllocOp>(dim.first))
    return alloc.getType().getDimSize(dim.second);
  return cast<ParallelOp>(dim.first).getExtents()[dim.second];
}

namespace {
/// Makes a part of one class of a kernel's dimensions.
class PartKeeper {
public:
  PartKeeper(KernelOp kernel, const TiedDims &ties, OwnedDim dim, int64_t extent,
             Value first)
      : kernel(kernel), ties(ties), dim(dim), extent(extent), first(first) {}

  void run();

private:
  void shrinkTile(AllocOp alloc, int64_t own);
  void shrinkLoop(ParallelOp loop, int64_t own);
  template <typename Op> void shrinkMove(Op move);

  KernelOp kernel;
  const TiedDims &ties;
  OwnedDim dim;
  int64_t extent; ///< of the part
  Value first;    ///< of its elements; null for zero
};
} // namespace

void PartKeeper::shrinkTile(AllocOp alloc, int64_t own) {
  MemRefType type = alloc.getType();
  SmallVector<int64_t> shape(type.getShape());
  shape[own] = extent;
  alloc.getResult().setType(MemRefType(MemRefType::Builder(type).setShape(shape)));
}

void PartKeeper::shrinkLoop(ParallelOp loop, int64_t own) {
  SmallVector<int64_t> extents(loop.getExtents());
  extents[own] = extent;
  loop.setExtents(extents);
  if (!first)
    return;
  BlockArgument variable = loop.getBody().getArgument(own);
  OpBuilder b = OpBuilder::atBlockBegin(&loop.getBody().front());
  Value whole = arith::AddIOp::create(b, loop.getLoc(), first, variable);
  // As an index of a tile that was divided it counts from the part's beginning.
  variable.replaceUsesWithIf(whole, [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (user == whole.getDefiningOp())
      return false;
    Value memref = isa<memref::LoadOp>(user)    ? user->getOperand(0)
                   : isa<memref::StoreOp>(user) ? user->getOperand(1)
                                                : Value();
    unsigned indices = isa<memref::LoadOp>(user) ? 1 : 2;
    return !memref || use.getOperandNumber() < indices ||
           ties.find(memref, dim) != use.getOperandNumber() - indices;
  });
}

/// `offsets` with the part's beginning added to dimension `dim`.
static void moveOffset(OpBuilder &b, Location loc, SmallVector<OpFoldResult> &offsets,
                       int64_t dim, Value first) {
  Value offset = getValueOrCreateConstantIndexOp(b, loc, offsets[dim]);
  offsets[dim] = arith::AddIOp::create(b, loc, offset, first).getResult();
}

/// Gives `operands` those of `offsets` that are not constant; the result has the others.
static SmallVector<int64_t> assignOffsets(MutableOperandRange operands,
                                          ArrayRef<OpFoldResult> offsets) {
  SmallVector<Value> dynamic;
  SmallVector<int64_t> fixed;
  dispatchIndexOpFoldResults(offsets, dynamic, fixed);
  operands.assign(dynamic);
  return fixed;
}

template <typename Op> void PartKeeper::shrinkMove(Op move) {
  std::optional<Move> sides = Move::get(move);
  if (!sides)
    return;
  OpBuilder b(move);
  SmallVector<OpFoldResult> src = move.getMixedSrcOffsets(),
                            dst = move.getMixedDstOffsets();
  SmallVector<int64_t> srcSizes(move.getSrcSizes()), dstSizes(move.getDstSizes());
  for (auto [number, pair] : llvm::enumerate(sides->dims)) {
    auto [srcDim, dstDim] = pair;
    bool isDivided =
        ties.find(sides->src, dim) == srcDim || ties.find(sides->dst, dim) == dstDim;
    if (!isDivided)
      continue;
    srcSizes[srcDim] = dstSizes[dstDim] = extent;
    if (first && !isTile(sides->src.getType()) && sides->axis != number)
      moveOffset(b, move.getLoc(), src, srcDim, first);
    if (first && !isTile(sides->dst.getType()))
      moveOffset(b, move.getLoc(), dst, dstDim, first);
  }
  move.setStaticSrcOffsets(assignOffsets(move.getSrcOffsetsMutable(), src));
  move.setSrcSizes(srcSizes);
  move.setStaticDstOffsets(assignOffsets(move.getDstOffsetsMutable(), dst));
  move.setDstSizes(dstSizes);
}

void PartKeeper::run() {
  kernel.walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *>(op).Case<CopyOp, GatherOp, ScatterOp>(
        [&](auto move) { shrinkMove(move); });
  });
  kernel.walk([&](Operation *op) {
    std::optional<int64_t> own = ties.find(op, dim);
    if (!own)
      return;
    if (auto alloc = dyn_cast<AllocOp>(op))
      shrinkTile(alloc, *own);
    else
      shrinkLoop(cast<ParallelOp>(op), *own);
  });
}

void cpu::keepPart(KernelOp kernel, const TiedDims &ties, OwnedDim dim, int64_t extent,
                   Value first) {
  PartKeeper(kernel, ties, dim, extent, first).run();
}
