//===- Types.h - Types of HIP's interface -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What programs that were compiled for HIP pass to it, as far as the stand-in takes it.
// Declared here, so that it builds where there is no ROCm; a test compares them with
// HIP's headers.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_DRIVER_TYPES_H
#define TILEWRIGHT_EMULATORS_AMDGPU_DRIVER_TYPES_H

#include "emulators/common/driver/Types.h"

namespace tilewright::hip {

using namespace emulator::driver;

struct Dim3 {
  uint32_t x, y, z;
};

/// What hipMemcpy's `kind` says.
enum CopyKind : int {
  HostToHost = 0,
  HostToDevice = 1,
  DeviceToHost = 2,
  DeviceToDevice = 3,
  AsAddressesSay = 4,
  DeviceToDeviceNoCu = 1024,
};

/// What an attribute of the device is asked for by: those that are answered.
enum DeviceAttribute : int {
  AttributeAsyncEngineCount = 2,
  AttributeClockRate = 5,
  AttributeConcurrentKernels = 8,
  AttributeCooperativeLaunch = 10,
  AttributeDeviceOverlap = 12,
  AttributeL2CacheSize = 19,
  AttributeComputeCapabilityMajor = 23,
  AttributeMaxBlocksPerMultiProcessor = 25,
  AttributeMaxBlockDimX = 26,
  AttributeMaxBlockDimY = 27,
  AttributeMaxBlockDimZ = 28,
  AttributeMaxGridDimX = 29,
  AttributeMaxGridDimY = 30,
  AttributeMaxGridDimZ = 31,
  AttributeMaxThreadsDim = 55,
  AttributeMaxThreadsPerBlock = 56,
  AttributeMaxThreadsPerMultiProcessor = 57,
  AttributeMaxPitch = 58,
  AttributeMemoryBusWidth = 59,
  AttributeMemoryClockRate = 60,
  AttributeComputeCapabilityMinor = 61,
  AttributeMultiprocessorCount = 63,
  AttributeMaxRegistersPerBlock = 71,
  AttributeMaxRegistersPerMultiprocessor = 72,
  AttributeMaxSharedMemoryPerBlock = 74,
  AttributeSharedMemPerBlockOptin = 75,
  AttributeSharedMemPerMultiprocessor = 76,
  AttributeStreamPrioritiesSupported = 78,
  AttributeTextureAlignment = 81,
  AttributeTexturePitchAlignment = 82,
  AttributeTotalConstantMemory = 83,
  AttributeUnifiedAddressing = 85,
  AttributeWarpSize = 87,
  AttributeMemoryPoolsSupported = 88,
  AttributeHostRegisterSupported = 90,
  AttributeClockInstructionRate = 10000,
  AttributeMaxSharedMemoryPerMultiprocessor = 10002,
  AttributeWallClockRate = 10017,
};

/// Of hipPointerGetAttributes; `type` is 0 of memory that HIP does not know.
struct PointerAttributes {
  unsigned type;
  int device;
  void *devicePointer, *hostPointer;
  int isManaged;
  unsigned allocationFlags;
};

/// Of hipFuncGetAttributes.
struct FunctionAttributes {
  int binaryVersion, cacheModeCa;
  size_t constBytes, localBytes;
  int maxDynamicSharedBytes, maxThreadsPerBlock, registers;
  int preferredCarveout, ptxVersion;
  size_t sharedBytes;
};

/// hipDeviceProp_t since HIP 6. What is not named here is zero on the device that is
/// stood in for: textures, surfaces, peers, sharing with other processes.
struct DeviceProperties {
  char name[256];
  Uuid uuid;
  char luid[8];
  unsigned luidDeviceNodeMask;
  size_t totalGlobalBytes, sharedBytesPerBlock;
  int registersPerBlock, warpSize;
  size_t maxPitch;
  int maxThreadsPerBlock, maxBlock[3], maxGrid[3];
  int clockRate; ///< kHz
  size_t totalConstBytes;
  int major, minor;
  size_t textureAlignment, texturePitchAlignment;
  int deviceOverlap, multiprocessors;
  int kernelTimeout, integrated, canMapHostMemory, computeMode;
  int textures[40]; ///< and surfaces
  size_t surfaceAlignment;
  int concurrentKernels, eccEnabled, pciBus, pciDevice, pciDomain, tccDriver;
  int copyEngines, unifiedAddressing;
  int memoryClockRate; ///< kHz
  int memoryBusWidth;  ///< bits
  int l2Bytes, persistingL2Bytes;
  int maxThreadsPerMultiprocessor, streamPriorities, globalL1, localL1;
  size_t sharedBytesPerMultiprocessor;
  int registersPerMultiprocessor, managedMemory, multiGpuBoard, multiGpuBoardGroup;
  int hostNativeAtomics, singleToDoubleRatio, pageableMemory, concurrentManagedAccess;
  int computePreemption, hostPointerForRegistered;
  int cooperativeLaunch, cooperativeMultiDeviceLaunch;
  size_t sharedBytesPerBlockOptin;
  int hostPageTables, managedAccessFromHost, maxBlocksPerMultiprocessor,
      accessPolicyWindow;
  size_t reservedSharedBytesPerBlock;
  int hostRegister, sparseArrays, hostRegisterReadOnly, timelineSemaphores;
  int memoryPools, gpuDirect;
  unsigned gpuDirectFlush;
  int gpuDirectOrdering;
  unsigned memoryPoolHandles;
  int deferredMapping, ipcEvents, clusterLaunch, unifiedFunctionPointers;
  int reserved[63], hipReserved[32];
  char gcnArchName[256];
  size_t maxSharedBytesPerMultiprocessor;
  int clockInstructionRate;
  unsigned features;
  unsigned *hdpMemFlush, *hdpRegFlush;
  int cooperativeUnmatched[4];
  int largeBar, asicRevision;
};

/// hipDeviceProp_t before HIP 6.
struct OldDeviceProperties {
  char name[256];
  size_t totalGlobalBytes, sharedBytesPerBlock;
  int registersPerBlock, warpSize, maxThreadsPerBlock, maxBlock[3], maxGrid[3];
  int clockRate, memoryClockRate, memoryBusWidth;
  size_t totalConstBytes;
  int major, minor, multiprocessors, l2Bytes, maxThreadsPerMultiprocessor, computeMode;
  int clockInstructionRate;
  unsigned features;
  int concurrentKernels, pciDomain, pciBus, pciDevice;
  size_t maxSharedBytesPerMultiprocessor;
  int multiGpuBoard, canMapHostMemory, gcnArch;
  char gcnArchName[256];
  int integrated, cooperativeLaunch, cooperativeMultiDeviceLaunch;
  int textures[7];
  unsigned *hdpMemFlush, *hdpRegFlush;
  size_t maxPitch, textureAlignment, texturePitchAlignment;
  int kernelTimeout, eccEnabled, tccDriver;
  int cooperativeUnmatched[4];
  int largeBar, asicRevision, managedMemory, managedAccessFromHost,
      concurrentManagedAccess, pageableMemory, hostPageTables;
};

/// What clang puts around the code objects of a program.
struct FatBinaryWrapper {
  uint32_t magic, version;
  const void *image;
  void *reserved;
};
constexpr uint32_t fatBinaryMagic = 0x48495046; // "HIPF"

} // namespace tilewright::hip

#endif // TILEWRIGHT_EMULATORS_AMDGPU_DRIVER_TYPES_H
