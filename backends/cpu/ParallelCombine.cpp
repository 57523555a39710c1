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
    Expr next = toAccumulator(combiner, {b, loc, lookupVector(combine.getValue())});
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
void ParallelEmitter::emitResult(CombineOp combine, Expr accumulators) {
  ElementCombiner combiner = getCombiner(combine);
  Expr result = combineAcross(combiner, {accumulators});
  Indices at;
  for (const LaneValue &index : lookup(combine.getIndices()))
    at.push_back(index.scalar);
  storeCombined(b, combiner, {b, combine.getLoc(), sliceLanes(b, result, 0, 1)},
                combine.getRow(), at, combine.getAccumulate());
}

//===----------------------------------------------------------------------===//
// Short rows, as many together as a vector has lanes
//===----------------------------------------------------------------------===//

/// Whether the lanes of all rows are combined when the loop is done: the rows are a
/// tile's elements in their order, nothing else uses that, and rows are so short that the
/// lanes of each on its own would take as long as its elements.
bool ParallelEmitter::combinesRowsTogether(ArrayRef<CombineOp> combines) {
  constexpr int64_t shortVectors = 16;
  ArrayRef<int64_t> extents = op.getExtents();
  if (combines.empty() || extents.size() != 2 || plan.dim != 1 || extents[0] == 1 ||
      extents[1] > shortVectors * plan.lanes)
    return false;
  return llvm::all_of(combines, [&](CombineOp combine) {
    auto isOther = [&](Operation *user) {
      return user != combine && op->isProperAncestor(user);
    };
    return combine.getIndices().size() == 1 &&
           combine.getIndices()[0] == op.getBody().getArgument(0) &&
           isTile(cast<MemRefType>(combine.getRow().getType())) &&
           combine.getRow().getDefiningOp<AllocOp>() &&
           llvm::none_of(combine.getRow().getUsers(), isOther);
  });
}

/// The tile that holds a vector of accumulators for each row.
Value ParallelEmitter::makeAccumulators(CombineOp combine) {
  auto type = MemRefType::get(
      {op.getExtents()[0], plan.lanes}, getCombiner(combine).accumulatorType(),
      MemRefLayoutAttrInterface(), SpaceAttr::get(b.getContext(), Space::Shared));
  return AllocOp::create(b, combine.getLoc(), type, b.getStringAttr("rows"),
                         IntegerAttr());
}

/// Writes the results of all rows, of which `accumulators` has a vector each.
void ParallelEmitter::emitRows(CombineOp combine, Value accumulators) {
  ElementCombiner combiner = getCombiner(combine);
  Location loc = combine.getLoc();
  int64_t rows = op.getExtents()[0];
  auto emitSome = [&](Value first, int64_t count) {
    SmallVector<Expr> vectors;
    for (int64_t row = 0; row < count; ++row)
      vectors.emplace_back(
          b, loc,
          loadLanes(b, accumulators, {b.add(first, row), b.index(0)}, plan.lanes));
    Expr results = combineAcross(combiner, vectors);
    forVectorRuns(count, plan.lanes, [&](int64_t begin, int64_t end, int64_t width) {
      for (int64_t row = begin; row < end; row += width)
        storeCombined(b, combiner, {b, loc, sliceLanes(b, results, row, width)},
                      combine.getRow(), {b.add(first, row)}, combine.getAccumulate());
    });
  };
  int64_t whole = rows - rows % plan.lanes;
  b.forLoop(whole, plan.lanes, [&](Value first) { emitSome(first, plan.lanes); });
  if (whole < rows)
    emitSome(b.index(whole), rows - whole);
}

//===----------------------------------------------------------------------===//
// The loops over a row
//===----------------------------------------------------------------------===//

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
    CombineOp combine = combines[number];
    SmallVector<Expr> own;
    for (int64_t i = 0; i < inFlight; ++i)
      own.emplace_back(b, combine.getLoc(), carried[i * count + number]);
    Expr all = combineAll(getCombiner(combine), own);
    if (rowsTogether.empty())
      emitResult(combine, all);
    else
      storeLanes(b, all, rowsTogether[number],
                 {lookup(op.getBody().getArgument(0)).scalar, b.index(0)});
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
