//===- Memory.cpp - Memory of the device and of the host ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emulated programs cannot touch the host's memory, so there is no mapped or managed
// memory.
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

#include <cstdlib>
#include <cstring>
#include <utility>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

bool driver::isDevice(Driver &driver, DevicePointer address, uint64_t *base,
                      uint64_t *bytes) {
  uint64_t start = 0, size = 0;
  if (tw_emulator_memory_find(driver.device, address, &start, &size) != TW_EMULATOR_OK)
    return false;
  if (base)
    *base = start;
  if (bytes)
    *bytes = size;
  return true;
}

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

static Result allocateNow(Driver &driver, const char *call, DevicePointer *address,
                          size_t bytes) {
  uint64_t made = 0;
  tw_emulator_status status =
      tw_emulator_memory_allocate(driver.device, bytes, nullptr, &made);
  *address = made;
  return toResult(status, call);
}

Result driver::allocate(const char *call, DevicePointer *address, size_t bytes) {
  return enterContext([&](Driver &driver) {
    if (!address || bytes == 0)
      return InvalidValue;
    if (Result result = checkUnsafe(driver))
      return result;
    return allocateNow(driver, call, address, bytes);
  });
}

Result driver::allocateOnStream(const char *call, DevicePointer *address, size_t bytes,
                                Stream *handle) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!address || bytes == 0)
      return InvalidValue;
    if (Result result = checkUse(driver, stream))
      return result;
    if (stream && stream->capture)
      return captureAllocation(driver, call, *stream, address, bytes);
    return allocateNow(driver, call, address, bytes);
  });
}

Result driver::allocatePitch(const char *call, DevicePointer *address, size_t *pitch,
                             size_t width, size_t height) {
  if (!pitch || width > SIZE_MAX - 511)
    return InvalidValue;
  *pitch = (width + 511) / 512 * 512;
  if (height && *pitch > SIZE_MAX / height)
    return OutOfMemory;
  return allocate(call, address, *pitch * height);
}

static Result releaseNow(Driver &driver, const char *call, DevicePointer address) {
  auto found = driver.graphMemory.find(address);
  if (found == driver.graphMemory.end())
    return toResult(tw_emulator_memory_free(driver.device, address), call);
  return std::exchange(found->second->isLive, false) ? Success : InvalidValue;
}

Result driver::release(const char *call, DevicePointer address) {
  return enterContext([&](Driver &driver) {
    if (address == 0)
      return Success;
    if (Result result = checkUnsafe(driver))
      return result;
    return releaseNow(driver, call, address);
  });
}

Result driver::releaseOnStream(const char *call, DevicePointer address, Stream *handle) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (address == 0)
      return Success;
    if (Result result = checkUse(driver, stream))
      return result;
    if (stream && stream->capture)
      return captureRelease(driver, *stream, address);
    return releaseNow(driver, call, address);
  });
}

Result driver::getMemoryInfo(size_t *free, size_t *total) {
  return enterContext([&](Driver &driver) {
    if (!free || !total)
      return InvalidValue;
    *total = driver.memoryBytes;
    *free = driver.memoryBytes - tw_emulator_memory_used(driver.device);
    return Success;
  });
}

Result driver::getAddressRange(DevicePointer *base, size_t *bytes,
                               DevicePointer address) {
  return enterContext([&](Driver &driver) {
    uint64_t start = 0, size = 0;
    if (!isDevice(driver, address, &start, &size))
      return NotFound;
    if (base)
      *base = start;
    if (bytes)
      *bytes = size;
    return Success;
  });
}

Result driver::allocateHost(void **memory, size_t bytes) {
  return enterContext([&](Driver &driver) {
    if (!memory || bytes == 0)
      return InvalidValue;
    if (Result result = checkUnsafe(driver))
      return result;
    *memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!*memory)
      return OutOfMemory;
    driver.hostMemory[*memory] = bytes;
    return Success;
  });
}

Result driver::releaseHost(void *memory) {
  return enterContext([&](Driver &driver) {
    if (Result result = checkUnsafe(driver))
      return result;
    if (!driver.hostMemory.erase(memory))
      return InvalidValue;
    free(memory);
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// What an address is
//===----------------------------------------------------------------------===//

PointerInfo driver::describePointer(Driver &driver, DevicePointer address) {
  PointerInfo info;
  info.isDevice = isDevice(driver, address, &info.base, &info.bytes);
  if (info.isDevice)
    return info;
  auto after = driver.hostMemory.upper_bound(reinterpret_cast<void *>(address));
  if (after == driver.hostMemory.begin())
    return info;
  const auto &[memory, bytes] = *std::prev(after);
  info.base = reinterpret_cast<uint64_t>(memory);
  info.bytes = bytes;
  info.isHost = address - info.base < bytes;
  return info;
}

/// Writes attribute `attribute` of `address` to `data`.
static Result getAttribute(Driver &driver, void *data, int attribute,
                           DevicePointer address) {
  PointerInfo info = describePointer(driver, address);
  if (!info.isDevice && !info.isHost)
    return InvalidValue;
  auto write = [&](auto value) {
    memcpy(data, &value, sizeof(value));
    return Success;
  };
  switch (attribute) {
  case ContextOf:
    return write(static_cast<void *>(currentContext()));
  case MemoryTypeOf:
    return write(info.isDevice ? memoryTypeDevice : memoryTypeHost);
  case DevicePointerOf:
    return info.isDevice ? write(address) : InvalidValue;
  case HostPointerOf:
    return info.isHost ? write(address) : InvalidValue;
  case SyncMemops:
  case IsManaged:
    return write(0u);
  case BufferId:
    return write(info.base);
  case DeviceOrdinal:
    return write(driver.ordinal);
  case RangeStart:
    return write(info.base);
  case RangeSize:
    return write(static_cast<size_t>(info.bytes));
  case Mapped:
    return write(static_cast<unsigned>(info.isDevice));
  default:
    return InvalidValue;
  }
}

Result driver::getPointerAttribute(void *data, int attribute, DevicePointer address) {
  return enter([&](Driver &driver) {
    return data ? getAttribute(driver, data, attribute, address) : InvalidValue;
  });
}

Result driver::getPointerAttributes(unsigned count, int *attributes, void **data,
                                    DevicePointer address) {
  return enter([&](Driver &driver) {
    if (!attributes || !data)
      return InvalidValue;
    for (unsigned i = 0; i < count; ++i) {
      bool isNarrow = attributes[i] == MemoryTypeOf || attributes[i] == SyncMemops ||
                      attributes[i] == IsManaged || attributes[i] == DeviceOrdinal ||
                      attributes[i] == Mapped;
      // What an address does not have is left zero.
      memset(data[i], 0, isNarrow ? 4 : 8);
      getAttribute(driver, data[i], attributes[i], address);
    }
    return Success;
  });
}
