//===- Types.h - Types of the driver's interface ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What programs that were compiled for the CUDA driver pass to it, as far as the stand-in
// takes it. Declared here, so that it builds where there is no CUDA; a test compares them
// with cuda.h where that is.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_DRIVER_TYPES_H
#define TILEWRIGHT_EMULATORS_PTX_DRIVER_TYPES_H

#include <cstddef>
#include <cstdint>

namespace tilewright::cuda {

enum Result : int {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  Deinitialized = 4,
  NoDevice = 100,
  InvalidDevice = 101,
  InvalidImage = 200,
  InvalidContext = 201,
  NoBinaryForGpu = 209,
  InvalidPtx = 218,
  UnsupportedPtxVersion = 222,
  InvalidSource = 300,
  FileNotFound = 301,
  InvalidHandle = 400,
  IllegalState = 401,
  NotFound = 500,
  NotReady = 600,
  IllegalAddress = 700,
  LaunchOutOfResources = 701,
  PrimaryContextActive = 708,
  ContextIsDestroyed = 709,
  Assert = 710,
  LaunchFailed = 719,
  NotPermitted = 800,
  NotSupported = 801,
  StreamCaptureUnsupported = 900,
  StreamCaptureInvalidated = 901,
  StreamCaptureUnmatched = 903,
  StreamCaptureImplicit = 906,
  CapturedEvent = 907,
  InvalidClusterSize = 912,
  Unknown = 999,
};

using DevicePointer = unsigned long long;

// Behind the handles.
struct Context;
struct Module;
struct Function;
struct Stream;
struct Event;
struct Graph;
struct GraphNode;
struct GraphExec;

enum LaunchAttributeId : unsigned {
  AttributeIgnore = 0,
  AttributeAccessPolicyWindow = 1,
  AttributeCooperative = 2,
  AttributeSynchronizationPolicy = 3,
  AttributeClusterDimension = 4,
  AttributeClusterSchedulingPolicy = 5,
  AttributeProgrammaticStreamSerialization = 6,
  AttributeProgrammaticEvent = 7,
  AttributePriority = 8,
  AttributeMemSyncDomainMap = 9,
  AttributeMemSyncDomain = 10,
  AttributePreferredClusterDimension = 11,
  AttributeLaunchCompletionEvent = 12,
  AttributePreferredSharedCarveout = 14,
};

struct LaunchAttribute {
  unsigned id;
  char padding[4];
  union {
    char bytes[64];
    int cooperative;
    struct {
      unsigned x, y, z;
    } clusterDimension;
    struct {
      Event *event;
      int flags, triggerAtBlockStart;
    } programmaticEvent;
  } value;
};

struct LaunchConfig {
  unsigned grid[3], block[3];
  unsigned sharedBytes;
  Stream *stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

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

/// Of cuMemcpy2D; a position is in bytes and rows.
struct Memcpy2D {
  size_t fromX, fromY;
  unsigned fromType;
  const void *fromHost;
  DevicePointer fromDevice;
  void *fromArray;
  size_t fromPitch;
  size_t toX, toY;
  unsigned toType;
  void *toHost;
  DevicePointer toDevice;
  void *toArray;
  size_t toPitch;
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

struct Uuid {
  char bytes[16];
};

} // namespace tilewright::cuda

#endif // TILEWRIGHT_EMULATORS_PTX_DRIVER_TYPES_H
