//===- FloatVectors.h - Eight floats at once ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vectors are written out: compilers that honour floating-point exceptions and rounding
// modes vectorise few loops by themselves. They are passed by reference, since vectors as
// arguments or results have an ABI that depends on -march.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_FLOATVECTORS_H
#define TILEWRIGHT_EMULATORS_PTX_FLOATVECTORS_H

#include <cstdint>
#include <cstring>

#if defined(__F16C__) || defined(__FMA__)
#include <immintrin.h>
#endif

namespace tilewright::ptx::vectors {

constexpr unsigned width = 8;

typedef float FloatVector __attribute__((vector_size(4 * width)));
typedef uint32_t WordVector __attribute__((vector_size(4 * width)));
typedef int32_t IntVector __attribute__((vector_size(4 * width)));
typedef uint16_t HalfVector __attribute__((vector_size(2 * width)));
/// As registers hold words: four, each the lower half of a value.
typedef uint64_t ValueVector __attribute__((vector_size(32)));
typedef uint32_t FourWords __attribute__((vector_size(16)));

template <typename Vector, typename Element>
inline void load(Vector &vector, const Element *from) {
  memcpy(&vector, from, sizeof(vector));
}
template <typename Vector, typename Element>
inline void store(const Vector &vector, Element *to) {
  memcpy(to, &vector, sizeof(vector));
}

/// The type of vectors of floats of f16.
struct WidenF16 {
  /// The magnitude's bits moved to a float's place are the value divided by 2^112,
  /// subnormals included; what lies above all finite values is infinity or NaN there too
  /// once its exponent is all ones.
  static void widen(const WordVector &bits, FloatVector &to) {
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
  static void widen(const HalfVector &halves, FloatVector &to) {
#ifdef __F16C__
    __m128i bits;
    memcpy(&bits, &halves, sizeof(bits));
    __m256 floats = _mm256_cvtph_ps(bits);
    memcpy(&to, &floats, sizeof(to));
#else
    widen(__builtin_convertvector(halves, WordVector), to);
#endif
  }
};

/// Of bf16, which are the upper half of floats.
struct WidenBf16 {
  static void widen(const WordVector &bits, FloatVector &to) {
    WordVector shifted = bits << 16;
    memcpy(&to, &shifted, sizeof(to));
  }
  static void widen(const HalfVector &halves, FloatVector &to) {
    widen(__builtin_convertvector(halves, WordVector), to);
  }
};

/// sum += a * b, in one rounding where products are exact, which then is the same.
template <bool exactProducts>
inline void accumulate(FloatVector &sum, float a, const FloatVector &b) {
#ifdef __FMA__
  if constexpr (exactProducts) {
    __m256 left = _mm256_set1_ps(a), right, sums;
    memcpy(&right, &b, sizeof(right));
    memcpy(&sums, &sum, sizeof(sums));
    sums = _mm256_fmadd_ps(left, right, sums);
    memcpy(&sum, &sums, sizeof(sum));
    return;
  }
#endif
  sum += a * b;
}
template <bool exactProducts>
inline void accumulate(WordVector &sum, uint32_t a, const WordVector &b) {
  sum += a * b;
}

} // namespace tilewright::ptx::vectors

#endif // TILEWRIGHT_EMULATORS_PTX_FLOATVECTORS_H
