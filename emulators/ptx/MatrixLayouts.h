//===- MatrixLayouts.h - How matrices lie in the registers of a warp ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All fragment tables of the PTX manual but that of mma.m8n8k4.f16 (MmaQuadOps.cpp) are
// one table. A matrix has an inner dimension, along which elements are packed (k of A and
// B, n of C and D), and an outer one. It is cut into tiles of 8 outer by 4 * run inner
// elements; of a tile, lane 4g + t holds the `run` elements from inner index t * run on
// in row g:
//
//            inner 0..run-1   run..2run-1   2run..3run-1   3run..4run-1
//   outer 0      lane 0          lane 1         lane 2         lane 3
//   outer 1      lane 4          lane 5         lane 6         lane 7
//   ...
//   outer 7      lane 28         lane 29        lane 30        lane 31
//
// and its elements of the tiles follow each other in its registers, tiles ordered outer
// dimension first. A run fills a register of A or B; of C and D it is two elements, in
// one register if they are halves, else in two. So
//
//   mma.m16n8k16.f16   A: run 2, 2 x 2 tiles   B: run 2, 1 x 2   C: run 2, 2 x 1
//   mma.m16n8k32.s8    A: run 4, 2 x 2         B: run 4, 1 x 2   C: run 2, 2 x 1
//   mma.m8n8k4.f64     A: run 1, 1 x 1         B: run 1, 1 x 1   C: run 2, 1 x 1
//   wgmma.m64n256k16   A: run 2, 2 x 2 of each warp              D: run 2, 2 x 32
//
// Matrices of single bits are matrices of 32-bit words here.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MATRIXLAYOUTS_H
#define TILEWRIGHT_EMULATORS_PTX_MATRIXLAYOUTS_H

#include "emulators/ptx/Warp.h"

#include <array>

namespace tilewright::ptx {

struct Fragment {
  uint8_t bits = 32; ///< of an element
  uint8_t registerBits = 32;
  uint8_t run = 1;
  uint8_t outerTiles = 1;
  uint16_t elements = 0; ///< that a lane holds
  /// How often the registers repeat: wmma has more of them than elements.
  uint8_t copies = 1;

  unsigned perRegister() const { return registerBits / bits; }
  /// Registers without their copies.
  unsigned ownRegisters() const { return elements / perRegister(); }
  unsigned registers() const { return ownRegisters() * copies; }

  struct Position {
    unsigned outer, inner;
  };
  /// Where element `element` of `lane` belongs.
  Position at(unsigned lane, unsigned element) const {
    unsigned tile = element / run;
    return {lane / 4 + 8 * (tile % outerTiles),
            lane % 4 * run + element % run + 4 * run * (tile / outerTiles)};
  }
};

/// The fragment of a multiplicand: `outer` rows of A or columns of B, `inner` of k.
Fragment makeMultiplicand(Type type, unsigned outer, unsigned inner);
/// The fragment of a matrix C or D of `rows` by `columns`.
Fragment makeAccumulator(Type type, unsigned rows, unsigned columns);

/// The registers of a frame, by number: 32 values and 32 poison bytes each.
struct RegisterFile {
  uint64_t *values;
  uint8_t *poison;

  explicit RegisterFile(Warp &warp) : values(warp.values(0)), poison(warp.poison(0)) {}
  explicit RegisterFile(Frame &frame)
      : values(frame.registers->values.data()), poison(frame.registers->poison.data()) {}
  RegisterFile(uint64_t *values, uint8_t *poison) : values(values), poison(poison) {}
};

/// Where an element of a matrix in an array is.
struct Strides {
  size_t outer, inner;
};

/// Copies the elements of `registers` to the array `to`, each at its place; Raw is the
/// unsigned integer of an element's size, uint8_t of four bits.
template <typename Raw>
void gather(RegisterFile file, const uint32_t *registers, const Fragment &fragment,
            Raw *to, Strides strides);
/// Copies the elements of the array `from` to the registers, which are sound then. Not to
/// copies: products have none.
template <typename Raw>
void scatter(RegisterFile file, const uint32_t *registers, const Fragment &fragment,
             const Raw *from, Strides strides);

/// The same for rows of floats, `stride` apart, of what most programs have
/// (MatrixRows.cpp): multiplicands of f16 or bf16, widened, and accumulators of f32,
/// whose NaNs become the canonical one. Where a register is a sink, nothing is written.
void gatherHalfRows(RegisterFile file, const uint32_t *registers,
                    const Fragment &fragment, Type type, float *to, size_t stride);
/// Of multiplicands with eight columns, the matrix with its columns side by side: what
/// mma.sync has for B.
void gatherHalfColumns(RegisterFile file, const uint32_t *registers,
                       const Fragment &fragment, Type type, float *to);
void gatherFloatRows(RegisterFile file, const uint32_t *registers,
                     const Fragment &fragment, float *to, size_t stride);
void scatterFloatRows(RegisterFile file, const uint32_t *registers,
                      const Fragment &fragment, const float *from, size_t stride);

/// Whether any byte of an element in `registers` is undefined.
bool hasPoison(RegisterFile file, const uint32_t *registers, const Fragment &fragment);

/// Which rows of a product its operands make undefined, which columns, and which elements
/// the addend does.
struct Undefined {
  static constexpr unsigned maxRows = 32, maxColumns = 256;
  bool any = false;
  std::array<bool, maxRows> row{};
  std::array<bool, maxColumns> column{};
  std::vector<bool> element; ///< row major; empty: none

  bool at(unsigned r, unsigned c, unsigned columns) const {
    return row[r] || column[c] || (!element.empty() && element[r * columns + c]);
  }
};

/// Marks what undefined elements of A, B and C in registers make undefined.
void markRows(RegisterFile file, const uint32_t *registers, const Fragment &a,
              Undefined &undefined);
void markColumns(RegisterFile file, const uint32_t *registers, const Fragment &b,
                 Undefined &undefined);
void markElements(RegisterFile file, const uint32_t *registers, const Fragment &c,
                  unsigned rows, unsigned columns, Undefined &undefined);
/// Poisons the elements of D that are undefined.
void poisonElements(RegisterFile file, const uint32_t *registers, const Fragment &d,
                    unsigned columns, const Undefined &undefined);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MATRIXLAYOUTS_H
