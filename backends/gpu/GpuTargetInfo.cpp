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

/// Whether an instruction on elements of `own` multiplies an operand's: as they are, or
/// widened on the way to registers, which leaves every number what it is.
static bool takes(Type own, const GemmProblem::Operand &operand, bool isUnsigned) {
  Type element = operand.product;
  if (element.isInteger()) {
    auto signedness = isUnsigned ? IntegerType::Unsigned : IntegerType::Signless;
    return own == IntegerType::get(own.getContext(), element.getIntOrFloatBitWidth(),
                                   signedness);
  }
  if (own == element)
    return true;
  auto wide = dyn_cast<FloatType>(own), narrow = cast<FloatType>(element);
  return wide && !isa<FloatTF32Type>(own) && !isa<FloatTF32Type>(element) &&
         narrow.getWidth() % 8 == 0 && narrow.getWidth() < wide.getWidth() &&
         llvm::APFloatBase::isRepresentableBy(narrow.getFloatSemantics(),
                                              wide.getFloatSemantics());
}

bool GpuTargetInfo::serves(AtomAttrInterface atom, const GemmProblem &problem) const {
  return takes(atom.getOperand(AtomRole::A).elementType, problem.a, problem.isUnsigned) &&
         takes(atom.getOperand(AtomRole::B).elementType, problem.b, problem.isUnsigned) &&
         atom.getOperand(AtomRole::C).elementType == problem.c &&
         problem.threads % lanes == 0 && problem.threads > 0 && // whole warps issue it
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
