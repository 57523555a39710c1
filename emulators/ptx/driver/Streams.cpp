//===- Streams.cpp - Streams, captures and events -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A capture keeps the order in which work was given, over all its streams: one that every
// order of the streams' events allows.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

bool tilewright::cuda::findStream(Driver &driver, Stream *handle, Stream *&stream) {
  // The default stream, the legacy one and each thread's by their names.
  if (reinterpret_cast<uintptr_t>(handle) <= 2) {
    stream = nullptr;
    return true;
  }
  stream = handle;
  return driver.streams.has(handle);
}

/// A new node of a capture, after all that it has.
static GraphNode &addCaptured(Graph &graph, GraphNode::Kind kind) {
  auto node = std::make_unique<GraphNode>();
  node->graph = &graph;
  node->kind = kind;
  if (!graph.nodes.empty())
    node->dependencies.push_back(graph.nodes.back().get());
  graph.nodes.push_back(std::move(node));
  return *graph.nodes.back();
}

Result tilewright::cuda::submit(Driver &, Stream *stream, GraphNode::Kind kind,
                                std::function<Result()> work) {
  if (!stream || !stream->capture)
    return work();
  addCaptured(*stream->capture, kind).work = std::move(work);
  return Success;
}

Result tilewright::cuda::submit(Driver &driver, Stream *stream, Launch launch) {
  if (!stream || !stream->capture)
    return run(driver, launch);
  addCaptured(*stream->capture, GraphNode::Kernel).launch = std::move(launch);
  return Success;
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

TW_CUDA Result cuStreamCreateWithPriority(Stream **stream, unsigned flags, int priority) {
  return enterContext([&](Driver &driver) {
    if (!stream || flags > 1)
      return InvalidValue;
    auto made = std::make_unique<Stream>();
    made->flags = flags;
    made->priority = priority;
    // After those of the default streams.
    static uint64_t streams = 2;
    made->id = ++streams;
    *stream = driver.streams.add(std::move(made));
    return Success;
  });
}

TW_CUDA Result cuStreamCreate(Stream **stream, unsigned flags) {
  return cuStreamCreateWithPriority(stream, flags, 0);
}

TW_CUDA Result cuStreamDestroy_v2(Stream *stream) {
  return enter([&](Driver &driver) {
    return driver.streams.remove(stream) ? Success : InvalidHandle;
  });
}
TW_CUDA_ALIAS(cuStreamDestroy, cuStreamDestroy_v2);

/// Runs `work` with the stream that a handle means; null is the default one.
template <typename Work> static Result withStream(Stream *handle, Work work) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    return findStream(driver, handle, stream) ? work(driver, stream) : InvalidHandle;
  });
}

TW_CUDA Result cuStreamSynchronize(Stream *handle) {
  return withStream(handle, [](Driver &, Stream *stream) {
    return stream && stream->capture ? StreamCaptureUnsupported : Success;
  });
}
TW_CUDA_ALIAS(cuStreamSynchronize_ptsz, cuStreamSynchronize);
TW_CUDA_ALIAS(cuStreamQuery, cuStreamSynchronize);
TW_CUDA_ALIAS(cuStreamQuery_ptsz, cuStreamSynchronize);

TW_CUDA Result cuStreamGetFlags(Stream *handle, unsigned *flags) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!flags)
      return InvalidValue;
    *flags = stream ? stream->flags : 0;
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamGetFlags_ptsz, cuStreamGetFlags);

TW_CUDA Result cuStreamGetPriority(Stream *handle, int *priority) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!priority)
      return InvalidValue;
    *priority = stream ? stream->priority : 0;
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamGetPriority_ptsz, cuStreamGetPriority);

TW_CUDA Result cuStreamGetCtx(Stream *handle, Context **context) {
  return withStream(handle, [&](Driver &, Stream *) {
    if (!context)
      return InvalidValue;
    *context = currentContext();
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamGetCtx_ptsz, cuStreamGetCtx);

TW_CUDA Result cuStreamGetId(Stream *handle, unsigned long long *id) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!id)
      return InvalidValue;
    *id = stream ? stream->id : reinterpret_cast<uintptr_t>(handle);
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamGetId_ptsz, cuStreamGetId);

/// What the stream had before is done, so the call is now.
TW_CUDA Result cuStreamAddCallback(Stream *handle,
                                   void (*callback)(Stream *, Result, void *), void *data,
                                   unsigned) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!callback)
      return InvalidValue;
    if (stream && stream->capture)
      return StreamCaptureUnsupported;
    callback(handle, Success, data);
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamAddCallback_ptsz, cuStreamAddCallback);

/// Work is done in the order of the calls, so an event has always happened.
TW_CUDA Result cuStreamWaitEvent(Stream *handle, Event *event, unsigned) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!driver.events.has(event))
      return InvalidHandle;
    // A stream that waits for an event of a capture joins it.
    if (event->capture && stream && !stream->capture) {
      stream->capture = event->capture;
      stream->captureId = driver.captures;
    }
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamWaitEvent_ptsz, cuStreamWaitEvent);

//===----------------------------------------------------------------------===//
// Captures
//===----------------------------------------------------------------------===//

TW_CUDA Result cuStreamBeginCapture_v2(Stream *handle, int) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!stream)
      return StreamCaptureUnsupported;
    if (stream->capture)
      return IllegalState;
    stream->capture = driver.graphs.add(std::make_unique<Graph>());
    stream->isOrigin = true;
    stream->captureId = ++driver.captures;
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamBeginCapture_v2_ptsz, cuStreamBeginCapture_v2);

TW_CUDA Result cuStreamBeginCapture(Stream *stream) {
  return cuStreamBeginCapture_v2(stream, 0);
}
TW_CUDA_ALIAS(cuStreamBeginCapture_ptsz, cuStreamBeginCapture);

TW_CUDA Result cuStreamEndCapture(Stream *handle, Graph **graph) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!graph || !stream || !stream->capture)
      return graph ? IllegalState : InvalidValue;
    if (!stream->isOrigin)
      return StreamCaptureUnmatched;
    *graph = stream->capture;
    driver.streams.forEach([&](Stream &one) {
      if (one.capture == *graph) {
        one.capture = nullptr;
        one.isOrigin = false;
      }
    });
    driver.events.forEach([&](Event &one) {
      if (one.capture == *graph)
        one.capture = nullptr;
    });
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamEndCapture_ptsz, cuStreamEndCapture);

TW_CUDA Result cuStreamIsCapturing(Stream *handle, int *status) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!status)
      return InvalidValue;
    *status = stream && stream->capture ? 1 : 0;
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamIsCapturing_ptsz, cuStreamIsCapturing);

TW_CUDA Result cuStreamGetCaptureInfo_v2(Stream *handle, int *status, uint64_t *id,
                                         Graph **graph, GraphNode *const **dependencies,
                                         size_t *count) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    bool captures = stream && stream->capture;
    if (!status)
      return InvalidValue;
    *status = captures;
    if (id)
      *id = captures ? stream->captureId : 0;
    if (graph)
      *graph = captures ? stream->capture : nullptr;
    if (dependencies)
      *dependencies = nullptr;
    if (count)
      *count = 0;
    return Success;
  });
}
TW_CUDA_ALIAS(cuStreamGetCaptureInfo_v2_ptsz, cuStreamGetCaptureInfo_v2);

TW_CUDA Result cuThreadExchangeStreamCaptureMode(int *mode) {
  static thread_local int current = 0;
  if (!mode)
    return InvalidValue;
  std::swap(*mode, current);
  return Success;
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

TW_CUDA Result cuEventCreate(Event **event, unsigned flags) {
  return enterContext([&](Driver &driver) {
    if (!event)
      return InvalidValue;
    auto made = std::make_unique<Event>();
    made->flags = flags;
    *event = driver.events.add(std::move(made));
    return Success;
  });
}

TW_CUDA Result cuEventDestroy_v2(Event *event) {
  return enter([&](Driver &driver) {
    return driver.events.remove(event) ? Success : InvalidHandle;
  });
}
TW_CUDA_ALIAS(cuEventDestroy, cuEventDestroy_v2);

TW_CUDA Result cuEventRecordWithFlags(Event *event, Stream *handle, unsigned) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!driver.events.has(event))
      return InvalidHandle;
    event->isRecorded = true;
    event->milliseconds = nowMilliseconds();
    event->capture = stream ? stream->capture : nullptr;
    return Success;
  });
}
TW_CUDA_ALIAS(cuEventRecordWithFlags_ptsz, cuEventRecordWithFlags);

TW_CUDA Result cuEventRecord(Event *event, Stream *stream) {
  return cuEventRecordWithFlags(event, stream, 0);
}
TW_CUDA_ALIAS(cuEventRecord_ptsz, cuEventRecord);

TW_CUDA Result cuEventSynchronize(Event *event) {
  return enterContext([&](Driver &driver) {
    if (!driver.events.has(event))
      return InvalidHandle;
    return event->capture ? CapturedEvent : Success;
  });
}
TW_CUDA_ALIAS(cuEventQuery, cuEventSynchronize);

/// Time of the host: what the emulator took, which says nothing about a GPU.
TW_CUDA Result cuEventElapsedTime(float *milliseconds, Event *from, Event *to) {
  return enterContext([&](Driver &driver) {
    if (!milliseconds)
      return InvalidValue;
    if (!driver.events.has(from) || !driver.events.has(to) || !from->isRecorded ||
        !to->isRecorded)
      return InvalidHandle;
    *milliseconds = static_cast<float>(to->milliseconds - from->milliseconds);
    return Success;
  });
}
TW_CUDA_ALIAS(cuEventElapsedTime_v2, cuEventElapsedTime);
