//===- Streams.cpp - Streams and events ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
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

/// What asks how far a stream is cannot be while it captures.
static Result refuseCapture(Driver &driver, Stream *stream) {
  if (Result result = checkUse(driver, stream))
    return result;
  if (!stream || !stream->capture)
    return Success;
  stream->capture->isInvalid = true;
  return StreamCaptureUnsupported;
}

Result driver::synchronizeStream(Stream *handle) {
  return withStream(handle, refuseCapture);
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
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!callback)
      return InvalidValue;
    if (Result result = refuseCapture(driver, stream))
      return result;
    callback(handle, Success, data);
    return Success;
  });
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

Result driver::synchronizeEvent(Event *event) {
  return enterContext([&](Driver &driver) {
    if (!driver.events.has(event))
      return InvalidHandle;
    if (!event->capture)
      return Success;
    event->capture->isInvalid = true;
    return CapturedEvent;
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
    if (from->capture || to->capture)
      return CapturedEvent;
    *milliseconds = static_cast<float>(to->milliseconds - from->milliseconds);
    return Success;
  });
}
