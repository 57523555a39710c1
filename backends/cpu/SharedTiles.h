//===- SharedTiles.h - Tiles of a tensor that are made once -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_SHAREDTILES_H
#define TILEWRIGHT_BACKENDS_CPU_SHAREDTILES_H

#include "backends/cpu/PanelFilling.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::cpu {

/// `memref` from `offsets` on, as so many elements of its last dimensions.
mlir::Value viewLast(mlir::OpBuilder &b, mlir::Location loc, mlir::Value memref,
                     llvm::ArrayRef<mlir::OpFoldResult> offsets,
                     llvm::ArrayRef<int64_t> shape);

/// All tiles of the tensor from which blocks of a kernel fill one for a product, in a
/// workspace that a kernel in front fills: [tiles, runs of columns, tile...].
class SharedTiles {
public:
  /// `host` is in front of the kernel.
  SharedTiles(Filling filling, GemmOp gemm, tile::KernelOp kernel, mlir::OpBuilder &host)
      : filling(filling), gemm(gemm), kernel(kernel), host(&host) {}

  /// How many tiles the tensor has.
  mlir::Value count();
  /// How many copies all blocks make.
  mlir::Value countCopies();
  /// The workspace, and the kernel that fills it with `tiles` tiles.
  void make(mlir::Value tiles);
  /// The number of the tile that the product reads.
  mlir::Value getTile(mlir::OpBuilder &b);
  /// Columns of a tile that lie together: those of a register block, on the side that is
  /// loaded by vectors.
  int64_t getColumns();
  /// The innermost loop around the product with which `offset` changes; null where it is
  /// the block's alone.
  mlir::scf::ForOp getLoop(mlir::OpFoldResult offset);

  Filling filling;
  mlir::Value workspace;

private:
  llvm::SmallVector<int64_t> getOrder();
  mlir::Value index(mlir::OpBuilder &b, int64_t value) {
    return mlir::arith::ConstantIndexOp::create(b, gemm.getLoc(), value);
  }

  GemmOp gemm;
  tile::KernelOp kernel;
  mlir::OpBuilder *host;
  llvm::SmallVector<mlir::Value> counts; ///< of tiles along each dimension
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_SHAREDTILES_H
