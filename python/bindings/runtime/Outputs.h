//===- Outputs.h - Tensors that a launch allocates ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_OUTPUTS_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_OUTPUTS_H

#include "DLPack.h"
#include "PythonHelpers.h"

namespace tilewright::python {

/// A tensor to make: contiguous, contents undefined. Extents count elements.
struct OutputShape {
  int32_t dtype;
  int32_t rank;
  const int64_t *extents;
  int64_t alignment;
};

/// Allocates on `device` with the library that `api` belongs to, or with NumPy where it
/// is null, and stores where the elements start. Null with an error set.
Ref allocateOutput(const OutputShape &shape, const dlpack::ExchangeApi *api,
                   dlpack::Device device, uint64_t &address);

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_OUTPUTS_H
