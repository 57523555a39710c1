//===- CpuCost.h - What a gemm costs with an atom -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_CPU_COST_H
#define TILEWRIGHT_BACKENDS_CPU_CPU_COST_H

#include "backends/cpu/CpuAtoms.h"
#include "compiler/analysis/TargetInfo.h"

namespace tilewright::cpu {

/// How the elements of an operand get from its tile to the form a micro-kernel reads.
enum class Feed {
  InPlace,    ///< they are in that form
  Convert,    ///< other element type, same order
  Interleave, ///< rows of K come to lie side by side
  Transpose,  ///< the dimensions change places
};

/// Of the operand that is broadcast (A of the atom) in groups of `depth` along K.
Feed getBroadcastFeed(AtomAttr atom, const GemmProblem::Operand &operand, int64_t k);
/// Of the operand that is loaded as vectors across columns (B of the atom).
Feed getVectorFeed(AtomAttr atom, const GemmProblem::Operand &operand);

/// Whether inner `atom` can read the operands of `problem`, rows along K in whole steps,
/// and its block, at most the problem's, fits so many registers.
bool servesInner(AtomAttr atom, const GemmProblem &problem, int64_t registers);

/// Whether rows of memory `rowBytes` apart, of which a product reads some columns again
/// and again, push each other out of L1: lines a multiple of 4 KiB apart share a set.
bool collideInL1(int64_t rows, int64_t rowBytes, int64_t ways);

/// Whether woven `atom` can read B of `problem`, a matrix of whole pairs of rows and of
/// vectors, where it lies, and is fast: there are some rows, which make few blocks.
bool servesWoven(AtomAttr atom, const GemmProblem &problem);

/// Cycles of one core, data in L1 and L2.
struct GemmCost {
  double compute; ///< the register blocks, remainders included
  double feedA;   ///< bringing A and B into the atom's form, spread over their uses
  double feedB;
  double turnC; ///< turning the result back, where the transpose is computed

  double getTotal() const { return compute + feedA + feedB + turnC; }
};

GemmCost estimateGemm(const CpuModel &model, AtomAttr atom, const GemmProblem &problem,
                      bool swapped);

/// Makes `cpu` and `cpu:MODEL` known to `tilewright::createTarget`.
void registerCpuTarget();

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_CPU_COST_H
