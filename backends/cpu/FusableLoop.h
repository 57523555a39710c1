//===- FusableLoop.h - Loops whose iterations use elements of their own -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_FUSABLELOOP_H
#define TILEWRIGHT_BACKENDS_CPU_FUSABLELOOP_H

#include "dialects/tile/Tile.h"

#include <optional>

namespace tilewright::cpu {

/// An elementwise `tile.parallel`, or a `tile.copy` as one: straight code without effects
/// but loads and stores along rows.
class FusableLoop {
public:
  /// Null where `op` is no such loop, or its tiles are better copied: operands of gemms
  /// that come from a tensor.
  static std::optional<FusableLoop> get(mlir::Operation *op);

  mlir::Operation *getOperation() const { return op; }
  /// Operations of an iteration.
  size_t getSize() const { return size; }

  /// Whether one loop can do what this one and then `other` does, and saves a pass over
  /// some memory: both have the same extents, one is no copy, they use a memory together,
  /// and what one writes the other uses in the same iteration alone.
  bool canRunWith(const FusableLoop &other) const;

  /// Appends an iteration to the body of a loop of the same extents.
  void emitInto(mlir::Block &body) const;

private:
  /// A place in one dimension: `base` plus a loop's variable, where there is one.
  struct Index {
    int64_t variable = -1; ///< among the extents that are not 1
    mlir::Value base;      ///< null for zero

    bool operator==(const Index &other) const;
  };
  struct Access {
    mlir::Value memref;
    llvm::SmallVector<Index> indices;
    bool isWrite;
  };

  explicit FusableLoop(mlir::Operation *op) : op(op) {}
  bool analyze(tile::ParallelOp loop);
  bool analyze(tile::CopyOp copy);
  std::optional<Index> getIndex(tile::ParallelOp loop, mlir::Value value) const;
  bool addAccess(mlir::Value memref, llvm::SmallVector<Index> indices, bool isWrite);
  void emitCopy(tile::CopyOp copy, mlir::Block &body) const;

  mlir::Operation *op;
  llvm::SmallVector<int64_t> extents; ///< those that are not 1
  llvm::SmallVector<Access> accesses;
  size_t size = 0;
};

/// The extents that are not 1.
llvm::SmallVector<int64_t> dropUnits(llvm::ArrayRef<int64_t> extents);

/// Makes reductions of rows part of the loops of `block` that make their elements.
void fuseReductions(mlir::Block &block);

/// Makes loops that read `alloc`'s tile read the tensor that it was filled from, and
/// removes the tile, where that can be done.
void forwardLoads(tile::AllocOp alloc);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_FUSABLELOOP_H
