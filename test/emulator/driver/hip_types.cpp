// Compares the types that the stand-in declares for itself with HIP's headers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "emulators/amdgpu/driver/Types.h"

#define __HIP_PLATFORM_AMD__
#include <hip/hip_runtime_api.h>
// The structure that programs have that were compiled before HIP 6.
#include <hip/hip_deprecated.h>

namespace tw = tilewright::hip;

#define SAME_SIZE(ours, theirs) static_assert(sizeof(ours) == sizeof(theirs), #theirs)
#define SAME_PLACE(ours, a, theirs, b)                                                   \
  static_assert(offsetof(ours, a) == offsetof(theirs, b), #theirs "." #b)
#define SAME_VALUE(ours, theirs) static_assert(int(ours) == int(theirs), #theirs)

SAME_SIZE(tw::DeviceProperties, hipDeviceProp_t);
#define PROPERTY(a, b) SAME_PLACE(tw::DeviceProperties, a, hipDeviceProp_t, b)
PROPERTY(name, name);
PROPERTY(uuid, uuid);
PROPERTY(luidDeviceNodeMask, luidDeviceNodeMask);
PROPERTY(totalGlobalBytes, totalGlobalMem);
PROPERTY(sharedBytesPerBlock, sharedMemPerBlock);
PROPERTY(registersPerBlock, regsPerBlock);
PROPERTY(warpSize, warpSize);
PROPERTY(maxPitch, memPitch);
PROPERTY(maxThreadsPerBlock, maxThreadsPerBlock);
PROPERTY(maxBlock, maxThreadsDim);
PROPERTY(maxGrid, maxGridSize);
PROPERTY(clockRate, clockRate);
PROPERTY(totalConstBytes, totalConstMem);
PROPERTY(major, major);
PROPERTY(minor, minor);
PROPERTY(textureAlignment, textureAlignment);
PROPERTY(texturePitchAlignment, texturePitchAlignment);
PROPERTY(deviceOverlap, deviceOverlap);
PROPERTY(multiprocessors, multiProcessorCount);
PROPERTY(computeMode, computeMode);
PROPERTY(textures, maxTexture1D);
PROPERTY(surfaceAlignment, surfaceAlignment);
PROPERTY(concurrentKernels, concurrentKernels);
PROPERTY(eccEnabled, ECCEnabled);
PROPERTY(copyEngines, asyncEngineCount);
PROPERTY(unifiedAddressing, unifiedAddressing);
PROPERTY(memoryClockRate, memoryClockRate);
PROPERTY(memoryBusWidth, memoryBusWidth);
PROPERTY(l2Bytes, l2CacheSize);
PROPERTY(maxThreadsPerMultiprocessor, maxThreadsPerMultiProcessor);
PROPERTY(streamPriorities, streamPrioritiesSupported);
PROPERTY(sharedBytesPerMultiprocessor, sharedMemPerMultiprocessor);
PROPERTY(registersPerMultiprocessor, regsPerMultiprocessor);
PROPERTY(managedMemory, managedMemory);
PROPERTY(cooperativeLaunch, cooperativeLaunch);
PROPERTY(sharedBytesPerBlockOptin, sharedMemPerBlockOptin);
PROPERTY(maxBlocksPerMultiprocessor, maxBlocksPerMultiProcessor);
PROPERTY(reservedSharedBytesPerBlock, reservedSharedMemPerBlock);
PROPERTY(hostRegister, hostRegisterSupported);
PROPERTY(memoryPools, memoryPoolsSupported);
PROPERTY(memoryPoolHandles, memoryPoolSupportedHandleTypes);
PROPERTY(unifiedFunctionPointers, unifiedFunctionPointers);
PROPERTY(reserved, reserved);
PROPERTY(gcnArchName, gcnArchName);
PROPERTY(maxSharedBytesPerMultiprocessor, maxSharedMemoryPerMultiProcessor);
PROPERTY(clockInstructionRate, clockInstructionRate);
PROPERTY(features, arch);
PROPERTY(hdpMemFlush, hdpMemFlushCntl);
PROPERTY(cooperativeUnmatched, cooperativeMultiDeviceUnmatchedFunc);
PROPERTY(largeBar, isLargeBar);
PROPERTY(asicRevision, asicRevision);

SAME_SIZE(tw::OldDeviceProperties, hipDeviceProp_tR0000);
#define OLD_PROPERTY(a, b) SAME_PLACE(tw::OldDeviceProperties, a, hipDeviceProp_tR0000, b)
OLD_PROPERTY(totalGlobalBytes, totalGlobalMem);
OLD_PROPERTY(sharedBytesPerBlock, sharedMemPerBlock);
OLD_PROPERTY(warpSize, warpSize);
OLD_PROPERTY(maxBlock, maxThreadsDim);
OLD_PROPERTY(clockRate, clockRate);
OLD_PROPERTY(totalConstBytes, totalConstMem);
OLD_PROPERTY(multiprocessors, multiProcessorCount);
OLD_PROPERTY(clockInstructionRate, clockInstructionRate);
OLD_PROPERTY(features, arch);
OLD_PROPERTY(concurrentKernels, concurrentKernels);
OLD_PROPERTY(maxSharedBytesPerMultiprocessor, maxSharedMemoryPerMultiProcessor);
OLD_PROPERTY(gcnArch, gcnArch);
OLD_PROPERTY(gcnArchName, gcnArchName);
OLD_PROPERTY(cooperativeLaunch, cooperativeLaunch);
OLD_PROPERTY(textures, maxTexture1DLinear);
OLD_PROPERTY(hdpMemFlush, hdpMemFlushCntl);
OLD_PROPERTY(maxPitch, memPitch);
OLD_PROPERTY(texturePitchAlignment, texturePitchAlignment);
OLD_PROPERTY(cooperativeUnmatched, cooperativeMultiDeviceUnmatchedFunc);
OLD_PROPERTY(managedMemory, managedMemory);
OLD_PROPERTY(hostPageTables, pageableMemoryAccessUsesHostPageTables);

#define ATTRIBUTE(name) SAME_VALUE(tw::Attribute##name, hipDeviceAttribute##name)
ATTRIBUTE(AsyncEngineCount);
ATTRIBUTE(ClockRate);
ATTRIBUTE(ConcurrentKernels);
ATTRIBUTE(CooperativeLaunch);
ATTRIBUTE(DeviceOverlap);
ATTRIBUTE(L2CacheSize);
ATTRIBUTE(ComputeCapabilityMajor);
ATTRIBUTE(MaxBlocksPerMultiProcessor);
ATTRIBUTE(MaxBlockDimX);
ATTRIBUTE(MaxBlockDimY);
ATTRIBUTE(MaxBlockDimZ);
ATTRIBUTE(MaxGridDimX);
ATTRIBUTE(MaxGridDimY);
ATTRIBUTE(MaxGridDimZ);
ATTRIBUTE(MaxThreadsDim);
ATTRIBUTE(MaxThreadsPerBlock);
ATTRIBUTE(MaxThreadsPerMultiProcessor);
ATTRIBUTE(MaxPitch);
ATTRIBUTE(MemoryBusWidth);
ATTRIBUTE(MemoryClockRate);
ATTRIBUTE(ComputeCapabilityMinor);
ATTRIBUTE(MultiprocessorCount);
ATTRIBUTE(MaxRegistersPerBlock);
ATTRIBUTE(MaxRegistersPerMultiprocessor);
ATTRIBUTE(MaxSharedMemoryPerBlock);
ATTRIBUTE(SharedMemPerBlockOptin);
ATTRIBUTE(SharedMemPerMultiprocessor);
ATTRIBUTE(StreamPrioritiesSupported);
ATTRIBUTE(TextureAlignment);
ATTRIBUTE(TexturePitchAlignment);
ATTRIBUTE(TotalConstantMemory);
ATTRIBUTE(UnifiedAddressing);
ATTRIBUTE(WarpSize);
ATTRIBUTE(MemoryPoolsSupported);
ATTRIBUTE(HostRegisterSupported);
ATTRIBUTE(ClockInstructionRate);
ATTRIBUTE(MaxSharedMemoryPerMultiprocessor);
ATTRIBUTE(WallClockRate);

SAME_SIZE(tw::Dim3, dim3);
SAME_SIZE(tw::PointerAttributes, hipPointerAttribute_t);
SAME_PLACE(tw::PointerAttributes, hostPointer, hipPointerAttribute_t, hostPointer);
SAME_PLACE(tw::PointerAttributes, allocationFlags, hipPointerAttribute_t,
           allocationFlags);
SAME_SIZE(tw::FunctionAttributes, hipFuncAttributes);
SAME_PLACE(tw::FunctionAttributes, registers, hipFuncAttributes, numRegs);
SAME_PLACE(tw::FunctionAttributes, sharedBytes, hipFuncAttributes, sharedSizeBytes);
SAME_SIZE(tw::LaunchAttribute, hipLaunchAttribute);
SAME_PLACE(tw::LaunchAttribute, value, hipLaunchAttribute, value);
SAME_SIZE(tw::LaunchConfig, HIP_LAUNCH_CONFIG);
SAME_PLACE(tw::LaunchConfig, stream, HIP_LAUNCH_CONFIG, hStream);
SAME_PLACE(tw::LaunchConfig, attributeCount, HIP_LAUNCH_CONFIG, numAttrs);
SAME_SIZE(tw::Memcpy2D, hip_Memcpy2D);
SAME_PLACE(tw::Memcpy2D, fromPitch, hip_Memcpy2D, srcPitch);
SAME_PLACE(tw::Memcpy2D, toType, hip_Memcpy2D, dstMemoryType);
SAME_PLACE(tw::Memcpy2D, height, hip_Memcpy2D, Height);
SAME_SIZE(tw::Uuid, hipUUID);

SAME_VALUE(tw::InvalidValue, hipErrorInvalidValue);
SAME_VALUE(tw::OutOfMemory, hipErrorOutOfMemory);
SAME_VALUE(tw::NotInitialized, hipErrorNotInitialized);
SAME_VALUE(tw::InvalidConfiguration, hipErrorInvalidConfiguration);
SAME_VALUE(tw::InvalidSymbol, hipErrorInvalidSymbol);
SAME_VALUE(tw::InvalidMemcpyDirection, hipErrorInvalidMemcpyDirection);
SAME_VALUE(tw::InvalidDeviceFunction, hipErrorInvalidDeviceFunction);
SAME_VALUE(tw::NoDevice, hipErrorNoDevice);
SAME_VALUE(tw::InvalidDevice, hipErrorInvalidDevice);
SAME_VALUE(tw::InvalidImage, hipErrorInvalidImage);
SAME_VALUE(tw::InvalidContext, hipErrorInvalidContext);
SAME_VALUE(tw::NoBinaryForGpu, hipErrorNoBinaryForGpu);
SAME_VALUE(tw::FileNotFound, hipErrorFileNotFound);
SAME_VALUE(tw::InvalidHandle, hipErrorInvalidHandle);
SAME_VALUE(tw::IllegalState, hipErrorIllegalState);
SAME_VALUE(tw::NotFound, hipErrorNotFound);
SAME_VALUE(tw::LaunchOutOfResources, hipErrorLaunchOutOfResources);
SAME_VALUE(tw::Assert, hipErrorAssert);
SAME_VALUE(tw::LaunchFailed, hipErrorLaunchFailure);
SAME_VALUE(tw::NotSupported, hipErrorNotSupported);
SAME_VALUE(tw::StreamCaptureUnsupported, hipErrorStreamCaptureUnsupported);
SAME_VALUE(tw::StreamCaptureUnmatched, hipErrorStreamCaptureUnmatched);
SAME_VALUE(tw::StreamCaptureInvalidated, hipErrorStreamCaptureInvalidated);
SAME_VALUE(tw::StreamCaptureMerge, hipErrorStreamCaptureMerge);
SAME_VALUE(tw::StreamCaptureUnjoined, hipErrorStreamCaptureUnjoined);
SAME_VALUE(tw::StreamCaptureIsolation, hipErrorStreamCaptureIsolation);
SAME_VALUE(tw::StreamCaptureImplicit, hipErrorStreamCaptureImplicit);
SAME_VALUE(tw::StreamCaptureWrongThread, hipErrorStreamCaptureWrongThread);
SAME_VALUE(tw::CapturedEvent, hipErrorCapturedEvent);
SAME_VALUE(tw::Unknown, hipErrorUnknown);
SAME_VALUE(tw::CaptureThreadLocal, hipStreamCaptureModeThreadLocal);
SAME_VALUE(tw::CaptureRelaxed, hipStreamCaptureModeRelaxed);
SAME_VALUE(tw::MaxThreadsPerBlock, HIP_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
SAME_VALUE(tw::Registers, HIP_FUNC_ATTRIBUTE_NUM_REGS);
SAME_VALUE(tw::PreferredCarveout, HIP_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT);
SAME_VALUE(tw::MemoryTypeOf, HIP_POINTER_ATTRIBUTE_MEMORY_TYPE);
SAME_VALUE(tw::HostPointerOf, HIP_POINTER_ATTRIBUTE_HOST_POINTER);
SAME_VALUE(tw::DeviceOrdinal, HIP_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
SAME_VALUE(tw::Mapped, HIP_POINTER_ATTRIBUTE_MAPPED);
SAME_VALUE(tw::memoryTypeDevice, hipMemoryTypeDevice);
SAME_VALUE(tw::memoryTypeHost, hipMemoryTypeHost);
SAME_VALUE(tw::AttributeCooperative, hipLaunchAttributeCooperative);
SAME_VALUE(tw::AttributeMemSyncDomain, hipLaunchAttributeMemSyncDomain);
SAME_VALUE(tw::DeviceToHost, hipMemcpyDeviceToHost);
SAME_VALUE(tw::AsAddressesSay, hipMemcpyDefault);
SAME_VALUE(tw::DeviceToDeviceNoCu, hipMemcpyDeviceToDeviceNoCU);

int main() { return 0; }
