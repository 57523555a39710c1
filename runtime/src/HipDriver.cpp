//===- HipDriver.cpp - What only HIP does ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Numbers and structures are those of hip_runtime_api.h, which need not be there to build
// this.
//
//===----------------------------------------------------------------------===//

#include "GpuDriver.h"

#include <cstdio>
#include <cstring>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Architectures
//===----------------------------------------------------------------------===//

namespace {
/// hipDeviceProp_t since HIP 6, as far as it matters, and room for what follows.
struct Properties {
  char before[1160];
  char archName[256]; // "gfx942:sramecc+:xnack-"
  char after[1024];
};
} // namespace

static int describe(const GpuCalls &calls, int device, char *arch, size_t bytes) {
  Properties properties;
  if (int result = calls.deviceProperties(&properties, device))
    return result;
  // The modes of memory behind the name are not of a target's.
  auto length = static_cast<int>(strcspn(properties.archName, ":"));
  snprintf(arch, bytes, "%.*s", length, properties.archName);
  return 0;
}

/// A code object is for one GPU.
static bool runs(const char *device, const char *code, const void *) {
  return strcmp(device, code) == 0;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static int getCurrent(const GpuCalls &calls, uintptr_t *current) {
  int device = 0;
  int result = calls.getDevice(&device);
  *current = static_cast<uintptr_t>(device);
  return result;
}

static int setCurrent(const GpuCalls &calls, uintptr_t current) {
  return calls.setDevice(static_cast<int>(current));
}

static constexpr int copyDefault = 4; // each address says where it is

static int copy(const GpuCalls &calls, uint64_t to, uint64_t from, size_t bytes,
                void *stream) {
  return calls.copyAs(to, from, bytes, copyDefault, stream);
}

static constexpr int notSupported = 801;

static int launch(const GpuCalls &calls, const GpuGrid &grid) {
  const tw_grid_launch_v1 &l = *grid.launch;
  if (l.cluster[0] * l.cluster[1] * l.cluster[2] > 1)
    return notSupported;
  size_t bytes = l.parameter_bytes;
  void *extra[] = {reinterpret_cast<void *>(1), const_cast<void *>(l.parameters),
                   reinterpret_cast<void *>(2), &bytes, reinterpret_cast<void *>(3)};
  return calls.launch(grid.function, l.grid[0], l.grid[1], l.grid[2], l.block[0],
                      l.block[1], l.block[2], l.shared_bytes, grid.stream, nullptr,
                      extra);
}

/// All of a workgroup's memory may be dynamic; no function has to ask.
static int allowShared(const GpuCalls &, void *, uint32_t) { return 0; }

const GpuVendor tilewright::hipVendor = {"hip",
                                         "libamdhip64.so",
                                         "libamdhip64.so.7",
                                         "AMD's ROCm",
                                         "libtilewright_hip_driver.so",
                                         "TILEWRIGHT_HIP_DRIVER",
                                         "hip-emulator",
                                         "gfx942",
                                         /*isCuda=*/false,
                                         describe,
                                         runs,
                                         getCurrent,
                                         setCurrent,
                                         copy,
                                         launch,
                                         allowShared};
