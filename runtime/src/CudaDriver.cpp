//===- CudaDriver.cpp - What only CUDA's driver does -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Numbers and structures are those of cuda.h, which need not be there to build this.
//
//===----------------------------------------------------------------------===//

#include "GpuDriver.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Architectures
//===----------------------------------------------------------------------===//

static constexpr int attributeMajor = 75, attributeMinor = 76;

/// Since compute capability 9.0 devices run code of the family letters as well.
static int describe(const GpuCalls &calls, int device, char *arch, size_t bytes) {
  int major = 0, minor = 0;
  if (int result = calls.deviceAttribute(&major, attributeMajor, device))
    return result;
  if (int result = calls.deviceAttribute(&minor, attributeMinor, device))
    return result;
  snprintf(arch, bytes, "sm_%d%d%s", major, minor, major >= 9 ? "a" : "");
  return 0;
}

namespace {
/// 90 and 'a' of "sm_90a"; zero where there is no letter, or it is no architecture.
struct Arch {
  int number = 0;
  char letter = 0;

  explicit Arch(const char *text) {
    if (strncmp(text, "sm_", 3) != 0)
      return;
    char *end;
    number = static_cast<int>(strtol(text + 3, &end, 10));
    letter = *end;
    if (letter && end[1])
      number = 0;
  }
  int family() const { return number / 10; }
};
} // namespace

static constexpr unsigned char elf[] = {0x7f, 'E', 'L', 'F'};

/// PTX is for its architecture and later ones; a cubin for later ones of its family. With
/// the letter `a` both are for one architecture alone, with `f` for later ones of a
/// family.
static bool runs(const char *deviceArch, const char *codeArch, const void *data) {
  Arch device(deviceArch), code(codeArch);
  if (!device.number || !code.number)
    return false;
  bool isBinary = memcmp(data, elf, sizeof(elf)) == 0;
  if (code.letter == 'a')
    return device.letter == 'a' && device.number == code.number;
  if (code.letter == 'f' && !device.letter)
    return false;
  if (code.letter && code.letter != 'f')
    return false;
  if ((isBinary || code.letter) && device.family() != code.family())
    return false;
  return device.number >= code.number;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

static int getCurrent(const GpuCalls &calls, uintptr_t *current) {
  void *context = nullptr;
  int result = calls.getContext(&context);
  *current = reinterpret_cast<uintptr_t>(context);
  return result;
}

static int setCurrent(const GpuCalls &calls, uintptr_t current) {
  return calls.setContext(reinterpret_cast<void *>(current));
}

static int copy(const GpuCalls &calls, uint64_t to, uint64_t from, size_t bytes,
                void *stream) {
  return calls.copy(to, from, bytes, stream);
}

static constexpr int attributeMaxDynamicShared = 8, attributeLargeClusters = 14;

static int allowShared(const GpuCalls &calls, void *function, uint32_t bytes) {
  return calls.setFunctionAttribute(function, attributeMaxDynamicShared,
                                    static_cast<int>(bytes));
}

namespace {
/// CUlaunchAttribute, with the value of CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION.
struct LaunchAttribute {
  unsigned id;
  char padding[4];
  unsigned cluster[3];
  char rest[52];
};
constexpr unsigned clusterDimension = 4;

/// CUlaunchConfig.
struct LaunchConfig {
  unsigned grid[3], block[3], sharedBytes;
  void *stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};
} // namespace
static_assert(sizeof(LaunchAttribute) == 72 && sizeof(LaunchConfig) == 56);

static constexpr int notSupported = 801;
/// Clusters that every device with clusters can have.
static constexpr uint32_t portableBlocks = 8;

static int launch(const GpuCalls &calls, const GpuGrid &grid) {
  const tw_grid_launch_v1 &l = *grid.launch;
  size_t bytes = l.parameter_bytes;
  void *extra[] = {reinterpret_cast<void *>(1), const_cast<void *>(l.parameters),
                   reinterpret_cast<void *>(2), &bytes, nullptr};
  uint32_t blocks = l.cluster[0] * l.cluster[1] * l.cluster[2];
  if (blocks <= 1)
    return calls.launch(grid.function, l.grid[0], l.grid[1], l.grid[2], l.block[0],
                        l.block[1], l.block[2], l.shared_bytes, grid.stream, nullptr,
                        extra);
  if (!calls.launchWith)
    return notSupported;
  if (blocks > portableBlocks)
    if (int result = calls.setFunctionAttribute(grid.function, attributeLargeClusters, 1))
      return result;
  LaunchAttribute cluster = {
      clusterDimension, {}, {l.cluster[0], l.cluster[1], l.cluster[2]}, {}};
  LaunchConfig config = {{l.grid[0], l.grid[1], l.grid[2]},
                         {l.block[0], l.block[1], l.block[2]},
                         l.shared_bytes,
                         grid.stream,
                         &cluster,
                         1};
  return calls.launchWith(&config, grid.function, nullptr, extra);
}

const GpuVendor tilewright::cudaVendor = {"cuda",
                                          "libcuda.so.1",
                                          nullptr,
                                          "NVIDIA's driver",
                                          "libtilewright_cuda_driver.so",
                                          "TILEWRIGHT_CUDA_DRIVER",
                                          "cuda-emulator",
                                          "sm_80",
                                          /*isCuda=*/true,
                                          describe,
                                          runs,
                                          getCurrent,
                                          setCurrent,
                                          copy,
                                          launch,
                                          allowShared};
