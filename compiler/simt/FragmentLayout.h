//===- FragmentLayout.h - Which thread holds which element --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_FRAGMENT_LAYOUT_H
#define TILEWRIGHT_COMPILER_SIMT_FRAGMENT_LAYOUT_H

#include "dialects/tile/Tile.h"

namespace tilewright::simt {

/// How many instructions side by side make a tile, and how many of them each warp has.
struct Tiling {
  int64_t warpsM, warpsN; // warps along M and N
  int64_t m, n;           // instructions of a warp along M and N
};

/// The tiling of an M x N result by `atom` with all of `warps` that pads least; of equal
/// ones, the one whose warps read the least of A and B.
Tiling getTiling(tile::AtomAttrInterface atom, int64_t m, int64_t n, int64_t warps);

/// The layout of an M x N accumulator: its extents are those of whole instructions. The
/// registers of one instruction are neighbours.
tile::LayoutAttr getAccumulatorLayout(tile::AtomAttrInterface atom, const Tiling &tiling);

/// Whether `indices` into `shape` are the variables of `nest`, which has the same
/// extents; those of 1, on both sides, have no part in it.
bool isAtOwnPosition(llvm::ArrayRef<int64_t> shape, mlir::ValueRange indices,
                     tile::ParallelOp nest);

/// A thread's own indices in a layout.
class ThreadIndex {
public:
  /// Emits what the indices of all registers share.
  ThreadIndex(mlir::OpBuilder &builder, mlir::Location loc, tile::LayoutAttr layout,
              mlir::Value lane, mlir::Value warp);

  /// The part of `reg`'s index along `dim` that is the same for all threads.
  int64_t getOffset(int64_t dim, int64_t reg) const;
  /// The index of `reg` along `dim`.
  mlir::Value get(mlir::OpBuilder &builder, mlir::Location loc, int64_t dim,
                  int64_t reg) const;

private:
  tile::LayoutAttr layout;
  llvm::SmallVector<mlir::Value> bases;
};

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_FRAGMENT_LAYOUT_H
