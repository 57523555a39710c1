//===- Errors.cpp - Names of results, and each thread's last one --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

#include <utility>

using namespace tilewright::hip;

namespace {
struct ResultText {
  Result result;
  const char *name, *text;
};
} // namespace

static constexpr ResultText resultTexts[] = {
    {Success, "hipSuccess", "no error"},
    {InvalidValue, "hipErrorInvalidValue", "invalid argument"},
    {OutOfMemory, "hipErrorOutOfMemory", "out of memory"},
    {NotInitialized, "hipErrorNotInitialized", "initialization error"},
    {Deinitialized, "hipErrorDeinitialized", "driver shutting down"},
    {InvalidConfiguration, "hipErrorInvalidConfiguration",
     "invalid configuration argument"},
    {InvalidSymbol, "hipErrorInvalidSymbol", "invalid device symbol"},
    {InvalidMemcpyDirection, "hipErrorInvalidMemcpyDirection",
     "invalid copy direction for memcpy"},
    {InvalidDeviceFunction, "hipErrorInvalidDeviceFunction", "invalid device function"},
    {NoDevice, "hipErrorNoDevice", "no ROCm-capable device is detected"},
    {InvalidDevice, "hipErrorInvalidDevice", "invalid device ordinal"},
    {InvalidImage, "hipErrorInvalidImage", "device kernel image is invalid"},
    {InvalidContext, "hipErrorInvalidContext", "invalid device context"},
    {NoBinaryForGpu, "hipErrorNoBinaryForGpu",
     "no kernel image is available for execution on the device"},
    {InvalidSource, "hipErrorInvalidSource", "device kernel image is invalid"},
    {FileNotFound, "hipErrorFileNotFound", "file not found"},
    {InvalidHandle, "hipErrorInvalidHandle", "invalid resource handle"},
    {IllegalState, "hipErrorIllegalState",
     "the operation cannot be performed in the present state"},
    {NotFound, "hipErrorNotFound", "named symbol not found"},
    {NotReady, "hipErrorNotReady", "device not ready"},
    {IllegalAddress, "hipErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {LaunchOutOfResources, "hipErrorLaunchOutOfResources",
     "too many resources requested for launch"},
    {PrimaryContextActive, "hipErrorSetOnActiveProcess",
     "cannot set while device is active in this process"},
    {ContextIsDestroyed, "hipErrorContextIsDestroyed", "context is destroyed"},
    {Assert, "hipErrorAssert", "device-side assert triggered"},
    {LaunchFailed, "hipErrorLaunchFailure", "unspecified launch failure"},
    {NotSupported, "hipErrorNotSupported", "operation not supported"},
    {StreamCaptureUnsupported, "hipErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {StreamCaptureInvalidated, "hipErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {StreamCaptureMerge, "hipErrorStreamCaptureMerge",
     "operation would result in a merge of separate capture sequences"},
    {StreamCaptureUnmatched, "hipErrorStreamCaptureUnmatched",
     "capture was not ended in the same stream as it began"},
    {StreamCaptureUnjoined, "hipErrorStreamCaptureUnjoined",
     "capturing stream has unjoined work"},
    {StreamCaptureIsolation, "hipErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {StreamCaptureImplicit, "hipErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
    {CapturedEvent, "hipErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {StreamCaptureWrongThread, "hipErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
    {Unknown, "hipErrorUnknown", "unknown error"},
};

static const ResultText &find(Result result) {
  for (const ResultText &one : resultTexts)
    if (one.result == result)
      return one;
  static constexpr ResultText none = {Unknown, "unknown error code", "unknown error"};
  return none;
}

static thread_local Result lastError = Success;

Result tilewright::hip::note(Result result) {
  if (result != Success)
    lastError = result;
  return result;
}

TW_CALL Result hipGetLastError() { return std::exchange(lastError, Success); }
TW_CALL_ALIAS(hipExtGetLastError, hipGetLastError);

TW_CALL Result hipPeekAtLastError() { return lastError; }

TW_CALL const char *hipGetErrorName(Result error) { return find(error).name; }

TW_CALL const char *hipGetErrorString(Result error) { return find(error).text; }

TW_CALL Result hipDrvGetErrorName(Result error, const char **name) {
  if (!name)
    return note(InvalidValue);
  *name = find(error).name;
  return find(error).result == error ? Success : note(InvalidValue);
}

TW_CALL Result hipDrvGetErrorString(Result error, const char **text) {
  if (!text)
    return note(InvalidValue);
  *text = find(error).text;
  return find(error).result == error ? Success : note(InvalidValue);
}
