//===- Passes.h - Passes that serve every target ---===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_PASSES_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tilewright::tile {

#define GEN_PASS_DECL
#include "compiler/transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/transforms/Passes.h.inc"

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_PASSES_H
