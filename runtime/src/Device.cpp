//===- Device.cpp - Devices, their memory and their streams ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Kernel.h"

#include <cstdlib>
#include <cstring>

using namespace tilewright;

namespace {

/// A kind of device. Adding a backend's runtime part adds its functions here.
struct DeviceKind {
  const char *name;
  const DeviceFunctions *functions; // nullptr: not in this build
};

} // namespace

static constexpr DeviceKind deviceKinds[] = {
    {"cpu", &cpuDevice},        {"cuda", nullptr},         {"hip", nullptr},
    {"cuda-emulator", nullptr}, {"hip-emulator", nullptr},
};

static const DeviceKind *findKind(const char *target) {
  size_t length = strcspn(target, ":");
  for (const DeviceKind &kind : deviceKinds)
    if (strlen(kind.name) == length && strncmp(kind.name, target, length) == 0)
      return &kind;
  return nullptr;
}

const DeviceFunctions *tilewright::findDevice(const char *target) {
  const DeviceKind *kind = findKind(target);
  return kind ? kind->functions : nullptr;
}

tw_status tw_device_open(const char *name, tw_device **device) {
  const DeviceKind *kind = findKind(name);
  if (!kind)
    return fail(TW_ERROR_INVALID,
                "device '%s' is unknown; a device is cpu, cuda, hip, cuda-emulator or "
                "hip-emulator, with an optional target such as cuda-emulator:sm_80",
                name);
  if (!kind->functions)
    return fail(TW_ERROR_UNSUPPORTED,
                "device '%s': %s devices are not built into this version; use 'cpu'",
                name, kind->name);
  auto *opened = static_cast<tw_device *>(malloc(sizeof(tw_device)));
  if (!opened)
    return fail(TW_ERROR_MEMORY, "device '%s': no memory", name);
  *opened = {kind->functions};
  *device = opened;
  return TW_OK;
}

void tw_device_close(tw_device *device) { free(device); }

tw_status tw_memory_allocate(tw_device *device, uint64_t bytes, void **memory) {
  return device->functions->allocate(bytes, memory);
}

tw_status tw_memory_free(tw_device *device, void *memory) {
  return device->functions->free(memory);
}

tw_status tw_memory_copy(tw_device *device, tw_stream *stream, void *to, const void *from,
                         uint64_t bytes) {
  return device->functions->copy(stream, to, from, bytes);
}

tw_status tw_memory_fill(tw_device *device, tw_stream *stream, void *memory,
                         uint8_t value, uint64_t bytes) {
  return device->functions->fill(stream, memory, value, bytes);
}

tw_status tw_stream_create(tw_device *device, tw_stream **stream) {
  return device->functions->createStream(device, stream);
}

tw_status tw_stream_synchronize(tw_stream *stream) {
  return stream->device->functions->synchronize(stream);
}

void tw_stream_destroy(tw_stream *stream) {
  if (stream)
    stream->device->functions->destroyStream(stream);
}
