//===- LowerReduce.cpp - Reductions, scans and top-k to vector loops ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A reduction of rows (along the last dimension) combines the vectors of each row into
// one, then as many of these as they have lanes into one vector of results
// (CombineLanes.cpp). A row's result does not depend on which rows it is taken with.
//
// A reduction of columns (along any other dimension) combines vectors of adjacent
// columns and needs no shuffles.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LowerReduce.h"
#include "backends/cpu/Passes.h"

#include "llvm/Support/MathExtras.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_LOWERREDUCE
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using tile::ReduceOp;

namespace {
class Reduction {
public:
  Reduction(ReduceOp op, int64_t vectorBits)
      : b(op), combiner(op), accumulate(op.getAccumulate()) {
    TilesAlongDim merged = mergeOtherDims(b, op.getSrc(), op.getDim(), op.getDst());
    src = merged.tiles[0];
    dim = merged.dim;
    dst = dropReducedDim(b, merged, op.getDst());
    extent = shapeOf(src)[dim];
    lanes = std::min(laneCount(vectorBits, elementOf(src)),
                     laneCount(vectorBits, combiner.accumulatorType()));
    if (isLast())
      lanes = std::min<int64_t>(lanes, llvm::PowerOf2Ceil(extent));
  }

  void lower() {
    int64_t last = shapeOf(src).size() - 1;
    if (isLast())
      forOtherDims(b, shapeOf(src), {last - 1, last},
                   [&](Indices &at) { reduceRows(at); });
    else
      forOtherDims(b, shapeOf(src), {dim, last}, [&](Indices &at) { reduceColumns(at); });
  }

private:
  bool isLast() const { return dim + 1 == static_cast<int64_t>(shapeOf(src).size()); }
  void reduceRows(Indices &at);
  void reduceColumns(Indices &at);
  Expr combineRow(Indices &at);
  SmallVector<Expr> combineInLoop(int64_t upper, int64_t step, int64_t stride,
                                  llvm::function_ref<Expr(Value)> elementsAt);
  Expr load(const Indices &at, int64_t width) {
    return toAccumulator(combiner, {b, b.getLoc(), loadLanes(b, src, at, width)});
  }
  void store(Expr result, const Indices &at) {
    storeCombined(b, combiner, result, dst, at, accumulate);
  }

  LoopBuilder b;
  ElementCombiner combiner;
  bool accumulate;
  Value src, dst;
  int64_t dim, extent, lanes;
};
} // namespace

/// Accumulators of the elements at 0, stride, 2 stride, ... below `upper`, which is a
/// multiple of `step`; the elements of a step go to one accumulator each.
SmallVector<Expr> Reduction::combineInLoop(int64_t upper, int64_t step, int64_t stride,
                                           llvm::function_ref<Expr(Value)> elementsAt) {
  SmallVector<Value> first;
  for (int64_t i = 0; i < step; i += stride)
    first.push_back(elementsAt(b.index(i)));
  auto combined =
      loopCarrying(b, step, upper, step, first, [&](Value index, ValueRange carried) {
        SmallVector<Value> next;
        for (auto [number, former] : llvm::enumerate(carried)) {
          Expr elements = elementsAt(b.add(index, number * stride));
          next.push_back(combiner.combine({b, b.getLoc(), former}, elements));
        }
        return next;
      });
  SmallVector<Expr> results;
  for (Value value : combined)
    results.emplace_back(b, b.getLoc(), value);
  return results;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// The elements of the row at `at`, combined into one vector.
Expr Reduction::combineRow(Indices &at) {
  auto elementsAt = [&](Value column, int64_t width) {
    at.back() = column;
    return load(at, width);
  };
  SmallVector<Expr> parts;
  int64_t column = 0;
  if (extent > unrolledVectors * lanes) {
    column = extent - extent % (accumulators * lanes);
    parts = combineInLoop(column, accumulators * lanes, lanes,
                          [&](Value index) { return elementsAt(index, lanes); });
  }
  for (; column + lanes <= extent; column += lanes)
    parts.push_back(elementsAt(b.index(column), lanes));
  if (column < extent) {
    auto type = VectorType::get(lanes, combiner.accumulatorType());
    Value padded = combiner.identity(b, b.getLoc(), type);
    forVectorRuns(extent - column, lanes, [&](int64_t begin, int64_t, int64_t width) {
      Expr part = elementsAt(b.index(column + begin), width);
      padded = insertLanes(b, part, padded, begin);
    });
    parts.emplace_back(b, b.getLoc(), padded);
  }
  return combineAll(combiner, parts);
}

void Reduction::reduceRows(Indices &at) {
  int64_t rows = shapeOf(src).end()[-2];
  auto block = [&](Value first, int64_t count) {
    SmallVector<Expr> vectors;
    for (int64_t row = 0; row < count; ++row) {
      at.end()[-2] = b.add(first, row);
      vectors.push_back(combineRow(at));
    }
    Expr results = combineAcross(combiner, vectors);
    Indices to(at.begin(), at.end() - 1);
    forVectorRuns(count, lanes, [&](int64_t begin, int64_t end, int64_t width) {
      for (int64_t row = begin; row < end; row += width) {
        to.back() = b.add(first, row);
        store({b, b.getLoc(), sliceLanes(b, results, row, width)}, to);
      }
    });
  };
  // Long rows have loops of their own and gain nothing from being taken together.
  int64_t together = extent > unrolledVectors * lanes ? 1 : lanes;
  int64_t whole = rows - rows % together;
  b.forLoop(whole, together, [&](Value first) { block(first, together); });
  if (whole < rows)
    block(b.index(whole), rows - whole);
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

void Reduction::reduceColumns(Indices &at) {
  // Several registers side by side are one wide vector; where columns are too few for
  // that, several rows are taken at a time.
  // The widest says how many, so that all columns are added up in one order.
  int64_t columns = shapeOf(src).back();
  int64_t widest =
      std::min<int64_t>(accumulators * lanes, llvm::bit_floor<uint64_t>(columns));
  int64_t atATime =
      std::min(accumulators * lanes / widest, std::min(accumulators, extent));
  forVectorRuns(
      columns, accumulators * lanes, [&](int64_t begin, int64_t end, int64_t width) {
        b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), width, [&](Value column) {
          at.back() = column;
          auto elementsAt = [&](Value row) {
            at[dim] = row;
            return load(at, width);
          };
          int64_t whole = extent - extent % atATime;
          SmallVector<Expr> parts = combineInLoop(whole, atATime, 1, elementsAt);
          for (int64_t row = whole; row < extent; ++row)
            parts.push_back(elementsAt(b.index(row)));
          Indices to(at);
          to.erase(to.begin() + dim);
          store(combineAll(combiner, parts), to);
        });
      });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct LowerReduce : cpu::impl::LowerReduceBase<LowerReduce> {
  using LowerReduceBase::LowerReduceBase;

  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      if (auto reduce = dyn_cast<ReduceOp>(op)) {
        bool positions = reduce.getCombiner() == tile::Combiner::ArgMax ||
                         reduce.getCombiner() == tile::Combiner::ArgMin;
        if (positions)
          lowerArgReduce(reduce, vectorBits);
        else
          Reduction(reduce, vectorBits).lower();
      } else if (auto scan = dyn_cast<tile::ScanOp>(op)) {
        lowerScan(scan, vectorBits);
      } else if (auto topk = dyn_cast<tile::TopKOp>(op)) {
        lowerTopK(topk, vectorBits);
      } else {
        return;
      }
      op->erase();
    });
  }
};
} // namespace
