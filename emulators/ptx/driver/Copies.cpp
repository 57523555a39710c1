//===- Copies.cpp - Copies and fills of two and three dimensions --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

TW_CALL Result cuMemcpy2DAsync_v2(const Memcpy2D *given, Stream *stream) {
  return copyRows("cuMemcpy2D", given, stream);
}
TW_CALL_ALIAS(cuMemcpy2DAsync, cuMemcpy2DAsync_v2);
TW_CALL_ALIAS(cuMemcpy2DAsync_v2_ptsz, cuMemcpy2DAsync_v2);

TW_CALL Result cuMemcpy2D_v2(const Memcpy2D *given) {
  return cuMemcpy2DAsync_v2(given, nullptr);
}
TW_CALL_ALIAS(cuMemcpy2D, cuMemcpy2D_v2);
TW_CALL_ALIAS(cuMemcpy2D_v2_ptds, cuMemcpy2D_v2);
TW_CALL_ALIAS(cuMemcpy2DUnaligned, cuMemcpy2D_v2);
TW_CALL_ALIAS(cuMemcpy2DUnaligned_v2, cuMemcpy2D_v2);
TW_CALL_ALIAS(cuMemcpy2DUnaligned_v2_ptds, cuMemcpy2D_v2);

TW_CALL Result cuMemcpy3DAsync_v2(const Memcpy3D *given, Stream *stream) {
  if (!given)
    return InvalidValue;
  Side to, from;
  const Memcpy3D &g = *given;
  if (g.fromLevel || g.toLevel)
    return NotSupported;
  if (Result result = describeSide(g.fromType, g.fromHost, g.fromDevice, g.fromX, g.fromY,
                                   g.fromZ, g.fromPitch, g.fromHeight, g.width, from))
    return result;
  if (Result result = describeSide(g.toType, g.toHost, g.toDevice, g.toX, g.toY, g.toZ,
                                   g.toPitch, g.toHeight, g.width, to))
    return result;
  return copyBox("cuMemcpy3D", stream, to, from, g.width, g.height, g.depth);
}
TW_CALL_ALIAS(cuMemcpy3DAsync, cuMemcpy3DAsync_v2);
TW_CALL_ALIAS(cuMemcpy3DAsync_v2_ptsz, cuMemcpy3DAsync_v2);

TW_CALL Result cuMemcpy3D_v2(const Memcpy3D *given) {
  return cuMemcpy3DAsync_v2(given, nullptr);
}
TW_CALL_ALIAS(cuMemcpy3D, cuMemcpy3D_v2);
TW_CALL_ALIAS(cuMemcpy3D_v2_ptds, cuMemcpy3D_v2);

//===----------------------------------------------------------------------===//
// Fills
//===----------------------------------------------------------------------===//

#define TW_FILL(bits, type)                                                              \
  TW_CALL Result cuMemsetD2D##bits##Async(DevicePointer address, size_t pitch,           \
                                          type value, size_t width, size_t height,       \
                                          Stream *stream) {                              \
    return fillRows("cuMemsetD2D", address, pitch, value, bits / 8, width, height,       \
                    stream);                                                             \
  }                                                                                      \
  TW_CALL_ALIAS(cuMemsetD2D##bits##Async_ptsz, cuMemsetD2D##bits##Async);                \
  TW_CALL Result cuMemsetD2D##bits##_v2(DevicePointer address, size_t pitch, type value, \
                                        size_t width, size_t height) {                   \
    return fillRows("cuMemsetD2D", address, pitch, value, bits / 8, width, height,       \
                    nullptr);                                                            \
  }                                                                                      \
  TW_CALL_ALIAS(cuMemsetD2D##bits, cuMemsetD2D##bits##_v2);                              \
  TW_CALL_ALIAS(cuMemsetD2D##bits##_v2_ptds, cuMemsetD2D##bits##_v2)
TW_FILL(8, unsigned char);
TW_FILL(16, unsigned short);
TW_FILL(32, unsigned);
