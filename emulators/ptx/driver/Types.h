//===- Types.h - Types of the CUDA driver's interface -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What programs that were compiled for the CUDA driver pass to it, as far as the stand-in
// takes it. Declared here, so that it builds where there is no CUDA; a test compares them
// with cuda.h.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_DRIVER_TYPES_H
#define TILEWRIGHT_EMULATORS_PTX_DRIVER_TYPES_H

#include "emulators/common/driver/Types.h"

namespace tilewright::cuda {

using namespace emulator::driver;

/// Of cuGraphAddKernelNode; its first version ends before `kernel`.
struct KernelNodeParams {
  Function *function;
  unsigned grid[3], block[3];
  unsigned sharedBytes;
  void **params;
  void **extra;
  Function *kernel;
  Context *context;
};

struct MemsetNodeParams {
  DevicePointer address;
  size_t pitch;
  unsigned value, elementBytes;
  size_t width, height;
};

/// Of cuMemcpy3D.
struct Memcpy3D {
  size_t fromX, fromY, fromZ, fromLevel;
  unsigned fromType;
  const void *fromHost;
  DevicePointer fromDevice;
  void *fromArray, *reserved0;
  size_t fromPitch, fromHeight;
  size_t toX, toY, toZ, toLevel;
  unsigned toType;
  void *toHost;
  DevicePointer toDevice;
  void *toArray, *reserved1;
  size_t toPitch, toHeight;
  size_t width, height, depth;
};

struct alignas(64) TensorMapBytes {
  uint64_t words[16];
};

} // namespace tilewright::cuda

#endif // TILEWRIGHT_EMULATORS_PTX_DRIVER_TYPES_H
