//===- MatrixHazards.h - Wait states behind MFMA, on every path -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_MATRIXHAZARDS_H
#define TILEWRIGHT_BACKENDS_HIP_MATRIXHAZARDS_H

namespace llvm {
class FunctionPass;
} // namespace llvm

namespace tilewright::hip {

/// Adds to LLVM's code generation for CDNA a pass behind its own hazard recognizer. That
/// one looks at each block once on its way back from a use, by the first way it finds,
/// and so misses matrix instructions that a shorter way (a branch around a guarded
/// statement) brings nearer.
void registerMatrixHazards();

/// That pass, over machine code of CDNA.
llvm::FunctionPass *createMatrixHazards();

} // namespace tilewright::hip

#endif // TILEWRIGHT_BACKENDS_HIP_MATRIXHAZARDS_H
