//===- GpuMessages.h - What kernels of GPUs say ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel cannot call the host. It writes records to device memory, which is read when
// the launch has ended; `messages` in tw_host_v1 says how.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_GPU_MESSAGES_H
#define TILEWRIGHT_RUNTIME_SRC_GPU_MESSAGES_H

#include "Buffer.h"
#include "GpuDevice.h"
#include "Messages.h"

namespace tilewright {

/// The messages of one launch.
class GpuMessages {
  /// A buffer in device memory, and the places of the source that write there.
  struct Sink {
    void *memory;
    tw_message_site_v1 *sites; // a copy: a launch function may have had them on its stack
    int64_t count;
  };
  Array<Sink> sinks;

  int readSink(const GpuDevice &device, void *stream, const char *kernel,
               const Sink &sink, LowestFault &fault);

public:
  /// How many lines of a launch function's buffer are kept.
  static constexpr uint64_t capacity = 16384;
  static constexpr int64_t headerWords = 4, recordWords = 3;
  static constexpr int64_t bytes = (headerWords + capacity * recordWords) * 8;

  GpuMessages() = default;
  ~GpuMessages();
  bool isEmpty() const { return sinks.size() == 0; }

  /// Makes `memory`, of `bytes`, a buffer for `sites`.
  tw_status add(const GpuDevice &device, void *stream, const char *kernel, void *memory,
                const tw_message_site_v1 *sites, int64_t count);
  /// Waits for the stream, prints the lines and adds the lowest fault to `fault`. Where
  /// the launch has failed, what can be read is printed, and no error recorded.
  tw_status read(const GpuDevice &device, void *stream, const char *kernel, bool isFailed,
                 LowestFault &fault);
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_GPU_MESSAGES_H
