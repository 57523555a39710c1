//===- SelectAtoms.cpp - Choose the instruction of each gemm ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/TargetInfo.h"
#include "compiler/transforms/Passes.h"

#include <cmath>

namespace tilewright::tile {
#define GEN_PASS_DEF_SELECTATOMS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

namespace {
struct Choice {
  AtomAttrInterface atom;
  bool swapped;
  double cycles;
};

struct SelectAtomsPass : tile::impl::SelectAtomsBase<SelectAtomsPass> {
  using SelectAtomsBase::SelectAtomsBase;

  void getDependentDialects(DialectRegistry &registry) const override;
  LogicalResult initialize(MLIRContext *context) override;
  void runOnOperation() override;

private:
  LogicalResult select(GemmOp gemm);

  std::shared_ptr<TargetInfo> info;
  SmallVector<AtomAttrInterface> atoms;
};
} // namespace

/// `problem` as messages name it.
static std::string describe(const GemmProblem &problem) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << (problem.isUnsigned ? "unsigned " : "") << problem.a.element << " x "
     << problem.b.element << " into " << problem.c;
  return text;
}

static void print(InFlightDiagnostic &os, const Choice &choice) {
  os << choice.atom << (choice.swapped ? " swapped" : "") << " ("
     << static_cast<int64_t>(choice.cycles) << " cycles)";
}

/// Every way to compute `problem` with one of `atoms`, cheapest first; with `uniform`,
/// those that sum all elements of C alike.
static SmallVector<Choice> rank(const TargetInfo &info, ArrayRef<AtomAttrInterface> atoms,
                                const GemmProblem &problem, bool uniform) {
  SmallVector<Choice> choices;
  for (bool swapped : {false, true}) {
    GemmProblem turned = swapped ? problem.getTransposed() : problem;
    for (AtomAttrInterface atom : atoms)
      if (info.serves(atom, turned) && (!uniform || info.isUniform(atom, turned)))
        if (double cycles = info.estimateCycles(atom, turned, swapped);
            std::isfinite(cycles))
          choices.push_back({atom, swapped, cycles});
  }
  llvm::stable_sort(choices,
                    [](const Choice &a, const Choice &b) { return a.cycles < b.cycles; });
  return choices;
}

/// Whether the instruction makes one element of C, so that orientation says little.
static bool isScalarProduct(AtomAttrInterface atom) {
  return atom.getShape().m == 1 && atom.getShape().n == 1;
}

void SelectAtomsPass::getDependentDialects(DialectRegistry &registry) const {
  // An unknown target is reported when the pass is initialised.
  llvm::Expected<std::unique_ptr<TargetInfo>> created = createTarget(target);
  if (created)
    (*created)->getDependentDialects(registry);
  else
    llvm::consumeError(created.takeError());
}

LogicalResult SelectAtomsPass::initialize(MLIRContext *context) {
  llvm::Expected<std::unique_ptr<TargetInfo>> created = createTarget(target);
  if (!created)
    return emitError(UnknownLoc::get(context), llvm::toString(created.takeError()));
  info = std::move(*created);
  atoms = info->getAtoms(context);
  return success();
}

LogicalResult SelectAtomsPass::select(GemmOp gemm) {
  auto function = gemm->getParentOfType<FunctionOpInterface>();
  bool isInvariant = function && function->hasAttr("tile.batch_invariant");
  GemmProblem problem = GemmProblem::get(gemm, /*countsUses=*/!isInvariant);
  SmallVector<Choice> choices = rank(*info, atoms, problem, /*uniform=*/isInvariant);
  if (choices.empty() && info->expandsGemms()) {
    gemm.emitRemark("multiplies ")
        << describe(problem) << " by multiply-adds: " << info->getName()
        << " has no instruction for it";
    return success();
  }
  if (choices.empty())
    return gemm.emitOpError("multiplies ")
           << describe(problem) << ", for which " << info->getName()
           << " has no instruction; convert the operands to a type that it has";
  gemm.setAtomAttr(choices.front().atom);
  gemm.setSwapped(choices.front().swapped);
  InFlightDiagnostic remark = gemm.emitRemark("uses ");
  print(remark, choices.front());
  // Blocks of other sizes with the same instruction say little: the runner-up is the best
  // of the other orientation, of another form or of another element type.
  bool oriented = !isScalarProduct(choices.front().atom);
  auto differs = [&](const Choice &choice) {
    return (oriented && choice.swapped != choices.front().swapped) ||
           isScalarProduct(choice.atom) == oriented ||
           choice.atom.getOperand(AtomRole::A).elementType !=
               choices.front().atom.getOperand(AtomRole::A).elementType;
  };
  if (auto next = llvm::find_if(choices, differs); next != choices.end()) {
    remark << "; next best is ";
    print(remark, *next);
  }
  return success();
}

void SelectAtomsPass::runOnOperation() {
  WalkResult walk = getOperation()->walk([&](GemmOp gemm) {
    return failed(select(gemm)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (walk.wasInterrupted())
    signalPassFailure();
}
