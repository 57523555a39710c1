//===- MatrixSum.h - How a tensor core adds up --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor core does not round after each addition. An element of D is one sum: the exact
// products of its row and column and the addend are aligned to the largest exponent among
// them, what lies further down than some bits below is dropped, the rest is added up
// exactly, and the sum is cut to the mantissa of the result. An H100 shows
//
//   f16, bf16, tf32          25 bits below the largest exponent; cut to f32
//   8-bit floats in wgmma    13 bits; cut to 13 bits of mantissa
//   results of f16           the same sum, rounded to nearest
//
// bit for bit (test/emulator/ptx/vectors/h100). The exponent of a product is the sum of
// those of its factors, wherever the product lies between 1 and 4; that of a subnormal
// number is the least of the type. How Tensor cores were found to do so: M. Fasi, N.
// Higham, M. Mikaitis and S. Pranesh, "Numerical behavior of NVIDIA tensor cores", 2021,
// of V100 to A100, whose sums are shorter and keep fewer bits.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MATRIXSUM_H
#define TILEWRIGHT_EMULATORS_PTX_MATRIXSUM_H

#include "emulators/ptx/MatrixMath.h"

namespace tilewright::ptx {

/// How an element of D is added up.
struct MatrixSum {
  /// Bits that are kept below the largest exponent, and bits of the result's mantissa.
  int fraction = 25, mantissa = 23;
  /// The exponents of subnormal elements of A and of B.
  int leastA = -126, leastB = -126;
  /// The result is to be rounded again, to f16: where bits were dropped, the last bit is
  /// set (rounding to odd), so that rounding twice is as good as once.
  bool toOdd = false;
};

/// The sum for elements of A and B of these types and a result of type `d`; `isAsync`
/// where wgmma makes it.
MatrixSum getSum(Type a, Type b, Type d, bool isAsync);

/// d := d + a * b, each element in one sum over all of `size.k`, which is 32 at most.
/// Layouts are those of multiplyAdd.
void sumProducts(MatrixSize size, const MatrixSum &sum, const float *a, const float *b,
                 float *d);

/// The same in two sums one after the other, each over half of K: as an H100 computes
/// wmma of tf32.
void sumHalves(MatrixSize size, const MatrixSum &sum, const float *a, const float *b,
               float *d);

/// The same for mma.sync of 8-bit floats, n = 8: as an H100 computes it, by two products
/// of halves, the first of the elements 4i and 4i + 1 of K, the second of the others,
/// whose sum the addend is added to in one more rounding. `type` is that of D.
void sumEighths(MatrixSize size, Type type, const float *a, const float *b, float *d);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MATRIXSUM_H
