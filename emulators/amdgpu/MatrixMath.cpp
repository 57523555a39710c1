//===- MatrixMath.cpp - Products of matrices that lie in registers ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/MatrixMath.h"

#include "emulators/common/Float.h"

#include <cmath>
#include <cstring>
#include <type_traits>

#ifdef __FMA__
#include <immintrin.h>
#endif

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

static constexpr unsigned lanes = 64;

unsigned tilewright::amdgpu::getBits(Element element) {
  switch (element) {
  case Element::F64:
    return 64;
  case Element::F32:
  case Element::XF32:
    return 32;
  case Element::F16:
  case Element::BF16:
    return 16;
  case Element::E4M3:
  case Element::E5M2:
  case Element::E4M3Fnuz:
  case Element::E5M2Fnuz:
  case Element::S8:
  case Element::U8:
    return 8;
  case Element::E2M3:
  case Element::E3M2:
    return 6;
  case Element::E2M1:
  case Element::S4:
  case Element::U4:
    return 4;
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// Unpacking
//===----------------------------------------------------------------------===//

/// The low 16 bits of each word, or the high ones.
static void unpackF16(const uint32_t *words, unsigned shift, bool flushes, float *to) {
  // A magnitude moved to a float's place is the value divided by 2^112, subnormals
  // included; infinities and NaNs need all ones in their exponent besides.
  uint32_t least = flushes ? 0x400 : 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint32_t bits = words[lane] >> shift;
    uint32_t magnitude = bits & 0x7fff;
    magnitude &= 0u - uint32_t(magnitude >= least);
    float scaled = bitCast<float>(magnitude << 13) * 0x1p112f;
    uint32_t special = (0u - uint32_t(magnitude > 0x7bff)) & 0x7f800000;
    to[lane] =
        bitCast<float>(bitCast<uint32_t>(scaled) | special | (bits & 0x8000) << 16);
  }
}

static void unpackBf16(const uint32_t *words, unsigned shift, bool flushes, float *to) {
  uint32_t least = flushes ? 0x80 : 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint32_t bits = words[lane] >> shift & 0xffff;
    uint32_t keep = (0u - uint32_t((bits & 0x7fff) >= least)) | 0x8000;
    to[lane] = bitCast<float>((bits & keep) << 16);
  }
}

/// Rounds to nearest even at the eleventh bit; NaNs keep being NaNs.
static void unpackXf32(const uint32_t *words, float *to) {
  for (unsigned lane = 0; lane < lanes; ++lane) {
    uint32_t bits = words[lane];
    uint32_t rounded = (bits + 0xfff + (bits >> 13 & 1)) & 0xffffe000u;
    uint32_t isSpecial = 0u - uint32_t((bits & 0x7f800000) == 0x7f800000);
    to[lane] = bitCast<float>((bits & isSpecial) | (rounded & ~isSpecial));
  }
}

/// Element `index` of `bits` bits of a lane, which may lie across two words.
static uint32_t extract(const uint32_t *words, unsigned index, unsigned bits,
                        unsigned lane) {
  unsigned at = index * bits, word = at / 32, shift = at % 32;
  uint32_t value = words[word * lanes + lane] >> shift;
  if (shift + bits > 32)
    value |= words[(word + 1) * lanes + lane] << (32 - shift);
  return value & ((1u << bits) - 1);
}

static const Format &getFormat(Element element) {
  switch (element) {
  case Element::E4M3:
    return formats::e4m3;
  case Element::E5M2:
    return formats::e5m2;
  case Element::E4M3Fnuz:
    return formats::e4m3fnuz;
  case Element::E5M2Fnuz:
    return formats::e5m2fnuz;
  case Element::E2M3:
    return formats::e2m3;
  case Element::E3M2:
    return formats::e3m2;
  default:
    return formats::e2m1;
  }
}

/// Values of a small format by their bits; all made once, since making one takes a lock.
static const std::array<float, 256> &getSmallValues(Element element) {
  static const auto all = [] {
    std::array<const std::array<float, 256> *, size_t(Element::U4) + 1> tables{};
    for (Element one : {Element::E4M3, Element::E5M2, Element::E4M3Fnuz,
                        Element::E5M2Fnuz, Element::E2M3, Element::E3M2, Element::E2M1})
      tables[size_t(one)] = &getValues8(getFormat(one));
    return tables;
  }();
  return *all[size_t(element)];
}

void tilewright::amdgpu::unpack(Element element, const uint32_t *words, unsigned count,
                                bool flushes, float *to) {
  switch (element) {
  case Element::F32:
    memcpy(to, words, count * lanes * sizeof(float));
    return;
  case Element::XF32:
    for (unsigned i = 0; i < count; ++i)
      unpackXf32(words + i * lanes, to + i * lanes);
    return;
  case Element::F16:
    for (unsigned i = 0; i < count; ++i)
      unpackF16(words + i / 2 * lanes, 16 * (i % 2), flushes, to + i * lanes);
    return;
  case Element::BF16:
    for (unsigned i = 0; i < count; ++i)
      unpackBf16(words + i / 2 * lanes, 16 * (i % 2), flushes, to + i * lanes);
    return;
  default:
    break;
  }
  const auto &values = getSmallValues(element);
  unsigned bits = getBits(element);
  if (bits == 8) {
    for (unsigned i = 0; i < count; ++i)
      for (unsigned lane = 0; lane < lanes; ++lane)
        to[i * lanes + lane] =
            values[words[i / 4 * lanes + lane] >> (8 * (i % 4)) & 0xff];
    return;
  }
  for (unsigned i = 0; i < count; ++i)
    for (unsigned lane = 0; lane < lanes; ++lane)
      to[i * lanes + lane] = values[extract(words, i, bits, lane)];
}

void tilewright::amdgpu::unpack(Element element, const uint32_t *words, unsigned count,
                                bool flushes, double *to) {
  if (element == Element::F64) {
    for (unsigned i = 0; i < count; ++i)
      for (unsigned lane = 0; lane < lanes; ++lane)
        to[i * lanes + lane] =
            bitCast<double>(words[2 * i * lanes + lane] |
                            uint64_t(words[(2 * i + 1) * lanes + lane]) << 32);
    return;
  }
  constexpr unsigned part = 16; // fills whole words in each format
  float values[part * lanes];
  unsigned partWords = part * getBits(element) / 32;
  for (unsigned i = 0; i < count; i += part) {
    unpack(element, words + i / part * partWords * lanes, part, flushes, values);
    for (unsigned j = 0; j < part * lanes; ++j)
      to[i * lanes + j] = values[j];
  }
}

void tilewright::amdgpu::unpack(Element element, const uint32_t *words, unsigned count,
                                bool, int32_t *to) {
  unsigned bits = getBits(element), perWord = 32 / bits;
  bool isSigned = element == Element::S8 || element == Element::S4;
  uint32_t sign = isSigned ? 1u << (bits - 1) : 0, mask = (1u << bits) - 1;
  for (unsigned i = 0; i < count; ++i) {
    const uint32_t *from = words + i / perWord * lanes;
    unsigned shift = bits * (i % perWord);
    for (unsigned lane = 0; lane < lanes; ++lane)
      to[i * lanes + lane] =
          static_cast<int32_t>(((from[lane] >> shift & mask) ^ sign) - sign);
  }
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Vectors are written out: compilers that honour rounding modes vectorise few loops by
/// themselves.
template <typename T, unsigned n> struct Row {
  static constexpr unsigned width = sizeof(T) * n < 32 ? n : 32 / sizeof(T);
  typedef T Vector __attribute__((vector_size(sizeof(T) * width)));
};

/// sums += factor * values; `isFused`: the products are not rounded.
template <bool isFused, typename T, typename Vector>
static void addProducts(T factor, const Vector &values, Vector &sums) {
  if constexpr (!isFused) {
    sums += factor * values;
  } else {
#ifdef __FMA__
    if constexpr (std::is_same_v<T, double>)
      sums = _mm256_fmadd_pd(_mm256_set1_pd(factor), values, sums);
    else if constexpr (sizeof(Vector) == 32)
      sums = _mm256_fmadd_ps(_mm256_set1_ps(factor), values, sums);
    else
      sums = _mm_fmadd_ps(_mm_set1_ps(factor), values, sums);
#else
    for (unsigned i = 0; i < sizeof(Vector) / sizeof(T); ++i)
      sums[i] = std::fma(factor, values[i], sums[i]);
#endif
  }
}

/// `rows` rows of a block, whose sums are kept in registers.
template <bool isFused, typename T, unsigned n, unsigned rows>
static void multiplyRows(unsigned k, const uint32_t *aPlaces, const uint32_t *bPlaces,
                         const T *a, const T *b, T *const *d) {
  using Vector = typename Row<T, n>::Vector;
  constexpr unsigned width = Row<T, n>::width, vectors = n / width;
  constexpr unsigned most = vectors < 2 ? 1 : 2; // at a time
  for (unsigned first = 0; first < vectors; first += most) {
    Vector sums[rows][most];
#pragma GCC unroll 4
    for (unsigned r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (unsigned v = 0; v < most; ++v)
        memcpy(&sums[r][v], d[r] + (first + v) * width, sizeof(Vector));
    for (unsigned i = 0; i < k; ++i) {
      const T *column = b + bPlaces[i], *row = a + aPlaces[i];
#pragma GCC unroll 2
      for (unsigned v = 0; v < most; ++v) {
        Vector values;
        memcpy(&values, column + (first + v) * width, sizeof(Vector));
#pragma GCC unroll 4
        for (unsigned r = 0; r < rows; ++r)
          addProducts<isFused>(row[r], values, sums[r][v]);
      }
    }
#pragma GCC unroll 4
    for (unsigned r = 0; r < rows; ++r)
#pragma GCC unroll 2
      for (unsigned v = 0; v < most; ++v)
        memcpy(d[r] + (first + v) * width, &sums[r][v], sizeof(Vector));
  }
}

template <typename T, unsigned n>
static void multiply(const MatrixShape &shape, const MatrixPlaces &places, bool isFused,
                     const T *a, const T *b, T *d) {
  constexpr unsigned rows = 4;
  for (unsigned block = 0; block < shape.blocks; ++block) {
    const uint32_t *aPlaces = &places.a[block * shape.k];
    const uint32_t *bPlaces = &places.b[block * shape.k];
    for (unsigned i = 0; i < shape.m; i += rows) {
      T *to[rows];
      for (unsigned r = 0; r < rows; ++r)
        to[r] = d + places.d[block * shape.m + i + r];
      if constexpr (std::is_floating_point_v<T>)
        if (isFused) {
          multiplyRows<true, T, n, rows>(shape.k, aPlaces, bPlaces, a + i, b, to);
          continue;
        }
      multiplyRows<false, T, n, rows>(shape.k, aPlaces, bPlaces, a + i, b, to);
    }
  }
}

template <typename T>
static void multiplyAny(const MatrixShape &shape, const MatrixPlaces &places,
                        bool isFused, const T *a, const T *b, T *d) {
  if (shape.n == 32)
    multiply<T, 32>(shape, places, isFused, a, b, d);
  else if (shape.n == 16)
    multiply<T, 16>(shape, places, isFused, a, b, d);
  else
    multiply<T, 4>(shape, places, isFused, a, b, d);
}

void tilewright::amdgpu::multiplyAdd(const MatrixShape &shape, const MatrixPlaces &places,
                                     bool isFused, const float *a, const float *b,
                                     float *d) {
  multiplyAny(shape, places, isFused, a, b, d);
}

void tilewright::amdgpu::multiplyAdd(const MatrixShape &shape, const MatrixPlaces &places,
                                     bool isFused, const double *a, const double *b,
                                     double *d) {
  multiplyAny(shape, places, isFused, a, b, d);
}

void tilewright::amdgpu::multiplyAdd(const MatrixShape &shape, const MatrixPlaces &places,
                                     bool, const int32_t *a, const int32_t *b,
                                     int32_t *d) {
  // As unsigned numbers, which wrap.
  multiplyAny(shape, places, false, reinterpret_cast<const uint32_t *>(a),
              reinterpret_cast<const uint32_t *>(b), reinterpret_cast<uint32_t *>(d));
}
