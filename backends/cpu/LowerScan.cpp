//===- LowerScan.cpp - Running combinations -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The running value is carried in an accumulator, f32 for narrower floats, and each
// result is rounded from it. Along the last dimension it is a scalar, along any other a
// vector of adjacent columns.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LowerReduce.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

void cpu::lowerScan(tile::ScanOp op, int64_t vectorBits) {
  LoopBuilder b(op);
  Location loc = op.getLoc();
  TilesAlongDim merged = mergeOtherDims(b, {op.getSrc(), op.getDst()}, op.getDim());
  Value src = merged.tiles[0], dst = merged.tiles[1];
  Type element = elementOf(src);
  int64_t dim = merged.dim, last = shapeOf(src).size() - 1, extent = shapeOf(src)[dim];
  ElementCombiner combiner(op);

  // Scans at `at`, whose entry for `dim` is free, `width` columns or one element.
  auto scan = [&](Indices &at, std::optional<int64_t> width) {
    auto load = [&](Value step) {
      at[dim] = op.getReverse() ? b.sub(b.index(extent - 1), step) : step;
      Value value = width ? loadLanes(b, src, at, *width)
                          : Value(memref::LoadOp::create(b, loc, src, at));
      return combiner.fromSource({b, loc, value});
    };
    auto store = [&](Expr running) {
      Expr result = combiner.toResult(running, element);
      if (width)
        storeLanes(b, result, dst, at);
      else
        memref::StoreOp::create(b, loc, result, dst, at);
    };
    if (op.getExclusive()) {
      Type type = combiner.accumulatorType();
      if (width)
        type = VectorType::get(*width, type);
      Value nothing = combiner.identity(b, loc, type);
      loopCarrying(b, 0, extent, 1, nothing, [&](Value step, ValueRange carried) {
        Expr running(b, loc, carried[0]), next = load(step);
        store(running);
        return SmallVector<Value>{combiner.combine(running, next)};
      });
      return;
    }
    Expr first = load(b.index(0));
    store(first);
    loopCarrying(b, 1, extent, 1, Value(first), [&](Value step, ValueRange carried) {
      Expr running = combiner.combine({b, loc, carried[0]}, load(step));
      store(running);
      return SmallVector<Value>{running};
    });
  };

  if (dim == last) {
    forOtherDims(b, shapeOf(src), {last}, [&](Indices &at) { scan(at, std::nullopt); });
    return;
  }
  // Several registers side by side are one wide vector, as in a reduction of columns.
  int64_t lanes =
      accumulators * std::min(laneCount(vectorBits, element),
                              laneCount(vectorBits, combiner.accumulatorType()));
  forOtherDims(b, shapeOf(src), {dim, last}, [&](Indices &at) {
    forVectorRuns(
        shapeOf(src).back(), lanes, [&](int64_t begin, int64_t end, int64_t width) {
          b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), width, [&](Value column) {
            at.back() = column;
            scan(at, width);
          });
        });
  });
}
