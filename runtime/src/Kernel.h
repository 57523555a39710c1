//===- Kernel.h - Devices, modules and kernels inside the runtime ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_KERNEL_H
#define TILEWRIGHT_RUNTIME_SRC_KERNEL_H

#include "Signature.h"

#include "tilewright/runtime.h"

namespace tilewright {

/// What a kind of device implements.
struct DeviceFunctions {
  const char *kind; // "cpu"
  /// As DLPack numbers device types.
  int32_t type;
  /// TW_OK where the device runs an image's code.
  tw_status (*accepts)(const tw_image_v1 *image);
  tw_status (*allocate)(uint64_t bytes, void **memory);
  tw_status (*free)(void *memory);
  tw_status (*copy)(tw_stream *stream, void *to, const void *from, uint64_t bytes);
  tw_status (*fill)(tw_stream *stream, void *memory, uint8_t value, uint64_t bytes);
  tw_status (*createStream)(tw_device *device, tw_stream **stream);
  tw_status (*synchronize)(tw_stream *stream);
  void (*destroyStream)(tw_stream *stream);
  tw_status (*launch)(const tw_kernel *kernel, tw_stream *stream, const uint64_t *words);
};

extern const DeviceFunctions cpuDevice;

/// The functions of a target's kind of device; nullptr where this build has none.
const DeviceFunctions *findDevice(const char *target);

} // namespace tilewright

struct tw_device {
  const tilewright::DeviceFunctions *functions;
};

struct tw_stream {
  tw_device *device;
};

struct tw_kernel {
  const tw_artifact_v1 *artifact;
  const tw_image_v1 *image;
  tilewright::Signature signature;
  const tilewright::DeviceFunctions *functions; // nullptr: not in this build
};

#endif // TILEWRIGHT_RUNTIME_SRC_KERNEL_H
