//===- CopyRegion.h - One side of a copy --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_COPYREGION_H
#define TILEWRIGHT_BACKENDS_CPU_COPYREGION_H

#include "backends/cpu/LoopBuilder.h"
#include "compiler/analysis/IndexBounds.h"
#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// One side of a copy: a region of a memref, seen through the copied dimensions
/// (those of extent other than 1). Copied coordinate i of dimension d is element
/// offset[d] + i of the memref; [lower[d], upper[d]) are the coordinates that exist.
class CopyRegion {
public:
  /// `keep` names dimensions of the memref that count as copied even at extent 1.
  CopyRegion(LoopBuilder &b, mlir::Value memref,
             llvm::ArrayRef<mlir::OpFoldResult> mixedOffsets,
             llvm::ArrayRef<int64_t> sizes, llvm::ArrayRef<int64_t> keep = {});

  /// Adds a copied dimension of extent 1, which no dimension of the memref follows.
  void insertUnit(LoopBuilder &b, int64_t place);

  int64_t rank() const { return shape.size(); }
  mlir::Type elementType() const { return type.getElementType(); }
  int64_t elementBits() const { return type.getElementTypeBitWidth(); }

  /// Finds which coordinates exist where `op`, the copy, runs. Tiles hold the whole
  /// region. `skip` is a copied dimension whose coordinates are checked one by one.
  void computeRanges(LoopBuilder &b, tile::IndexBounds &bounds, mlir::Operation *op,
                     int64_t skip = -1);

  /// Whether coordinate `i` of copied dimension `dim` exists; null for true.
  mlir::Value inRange(LoopBuilder &b, int64_t dim, mlir::Value i) const;
  /// Whether all coordinates of `dim` exist; null for true.
  mlir::Value rangeIsWhole(LoopBuilder &b, int64_t dim) const;
  /// Whether element offset[dim] + `i` exists, ranges aside; null for true.
  mlir::Value isInside(LoopBuilder &b, int64_t dim, mlir::Value i) const;

  /// From now on the coordinate of `dim` is `i`, whatever the loop says.
  void setCoordinate(int64_t dim, mlir::Value i) { fixed[dim] = i; }

  /// The memref's indices of an element or of the start of a vector.
  llvm::SmallVector<mlir::Value> indices(LoopBuilder &b,
                                         llvm::ArrayRef<mlir::Value> coordinates) const;

  /// The element at `coordinates`, and the vector of `width` that starts there, which is
  /// contiguous and, where elements share bytes, starts at one (`startsAtByte`).
  mlir::Value loadElement(LoopBuilder &b, llvm::ArrayRef<mlir::Value> coordinates) const;
  mlir::Value loadVector(LoopBuilder &b, llvm::ArrayRef<mlir::Value> coordinates,
                         int64_t width) const;
  void storeElement(LoopBuilder &b, mlir::Value element,
                    llvm::ArrayRef<mlir::Value> coordinates) const;
  void storeVector(LoopBuilder &b, mlir::Value vector,
                   llvm::ArrayRef<mlir::Value> coordinates) const;

  /// Whether elements share bytes in pairs.
  bool isPaired() const { return tile::holdsPairs(type); }
  /// Whether the last coordinate 0 is the first element of a byte; null for true.
  mlir::Value startsAtByte(LoopBuilder &b) const;

  /// How many rows ahead of the one that is read its memory should be asked for; 0 where
  /// that does not help: tiles are in a cache, and of a run of memory the CPU itself
  /// fetches ahead, unless rows are read `inAnyOrder`.
  int64_t rowsAhead(bool inAnyOrder) const;
  /// How many rows on the next block of the grid begins, where steps of a loop read parts
  /// of the rows; 0 where that is not known.
  int64_t rowsToNextBlock() const;
  /// Asks for the memory of the row that holds the element of `coordinates`.
  void prefetchRow(LoopBuilder &b, llvm::ArrayRef<mlir::Value> coordinates) const;

  /// Whether neighbours along the last copied dimension are neighbours in memory.
  bool isContiguous() const;

  mlir::Value memref;
  mlir::Value bytes; // of paired elements
  mlir::MemRefType type;
  llvm::SmallVector<int64_t> shape;            // extents of the copied dimensions
  llvm::SmallVector<mlir::OpFoldResult> lower; // of each copied dimension
  llvm::SmallVector<mlir::OpFoldResult> upper;
  mlir::Value unitsInside; // whether the dimensions of extent 1 exist; null for true

private:
  /// The indices among the bytes of an element that starts one.
  llvm::SmallVector<mlir::Value>
  byteIndices(LoopBuilder &b, llvm::ArrayRef<mlir::Value> coordinates) const;

  llvm::SmallVector<mlir::Value> offsets; // of each dimension of the memref
  llvm::SmallVector<int64_t> dims;        // the copied ones among them
  llvm::SmallVector<mlir::Value> fixed;
};

/// Lowers a fill (LowerFill.cpp).
void lowerFill(tile::FillOp op, int64_t vectorBits);

/// Lowers a pack (LowerPack.cpp).
void lowerPack(tile::PackOp op, tile::IndexBounds &bounds, int64_t vectorBits);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_COPYREGION_H
