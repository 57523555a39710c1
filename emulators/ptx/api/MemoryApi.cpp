//===- MemoryApi.cpp - The C API: memory of a device --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/api/Api.h"

#include <cstdio>

using namespace tilewright::ptx;
using namespace tilewright::ptx::api;
using namespace tilewright::emulator;

namespace {
/// A range of device memory that was found.
struct Range {
  Allocation *allocation = nullptr;
  uint64_t at = 0;
  uint8_t *data() const { return allocation->memory.data() + at; }
  uint8_t *shadow() const { return allocation->memory.shadow() + at; }
};
} // namespace

static std::string hex(uint64_t value) {
  char text[24];
  snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

/// Finds `bytes` bytes at `address`; an error where they are not all in one live
/// allocation.
static tw_ptx_status find(tw_ptx_device &device, const char *call, uint64_t address,
                          uint64_t bytes, Range &range) {
  GlobalMemory &memory = device.device.memory;
  Allocation *near = memory.findNear(address);
  auto refuse = [&](const std::string &why) {
    return fail(TW_PTX_ERROR_INVALID, std::string(call) + ": " + std::to_string(bytes) +
                                          " bytes at " + hex(address) + ": " + why);
  };
  if (!near)
    return refuse("no allocation is there");
  if (near->freed)
    return refuse(near->name + " was freed");
  uint64_t at = address - near->base;
  if (at > near->size || bytes > near->size - at)
    return refuse(near->name + " has " + std::to_string(near->size) + " bytes from " +
                  hex(near->base) + " on");
  range = {near, at};
  return TW_PTX_OK;
}

tw_ptx_status tw_ptx_memory_allocate(tw_ptx_device *device, uint64_t bytes,
                                     const char *name, uint64_t *address) {
  return guard([&] {
    if (!device || !address)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_allocate: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    Allocation *made = device->device.memory.allocate(bytes, name ? name : "");
    if (!made)
      return fail(TW_PTX_ERROR_MEMORY,
                  "no memory for " + std::to_string(bytes) + " bytes: " +
                      std::to_string(device->device.memory.getUsed()) + " are in use");
    if (made->name.empty())
      made->name = "the allocation at " + hex(made->base);
    *address = made->base;
    return TW_PTX_OK;
  });
}

tw_ptx_status tw_ptx_memory_free(tw_ptx_device *device, uint64_t address) {
  return guard([&] {
    if (!device)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_free: no device");
    std::lock_guard<std::mutex> locked(device->lock);
    if (!device->device.memory.release(address))
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_free: " + hex(address) +
                                            " is not the start of a live allocation");
    return TW_PTX_OK;
  });
}

tw_ptx_status tw_ptx_memory_write(tw_ptx_device *device, uint64_t address,
                                  const void *from, uint64_t bytes) {
  return guard([&] {
    if (!device || (!from && bytes))
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_write: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    Range range;
    if (tw_ptx_status status =
            find(*device, "tw_ptx_memory_write", address, bytes, range))
      return status;
    if (bytes) {
      memcpy(range.data(), from, bytes);
      memset(range.shadow(), Sound, bytes);
    }
    return TW_PTX_OK;
  });
}

/// Notes the fault that a read of bytes whose shadow has one of `bits` is.
static void reportRead(tw_ptx_device &device, const Range &range, uint64_t bytes,
                       uint8_t bits, Rule rule, const char *what) {
  const uint8_t *shadow = range.shadow();
  uint64_t count = 0, first = 0;
  for (uint64_t i = bytes; i-- > 0;)
    if (shadow[i] & bits) {
      first = i;
      ++count;
    }
  if (count == 0)
    return;
  Fault fault;
  fault.rule = rule;
  fault.message = "the host reads " + std::to_string(bytes) + " bytes of " +
                  range.allocation->name + ", and " + std::to_string(count) +
                  " of them " + what + ", the first at byte " +
                  std::to_string(range.at + first);
  device.faults.push_back(std::move(fault));
}

tw_ptx_status tw_ptx_memory_read(tw_ptx_device *device, void *to, uint64_t address,
                                 uint64_t bytes, uint32_t flags) {
  return guard([&] {
    if (!device || (!to && bytes))
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_read: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    Range range;
    if (tw_ptx_status status = find(*device, "tw_ptx_memory_read", address, bytes, range))
      return status;
    if (bytes == 0)
      return TW_PTX_OK;
    memcpy(to, range.data(), bytes);
    size_t before = device->faults.size();
    if (!(flags & TW_PTX_READ_ANYTHING) && device->checks.uninitialised)
      reportRead(*device, range, bytes, Undefined, Rule::Uninitialised,
                 "came from undefined data");
    if (!(flags & TW_PTX_READ_ANYTHING))
      reportRead(
          *device, range, bytes, Pending, Rule::InFlight,
          "are what an asynchronous operation was to write that nothing waited for");
    if (flags & TW_PTX_REPORT_NEVER_WRITTEN)
      reportRead(*device, range, bytes, NeverWritten, Rule::Uninitialised,
                 "were never written");
    if (device->faults.size() == before)
      return TW_PTX_OK;
    return fail(TW_PTX_ERROR_FAULT, faultsToText(*device, before));
  });
}

tw_ptx_status tw_ptx_memory_fill(tw_ptx_device *device, uint64_t address, uint32_t value,
                                 uint32_t width, uint64_t count) {
  return guard([&] {
    if (!device || (width != 1 && width != 2 && width != 4))
      return fail(TW_PTX_ERROR_INVALID,
                  "tw_ptx_memory_fill: a device and a width of 1, 2 or 4 are needed");
    if (count > UINT64_MAX / width)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_fill: too many elements");
    std::lock_guard<std::mutex> locked(device->lock);
    Range range;
    if (tw_ptx_status status =
            find(*device, "tw_ptx_memory_fill", address, count * width, range))
      return status;
    for (uint64_t i = 0; i < count; ++i)
      memcpy(range.data() + i * width, &value, width);
    memset(range.shadow(), Sound, count * width);
    return TW_PTX_OK;
  });
}

tw_ptx_status tw_ptx_memory_copy(tw_ptx_device *device, uint64_t to, uint64_t from,
                                 uint64_t bytes) {
  return guard([&] {
    if (!device)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_copy: no device");
    std::lock_guard<std::mutex> locked(device->lock);
    Range target, source;
    if (tw_ptx_status status = find(*device, "tw_ptx_memory_copy", to, bytes, target))
      return status;
    if (tw_ptx_status status = find(*device, "tw_ptx_memory_copy", from, bytes, source))
      return status;
    if (bytes) {
      memmove(target.data(), source.data(), bytes);
      memmove(target.shadow(), source.shadow(), bytes);
    }
    return TW_PTX_OK;
  });
}

tw_ptx_status tw_ptx_memory_find(tw_ptx_device *device, uint64_t address, uint64_t *base,
                                 uint64_t *bytes) {
  return guard([&] {
    if (!device || !base || !bytes)
      return fail(TW_PTX_ERROR_INVALID, "tw_ptx_memory_find: a null argument");
    std::lock_guard<std::mutex> locked(device->lock);
    Allocation *found = device->device.memory.findNear(address);
    if (!found || found->freed ||
        address - found->base >= std::max<uint64_t>(found->size, 1))
      return fail(TW_PTX_ERROR_NOT_FOUND, "no allocation holds " + hex(address));
    *base = found->base;
    *bytes = found->size;
    return TW_PTX_OK;
  });
}

uint64_t tw_ptx_memory_used(tw_ptx_device *device) {
  if (!device)
    return 0;
  std::lock_guard<std::mutex> locked(device->lock);
  return device->device.memory.getUsed();
}

void tw_ptx_memory_set_heap(tw_ptx_device *device, uint64_t bytes) {
  if (device)
    device->device.heap.limit = bytes;
}
