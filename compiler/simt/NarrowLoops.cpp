//===- NarrowLoops.cpp - Loops of a GPU that count in 32 bits -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A GPU adds and compares 64 bits in two or three instructions each, which in a loop of
// a hundred is felt. LLVM widens what counts, and never narrows it.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_NARROWLOOPS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;

namespace {
struct NarrowLoopsPass : tilewright::simt::impl::NarrowLoopsBase<NarrowLoopsPass> {
  void runOnOperation() override;
};
} // namespace

/// Whether the counter goes from one number up to another by steps of a third, and is
/// below 2^31 even behind the end.
static bool isShort(scf::ForOp loop) {
  std::optional<int64_t> first = getConstantIntValue(loop.getLowerBound());
  std::optional<int64_t> end = getConstantIntValue(loop.getUpperBound());
  std::optional<int64_t> step = getConstantIntValue(loop.getStep());
  return first && end && step && *first >= 0 && *end <= INT32_MAX && *step > 0 &&
         *step <= INT32_MAX - std::max<int64_t>(*end, 0);
}

void NarrowLoopsPass::runOnOperation() {
  getOperation()->walk([&](scf::ForOp loop) {
    Value counter = loop.getInductionVar();
    if (!counter.getType().isIndex() || !isShort(loop))
      return;
    OpBuilder builder(loop);
    Location loc = loop.getLoc();
    Type i32 = builder.getI32Type();
    for (OpOperand *bound : {&loop.getLowerBoundMutable(), &loop.getUpperBoundMutable(),
                             &loop.getStepMutable()})
      bound->set(arith::ConstantIntOp::create(builder, loc, i32,
                                              *getConstantIntValue(bound->get())));
    counter.setType(i32);
    builder.setInsertionPointToStart(loop.getBody());
    auto wide =
        arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(), counter);
    counter.replaceAllUsesExcept(wide, wide);
    ++numNarrowed;
  });
}
