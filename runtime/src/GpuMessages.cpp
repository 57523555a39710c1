//===- GpuMessages.cpp - What kernels of GPUs say ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GpuMessages.h"

#include "Error.h"

#include <cinttypes>

using namespace tilewright;

namespace {
/// What a buffer begins with.
struct Header {
  uint64_t asked;    // how many records kernels wanted to write
  uint64_t capacity; // how many there is room for
  uint64_t fault;    // the lowest one: block << 16 | site
  uint64_t reserved;
};
static_assert(sizeof(Header) == GpuMessages::headerWords * 8);

struct Record {
  uint64_t site, block, bits;
};
static_assert(sizeof(Record) == GpuMessages::recordWords * 8);

constexpr uint64_t noFault = UINT64_MAX;
constexpr int siteBits = 16;
} // namespace

GpuMessages::~GpuMessages() {
  for (size_t i = 0; i < sinks.size(); ++i)
    free(sinks[i].sites);
}

tw_status GpuMessages::add(const GpuDevice &device, void *stream, const char *kernel,
                           void *memory, const tw_message_site_v1 *sites, int64_t count) {
  auto *copied = static_cast<tw_message_site_v1 *>(
      malloc(static_cast<size_t>(count ? count : 1) * sizeof(tw_message_site_v1)));
  if (!copied || !sinks.push({memory, copied, count})) {
    free(copied);
    return fail(TW_ERROR_MEMORY, "%s: no memory for messages", kernel);
  }
  // Sites of a newer artifact may be longer.
  const char *next = reinterpret_cast<const char *>(sites);
  for (int64_t i = 0; i < count; ++i) {
    memcpy(&copied[i], next, sizeof(tw_message_site_v1));
    next += copied[i].size;
  }
  Header header = {0, capacity, noFault, 0};
  int result = device.driver->vendor->copy(
      device.calls(), reinterpret_cast<uint64_t>(memory),
      reinterpret_cast<uint64_t>(&header), sizeof(header), stream);
  // The header must stay until the copy has read it.
  if (!result)
    result = device.calls().synchronizeStream(stream);
  return result ? failCall(device, result, "%s: messages", kernel) : TW_OK;
}

/// Reads one buffer, whose kernels have ended; a driver's result.
int GpuMessages::readSink(const GpuDevice &device, void *stream, const char *kernel,
                          const Sink &sink, LowestFault &fault) {
  auto copy = [&](void *to, uint64_t from, size_t bytes) {
    int result = device.driver->vendor->copy(
        device.calls(), reinterpret_cast<uint64_t>(to),
        reinterpret_cast<uint64_t>(sink.memory) + from, bytes, stream);
    return result ? result : device.calls().synchronizeStream(stream);
  };
  Header header;
  if (int result = copy(&header, 0, sizeof(header)))
    return result;
  uint64_t count = header.asked < capacity ? header.asked : capacity;
  Array<Record> records;
  if (!records.reset(count))
    return 2; // no memory, to CUDA and to HIP
  if (count)
    if (int result = copy(records.data(), sizeof(header), count * sizeof(Record)))
      return result;
  auto isSite = [&](uint64_t site) { return site < static_cast<uint64_t>(sink.count); };
  for (uint64_t i = 0; i < count; ++i)
    if (const Record &record = records[i]; isSite(record.site))
      printMessage(sink.sites[record.site].message, sink.sites[record.site].kind,
                   record.bits, static_cast<int64_t>(record.block));
  if (header.asked > capacity) {
    char line[256];
    snprintf(line, sizeof(line),
             "%s: %" PRIu64 " more lines are lost: a launch keeps %" PRIu64, kernel,
             header.asked - capacity, capacity);
    printLine(line);
  }
  uint64_t site = header.fault & ((uint64_t(1) << siteBits) - 1);
  if (header.fault != noFault && isSite(site))
    fault.add(kernel, sink.sites[site].message, sink.sites[site].where,
              static_cast<int64_t>(header.fault >> siteBits));
  return 0;
}

tw_status GpuMessages::read(const GpuDevice &device, void *stream, const char *kernel,
                            bool isFailed, LowestFault &fault) {
  int result = device.calls().synchronizeStream(stream);
  for (size_t i = 0; i < sinks.size() && !result; ++i)
    result = readSink(device, stream, kernel, sinks[i], fault);
  if (!result || isFailed)
    return TW_OK;
  return failCall(device, result, "%s", kernel);
}
