//===- Passes.h - Passes that make the launch function ---===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_HOST_PASSES_H
#define TILEWRIGHT_COMPILER_HOST_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tilewright::host {

#define GEN_PASS_DECL
#include "compiler/host/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "compiler/host/Passes.h.inc"

} // namespace tilewright::host

#endif // TILEWRIGHT_COMPILER_HOST_PASSES_H
