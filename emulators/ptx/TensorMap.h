//===- TensorMap.h - What cp.async.bulk.tensor copies -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The 128 bytes of a tensor map are opaque on the hardware. Here they hold the fields in
// our own order behind a magic number and a checksum, so that a map that nobody encoded,
// or that a program scribbled on, is told from a sound one. 128 zero bytes are a blank
// map, which `tensormap.replace` may fill field by field.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_TENSORMAP_H
#define TILEWRIGHT_EMULATORS_PTX_TENSORMAP_H

#include "emulators/common/Fault.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tilewright::ptx {

constexpr size_t tensorMapBytes = 128;
constexpr size_t tensorMapAlign = 64;
constexpr unsigned maxTensorRank = 5;

/// Numbered as `tensormap.replace` does.
enum class TensorType : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F32Ftz,
  F64,
  BF16,
  TF32,
  TF32Ftz
};
enum class TensorSwizzle : uint8_t { None, Bytes32, Bytes64, Bytes128 };

unsigned getBytes(TensorType type);
bool isFloat(TensorType type);
/// The type that number `type` of the driver's CUtensorMapDataType names; nothing if it
/// is not modelled.
std::optional<TensorType> tensorTypeFromDriver(unsigned type);

/// Pixels of an im2col map: all dimensions but the first, the channels, and the last.
constexpr unsigned maxPixelRank = maxTensorRank - 2;

/// A tensor map, tiled or im2col. Dimension 0 is the one whose elements lie side by side.
struct TensorMap {
  uint64_t address = 0;
  uint32_t rank = 1;
  TensorType type = TensorType::U8;
  uint8_t interleave = 0; ///< 0: none, as is all that is modelled
  TensorSwizzle swizzle = TensorSwizzle::None;
  bool fillsWithNaN = false; ///< elements out of bounds; else with zero
  uint64_t dims[maxTensorRank] = {};
  uint64_t strides[maxTensorRank - 1] = {}; ///< bytes, of dimension 1 on
  uint32_t box[maxTensorRank] = {};
  uint32_t elementStrides[maxTensorRank] = {1, 1, 1, 1, 1};
  /// An im2col map has instead of a box `pixels` rows, each of box[0] channels of a
  /// pixel. They go through the tensor from corner to corner: dimension i + 1 from
  /// lower[i] to its last index plus upper[i].
  bool isIm2col = false;
  uint32_t pixels = 0;
  int32_t lower[maxPixelRank] = {}, upper[maxPixelRank] = {};

  /// Elements of a box that are copied along dimension `i`: a traversal stride leaves out
  /// some, but never along dimension 0.
  uint32_t copied(unsigned i) const {
    return i == 0 ? box[0] : (box[i] + elementStrides[i] - 1) / elementStrides[i];
  }
  uint32_t rowBytes() const { return box[0] * getBytes(type); }
  /// Rows of a box, and the bytes of it in shared memory, which a load always completes.
  uint32_t rows() const {
    if (isIm2col)
      return pixels;
    uint32_t count = 1;
    for (unsigned i = 1; i < rank; ++i)
      count *= copied(i);
    return count;
  }
  uint32_t boxBytes() const { return rowBytes() * rows(); }
};

/// Why a map cannot be used: `message` is empty where it can. The rule is Unsupported for
/// what hardware takes and the emulator does not, Descriptor for what no hardware takes.
struct TensorMapProblem {
  emulator::Rule rule = emulator::Rule::Descriptor;
  std::string message;
  explicit operator bool() const { return !message.empty(); }
};

/// All the conditions of cuTensorMapEncodeTiled or cuTensorMapEncodeIm2col.
TensorMapProblem check(const TensorMap &map);

/// What cuTensorMapEncodeTiled takes, with the driver's numbers.
struct TiledTensor {
  unsigned type = 0; ///< CUtensorMapDataType
  uint32_t rank = 0;
  uint64_t address = 0;
  const uint64_t *dims = nullptr, *strides = nullptr;
  const uint32_t *box = nullptr, *elementStrides = nullptr;
  unsigned interleave = 0, swizzle = 0, l2Promotion = 0, fill = 0;
};
/// Checks `tensor` and writes its map to `bytes`.
TensorMapProblem encodeTiled(uint8_t *bytes, const TiledTensor &tensor);

/// What cuTensorMapEncodeIm2col takes beyond that; box[0] of the tensor are its channels.
struct Im2colTensor {
  const int32_t *lower = nullptr, *upper = nullptr;
  uint32_t pixels = 0;
};
TensorMapProblem encodeIm2col(uint8_t *bytes, const TiledTensor &tensor,
                              const Im2colTensor &im2col);

/// Writes `map`, whatever its fields hold, with magic number and checksum.
void encode(uint8_t *bytes, const TensorMap &map);
/// The map in `bytes`; nothing if nobody encoded it or it has changed since. A blank one
/// is taken where `mayBeBlank`.
std::optional<TensorMap> decode(const uint8_t *bytes, bool mayBeBlank);

/// Where the chunk of 16 bytes at shared-memory address `address` lies.
inline uint32_t swizzleAddress(TensorSwizzle swizzle, uint32_t address) {
  uint32_t mask = (1u << static_cast<unsigned>(swizzle)) - 1;
  return address ^ ((address >> 7 & mask) << 4);
}

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_TENSORMAP_H
