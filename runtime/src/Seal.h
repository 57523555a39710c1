//===- Seal.h - Whether a library is as it was built -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_SEAL_H
#define TILEWRIGHT_RUNTIME_SRC_SEAL_H

#include "tilewright/library.h"

namespace tilewright {

/// TW_ERROR_ARTIFACT where the library's file has been changed since it was built. What
/// it came to is kept; calls are one at a time.
tw_status checkSeal(const tw_library_v1 *library);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_SEAL_H
