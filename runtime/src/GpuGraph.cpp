//===- GpuGraph.cpp - Launches on GPUs that are recorded and run again -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A driver captures what is given to a stream, here to one that is there for nothing
// else: the default stream does not wait for it and can be used meanwhile. The capture is
// a relaxed one: all that it has to hold is given to its stream, so that other calls of
// the program, an allocation say, can do it no harm. Workspaces of launches become nodes
// of the graph, and each is freed there, so that a graph may be launched again before its
// last launch has ended.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "GpuDevice.h"

#include <cstdlib>

using namespace tilewright;

namespace {
struct GpuGraph : tw_graph {
  void *graph, *executable; // the first has the memory of the second
};
} // namespace

static constexpr unsigned nonBlocking = 1; // of streams
static constexpr int relaxed = 2;     // of CUstreamCaptureMode and hipStreamCaptureMode
static constexpr int invalidated = 2; // of CUstreamCaptureStatus
static constexpr int captureInvalidated = 901;

RelaxedThread::RelaxedThread(const GpuCalls &calls) : calls(calls), mode(relaxed) {
  isSet = calls.exchangeCaptureMode(&mode) == 0;
}

RelaxedThread::~RelaxedThread() {
  if (isSet)
    calls.exchangeCaptureMode(&mode);
}

tw_status tilewright::findCapture(const GpuDevice &device, void *stream, const char *name,
                                  bool *isCaptured) {
  int state = 0;
  int result = device.calls().isCapturing(stream, &state);
  *isCaptured = state != 0;
  if (!result && state == invalidated)
    result = captureInvalidated;
  return result ? failCall(device, result, "%s: the stream takes no work", name) : TW_OK;
}

//===----------------------------------------------------------------------===//
// Recording
//===----------------------------------------------------------------------===//

tw_status tilewright::beginGpuGraph(tw_stream *stream) {
  GpuDevice &device = gpu(stream->device);
  auto &begun = *static_cast<GpuStream *>(stream);
  if (begun.isRecording)
    return fail(TW_ERROR_INVALID, "%s: the stream's work goes into a graph already",
                device.name);
  CurrentGpu current(device);
  void *handle = nullptr;
  int result = device.calls().createStream(&handle, nonBlocking);
  if (!result)
    result = device.calls().beginCapture(handle, relaxed);
  if (result) {
    tw_status status = failCall(device, result, "the beginning of a graph");
    if (handle)
      device.calls().destroyStream(handle);
    return status;
  }
  begun.outside = begun.handle;
  begun.handle = handle;
  begun.isRecording = true;
  begun.isBroken = false;
  __atomic_add_fetch(&device.recordings, 1, __ATOMIC_RELAXED);
  return TW_OK;
}

/// Ends the capture of a stream; `graph` is null where there is none.
static int endCapture(GpuDevice &device, GpuStream &stream, void **graph) {
  int result = device.calls().endCapture(stream.handle, graph);
  if (result)
    *graph = nullptr;
  device.calls().destroyStream(stream.handle);
  stream.handle = stream.outside;
  stream.isRecording = false;
  __atomic_sub_fetch(&device.recordings, 1, __ATOMIC_RELAXED);
  return result;
}

tw_status tilewright::endGpuGraph(tw_stream *stream, tw_graph **graph) {
  GpuDevice &device = gpu(stream->device);
  auto &ended = *static_cast<GpuStream *>(stream);
  if (!ended.isRecording)
    return fail(TW_ERROR_INVALID, "%s: no graph was begun on the stream", device.name);
  CurrentGpu current(device);
  void *captured, *executable;
  if (int result = endCapture(device, ended, &captured))
    return failCall(device, result, "the end of a graph");
  tw_status status = TW_OK;
  auto *made = static_cast<GpuGraph *>(malloc(sizeof(GpuGraph)));
  if (!made)
    status = fail(TW_ERROR_MEMORY, "%s: no memory for a graph", device.name);
  else if (ended.isBroken)
    status = fail(TW_ERROR_UNSUPPORTED,
                  "%s: there is no graph: a launch failed when a part of it was recorded",
                  device.name);
  else if (int result = device.calls().instantiate(&executable, captured, 0))
    status = failCall(device, result, "a graph is made ready");
  if (status) {
    device.calls().destroyGraph(captured);
    free(made);
    return status;
  }
  made->device = &device;
  made->graph = captured;
  made->executable = executable;
  *graph = made;
  return TW_OK;
}

void tilewright::dropRecording(tw_stream *stream) {
  GpuDevice &device = gpu(stream->device);
  void *captured;
  endCapture(device, *static_cast<GpuStream *>(stream), &captured);
  if (captured)
    device.calls().destroyGraph(captured);
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

tw_status tilewright::launchGpuGraph(tw_graph *graph, tw_stream *stream) {
  GpuDevice &device = gpu(graph->device);
  if (stream && stream->device != &device)
    return fail(TW_ERROR_INVALID, "the stream is one of %s, and the graph is of %s",
                stream->device->name, device.name);
  CurrentGpu current(device);
  bool isCaptured;
  if (tw_status status = findCapture(device, handleOf(stream), "a graph", &isCaptured))
    return status;
  if (isCaptured)
    return fail(TW_ERROR_INVALID,
                "%s: the stream's work goes into a graph, and a graph "
                "cannot be a part of another",
                device.name);
  if (int result = device.calls().launchGraph(static_cast<GpuGraph *>(graph)->executable,
                                              handleOf(stream)))
    return failCall(device, result, "a graph's launch");
  return TW_OK;
}

void tilewright::destroyGpuGraph(tw_graph *graph) {
  auto *destroyed = static_cast<GpuGraph *>(graph);
  GpuDevice &device = gpu(graph->device);
  CurrentGpu current(device);
  device.calls().destroyExecutable(destroyed->executable);
  device.calls().destroyGraph(destroyed->graph);
  free(destroyed);
}
