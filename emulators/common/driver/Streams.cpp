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

#include "emulators/common/driver/Driver.h"

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

bool driver::findStream(Driver &driver, Stream *handle, Stream *&stream) {
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

Result driver::submit(Driver &, Stream *stream, GraphNode::Kind kind,
                      std::function<Result()> work) {
  if (!stream || !stream->capture)
    return work();
  addCaptured(*stream->capture, kind).work = std::move(work);
  return Success;
}

Result driver::submit(Driver &driver, Stream *stream, Launch launch) {
  if (!stream || !stream->capture)
    return run(driver, launch);
  addCaptured(*stream->capture, GraphNode::Kernel).launch = std::move(launch);
  return Success;
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

Result driver::createStream(Stream **stream, unsigned flags, int priority) {
  return enterContext([&](Driver &driver) {
    if (!stream || flags > 1)
      return InvalidValue;
    auto made = std::make_unique<Stream>();
    made->flags = flags;
    made->priority = priority;
    made->id = ++driver.lastStream;
    *stream = driver.streams.add(std::move(made));
    return Success;
  });
}

Result driver::destroyStream(Stream *stream) {
  return enter([&](Driver &driver) {
    return driver.streams.remove(stream) ? Success : InvalidHandle;
  });
}

Result driver::synchronizeStream(Stream *handle) {
  return withStream(handle, [](Driver &, Stream *stream) {
    return stream && stream->capture ? StreamCaptureUnsupported : Success;
  });
}

Result driver::getStreamFlags(Stream *handle, unsigned *flags) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!flags)
      return InvalidValue;
    *flags = stream ? stream->flags : 0;
    return Success;
  });
}

Result driver::getStreamPriority(Stream *handle, int *priority) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!priority)
      return InvalidValue;
    *priority = stream ? stream->priority : 0;
    return Success;
  });
}

Result driver::getPriorityRange(int *least, int *greatest) {
  return enterContext([&](Driver &) {
    if (least)
      *least = 0;
    if (greatest)
      *greatest = -5;
    return Success;
  });
}

/// What the stream had before is done, so the call is now.
Result driver::addCallback(Stream *handle, void (*callback)(Stream *, Result, void *),
                           void *data) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!callback)
      return InvalidValue;
    if (stream && stream->capture)
      return StreamCaptureUnsupported;
    callback(handle, Success, data);
    return Success;
  });
}

/// Work is done in the order of the calls, so an event has always happened.
Result driver::waitForEvent(Stream *handle, Event *event) {
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

//===----------------------------------------------------------------------===//
// Captures
//===----------------------------------------------------------------------===//

Result driver::beginCapture(Stream *handle) {
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

Result driver::endCapture(Stream *handle, Graph **graph) {
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

Result driver::isCapturing(Stream *handle, int *status) {
  return withStream(handle, [&](Driver &, Stream *stream) {
    if (!status)
      return InvalidValue;
    *status = stream && stream->capture ? 1 : 0;
    return Success;
  });
}

Result driver::exchangeCaptureMode(int *mode) {
  static thread_local int current = 0;
  if (!mode)
    return InvalidValue;
  std::swap(*mode, current);
  return Success;
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

Result driver::createEvent(Event **event, unsigned flags) {
  return enterContext([&](Driver &driver) {
    if (!event)
      return InvalidValue;
    auto made = std::make_unique<Event>();
    made->flags = flags;
    *event = driver.events.add(std::move(made));
    return Success;
  });
}

Result driver::destroyEvent(Event *event) {
  return enter([&](Driver &driver) {
    return driver.events.remove(event) ? Success : InvalidHandle;
  });
}

Result driver::recordEvent(Event *event, Stream *handle) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!driver.events.has(event))
      return InvalidHandle;
    event->isRecorded = true;
    event->milliseconds = nowMilliseconds();
    event->capture = stream ? stream->capture : nullptr;
    return Success;
  });
}

Result driver::synchronizeEvent(Event *event) {
  return enterContext([&](Driver &driver) {
    if (!driver.events.has(event))
      return InvalidHandle;
    return event->capture ? CapturedEvent : Success;
  });
}

/// Time of the host: what the emulator took, which says nothing about a GPU.
Result driver::getElapsedTime(float *milliseconds, Event *from, Event *to) {
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
