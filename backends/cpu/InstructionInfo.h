//===- InstructionInfo.h - What is true of instructions of atoms --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_INSTRUCTIONINFO_H
#define TILEWRIGHT_BACKENDS_CPU_INSTRUCTIONINFO_H

#include "backends/cpu/CpuAtoms.h"

namespace tilewright::cpu {

/// What is true of an instruction whatever its register block.
struct InstructionInfo {
  int64_t elementBits;
  bool isFloat;
  int64_t depth;
  /// Features that the forms with registers of 128, 256 and 512 bits need; null where
  /// there is none.
  const char *features128, *features256, *features512;

  const char *getFeatures(int64_t vectorBits) const {
    return vectorBits == 128   ? features128
           : vectorBits == 256 ? features256
           : vectorBits == 512 ? features512
                               : nullptr;
  }
};

/// The row of an instruction; `fma` has a second one, for f64.
InstructionInfo getInfo(Instruction instruction, bool isF64 = false);

/// Whether its registers are the tiles of AMX.
bool multipliesTiles(Instruction instruction);
/// Whether a register of C holds a square of two rows and two columns.
bool multipliesSquares(Instruction instruction);

/// The names of a list that commas separate.
llvm::SmallVector<llvm::StringRef> splitFeatures(llvm::StringRef list);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_INSTRUCTIONINFO_H
