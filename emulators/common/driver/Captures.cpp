//===- Captures.cpp - Streams whose work goes into a graph ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A call that a capture does not allow fails, and from then on the capture is invalid:
// nothing more goes into it, and its end gives no graph.
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

#include <algorithm>
#include <set>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

/// What the calling thread has set its part in captures to.
static thread_local int threadMode = CaptureGlobal;

static bool isMode(int mode) { return mode >= CaptureGlobal && mode <= CaptureRelaxed; }

//===----------------------------------------------------------------------===//
// What is allowed
//===----------------------------------------------------------------------===//

/// Whether the legacy stream would wait for what a capture's streams do.
static bool isBlocking(Driver &driver, const Capture &capture) {
  bool isBlocking = false;
  driver.streams.forEach([&](const Stream &stream) {
    isBlocking |= stream.capture.get() == &capture && !(stream.flags & 1);
  });
  return isBlocking;
}

Result driver::checkUse(Driver &driver, const Stream *stream) {
  if (stream)
    return stream->capture && stream->capture->isInvalid ? StreamCaptureInvalidated
                                                         : Success;
  Result result = Success;
  for (const auto &capture : driver.captures)
    if (isBlocking(driver, *capture)) {
      capture->isInvalid = true;
      result = StreamCaptureImplicit;
    }
  return result;
}

Result driver::checkUnsafe(Driver &driver) {
  if (threadMode == CaptureRelaxed)
    return Success;
  Result result = Success;
  for (const auto &capture : driver.captures) {
    bool isOwn = capture->thread == std::this_thread::get_id();
    bool forbids = isOwn ? capture->mode != CaptureRelaxed
                         : capture->mode == CaptureGlobal && threadMode == CaptureGlobal;
    if (forbids) {
      capture->isInvalid = true;
      result = StreamCaptureUnsupported;
    }
  }
  return result;
}

Result driver::failCaptures(Driver &driver, Result result) {
  for (const auto &capture : driver.captures)
    capture->isInvalid = true;
  return driver.captures.empty() ? Success : result;
}

//===----------------------------------------------------------------------===//
// What is captured
//===----------------------------------------------------------------------===//

GraphNode &driver::addCaptured(Stream &stream, GraphNode::Kind kind) {
  Graph &graph = *stream.capture->graph;
  auto node = std::make_unique<GraphNode>();
  node->graph = &graph;
  node->kind = kind;
  node->dependencies = stream.last;
  graph.nodes.push_back(std::move(node));
  stream.last = {graph.nodes.back().get()};
  return *graph.nodes.back();
}

Result driver::submit(Driver &driver, Stream *stream, GraphNode::Kind kind,
                      std::function<Result()> work) {
  if (Result result = checkUse(driver, stream))
    return result;
  if (!stream || !stream->capture)
    return work();
  addCaptured(*stream, kind).work = std::move(work);
  return Success;
}

Result driver::submit(Driver &driver, Stream *stream, Launch launch) {
  if (Result result = checkUse(driver, stream))
    return result;
  if (!stream || !stream->capture)
    return run(driver, launch);
  addCaptured(*stream, GraphNode::Kernel).launch = std::move(launch);
  return Success;
}

Result driver::recordEvent(Event *event, Stream *handle) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!driver.events.has(event))
      return InvalidHandle;
    if (Result result = checkUse(driver, stream))
      return result;
    event->isRecorded = true;
    event->milliseconds = nowMilliseconds();
    event->capture = stream ? stream->capture : nullptr;
    event->last = event->capture ? stream->last : std::vector<GraphNode *>();
    return Success;
  });
}

/// Outside of captures work is done in the order of the calls, so an event has happened.
Result driver::waitForEvent(Stream *handle, Event *event) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!driver.events.has(event))
      return InvalidHandle;
    if (Result result = checkUse(driver, stream))
      return result;
    Capture *own = stream ? stream->capture.get() : nullptr;
    Capture *other = event->capture.get();
    if (!other) {
      if (!own || !event->isRecorded)
        return Success;
      own->isInvalid = true;
      return StreamCaptureIsolation;
    }
    if (other->isOver)
      return CapturedEvent;
    if (!stream || (own && own != other)) {
      other->isInvalid = true;
      if (own)
        own->isInvalid = true;
      return stream ? StreamCaptureMerge : StreamCaptureImplicit;
    }
    if (other->isInvalid)
      return StreamCaptureInvalidated;
    // A stream that waits for an event of a capture joins it.
    stream->capture = event->capture;
    for (GraphNode *node : event->last)
      if (std::find(stream->last.begin(), stream->last.end(), node) == stream->last.end())
        stream->last.push_back(node);
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// Beginning and ending
//===----------------------------------------------------------------------===//

Result driver::beginCapture(Stream *handle, int mode) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!isMode(mode))
      return InvalidValue;
    if (!stream)
      return StreamCaptureUnsupported;
    if (stream->capture)
      return IllegalState;
    auto capture = std::make_shared<Capture>();
    capture->graph = driver.graphs.add(std::make_unique<Graph>());
    capture->origin = stream;
    capture->id = ++driver.lastCapture;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    driver.captures.push_back(capture);
    stream->capture = std::move(capture);
    stream->last.clear();
    return Success;
  });
}

/// Lets a capture's streams work again. Its events go on to be of it.
static void finish(Driver &driver, const std::shared_ptr<Capture> &capture) {
  capture->isOver = true;
  driver.streams.forEach([&](Stream &one) {
    if (one.capture == capture && &one != capture->origin) {
      one.capture = nullptr;
      one.last.clear();
    }
  });
  driver.captures.erase(
      std::find(driver.captures.begin(), driver.captures.end(), capture));
}

/// Whether all nodes of a graph come before the end of the stream `origin`.
static bool isJoined(const Graph &graph, const Stream &origin) {
  std::set<const GraphNode *> before;
  std::vector<const GraphNode *> open(origin.last.begin(), origin.last.end());
  while (!open.empty()) {
    const GraphNode *node = open.back();
    open.pop_back();
    if (before.insert(node).second)
      open.insert(open.end(), node->dependencies.begin(), node->dependencies.end());
  }
  return before.size() == graph.nodes.size();
}

Result driver::endCapture(Stream *handle, Graph **graph) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!graph || !stream || !stream->capture)
      return graph ? IllegalState : InvalidValue;
    std::shared_ptr<Capture> capture = stream->capture;
    if (capture->origin != stream) {
      capture->isInvalid = true;
      return StreamCaptureUnmatched;
    }
    if (capture->mode != CaptureRelaxed && capture->thread != std::this_thread::get_id())
      return StreamCaptureWrongThread;
    Result result = capture->isInvalid                    ? StreamCaptureInvalidated
                    : !isJoined(*capture->graph, *stream) ? StreamCaptureUnjoined
                                                          : Success;
    finish(driver, capture);
    stream->capture = nullptr;
    stream->last.clear();
    *graph = result ? nullptr : capture->graph;
    if (result)
      driver.graphs.remove(capture->graph);
    return result;
  });
}

Result driver::destroyStream(Stream *stream) {
  return enter([&](Driver &driver) {
    if (!driver.streams.has(stream))
      return InvalidHandle;
    // Without the stream that it began on a capture cannot end.
    if (std::shared_ptr<Capture> capture = stream->capture;
        capture && capture->origin == stream) {
      finish(driver, capture);
      driver.graphs.remove(capture->graph);
    }
    driver.streams.remove(stream);
    return Success;
  });
}

Result driver::isCapturing(Stream *handle, int *status) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!status)
      return InvalidValue;
    if (!stream) // to ask spoils nothing
      for (const auto &capture : driver.captures)
        if (isBlocking(driver, *capture))
          return StreamCaptureImplicit;
    const Capture *capture = stream ? stream->capture.get() : nullptr;
    *status = !capture ? 0 : capture->isInvalid ? 2 : 1;
    return Success;
  });
}

Result driver::exchangeCaptureMode(int *mode) {
  if (!mode || !isMode(*mode))
    return InvalidValue;
  std::swap(*mode, threadMode);
  return Success;
}
