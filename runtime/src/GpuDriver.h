//===- GpuDriver.h - The drivers of GPUs, as one table of functions ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// CUDA's driver and HIP are libraries of the machine, which are looked for when a device
// is opened: a program needs neither to start. HIP's interface is modelled on the CUDA
// driver's, so that one table holds both; what is different is in a GpuVendor's
// functions. The emulators come as stand-ins for both libraries, with three calls more.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_GPU_DRIVER_H
#define TILEWRIGHT_RUNTIME_SRC_GPU_DRIVER_H

#include "tilewright/runtime.h"

#include <cstddef>
#include <cstdint>

namespace tilewright {

// X(name here, of CUDA, of HIP, parameters); an empty name: it has none. All return a
// result, 0 where they succeed.
#define TW_GPU_CALLS(X)                                                                  \
  X(init, "cuInit", "hipInit", (unsigned flags))                                         \
  X(deviceCount, "cuDeviceGetCount", "hipGetDeviceCount", (int *count))                  \
  X(deviceGet, "cuDeviceGet", "hipDeviceGet", (int *device, int ordinal))                \
  X(deviceAttribute, "cuDeviceGetAttribute", "hipDeviceGetAttribute",                    \
    (int *value, int attribute, int device))                                             \
  X(deviceProperties, "", "hipGetDevicePropertiesR0600", (void *properties, int device)) \
  X(retainContext, "cuDevicePrimaryCtxRetain", "hipDevicePrimaryCtxRetain",              \
    (void **context, int device))                                                        \
  X(releaseContext, "cuDevicePrimaryCtxRelease_v2", "hipDevicePrimaryCtxRelease",        \
    (int device))                                                                        \
  X(getContext, "cuCtxGetCurrent", "", (void **context))                                 \
  X(setContext, "cuCtxSetCurrent", "", (void *context))                                  \
  X(getDevice, "", "hipGetDevice", (int *device))                                        \
  X(setDevice, "", "hipSetDevice", (int device))                                         \
  X(finish, "cuCtxSynchronize", "hipDeviceSynchronize", ())                              \
  X(loadModule, "cuModuleLoadDataEx", "hipModuleLoadDataEx",                             \
    (void **module, const void *image, unsigned count, int *options, void **values))     \
  X(unloadModule, "cuModuleUnload", "hipModuleUnload", (void *module))                   \
  X(getFunction, "cuModuleGetFunction", "hipModuleGetFunction",                          \
    (void **function, void *module, const char *name))                                   \
  X(setFunctionAttribute, "cuFuncSetAttribute", "",                                      \
    (void *function, int attribute, int value))                                          \
  X(launch, "cuLaunchKernel", "hipModuleLaunchKernel",                                   \
    (void *function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,    \
     unsigned blockY, unsigned blockZ, unsigned sharedBytes, void *stream,               \
     void **parameters, void **extra))                                                   \
  X(launchWith, "cuLaunchKernelEx", "",                                                  \
    (const void *config, void *function, void **parameters, void **extra))               \
  X(allocate, "cuMemAlloc_v2", "hipMalloc", (uint64_t *address, size_t bytes))           \
  X(free, "cuMemFree_v2", "hipFree", (uint64_t address))                                 \
  X(allocateOn, "cuMemAllocAsync", "hipMallocAsync",                                     \
    (uint64_t *address, size_t bytes, void *stream))                                     \
  X(freeOn, "cuMemFreeAsync", "hipFreeAsync", (uint64_t address, void *stream))          \
  X(defaultPool, "cuDeviceGetDefaultMemPool", "hipDeviceGetDefaultMemPool",              \
    (void **pool, int device))                                                           \
  X(getPoolAttribute, "cuMemPoolGetAttribute", "hipMemPoolGetAttribute",                 \
    (void *pool, int attribute, void *value))                                            \
  X(setPoolAttribute, "cuMemPoolSetAttribute", "hipMemPoolSetAttribute",                 \
    (void *pool, int attribute, void *value))                                            \
  X(copy, "cuMemcpyAsync", "", (uint64_t to, uint64_t from, size_t bytes, void *stream)) \
  X(copyAs, "", "hipMemcpyAsync",                                                        \
    (uint64_t to, uint64_t from, size_t bytes, int kind, void *stream))                  \
  X(fill, "cuMemsetD8Async", "hipMemsetD8Async",                                         \
    (uint64_t address, unsigned char value, size_t bytes, void *stream))                 \
  X(createStream, "cuStreamCreate", "hipStreamCreateWithFlags",                          \
    (void **stream, unsigned flags))                                                     \
  X(synchronizeStream, "cuStreamSynchronize", "hipStreamSynchronize", (void *stream))    \
  X(destroyStream, "cuStreamDestroy_v2", "hipStreamDestroy", (void *stream))             \
  X(beginCapture, "cuStreamBeginCapture_v2", "hipStreamBeginCapture",                    \
    (void *stream, int mode))                                                            \
  X(endCapture, "cuStreamEndCapture", "hipStreamEndCapture",                             \
    (void *stream, void **graph))                                                        \
  X(isCapturing, "cuStreamIsCapturing", "hipStreamIsCapturing",                          \
    (void *stream, int *status))                                                         \
  X(exchangeCaptureMode, "cuThreadExchangeStreamCaptureMode",                            \
    "hipThreadExchangeStreamCaptureMode", (int *mode))                                   \
  X(instantiate, "cuGraphInstantiateWithFlags", "hipGraphInstantiateWithFlags",          \
    (void **executable, void *graph, unsigned long long flags))                          \
  X(launchGraph, "cuGraphLaunch", "hipGraphLaunch", (void *executable, void *stream))    \
  X(destroyExecutable, "cuGraphExecDestroy", "hipGraphExecDestroy", (void *executable))  \
  X(destroyGraph, "cuGraphDestroy", "hipGraphDestroy", (void *graph))                    \
  X(errorName, "cuGetErrorName", "hipDrvGetErrorName", (int result, const char **name))  \
  X(errorText, "cuGetErrorString", "hipDrvGetErrorString",                               \
    (int result, const char **text))

/// A driver's functions; null where it has no such one.
struct GpuCalls {
#define TW_GPU_CALL(NAME, CUDA, HIP, PARAMETERS) int(*NAME) PARAMETERS;
  TW_GPU_CALLS(TW_GPU_CALL)
#undef TW_GPU_CALL
  // Of the stand-ins alone: the device of a GPU that is named, and what the emulator has
  // to say of the thread's last failure, with the records of faults as a JSON array.
  int (*emulatedDevice)(int *device, const char *arch);
  void (*report)(const char **text, const char **records);
  // And how many instructions its warps or waves have executed.
  int (*instructions)(int device, uint64_t *count);
};

/// A grid to start.
struct GpuGrid {
  void *function;
  const tw_grid_launch_v1 *launch;
  void *stream;
};

/// What is not the same for CUDA and HIP.
struct GpuVendor {
  const char *backend;                // "cuda"
  const char *library, *otherLibrary; // of the driver; the other may be null
  const char *libraryOwner;           // "the NVIDIA driver"
  const char *standIn;                // the emulator's library
  const char *variable;               // of the environment: another library
  const char *emulator;               // "cuda-emulator"
  const char *emulatedArch;           // where none is named
  bool isCuda;

  /// Writes the architecture of a device, as in "sm_90a".
  int (*describe)(const GpuCalls &calls, int device, char *arch, size_t bytes);
  /// Whether a device runs code: what its image says it is for, and its first bytes.
  bool (*runs)(const char *device, const char *code, const void *data);
  /// The calling thread's device, or CUDA's context, and how it is set.
  int (*getCurrent)(const GpuCalls &calls, uintptr_t *current);
  int (*setCurrent)(const GpuCalls &calls, uintptr_t current);
  int (*copy)(const GpuCalls &calls, uint64_t to, uint64_t from, size_t bytes,
              void *stream);
  int (*launch)(const GpuCalls &calls, const GpuGrid &grid);
  /// Lets launches of a function have so much shared memory.
  int (*allowShared)(const GpuCalls &calls, void *function, uint32_t bytes);
};

extern const GpuVendor cudaVendor, hipVendor;

/// One library of a vendor's: the machine's, or the emulator's stand-in.
struct GpuDriver {
  const GpuVendor *vendor;
  bool isEmulator;
  void *library; // null: not loaded yet
  GpuCalls calls;
};

/// Loads the library and starts it, once. `device` is the name that messages have.
tw_status loadDriver(GpuDriver &driver, const char *device);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_GPU_DRIVER_H
