//===- LayoutSolver.h - How fragments are dealt out ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A small example, of scores that a product leaves and the maxima of their rows:
//
//   tile.gemm %q, %k into %s             %s as the instruction says: L
//   tile.reduce max %s into %m dim 1     %m as the rows of L, held by all with a part
//   tile.parallel (%i, %j) {             the nest as L, so that %m may be read there
//     ... %s[%i, %j] - %m[%i]
//   }
//   tile.parallel (%i) { ... %m[%i] }    the nest as the rows of L: done by several
//                                        threads, of which one stores to memory
//
// Layouts go from products outwards; what is reduced where no product is gets one of its
// own. Where two meet that differ, the smaller tile becomes a shared one, and layouts are
// found anew.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_LAYOUT_SOLVER_H
#define TILEWRIGHT_COMPILER_SIMT_LAYOUT_SOLVER_H

#include "dialects/tile/Tile.h"

#include "llvm/ADT/SetVector.h"

namespace tilewright::simt {

/// Layouts of a kernel's fragments and of the loop nests over them.
class LayoutSolver {
public:
  /// Of operands that pipelined loops only read, each thread keeps up to `heldBytes`.
  LayoutSolver(tile::KernelOp kernel, int64_t lanes, int64_t heldBytes);

  /// Finds the fragments that threads keep. The others become shared tiles, of which
  /// copies are reduced.
  void solve();

  /// The fragments that threads keep.
  llvm::ArrayRef<tile::AllocOp> getFragments() const { return candidates.getArrayRef(); }
  /// The loop nests over them.
  llvm::SmallVector<tile::ParallelOp> getNests() const;
  /// The layout of a fragment or nest; null where threads take turns at its elements.
  tile::LayoutAttr getLayout(mlir::Operation *op) const { return layouts.lookup(op); }

private:
  bool canBeDealt(tile::AllocOp alloc) const;
  void share(tile::AllocOp alloc, const llvm::Twine &reason);
  void reduceShared(tile::ReduceOp reduce);
  /// The fragments that `nest` accesses, with the loops that their indices are.
  llvm::SmallVector<std::pair<tile::AllocOp, llvm::SmallVector<int64_t>>>
  getAccesses(tile::ParallelOp nest) const;

  void setPolicies();
  /// Assigns what follows from anchors; gives a fragment that cannot be dealt out so.
  tile::AllocOp propagate();
  tile::AllocOp assign(mlir::Operation *op, tile::LayoutAttr layout);
  tile::AllocOp spread();
  tile::AllocOp spreadFragment(tile::AllocOp alloc);
  tile::AllocOp spreadNest(tile::ParallelOp nest);

  tile::KernelOp kernel;
  int64_t lanes, warps, heldBytes;
  bool hasWarps; // the block is made of whole warps
  llvm::SetVector<tile::AllocOp> candidates;
  llvm::DenseSet<mlir::Operation *> copies; // of what is reduced
  llvm::DenseMap<mlir::Operation *, tile::LayoutAttr> layouts;
  llvm::SmallVector<mlir::Operation *> pending; // whose layout has not been spread yet
};

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_LAYOUT_SOLVER_H
