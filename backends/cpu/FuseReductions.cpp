//===- FuseReductions.cpp - Reductions join the loops that make their elements ===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reduction along the last dimension reads again what a loop or a copy has just
// written. It becomes part of that loop:
//
//     parallel (i, j) { s[i, j] = x[i, j] * x[i, j] }      parallel (i, j) {
//     reduce sum s into t along 1                      =>    v = x[i, j] * x[i, j]
//                                                            s[i, j] = v
//                                                            combine sum v into t[i]
//                                                          }
//
// and where nothing else reads s, the tile is gone.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/FusableLoop.h"
#include "backends/cpu/MoveTogether.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Shorter rows are better combined several at a time, by the reduction itself.
static constexpr int64_t leastRow = 64;

/// Whether the loop that makes a reduction's elements can do the reduction.
static bool canCombine(ReduceOp reduce) {
  ArrayRef<int64_t> shape = reduce.getSrc().getType().getShape();
  std::optional<Combiner> combiner = reduce.getCombiner();
  return combiner && *combiner != Combiner::ArgMax && *combiner != Combiner::ArgMin &&
         reduce.getDim() + 1 == shape.size() && shape.back() >= leastRow;
}

/// Whether `loop` is straight code over elements.
static bool isStraight(ParallelOp loop) {
  return llvm::all_of(loop.getBody().front(), [](Operation &op) {
    return op.getNumRegions() == 0 &&
           (isa<memref::LoadOp, memref::StoreOp, LoadOp, StoreOp, CombineOp>(op) ||
            isMemoryEffectFree(&op));
  });
}

/// The value that an iteration of `loop` leaves in the element of `tile` that its
/// variables name; null where that is not all it does to the tile.
static Value getStored(ParallelOp loop, Value tile) {
  Value stored;
  for (auto store : loop.getBody().front().getOps<memref::StoreOp>()) {
    if (store.getMemref() != tile)
      continue;
    for (auto [index, variable, extent] : llvm::zip_equal(
             store.getIndices(), loop.getBody().getArguments(), loop.getExtents()))
      if (index != variable && !(extent == 1 && getConstantIntValue(index) == 0))
        return {};
    stored = store.getValue();
  }
  return stored;
}

/// The loop or whole copy that makes all elements of the reduction's source, if it is
/// near.
static Operation *findMaker(ReduceOp reduce) {
  Value tile = reduce.getSrc();
  ArrayRef<int64_t> shape = reduce.getSrc().getType().getShape();
  Operation *op = reduce->getPrevNode();
  for (int i = 0; op && i < mostBetween; op = op->getPrevNode(), ++i) {
    Effects effects(op);
    if (effects.isUnknown)
      return nullptr;
    if (!Effects(reduce).conflictsWith(effects))
      continue;
    if (auto loop = dyn_cast<ParallelOp>(op))
      if (loop.getExtents() == shape && isStraight(loop) && getStored(loop, tile))
        return op;
    if (auto copy = dyn_cast<CopyOp>(op))
      if (copy.getDst() == tile && copy.getDstSizes() == shape && FusableLoop::get(copy))
        return op;
    if (llvm::is_contained(effects.writes, tile))
      return nullptr;
  }
  return nullptr;
}

/// `maker` as a loop.
static ParallelOp makeLoop(Operation *maker, ReduceOp reduce) {
  if (auto loop = dyn_cast<ParallelOp>(maker))
    return loop;
  OpBuilder builder(maker);
  auto loop =
      ParallelOp::create(builder, maker->getLoc(), reduce.getSrc().getType().getShape());
  Block *body = &loop.getBody().emplaceBlock();
  for (size_t i = 0; i < loop.getExtents().size(); ++i)
    body->addArgument(builder.getIndexType(), maker->getLoc());
  FusableLoop::get(maker)->emitInto(*body);
  maker->erase();
  return loop;
}

static void fuse(ReduceOp reduce) {
  Operation *maker = canCombine(reduce) ? findMaker(reduce) : nullptr;
  // The loop's iterations have no order, in which they could see the results.
  if (!maker || Effects(maker).touches(reduce.getDst()))
    return;
  Operation *place = findPlace(maker, reduce);
  if (!place)
    return;
  ParallelOp loop = makeLoop(maker, reduce);
  if (place == reduce)
    loop->moveBefore(reduce);
  Block &body = loop.getBody().front();
  OpBuilder builder = OpBuilder::atBlockEnd(&body);
  SmallVector<Value> indices(body.getArguments().drop_back());
  if (indices.size() < reduce.getDst().getType().getShape().size())
    indices.push_back(arith::ConstantIndexOp::create(builder, reduce.getLoc(), 0));
  CombineOp::create(builder, reduce.getLoc(), *reduce.getCombiner(),
                    getStored(loop, reduce.getSrc()), reduce.getDst(), indices,
                    reduce.getAccumulate(), reduce.getIsUnsigned());
  reduce.erase();
}

void tilewright::cpu::fuseReductions(Block &block) {
  for (ReduceOp reduce : llvm::make_early_inc_range(block.getOps<ReduceOp>()))
    fuse(reduce);
}
