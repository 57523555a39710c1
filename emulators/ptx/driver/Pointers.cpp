//===- Pointers.cpp - What an address is, and tensor maps over it -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>

using namespace tilewright::cuda;

TW_CALL Result cuPointerGetAttribute(void *data, int attribute, DevicePointer address) {
  return getPointerAttribute(data, attribute, address);
}

TW_CALL Result cuPointerGetAttributes(unsigned count, int *attributes, void **data,
                                      DevicePointer address) {
  return getPointerAttributes(count, attributes, data, address);
}

//===----------------------------------------------------------------------===//
// Tensor maps
//===----------------------------------------------------------------------===//

/// What both kinds of tensor maps take.
static Result describeTensor(Driver &driver, tw_emulator_tensor_map_v1 &tensor,
                             unsigned type, uint32_t rank, void *address,
                             const uint64_t *sizes, const uint64_t *strides,
                             const uint32_t *elementStrides, unsigned interleave,
                             unsigned swizzle, unsigned l2Promotion, unsigned fill) {
  if (!sizes || !elementStrides || rank < 1 || rank > 5 || (rank > 1 && !strides))
    return InvalidValue;
  if (majorOf(driver) < 9)
    return refuse(NotSupported,
                  "cuTensorMapEncode: " + driver.arch + " has no tensor maps");
  tensor.size = sizeof(tensor);
  tensor.address = reinterpret_cast<uint64_t>(address);
  tensor.element = type;
  tensor.rank = rank;
  std::copy_n(sizes, rank, tensor.extents);
  std::copy_n(elementStrides, rank, tensor.element_strides);
  if (rank > 1)
    std::copy_n(strides, rank - 1, tensor.strides);
  tensor.interleave = interleave;
  tensor.swizzle = swizzle;
  tensor.l2_promotion = l2Promotion;
  tensor.fill = fill;
  return Success;
}

TW_CALL Result cuTensorMapEncodeTiled(TensorMapBytes *map, unsigned type, uint32_t rank,
                                      void *address, const uint64_t *sizes,
                                      const uint64_t *strides, const uint32_t *box,
                                      const uint32_t *elementStrides, unsigned interleave,
                                      unsigned swizzle, unsigned l2Promotion,
                                      unsigned fill) {
  return enterContext([&](Driver &driver) {
    tw_emulator_tensor_map_v1 tensor = {};
    if (!map || !box)
      return InvalidValue;
    if (Result result =
            describeTensor(driver, tensor, type, rank, address, sizes, strides,
                           elementStrides, interleave, swizzle, l2Promotion, fill))
      return result;
    std::copy_n(box, rank, tensor.box);
    return toResult(tw_emulator_tensor_map_encode(&tensor, map),
                    "cuTensorMapEncodeTiled");
  });
}

TW_CALL Result cuTensorMapEncodeIm2col(TensorMapBytes *map, unsigned type, uint32_t rank,
                                       void *address, const uint64_t *sizes,
                                       const uint64_t *strides, const int *lower,
                                       const int *upper, uint32_t channels,
                                       uint32_t pixels, const uint32_t *elementStrides,
                                       unsigned interleave, unsigned swizzle,
                                       unsigned l2Promotion, unsigned fill) {
  return enterContext([&](Driver &driver) {
    tw_emulator_tensor_map_v1 tensor = {};
    tw_emulator_im2col_v1 im2col = {};
    if (!map || !lower || !upper || rank < 3)
      return InvalidValue;
    if (Result result =
            describeTensor(driver, tensor, type, rank, address, sizes, strides,
                           elementStrides, interleave, swizzle, l2Promotion, fill))
      return result;
    tensor.box[0] = channels;
    im2col.size = sizeof(im2col);
    im2col.pixels = pixels;
    std::copy_n(lower, rank - 2, im2col.lower);
    std::copy_n(upper, rank - 2, im2col.upper);
    return toResult(tw_emulator_tensor_map_encode_im2col(&tensor, &im2col, map),
                    "cuTensorMapEncodeIm2col");
  });
}

TW_CALL Result cuTensorMapReplaceAddress(TensorMapBytes *map, void *address) {
  return enterContext([&](Driver &) {
    return toResult(tw_emulator_tensor_map_move(map, reinterpret_cast<uint64_t>(address)),
                    "cuTensorMapReplaceAddress");
  });
}
