//===- CpuTarget.h - Whether this machine runs code for a CPU target ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_CPU_TARGET_H
#define TILEWRIGHT_RUNTIME_SRC_CPU_TARGET_H

#include <cstddef>

namespace tilewright {

/// The first of the instruction-set extensions in `required` ("avx2,fma"; null for none)
/// that this machine lacks or the runtime does not know, with its length, or nullptr.
const char *findMissingCpuFeature(const char *required, size_t *length);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_CPU_TARGET_H
