//===- MatrixMath.h - Products of small matrices ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an MMA computes, once its operands are unpacked into arrays: A row major (m x k),
// B with n fastest (k x n), C and D row major (m x n), n a multiple of 8. Elements are
// unpacked to the type that they are multiplied in:
//
//   f16, bf16, tf32, e4m3, e5m2   float      products are exact, sums round to f32
//   f64                           double     fused multiply-adds
//   s8, u8, s4, u4                uint32_t   wraps
//   b1                            uint32_t   words of 32 bits
//
// Sums start with the addend and go up in k. Hardware adds up several products at once
// with fewer roundings, in an order that nobody promises.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MATRIXMATH_H
#define TILEWRIGHT_EMULATORS_PTX_MATRIXMATH_H

#include "emulators/ptx/Type.h"

#include <cstddef>

namespace tilewright::ptx {

enum class Arithmetic : uint8_t { Float, Double, Integer, Bits };

/// How elements of `type` are multiplied.
Arithmetic getArithmetic(Type type);

struct MatrixSize {
  unsigned m = 0, n = 0, k = 0;
};

/// Unpacks `count` elements of two or four bytes, or of one byte.
void unpack(Type type, const uint16_t *raw, size_t count, float *to);
void unpack(Type type, const uint32_t *raw, size_t count, float *to);
void unpack(Type type, const uint8_t *raw, size_t count, float *to);
void unpack(Type type, const uint8_t *raw, size_t count, uint32_t *to);
/// Unpacks rows of 16 bytes: eight halves to eight floats, at `to` and on by `stride` for
/// each row.
void unpackRows(Type type, const uint8_t *const *rows, unsigned count, float *to,
                size_t stride);
/// The same for eight rows, transposed: eight rows of eight floats, each of which has one
/// element of every row.
void unpackColumns(Type type, const uint8_t *const *rows, float *to, size_t stride);
/// Packs floats, rounded to nearest; NaNs become the canonical one.
void pack(const float *from, size_t count, uint16_t *f16);
void pack(const float *from, size_t count, uint32_t *f32);

/// Whether a float holds any product of two elements of `type` as it is.
bool hasExactProducts(Type type);

/// d += a * b, of elements with exact products or not.
void multiplyAdd(MatrixSize size, const float *a, const float *b, float *d, bool isExact);
void multiplyAdd(MatrixSize size, const double *a, const double *b, double *d);
void multiplyAdd(MatrixSize size, const uint32_t *a, const uint32_t *b, uint32_t *d);
/// d += the number of ones in a `and` b, or in a `xor` b; `size.k` counts words.
void multiplyAddBits(MatrixSize size, bool isAnd, const uint32_t *a, const uint32_t *b,
                     uint32_t *d);
/// d := c + d as signed integers, clamped to their range.
void addClamped(const uint32_t *c, uint32_t *d, size_t count);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MATRIXMATH_H
