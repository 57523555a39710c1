//===- TensorMap.cpp - What cp.async.bulk.tensor copies -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/TensorMap.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;
using tilewright::emulator::Rule;

namespace {
/// The 128 bytes.
struct Layout {
  uint32_t magic;
  uint32_t checksum; // of all bytes but its own
  uint64_t address;
  uint8_t rankMinusOne, type, interleave, swizzle, fill;
  uint8_t elementStrides[maxTensorRank];
  uint16_t box[maxTensorRank];
  uint8_t unused[4];
  uint64_t dims[maxTensorRank];
  uint64_t strides[maxTensorRank - 1];
  int16_t lower[maxPixelRank], upper[maxPixelRank];
  uint16_t pixels; // 0 of a tiled map
  uint8_t unusedToo[2];
};
} // namespace
static_assert(sizeof(Layout) == tensorMapBytes, "a map has 128 bytes");

static constexpr uint32_t magicNumber = 0x4d54'5754; // "TWTM"

static uint32_t getChecksum(Layout layout) {
  layout.checksum = 0;
  uint8_t bytes[tensorMapBytes];
  memcpy(bytes, &layout, sizeof(bytes));
  uint32_t hash = 2166136261u; // FNV-1a
  for (uint8_t byte : bytes)
    hash = (hash ^ byte) * 16777619u;
  return hash;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

unsigned tilewright::ptx::getBytes(TensorType type) {
  switch (type) {
  case TensorType::U8:
    return 1;
  case TensorType::U16:
  case TensorType::F16:
  case TensorType::BF16:
    return 2;
  case TensorType::U64:
  case TensorType::S64:
  case TensorType::F64:
    return 8;
  default:
    return 4;
  }
}

bool tilewright::ptx::isFloat(TensorType type) { return type >= TensorType::F16; }

std::optional<TensorType> tilewright::ptx::tensorTypeFromDriver(unsigned type) {
  // The driver puts f64 and bf16 elsewhere than the instruction does.
  static constexpr TensorType types[] = {
      TensorType::U8,     TensorType::U16,  TensorType::U32,    TensorType::S32,
      TensorType::U64,    TensorType::S64,  TensorType::F16,    TensorType::F32,
      TensorType::F64,    TensorType::BF16, TensorType::F32Ftz, TensorType::TF32,
      TensorType::TF32Ftz};
  if (type >= sizeof(types) / sizeof(types[0]))
    return std::nullopt;
  return types[type];
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

static TensorMapProblem invalid(std::string message) {
  return {Rule::Descriptor, std::move(message)};
}
static TensorMapProblem unsupported(std::string message) {
  return {Rule::Unsupported, std::move(message)};
}

/// What an im2col map has and a tiled one has not.
static TensorMapProblem checkPixels(const TensorMap &map) {
  if (map.rank < 3)
    return invalid("an im2col tensor map has 3 to 5 dimensions, not " +
                   std::to_string(map.rank));
  if (map.pixels == 0 || map.pixels > 1024)
    return invalid("the pixels of a column, " + std::to_string(map.pixels) +
                   ", are not 1 to 1024");
  int32_t most = map.rank == 3 ? 32767 : map.rank == 4 ? 127 : 15;
  for (unsigned i = 0; i < map.rank - 2; ++i)
    for (int32_t corner : {map.lower[i], map.upper[i]})
      if (corner < -most - 1 || corner > most)
        return invalid("a corner of the pixels' box, " + std::to_string(corner) +
                       ", is not " + std::to_string(-most - 1) + " to " +
                       std::to_string(most));
  return {};
}

TensorMapProblem tilewright::ptx::check(const TensorMap &map) {
  auto dimension = [](unsigned i) { return " of dimension " + std::to_string(i); };
  if (map.rank < 1 || map.rank > maxTensorRank)
    return invalid("rank " + std::to_string(map.rank) + " is not 1 to 5");
  if (static_cast<unsigned>(map.type) > static_cast<unsigned>(TensorType::TF32Ftz))
    return unsupported("the element type " +
                       std::to_string(static_cast<unsigned>(map.type)) +
                       " of a tensor map is not modelled");
  if (static_cast<unsigned>(map.swizzle) > static_cast<unsigned>(TensorSwizzle::Bytes128))
    return unsupported("the swizzle " +
                       std::to_string(static_cast<unsigned>(map.swizzle)) +
                       " of a tensor map is not modelled");
  if (map.interleave)
    return unsupported("interleaved tensor maps are not modelled");
  if (map.address == 0 || map.address % 16)
    return invalid("the tensor's address is null or no multiple of 16");
  for (unsigned i = 0; i < map.rank; ++i) {
    if (map.dims[i] == 0 || map.dims[i] > uint64_t(1) << 32)
      return invalid("the size" + dimension(i) + ", " + std::to_string(map.dims[i]) +
                     ", is not 1 to 2^32");
    bool hasBox = i == 0 || !map.isIm2col;
    if (hasBox && (map.box[i] == 0 || map.box[i] > 256))
      return invalid("the box size" + dimension(i) + ", " + std::to_string(map.box[i]) +
                     ", is not 1 to 256");
    if (map.elementStrides[i] == 0 || map.elementStrides[i] > 8)
      return invalid("the traversal stride" + dimension(i) + ", " +
                     std::to_string(map.elementStrides[i]) + ", is not 1 to 8");
  }
  for (unsigned i = 1; i < map.rank; ++i)
    if (map.strides[i - 1] % 16 || map.strides[i - 1] >> 40)
      return invalid("the stride" + dimension(i) + ", " +
                     std::to_string(map.strides[i - 1]) +
                     " bytes, is no multiple of 16 below 2^40");
  if (map.isIm2col)
    if (TensorMapProblem problem = checkPixels(map))
      return problem;
  if (map.rowBytes() % 16)
    return invalid("a row of the box has " + std::to_string(map.rowBytes()) +
                   " bytes, no multiple of 16");
  if (map.swizzle != TensorSwizzle::None) {
    uint32_t span = 16u << static_cast<unsigned>(map.swizzle);
    if (map.rowBytes() > span)
      return invalid("a row of the box has " + std::to_string(map.rowBytes()) +
                     " bytes, more than the swizzle's " + std::to_string(span));
    // What hardware leaves between such rows is not documented.
    if (map.rowBytes() < span)
      return unsupported("a row of the box has " + std::to_string(map.rowBytes()) +
                         " bytes, fewer than the swizzle's " + std::to_string(span) +
                         ", which is not modelled");
  }
  if (map.fillsWithNaN && !isFloat(map.type))
    return invalid("out-of-bounds elements can be NaN in floating-point tensors alone");
  return {};
}

/// Fills `map` from what is the same of both kinds; `boxRank` sizes of the box are there.
static TensorMapProblem fill(TensorMap &map, const TiledTensor &tensor,
                             unsigned boxRank) {
  std::optional<TensorType> type = tensorTypeFromDriver(tensor.type);
  if (!type)
    return unsupported("tensor data type " + std::to_string(tensor.type) +
                       " is not modelled");
  if (tensor.rank < 1 || tensor.rank > maxTensorRank)
    return invalid("rank " + std::to_string(tensor.rank) + " is not 1 to 5");
  if (!tensor.dims || !tensor.box || !tensor.elementStrides ||
      (tensor.rank > 1 && !tensor.strides))
    return invalid("an array of the tensor's sizes is null");
  if (tensor.interleave > 2 || tensor.l2Promotion > 3 || tensor.fill > 1)
    return invalid("interleave, L2 promotion or fill is no value of its enumeration");
  if (tensor.swizzle > static_cast<unsigned>(TensorSwizzle::Bytes128))
    return unsupported("swizzle " + std::to_string(tensor.swizzle) + " is not modelled");
  map.address = tensor.address;
  map.rank = tensor.rank;
  map.type = *type;
  map.interleave = static_cast<uint8_t>(tensor.interleave);
  map.swizzle = static_cast<TensorSwizzle>(tensor.swizzle);
  map.fillsWithNaN = tensor.fill == 1;
  std::copy_n(tensor.dims, map.rank, map.dims);
  std::copy_n(tensor.box, boxRank, map.box);
  std::copy_n(tensor.elementStrides, map.rank, map.elementStrides);
  if (map.rank > 1)
    std::copy_n(tensor.strides, map.rank - 1, map.strides);
  return {};
}

static TensorMapProblem checkAndEncode(uint8_t *bytes, const TensorMap &map) {
  TensorMapProblem problem = check(map);
  if (!problem)
    encode(bytes, map);
  return problem;
}

TensorMapProblem tilewright::ptx::encodeTiled(uint8_t *bytes, const TiledTensor &tensor) {
  TensorMap map;
  if (TensorMapProblem problem = fill(map, tensor, tensor.rank))
    return problem;
  return checkAndEncode(bytes, map);
}

TensorMapProblem tilewright::ptx::encodeIm2col(uint8_t *bytes, const TiledTensor &tensor,
                                               const Im2colTensor &im2col) {
  TensorMap map;
  if (TensorMapProblem problem = fill(map, tensor, 1))
    return problem;
  if (!im2col.lower || !im2col.upper)
    return invalid("an array of the pixels' corners is null");
  map.isIm2col = true;
  map.pixels = im2col.pixels;
  if (map.rank > 2) {
    std::copy_n(im2col.lower, map.rank - 2, map.lower);
    std::copy_n(im2col.upper, map.rank - 2, map.upper);
  }
  return checkAndEncode(bytes, map);
}

//===----------------------------------------------------------------------===//
// Bytes
//===----------------------------------------------------------------------===//

void tilewright::ptx::encode(uint8_t *bytes, const TensorMap &map) {
  Layout layout = {};
  layout.magic = magicNumber;
  layout.address = map.address;
  layout.rankMinusOne = static_cast<uint8_t>(map.rank - 1);
  layout.type = static_cast<uint8_t>(map.type);
  layout.interleave = map.interleave;
  layout.swizzle = static_cast<uint8_t>(map.swizzle);
  layout.fill = map.fillsWithNaN;
  for (unsigned i = 0; i < maxTensorRank; ++i) {
    layout.elementStrides[i] = static_cast<uint8_t>(map.elementStrides[i]);
    layout.box[i] = static_cast<uint16_t>(map.box[i]);
    layout.dims[i] = map.dims[i];
  }
  std::copy_n(map.strides, maxTensorRank - 1, layout.strides);
  std::copy_n(map.lower, maxPixelRank, layout.lower);
  std::copy_n(map.upper, maxPixelRank, layout.upper);
  layout.pixels = static_cast<uint16_t>(map.isIm2col ? map.pixels : 0);
  layout.checksum = getChecksum(layout);
  memcpy(bytes, &layout, sizeof(layout));
}

std::optional<TensorMap> tilewright::ptx::decode(const uint8_t *bytes, bool mayBeBlank) {
  Layout layout;
  memcpy(&layout, bytes, sizeof(layout));
  bool isBlank =
      std::all_of(bytes, bytes + tensorMapBytes, [](uint8_t byte) { return byte == 0; });
  bool isEncoded = layout.magic == magicNumber && layout.checksum == getChecksum(layout);
  if (!isEncoded && !(isBlank && mayBeBlank))
    return std::nullopt;
  TensorMap map;
  map.address = layout.address;
  map.rank = layout.rankMinusOne + 1;
  map.type = static_cast<TensorType>(layout.type);
  map.interleave = layout.interleave;
  map.swizzle = static_cast<TensorSwizzle>(layout.swizzle);
  map.fillsWithNaN = layout.fill;
  for (unsigned i = 0; i < maxTensorRank; ++i) {
    map.elementStrides[i] = layout.elementStrides[i];
    map.box[i] = layout.box[i];
    map.dims[i] = layout.dims[i];
  }
  std::copy_n(layout.strides, maxTensorRank - 1, map.strides);
  std::copy_n(layout.lower, maxPixelRank, map.lower);
  std::copy_n(layout.upper, maxPixelRank, map.upper);
  map.pixels = layout.pixels;
  map.isIm2col = map.pixels != 0;
  return map;
}
