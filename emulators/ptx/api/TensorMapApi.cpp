//===- TensorMapApi.cpp - The C API: tensor maps ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/TensorMap.h"
#include "emulators/ptx/api/Api.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator::api;

/// The tensor of a caller, whose arrays are those of `known`.
static TiledTensor describe(tw_emulator_tensor_map_v1 &known) {
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
  return tensor;
}

static tw_emulator_status finish(const TensorMapProblem &problem, const uint8_t *bytes,
                                 void *map) {
  if (problem)
    return fail(TW_EMULATOR_ERROR_INVALID, "no tensor map: " + problem.message);
  memcpy(map, bytes, tensorMapBytes);
  return TW_EMULATOR_OK;
}

tw_emulator_status tw_emulator_tensor_map_encode(const tw_emulator_tensor_map_v1 *given,
                                                 void *map) {
  return guard([&] {
    tw_emulator_tensor_map_v1 known;
    if (!map || !readSized(given, known))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_tensor_map_encode: a tensor of a size that "
                  "this library knows and 128 bytes are needed");
    uint8_t bytes[tensorMapBytes] = {};
    return finish(encodeTiled(bytes, describe(known)), bytes, map);
  });
}

tw_emulator_status
tw_emulator_tensor_map_encode_im2col(const tw_emulator_tensor_map_v1 *given,
                                     const tw_emulator_im2col_v1 *givenPixels,
                                     void *map) {
  return guard([&] {
    tw_emulator_tensor_map_v1 known;
    tw_emulator_im2col_v1 pixels;
    if (!map || !readSized(given, known) || !readSized(givenPixels, pixels))
      return fail(
          TW_EMULATOR_ERROR_INVALID,
          "tw_emulator_tensor_map_encode_im2col: a tensor and pixels of sizes that "
          "this library knows and 128 bytes are needed");
    uint8_t bytes[tensorMapBytes] = {};
    return finish(
        encodeIm2col(bytes, describe(known), {pixels.lower, pixels.upper, pixels.pixels}),
        bytes, map);
  });
}

tw_emulator_status tw_emulator_tensor_map_move(void *map, uint64_t address) {
  return guard([&] {
    uint8_t bytes[tensorMapBytes] = {};
    if (map)
      memcpy(bytes, map, sizeof(bytes));
    std::optional<TensorMap> known = decode(bytes, /*mayBeBlank=*/false);
    if (!known)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_tensor_map_move: this is no tensor map");
    known->address = address;
    TensorMapProblem problem = check(*known);
    encode(bytes, *known);
    return finish(problem, bytes, map);
  });
}
