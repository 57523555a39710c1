//===- CudaBackend.h - NVIDIA GPUs as a backend -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CUDA_CUDA_BACKEND_H
#define TILEWRIGHT_BACKENDS_CUDA_CUDA_BACKEND_H

#include "backends/Backend.h"

namespace tilewright::cuda {

/// The backend of `spec`: "cuda", "cuda:sm_80", "cuda-emulator:sm_80", ...
llvm::Expected<std::unique_ptr<Backend>> createCudaBackend(llvm::StringRef spec);

/// Adds the dialects and interfaces of its pipelines.
void registerCudaDialects(mlir::DialectRegistry &registry);

} // namespace tilewright::cuda

#endif // TILEWRIGHT_BACKENDS_CUDA_CUDA_BACKEND_H
