//===- Pending.h - Rules that asynchronous operations share -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For the verifiers of the dialect. `constraint` is what a message starts with, "(C1)".
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_SIMT_PENDING_H
#define TILEWRIGHT_DIALECTS_SIMT_PENDING_H

#include "dialects/simt/Simt.h"

namespace tilewright::simt {

/// Whether all threads of the group come by `op`.
bool isForAllThreads(mlir::Operation *op);

constexpr llvm::StringLiteral forAllThreads =
    "must stand where all threads come by, outside of simt.once and tile.parallel";

/// That each pending value that `op` gives has one consumer, on every path: behind it in
/// its block, or in that of the loop that carries it.
mlir::LogicalResult verifyConsumers(mlir::Operation *op, llvm::StringRef constraint);

/// Whether `pending`, or what it goes into, is waited for in front of `op`, or is among
/// the tokens of `op` if that is a simt.release.
bool isDoneBefore(mlir::Value pending, mlir::Operation *op);

/// That `op` may write to a tile of tensor memory: nobody uses the value behind it, or
/// may still be reading.
mlir::LogicalResult verifyOverwrites(mlir::Operation *op, mlir::Value tile,
                                     llvm::StringRef constraint);

} // namespace tilewright::simt

#endif // TILEWRIGHT_DIALECTS_SIMT_PENDING_H
