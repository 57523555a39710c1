//===- MatrixLayouts.cpp - How matrices lie in the registers of a warp --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixLayouts.h"

#include <cstring>

using namespace tilewright::ptx;

Fragment tilewright::ptx::makeMultiplicand(Type type, unsigned outer, unsigned inner) {
  Fragment fragment;
  fragment.bits = static_cast<uint8_t>(getBits(type));
  if (type == Type::B1) {
    fragment.bits = 32;
    inner /= 32;
  }
  fragment.registerBits = fragment.bits == 64 ? 64 : 32;
  fragment.run = static_cast<uint8_t>(fragment.registerBits / fragment.bits);
  fragment.outerTiles = static_cast<uint8_t>(outer / 8);
  fragment.elements = static_cast<uint16_t>(outer * inner / lanesPerWarp);
  return fragment;
}

Fragment tilewright::ptx::makeAccumulator(Type type, unsigned rows, unsigned columns) {
  Fragment fragment;
  fragment.bits = static_cast<uint8_t>(getBits(type));
  fragment.registerBits = fragment.bits == 64 ? 64 : 32;
  fragment.run = 2;
  fragment.outerTiles = static_cast<uint8_t>(rows / 8);
  fragment.elements = static_cast<uint16_t>(rows * columns / lanesPerWarp);
  return fragment;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Calls `function` with each own register's index and where its elements of lane 0 start
/// in an array: as Fragment::at says, without its divisions.
template <typename Function>
static void forStarts(const Fragment &fragment, Strides strides, Function function) {
  unsigned per = fragment.perRegister(), low = 0, outerTile = 0, innerTile = 0;
  for (unsigned i = 0, count = fragment.elements / per; i < count; ++i) {
    function(i, 8 * outerTile * strides.outer +
                    (low + 4 * fragment.run * innerTile) * strides.inner);
    low += per;
    if (low < fragment.run)
      continue;
    low = 0;
    if (++outerTile < fragment.outerTiles)
      continue;
    outerTile = 0;
    ++innerTile;
  }
}

/// `per` elements of each lane of a register.
template <typename Raw, unsigned per>
static void gatherRegister(const uint64_t *values, unsigned run, Raw *to,
                           Strides strides) {
  constexpr unsigned bits = per == 8 ? 4 : sizeof(Raw) * 8;
  if (per > 1 && bits > 4 && strides.inner == 1) {
    // A register lies in the array as it is.
    for (unsigned g = 0; g < 8; ++g)
      for (unsigned t = 0; t < 4; ++t) {
        uint32_t word = static_cast<uint32_t>(values[4 * g + t]);
        memcpy(to + g * strides.outer + t * run, &word, sizeof(word));
      }
    return;
  }
  for (unsigned g = 0; g < 8; ++g)
    for (unsigned t = 0; t < 4; ++t) {
      uint64_t word = values[4 * g + t];
      Raw *at = to + g * strides.outer + t * run * strides.inner;
      for (unsigned e = 0; e < per; ++e)
        at[e * strides.inner] =
            static_cast<Raw>(bits == 4 ? word >> (4 * e) & 15 : word >> (bits * e));
    }
}

template <typename Raw, unsigned per>
static void scatterRegister(uint64_t *values, unsigned run, const Raw *from,
                            Strides strides) {
  constexpr unsigned bits = per == 8 ? 4 : sizeof(Raw) * 8;
  for (unsigned g = 0; g < 8; ++g)
    for (unsigned t = 0; t < 4; ++t) {
      const Raw *at = from + g * strides.outer + t * run * strides.inner;
      uint64_t word = 0;
      for (unsigned e = 0; e < per; ++e)
        word |= uint64_t(at[e * strides.inner]) << (bits * e);
      values[4 * g + t] = word;
    }
}

/// Calls `function` with the number of elements in a register as a constant, of those
/// that there are for elements of Raw's size.
template <typename Raw, typename Function>
static void forPerRegister(unsigned per, Function function) {
  if constexpr (sizeof(Raw) == 1) {
    if (per == 8)
      return function(std::integral_constant<unsigned, 8>());
    return function(std::integral_constant<unsigned, 4>());
  } else if constexpr (sizeof(Raw) == 2) {
    return function(std::integral_constant<unsigned, 2>());
  } else {
    return function(std::integral_constant<unsigned, 1>());
  }
}

template <typename Raw>
void tilewright::ptx::gather(RegisterFile file, const uint32_t *registers,
                             const Fragment &fragment, Raw *to, Strides strides) {
  forPerRegister<Raw>(fragment.perRegister(), [&](auto per) {
    forStarts(fragment, strides, [&](unsigned i, size_t start) {
      gatherRegister<Raw, per()>(file.values + size_t(registers[i]) * lanesPerWarp,
                                 fragment.run, to + start, strides);
    });
  });
}

template <typename Raw>
void tilewright::ptx::scatter(RegisterFile file, const uint32_t *registers,
                              const Fragment &fragment, const Raw *from,
                              Strides strides) {
  forPerRegister<Raw>(fragment.perRegister(), [&](auto per) {
    forStarts(fragment, strides, [&](unsigned i, size_t start) {
      if (registers[i] == noRegister)
        return;
      scatterRegister<Raw, per()>(file.values + size_t(registers[i]) * lanesPerWarp,
                                  fragment.run, from + start, strides);
      memset(file.poison + size_t(registers[i]) * lanesPerWarp, soundValue, lanesPerWarp);
    });
  });
}

namespace tilewright::ptx {
#define INSTANTIATE(RAW)                                                                 \
  template void gather<RAW>(RegisterFile, const uint32_t *, const Fragment &, RAW *,     \
                            Strides);                                                    \
  template void scatter<RAW>(RegisterFile, const uint32_t *, const Fragment &,           \
                             const RAW *, Strides);
INSTANTIATE(uint8_t)
INSTANTIATE(uint16_t)
INSTANTIATE(uint32_t)
INSTANTIATE(uint64_t)
#undef INSTANTIATE
} // namespace tilewright::ptx

//===----------------------------------------------------------------------===//
// Undefined elements
//===----------------------------------------------------------------------===//

bool tilewright::ptx::hasPoison(RegisterFile file, const uint32_t *registers,
                                const Fragment &fragment) {
  uint64_t all = 0;
  for (unsigned i = 0, count = fragment.ownRegisters(); i < count; ++i) {
    uint64_t words[lanesPerWarp / 8];
    memcpy(words, file.poison + size_t(registers[i]) * lanesPerWarp, sizeof(words));
    all |= words[0] | words[1] | words[2] | words[3];
  }
  if (fragment.registerBits == 32)
    all &= 0x0f0f0f0f0f0f0f0f;
  return all != 0;
}

/// The poison bits, of a register's, of its element `e`.
static uint8_t poisonBitsOf(const Fragment &fragment, unsigned e) {
  unsigned first = e * fragment.bits / 8;
  unsigned bytes = fragment.bits < 8 ? 1 : fragment.bits / 8;
  return static_cast<uint8_t>(((1u << bytes) - 1) << first);
}

/// Calls `mark` with the position of each undefined element.
template <typename Function>
static void forUndefined(RegisterFile file, const uint32_t *registers,
                         const Fragment &fragment, Function mark) {
  unsigned per = fragment.perRegister();
  for (unsigned i = 0; i < fragment.elements; ++i) {
    const uint8_t *poison = file.poison + size_t(registers[i / per]) * lanesPerWarp;
    uint8_t bits = poisonBitsOf(fragment, i % per);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      if (poison[lane] & bits)
        mark(fragment.at(lane, i));
  }
}

void tilewright::ptx::markRows(RegisterFile file, const uint32_t *registers,
                               const Fragment &a, Undefined &undefined) {
  if (!hasPoison(file, registers, a))
    return;
  undefined.any = true;
  forUndefined(file, registers, a,
               [&](Fragment::Position at) { undefined.row[at.outer] = true; });
}

void tilewright::ptx::markColumns(RegisterFile file, const uint32_t *registers,
                                  const Fragment &b, Undefined &undefined) {
  if (!hasPoison(file, registers, b))
    return;
  undefined.any = true;
  forUndefined(file, registers, b,
               [&](Fragment::Position at) { undefined.column[at.outer] = true; });
}

void tilewright::ptx::markElements(RegisterFile file, const uint32_t *registers,
                                   const Fragment &c, unsigned rows, unsigned columns,
                                   Undefined &undefined) {
  if (!hasPoison(file, registers, c))
    return;
  undefined.any = true;
  undefined.element.assign(rows * columns, false);
  forUndefined(file, registers, c, [&](Fragment::Position at) {
    undefined.element[at.outer * columns + at.inner] = true;
  });
}

void tilewright::ptx::poisonElements(RegisterFile file, const uint32_t *registers,
                                     const Fragment &d, unsigned columns,
                                     const Undefined &undefined) {
  unsigned per = d.perRegister();
  uint8_t whole = static_cast<uint8_t>(d.registerBits == 64 ? 0xff : 0x0f);
  for (unsigned i = 0; i < d.elements; ++i) {
    if (registers[i / per] == noRegister)
      continue;
    uint8_t *poison = file.poison + size_t(registers[i / per]) * lanesPerWarp;
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
      Fragment::Position at = d.at(lane, i);
      if (undefined.at(at.outer, at.inner, columns))
        poison[lane] |= poisonBitsOf(d, i % per);
      if ((poison[lane] & whole) == whole)
        poison[lane] = undefinedValue;
    }
  }
}
