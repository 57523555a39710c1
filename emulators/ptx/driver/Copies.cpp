//===- Copies.cpp - Copies and fills of two and three dimensions --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

namespace {
/// Numbered as the driver does.
enum MemoryType : unsigned { Host = 1, Device = 2, Array = 3, Unified = 4 };

/// One side of a copy: where its first byte is, and how far rows and slices are apart.
struct Side {
  DevicePointer start = 0;
  size_t row = 0, slice = 0;
};
} // namespace

/// A side of a copy from what the driver's structure says of it.
static Result describe(unsigned type, const void *host, DevicePointer device,
                       size_t xBytes, size_t y, size_t z, size_t pitch, size_t height,
                       size_t width, Side &side) {
  if (type != Host && type != Device && type != Unified)
    return type == Array ? NotSupported : InvalidValue;
  DevicePointer base = type == Host ? reinterpret_cast<DevicePointer>(host) : device;
  side.row = pitch ? pitch : xBytes + width;
  side.slice = side.row * (height ? height : 1);
  side.start = base + xBytes + y * side.row + z * side.slice;
  return base && side.row >= width ? Success : InvalidValue;
}

static Result copyBox(Stream *handle, const Side &to, const Side &from, size_t width,
                      size_t height, size_t depth) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    if (!findStream(driver, handle, stream))
      return InvalidHandle;
    return submit(driver, stream, GraphNode::Memcpy, [=, &driver] {
      for (size_t z = 0; z < depth; ++z)
        for (size_t y = 0; y < height; ++y)
          if (Result result = copy(driver, to.start + y * to.row + z * to.slice,
                                   from.start + y * from.row + z * from.slice, width))
            return result;
      return Success;
    });
  });
}

TW_CUDA Result cuMemcpy2DAsync_v2(const Memcpy2D *given, Stream *stream) {
  if (!given)
    return InvalidValue;
  Side to, from;
  const Memcpy2D &g = *given;
  if (Result result = describe(g.fromType, g.fromHost, g.fromDevice, g.fromX, g.fromY, 0,
                               g.fromPitch, 0, g.width, from))
    return result;
  if (Result result = describe(g.toType, g.toHost, g.toDevice, g.toX, g.toY, 0, g.toPitch,
                               0, g.width, to))
    return result;
  return copyBox(stream, to, from, g.width, g.height, 1);
}
TW_CUDA_ALIAS(cuMemcpy2DAsync, cuMemcpy2DAsync_v2);
TW_CUDA_ALIAS(cuMemcpy2DAsync_v2_ptsz, cuMemcpy2DAsync_v2);

TW_CUDA Result cuMemcpy2D_v2(const Memcpy2D *given) {
  return cuMemcpy2DAsync_v2(given, nullptr);
}
TW_CUDA_ALIAS(cuMemcpy2D, cuMemcpy2D_v2);
TW_CUDA_ALIAS(cuMemcpy2D_v2_ptds, cuMemcpy2D_v2);
TW_CUDA_ALIAS(cuMemcpy2DUnaligned, cuMemcpy2D_v2);
TW_CUDA_ALIAS(cuMemcpy2DUnaligned_v2, cuMemcpy2D_v2);
TW_CUDA_ALIAS(cuMemcpy2DUnaligned_v2_ptds, cuMemcpy2D_v2);

TW_CUDA Result cuMemcpy3DAsync_v2(const Memcpy3D *given, Stream *stream) {
  if (!given)
    return InvalidValue;
  Side to, from;
  const Memcpy3D &g = *given;
  if (g.fromLevel || g.toLevel)
    return NotSupported;
  if (Result result = describe(g.fromType, g.fromHost, g.fromDevice, g.fromX, g.fromY,
                               g.fromZ, g.fromPitch, g.fromHeight, g.width, from))
    return result;
  if (Result result = describe(g.toType, g.toHost, g.toDevice, g.toX, g.toY, g.toZ,
                               g.toPitch, g.toHeight, g.width, to))
    return result;
  return copyBox(stream, to, from, g.width, g.height, g.depth);
}
TW_CUDA_ALIAS(cuMemcpy3DAsync, cuMemcpy3DAsync_v2);
TW_CUDA_ALIAS(cuMemcpy3DAsync_v2_ptsz, cuMemcpy3DAsync_v2);

TW_CUDA Result cuMemcpy3D_v2(const Memcpy3D *given) {
  return cuMemcpy3DAsync_v2(given, nullptr);
}
TW_CUDA_ALIAS(cuMemcpy3D, cuMemcpy3D_v2);
TW_CUDA_ALIAS(cuMemcpy3D_v2_ptds, cuMemcpy3D_v2);

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

static Result fillRows(DevicePointer address, size_t pitch, uint32_t value,
                       uint32_t bytes, size_t width, size_t height, Stream *handle) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    if (!findStream(driver, handle, stream))
      return InvalidHandle;
    if (address % bytes || (height > 1 && pitch < width * bytes))
      return InvalidValue;
    return submit(driver, stream, GraphNode::Memset, [=, &driver] {
      for (size_t row = 0; row < height; ++row)
        if (tw_emulator_status status = tw_emulator_memory_fill(
                driver.device, address + row * pitch, value, bytes, width))
          return toResult(status, "cuMemsetD2D");
      return Success;
    });
  });
}

#define TW_FILL(bits, type)                                                              \
  TW_CUDA Result cuMemsetD2D##bits##Async(DevicePointer address, size_t pitch,           \
                                          type value, size_t width, size_t height,       \
                                          Stream *stream) {                              \
    return fillRows(address, pitch, value, bits / 8, width, height, stream);             \
  }                                                                                      \
  TW_CUDA_ALIAS(cuMemsetD2D##bits##Async_ptsz, cuMemsetD2D##bits##Async);                \
  TW_CUDA Result cuMemsetD2D##bits##_v2(DevicePointer address, size_t pitch, type value, \
                                        size_t width, size_t height) {                   \
    return fillRows(address, pitch, value, bits / 8, width, height, nullptr);            \
  }                                                                                      \
  TW_CUDA_ALIAS(cuMemsetD2D##bits, cuMemsetD2D##bits##_v2);                              \
  TW_CUDA_ALIAS(cuMemsetD2D##bits##_v2_ptds, cuMemsetD2D##bits##_v2)
TW_FILL(8, unsigned char);
TW_FILL(16, unsigned short);
TW_FILL(32, unsigned);
