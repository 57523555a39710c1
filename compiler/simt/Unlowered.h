//===- Unlowered.h - What has no lowering yet ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_UNLOWERED_H
#define TILEWRIGHT_COMPILER_SIMT_UNLOWERED_H

#include "mlir/IR/Operation.h"

namespace tilewright::simt {

/// Refuses, with an error for `target`, what the passes at group level know no meaning
/// of: roles, and whatever is pending, in tensor memory or a barrier in shared memory.
/// They would treat it as they do what needs no barrier.
mlir::LogicalResult refuseUnlowered(mlir::Operation *root, llvm::StringRef target);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_UNLOWERED_H
