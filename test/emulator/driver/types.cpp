// Compares the types that the stand-in declares for itself with cuda.h.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "emulators/ptx/driver/Types.h"

#include <cuda.h>

namespace tw = tilewright::cuda;

#define SAME_SIZE(ours, theirs) static_assert(sizeof(ours) == sizeof(theirs), #theirs)
#define SAME_PLACE(ours, a, theirs, b)                                                   \
  static_assert(offsetof(ours, a) == offsetof(theirs, b), #theirs "." #b)
#define SAME_VALUE(ours, theirs) static_assert(int(ours) == int(theirs), #theirs)

SAME_SIZE(tw::DevicePointer, CUdeviceptr);
SAME_SIZE(tw::LaunchAttribute, CUlaunchAttribute);
SAME_PLACE(tw::LaunchAttribute, value, CUlaunchAttribute, value);
SAME_PLACE(tw::LaunchAttribute, value.clusterDimension.z, CUlaunchAttribute,
           value.clusterDim.z);
SAME_PLACE(tw::LaunchAttribute, value.programmaticEvent.event, CUlaunchAttribute,
           value.programmaticEvent.event);
SAME_SIZE(tw::LaunchConfig, CUlaunchConfig);
SAME_PLACE(tw::LaunchConfig, sharedBytes, CUlaunchConfig, sharedMemBytes);
SAME_PLACE(tw::LaunchConfig, stream, CUlaunchConfig, hStream);
SAME_PLACE(tw::LaunchConfig, attributes, CUlaunchConfig, attrs);
SAME_PLACE(tw::LaunchConfig, attributeCount, CUlaunchConfig, numAttrs);
SAME_SIZE(tw::KernelNodeParams, CUDA_KERNEL_NODE_PARAMS_v2);
SAME_PLACE(tw::KernelNodeParams, params, CUDA_KERNEL_NODE_PARAMS_v2, kernelParams);
SAME_PLACE(tw::KernelNodeParams, extra, CUDA_KERNEL_NODE_PARAMS_v1, extra);
SAME_PLACE(tw::KernelNodeParams, kernel, CUDA_KERNEL_NODE_PARAMS_v2, kern);
SAME_SIZE(tw::MemsetNodeParams, CUDA_MEMSET_NODE_PARAMS);
SAME_PLACE(tw::MemsetNodeParams, height, CUDA_MEMSET_NODE_PARAMS, height);
SAME_SIZE(tw::Memcpy2D, CUDA_MEMCPY2D);
SAME_PLACE(tw::Memcpy2D, fromPitch, CUDA_MEMCPY2D, srcPitch);
SAME_PLACE(tw::Memcpy2D, toType, CUDA_MEMCPY2D, dstMemoryType);
SAME_PLACE(tw::Memcpy2D, toDevice, CUDA_MEMCPY2D, dstDevice);
SAME_PLACE(tw::Memcpy2D, height, CUDA_MEMCPY2D, Height);
SAME_SIZE(tw::Memcpy3D, CUDA_MEMCPY3D);
SAME_PLACE(tw::Memcpy3D, fromHeight, CUDA_MEMCPY3D, srcHeight);
SAME_PLACE(tw::Memcpy3D, toLevel, CUDA_MEMCPY3D, dstLOD);
SAME_PLACE(tw::Memcpy3D, toHeight, CUDA_MEMCPY3D, dstHeight);
SAME_PLACE(tw::Memcpy3D, depth, CUDA_MEMCPY3D, Depth);
SAME_SIZE(tw::TensorMapBytes, CUtensorMap);
SAME_SIZE(tw::Uuid, CUuuid);

SAME_VALUE(tw::InvalidValue, CUDA_ERROR_INVALID_VALUE);
SAME_VALUE(tw::NoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
SAME_VALUE(tw::InvalidPtx, CUDA_ERROR_INVALID_PTX);
SAME_VALUE(tw::UnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
SAME_VALUE(tw::FileNotFound, CUDA_ERROR_FILE_NOT_FOUND);
SAME_VALUE(tw::IllegalState, CUDA_ERROR_ILLEGAL_STATE);
SAME_VALUE(tw::LaunchFailed, CUDA_ERROR_LAUNCH_FAILED);
SAME_VALUE(tw::Assert, CUDA_ERROR_ASSERT);
SAME_VALUE(tw::NotSupported, CUDA_ERROR_NOT_SUPPORTED);
SAME_VALUE(tw::StreamCaptureUnsupported, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
SAME_VALUE(tw::StreamCaptureUnmatched, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
SAME_VALUE(tw::StreamCaptureInvalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
SAME_VALUE(tw::StreamCaptureMerge, CUDA_ERROR_STREAM_CAPTURE_MERGE);
SAME_VALUE(tw::StreamCaptureUnjoined, CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
SAME_VALUE(tw::StreamCaptureIsolation, CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
SAME_VALUE(tw::StreamCaptureImplicit, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
SAME_VALUE(tw::StreamCaptureWrongThread, CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
SAME_VALUE(tw::CapturedEvent, CUDA_ERROR_CAPTURED_EVENT);
SAME_VALUE(tw::InvalidClusterSize, CUDA_ERROR_INVALID_CLUSTER_SIZE);
SAME_VALUE(tw::CaptureThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
SAME_VALUE(tw::CaptureRelaxed, CU_STREAM_CAPTURE_MODE_RELAXED);
SAME_VALUE(tw::AttributeCooperative, CU_LAUNCH_ATTRIBUTE_COOPERATIVE);
SAME_VALUE(tw::AttributeProgrammaticEvent, CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT);
SAME_VALUE(tw::AttributeMemSyncDomain, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN);
SAME_VALUE(tw::AttributeLaunchCompletionEvent,
           CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT);

int main() { return 0; }
