//===- Memory.cpp - Memory of the device and of the host, and fills -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

using namespace tilewright::hip;

//===----------------------------------------------------------------------===//
// The device's
//===----------------------------------------------------------------------===//

/// No bytes are no memory, and no error.
TW_CALL Result hipMalloc(DevicePointer *address, size_t bytes) {
  if (address && bytes == 0) {
    *address = 0;
    return Success;
  }
  return note(allocate("hipMalloc", address, bytes));
}

TW_CALL Result hipExtMallocWithFlags(DevicePointer *address, size_t bytes, unsigned) {
  return hipMalloc(address, bytes);
}

TW_CALL Result hipMallocAsync(DevicePointer *address, size_t bytes, Stream *stream) {
  if (address && bytes == 0) {
    *address = 0;
    return Success;
  }
  return note(allocateOnStream("hipMallocAsync", address, bytes, stream));
}

TW_CALL Result hipMallocPitch(DevicePointer *address, size_t *pitch, size_t width,
                              size_t height) {
  return note(allocatePitch("hipMallocPitch", address, pitch, width, height));
}

TW_CALL Result hipMemAllocPitch(DevicePointer *address, size_t *pitch, size_t width,
                                size_t height, unsigned) {
  return hipMallocPitch(address, pitch, width, height);
}

TW_CALL Result hipFree(DevicePointer address) {
  return note(release("hipFree", address));
}

TW_CALL Result hipFreeAsync(DevicePointer address, Stream *stream) {
  return note(releaseOnStream("hipFreeAsync", address, stream));
}

TW_CALL Result hipMemGetInfo(size_t *free, size_t *total) {
  return note(getMemoryInfo(free, total));
}

TW_CALL Result hipMemGetAddressRange(DevicePointer *base, size_t *bytes,
                                     DevicePointer address) {
  return note(getAddressRange(base, bytes, address));
}

TW_CALL Result hipMallocManaged(DevicePointer *, size_t, unsigned) {
  return note(refuse(NotSupported, "hipMallocManaged: emulated programs cannot touch the "
                                   "host's memory; use hipMalloc and hipMemcpy"));
}

//===----------------------------------------------------------------------===//
// The host's
//===----------------------------------------------------------------------===//

TW_CALL Result hipHostMalloc(void **memory, size_t bytes, unsigned) {
  return note(allocateHost(memory, bytes));
}
TW_CALL_ALIAS(hipHostAlloc, hipHostMalloc);

TW_CALL Result hipMallocHost(void **memory, size_t bytes) {
  return note(allocateHost(memory, bytes));
}
TW_CALL_ALIAS(hipMemAllocHost, hipMallocHost);

TW_CALL Result hipHostFree(void *memory) {
  return memory ? note(releaseHost(memory)) : Success;
}
TW_CALL_ALIAS(hipFreeHost, hipHostFree);

TW_CALL Result hipHostRegister(void *memory, size_t bytes, unsigned) {
  return memory && bytes ? note(synchronize()) : note(InvalidValue);
}

TW_CALL Result hipHostUnregister(void *memory) {
  return memory ? note(synchronize()) : note(InvalidValue);
}

TW_CALL Result hipHostGetDevicePointer(DevicePointer *, void *, unsigned) {
  return note(refuse(NotSupported,
                     "hipHostGetDevicePointer: emulated programs cannot touch the "
                     "host's memory; use hipMalloc and hipMemcpy"));
}

//===----------------------------------------------------------------------===//
// What an address is
//===----------------------------------------------------------------------===//

TW_CALL Result hipPointerGetAttribute(void *data, int attribute, DevicePointer address) {
  return note(getPointerAttribute(data, attribute, address));
}

TW_CALL Result hipDrvPointerGetAttributes(unsigned count, int *attributes, void **data,
                                          DevicePointer address) {
  return note(getPointerAttributes(count, attributes, data, address));
}

TW_CALL Result hipPointerGetAttributes(PointerAttributes *attributes,
                                       DevicePointer address) {
  return note(enter([&](Driver &driver) {
    if (!attributes)
      return InvalidValue;
    PointerInfo info = describePointer(driver, address);
    *attributes = {};
    attributes->type = info.isDevice ? memoryTypeDevice
                       : info.isHost ? memoryTypeHost
                                     : 0;
    void *pointer = reinterpret_cast<void *>(address);
    if (info.isDevice)
      attributes->devicePointer = pointer;
    else
      attributes->hostPointer = pointer;
    return Success;
  }));
}

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

TW_CALL Result hipMemsetAsync(DevicePointer address, int value, size_t bytes,
                              Stream *stream) {
  return note(fill("hipMemset", address, static_cast<uint32_t>(value), 1, bytes, stream));
}

TW_CALL Result hipMemset(DevicePointer address, int value, size_t bytes) {
  return hipMemsetAsync(address, value, bytes, nullptr);
}

TW_CALL Result hipMemset2DAsync(DevicePointer address, size_t pitch, int value,
                                size_t width, size_t height, Stream *stream) {
  return note(fillRows("hipMemset2D", address, pitch, static_cast<uint32_t>(value), 1,
                       width, height, stream));
}

TW_CALL Result hipMemset2D(DevicePointer address, size_t pitch, int value, size_t width,
                           size_t height) {
  return hipMemset2DAsync(address, pitch, value, width, height, nullptr);
}

#define TW_FILL(bits, type)                                                              \
  TW_CALL Result hipMemsetD##bits##Async(DevicePointer address, type value,              \
                                         size_t count, Stream *stream) {                 \
    return note(fill("hipMemsetD" #bits, address, static_cast<uint32_t>(value),          \
                     bits / 8, count, stream));                                          \
  }                                                                                      \
  TW_CALL Result hipMemsetD##bits(DevicePointer address, type value, size_t count) {     \
    return hipMemsetD##bits##Async(address, value, count, nullptr);                      \
  }
TW_FILL(8, unsigned char)
TW_FILL(16, unsigned short)
TW_FILL(32, int)
