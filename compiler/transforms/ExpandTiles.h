//===- ExpandTiles.h - Operations on tiles as parallel loops ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What each operation on whole tiles means, as `tile.parallel` over scalar code. The pass
// `expand-tiles` does this to all that are left; a backend may do it to single ones.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_EXPANDTILES_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_EXPANDTILES_H

#include "dialects/tile/Tile.h"

namespace tilewright::tile {

/// Whether `op` works on whole tiles and `expandTile` takes it.
bool canExpand(mlir::Operation *op);

/// Replaces `op` by parallel loops. Fails, with a message, for a product into floats
/// narrower than f32, whose sum outlives the operation.
mlir::LogicalResult expandTile(mlir::Operation *op);

/// Each writes the loops for its operation before it and leaves the operation alone.
void expandFill(FillOp op);
void expandCopy(CopyOp op);
void expandGather(GatherOp op);
void expandScatter(ScatterOp op);
void expandPack(PackOp op);
void expandReduce(ReduceOp op);
void expandScan(ScanOp op);
void expandTopK(TopKOp op);
mlir::LogicalResult expandGemm(GemmOp op);

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_EXPANDTILES_H
