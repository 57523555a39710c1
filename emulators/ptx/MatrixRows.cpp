//===- MatrixRows.cpp - Rows of floats in registers ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fragments that most programs have, eight elements of a row at once (see
// MatrixLayouts.h for the table). A row of a tile lies in four lanes, one after the
// other: of halves, each lane has two in one register; of f32 accumulators, one in each
// of two.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/FloatVectors.h"
#include "emulators/ptx/MatrixLayouts.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::vectors;

static constexpr unsigned tileRows = 8, tileColumns = 8, lanesPerRow = 4;

/// Calls `function` with each tile's number and where it starts in an array.
template <typename Function>
static void forTiles(const Fragment &fragment, size_t stride, Function function) {
  for (unsigned tile = 0, count = fragment.elements / fragment.run; tile < count; ++tile)
    function(tile, tileRows * (tile % fragment.outerTiles) * stride +
                       tileColumns * (tile / fragment.outerTiles));
}

template <typename Widen>
static void gatherHalves(RegisterFile file, const uint32_t *registers,
                         const Fragment &fragment, float *to, size_t stride) {
  forTiles(fragment, stride, [&](unsigned tile, size_t start) {
    const uint64_t *values = file.values + size_t(registers[tile]) * lanesPerWarp;
    for (unsigned row = 0; row < tileRows; ++row) {
      ValueVector four;
      load(four, values + row * lanesPerRow);
      FourWords words = __builtin_convertvector(four, FourWords);
      HalfVector halves;
      memcpy(&halves, &words, sizeof(halves));
      FloatVector floats;
      Widen::widen(halves, floats);
      store(floats, to + start + row * stride);
    }
  });
}

void tilewright::ptx::gatherHalfRows(RegisterFile file, const uint32_t *registers,
                                     const Fragment &fragment, Type type, float *to,
                                     size_t stride) {
  if (type == Type::F16)
    gatherHalves<WidenF16>(file, registers, fragment, to, stride);
  else
    gatherHalves<WidenBf16>(file, registers, fragment, to, stride);
}

/// Four rows of four values as columns.
static void loadTransposed(const uint64_t *values, ValueVector *columns) {
  ValueVector row[lanesPerRow];
  for (unsigned i = 0; i < lanesPerRow; ++i)
    load(row[i], values + lanesPerRow * i);
  // Even and odd columns of two rows each.
  ValueVector even = __builtin_shufflevector(row[0], row[1], 0, 4, 2, 6);
  ValueVector odd = __builtin_shufflevector(row[0], row[1], 1, 5, 3, 7);
  ValueVector lastEven = __builtin_shufflevector(row[2], row[3], 0, 4, 2, 6);
  ValueVector lastOdd = __builtin_shufflevector(row[2], row[3], 1, 5, 3, 7);
  columns[0] = __builtin_shufflevector(even, lastEven, 0, 1, 4, 5);
  columns[1] = __builtin_shufflevector(odd, lastOdd, 0, 1, 4, 5);
  columns[2] = __builtin_shufflevector(even, lastEven, 2, 3, 6, 7);
  columns[3] = __builtin_shufflevector(odd, lastOdd, 2, 3, 6, 7);
}

/// Register i of lane 4g + t holds rows 8i + 2t and 8i + 2t + 1 of column g.
template <typename Widen>
static void gatherColumns(RegisterFile file, const uint32_t *registers,
                          const Fragment &fragment, float *to) {
  for (unsigned i = 0; i < fragment.ownRegisters(); ++i) {
    const uint64_t *values = file.values + size_t(registers[i]) * lanesPerWarp;
    ValueVector low[lanesPerRow], high[lanesPerRow]; // of columns 0 to 3 and 4 to 7
    loadTransposed(values, low);
    loadTransposed(values + lanesPerWarp / 2, high);
    for (unsigned t = 0; t < lanesPerRow; ++t) {
      WordVector first, last;
      memcpy(&first, &low[t], sizeof(first));
      memcpy(&last, &high[t], sizeof(last));
      WordVector words = __builtin_shufflevector(first, last, 0, 2, 4, 6, 8, 10, 12, 14);
      float *rows = to + (tileRows * i + 2 * t) * tileColumns;
      FloatVector floats;
      Widen::widen(__builtin_convertvector(words, HalfVector), floats);
      store(floats, rows);
      Widen::widen(__builtin_convertvector(words >> 16, HalfVector), floats);
      store(floats, rows + tileColumns);
    }
  }
}

void tilewright::ptx::gatherHalfColumns(RegisterFile file, const uint32_t *registers,
                                        const Fragment &fragment, Type type, float *to) {
  if (type == Type::F16)
    gatherColumns<WidenF16>(file, registers, fragment, to);
  else
    gatherColumns<WidenBf16>(file, registers, fragment, to);
}

void tilewright::ptx::gatherFloatRows(RegisterFile file, const uint32_t *registers,
                                      const Fragment &fragment, float *to,
                                      size_t stride) {
  forTiles(fragment, stride, [&](unsigned tile, size_t start) {
    const uint64_t *even = file.values + size_t(registers[2 * tile]) * lanesPerWarp;
    const uint64_t *odd = file.values + size_t(registers[2 * tile + 1]) * lanesPerWarp;
    for (unsigned row = 0; row < tileRows; ++row) {
      ValueVector low, high;
      load(low, even + row * lanesPerRow);
      load(high, odd + row * lanesPerRow);
      store((low & 0xffffffff) | high << 32, to + start + row * stride);
    }
  });
}

void tilewright::ptx::scatterFloatRows(RegisterFile file, const uint32_t *registers,
                                       const Fragment &fragment, const float *from,
                                       size_t stride) {
  forTiles(fragment, stride, [&](unsigned tile, size_t start) {
    uint64_t unused[lanesPerWarp];
    uint64_t *to[2] = {unused, unused};
    for (unsigned i = 0; i < 2; ++i) {
      uint32_t reg = registers[2 * tile + i];
      if (reg == noRegister)
        continue;
      to[i] = file.values + size_t(reg) * lanesPerWarp;
      memset(file.poison + size_t(reg) * lanesPerWarp, soundValue, lanesPerWarp);
    }
    for (unsigned row = 0; row < tileRows; ++row) {
      IntVector bits;
      load(bits, from + start + row * stride);
      const IntVector isNan = (bits & 0x7fffffff) > 0x7f800000;
      bits = (bits & ~isNan) | (isNan & 0x7fffffff);
      ValueVector pairs;
      memcpy(&pairs, &bits, sizeof(pairs));
      store(pairs & 0xffffffff, to[0] + row * lanesPerRow);
      store(pairs >> 32, to[1] + row * lanesPerRow);
    }
  });
}
