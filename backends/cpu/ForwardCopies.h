//===- ForwardCopies.h - Reading what a copy reads ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_FORWARDCOPIES_H
#define TILEWRIGHT_BACKENDS_CPU_FORWARDCOPIES_H

#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// The one copy that fills the tile `alloc` from a tensor; null where there is none, or
/// it rounds.
tile::CopyOp getFillingCopy(tile::AllocOp alloc);

/// Whether the kernel around `op` may write memory of `tensor`.
bool isWrittenInKernel(mlir::Value tensor, mlir::Operation *op);

/// Whether `user` reads the whole of `tile` in a form that can read a tensor instead.
bool canForward(mlir::Operation *user, mlir::Value tile, tile::CopyOp filling);

/// Makes another `user` that reads what `filling` reads.
void cloneForwarded(mlir::OpBuilder &builder, mlir::Operation *user,
                    tile::CopyOp filling);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_FORWARDCOPIES_H
