//===- Tensor.h - Arguments of library functions -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_TENSOR_H
#define TILEWRIGHT_RUNTIME_SRC_TENSOR_H

#include "Signature.h"

namespace tilewright {

/// What `values` (library.h) point to, one for each parameter of `signature`, as
/// arguments of a launch. A null pointer in place of a tensor, or in a tensor, is an
/// error.
tw_status readArguments(const char *function, const Signature &signature,
                        const void *const *values, tw_argument_v1 *arguments);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_TENSOR_H
