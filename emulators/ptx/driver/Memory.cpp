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

#include <cstdlib>
#include <cstring>

using namespace tilewright::cuda;

bool tilewright::cuda::isDevice(Driver &driver, DevicePointer address, uint64_t *base,
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

TW_CUDA Result cuMemAlloc_v2(DevicePointer *address, size_t bytes) {
  return enterContext([&](Driver &driver) {
    if (!address || bytes == 0)
      return InvalidValue;
    uint64_t made = 0;
    tw_emulator_status status =
        tw_emulator_memory_allocate(driver.device, bytes, nullptr, &made);
    *address = made;
    return toResult(status, "cuMemAlloc");
  });
}
TW_CUDA_ALIAS(cuMemAlloc, cuMemAlloc_v2);

TW_CUDA Result cuMemFree_v2(DevicePointer address) {
  return enterContext([&](Driver &driver) {
    if (address == 0)
      return Success;
    return toResult(tw_emulator_memory_free(driver.device, address), "cuMemFree");
  });
}
TW_CUDA_ALIAS(cuMemFree, cuMemFree_v2);

TW_CUDA Result cuMemAllocAsync(DevicePointer *address, size_t bytes, Stream *) {
  return cuMemAlloc_v2(address, bytes);
}
TW_CUDA_ALIAS(cuMemAllocAsync_ptsz, cuMemAllocAsync);

TW_CUDA Result cuMemFreeAsync(DevicePointer address, Stream *) {
  return cuMemFree_v2(address);
}
TW_CUDA_ALIAS(cuMemFreeAsync_ptsz, cuMemFreeAsync);

TW_CUDA Result cuMemAllocPitch_v2(DevicePointer *address, size_t *pitch, size_t width,
                                  size_t height, unsigned) {
  if (!pitch || width > SIZE_MAX - 511)
    return InvalidValue;
  *pitch = (width + 511) / 512 * 512;
  if (height && *pitch > SIZE_MAX / height)
    return OutOfMemory;
  return cuMemAlloc_v2(address, *pitch * height);
}
TW_CUDA_ALIAS(cuMemAllocPitch, cuMemAllocPitch_v2);

TW_CUDA Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  return enterContext([&](Driver &driver) {
    if (!free || !total)
      return InvalidValue;
    *total = driver.memoryBytes;
    *free = driver.memoryBytes - tw_emulator_memory_used(driver.device);
    return Success;
  });
}
TW_CUDA_ALIAS(cuMemGetInfo, cuMemGetInfo_v2);

TW_CUDA Result cuMemGetAddressRange_v2(DevicePointer *base, size_t *bytes,
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
TW_CUDA_ALIAS(cuMemGetAddressRange, cuMemGetAddressRange_v2);

TW_CUDA Result cuMemHostAlloc(void **memory, size_t bytes, unsigned) {
  return enterContext([&](Driver &driver) {
    if (!memory || bytes == 0)
      return InvalidValue;
    *memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!*memory)
      return OutOfMemory;
    driver.hostMemory[*memory] = bytes;
    return Success;
  });
}

TW_CUDA Result cuMemAllocHost_v2(void **memory, size_t bytes) {
  return cuMemHostAlloc(memory, bytes, 0);
}
TW_CUDA_ALIAS(cuMemAllocHost, cuMemAllocHost_v2);

TW_CUDA Result cuMemFreeHost(void *memory) {
  return enterContext([&](Driver &driver) {
    if (!driver.hostMemory.erase(memory))
      return InvalidValue;
    free(memory);
    return Success;
  });
}

TW_CUDA Result cuMemHostRegister_v2(void *memory, size_t bytes, unsigned) {
  return enterContext([&](Driver &) { return memory && bytes ? Success : InvalidValue; });
}
TW_CUDA_ALIAS(cuMemHostRegister, cuMemHostRegister_v2);

TW_CUDA Result cuMemHostUnregister(void *memory) {
  return enterContext([&](Driver &) { return memory ? Success : InvalidValue; });
}

TW_CUDA Result cuMemHostGetDevicePointer_v2(DevicePointer *, void *, unsigned) {
  return refuse(NotSupported, "cuMemHostGetDevicePointer: emulated programs cannot touch "
                              "the host's memory");
}
TW_CUDA_ALIAS(cuMemHostGetDevicePointer, cuMemHostGetDevicePointer_v2);

TW_CUDA Result cuMemAllocManaged(DevicePointer *, size_t, unsigned) {
  return refuse(NotSupported, "cuMemAllocManaged: emulated programs cannot touch the "
                              "host's memory");
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

Result tilewright::cuda::copy(Driver &driver, DevicePointer to, DevicePointer from,
                              size_t bytes) {
  bool toDevice = isDevice(driver, to), fromDevice = isDevice(driver, from);
  if (bytes == 0)
    return Success;
  if (toDevice && fromDevice)
    return toResult(tw_emulator_memory_copy(driver.device, to, from, bytes), "cuMemcpy");
  if (toDevice)
    return toResult(tw_emulator_memory_write(driver.device, to,
                                             reinterpret_cast<const void *>(from), bytes),
                    "cuMemcpy");
  if (fromDevice)
    return toResult(tw_emulator_memory_read(driver.device, reinterpret_cast<void *>(to),
                                            from, bytes, 0),
                    "cuMemcpy");
  memmove(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from), bytes);
  return Success;
}

/// A copy that is to be of a certain direction; `toDevice` and `fromDevice` say what the
/// addresses must be.
static Result copyOnStream(Stream *handle, DevicePointer to, DevicePointer from,
                           size_t bytes, bool toDevice, bool fromDevice) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    if (!findStream(driver, handle, stream))
      return InvalidHandle;
    if (bytes == 0)
      return Success;
    if ((toDevice && !isDevice(driver, to)) || (fromDevice && !isDevice(driver, from)) ||
        (!toDevice && !to) || (!fromDevice && !from))
      return refuse(InvalidValue, "cuMemcpy: an address is not in the device's memory");
    return submit(driver, stream, GraphNode::Memcpy,
                  [&driver, to, from, bytes] { return copy(driver, to, from, bytes); });
  });
}

static DevicePointer toAddress(const void *pointer) {
  return reinterpret_cast<DevicePointer>(pointer);
}

TW_CUDA Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t bytes,
                                    Stream *stream) {
  return copyOnStream(stream, to, toAddress(from), bytes, true, false);
}
TW_CUDA_ALIAS(cuMemcpyHtoDAsync, cuMemcpyHtoDAsync_v2);
TW_CUDA_ALIAS(cuMemcpyHtoDAsync_v2_ptsz, cuMemcpyHtoDAsync_v2);

TW_CUDA Result cuMemcpyDtoHAsync_v2(void *to, DevicePointer from, size_t bytes,
                                    Stream *stream) {
  return copyOnStream(stream, toAddress(to), from, bytes, false, true);
}
TW_CUDA_ALIAS(cuMemcpyDtoHAsync, cuMemcpyDtoHAsync_v2);
TW_CUDA_ALIAS(cuMemcpyDtoHAsync_v2_ptsz, cuMemcpyDtoHAsync_v2);

TW_CUDA Result cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t bytes,
                                    Stream *stream) {
  return copyOnStream(stream, to, from, bytes, true, true);
}
TW_CUDA_ALIAS(cuMemcpyDtoDAsync, cuMemcpyDtoDAsync_v2);
TW_CUDA_ALIAS(cuMemcpyDtoDAsync_v2_ptsz, cuMemcpyDtoDAsync_v2);

TW_CUDA Result cuMemcpyHtoD_v2(DevicePointer to, const void *from, size_t bytes) {
  return cuMemcpyHtoDAsync_v2(to, from, bytes, nullptr);
}
TW_CUDA_ALIAS(cuMemcpyHtoD, cuMemcpyHtoD_v2);
TW_CUDA_ALIAS(cuMemcpyHtoD_v2_ptds, cuMemcpyHtoD_v2);

TW_CUDA Result cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t bytes) {
  return cuMemcpyDtoHAsync_v2(to, from, bytes, nullptr);
}
TW_CUDA_ALIAS(cuMemcpyDtoH, cuMemcpyDtoH_v2);
TW_CUDA_ALIAS(cuMemcpyDtoH_v2_ptds, cuMemcpyDtoH_v2);

TW_CUDA Result cuMemcpyDtoD_v2(DevicePointer to, DevicePointer from, size_t bytes) {
  return cuMemcpyDtoDAsync_v2(to, from, bytes, nullptr);
}
TW_CUDA_ALIAS(cuMemcpyDtoD, cuMemcpyDtoD_v2);
TW_CUDA_ALIAS(cuMemcpyDtoD_v2_ptds, cuMemcpyDtoD_v2);

TW_CUDA Result cuMemcpyAsync(DevicePointer to, DevicePointer from, size_t bytes,
                             Stream *handle) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    if (!findStream(driver, handle, stream))
      return InvalidHandle;
    if (bytes && (!to || !from))
      return InvalidValue;
    return submit(driver, stream, GraphNode::Memcpy,
                  [&driver, to, from, bytes] { return copy(driver, to, from, bytes); });
  });
}
TW_CUDA_ALIAS(cuMemcpyAsync_ptsz, cuMemcpyAsync);

TW_CUDA Result cuMemcpy(DevicePointer to, DevicePointer from, size_t bytes) {
  return cuMemcpyAsync(to, from, bytes, nullptr);
}
TW_CUDA_ALIAS(cuMemcpy_ptds, cuMemcpy);

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

static Result fill(DevicePointer address, uint32_t value, uint32_t width, size_t count,
                   Stream *handle) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    if (!findStream(driver, handle, stream))
      return InvalidHandle;
    if (address % width)
      return InvalidValue;
    return submit(driver, stream, GraphNode::Memset,
                  [&driver, address, value, width, count] {
                    return toResult(tw_emulator_memory_fill(driver.device, address, value,
                                                            width, count),
                                    "cuMemset");
                  });
  });
}

TW_CUDA Result cuMemsetD8Async(DevicePointer address, unsigned char value, size_t count,
                               Stream *stream) {
  return fill(address, value, 1, count, stream);
}
TW_CUDA_ALIAS(cuMemsetD8Async_ptsz, cuMemsetD8Async);
TW_CUDA Result cuMemsetD16Async(DevicePointer address, unsigned short value, size_t count,
                                Stream *stream) {
  return fill(address, value, 2, count, stream);
}
TW_CUDA_ALIAS(cuMemsetD16Async_ptsz, cuMemsetD16Async);
TW_CUDA Result cuMemsetD32Async(DevicePointer address, unsigned value, size_t count,
                                Stream *stream) {
  return fill(address, value, 4, count, stream);
}
TW_CUDA_ALIAS(cuMemsetD32Async_ptsz, cuMemsetD32Async);

TW_CUDA Result cuMemsetD8_v2(DevicePointer address, unsigned char value, size_t count) {
  return fill(address, value, 1, count, nullptr);
}
TW_CUDA_ALIAS(cuMemsetD8, cuMemsetD8_v2);
TW_CUDA_ALIAS(cuMemsetD8_v2_ptds, cuMemsetD8_v2);
TW_CUDA Result cuMemsetD16_v2(DevicePointer address, unsigned short value, size_t count) {
  return fill(address, value, 2, count, nullptr);
}
TW_CUDA_ALIAS(cuMemsetD16, cuMemsetD16_v2);
TW_CUDA_ALIAS(cuMemsetD16_v2_ptds, cuMemsetD16_v2);
TW_CUDA Result cuMemsetD32_v2(DevicePointer address, unsigned value, size_t count) {
  return fill(address, value, 4, count, nullptr);
}
TW_CUDA_ALIAS(cuMemsetD32, cuMemsetD32_v2);
TW_CUDA_ALIAS(cuMemsetD32_v2_ptds, cuMemsetD32_v2);
