//===- Copies.cpp - Copies between host and device ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

using namespace tilewright::hip;

/// Where a direction says that the two addresses are; false where it is none.
static bool readKind(int kind, Place &to, Place &from) {
  switch (kind) {
  case HostToHost:
    to = from = Place::Host;
    return true;
  case HostToDevice:
    to = Place::Device;
    from = Place::Host;
    return true;
  case DeviceToHost:
    to = Place::Host;
    from = Place::Device;
    return true;
  case DeviceToDevice:
  case DeviceToDeviceNoCu:
    to = from = Place::Device;
    return true;
  case AsAddressesSay:
    to = from = Place::Any;
    return true;
  default:
    return false;
  }
}

Result tilewright::hip::copyAs(const char *call, DevicePointer to, DevicePointer from,
                               size_t bytes, int kind, Stream *stream) {
  Place toPlace, fromPlace;
  if (!readKind(kind, toPlace, fromPlace))
    return InvalidMemcpyDirection;
  return copyOnStream(call, stream, to, toPlace, from, fromPlace, bytes);
}

TW_CALL Result hipMemcpyAsync(DevicePointer to, DevicePointer from, size_t bytes,
                              int kind, Stream *stream) {
  return note(copyAs("hipMemcpy", to, from, bytes, kind, stream));
}
TW_CALL_ALIAS(hipMemcpyWithStream, hipMemcpyAsync);

TW_CALL Result hipMemcpy(DevicePointer to, DevicePointer from, size_t bytes, int kind) {
  return hipMemcpyAsync(to, from, bytes, kind, nullptr);
}

TW_CALL Result hipMemcpyHtoDAsync(DevicePointer to, const void *from, size_t bytes,
                                  Stream *stream) {
  return note(copyAs("hipMemcpyHtoD", to, toAddress(from), bytes, HostToDevice, stream));
}

TW_CALL Result hipMemcpyDtoHAsync(void *to, DevicePointer from, size_t bytes,
                                  Stream *stream) {
  return note(copyAs("hipMemcpyDtoH", toAddress(to), from, bytes, DeviceToHost, stream));
}

TW_CALL Result hipMemcpyDtoDAsync(DevicePointer to, DevicePointer from, size_t bytes,
                                  Stream *stream) {
  return note(copyAs("hipMemcpyDtoD", to, from, bytes, DeviceToDevice, stream));
}

TW_CALL Result hipMemcpyHtoD(DevicePointer to, const void *from, size_t bytes) {
  return hipMemcpyHtoDAsync(to, from, bytes, nullptr);
}

TW_CALL Result hipMemcpyDtoH(void *to, DevicePointer from, size_t bytes) {
  return hipMemcpyDtoHAsync(to, from, bytes, nullptr);
}

TW_CALL Result hipMemcpyDtoD(DevicePointer to, DevicePointer from, size_t bytes) {
  return hipMemcpyDtoDAsync(to, from, bytes, nullptr);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

TW_CALL Result hipMemcpy2DAsync(DevicePointer to, size_t toPitch, DevicePointer from,
                                size_t fromPitch, size_t width, size_t height, int kind,
                                Stream *stream) {
  Place toPlace, fromPlace;
  if (!readKind(kind, toPlace, fromPlace))
    return note(InvalidMemcpyDirection);
  // Each row's addresses say where it is, so both are given as the device's.
  Memcpy2D rows = {};
  rows.fromType = rows.toType = memoryTypeDevice;
  rows.fromDevice = from;
  rows.fromPitch = fromPitch;
  rows.toDevice = to;
  rows.toPitch = toPitch;
  rows.width = width;
  rows.height = height;
  return note(enterContext([&](Driver &driver) {
    if ((toPlace == Place::Device && !isDevice(driver, to)) ||
        (fromPlace == Place::Device && !isDevice(driver, from)))
      return InvalidValue;
    return copyRows("hipMemcpy2D", &rows, stream);
  }));
}

TW_CALL Result hipMemcpy2D(DevicePointer to, size_t toPitch, DevicePointer from,
                           size_t fromPitch, size_t width, size_t height, int kind) {
  return hipMemcpy2DAsync(to, toPitch, from, fromPitch, width, height, kind, nullptr);
}

TW_CALL Result hipMemcpyParam2DAsync(const Memcpy2D *given, Stream *stream) {
  return note(copyRows("hipMemcpyParam2D", given, stream));
}

TW_CALL Result hipMemcpyParam2D(const Memcpy2D *given) {
  return hipMemcpyParam2DAsync(given, nullptr);
}
TW_CALL_ALIAS(hipDrvMemcpy2DUnaligned, hipMemcpyParam2D);
