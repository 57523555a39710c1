//===- Library.h - Calls of library functions --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_LIBRARY_H
#define TILEWRIGHT_RUNTIME_SRC_LIBRARY_H

#include "Buffer.h"
#include "Kernel.h"

#include "tilewright/library.h"

namespace tilewright {

struct Bound;

/// One call of a library function, up to its launch.
struct Call {
  const tw_function_v1 *function;
  tw_stream *stream;
  tw_device *device = nullptr;
  Bound *bound = nullptr;
  int64_t count = 0;
  const tw_kernel *kernel = nullptr; // of the chosen build
  uint64_t build = 0;
  tw_argument_v1 arguments[maximumParameters];
  uint64_t words[maximumParameters * (1 + 2 * TW_MAX_RANK)];

  Call(const tw_function_v1 *function, tw_stream *stream)
      : function(function), stream(stream) {}

  /// Reads the arguments, and finds the device and the function's kernels for it.
  tw_status prepare(const void *const *values);
  /// Finds the first build that takes the arguments; TW_ERROR_ARGUMENT where there is
  /// none. `report` gets a line for each that does not.
  tw_status choose(Buffer *report);
  /// Where choose finds none: fails with a reason for each build.
  tw_status explainFailure();
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_LIBRARY_H
