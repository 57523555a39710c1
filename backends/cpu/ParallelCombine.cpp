//===- ParallelCombine.cpp - Parallel loops that combine rows -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop over the vectors of a row carries accumulators: for a light body several, that
// take turns and hide the latency of combining. They start from nothing, so a row's
// result depends on its length, the width of a vector and the body alone.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LowerReduce.h"
#include "backends/cpu/ParallelEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;
using namespace tilewright::cpu;

static ElementCombiner getCombiner(CombineOp combine) {
  return {combine.getCombiner(), combine.getValue().getType(), combine.getIsUnsigned()};
}

/// How many vectors of `loop` a core has to work on at once to be busy.
static int64_t countInFlight(ParallelOp loop) {
  constexpr int64_t ofFunction = 16; // operations that one becomes
  int64_t operations = 0;
  for (Operation &op : loop.getBody().front())
    operations += isa<math::MathDialect>(op.getDialect()) ? ofFunction : 1;
  return operations < 8 ? accumulators : operations < 16 ? accumulators / 2 : 1;
}

/// Emits the body for the `active` iterations from `iv` on, and what each of `combines`
/// makes of its accumulator and their values.
void ParallelEmitter::emitCombiningBody(ArrayRef<CombineOp> combines, Value iv,
                                        int64_t active,
                                        MutableArrayRef<Value> accumulators) {
  emitBody(iv, plan.lanes, active);
  for (auto [op, accumulator] : llvm::zip_equal(combines, accumulators)) {
    CombineOp combine = op;
    ElementCombiner combiner = getCombiner(combine);
    Location loc = combine.getLoc();
    Expr next = combiner.fromSource({b, loc, lookupVector(combine.getValue())});
    if (active < plan.lanes) {
      Value mask = vector::ConstantMaskOp::create(b, loc, vectorOf(b.getI1Type()),
                                                  ArrayRef<int64_t>{active});
      Expr nothing = combiner.identity(b, loc, next.type());
      next = {b, loc, arith::SelectOp::create(b, loc, mask, next, nothing)};
    }
    accumulator = combiner.combine({b, loc, accumulator}, next);
  }
}

/// Writes the result of a row.
void ParallelEmitter::emitResult(CombineOp combine, ArrayRef<Value> accumulators) {
  ElementCombiner combiner = getCombiner(combine);
  Location loc = combine.getLoc();
  SmallVector<Expr> parts;
  for (Value accumulator : accumulators)
    parts.emplace_back(b, loc, accumulator);
  Expr result = combineAcross(combiner, {combineAll(combiner, parts)});
  Indices at;
  for (const LaneValue &index : lookup(combine.getIndices()))
    at.push_back(index.scalar);
  storeCombined(b, combiner, {b, loc, sliceLanes(b, result, 0, 1)}, combine.getRow(), at,
                combine.getAccumulate());
}

void ParallelEmitter::emitCombiningLoops(ArrayRef<CombineOp> combines) {
  int64_t extent = op.getExtents()[plan.dim], vectors = extent / plan.lanes;
  int64_t inFlight =
      std::clamp<int64_t>(countInFlight(op), 1, std::max<int64_t>(vectors, 1));
  size_t count = combines.size();
  // Accumulators of all of `combines`, as often as vectors are in flight.
  SmallVector<Value> carried;
  for (int64_t i = 0; i < inFlight; ++i)
    for (CombineOp combine : combines) {
      ElementCombiner combiner = getCombiner(combine);
      auto type = VectorType::get(plan.lanes, combiner.accumulatorType());
      carried.push_back(combiner.identity(b, combine.getLoc(), type));
    }

  int64_t column = 0;
  auto loopOver = [&](int64_t end, int64_t together) {
    int64_t step = together * plan.lanes;
    MutableArrayRef<Value> all(carried);
    SmallVector<Value> used(all.take_front(together * count));
    used = loopCarrying(b, column, end, step, used, [&](Value iv, ValueRange former) {
      SmallVector<Value> next(former);
      for (int64_t i = 0; i < together; ++i)
        emitCombiningBody(combines, b.add(iv, i * plan.lanes), plan.lanes,
                          MutableArrayRef(next).slice(i * count, count));
      return next;
    });
    llvm::copy(used, carried.begin());
    column = std::max(column, end);
  };
  loopOver(vectors / inFlight * inFlight * plan.lanes, inFlight);
  loopOver(vectors * plan.lanes, 1);
  if (column < extent)
    emitCombiningBody(combines, b.index(column), extent - column,
                      MutableArrayRef(carried).take_front(count));

  for (size_t number = 0; number < count; ++number) {
    SmallVector<Value> own;
    for (int64_t i = 0; i < inFlight; ++i)
      own.push_back(carried[i * count + number]);
    emitResult(combines[number], own);
  }
}

void tilewright::cpu::lowerCombiningRow(LoopBuilder &b, ParallelOp op,
                                        IRMapping &mapping) {
  auto combines = llvm::to_vector(op.getBody().front().getOps<CombineOp>());
  SmallVector<Value> nothing;
  for (CombineOp combine : combines) {
    ElementCombiner combiner = getCombiner(combine);
    nothing.push_back(combiner.identity(b, combine.getLoc(), combiner.accumulatorType()));
  }
  SmallVector<Value> results = loopCarrying(
      b, 0, op.getExtents().back(), 1, nothing, [&](Value iv, ValueRange former) {
        mapping.map(op.getBody().getArguments().back(), iv);
        SmallVector<Value> next;
        for (Operation &inner : op.getBody().front())
          if (!isa<memref::PrefetchOp, CombineOp>(inner))
            b.clone(inner, mapping);
        for (auto [combine, accumulator] : llvm::zip_equal(combines, former)) {
          ElementCombiner combiner = getCombiner(combine);
          Location loc = combine.getLoc();
          Value value = mapping.lookupOrDefault(combine.getValue());
          next.push_back(combiner.combine({b, loc, accumulator},
                                          combiner.fromSource({b, loc, value})));
        }
        return next;
      });
  for (auto [combine, result] : llvm::zip_equal(combines, results)) {
    Indices at;
    for (Value index : combine.getIndices())
      at.push_back(mapping.lookupOrDefault(index));
    Value vector = vector::BroadcastOp::create(
        b, combine.getLoc(), VectorType::get(1, result.getType()), result);
    storeCombined(b, getCombiner(combine), {b, combine.getLoc(), vector},
                  combine.getRow(), at, combine.getAccumulate());
  }
}
