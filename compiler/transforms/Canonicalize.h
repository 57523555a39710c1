//===- Canonicalize.h - MLIR's canonicalizer, from the last operation on ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_CANONICALIZE_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_CANONICALIZE_H

#include "mlir/Pass/Pass.h"

namespace tilewright::tile {

/// MLIR's canonicalizer, from the last operation to the first.
std::unique_ptr<mlir::Pass> createCanonicalize();

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_CANONICALIZE_H
