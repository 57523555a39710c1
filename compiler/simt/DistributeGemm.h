//===- DistributeGemm.h - Products by the threads of a block ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_DISTRIBUTE_GEMM_H
#define TILEWRIGHT_COMPILER_SIMT_DISTRIBUTE_GEMM_H

#include "dialects/tile/Tile.h"

namespace tilewright::simt {

/// Where a thread is in its block.
struct ThreadPlace {
  mlir::Value lane, warp;
  int64_t warps; // of the block
};

/// Replaces a gemm, whose atom was chosen, by its warps' instructions.
mlir::LogicalResult distributeGemm(tile::GemmOp gemm, const ThreadPlace &place);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_DISTRIBUTE_GEMM_H
