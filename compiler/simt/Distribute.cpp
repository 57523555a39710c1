//===- Distribute.cpp - From the work of a block to that of a thread ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_DISTRIBUTE
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
struct DistributePass : tilewright::simt::impl::DistributeBase<DistributePass> {
  void runOnOperation() override;
};
} // namespace

/// Runs iterations thread, thread + threads, ... of the loop nest in row-major order.
static void distributeParallel(ParallelOp parallel, Value thread, int64_t threads) {
  Location loc = parallel.getLoc();
  OpBuilder builder(parallel);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  ArrayRef<int64_t> extents = parallel.getExtents();
  int64_t total = 1;
  for (int64_t extent : extents)
    total *= extent;
  auto loop =
      scf::ForOp::create(builder, loc, thread, constant(total), constant(threads));
  Block *body = loop.getBody();
  builder.setInsertionPointToStart(body);
  Value position = loop.getInductionVar();
  SmallVector<Value> indices(extents.size());
  for (int64_t dim = extents.size() - 1; dim > 0; --dim) {
    Value extent = constant(std::max<int64_t>(extents[dim], 1));
    indices[dim] = arith::RemUIOp::create(builder, loc, position, extent);
    position = arith::DivUIOp::create(builder, loc, position, extent);
  }
  indices[0] = position;
  Block *region = &parallel.getBody().front();
  for (auto [argument, index] : llvm::zip(region->getArguments(), indices))
    argument.replaceAllUsesWith(index);
  body->getOperations().splice(body->getTerminator()->getIterator(),
                               region->getOperations());
  parallel.erase();
}

static void distributeOnce(OnceOp once, Value thread) {
  Location loc = once.getLoc();
  OpBuilder builder(once);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value first =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, thread, zero);
  auto branch = scf::IfOp::create(builder, loc, first, /*withElseRegion=*/false);
  Block *then = branch.thenBlock();
  then->getOperations().splice(then->getTerminator()->getIterator(),
                               once.getBody().front().getOperations());
  once.erase();
}

void DistributePass::runOnOperation() {
  getOperation().walk([](KernelOp kernel) {
    OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
    Value thread = ThreadIdOp::create(builder, kernel.getLoc());
    int64_t threads = kernel.getThreads().value_or(defaultThreads);
    SmallVector<Operation *> shared;
    kernel.walk([&](Operation *op) {
      if (isa<ParallelOp, OnceOp>(op))
        shared.push_back(op);
    });
    for (Operation *op : shared) {
      if (auto parallel = dyn_cast<ParallelOp>(op))
        distributeParallel(parallel, thread, threads);
      else
        distributeOnce(cast<OnceOp>(op), thread);
    }
  });
}
