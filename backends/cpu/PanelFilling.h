//===- PanelFilling.h - Tiles that are filled for a product -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_PANEL_FILLING_H
#define TILEWRIGHT_BACKENDS_CPU_PANEL_FILLING_H

#include "backends/cpu/CpuOps.h"
#include "compiler/analysis/IndexBounds.h"
#include "dialects/tile/Tile.h"

#include <optional>

namespace tilewright::cpu {

/// A tile that a kernel fills from a tensor, for one product.
struct Filling {
  mlir::Operation *op; ///< a copy or a pack
  tile::AllocOp tile;
  bool isVectorSide; ///< whether it is loaded by vectors, not broadcast

  mlir::Value getSource() const;
  llvm::SmallVector<mlir::OpFoldResult> getOffsets() const;
  llvm::ArrayRef<int64_t> getSizes() const;
};

/// What fills `operand` of `gemm`, for this product alone.
std::optional<Filling> findFilling(GemmOp gemm, mlir::Value operand, bool isVectorSide);

/// Why the tile cannot be made once for all blocks of `kernel`; empty where it can.
llvm::StringRef findObstacle(Filling filling, GemmOp gemm, tile::KernelOp kernel,
                             tile::IndexBounds &bounds);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_PANEL_FILLING_H
