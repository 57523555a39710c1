//===- MatrixSum.cpp - How a tensor core adds up ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Eight elements of a row at once, in floats: a product times the power of two that makes
// the last kept bit a one, converted to an integer, is the product aligned and cut. That
// is exact for exponents of the middle; where the largest exponent of an element's terms
// is not there, or a term is no number, the element is added up by itself, in integers.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixSum.h"
#include "emulators/common/Float.h"
#include "emulators/ptx/FloatVectors.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace tilewright::ptx;
using namespace tilewright::ptx::vectors;
namespace emulator = tilewright::emulator;

static constexpr unsigned maxDepth = 32, maxRows = 32, maxColumns = 256;
/// What stands for the exponents of zero, and of infinities and NaNs: sums with a
/// number's exponent are far from all numbers' exponents.
static constexpr int zeroExponent = -1000, specialExponent = 4096;
/// Largest exponents that floats are enough for.
static constexpr int leastFast = -90, mostFast = 90;

static int leastExponent(Type type) {
  switch (type) {
  case Type::F16:
  case Type::E5M2:
    return -14;
  case Type::E4M3:
    return -6;
  default:
    return -126;
  }
}

MatrixSum tilewright::ptx::getSum(Type a, Type b, Type d, bool isAsync) {
  MatrixSum sum;
  sum.leastA = leastExponent(a);
  sum.leastB = leastExponent(b);
  if (isAsync && (a == Type::E4M3 || a == Type::E5M2))
    sum.fraction = sum.mantissa = 13;
  sum.toOdd = d == Type::F16;
  return sum;
}

static int exponentOf(float value, int least) {
  uint32_t magnitude = emulator::bitCast<uint32_t>(value) & 0x7fffffff;
  if (magnitude == 0)
    return zeroExponent;
  if (magnitude >= 0x7f800000)
    return specialExponent;
  return std::max(static_cast<int>(magnitude >> 23) - 127, least);
}

//===----------------------------------------------------------------------===//
// One element
//===----------------------------------------------------------------------===//

namespace {
/// Terms of one element, each a significand and the exponent of its last bit.
struct Terms {
  int64_t significands[maxDepth + 1];
  int lasts[maxDepth + 1];
  unsigned count = 0;
  int largest = zeroExponent;
  double special = 0; ///< the sum of the terms that are no numbers

  /// A float as a significand of at most 24 bits, and its last bit's exponent.
  static int64_t split(float value, int &last) {
    if (value == 0) {
      last = 0;
      return 0;
    }
    int exponent;
    float fraction = std::frexp(value, &exponent);
    last = exponent - 24;
    return static_cast<int64_t>(std::ldexp(fraction, 24));
  }

  void add(float x, float y, int exponent) {
    if (!std::isfinite(x) || !std::isfinite(y)) {
      special += double(x) * double(y);
      return;
    }
    int lastX, lastY;
    int64_t significand = split(x, lastX) * split(y, lastY);
    if (significand == 0)
      return;
    largest = std::max(largest, exponent);
    significands[count] = significand;
    lasts[count++] = lastX + lastY;
  }
};
} // namespace

/// `sum` times 2^`last`, cut to the mantissa of the result.
static float cut(int64_t sum, int last, const MatrixSum &how) {
  if (sum == 0)
    return 0;
  uint64_t magnitude = static_cast<uint64_t>(std::llabs(sum));
  int top = last + 63 - __builtin_clzll(magnitude);
  // Of subnormal results fewer bits are left.
  int lowest = std::max(top - how.mantissa, -149);
  int drop = lowest - last;
  bool isInexact = false;
  if (drop > 63) {
    isInexact = true;
    magnitude = 0;
  } else if (drop > 0) {
    isInexact = (magnitude & ((uint64_t(1) << drop) - 1)) != 0;
    magnitude >>= drop;
  } else {
    lowest = last;
  }
  if (isInexact && how.toOdd)
    magnitude |= 1;
  float result = std::ldexp(static_cast<float>(magnitude), lowest);
  return sum < 0 ? -result : result;
}

static float sumOne(const Terms &terms, const MatrixSum &how) {
  if (std::isnan(terms.special) || std::isinf(terms.special))
    return static_cast<float>(terms.special);
  int last = terms.largest - how.fraction;
  int64_t sum = 0;
  for (unsigned i = 0; i < terms.count; ++i) {
    int64_t significand = terms.significands[i];
    int shift = last - terms.lasts[i];
    int64_t magnitude = std::llabs(significand);
    magnitude = shift <= 0    ? magnitude << std::min(-shift, 62)
                : shift >= 63 ? 0
                              : magnitude >> shift;
    sum += significand < 0 ? -magnitude : magnitude;
  }
  return cut(sum, last, how);
}

//===----------------------------------------------------------------------===//
// Eight elements
//===----------------------------------------------------------------------===//

namespace {
typedef double DoubleVector __attribute__((vector_size(4 * width)));
typedef int64_t LongVector __attribute__((vector_size(4 * width)));

/// The operands with their exponents.
struct Operands {
  MatrixSize size;
  const MatrixSum &how;
  const float *a, *b;
  alignas(32) int exponentsA[maxRows * maxDepth];
  alignas(32) int exponentsB[maxDepth * maxColumns];
};
} // namespace

static void takeLarger(IntVector &largest, const IntVector &other) {
  const IntVector isLarger = other > largest;
  largest = (other & isLarger) | (largest & ~isLarger);
}

/// Two integers' sum times `unit`, cut to the mantissa.
static void finish(const int32_t *first, const int32_t *second, const float *unit,
                   const MatrixSum &how, float *to) {
  const LongVector dropped = LongVector{} + ((int64_t(1) << (52 - how.mantissa)) - 1);
  const LongVector odd = LongVector{} + (int64_t(1) << (52 - how.mantissa));
  for (unsigned half = 0; half < width; half += width / 2) {
    DoubleVector sum, scale;
    for (unsigned i = 0; i < width / 2; ++i) {
      sum[i] = double(first[half + i]) + double(second[half + i]);
      scale[i] = unit[half + i];
    }
    sum *= scale;
    LongVector bits;
    memcpy(&bits, &sum, sizeof(bits));
    const LongVector isInexact = (bits & dropped) != 0;
    bits &= ~dropped;
    if (how.toOdd)
      bits |= isInexact & odd;
    memcpy(&sum, &bits, sizeof(sum));
    for (unsigned i = 0; i < width / 2; ++i)
      to[half + i] = static_cast<float>(sum[i]);
  }
}

/// Elements `column` to `column + 7` of a row.
static void sumEight(const Operands &operands, unsigned row, unsigned column, float *d) {
  const MatrixSize &size = operands.size;
  const MatrixSum &how = operands.how;
  const float *a = operands.a + row * size.k;
  const int *exponentsA = operands.exponentsA + row * size.k;
  IntVector largest;
  for (unsigned i = 0; i < width; ++i)
    largest[i] = exponentOf(d[i], -126);
  for (unsigned k = 0; k < size.k; ++k) {
    IntVector exponents;
    load(exponents, operands.exponentsB + k * size.n + column);
    takeLarger(largest, exponents + exponentsA[k]);
  }
  // Where all terms are zero, any exponent will do.
  const IntVector isZero = largest < zeroExponent / 2;
  const IntVector used = largest & ~isZero;
  const IntVector isSlow = (used < leastFast) | (used > mostFast);
  const IntVector scaleBits = (127 + how.fraction - used) << 23;
  const IntVector unitBits = (127 - how.fraction + used) << 23;
  FloatVector scale, unit, addend;
  memcpy(&scale, &scaleBits, sizeof(scale));
  memcpy(&unit, &unitBits, sizeof(unit));
  load(addend, d);
  // Halves of the products, each of which fits: 8 times 2^(2 + 25), and the addend.
  IntVector sums[2] = {__builtin_convertvector(addend * scale, IntVector), IntVector{}};
  for (unsigned k = 0; k < size.k; ++k) {
    FloatVector values;
    load(values, operands.b + k * size.n + column);
    sums[k % 2] += __builtin_convertvector(values * a[k] * scale, IntVector);
  }
  alignas(32) float before[width], result[width], units[width];
  alignas(32) int32_t parts[2][width], slow[width];
  store(addend, before);
  store(unit, units);
  store(sums[0], parts[0]);
  store(sums[1], parts[1]);
  store(isSlow, slow);
  finish(parts[0], parts[1], units, how, result);
  for (unsigned i = 0; i < width; ++i) {
    d[i] = result[i];
    if (!slow[i])
      continue;
    Terms terms;
    terms.add(before[i], 1, exponentOf(before[i], -126));
    for (unsigned k = 0; k < size.k; ++k) {
      unsigned at = k * size.n + column + i;
      terms.add(a[k], operands.b[at], exponentsA[k] + operands.exponentsB[at]);
    }
    d[i] = sumOne(terms, how);
  }
}

void tilewright::ptx::sumProducts(MatrixSize size, const MatrixSum &sum, const float *a,
                                  const float *b, float *d) {
  Operands operands{size, sum, a, b, {}, {}};
  for (unsigned i = 0; i < size.m * size.k; ++i)
    operands.exponentsA[i] = exponentOf(a[i], sum.leastA);
  for (unsigned i = 0; i < size.k * size.n; ++i)
    operands.exponentsB[i] = exponentOf(b[i], sum.leastB);
  for (unsigned row = 0; row < size.m; ++row)
    for (unsigned column = 0; column < size.n; column += width)
      sumEight(operands, row, column, d + row * size.n + column);
  // A sum that f16 has no number for but zero gives the positive one.
  if (sum.toOdd)
    for (unsigned i = 0; i < size.m * size.n; ++i)
      if (std::fabs(d[i]) <= 0x1p-25f)
        d[i] = 0;
}

void tilewright::ptx::sumHalves(MatrixSize size, const MatrixSum &sum, const float *a,
                                const float *b, float *d) {
  MatrixSize half = size;
  half.k /= 2;
  alignas(32) float part[maxRows * maxDepth];
  for (unsigned first = 0; first < size.k; first += half.k) {
    for (unsigned row = 0; row < size.m; ++row)
      std::copy_n(a + row * size.k + first, half.k, part + row * half.k);
    sumProducts(half, sum, part, b + first * size.n, d);
  }
}

void tilewright::ptx::sumEighths(MatrixSize size, Type type, const float *a,
                                 const float *b, float *d) {
  MatrixSize half{size.m, size.n, size.k / 2};
  MatrixSum how = getSum(Type::F16, Type::F16, type, /*isAsync=*/false);
  alignas(32) float left[maxRows * maxDepth], right[maxDepth * width];
  alignas(32) float sums[maxRows * width] = {};
  const unsigned count = size.m * size.n;
  auto round = [&](float *values) {
    if (type == Type::F16)
      for (unsigned i = 0; i < count; ++i)
        values[i] = emulator::f16ToFloat(emulator::floatToF16(values[i]));
  };
  for (unsigned part = 0; part < 2; ++part) {
    for (unsigned k = 0; k < half.k; ++k) {
      const unsigned from = k / 2 * 4 + part * 2 + k % 2;
      for (unsigned row = 0; row < size.m; ++row)
        left[row * half.k + k] = a[row * size.k + from];
      std::copy_n(b + from * size.n, size.n, right + k * size.n);
    }
    sumProducts(half, how, left, right, sums);
    round(sums);
  }
  for (unsigned i = 0; i < count; ++i)
    d[i] += sums[i];
}
