//===- MatrixMath.cpp - Products of small matrices ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vectors are written out: compilers that honour floating-point exceptions and rounding
// modes vectorise few loops by themselves.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixMath.h"
#include "emulators/common/Float.h"

#include <cmath>
#include <cstring>

using namespace tilewright::ptx;
namespace formats = tilewright::emulator::formats;

static constexpr unsigned width = 8;

typedef float FloatVector __attribute__((vector_size(4 * width)));
typedef uint32_t WordVector __attribute__((vector_size(4 * width)));
typedef uint16_t HalfVector __attribute__((vector_size(2 * width)));

// By reference: vectors as arguments or results have an ABI that depends on -march.
template <typename Vector, typename Element>
static void load(Vector &vector, const Element *from) {
  memcpy(&vector, from, sizeof(vector));
}

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

/// Eight f16 as floats. The magnitude's bits moved to a float's place are the value
/// divided by 2^112, subnormals included; what lies above all finite values is infinity
/// or NaN there too once its exponent is all ones.
static void widenF16(const WordVector &bits, FloatVector &to) {
  WordVector magnitude = bits & 0x7fff;
  WordVector shifted = magnitude << 13;
  FloatVector scaled;
  memcpy(&scaled, &shifted, sizeof(scaled));
  scaled *= 0x1p112f;
  WordVector result;
  memcpy(&result, &scaled, sizeof(result));
  WordVector special = (WordVector)(magnitude > 0x7bff) & 0x7f800000;
  result |= special | (bits & 0x8000) << 16;
  memcpy(&to, &result, sizeof(to));
}

/// Eight bf16 as floats, of which they are the upper half.
static void widenBf16(const WordVector &bits, FloatVector &to) {
  WordVector shifted = bits << 16;
  memcpy(&to, &shifted, sizeof(to));
}

/// Widens `count` halves by `widen`.
template <void (*widen)(const WordVector &, FloatVector &)>
static void widenAll(const uint16_t *raw, size_t count, float *to) {
  auto convert = [](const uint16_t *from, FloatVector &values) {
    HalfVector halves;
    load(halves, from);
    WordVector bits = __builtin_convertvector(halves, WordVector);
    widen(bits, values);
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
    widenAll<widenF16>(raw, count, to);
  else
    widenAll<widenBf16>(raw, count, to);
}

/// Widens the halves of eight words by `widen`.
template <void (*widen)(const WordVector &, FloatVector &)>
static void widenPairs(const uint32_t *pairs, float *low, float *high) {
  WordVector words;
  load(words, pairs);
  FloatVector values;
  widen(words & 0xffff, values);
  memcpy(low, &values, sizeof(values));
  widen(words >> 16, values);
  memcpy(high, &values, sizeof(values));
}

void tilewright::ptx::unpackPairs(Type type, const uint32_t *pairs, float *low,
                                  float *high) {
  if (type == Type::F16)
    widenPairs<widenF16>(pairs, low, high);
  else
    widenPairs<widenBf16>(pairs, low, high);
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

void tilewright::ptx::canonicalise(double *values, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (values[i] != values[i])
      values[i] = emulator::bitCast<double>(~uint64_t(0) >> 1);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// `rows` rows and `vectors` vectors of columns of a product, kept in registers.
template <typename Vector, typename Element, unsigned rows, unsigned vectors>
static void multiplyBlock(MatrixSize size, const Element *a, const Element *b,
                          Element *d) {
  Vector sums[rows][vectors];
  // Unrolled whatever the level of optimisation, so that the sums are registers.
#pragma GCC unroll 4
  for (unsigned r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (unsigned v = 0; v < vectors; ++v)
      load(sums[r][v], d + r * size.n + v * width);
  for (unsigned k = 0; k < size.k; ++k) {
#pragma GCC unroll 4
    for (unsigned v = 0; v < vectors; ++v) {
      Vector column;
      load(column, b + k * size.n + v * width);
#pragma GCC unroll 4
      for (unsigned r = 0; r < rows; ++r)
        sums[r][v] += a[r * size.k + k] * column;
    }
  }
#pragma GCC unroll 4
  for (unsigned r = 0; r < rows; ++r)
#pragma GCC unroll 4
    for (unsigned v = 0; v < vectors; ++v)
      memcpy(d + r * size.n + v * width, &sums[r][v], sizeof(Vector));
}

template <typename Vector, typename Element>
static void multiply(MatrixSize size, const Element *a, const Element *b, Element *d) {
  constexpr unsigned rows = 4;
  for (unsigned m = 0; m < size.m; m += rows) {
    const Element *row = a + m * size.k;
    Element *to = d + m * size.n;
    unsigned n = 0;
    for (; n + 2 * width <= size.n; n += 2 * width)
      multiplyBlock<Vector, Element, rows, 2>(size, row, b + n, to + n);
    for (; n < size.n; n += width)
      multiplyBlock<Vector, Element, rows, 1>(size, row, b + n, to + n);
  }
}

void tilewright::ptx::multiplyAdd(MatrixSize size, const float *a, const float *b,
                                  float *d) {
  multiply<FloatVector>(size, a, b, d);
}

void tilewright::ptx::multiplyAdd(MatrixSize size, const uint32_t *a, const uint32_t *b,
                                  uint32_t *d) {
  multiply<WordVector>(size, a, b, d);
}

void tilewright::ptx::multiplyAdd(MatrixSize size, const double *a, const double *b,
                                  double *d) {
  for (unsigned m = 0; m < size.m; ++m)
    for (unsigned k = 0; k < size.k; ++k)
      for (unsigned n = 0; n < size.n; ++n)
        d[m * size.n + n] =
            std::fma(a[m * size.k + k], b[k * size.n + n], d[m * size.n + n]);
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
