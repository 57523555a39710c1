//===- Recompute.h - Values that can be computed elsewhere --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where an element lies is arithmetic on variables of loops and of the kernel. A pass
// that needs it in another place says which values are given there, and the rest is
// computed anew. (MLIR's `moveValueDefinitions` moves it, within one block.)
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_ANALYSIS_RECOMPUTE_H
#define TILEWRIGHT_COMPILER_ANALYSIS_RECOMPUTE_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace tilewright {

/// Says whether a value is there without being computed.
using IsGiven = llvm::function_ref<bool(mlir::Value)>;

/// Whether `value` is given, or follows from given values by operations that do nothing
/// else, and not from what a region yields; from memory only by loads of which `mayLoad`
/// says that they may be done again.
bool canRecompute(
    mlir::Value value, IsGiven isGiven,
    llvm::function_ref<bool(mlir::Operation *)> mayLoad = [](mlir::Operation *) {
      return false;
    });

/// `value`, which can be recomputed, where `builder` is. `mapping` says what stands for
/// given values there, and learns what is computed.
mlir::Value recompute(mlir::OpBuilder &builder, mlir::Value value, IsGiven isGiven,
                      mlir::IRMapping &mapping);

} // namespace tilewright

#endif // TILEWRIGHT_COMPILER_ANALYSIS_RECOMPUTE_H
