//===- LowerParallel.cpp - Parallel loops as loops over vectors ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_LOWERPARALLEL
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;

namespace {
struct LowerParallelPass : tilewright::cpu::impl::LowerParallelBase<LowerParallelPass> {
  using LowerParallelBase::LowerParallelBase;
  void runOnOperation() override;
};
} // namespace

/// Lowers `op` to a nest of scalar loops.
static void lowerToScalarLoops(ParallelOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  IRMapping mapping;
  for (auto [iv, extent] : llvm::zip_equal(op.getBody().getArguments(), op.getExtents())) {
    if (extent == 1) {
      mapping.map(iv, zero);
      continue;
    }
    Value bound = arith::ConstantIndexOp::create(builder, loc, extent);
    auto loop = scf::ForOp::create(builder, loc, zero, bound, one);
    mapping.map(iv, loop.getInductionVar());
    builder.setInsertionPointToStart(loop.getBody());
  }
  for (Operation &inner : op.getBody().front())
    builder.clone(inner, mapping);
}

void LowerParallelPass::runOnOperation() {
  SmallVector<ParallelOp> ops;
  getOperation()->walk([&](ParallelOp op) { ops.push_back(op); });
  for (ParallelOp op : ops) {
    if (!llvm::is_contained(op.getExtents(), 0))
      lowerToScalarLoops(op);
    op.erase();
  }
}
