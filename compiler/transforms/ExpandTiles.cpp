//===- ExpandTiles.cpp - Operations on tiles as parallel loops ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   tile.copy %x[%i, 0][64, 32] to %s[0, 0][64, 32]
// becomes
//   tile.parallel (%r, %c) in (64, 32) {
//     %row = arith.addi %i, %r
//     %v = tile.load %x[%row, %c]
//     memref.store %v, %s[%r, %c]
//   }
//
// Every iteration writes elements of its own. What it computes along the way, a sum or a
// rank, is a loop inside it, which stays a loop. Where a result may lie in memory that
// other iterations read, the operand is copied first.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/ExpandTiles.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_EXPANDTILES
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

bool tile::canExpand(Operation *op) {
  return isa<FillOp, CopyOp, GatherOp, ScatterOp, PackOp, ReduceOp, ScanOp, TopKOp,
             GemmOp>(op);
}

LogicalResult tile::expandTile(Operation *op) {
  LogicalResult result = success();
  llvm::TypeSwitch<Operation *>(op)
      .Case([](FillOp fill) { expandFill(fill); })
      .Case([](CopyOp copy) { expandCopy(copy); })
      .Case([](GatherOp gather) { expandGather(gather); })
      .Case([](ScatterOp scatter) { expandScatter(scatter); })
      .Case([](PackOp pack) { expandPack(pack); })
      .Case([](ReduceOp reduce) { expandReduce(reduce); })
      .Case([](ScanOp scan) { expandScan(scan); })
      .Case([](TopKOp topk) { expandTopK(topk); })
      .Case([&](GemmOp gemm) { result = expandGemm(gemm); });
  if (succeeded(result))
    op->erase();
  return result;
}

/// Whether threads may have better means: what they reduce is a tile of the block.
static bool isTileReduction(Operation *op) {
  auto reduce = dyn_cast<ReduceOp>(op);
  auto isTile = [](Value memref) {
    return getSpace(memref) == Space::Fragment || getSpace(memref) == Space::Shared;
  };
  return reduce && isTile(reduce.getSrc()) && isTile(reduce.getDst());
}

namespace {
struct ExpandTilesPass : tilewright::tile::impl::ExpandTilesBase<ExpandTilesPass> {
  using ExpandTilesBase::ExpandTilesBase;
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) {
      // What an instruction was chosen for is the backend's.
      auto gemm = dyn_cast<GemmOp>(op);
      if (canExpand(op) && !(gemm && gemm.getAtom()) &&
          !(keepReductions && isTileReduction(op)))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(expandTile(op)))
        return signalPassFailure();
  }
};
} // namespace
