//===- FitTiles.cpp - Tiles that are larger than their tensors -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel for tiles of 128 columns that is compiled for a tensor of 30 computes 98 of
// them for nothing. Where a tensor's extent is known, its tiles have no more than that:
//
//   %c = alloc 128x128                            %c = alloc 128x32
//   copy w[k, 0][32, 128] to %b                   copy w[k, 0][32, 32] to %b
//   gemm %a, %b into %c                     =>    gemm %a, %b into %c
//   copy %c to y[i, 0][128, 128]                  copy %c to y[i, 0][128, 32]
//
// The elements that are left are made by the same operations. There are a few more than
// the tensor has, so that vectors are whole.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "backends/cpu/TilePart.h"
#include "compiler/analysis/IndexBounds.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_FITTILES
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Elements that a vector of the widest kind of sums has.
static constexpr int64_t vectorLanes = 16;

namespace {
/// How much of one class of dimensions a kernel's results have.
class ClassExtent {
public:
  ClassExtent(KernelOp kernel, const TiedDims &ties, OwnedDim dim, IndexBounds &bounds)
      : kernel(kernel), ties(ties), dim(dim), bounds(bounds) {}

  /// Nothing where that is not known.
  std::optional<int64_t> get();

private:
  bool addMove(Operation *op, Value dst, ArrayRef<OpFoldResult> offsets);
  bool addAccess(Operation *op, Value tensor, ValueRange indices);
  bool add(Value tensor, int64_t tensorDim);

  KernelOp kernel;
  const TiedDims &ties;
  OwnedDim dim;
  IndexBounds &bounds;
  int64_t most = 0;
};
} // namespace

bool ClassExtent::add(Value tensor, int64_t tensorDim) {
  int64_t extent = cast<MemRefType>(tensor.getType()).getDimSize(tensorDim);
  most = std::max(most, extent);
  return !ShapedType::isDynamic(extent);
}

/// A region of a tensor that is written from a tile: what lies behind the tensor's end is
/// not, wherever in the tensor the region begins.
bool ClassExtent::addMove(Operation *op, Value dst, ArrayRef<OpFoldResult> offsets) {
  std::optional<Move> move = Move::get(op);
  std::optional<int64_t> own = ties.find(move->src, dim);
  for (auto [number, dims] : llvm::enumerate(move->dims)) {
    if (dims.first != own)
      continue;
    OpFoldResult offset = offsets[dims.second];
    std::optional<int64_t> constant = getConstantIntValue(offset);
    bool isInside =
        constant ? *constant >= 0 : bounds.isNonNegative(cast<Value>(offset), op);
    return isInside && number != move->axis && add(dst, dims.second);
  }
  return false;
}

/// An element that a loop over the class writes, at the loop's variable or behind it.
bool ClassExtent::addAccess(Operation *op, Value tensor, ValueRange indices) {
  auto loop = op->getParentOfType<ParallelOp>();
  Value variable = loop.getBody().getArgument(*ties.find(loop, dim));
  for (auto [number, index] : llvm::enumerate(indices)) {
    bool isBehind = index == variable;
    if (auto sum = index.getDefiningOp<arith::AddIOp>())
      for (auto [side, other] :
           {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
        isBehind |= side == variable && bounds.isNonNegative(other, op);
    if (isBehind)
      return add(tensor, number);
  }
  return false;
}

std::optional<int64_t> ClassExtent::get() {
  WalkResult result = kernel.walk([&](Operation *op) {
    bool isKnown =
        llvm::TypeSwitch<Operation *, bool>(op)
            .Case<CopyOp, GatherOp, ScatterOp>([&](auto move) {
              return isTile(move.getDst().getType()) ||
                     addMove(move, move.getDst(), move.getMixedDstOffsets());
            })
            .Case<StoreOp, AtomicOp>([&](auto access) {
              return isTile(access.getMemref().getType()) ||
                     addAccess(access, access.getMemref(), access.getIndices());
            })
            .Default(true);
    return isKnown ? WalkResult::advance() : WalkResult::interrupt();
  });
  return result.wasInterrupted() ? std::nullopt : std::optional(most);
}

namespace {
struct FitTiles : tilewright::cpu::impl::FitTilesBase<FitTiles> {
  using FitTilesBase::FitTilesBase;

  /// Makes the tiles of one class smaller, if there is one that can be.
  bool fit(KernelOp kernel) {
    TiedDims ties(kernel);
    IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
    for (OwnedDim dim : ties.getFreeClasses()) {
      std::optional<int64_t> exist = ClassExtent(kernel, ties, dim, bounds).get();
      if (!exist)
        continue;
      int64_t some = std::max<int64_t>(*exist, 1), few = llvm::PowerOf2Ceil(some);
      int64_t extent = std::min<int64_t>(few, llvm::alignTo<vectorLanes>(some));
      int64_t whole = getExtent(dim);
      if (extent >= whole)
        continue;
      kernel.emitRemark() << "computes " << extent << " of a tile's " << whole
                          << " rows or columns: its tensors have " << *exist;
      keepPart(kernel, ties, dim, extent, /*first=*/Value());
      return true;
    }
    return false;
  }

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    for (KernelOp kernel : kernels)
      if (!kernel->getParentOfType<func::FuncOp>()->hasAttr("tile.batch_invariant"))
        while (fit(kernel))
          ;
  }
};
} // namespace
