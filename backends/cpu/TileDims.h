//===- TileDims.h - Walking tiles along one dimension -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TILEDIMS_H
#define TILEWRIGHT_BACKENDS_CPU_TILEDIMS_H

#include "backends/cpu/LoopBuilder.h"
#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// Rows of the next block are asked for while their blocks' worth of memory fits in a
/// part of L2.
inline constexpr int64_t bytesOfNextBlock = 262144;

using Indices = llvm::SmallVector<mlir::Value>;

/// Tiles of one rank, at least 2, that an operation walks along `dim`.
struct TilesAlongDim {
  llvm::SmallVector<mlir::Value> tiles;
  int64_t dim;
};

/// `tiles` seen with as few dimensions as their layouts, and that of the `reduced` tile
/// where there is one, allow: contiguous ones as [before, dim] or [before, dim, after].
TilesAlongDim mergeOtherDims(LoopBuilder &b, mlir::ValueRange tiles, int64_t dim,
                             mlir::Value reduced = {});

/// The tile that a reduction of `merged.tiles[0]` writes, seen without that dimension;
/// `dst` has it dropped or of extent 1.
mlir::Value dropReducedDim(LoopBuilder &b, const TilesAlongDim &merged, mlir::Value dst);

/// Runs `body` for all indices of `shape` in the dimensions that `skip` does not name,
/// with null indices in those.
void forOtherDims(LoopBuilder &b, llvm::ArrayRef<int64_t> shape,
                  llvm::ArrayRef<int64_t> skip, llvm::function_ref<void(Indices &)> body);

/// A loop from `lower` to `upper` by `step` that carries values.
llvm::SmallVector<mlir::Value>
loopCarrying(LoopBuilder &b, int64_t lower, int64_t upper, int64_t step,
             mlir::ValueRange initial,
             llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value index,
                                                               mlir::ValueRange carried)>
                 body);

/// Reads or writes `width` elements along a memref's last dimension, as a vector.
mlir::Value loadLanes(LoopBuilder &b, mlir::Value memref, const Indices &indices,
                      int64_t width);
void storeLanes(LoopBuilder &b, mlir::Value vector, mlir::Value memref,
                const Indices &indices);

/// Whether elements of a row follow each other. Of a row that has one element `type`
/// tells that of any stride, but regions of a tensor may be wider than it.
bool hasContiguousRows(mlir::MemRefType type);

/// Whether a region of `extent` at `offset` is followed by that of the grid's next block.
bool continuesInNextBlock(mlir::Value offset, int64_t extent);

/// Lanes `first` to `first + width` of a vector.
mlir::Value sliceLanes(LoopBuilder &b, mlir::Value vector, int64_t first, int64_t width);
/// `vector` with the lanes from `first` on replaced by those of `part`.
mlir::Value insertLanes(LoopBuilder &b, mlir::Value part, mlir::Value vector,
                        int64_t first);

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value tile) {
  return llvm::cast<mlir::MemRefType>(tile.getType()).getShape();
}
inline mlir::Type elementOf(mlir::Value tile) {
  return llvm::cast<mlir::MemRefType>(tile.getType()).getElementType();
}

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TILEDIMS_H
