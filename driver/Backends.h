//===- Backends.h - The backends that there are ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_BACKENDS_H
#define TILEWRIGHT_DRIVER_BACKENDS_H

#include "backends/Backend.h"

#include "llvm/Support/Error.h"

namespace tilewright {

/// The backend of `target`, as in "cpu", "cpu:znver4" or "cuda-emulator:sm_80".
llvm::Expected<std::unique_ptr<Backend>> createBackend(llvm::StringRef target);

/// Adds the dialects and interfaces of all backends.
void registerBackendDialects(mlir::DialectRegistry &registry);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_BACKENDS_H
