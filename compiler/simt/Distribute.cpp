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

static bool isDealt(Value memref) {
  Operation *alloc = memref.getDefiningOp();
  return alloc && alloc->hasAttr(dealtAttrName);
}

/// Runs iterations thread, thread + threads, ... of the loop nest in row-major order. The
/// k-th of them is at the k-th element that the thread has of a tile that is dealt out.
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
  Value own; // k, where somebody asks
  parallel.walk([&](Operation *op) {
    auto load = dyn_cast<memref::LoadOp>(op);
    auto store = dyn_cast<memref::StoreOp>(op);
    if (!(load && isDealt(load.getMemRef())) && !(store && isDealt(store.getMemRef())))
      return;
    if (!own)
      own = arith::DivUIOp::create(builder, loc, position, constant(threads));
    (load ? load.getIndicesMutable() : store.getIndicesMutable()).assign(own);
  });
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

/// Gives each thread room for its own elements of a tile that is dealt out.
static void distributeTile(AllocOp alloc, int64_t threads) {
  auto type = cast<MemRefType>(alloc.getResult().getType());
  int64_t count = llvm::divideCeil(type.getNumElements(), threads);
  alloc.getResult().setType(MemRefType::get({count}, type.getElementType(),
                                            MemRefLayoutAttrInterface(),
                                            type.getMemorySpace()));
  alloc->removeAttr(dealtAttrName);
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
    SmallVector<AllocOp> dealt;
    kernel.walk([&](Operation *op) {
      if (isa<ParallelOp, OnceOp>(op))
        shared.push_back(op);
      else if (op->hasAttr(dealtAttrName))
        dealt.push_back(cast<AllocOp>(op));
    });
    for (Operation *op : shared) {
      if (auto parallel = dyn_cast<ParallelOp>(op))
        distributeParallel(parallel, thread, threads);
      else
        distributeOnce(cast<OnceOp>(op), thread);
    }
    for (AllocOp alloc : dealt)
      distributeTile(alloc, threads);
  });
}
