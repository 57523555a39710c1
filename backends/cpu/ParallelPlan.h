//===- ParallelPlan.h - How a parallel loop is vectorised ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_PARALLELPLAN_H
#define TILEWRIGHT_BACKENDS_CPU_PARALLELPLAN_H

#include "compiler/analysis/IndexBounds.h"
#include "dialects/tile/Tile.h"

#include "llvm/ADT/DenseSet.h"

#include <string>

namespace tilewright::cpu {

/// Which dimension of a `tile.parallel` runs over vectors, and what that makes of
/// the values in its body.
struct ParallelPlan {
  /// Why the loop runs one element at a time; empty where it runs over vectors.
  std::string obstacle;
  int64_t dim = 0;
  /// Elements of a vector: a power of two.
  int64_t lanes = 1;
  /// Values that differ between lanes, and variables private to an iteration that do.
  llvm::DenseSet<mlir::Value> varying;

  bool isVarying(mlir::Value value) const { return varying.contains(value); }
};

/// Chooses the dimension with the cheapest accesses, the innermost among equals.
ParallelPlan planParallel(tile::ParallelOp op, tile::IndexBounds &bounds,
                          int64_t vectorBits);

/// A read or write of one element: its memref, indices and, of a tensor, which
/// indices are known to be inside.
struct ElementAccess {
  mlir::Value memref;
  mlir::OperandRange indices;
  /// Null for a tile, which is accessed inside its shape.
  std::optional<llvm::ArrayRef<bool>> inbounds;
  /// The stored value; null for a load.
  mlir::Value stored;

  /// Whether index `dim` has to be compared with the extent.
  bool isGuarded(int64_t dim) const {
    return inbounds && (inbounds->empty() || !(*inbounds)[dim]);
  }
};

/// The access that `op` is, if any.
std::optional<ElementAccess> getElementAccess(mlir::Operation *op);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_PARALLELPLAN_H
