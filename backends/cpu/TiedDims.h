//===- TiedDims.h - Dimensions of a block's tiles that go together ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows of a tile are made of the same rows of others:
//
//   tile.copy %x[%b, 0][64, 32] to %a[0, 0][64, 32]
//   tile.gemm %a, %w into %c                            rows of a: rows of c
//   tile.parallel (%i, %j) in (64, 128) {               columns of w: columns of c
//     ... memref.store %v, %c[%i, %j]                   i: rows of c, j: columns of c
//   }
//   tile.reduce max %c into %m dim 1                    rows of c: elements of m
//
// The rows of a, c and m and the loop's i are a class: all of the block's work can be
// done for some of their elements by themselves. K of the product and the columns of c
// are in no such class, since sums and maxima run over them.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TIEDDIMS_H
#define TILEWRIGHT_BACKENDS_CPU_TIEDDIMS_H

#include "dialects/tile/Tile.h"

#include "llvm/ADT/EquivalenceClasses.h"

namespace tilewright::cpu {

/// A dimension of the tile of a `tile.alloc`, or of a `tile.parallel`.
using OwnedDim = std::pair<mlir::Operation *, int64_t>;

/// The classes of one kernel's dimensions. Valid until the kernel changes.
class TiedDims {
public:
  explicit TiedDims(tile::KernelOp kernel);

  /// Why the work cannot be done in parts at all; empty where it may be.
  llvm::StringRef whyNot() const { return reason; }

  /// A dimension of each class of which parts can be computed by themselves, each making
  /// other elements of the kernel's results, in the order of the kernel's operations.
  llvm::SmallVector<OwnedDim> getFreeClasses() const;

  /// The dimension of `owner` in the class of `dim`.
  std::optional<int64_t> find(mlir::Operation *owner, OwnedDim dim) const;
  /// That of an allocated tile; nothing for any other memref.
  std::optional<int64_t> find(mlir::Value memref, OwnedDim dim) const {
    return find(memref.getDefiningOp(), dim);
  }

private:
  void visit(mlir::Operation *op);
  void visitMove(mlir::Operation *move);
  void visitReduction(mlir::Value src, mlir::Value dst, int64_t dim);
  void visitElement(mlir::Operation *access, mlir::Value memref, mlir::ValueRange indices,
                    bool isWrite);
  void visitOther(mlir::Operation *op);
  void checkTensors(tile::KernelOp kernel);

  void add(mlir::Operation *owner, llvm::ArrayRef<int64_t> extents);
  void tie(OwnedDim a, OwnedDim b) { classes.unionSets(a, b); }
  void tie(mlir::Value a, int64_t aDim, mlir::Value b, int64_t bDim);
  void pin(mlir::Value memref, int64_t dim);
  void pinAll(mlir::Value memref);
  void pinVariables(tile::ParallelOp loop);
  void pinPartial(mlir::Value memref, llvm::ArrayRef<int64_t> offsets,
                  llvm::ArrayRef<int64_t> sizes);
  bool isFree(OwnedDim dim) const;

  llvm::EquivalenceClasses<OwnedDim> classes;
  llvm::MapVector<mlir::Operation *, llvm::SmallVector<int64_t>> extents;
  llvm::SmallVector<OwnedDim> pinned;
  /// A tensor that is written, by what, and whose dimensions that follows: those of a
  /// loop or of a tile that is copied there.
  struct Write {
    mlir::Value tensor;
    mlir::Operation *op, *owner;
  };
  llvm::SmallVector<Write> writes;
  llvm::StringRef reason;
};

/// Whether products of `kernel` have the class of `dim` as their rows or columns.
bool isSideOfProduct(tile::KernelOp kernel, const TiedDims &ties, OwnedDim dim);

/// A `tile.copy`, `tile.gather` or `tile.scatter`, as dimensions of its two sides that
/// are walked together.
struct Move {
  mlir::Value src, dst;
  llvm::SmallVector<std::pair<int64_t, int64_t>> dims;
  /// Where a tile names rows: that tile, and which of `dims` it counts in.
  mlir::Value indices;
  std::optional<size_t> axis;

  /// Nothing where `op` is no move, or one of a single row that is named.
  static std::optional<Move> get(mlir::Operation *op);
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TIEDDIMS_H
