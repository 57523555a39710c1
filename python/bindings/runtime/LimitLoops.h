//===- LimitLoops.h - What limits are measured with ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_LIMIT_LOOPS_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_LIMIT_LOOPS_H

#include <cstddef>
#include <cstdint>

namespace tilewright::python {

/// A loop of multiply-adds in registers.
struct ComputeLoop {
  void (*run)(int64_t iterations);
  double operations; ///< in one iteration, two for each multiply-add
};

/// The fastest loop of the dtype ("f32", "bf16", "i8") that this CPU has instructions
/// for; its `run` is null where there is none.
ComputeLoop findComputeLoop(const char *dtype);

/// A way through memory, in multiples of 4096 bytes; `to` is only written by copies.
struct MemoryLoop {
  void (*run)(char *to, const char *from, size_t bytes);
};

/// One sequential read, and eight side by side, which prefetchers may serve better.
extern const MemoryLoop readLoops[2];

/// The C library's copy, and one whose writes pass by the caches.
extern const MemoryLoop copyLoops[2];

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_LIMIT_LOOPS_H
