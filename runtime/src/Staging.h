//===- Staging.h - Launches on GPUs of arguments in host memory --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_STAGING_H
#define TILEWRIGHT_RUNTIME_SRC_STAGING_H

#include "Kernel.h"

namespace tilewright {

/// Launches with checked words whose tensors may be in host memory, where `deviceTypes`
/// says so. What the kernel wrote there is there when the call returns.
tw_status launchStaged(const tw_kernel *kernel, tw_stream *stream, const uint64_t *words,
                       const int32_t *deviceTypes, GivenMemory given);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_STAGING_H
