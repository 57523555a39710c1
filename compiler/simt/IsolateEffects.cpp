//===- IsolateEffects.cpp - What one thread does for its block ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_ISOLATEEFFECTS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
struct IsolateEffectsPass
    : tilewright::simt::impl::IsolateEffectsBase<IsolateEffectsPass> {
  void runOnOperation() override;
};
} // namespace

/// Whether `store` is in a `tile.parallel` that the memory was allocated outside of.
static bool entersParallel(Operation *store, AllocOp alloc) {
  auto parallel = store->getParentOfType<ParallelOp>();
  return parallel && !parallel->isAncestor(alloc);
}

/// Makes local tiles shared that a parallel loop writes for all to read.
static void shareLocals(KernelOp kernel) {
  SetVector<AllocOp> shared;
  kernel.walk([&](memref::StoreOp store) {
    auto alloc = getBaseMemory(store.getMemRef()).getDefiningOp<AllocOp>();
    if (alloc && getSpace(alloc.getResult()) == Space::Local &&
        entersParallel(store, alloc))
      shared.insert(alloc);
  });
  for (AllocOp alloc : shared)
    moveToSpace(alloc.getResult(), Space::Shared);
}

/// Gives tiles of narrow elements that atomics update whole words, which start as zero:
/// an atomic works on the word around its element, and compares all of it.
static void completeWords(KernelOp kernel) {
  SetVector<AllocOp> narrow;
  kernel.walk([&](AtomicOp atomic) {
    auto alloc = getBaseMemory(atomic.getMemref()).getDefiningOp<AllocOp>();
    if (alloc && atomic.getValue().getType().getIntOrFloatBitWidth() < 32)
      narrow.insert(alloc);
  });
  for (AllocOp alloc : narrow) {
    auto type = cast<MemRefType>(alloc.getResult().getType());
    Type element = type.getElementType();
    int64_t perWord = 32 / std::max(8u, element.getIntOrFloatBitWidth());
    int64_t count = llvm::alignTo(type.getNumElements(), perWord);
    OpBuilder builder(alloc);
    Location loc = alloc.getLoc();
    auto whole =
        AllocOp::create(builder, loc,
                        MemRefType::get({count}, element, MemRefLayoutAttrInterface(),
                                        type.getMemorySpace()),
                        alloc.getNameAttr(), IntegerAttr());
    auto [strides, offset] = type.getStridesAndOffset();
    Value part = memref::ReinterpretCastOp::create(builder, loc, type, whole.getResult(),
                                                   offset, type.getShape(), strides);
    auto nest = ParallelOp::create(builder, loc, ArrayRef<int64_t>{count});
    Block &body = nest.getBody().emplaceBlock();
    Value at = body.addArgument(builder.getIndexType(), loc);
    builder.setInsertionPointToStart(&body);
    Value zero = arith::ConstantOp::create(builder, loc, zeroBits(element));
    memref::StoreOp::create(builder, loc, zero, whole.getResult(), at);
    alloc.replaceAllUsesWith(part);
    alloc.erase();
  }
}

/// Whether all threads doing `op` is not the same as one doing it.
static bool isForOneThread(Operation *op) {
  if (isa<PrintOp, AssertOp, AtomicOp, StoreOp>(op))
    return true;
  auto store = dyn_cast<memref::StoreOp>(op);
  return store && getSpace(store.getMemRef()) != Space::Local;
}

/// Moves `op` into a `simt.once`; its result, where somebody wants it, comes out through
/// a shared tile of one element.
static void isolate(Operation *op) {
  OpBuilder builder(op);
  Location loc = op->getLoc();
  Value slot, zero;
  if (op->getNumResults() == 1 && !op->use_empty()) {
    auto type =
        MemRefType::get({1}, op->getResult(0).getType(), MemRefLayoutAttrInterface(),
                        SpaceAttr::get(op->getContext(), Space::Shared));
    slot = AllocOp::create(builder, loc, type, builder.getStringAttr("former value"),
                           IntegerAttr());
    zero = arith::ConstantIndexOp::create(builder, loc, 0);
  }
  auto once = OnceOp::create(builder, loc);
  Block *body = &once.getBody().emplaceBlock();
  if (slot) {
    Value passed = memref::LoadOp::create(builder, loc, slot, zero);
    op->getResult(0).replaceAllUsesWith(passed);
  }
  op->moveBefore(body, body->end());
  builder.setInsertionPointToEnd(body);
  if (slot)
    memref::StoreOp::create(builder, loc, op->getResult(0), slot, zero);
}

void IsolateEffectsPass::runOnOperation() {
  getOperation().walk([](KernelOp kernel) {
    shareLocals(kernel);
    completeWords(kernel);
    SmallVector<Operation *> effects;
    kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<ParallelOp, OnceOp>(op))
        return WalkResult::skip();
      if (isForOneThread(op))
        effects.push_back(op);
      return WalkResult::advance();
    });
    for (Operation *op : effects)
      isolate(op);
  });
}
