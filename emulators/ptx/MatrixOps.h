//===- MatrixOps.h - What the matrix instructions of a warp share -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MATRIXOPS_H
#define TILEWRIGHT_EMULATORS_PTX_MATRIXOPS_H

#include "emulators/ptx/Decode.h"
#include "emulators/ptx/MatrixLayouts.h"
#include "emulators/ptx/MatrixMath.h"

namespace tilewright::ptx {

void decodeLdmatrix(Decoder &decoder);  // LdmatrixOps.cpp
void decodeStmatrix(Decoder &decoder);  // LdmatrixOps.cpp
void decodeMovmatrix(Decoder &decoder); // LdmatrixOps.cpp
void decodeMma(Decoder &decoder);       // MmaOps.cpp
void decodeMmaQuad(Decoder &decoder);   // MmaQuadOps.cpp
void decodeWmma(Decoder &decoder);      // WmmaOps.cpp

/// Takes .sync.aligned, which all of them need.
void takeSyncAligned(Decoder &decoder);
/// Fails unless the module is for `least` or later.
void requireArchitecture(Decoder &decoder, unsigned least);
/// Takes a modifier of the form m16n8k16; all zero, and a failure, if there is none.
MatrixSize takeShape(Decoder &decoder);

/// Whether all 32 lanes execute the instruction; if not, `step` is what the handler says:
/// Wait for the others, or Stop since some are gone or their guard fails.
bool haveAllLanes(Warp &warp, Step &step);

/// A multiplication of matrices in registers: mma.sync and wmma.mma. Its registers are in
/// the instruction's list: D, A, B, C.
struct MmaShape {
  MatrixSize size; ///< k in words for single bits
  Type a = Type::None, b = Type::None, c = Type::None, d = Type::None;
  Fragment aFragment, bFragment, cFragment, dFragment;
  bool clamps = false; ///< .satfinite
  bool isAnd = false;  ///< and.popc, not xor.popc
};

/// Lays the operands 0 to 3 (D, A, B, C) and the handler of `shape`, whose size in
/// elements and types are set. `copies` are those of the registers of A and of B.
void decodeProduct(Decoder &decoder, MmaShape shape, unsigned aCopies = 1,
                   unsigned bCopies = 1);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MATRIXOPS_H
