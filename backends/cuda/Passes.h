//===- Passes.h - Passes of the CPU backend ---===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CUDA_PASSES_H
#define TILEWRIGHT_BACKENDS_CUDA_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tilewright::cuda {

#define GEN_PASS_DECL
#include "backends/cuda/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "backends/cuda/Passes.h.inc"

} // namespace tilewright::cuda

#endif // TILEWRIGHT_BACKENDS_CUDA_PASSES_H
