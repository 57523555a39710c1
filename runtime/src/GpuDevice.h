//===- GpuDevice.h - GPUs and kernels for them -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_GPU_DEVICE_H
#define TILEWRIGHT_RUNTIME_SRC_GPU_DEVICE_H

#include "GpuDriver.h"
#include "Kernel.h"

#include <cstring>

namespace tilewright {

/// A GPU of the machine or of the emulator. There is one of these for each, however often
/// it is opened; kernels keep theirs open. Memory, modules and streams are in the
/// driver's primary context, which a program's other libraries use as well.
struct GpuDevice : tw_device {
  GpuDriver *driver;
  int handle;        // the driver's
  uintptr_t current; // what GpuVendor::setCurrent takes
  unsigned references;
  unsigned recordings; // of graphs, that are going on
  GpuDevice *next;

  const GpuCalls &calls() const { return driver->calls; }
  const char *arch() const { return strchr(target, ':') + 1; }
};

inline GpuDevice &gpu(tw_device *device) { return *static_cast<GpuDevice *>(device); }

void retainGpu(GpuDevice &device);
void releaseGpu(GpuDevice &device);

/// Records the failure of a driver's call: the message, the driver's own text, and what
/// the emulator has to say.
[[gnu::format(printf, 3, 4)]] tw_status failCall(const GpuDevice &device, int result,
                                                 const char *format, ...);

/// Makes a device the calling thread's current one while it lives.
class CurrentGpu {
  const GpuDevice &device;
  uintptr_t before = 0;
  bool isChanged = false;

public:
  explicit CurrentGpu(const GpuDevice &device);
  ~CurrentGpu();
  CurrentGpu(const CurrentGpu &) = delete;
};

/// Lets the calling thread, while it lives, make calls that other captures of the process
/// forbid since they would not see them, as the loading of code.
class RelaxedThread {
  const GpuCalls &calls;
  int mode;
  bool isSet;

public:
  explicit RelaxedThread(const GpuCalls &calls);
  ~RelaxedThread();
  RelaxedThread(const RelaxedThread &) = delete;
};

struct GpuStream : tw_stream {
  void *handle;
  bool isOwn;       // false: it is its maker's
  bool isRecording; // its work goes into a graph of ours, by another stream's handle
  bool isBroken;    // of which a launch is there in part
  void *outside;    // the handle while it is recording
};

/// The driver's handle of a stream; that of the default stream is null.
inline void *handleOf(const tw_stream *stream) {
  return stream ? static_cast<const GpuStream *>(stream)->handle : nullptr;
}

/// A kernel of an image's code.
struct GpuEntry {
  void *function;
  uint32_t sharedBytes; // that launches may have; only grows
  GpuEntry *next;
  char name[]; // ends in a zero byte
};

/// An image's kernel for one device. The code is loaded at the first launch. Entries are
/// added in front of the others, and stay, so that later launches need no lock.
struct GpuKernel : tw_kernel {
  mutable void *module;
  mutable bool isCaptured; // in a graph that is not ours
  mutable GpuEntry *entries;

  GpuDevice &gpu() const { return *static_cast<GpuDevice *>(device); }
};

/// The function of a kernel of the image that may be launched with so much shared memory.
/// The device is current.
tw_status findFunction(const GpuKernel &kernel, const char *name, uint32_t sharedBytes,
                       void **function);

tw_status acceptsGpuImage(tw_device *device, const tw_image_v1 *image);
tw_status makeGpuKernel(tw_device *device, const tw_kernel &kernel, tw_kernel **made);
void dropGpuKernel(tw_kernel *kernel);
tw_status launchOnGpu(const tw_kernel *kernel, tw_stream *stream, const uint64_t *words,
                      GivenMemory given);

/// Whether a stream's work goes into a graph, of ours or another's; fails where it may be
/// given none. `name` is what messages begin with.
tw_status findCapture(const GpuDevice &device, void *stream, const char *name,
                      bool *isCaptured);
tw_status beginGpuGraph(tw_stream *stream);
tw_status endGpuGraph(tw_stream *stream, tw_graph **graph);
/// Ends a stream's recording, of which nothing is kept. The device is current.
void dropRecording(tw_stream *stream);
tw_status launchGpuGraph(tw_graph *graph, tw_stream *stream);
void destroyGpuGraph(tw_graph *graph);

/// Bytes to ask a driver for, at least one word: atomics on elements of one and two bytes
/// work on the whole word around them.
inline uint64_t wholeWords(uint64_t bytes) {
  return bytes ? (bytes + 3) & ~uint64_t(3) : 4;
}

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_GPU_DEVICE_H
