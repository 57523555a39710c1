//===- EmitPairs.h - Two iterations of a thread at once -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_EMIT_PAIRS_H
#define TILEWRIGHT_COMPILER_SIMT_EMIT_PAIRS_H

#include "compiler/simt/EmitIteration.h"

namespace tilewright::simt {

/// Whether two iterations of `nest` have arithmetic to share: products and sums of f32,
/// of which targets with packed instructions do two in one, or conversions to bf16, which
/// fill a register in pairs.
bool hasPairs(tile::ParallelOp nest);

/// Emits what `nest` does at `first` and at `second`.
void emitPair(mlir::OpBuilder &builder, tile::ParallelOp nest,
              llvm::ArrayRef<mlir::Value> first, llvm::ArrayRef<mlir::Value> second,
              OwnElement ownFirst, OwnElement ownSecond);

/// A vector of two, for packed instructions.
mlir::Value makePair(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value first,
                     mlir::Value second);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_EMIT_PAIRS_H
