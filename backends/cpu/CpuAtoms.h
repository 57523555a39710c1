//===- CpuAtoms.h - The atoms of CPUs -----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_CPU_ATOMS_H
#define TILEWRIGHT_BACKENDS_CPU_CPU_ATOMS_H

#include "backends/cpu/CpuTarget.h"
#include "dialects/tile/Tile.h"

#include "backends/cpu/CpuDialect.h.inc"
#include "backends/cpu/CpuEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "backends/cpu/CpuAttrs.h.inc"

namespace tilewright::cpu {

/// Independent issues per cycle at the model's vector width; 0 where it has none.
double getIssueRate(const CpuModel &model, Instruction instruction);

/// Elements along K that a step of an inner `atom` reads of tiles of types `a` and `b`. For
/// bf16 widened to f32 that is twice the atom's own step: a whole register.
int64_t getInnerStep(AtomAttr atom, mlir::Type a, mlir::Type b);

/// Every atom that `target` can run: each instruction it has with each register block
/// that its registers hold.
llvm::SmallVector<AtomAttr> getCpuAtoms(mlir::MLIRContext *context,
                                        const CpuTarget &target);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_CPU_ATOMS_H
