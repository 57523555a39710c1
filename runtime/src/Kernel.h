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

/// Memory of the caller's for the workspaces of a launch, which takes it from the front.
/// Where there is none, a launch allocates them.
struct GivenMemory {
  char *next = nullptr;

  /// Workspaces begin at multiples of this, and so does what is given.
  static constexpr uint64_t alignment = 64;
  static uint64_t rounded(uint64_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
  }
  /// The next bytes; that there are enough was checked before the launch.
  void *take(int64_t bytes) {
    char *taken = next;
    next += rounded(static_cast<uint64_t>(bytes));
    return taken;
  }
};

/// TW_OK where `bytes`, as the launch function of `kernel` makes them of sizes, can be the
/// size of a workspace: -1 stands for a negative size, INT64_MAX for a product that
/// overflows.
tw_status checkWorkspaceSize(const char *kernel, int64_t bytes);

/// What a kind of device implements.
struct DeviceFunctions {
  const char *kind; // as devices are named: "cpu", "cuda-emulator"
  /// Before the colon of the targets of images that it runs: "cpu", "cuda".
  const char *backend;
  /// As DLPack numbers device types.
  int32_t type;
  /// `name` is all of a device's name, of which `arch`, behind a colon, may be null. A
  /// device may be opened already, and is then opened once more.
  tw_status (*open)(const DeviceFunctions *functions, const char *name, const char *arch,
                    tw_device **device);
  void (*close)(tw_device *device);
  /// TW_OK where the device runs an image's code.
  tw_status (*accepts)(tw_device *device, const tw_image_v1 *image);
  tw_status (*allocate)(tw_device *device, uint64_t bytes, void **memory);
  tw_status (*free)(tw_device *device, void *memory);
  tw_status (*copy)(tw_device *device, tw_stream *stream, void *to, const void *from,
                    uint64_t bytes);
  tw_status (*fill)(tw_device *device, tw_stream *stream, void *memory, uint8_t value,
                    uint64_t bytes);
  /// Waits for all work of the device.
  tw_status (*finish)(tw_device *device);
  tw_status (*createStream)(tw_device *device, tw_stream **stream);
  /// A stream that the device's own interface has made.
  tw_status (*wrapStream)(tw_device *device, void *native, tw_stream **stream);
  tw_status (*synchronize)(tw_stream *stream);
  void (*destroyStream)(tw_stream *stream);
  tw_status (*launch)(const tw_kernel *kernel, tw_stream *stream, const uint64_t *words,
                      GivenMemory given);
  /// From the one to the other the stream's work goes into a graph.
  tw_status (*beginGraph)(tw_stream *stream);
  tw_status (*endGraph)(tw_stream *stream, tw_graph **graph);
  tw_status (*launchGraph)(tw_graph *graph, tw_stream *stream);
  void (*destroyGraph)(tw_graph *graph);
  /// Makes the kernel of an image for one device. Null where a kernel is the same for all
  /// devices of the kind: it then needs no device.
  tw_status (*makeKernel)(tw_device *device, const tw_kernel &kernel, tw_kernel **made);
  void (*dropKernel)(tw_kernel *kernel);
  /// Instructions of warps that the device has executed, -1 where it does not count. Null
  /// where no device of the kind does.
  int64_t (*countInstructions)(tw_device *device);
};

extern const DeviceFunctions cpuDevice;
extern const DeviceFunctions cudaDevice, cudaEmulatorDevice;
extern const DeviceFunctions hipDevice, hipEmulatorDevice;

/// The functions of a kind of device that runs a target's images; nullptr where there is
/// none.
const DeviceFunctions *findDevice(const char *target);

} // namespace tilewright

struct tw_device {
  const tilewright::DeviceFunctions *functions;
  char name[64];   // as in "cuda-emulator:sm_80"
  char target[64]; // the best one that it runs, as in "cuda:sm_80"
  int32_t id;      // as DLPack counts devices of a type
};

struct tw_stream {
  tw_device *device;
};

struct tw_graph {
  tw_device *device;
};

struct tw_kernel {
  const tw_artifact_v1 *artifact;
  const tw_image_v1 *image;
  tilewright::Signature signature;
  const tilewright::DeviceFunctions *functions; // nullptr: not in this build
  tw_device *device = nullptr;                  // nullptr: any of the kind
  tw_kernel *next = nullptr;                    // of those made for devices

  /// Whether arguments may be in host memory, from which they are copied for a launch.
  bool stagesHostMemory() const { return device != nullptr; }
};

namespace tilewright {

/// Launches with arguments that are checked, and the words that this has given.
tw_status launchChecked(const tw_kernel *kernel, tw_stream *stream,
                        const tw_argument_v1 *arguments, uint64_t count,
                        const uint64_t *words, GivenMemory given = {});

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_KERNEL_H
