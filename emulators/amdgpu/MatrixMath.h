//===- MatrixMath.h - Products of matrices that lie in registers --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An operand of a matrix instruction is unpacked to one array of the type in which it is
// multiplied, all lanes of its first element, then of its second, and so on. Wherever an
// instruction puts row i of A and column j of B, neighbours in i or j lie in neighbouring
// lanes. So nothing has to be moved: a table says for each k where its run of lanes
// starts, and another where each row of the result does.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_MATRIXMATH_H
#define TILEWRIGHT_EMULATORS_AMDGPU_MATRIXMATH_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tilewright::amdgpu {

/// Formats of elements of A and B.
enum class Element : uint8_t {
  F64,
  F32,
  XF32, ///< f32 of which eleven bits of precision count
  F16,
  BF16,
  E4M3,     ///< OCP's, as gfx950 and gfx12 have it
  E5M2,     ///< the same
  E4M3Fnuz, ///< of gfx942
  E5M2Fnuz, ///< of gfx942
  E2M3,
  E3M2,
  E2M1,
  S8,
  U8,
  S4,
  U4,
};
unsigned getBits(Element element);

/// Registers of 32 bits, 64 lanes each, to `count` elements of 64 lanes each.
/// `flushes`: subnormals of F16 and BF16 become zero.
void unpack(Element element, const uint32_t *words, unsigned count, bool flushes,
            float *to);
void unpack(Element element, const uint32_t *words, unsigned count, bool flushes,
            double *to);
void unpack(Element element, const uint32_t *words, unsigned count, bool flushes,
            int32_t *to);

/// A product of `blocks` pairs of matrices, M x K and K x N.
struct MatrixShape {
  unsigned m = 0, n = 0, k = 0, blocks = 1;
  uint64_t multiplyAdds() const { return uint64_t(m) * n * k * blocks; }
};

/// Where things start in unpacked operands, counted in elements of a lane.
struct MatrixPlaces {
  std::vector<uint32_t> a, b; ///< the run of lanes of each k, by block and k
  std::vector<uint32_t> d;    ///< of each row, by block and row
};

/// d += a * b, where sums go up in k. `isFused`: products are not rounded.
void multiplyAdd(const MatrixShape &shape, const MatrixPlaces &places, bool isFused,
                 const float *a, const float *b, float *d);
void multiplyAdd(const MatrixShape &shape, const MatrixPlaces &places, bool isFused,
                 const double *a, const double *b, double *d);
/// Wraps.
void multiplyAdd(const MatrixShape &shape, const MatrixPlaces &places, bool isFused,
                 const int32_t *a, const int32_t *b, int32_t *d);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_MATRIXMATH_H
