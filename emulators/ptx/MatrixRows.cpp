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
