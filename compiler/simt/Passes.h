//===- Passes.h - Passes from tiles to threads -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_PASSES_H
#define TILEWRIGHT_COMPILER_SIMT_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tilewright::simt {

#define GEN_PASS_DECL
#include "compiler/simt/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/simt/Passes.h.inc"

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_PASSES_H
