//===- MatrixMath.cpp - Products of small matrices ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixMath.h"
#include "emulators/ptx/DoubleNan.h"
#include "emulators/ptx/FloatVectors.h"

#include <cmath>
#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::ptx::vectors;
namespace formats = tilewright::emulator::formats;

Arithmetic tilewright::ptx::getArithmetic(Type type) {
  switch (type) {
  case Type::F64:
    return Arithmetic::Double;
  case Type::S8:
  case Type::U8:
  case Type::S4:
  case Type::U4:
    return Arithmetic::Integer;
  case Type::B1:
    return Arithmetic::Bits;
  default:
    return Arithmetic::Float;
  }
}

//===----------------------------------------------------------------------===//
// Unpacking and packing
//===----------------------------------------------------------------------===//

bool tilewright::ptx::hasExactProducts(Type type) {
  // A significand of 24 bits holds products of two of 11 or 4; the exponents are in
  // range.
  return type == Type::F16 || type == Type::E4M3 || type == Type::E5M2;
}

/// Widens `count` halves.
template <typename Widen>
static void widenAll(const uint16_t *raw, size_t count, float *to) {
  auto convert = [](const uint16_t *from, FloatVector &values) {
    HalfVector halves;
    load(halves, from);
    Widen::widen(halves, values);
  };
  FloatVector values;
  size_t i = 0;
  for (; i + width <= count; i += width) {
    convert(raw + i, values);
    memcpy(to + i, &values, sizeof(values));
  }
  if (i == count)
    return;
  uint16_t last[width] = {};
  memcpy(last, raw + i, (count - i) * sizeof(uint16_t));
  convert(last, values);
  memcpy(to + i, &values, (count - i) * sizeof(float));
}

void tilewright::ptx::unpack(Type type, const uint16_t *raw, size_t count, float *to) {
  if (type == Type::F16)
    widenAll<WidenF16>(raw, count, to);
  else
    widenAll<WidenBf16>(raw, count, to);
}

template <typename Widen>
static void widenRows(const uint8_t *const *rows, unsigned count, float *to,
                      size_t stride) {
  for (unsigned row = 0; row < count; ++row) {
    HalfVector halves;
    load(halves, rows[row]);
    FloatVector values;
    Widen::widen(halves, values);
    store(values, to + row * stride);
  }
}

void tilewright::ptx::unpackRows(Type type, const uint8_t *const *rows, unsigned count,
                                 float *to, size_t stride) {
  if (type == Type::F16)
    widenRows<WidenF16>(rows, count, to, stride);
  else
    widenRows<WidenBf16>(rows, count, to, stride);
}

void tilewright::ptx::unpackColumns(Type type, const uint8_t *const *rows, float *to,
                                    size_t stride) {
  // Three times, rows i and i + 4 are interleaved to rows 2i and 2i + 1.
  static_assert(width == 8);
  HalfVector at[2][width];
  for (unsigned row = 0; row < width; ++row)
    load(at[0][row], rows[row]);
  for (unsigned step = 0; step < 3; ++step)
#pragma GCC unroll 4
    for (unsigned i = 0; i < width / 2; ++i) {
      const HalfVector &a = at[step % 2][i], &b = at[step % 2][i + width / 2];
      HalfVector *next = at[(step + 1) % 2];
      next[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
      next[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    }
  const uint8_t *columns[width];
  for (unsigned column = 0; column < width; ++column)
    columns[column] = reinterpret_cast<const uint8_t *>(&at[1][column]);
  unpackRows(type, columns, width, to, stride);
}

void tilewright::ptx::unpack(Type type, const uint32_t *raw, size_t count, float *to) {
  uint32_t mask = type == Type::TF32 ? 0xffffe000u : ~0u;
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits = raw[i] & mask;
    memcpy(to + i, &bits, sizeof(bits));
  }
}

void tilewright::ptx::unpack(Type type, const uint8_t *raw, size_t count, float *to) {
  const auto &values =
      emulator::getValues8(type == Type::E4M3 ? formats::e4m3 : formats::e5m2);
  for (size_t i = 0; i < count; ++i)
    to[i] = values[raw[i]];
}

void tilewright::ptx::unpack(Type type, const uint8_t *raw, size_t count, uint32_t *to) {
  // The sign bit's weight is negative.
  uint32_t sign = type == Type::S8 ? 0x80 : type == Type::S4 ? 8 : 0;
  for (size_t i = 0; i < count; ++i)
    to[i] = (raw[i] ^ sign) - sign;
}

void tilewright::ptx::pack(const float *from, size_t count, uint16_t *f16) {
  for (size_t i = 0; i < count; ++i)
    f16[i] = emulator::floatToF16(from[i]);
}

void tilewright::ptx::pack(const float *from, size_t count, uint32_t *f32) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits;
    memcpy(&bits, from + i, sizeof(bits));
    f32[i] = (bits & 0x7fffffff) > 0x7f800000 ? 0x7fffffff : bits;
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// `rows` rows and `vectors` vectors of columns of a product, kept in registers.
template <bool isExact, typename Vector, unsigned rows, unsigned vectors,
          typename Element>
static void multiplyBlock(MatrixSize size, const Element *a, const Element *b,
                          Element *d) {
  Vector sums[rows][vectors];
  // Unrolled whatever the level of optimisation, so that the sums are registers.
#pragma GCC unroll 8
  for (unsigned r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (unsigned v = 0; v < vectors; ++v)
      load(sums[r][v], d + r * size.n + v * width);
  for (unsigned k = 0; k < size.k; ++k) {
#pragma GCC unroll 4
    for (unsigned v = 0; v < vectors; ++v) {
      Vector column;
      load(column, b + k * size.n + v * width);
#pragma GCC unroll 8
      for (unsigned r = 0; r < rows; ++r)
        accumulate<isExact>(sums[r][v], a[r * size.k + k], column);
    }
  }
#pragma GCC unroll 8
  for (unsigned r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (unsigned v = 0; v < vectors; ++v)
      memcpy(d + r * size.n + v * width, &sums[r][v], sizeof(Vector));
}

// Eight sums hide the time that each addition takes.

template <bool isExact, typename Vector, typename Element>
static void multiply(MatrixSize size, const Element *a, const Element *b, Element *d) {
  constexpr unsigned rows = 8;
  for (unsigned m = 0; m < size.m; m += rows) {
    const Element *row = a + m * size.k;
    Element *to = d + m * size.n;
    unsigned n = 0;
    for (; n + 2 * width <= size.n; n += 2 * width)
      for (unsigned half = 0; half < rows; half += rows / 2)
        multiplyBlock<isExact, Vector, rows / 2, 2>(size, row + half * size.k, b + n,
                                                    to + half * size.n + n);
    for (; n < size.n; n += width)
      multiplyBlock<isExact, Vector, rows, 1>(size, row, b + n, to + n);
  }
}

void tilewright::ptx::multiplyAdd(MatrixSize size, const float *a, const float *b,
                                  float *d, bool isExact) {
  if (isExact)
    multiply<true, FloatVector>(size, a, b, d);
  else
    multiply<false, FloatVector>(size, a, b, d);
}

void tilewright::ptx::multiplyAdd(MatrixSize size, const uint32_t *a, const uint32_t *b,
                                  uint32_t *d) {
  multiply<true, WordVector>(size, a, b, d);
}

void tilewright::ptx::multiplyAdd(MatrixSize size, const double *a, const double *b,
                                  double *d) {
  for (unsigned m = 0; m < size.m; ++m)
    for (unsigned k = 0; k < size.k; ++k)
      for (unsigned n = 0; n < size.n; ++n) {
        double x = a[m * size.k + k], y = b[k * size.n + n], &sum = d[m * size.n + n];
        sum = emulator::bitCast<double>(
            keptNan(std::fma(x, y, sum), emulator::bitCast<uint64_t>(x),
                    emulator::bitCast<uint64_t>(y), emulator::bitCast<uint64_t>(sum)));
      }
}

void tilewright::ptx::multiplyAddBits(MatrixSize size, bool isAnd, const uint32_t *a,
                                      const uint32_t *b, uint32_t *d) {
  for (unsigned m = 0; m < size.m; ++m)
    for (unsigned k = 0; k < size.k; ++k)
      for (unsigned n = 0; n < size.n; ++n) {
        uint32_t x = a[m * size.k + k], y = b[k * size.n + n];
        d[m * size.n + n] += __builtin_popcount(isAnd ? x & y : x ^ y);
      }
}

void tilewright::ptx::addClamped(const uint32_t *c, uint32_t *d, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    int64_t sum = int64_t(int32_t(c[i])) + int32_t(d[i]);
    sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
    d[i] = static_cast<uint32_t>(sum);
  }
}
