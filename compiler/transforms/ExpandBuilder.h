//===- ExpandBuilder.h - Helpers to expand operations on tiles ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_EXPANDBUILDER_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_EXPANDBUILDER_H

#include "compiler/transforms/Combiner.h"
#include "compiler/transforms/LoopBuilder.h"

namespace tilewright::tile {

/// A LoopBuilder of parallel loops and of the scalar code in them.
class ExpandBuilder : public LoopBuilder {
public:
  using LoopBuilder::LoopBuilder;

  Expr expr(mlir::Value value) { return {*this, getLoc(), value}; }
  Expr constant(int64_t value, mlir::Type type) {
    return expr(mlir::arith::ConstantIntOp::create(*this, getLoc(), type, value));
  }
  /// `offset` + `i`, or `offset` alone where `i` is null.
  mlir::Value addTo(mlir::OpFoldResult offset, mlir::Value i);

  /// A `tile.parallel` over `extents`, of one iteration where there are none.
  void parallel(llvm::ArrayRef<int64_t> extents,
                llvm::function_ref<void(llvm::ArrayRef<mlir::Value>)> body);
  /// A loop from `lower` to `upper` that carries values on from `initial`; gives the
  /// last.
  llvm::SmallVector<mlir::Value>
  serial(int64_t lower, int64_t upper, mlir::ValueRange initial,
         llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)>
             body);

  /// What `onTrue` gives where `condition` holds, or is null; else what `onFalse` does.
  mlir::Value choose(mlir::Value condition, mlir::Type type,
                     llvm::function_ref<mlir::Value()> onTrue,
                     llvm::function_ref<mlir::Value()> onFalse);

  /// An element of a tile, or of a tensor, where `inbounds` says which indices need no
  /// guard.
  mlir::Value load(mlir::Value memref, llvm::ArrayRef<mlir::Value> indices,
                   llvm::ArrayRef<bool> inbounds = {});
  void store(mlir::Value value, mlir::Value memref, llvm::ArrayRef<mlir::Value> indices,
             llvm::ArrayRef<bool> inbounds = {});

  /// A new shared tile, which every iteration may read.
  mlir::Value allocate(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                       mlir::Type element);
  /// `tile`, or a copy of it made now where writing `dst` may change it. With
  /// `orItself`, an iteration may read the element that it writes, so `dst` may be
  /// `tile`.
  mlir::Value keepFrom(mlir::Value tile, mlir::Value dst, bool orItself = false);
};

/// A region of a memref, as copies name it. Its coordinates are those along dimensions
/// that it spans: of an extent other than 1.
class CopySide {
public:
  CopySide(mlir::Value memref, llvm::ArrayRef<mlir::OpFoldResult> offsets,
           llvm::ArrayRef<int64_t> sizes);
  /// All of `tile`.
  static CopySide whole(mlir::Value tile);

  mlir::MemRefType type() const { return llvm::cast<mlir::MemRefType>(memref.getType()); }
  mlir::Type elementType() const { return type().getElementType(); }
  /// The spanned extents.
  llvm::SmallVector<int64_t> shape() const;
  /// The place among the coordinates of dimension `dim`, if it is spanned.
  std::optional<unsigned> coordinateOf(int64_t dim) const;
  /// The indices of the element at `coordinates`.
  llvm::SmallVector<mlir::Value> indices(ExpandBuilder &b,
                                         llvm::ArrayRef<mlir::Value> coordinates) const;
  /// For each dimension whether constants show that the region lies inside.
  llvm::SmallVector<bool> inbounds() const;

  mlir::Value load(ExpandBuilder &b, llvm::ArrayRef<mlir::Value> coordinates) const;
  void store(ExpandBuilder &b, mlir::Value value,
             llvm::ArrayRef<mlir::Value> coordinates) const;

  /// Whether writing this region may change an element of `read` that does not lie at
  /// the same coordinates.
  bool mayDisturb(const CopySide &read) const;
  /// A tile that holds a copy of this region made now, converted to `element`.
  CopySide copied(ExpandBuilder &b, mlir::Type element, bool isUnsigned = false) const;

  mlir::Value memref;
  llvm::SmallVector<mlir::OpFoldResult> offsets;
  llvm::SmallVector<int64_t> sizes;
};

/// Copies a region to another of its shape.
void copyRegion(ExpandBuilder &b, const CopySide &src, const CopySide &dst,
                bool isUnsigned = false);

/// The element type and shape of a memref.
inline mlir::Type elementOf(mlir::Value memref) {
  return llvm::cast<mlir::MemRefType>(memref.getType()).getElementType();
}
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value memref) {
  return llvm::cast<mlir::MemRefType>(memref.getType()).getShape();
}

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_EXPANDBUILDER_H
