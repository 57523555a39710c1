//===- Device.cpp - Devices, their memory and their streams ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Kernel.h"

#include <cinttypes>
#include <cstddef>
#include <cstring>

using namespace tilewright;

/// Adding a backend's runtime part adds its functions here.
static const DeviceFunctions *const deviceKinds[] = {
    &cpuDevice, &cudaDevice, &cudaEmulatorDevice, &hipDevice, &hipEmulatorDevice,
};

/// Whether `name` is what stands before the colon of `text`.
static bool isBefore(const char *name, const char *text) {
  size_t length = strcspn(text, ":");
  return strlen(name) == length && strncmp(name, text, length) == 0;
}

const DeviceFunctions *tilewright::findDevice(const char *target) {
  for (const DeviceFunctions *kind : deviceKinds)
    if (isBefore(kind->backend, target))
      return kind;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

tw_status tw_device_open(const char *name, tw_device **device) {
  for (const DeviceFunctions *kind : deviceKinds)
    if (isBefore(kind->kind, name)) {
      const char *colon = strchr(name, ':');
      return kind->open(kind, name, colon ? colon + 1 : nullptr, device);
    }
  return fail(TW_ERROR_INVALID,
              "device '%s' is unknown; a device is cpu, cuda, hip, cuda-emulator or "
              "hip-emulator, with an optional target such as cuda-emulator:sm_80",
              name);
}

void tw_device_close(tw_device *device) {
  if (device)
    device->functions->close(device);
}

tw_status tw_device_info(tw_device *device, tw_device_info_v1 *info) {
  uint64_t size = info->size;
  if (size < offsetof(tw_device_info_v1, instructions)) // which the first version had not
    return fail(TW_ERROR_INVALID,
                "tw_device_info_v1.size is %" PRIu64
                "; set it to sizeof(tw_device_info_v1)",
                size);
  const DeviceFunctions &functions = *device->functions;
  tw_device_info_v1 known = {sizeof(known),  device->name, device->target,
                             functions.type, device->id,   -1};
  if (functions.countInstructions)
    known.instructions = functions.countInstructions(device);
  if (size < sizeof(known))
    known.size = size;
  memcpy(info, &known, known.size);
  return TW_OK;
}

tw_status tw_device_synchronize(tw_device *device) {
  return device->functions->finish(device);
}

//===----------------------------------------------------------------------===//
// Memory and streams
//===----------------------------------------------------------------------===//

tw_status tw_memory_allocate(tw_device *device, uint64_t bytes, void **memory) {
  return device->functions->allocate(device, bytes, memory);
}

tw_status tw_memory_free(tw_device *device, void *memory) {
  return device->functions->free(device, memory);
}

tw_status tw_memory_copy(tw_device *device, tw_stream *stream, void *to, const void *from,
                         uint64_t bytes) {
  return device->functions->copy(device, stream, to, from, bytes);
}

tw_status tw_memory_fill(tw_device *device, tw_stream *stream, void *memory,
                         uint8_t value, uint64_t bytes) {
  return device->functions->fill(device, stream, memory, value, bytes);
}

tw_status tw_stream_create(tw_device *device, tw_stream **stream) {
  return device->functions->createStream(device, stream);
}

tw_status tw_stream_wrap(tw_device *device, void *native, tw_stream **stream) {
  return device->functions->wrapStream(device, native, stream);
}

tw_status tw_stream_synchronize(tw_stream *stream) {
  return stream->device->functions->synchronize(stream);
}

void tw_stream_destroy(tw_stream *stream) {
  if (stream)
    stream->device->functions->destroyStream(stream);
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

tw_status tw_graph_begin(tw_stream *stream) {
  return stream->device->functions->beginGraph(stream);
}

tw_status tw_graph_end(tw_stream *stream, tw_graph **graph) {
  return stream->device->functions->endGraph(stream, graph);
}

tw_status tw_graph_launch(tw_graph *graph, tw_stream *stream) {
  return graph->device->functions->launchGraph(graph, stream);
}

void tw_graph_destroy(tw_graph *graph) {
  if (graph)
    graph->device->functions->destroyGraph(graph);
}
