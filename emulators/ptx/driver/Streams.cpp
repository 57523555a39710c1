//===- Streams.cpp - Streams, captures and events -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

TW_CALL Result cuStreamCreateWithPriority(Stream **stream, unsigned flags, int priority) {
  return createStream(stream, flags, priority);
}

TW_CALL Result cuStreamCreate(Stream **stream, unsigned flags) {
  return createStream(stream, flags, 0);
}

TW_CALL Result cuStreamDestroy_v2(Stream *stream) { return destroyStream(stream); }
TW_CALL_ALIAS(cuStreamDestroy, cuStreamDestroy_v2);

TW_CALL Result cuStreamSynchronize(Stream *handle) { return synchronizeStream(handle); }
TW_CALL_ALIAS(cuStreamSynchronize_ptsz, cuStreamSynchronize);
TW_CALL_ALIAS(cuStreamQuery, cuStreamSynchronize);
TW_CALL_ALIAS(cuStreamQuery_ptsz, cuStreamSynchronize);

TW_CALL Result cuStreamGetFlags(Stream *handle, unsigned *flags) {
  return getStreamFlags(handle, flags);
}
TW_CALL_ALIAS(cuStreamGetFlags_ptsz, cuStreamGetFlags);

TW_CALL Result cuStreamGetPriority(Stream *handle, int *priority) {
  return getStreamPriority(handle, priority);
}
TW_CALL_ALIAS(cuStreamGetPriority_ptsz, cuStreamGetPriority);

TW_CALL Result cuStreamGetCtx(Stream *handle, Context **context) {
  return withStream(handle, [&](Driver &, Stream *) {
    if (!context)
      return InvalidValue;
    *context = currentContext();
    return Success;
  });
}
TW_CALL_ALIAS(cuStreamGetCtx_ptsz, cuStreamGetCtx);

TW_CALL Result cuStreamGetId(Stream *handle, unsigned long long *id) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!id)
      return InvalidValue;
    *id = stream ? stream->id : reinterpret_cast<uintptr_t>(handle);
    return Success;
  });
}
TW_CALL_ALIAS(cuStreamGetId_ptsz, cuStreamGetId);

TW_CALL Result cuStreamAddCallback(Stream *handle,
                                   void (*callback)(Stream *, Result, void *), void *data,
                                   unsigned) {
  return addCallback(handle, callback, data);
}
TW_CALL_ALIAS(cuStreamAddCallback_ptsz, cuStreamAddCallback);

TW_CALL Result cuStreamWaitEvent(Stream *handle, Event *event, unsigned) {
  return waitForEvent(handle, event);
}
TW_CALL_ALIAS(cuStreamWaitEvent_ptsz, cuStreamWaitEvent);

//===----------------------------------------------------------------------===//
// Captures
//===----------------------------------------------------------------------===//

TW_CALL Result cuStreamBeginCapture_v2(Stream *handle, int mode) {
  return beginCapture(handle, mode);
}
TW_CALL_ALIAS(cuStreamBeginCapture_v2_ptsz, cuStreamBeginCapture_v2);

TW_CALL Result cuStreamBeginCapture(Stream *stream) {
  return beginCapture(stream, CaptureGlobal);
}
TW_CALL_ALIAS(cuStreamBeginCapture_ptsz, cuStreamBeginCapture);

TW_CALL Result cuStreamEndCapture(Stream *handle, Graph **graph) {
  return endCapture(handle, graph);
}
TW_CALL_ALIAS(cuStreamEndCapture_ptsz, cuStreamEndCapture);

TW_CALL Result cuStreamIsCapturing(Stream *handle, int *status) {
  return isCapturing(handle, status);
}
TW_CALL_ALIAS(cuStreamIsCapturing_ptsz, cuStreamIsCapturing);

TW_CALL Result cuStreamGetCaptureInfo_v2(Stream *handle, int *status, uint64_t *id,
                                         Graph **graph, GraphNode *const **dependencies,
                                         size_t *count) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (Result result = isCapturing(handle, status))
      return result;
    const Capture *capture = stream ? stream->capture.get() : nullptr;
    if (id)
      *id = capture ? capture->id : 0;
    if (graph)
      *graph = capture ? capture->graph : nullptr;
    if (dependencies)
      *dependencies = capture ? stream->last.data() : nullptr;
    if (count)
      *count = capture ? stream->last.size() : 0;
    return Success;
  });
}
TW_CALL_ALIAS(cuStreamGetCaptureInfo_v2_ptsz, cuStreamGetCaptureInfo_v2);

TW_CALL Result cuThreadExchangeStreamCaptureMode(int *mode) {
  return exchangeCaptureMode(mode);
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

TW_CALL Result cuEventCreate(Event **event, unsigned flags) {
  return createEvent(event, flags);
}

TW_CALL Result cuEventDestroy_v2(Event *event) { return destroyEvent(event); }
TW_CALL_ALIAS(cuEventDestroy, cuEventDestroy_v2);

TW_CALL Result cuEventRecordWithFlags(Event *event, Stream *handle, unsigned) {
  return recordEvent(event, handle);
}
TW_CALL_ALIAS(cuEventRecordWithFlags_ptsz, cuEventRecordWithFlags);

TW_CALL Result cuEventRecord(Event *event, Stream *stream) {
  return recordEvent(event, stream);
}
TW_CALL_ALIAS(cuEventRecord_ptsz, cuEventRecord);

TW_CALL Result cuEventSynchronize(Event *event) { return synchronizeEvent(event); }
TW_CALL_ALIAS(cuEventQuery, cuEventSynchronize);

TW_CALL Result cuEventElapsedTime(float *milliseconds, Event *from, Event *to) {
  return getElapsedTime(milliseconds, from, to);
}
TW_CALL_ALIAS(cuEventElapsedTime_v2, cuEventElapsedTime);
