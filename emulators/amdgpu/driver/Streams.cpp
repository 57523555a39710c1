//===- Streams.cpp - Streams, captures, graphs and events ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

using namespace tilewright::hip;

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

TW_CALL Result hipStreamCreateWithPriority(Stream **stream, unsigned flags,
                                           int priority) {
  return note(createStream(stream, flags, priority));
}

TW_CALL Result hipStreamCreateWithFlags(Stream **stream, unsigned flags) {
  return note(createStream(stream, flags, 0));
}

TW_CALL Result hipStreamCreate(Stream **stream) {
  return note(createStream(stream, 0, 0));
}

TW_CALL Result hipStreamDestroy(Stream *stream) { return note(destroyStream(stream)); }

TW_CALL Result hipStreamSynchronize(Stream *stream) {
  return note(synchronizeStream(stream));
}
TW_CALL_ALIAS(hipStreamQuery, hipStreamSynchronize);

TW_CALL Result hipStreamGetFlags(Stream *stream, unsigned *flags) {
  return note(getStreamFlags(stream, flags));
}

TW_CALL Result hipStreamGetPriority(Stream *stream, int *priority) {
  return note(getStreamPriority(stream, priority));
}

TW_CALL Result hipStreamGetDevice(Stream *stream, int *device) {
  return note(withStream(stream, [&](Driver &, Stream *) {
    if (!device)
      return InvalidValue;
    *device = 0;
    return Success;
  }));
}

TW_CALL Result hipStreamAddCallback(Stream *stream,
                                    void (*callback)(Stream *, Result, void *),
                                    void *data, unsigned) {
  return note(addCallback(stream, callback, data));
}

TW_CALL Result hipStreamWaitEvent(Stream *stream, Event *event, unsigned) {
  return note(waitForEvent(stream, event));
}

//===----------------------------------------------------------------------===//
// Captures and what comes of them
//===----------------------------------------------------------------------===//

TW_CALL Result hipStreamBeginCapture(Stream *stream, int mode) {
  return note(beginCapture(stream, mode));
}

TW_CALL Result hipStreamEndCapture(Stream *stream, Graph **graph) {
  return note(endCapture(stream, graph));
}

TW_CALL Result hipStreamIsCapturing(Stream *stream, int *status) {
  return note(isCapturing(stream, status));
}

TW_CALL Result hipThreadExchangeStreamCaptureMode(int *mode) {
  return note(exchangeCaptureMode(mode));
}

TW_CALL Result hipGraphInstantiate(GraphExec **executable, Graph *graph, GraphNode **,
                                   char *log, size_t bytes) {
  if (log && bytes)
    *log = 0;
  return note(instantiateGraph("hipGraphInstantiate", executable, graph, 0));
}

TW_CALL Result hipGraphInstantiateWithFlags(GraphExec **executable, Graph *graph,
                                            unsigned long long flags) {
  return note(instantiateGraph("hipGraphInstantiate", executable, graph, flags));
}

TW_CALL Result hipGraphLaunch(GraphExec *executable, Stream *stream) {
  return note(launchGraph("hipGraphLaunch", executable, stream));
}

TW_CALL Result hipGraphDestroy(Graph *graph) { return note(destroyGraph(graph)); }

TW_CALL Result hipGraphExecDestroy(GraphExec *executable) {
  return note(destroyExecutable(executable));
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

TW_CALL Result hipEventCreateWithFlags(Event **event, unsigned flags) {
  return note(createEvent(event, flags));
}

TW_CALL Result hipEventCreate(Event **event) { return note(createEvent(event, 0)); }

TW_CALL Result hipEventDestroy(Event *event) { return note(destroyEvent(event)); }

TW_CALL Result hipEventRecordWithFlags(Event *event, Stream *stream, unsigned) {
  return note(recordEvent(event, stream));
}

TW_CALL Result hipEventRecord(Event *event, Stream *stream) {
  return note(recordEvent(event, stream));
}

TW_CALL Result hipEventSynchronize(Event *event) { return note(synchronizeEvent(event)); }
TW_CALL_ALIAS(hipEventQuery, hipEventSynchronize);

TW_CALL Result hipEventElapsedTime(float *milliseconds, Event *from, Event *to) {
  return note(getElapsedTime(milliseconds, from, to));
}
