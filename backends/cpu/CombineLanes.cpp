//===- CombineLanes.cpp - Vectors of accumulators become results --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// As many rows as a vector has lanes are combined across by a tree of shuffles. For four
// rows a, b, c, d of four lanes:
//
//   a0 a1 a2 a3   b0 b1 b2 b3   c0 c1 c2 c3   d0 d1 d2 d3
//   a0+a1 a2+a3 b0+b1 b2+b3     c0+c1 c2+c3 d0+d1 d2+d3
//   a b c d
//
// which costs three combinations and six shuffles for four rows, where each row on its
// own would cost two of both and its result a scalar store.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LowerReduce.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

Expr cpu::toAccumulator(const ElementCombiner &combiner, Expr element) {
  Expr x = combiner.fromSource(element);
  if (!combiner.leavesNaNOut())
    return x;
  return combiner.combine(
      x, {x.builder(), x.loc(), combiner.identity(x.builder(), x.loc(), x.type())});
}

/// What two accumulators make together. Where NaN is left out neither is one, which takes
/// one instruction instead of three.
static Expr combineAccumulators(const ElementCombiner &combiner, Expr x, Expr y) {
  Expr result = combiner.combine(x, y);
  Operation *op = Value(result).getDefiningOp();
  if (combiner.leavesNaNOut() && isa_and_nonnull<arith::MaxNumFOp, arith::MinNumFOp>(op))
    cast<arith::ArithFastMathInterface>(op)->setAttr(
        "fastmath",
        arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::nnan));
  return result;
}

Expr cpu::combineAll(const ElementCombiner &combiner, SmallVector<Expr> parts) {
  while (parts.size() > 1) {
    SmallVector<Expr> pairs;
    for (size_t i = 0; i + 1 < parts.size(); i += 2)
      pairs.push_back(combineAccumulators(combiner, parts[i], parts[i + 1]));
    if (parts.size() % 2 == 1)
      pairs.push_back(parts.back());
    parts = std::move(pairs);
  }
  return parts.front();
}

/// The units of a pair of vectors (`unit` lanes each) at even or odd places.
static SmallVector<int64_t> everySecondUnit(int64_t lanes, int64_t unit, int64_t block,
                                            bool odd) {
  SmallVector<int64_t> mask;
  for (int64_t base = 0; base < lanes; base += block)
    for (int64_t vector : {int64_t(0), lanes})
      for (int64_t place = odd ? unit : 0; place < block; place += 2 * unit)
        for (int64_t lane = 0; lane < unit; ++lane)
          mask.push_back(vector + base + place + lane);
  return mask;
}

Expr cpu::combineAcross(const ElementCombiner &combiner, SmallVector<Expr> rows) {
  OpBuilder &b = rows.front().builder();
  Location loc = rows.front().loc();
  int64_t lanes = cast<VectorType>(rows.front().type()).getNumElements();
  // First within the register's blocks of 128 bits, where shuffles are cheap, then
  // across them.
  int64_t perBlock =
      std::min<int64_t>(lanes, 128 / combiner.accumulatorType().getIntOrFloatBitWidth());
  auto halve = [&](int64_t unit, int64_t block) {
    SmallVector<int64_t> even = everySecondUnit(lanes, unit, block, false);
    SmallVector<int64_t> odd = everySecondUnit(lanes, unit, block, true);
    SmallVector<Expr> pairs;
    for (size_t i = 0; i < rows.size(); i += 2) {
      Expr x = rows[i], y = rows[std::min(i + 1, rows.size() - 1)];
      auto shuffle = [&](ArrayRef<int64_t> mask) -> Expr {
        return {b, loc, vector::ShuffleOp::create(b, loc, x, y, mask)};
      };
      pairs.push_back(combineAccumulators(combiner, shuffle(even), shuffle(odd)));
    }
    rows = std::move(pairs);
  };
  for (int64_t left = perBlock; left > 1; left /= 2)
    halve(1, perBlock);
  for (int64_t left = lanes / perBlock; left > 1; left /= 2)
    halve(perBlock, lanes);
  return rows.front();
}

void cpu::storeCombined(LoopBuilder &b, const ElementCombiner &combiner, Expr result,
                        Value dst, const Indices &at, bool accumulate) {
  auto type = cast<VectorType>(result.type());
  if (accumulate) {
    Expr former(b, b.getLoc(), loadLanes(b, dst, at, type.getNumElements()));
    result = combiner.combine(combiner.fromResult(former), result);
  }
  storeLanes(b, combiner.toResult(result, elementOf(dst)), dst, at);
}
