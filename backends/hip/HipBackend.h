//===- HipBackend.h - AMD GPUs as a backend -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_HIP_BACKEND_H
#define TILEWRIGHT_BACKENDS_HIP_HIP_BACKEND_H

#include "backends/Backend.h"

namespace tilewright::hip {

/// The backend of `spec`: "hip", "hip:gfx942", "hip-emulator:gfx942", ...
llvm::Expected<std::unique_ptr<Backend>> createHipBackend(llvm::StringRef spec);

/// Adds the dialects and interfaces of its pipelines.
void registerHipDialects(mlir::DialectRegistry &registry);

} // namespace tilewright::hip

#endif // TILEWRIGHT_BACKENDS_HIP_HIP_BACKEND_H
