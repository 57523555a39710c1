//===- Types.h - Types that both vendors' drivers take ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// HIP's interface is modelled on the CUDA driver's: the numbers of its results and
// attributes, and most of its structures, are the same. What is not is declared beside
// the driver that has it. Tests compare all of them with the vendors' headers.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_DRIVER_TYPES_H
#define TILEWRIGHT_EMULATORS_COMMON_DRIVER_TYPES_H

#include <cstddef>
#include <cstdint>

namespace tilewright::emulator::driver {

enum Result : int {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  Deinitialized = 4,
  InvalidConfiguration = 9,    // HIP's
  InvalidSymbol = 13,          // HIP's
  InvalidMemcpyDirection = 21, // HIP's
  InvalidDeviceFunction = 98,  // HIP's
  NoDevice = 100,
  InvalidDevice = 101,
  InvalidImage = 200,
  InvalidContext = 201,
  NoBinaryForGpu = 209,
  InvalidPtx = 218,            // CUDA's
  UnsupportedPtxVersion = 222, // CUDA's
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
  NotPermitted = 800, // CUDA's
  NotSupported = 801,
  StreamCaptureUnsupported = 900,
  StreamCaptureInvalidated = 901,
  StreamCaptureMerge = 902,
  StreamCaptureUnmatched = 903,
  StreamCaptureUnjoined = 904,
  StreamCaptureIsolation = 905,
  StreamCaptureImplicit = 906,
  CapturedEvent = 907,
  StreamCaptureWrongThread = 908,
  InvalidClusterSize = 912, // CUDA's
  Unknown = 999,
};

/// What a capture keeps threads from, and what a thread lets it.
enum CaptureMode : int { CaptureGlobal = 0, CaptureThreadLocal = 1, CaptureRelaxed = 2 };

/// What an attribute of a function is asked for by.
enum FunctionAttribute : int {
  MaxThreadsPerBlock = 0,
  SharedBytes = 1,
  ConstBytes = 2,
  LocalBytes = 3,
  Registers = 4,
  PtxVersion = 5,
  BinaryVersion = 6,
  CacheModeCa = 7,
  MaxDynamicShared = 8,
  PreferredCarveout = 9,
  // CUDA's
  ClusterSizeMustBeSet = 10,
  RequiredClusterWidth = 11,
  RequiredClusterHeight = 12,
  RequiredClusterDepth = 13,
  NonPortableClusterSize = 14,
  ClusterScheduling = 15,
};

/// The same of an address.
enum PointerAttribute : int {
  ContextOf = 1,
  MemoryTypeOf = 2,
  DevicePointerOf = 3,
  HostPointerOf = 4,
  SyncMemops = 6,
  BufferId = 7,
  IsManaged = 8,
  DeviceOrdinal = 9,
  RangeStart = 11,
  RangeSize = 12,
  Mapped = 13,
};

/// Of both vendors; those of arrays and of unified memory differ.
constexpr unsigned memoryTypeHost = 1, memoryTypeDevice = 2;

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

/// A copy of two dimensions; a position is in bytes and rows.
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

struct Uuid {
  char bytes[16];
};

} // namespace tilewright::emulator::driver

#endif // TILEWRIGHT_EMULATORS_COMMON_DRIVER_TYPES_H
