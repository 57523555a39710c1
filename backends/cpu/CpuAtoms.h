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

/// Elements along K that a step of an inner `atom` reads of tiles of types `a` and `b`
/// with `k` elements along K. For bf16 widened to f32, and bytes widened to 16 bits, that
/// is twice the atom's own step, a whole register; for bytes where it divides K.
int64_t getInnerStep(AtomAttr atom, mlir::Type a, mlir::Type b, int64_t k);

/// Register blocks of equally many rows that follow each other.
struct RowRun {
  int64_t begin, rows, count;
};

/// The blocks that cover `m` rows: the atom's, and one of the rows that are left. Where
/// those are few, each step would wait for the product before it, so the last whole block
/// shares its rows with the rest.
llvm::SmallVector<RowRun, 3> getRowRuns(AtomAttr atom, int64_t m);

/// Rows, columns and groups along K of a whole tile of AMX.
constexpr int64_t sideOfTile = 16;

/// Groups along K in each tile of a product that has `groups` of them. They are equally
/// many in all tiles, since another shape would cost the sums in tiles.
int64_t getGroupsOfTile(int64_t groups);

/// Every atom that `target` can run: each instruction it has with each register block
/// that its registers hold.
llvm::SmallVector<AtomAttr> getCpuAtoms(mlir::MLIRContext *context,
                                        const CpuTarget &target);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_CPU_ATOMS_H
