//===- Copies.cpp - Copies and fills ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

#include <cstring>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

/// Copies between any two of host and device; each address says which it is.
static Result copy(Driver &driver, const char *call, DevicePointer to, DevicePointer from,
                   size_t bytes) {
  if (bytes == 0)
    return Success;
  bool toDevice = isDevice(driver, to), fromDevice = isDevice(driver, from);
  if (toDevice && fromDevice)
    return toResult(tw_emulator_memory_copy(driver.device, to, from, bytes), call);
  if (toDevice)
    return toResult(tw_emulator_memory_write(driver.device, to,
                                             reinterpret_cast<const void *>(from), bytes),
                    call);
  if (fromDevice)
    return toResult(tw_emulator_memory_read(driver.device, reinterpret_cast<void *>(to),
                                            from, bytes, 0),
                    call);
  memmove(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from), bytes);
  return Success;
}

static bool isAt(Driver &driver, DevicePointer address, Place place) {
  return address && (place != Place::Device || isDevice(driver, address));
}

Result driver::copyOnStream(const char *call, Stream *handle, DevicePointer to,
                            Place toPlace, DevicePointer from, Place fromPlace,
                            size_t bytes) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (bytes == 0)
      return Success;
    if (!isAt(driver, to, toPlace) || !isAt(driver, from, fromPlace))
      return refuse(InvalidValue, std::string(call) +
                                      ": an address is null, or is not in the "
                                      "device's memory where the call says so");
    return submit(driver, stream, GraphNode::Memcpy, [&driver, call, to, from, bytes] {
      return copy(driver, call, to, from, bytes);
    });
  });
}

//===----------------------------------------------------------------------===//
// Boxes
//===----------------------------------------------------------------------===//

Result driver::describeSide(unsigned type, const void *host, DevicePointer device,
                            size_t xBytes, size_t y, size_t z, size_t pitch,
                            size_t height, size_t width, Side &side) {
  if (type != memoryTypeHost && type != memoryTypeDevice && type != vendor.unifiedType)
    return type == vendor.arrayType ? NotSupported : InvalidValue;
  DevicePointer base = type == memoryTypeHost ? toAddress(host) : device;
  side.row = pitch ? pitch : xBytes + width;
  side.slice = side.row * (height ? height : 1);
  side.start = base + xBytes + y * side.row + z * side.slice;
  return base && side.row >= width ? Success : InvalidValue;
}

Result driver::copyBox(const char *call, Stream *handle, const Side &to, const Side &from,
                       size_t width, size_t height, size_t depth) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    return submit(driver, stream, GraphNode::Memcpy, [=, &driver] {
      for (size_t z = 0; z < depth; ++z)
        for (size_t y = 0; y < height; ++y)
          if (Result result = copy(driver, call, to.start + y * to.row + z * to.slice,
                                   from.start + y * from.row + z * from.slice, width))
            return result;
      return Success;
    });
  });
}

Result driver::copyRows(const char *call, const Memcpy2D *given, Stream *stream) {
  if (!given)
    return InvalidValue;
  Side to, from;
  const Memcpy2D &g = *given;
  if (Result result = describeSide(g.fromType, g.fromHost, g.fromDevice, g.fromX, g.fromY,
                                   0, g.fromPitch, 0, g.width, from))
    return result;
  if (Result result = describeSide(g.toType, g.toHost, g.toDevice, g.toX, g.toY, 0,
                                   g.toPitch, 0, g.width, to))
    return result;
  return copyBox(call, stream, to, from, g.width, g.height, 1);
}

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

Result driver::fillRows(const char *call, DevicePointer address, size_t pitch,
                        uint32_t value, uint32_t width, size_t count, size_t height,
                        Stream *handle) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (address % width || (height > 1 && pitch < count * width))
      return InvalidValue;
    return submit(driver, stream, GraphNode::Memset, [=, &driver] {
      for (size_t row = 0; row < height; ++row)
        if (tw_emulator_status status = tw_emulator_memory_fill(
                driver.device, address + row * pitch, value, width, count))
          return toResult(status, call);
      return Success;
    });
  });
}

Result driver::fill(const char *call, DevicePointer address, uint32_t value,
                    uint32_t width, size_t count, Stream *stream) {
  return fillRows(call, address, 0, value, width, count, 1, stream);
}
