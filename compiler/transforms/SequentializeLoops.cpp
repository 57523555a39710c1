//===- SequentializeLoops.cpp - Pipelined loops as plain loops ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Passes.h"
#include "dialects/tile/Tile.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_SEQUENTIALIZELOOPS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright::tile;

static void sequentialize(PipelinedOp op) {
  OpBuilder builder(op);
  auto loop = scf::ForOp::create(builder, op.getLoc(), op.getLowerBound(),
                                 op.getUpperBound(), op.getStep());
  Block *body = loop.getBody();
  op.getBody().front().getArgument(0).replaceAllUsesWith(loop.getInductionVar());
  body->getOperations().splice(body->begin(), op.getBody().front().getOperations());
  op.erase();
}

namespace {
struct SequentializeLoopsPass
    : tilewright::tile::impl::SequentializeLoopsBase<SequentializeLoopsPass> {
  void runOnOperation() override {
    getOperation()->walk<WalkOrder::PostOrder>([](PipelinedOp op) { sequentialize(op); });
  }
};
} // namespace
