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

/// For each register of `wanted` the one of `held` where the same thread has that element
/// already; nothing where another thread has it.
std::optional<llvm::SmallVector<int64_t>> matchRegisters(tile::LayoutAttr held,
                                                         tile::LayoutAttr wanted);

/// The layout of a tile of `shape` of elements of `bytes` bytes that is dealt out by no
/// instruction: neighbours to a thread, neighbouring threads along the last dimension,
/// warps along the first. Has no dimension for extents of 1.
tile::LayoutAttr getBlockedLayout(mlir::MLIRContext *context,
                                  llvm::ArrayRef<int64_t> shape, int64_t bytes,
                                  int64_t lanes, int64_t warps);

/// What is left of `layout` for a tile of its dimensions `dims`: an element is held by
/// all threads that hold a part of what was there along the others.
tile::LayoutAttr getSlice(tile::LayoutAttr layout, llvm::ArrayRef<int64_t> dims);
/// The register in that slice of what a thread has in register `reg` of `layout`.
int64_t getSliceRegister(tile::LayoutAttr layout, llvm::ArrayRef<int64_t> dims,
                         int64_t reg);
bool isSameLayout(tile::LayoutAttr a, tile::LayoutAttr b);

/// How many neighbours along the last dimension, from each multiple of that number on, a
/// thread has.
int64_t getNeighbours(tile::LayoutAttr layout);
/// The register of the neighbour `step` further than that in `reg`, among these.
int64_t getNeighbour(tile::LayoutAttr layout, int64_t reg, int64_t step);

/// Which loops of `nest` the `indices` into `shape` are, one after the other, counting
/// neither loops nor dimensions of extent 1; nothing where they are anything else.
std::optional<llvm::SmallVector<int64_t>> getProjection(llvm::ArrayRef<int64_t> shape,
                                                        mlir::ValueRange indices,
                                                        tile::ParallelOp nest);
/// Whether they are all of them: the position of the iteration.
bool isAtOwnPosition(llvm::ArrayRef<int64_t> shape, mlir::ValueRange indices,
                     tile::ParallelOp nest);
/// The extents but those of 1: one for each dimension of a layout.
llvm::SmallVector<int64_t> dropUnits(llvm::ArrayRef<int64_t> extents);
/// The layout's dimension for dimension `dim` of a tile of `shape`; nothing where its
/// extent is 1.
std::optional<int64_t> getLayoutDim(llvm::ArrayRef<int64_t> shape, int64_t dim);
/// The layout's dimensions but that one.
llvm::SmallVector<int64_t> getOtherDims(llvm::ArrayRef<int64_t> shape, int64_t dim);

/// The memref and indices of a read or write of one element of a tile.
std::optional<std::pair<mlir::Value, mlir::ValueRange>>
getTileAccess(mlir::Operation *op);

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

/// Whether all of a thread's digits of `factors` are 0, as those of one of the threads
/// are that hold the same; null where there are no factors.
mlir::Value isFirst(mlir::OpBuilder &builder, mlir::Location loc,
                    llvm::ArrayRef<tile::Factor> factors, tile::LayoutAttr layout,
                    mlir::Value lane, mlir::Value warp);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_FRAGMENT_LAYOUT_H
