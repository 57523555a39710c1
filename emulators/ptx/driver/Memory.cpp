//===- Memory.cpp - Memory of the device, copies and fills --------------------===//
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

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

TW_CALL Result cuMemAlloc_v2(DevicePointer *address, size_t bytes) {
  return allocate("cuMemAlloc", address, bytes);
}
TW_CALL_ALIAS(cuMemAlloc, cuMemAlloc_v2);

TW_CALL Result cuMemFree_v2(DevicePointer address) {
  return release("cuMemFree", address);
}
TW_CALL_ALIAS(cuMemFree, cuMemFree_v2);

TW_CALL Result cuMemAllocAsync(DevicePointer *address, size_t bytes, Stream *stream) {
  return allocateOnStream("cuMemAllocAsync", address, bytes, stream);
}
TW_CALL_ALIAS(cuMemAllocAsync_ptsz, cuMemAllocAsync);

TW_CALL Result cuMemFreeAsync(DevicePointer address, Stream *stream) {
  return releaseOnStream("cuMemFreeAsync", address, stream);
}
TW_CALL_ALIAS(cuMemFreeAsync_ptsz, cuMemFreeAsync);

TW_CALL Result cuMemAllocPitch_v2(DevicePointer *address, size_t *pitch, size_t width,
                                  size_t height, unsigned) {
  return allocatePitch("cuMemAllocPitch", address, pitch, width, height);
}
TW_CALL_ALIAS(cuMemAllocPitch, cuMemAllocPitch_v2);

TW_CALL Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  return getMemoryInfo(free, total);
}
TW_CALL_ALIAS(cuMemGetInfo, cuMemGetInfo_v2);

TW_CALL Result cuMemGetAddressRange_v2(DevicePointer *base, size_t *bytes,
                                       DevicePointer address) {
  return getAddressRange(base, bytes, address);
}
TW_CALL_ALIAS(cuMemGetAddressRange, cuMemGetAddressRange_v2);

TW_CALL Result cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  return allocateHost(memory, bytes);
}

TW_CALL Result cuMemAllocHost_v2(void **memory, size_t bytes) {
  return allocateHost(memory, bytes);
}
TW_CALL_ALIAS(cuMemAllocHost, cuMemAllocHost_v2);

TW_CALL Result cuMemFreeHost(void *memory) { return releaseHost(memory); }

TW_CALL Result cuMemHostRegister_v2(void *memory, size_t bytes, unsigned) {
  return enterContext([&](Driver &) { return memory && bytes ? Success : InvalidValue; });
}
TW_CALL_ALIAS(cuMemHostRegister, cuMemHostRegister_v2);

TW_CALL Result cuMemHostUnregister(void *memory) {
  return enterContext([&](Driver &) { return memory ? Success : InvalidValue; });
}

TW_CALL Result cuMemHostGetDevicePointer_v2(DevicePointer *, void *, unsigned) {
  return refuse(NotSupported, "cuMemHostGetDevicePointer: emulated programs cannot touch "
                              "the host's memory");
}
TW_CALL_ALIAS(cuMemHostGetDevicePointer, cuMemHostGetDevicePointer_v2);

TW_CALL Result cuMemAllocManaged(DevicePointer *, size_t, unsigned) {
  return refuse(NotSupported, "cuMemAllocManaged: emulated programs cannot touch the "
                              "host's memory");
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

TW_CALL Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t bytes,
                                    Stream *stream) {
  return copyOnStream("cuMemcpyHtoD", stream, to, Place::Device, toAddress(from),
                      Place::Host, bytes);
}
TW_CALL_ALIAS(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2);
TW_CALL_ALIAS(cuMemcpyHtoDAsync_v2_ptsz, cuMemcpyHtoDAsync_v2);

TW_CALL Result cuMemcpyDtoHAsync_v2(void *to, DevicePointer from, size_t bytes,
                                    Stream *stream) {
  return copyOnStream("cuMemcpyDtoH", stream, toAddress(to), Place::Host, from,
                      Place::Device, bytes);
}
TW_CALL_ALIAS(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2);
TW_CALL_ALIAS(cuMemcpyDtoHAsync_v2_ptsz, cuMemcpyDtoHAsync_v2);

TW_CALL Result cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes,
                                    Stream *stream) {
  return copyOnStream("cuMemcpyDtoD", stream, to, Place::Device, from, Place::Device,
                      bytes);
}
TW_CALL_ALIAS(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2);
TW_CALL_ALIAS(cuMemcpyDtoDAsync_v2_ptsz, cuMemcpyDtoDAsync_v2);

TW_CALL Result cuMemcpyHtoD_v2(DevicePointer to, const void *from, size_t bytes) {
  return cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr);
}
TW_CALL_ALIAS(cuMemcpyHtoD, cuMemcpyHtoD_v2);
TW_CALL_ALIAS(cuMemcpyHtoD_v2_ptds, cuMemcpyHtoD_v2);

TW_CALL Result cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t bytes) {
  return cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr);
}
TW_CALL_ALIAS(cuMemcpyDtoH, cuMemcpyDtoH_v2);
TW_CALL_ALIAS(cuMemcpyDtoH_v2_ptds, cuMemcpyDtoH_v2);

TW_CALL Result cuMemcpyDtoD_v2(DevicePointer to, DevicePointer from, size_t bytes) {
  return cuMemcpyDtoDAsync_v2(to, from, bytes, nullptr);
}
TW_CALL_ALIAS(cuMemcpyDtoD, cuMemcpyDtoD_v2);
TW_CALL_ALIAS(cuMemcpyDtoD_v2_ptds, cuMemcpyDtoD_v2);

TW_CALL Result cuMemcpyAsync(DevicePointer to, DevicePointer from, size_t bytes,
                             Stream *handle) {
  return copyOnStream("cuMemcpy", handle, to, Place::Any, from, Place::Any, bytes);
}
TW_CALL_ALIAS(cuMemcpyAsync_ptsz, cuMemcpyAsync);

TW_CALL Result cuMemcpy(DevicePointer to, DevicePointer from, size_t bytes) {
  return cuMemcpyAsync(to, from, bytes, nullptr);
}
TW_CALL_ALIAS(cuMemcpy_ptds, cuMemcpy);

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

TW_CALL Result cuMemsetD8Async(DevicePointer address, unsigned char value, size_t count,
                               Stream *stream) {
  return fill("cuMemset", address, value, 1, count, stream);
}
TW_CALL_ALIAS(cuMemsetD8Async_ptsz, cuMemsetD8Async);
TW_CALL Result cuMemsetD16Async(DevicePointer address, unsigned short value, size_t count,
                                Stream *stream) {
  return fill("cuMemset", address, value, 2, count, stream);
}
TW_CALL_ALIAS(cuMemsetD16Async_ptsz, cuMemsetD16Async);
TW_CALL Result cuMemsetD32Async(DevicePointer address, unsigned value, size_t count,
                                Stream *stream) {
  return fill("cuMemset", address, value, 4, count, stream);
}
TW_CALL_ALIAS(cuMemsetD32Async_ptsz, cuMemsetD32Async);

TW_CALL Result cuMemsetD8_v2(DevicePointer address, unsigned char value, size_t count) {
  return fill("cuMemset", address, value, 1, count, nullptr);
}
TW_CALL_ALIAS(cuMemsetD8, cuMemsetD8_v2);
TW_CALL_ALIAS(cuMemsetD8_v2_ptds, cuMemsetD8_v2);
TW_CALL Result cuMemsetD16_v2(DevicePointer address, unsigned short value, size_t count) {
  return fill("cuMemset", address, value, 2, count, nullptr);
}
TW_CALL_ALIAS(cuMemsetD16, cuMemsetD16_v2);
TW_CALL_ALIAS(cuMemsetD16_v2_ptds, cuMemsetD16_v2);
TW_CALL Result cuMemsetD32_v2(DevicePointer address, unsigned value, size_t count) {
  return fill("cuMemset", address, value, 4, count, nullptr);
}
TW_CALL_ALIAS(cuMemsetD32, cuMemsetD32_v2);
TW_CALL_ALIAS(cuMemsetD32_v2_ptds, cuMemsetD32_v2);
