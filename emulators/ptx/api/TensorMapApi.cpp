//===- TensorMapApi.cpp - The C API: tensor maps ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/TensorMap.h"
#include "emulators/ptx/api/Api.h"

using namespace tilewright::ptx;
using namespace tilewright::emulator::api;

tw_emulator_status tw_emulator_tensor_map_encode(const tw_emulator_tensor_map_v1 *given,
                                                 void *map) {
  return guard([&] {
    tw_emulator_tensor_map_v1 known;
    if (!map || !readSized(given, known))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_tensor_map_encode: a tensor of a size that "
                  "this library knows and 128 bytes are needed");
    for (uint32_t &stride : known.element_strides)
      stride = std::max(stride, 1u);
    TiledTensor tensor;
    tensor.type = known.element;
    tensor.rank = known.rank;
    tensor.address = known.address;
    tensor.dims = known.extents;
    tensor.strides = known.strides;
    tensor.box = known.box;
    tensor.elementStrides = known.element_strides;
    tensor.interleave = known.interleave;
    tensor.swizzle = known.swizzle;
    tensor.l2Promotion = known.l2_promotion;
    tensor.fill = known.fill;
    uint8_t bytes[tensorMapBytes] = {};
    if (TensorMapProblem problem = encodeTiled(bytes, tensor))
      return fail(TW_EMULATOR_ERROR_INVALID, "no tensor map: " + problem.message);
    memcpy(map, bytes, sizeof(bytes));
    return TW_EMULATOR_OK;
  });
}
