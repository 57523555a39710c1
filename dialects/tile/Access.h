//===- Access.h - What memory an operation touches ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_TILE_ACCESS_H
#define TILEWRIGHT_DIALECTS_TILE_ACCESS_H

#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/Value.h"

#include <optional>

#include "dialects/tile/Factor.h"

namespace tilewright::tile {

/// A box of a memref, of which every element is accessed.
struct Box {
  mlir::Value memref;
  /// For each dimension the first element, and how many; ShapedType::kDynamic: all.
  llvm::SmallVector<mlir::OpFoldResult> offsets;
  llvm::SmallVector<int64_t> sizes;

  /// All of `memref`.
  static Box whole(mlir::Value memref);
  /// One element.
  static Box element(mlir::Value memref, mlir::ValueRange indices);
};

/// One access of an operation.
struct Access {
  AccessKind kind;
  Box box;
  /// Where rows are named by an index tile: the dimension of `box` that they count in.
  std::optional<int64_t> axis;
  /// With `axis`, the row of indices, one for each of the box's elements along it. Else,
  /// where it is given, where the elements go: those that would go outside of a tensor
  /// are not accessed.
  std::optional<Box> other;
};

using Accesses = llvm::SmallVector<Access, 4>;

/// The accesses that the memory effects of `op` say: all of each operand that it reads,
/// then all of each that it writes.
Accesses getWholeAccesses(mlir::Operation *op);

} // namespace tilewright::tile

#include "dialects/tile/TileAccessInterface.h.inc"

#endif // TILEWRIGHT_DIALECTS_TILE_ACCESS_H
