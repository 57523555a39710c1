//===- EmitIteration.h - A thread's iterations of a loop nest -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_EMIT_ITERATION_H
#define TILEWRIGHT_COMPILER_SIMT_EMIT_ITERATION_H

#include "dialects/tile/Tile.h"

namespace tilewright::simt {

/// How many neighbours of `nest` a thread takes at once.
int64_t getWidth(tile::ParallelOp nest);

/// The number, among the thread's own, of the element that an access in the nest has of a
/// tile that is dealt out, at neighbour `lane`.
using OwnElement = llvm::function_ref<mlir::Value(mlir::OpBuilder &builder,
                                                  mlir::Operation *access, int64_t lane)>;

/// Emits what `nest` does at `indices`, and at the neighbours that its width says.
void emitIteration(mlir::OpBuilder &builder, tile::ParallelOp nest,
                   llvm::ArrayRef<mlir::Value> indices, OwnElement own);

/// Whether an access is one to a tile that is dealt out.
bool isDealtAccess(mlir::Operation *op);

/// Makes it an access to the thread's own element `index`.
void setOwnIndex(mlir::Operation *access, mlir::Value index);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_EMIT_ITERATION_H
