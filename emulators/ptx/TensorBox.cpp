//===- TensorBox.cpp - The part of a tensor that one copy moves ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/TensorBox.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// Bytes that the swizzle moves as one.
static constexpr uint32_t chunkBytes = 16;
/// The longest row: 256 elements of 8 bytes.
static constexpr uint32_t maxRowBytes = 2048;

TensorBox::TensorBox(const TensorMap &map, const int32_t *coordinates) : map(map) {
  first = last = map.address;
  for (unsigned i = 0; i < map.rank; ++i) {
    int64_t step = i == 0 ? 1 : map.elementStrides[i];
    int64_t size = static_cast<int64_t>(map.dims[i]);
    start[i] = coordinates[i];
    // The elements j with 0 <= start + j * step < size.
    begin[i] = start[i] >= 0 ? 0 : (-start[i] + step - 1) / step;
    end[i] = start[i] >= size ? 0 : (size - start[i] + step - 1) / step;
    end[i] = std::min<int64_t>(end[i], map.copied(i));
    if (begin[i] >= end[i]) {
      isOutside = true;
      continue;
    }
    uint64_t stride = i == 0 ? getBytes(map.type) : map.strides[i - 1];
    first += static_cast<uint64_t>(start[i] + begin[i] * step) * stride;
    last += static_cast<uint64_t>(start[i] + (end[i] - 1) * step) * stride;
  }
  last += getBytes(map.type);
}

TensorBox::TensorBox(const TensorMap &map, const int32_t *coordinates,
                     const uint16_t *offsets)
    : map(map) {
  const unsigned width = getBytes(map.type), pixelRank = map.rank - 2;
  start[0] = coordinates[0];
  begin[0] = std::max<int64_t>(-start[0], 0);
  end[0] = std::min<int64_t>(static_cast<int64_t>(map.dims[0]) - start[0], map.box[0]);
  const bool hasChannels = begin[0] < end[0];
  int64_t at[maxTensorRank];
  std::copy_n(coordinates, map.rank, at);
  uint64_t least = outside, most = 0;
  for (uint32_t row = 0; row < map.pixels; ++row) {
    bool inside = hasChannels;
    uint64_t place = static_cast<uint64_t>(start[0] + begin[0]) * width;
    for (unsigned i = 1; i < map.rank; ++i) {
      int64_t index = at[i] + (i <= pixelRank ? offsets[i - 1] : 0);
      inside = inside && index >= 0 && index < static_cast<int64_t>(map.dims[i]);
      place += static_cast<uint64_t>(index) * map.strides[i - 1];
    }
    pixels.push_back(inside ? place : outside);
    if (inside) {
      least = std::min(least, place);
      most = std::max(most, place);
    }
    // The next pixel: the first dimension goes on to its corner, then the next one does.
    unsigned i = 1;
    for (; i <= pixelRank; ++i) {
      at[i] += map.elementStrides[i];
      if (at[i] < static_cast<int64_t>(map.dims[i]) + map.upper[i - 1])
        break;
      at[i] = map.lower[i - 1];
    }
    if (i > pixelRank)
      ++at[map.rank - 1];
  }
  isOutside = least == outside;
  if (isOutside)
    return;
  for (uint64_t &place : pixels)
    if (place != outside)
      place -= least;
  first = map.address + least;
  last = map.address + most + static_cast<uint64_t>(end[0] - begin[0]) * width;
}

template <typename F> void TensorBox::forEachRow(F &&perRow) const {
  if (map.isIm2col) {
    for (uint32_t row = 0; row < pixels.size(); ++row)
      perRow(row, pixels[row] != outside, pixels[row]);
    return;
  }
  uint32_t index[maxTensorRank] = {};
  uint32_t rows = map.rows();
  for (uint32_t row = 0; row < rows; ++row) {
    bool inside = !isOutside;
    uint64_t at = 0;
    for (unsigned i = 1; i < map.rank; ++i) {
      inside = inside && index[i] >= begin[i] && index[i] < end[i];
      at += static_cast<uint64_t>(index[i] - begin[i]) * map.elementStrides[i] *
            map.strides[i - 1];
    }
    perRow(row, inside, at);
    for (unsigned i = 1; i < map.rank && ++index[i] == map.copied(i); ++i)
      index[i] = 0;
  }
}

bool TensorBox::find(Warp &warp, unsigned lane, Access access) {
  if (isOutside)
    return true;
  Place place = warp.find(Space::Global, first, 1, 1, lane, access);
  if (!place)
    return false;
  allocation = place.allocation;
  if (last > allocation->base + allocation->size) {
    warp.stop(Rule::OutOfBounds,
              "the part of the box inside the tensor ends " +
                  std::to_string(last - allocation->base - allocation->size) +
                  " bytes past the end of " + allocation->name + ", which has " +
                  std::to_string(allocation->size) +
                  " bytes: the tensor map names more memory than there is",
              lane);
    return false;
  }
  data = place.data;
  shadow = place.shadow;
  return true;
}

template <typename F> void TensorBox::forEachInside(F &&perRow) const {
  Place row;
  row.space = Space::Global;
  row.allocation = allocation;
  forEachRow([&](uint32_t, bool inside, uint64_t at) {
    if (!inside)
      return;
    row.data = data + at;
    row.shadow = shadow + at;
    perRow(row);
  });
}

void TensorBox::startCopy(Warp &warp, unsigned lane, Access access) const {
  forEachInside(
      [&](const Place &row) { beginGlobal(warp, row, insideRowBytes(), access, lane); });
}

void TensorBox::checkUnchanged(const GlobalReader &reader) const {
  forEachInside([&](const Place &row) { reader.check(row, insideRowBytes()); });
}

uint64_t TensorBox::insideBytes() const {
  if (isOutside)
    return 0;
  uint64_t count = getBytes(map.type);
  if (map.isIm2col) {
    auto inside = pixels.size() - std::count(pixels.begin(), pixels.end(), outside);
    return count * static_cast<uint64_t>(end[0] - begin[0]) * inside;
  }
  for (unsigned i = 0; i < map.rank; ++i)
    count *= static_cast<uint64_t>(end[i] - begin[i]);
  return count;
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

/// What lies out of bounds where it is to be NaN: these two bytes over and over, as an
/// H100 has it, which are a NaN of any type.
static constexpr uint16_t fillNaN = 0x7ff7;

/// Flushes subnormals and rounds to tf32 (to nearest even, infinities and NaNs alone) as
/// the type asks.
void TensorBox::convert(uint8_t *row) const {
  bool flushes = map.type == TensorType::F32Ftz || map.type == TensorType::TF32Ftz;
  bool rounds = map.type == TensorType::TF32 || map.type == TensorType::TF32Ftz;
  if (!flushes && !rounds)
    return;
  for (int64_t i = begin[0]; i < end[0]; ++i) {
    uint32_t bits;
    memcpy(&bits, row + i * 4, 4);
    uint32_t exponent = bits & 0x7f800000;
    if (flushes && exponent == 0)
      bits &= 0x80000000;
    else if (rounds && exponent != 0x7f800000)
      bits = (bits + 0xfff + (bits >> 13 & 1)) & ~uint32_t(0x1fff);
    memcpy(row + i * 4, &bits, 4);
  }
}

void TensorBox::load(const Place &to) const {
  const uint32_t width = getBytes(map.type), rowBytes = map.rowBytes();
  alignas(16) uint8_t fill[maxRowBytes] = {}, values[maxRowBytes], marks[maxRowBytes];
  if (map.fillsWithNaN) {
    for (uint32_t at = 0; at < rowBytes; at += sizeof(fillNaN))
      memcpy(fill + at, &fillNaN, sizeof(fillNaN));
  }
  // Shared addresses from the start of the block's memory on, and its bytes.
  const uint32_t base = to.offset + sharedStart;
  uint8_t *toData = to.data - base, *toShadow = to.shadow - base;
  forEachRow([&](uint32_t row, bool inside, uint64_t at) {
    memcpy(values, fill, rowBytes);
    memset(marks, Sound, rowBytes);
    if (inside) {
      size_t skipped = begin[0] * width, bytes = (end[0] - begin[0]) * width;
      memcpy(values + skipped, data + at, bytes);
      copyShadow(marks + skipped, shadow + at, bytes);
      convert(values);
    }
    uint32_t address = base + row * rowBytes;
    for (uint32_t chunk = 0; chunk < rowBytes; chunk += chunkBytes) {
      uint32_t place = swizzleAddress(map.swizzle, address + chunk);
      memcpy(toData + place, values + chunk, chunkBytes);
      memcpy(toShadow + place, marks + chunk, chunkBytes);
    }
  });
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

template <typename F>
void TensorBox::gather(uint32_t offset, const uint8_t *from, const uint8_t *fromShadow,
                       F &&perRow) const {
  const uint32_t width = getBytes(map.type), rowBytes = map.rowBytes();
  const uint32_t base = offset + sharedStart;
  alignas(16) uint8_t values[maxRowBytes], marks[maxRowBytes];
  forEachRow([&](uint32_t row, bool inside, uint64_t at) {
    if (!inside)
      return;
    uint32_t address = base + row * rowBytes;
    for (uint32_t chunk = 0; chunk < rowBytes; chunk += chunkBytes) {
      uint32_t place = swizzleAddress(map.swizzle, address + chunk) - base;
      memcpy(values + chunk, from + place, chunkBytes);
      memcpy(marks + chunk, fromShadow + place, chunkBytes);
    }
    perRow(at, values + begin[0] * width, marks + begin[0] * width);
  });
}

void TensorBox::store(uint32_t offset, const uint8_t *from,
                      const uint8_t *fromShadow) const {
  const size_t bytes = insideRowBytes();
  gather(offset, from, fromShadow,
         [&](uint64_t at, const uint8_t *values, const uint8_t *marks) {
           memcpy(data + at, values, bytes);
           copyShadow(shadow + at, marks, bytes);
         });
}

void TensorBox::reduce(GlobalMemory &memory, Combine combine, uint32_t offset,
                       const uint8_t *from, const uint8_t *fromShadow) const {
  const uint32_t width = getBytes(map.type);
  const size_t bytes = insideRowBytes();
  gather(offset, from, fromShadow,
         [&](uint64_t at, const uint8_t *values, const uint8_t *marks) {
           reduceGlobal(memory, combine, width, first + at, data + at, shadow + at,
                        values, marks, bytes);
         });
}
