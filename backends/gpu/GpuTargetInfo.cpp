//===- GpuTargetInfo.cpp - GPUs as atom selection knows them ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/gpu/GpuTargetInfo.h"

#include "compiler/simt/GemmLayout.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

bool GpuTargetInfo::serves(AtomAttrInterface atom, const GemmProblem &problem) const {
  // Integers of all atoms so far are signed; whole warps issue them.
  return atom.getOperand(AtomRole::A).elementType == problem.a.product &&
         problem.a.product == problem.b.product &&
         atom.getOperand(AtomRole::C).elementType == problem.c && !problem.isUnsigned &&
         problem.threads % lanes == 0 && problem.threads > 0 &&
         atom.getIssueInterval(model).has_value();
}

double GpuTargetInfo::estimateCycles(AtomAttrInterface atom, const GemmProblem &problem,
                                     bool swapped) const {
  // Both orientations read the same elements.
  if (swapped != swaps)
    return std::numeric_limits<double>::infinity();
  AtomShape shape = atom.getShape();
  simt::Tiling tiling =
      simt::getTiling(shape, problem.m, problem.n, problem.threads / lanes);
  double steps = llvm::divideCeil(problem.k, shape.k);
  return tiling.m * tiling.n * steps * *atom.getIssueInterval(model) *
         (problem.threads / lanes);
}
