//===- Matrix.h - What a matrix instruction multiplies ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MFMA of CDNA and WMMA of RDNA: which elements a lane's registers hold, and what is done
// to them before and after the product. Layouts are those that AMD publishes with its
// matrix instruction calculator, and in "Matrix Core Programming on AMD CDNA3 and CDNA4".
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_MATRIX_H
#define TILEWRIGHT_EMULATORS_AMDGPU_MATRIX_H

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/MatrixMath.h"

namespace tilewright::amdgpu {

/// What C and D hold, and where.
enum class Accumulator : uint8_t {
  F32,
  F64, ///< in pairs of registers
  I32,
  HalfF16,    ///< one in each register, in the half that op_sel says
  HalfBF16,   ///< the same
  PackedF16,  ///< two in each register
  PackedBF16, ///< the same
};

/// A or B.
struct MatrixOperand {
  Element element = Element::F32;
  unsigned registers = 0;
  unsigned count = 0; ///< elements of a lane
  /// What neg changes in registers with an even number, and in others.
  uint32_t flip[2] = {0, 0};
  /// e8m0 factors, one for each row of A (column of B) and 32 k: in byte `scaleByte` of
  /// lane k / 32 * m + row.
  Source scale;
  unsigned scaleByte = 0;
};

/// An instruction; `Instruction::extra` of its sources A, B, C.
struct Matrix {
  MatrixShape shape;
  MatrixPlaces places;
  MatrixOperand a, b;
  Accumulator accumulator = Accumulator::F32;
  bool isScaled = false;
  bool flushes = false;   ///< subnormals of F16, BF16 and of the sums become zero
  bool clamps = false;    ///< the sum, to the range of I32
  bool isHigh = false;    ///< of HalfF16: the upper half
  bool isTwofold = false; ///< gfx11: both half-waves must hold the same A and B
  bool negatesC = false, absoluteC = false;
  unsigned laneGroups = 0; ///< MFMA's blgp
  // Of structured sparsity: A lacks two of each four k. Each two elements that a lane has
  // come with four bits that say where among the four they belong.
  Source sparseIndex;
  unsigned sparseBit = 0; ///< the first bit of a lane's

  unsigned lanes = 64; ///< of the wave

  static constexpr unsigned mostResults = 32;
  /// Results of a lane.
  unsigned countResults() const { return shape.m * shape.n * shape.blocks / lanes; }
  bool isPacked() const {
    return accumulator == Accumulator::PackedF16 ||
           accumulator == Accumulator::PackedBF16;
  }
  bool isHalf() const {
    return accumulator == Accumulator::HalfF16 || accumulator == Accumulator::HalfBF16;
  }
};

/// Where MFMA has its operands. `broadcast` and `broadcastFrom` are cbsz and abid.
MatrixPlaces placeMfma(const MatrixShape &shape, Accumulator accumulator,
                       unsigned broadcast, unsigned broadcastFrom);
/// Of f8f6f4: operands of eight bits come in two runs of sixteen k.
MatrixPlaces placeMixedMfma(const MatrixShape &shape, bool isWideA, bool isWideB);
MatrixPlaces placeWmma(const MatrixShape &shape, unsigned generation);
/// The lane that blgp has lane `lane` of B read.
unsigned getLaneOfGroups(unsigned laneGroups, unsigned lane);

bool areOperandsDefined(Wave &wave, const Instruction &instruction, const Matrix &matrix);
/// Which results are undefined, as poison of the registers of D after one another.
void findPoison(Wave &wave, const Instruction &instruction, const Matrix &matrix,
                uint8_t *poison);

/// The handler.
Step multiplyMatrices(Wave &wave, const Instruction &instruction);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_MATRIX_H
