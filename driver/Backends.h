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

/// The backend of `target`, as in "cpu" or "cpu:znver4".
llvm::Expected<std::unique_ptr<Backend>> createBackend(llvm::StringRef target);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_BACKENDS_H
