//===- LowerArgReduce.cpp - Positions of the largest and smallest -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements are compared by integer keys of the same order, so that every element type,
// NaN included, takes the same few instructions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LowerReduce.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using tile::ReduceOp;

/// The scalar `index` in all lanes of `type`.
static Expr broadcastIndex(LoopBuilder &b, Value index, VectorType type) {
  Location loc = b.getLoc();
  Value scalar = b.createOrFold<arith::IndexCastOp>(loc, type.getElementType(), index);
  return {b, loc, b.createOrFold<vector::BroadcastOp>(loc, type, scalar)};
}

static Value reduceLanes(LoopBuilder &b, vector::CombiningKind kind, Value vector) {
  return vector::ReductionOp::create(b, b.getLoc(), kind, vector);
}

Value cpu::positionOfLargest(LoopBuilder &b, int64_t extent, int64_t lanes, Type keyType,
                             llvm::function_ref<Expr(Value, int64_t)> keysAt) {
  Location loc = b.getLoc();
  auto type = VectorType::get(lanes, keyType);
  unsigned width = keyType.getIntOrFloatBitWidth();
  auto expr = [&](Value value) { return Expr(b, loc, value); };
  auto constant = [&](APInt number) {
    return expr(splat(b, loc, type, b.getIntegerAttr(keyType, number)));
  };
  // Each lane of each accumulator keeps its largest key and the start of the vector
  // that had it; only a larger key replaces it, so that the first of equals stays.
  struct Best {
    Expr key, start;
  };
  auto take = [&](Best best, Expr keys, Value start) -> Best {
    Expr larger = keys > best.key;
    return {select(larger, keys, best.key),
            select(larger, broadcastIndex(b, start, type), best.start)};
  };

  int64_t vectors = extent / lanes;
  int64_t count = std::clamp<int64_t>(vectors, 1, 4);
  int64_t step = count * lanes;
  Best none{constant(APInt::getSignedMinValue(width)), constant(APInt::getZero(width))};
  SmallVector<Best> bests(count, none);
  if (vectors > 0)
    for (int64_t i = 0; i < count; ++i)
      bests[i] = {keysAt(b.index(i * lanes), lanes),
                  broadcastIndex(b, b.index(i * lanes), type)};

  int64_t start = std::min(step, vectors * lanes);
  if (vectors > 2 * unrolledVectors) {
    int64_t whole = extent - extent % step;
    SmallVector<Value> carried;
    for (Best &best : bests)
      carried.append({best.key, best.start});
    carried =
        loopCarrying(b, start, whole, step, carried, [&](Value index, ValueRange in) {
          SmallVector<Value> next;
          for (int64_t i = 0; i < count; ++i) {
            Value at = b.add(index, i * lanes);
            Best best =
                take({expr(in[2 * i]), expr(in[2 * i + 1])}, keysAt(at, lanes), at);
            next.append({best.key, best.start});
          }
          return next;
        });
    for (int64_t i = 0; i < count; ++i)
      bests[i] = {expr(carried[2 * i]), expr(carried[2 * i + 1])};
    start = whole;
  }
  for (int64_t i = 0; start + lanes <= extent; start += lanes, i = (i + 1) % count)
    bests[i] = take(bests[i], keysAt(b.index(start), lanes), b.index(start));
  if (start < extent) {
    Value padded = none.key;
    forVectorRuns(extent - start, lanes, [&](int64_t begin, int64_t, int64_t part) {
      padded = insertLanes(b, keysAt(b.index(start + begin), part), padded, begin);
    });
    bests[0] = take(bests[0], expr(padded), b.index(start));
  }

  Expr most = bests[0].key;
  for (Best &best : llvm::drop_begin(bests))
    most = most.apply<arith::MaxSIOp>(best.key);
  Value largest = reduceLanes(b, vector::CombiningKind::MAXSI, most);
  Expr everywhere = expr(vector::BroadcastOp::create(b, loc, type, largest));
  // Among the lanes that hold it, the first position.
  SmallVector<APInt> numbers;
  for (int64_t lane = 0; lane < lanes; ++lane)
    numbers.emplace_back(width, lane);
  Expr lane =
      expr(arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, numbers)));
  Expr first = constant(APInt::getSignedMaxValue(width));
  for (Best &best : bests) {
    Expr holder = select(equal(best.key, everywhere), best.start + lane,
                         constant(APInt::getSignedMaxValue(width)));
    first = first.apply<arith::MinSIOp>(holder);
  }
  return reduceLanes(b, vector::CombiningKind::MINSI, first);
}

void cpu::lowerArgReduce(ReduceOp op, int64_t vectorBits) {
  LoopBuilder b(op);
  Location loc = op.getLoc();
  TilesAlongDim merged = mergeOtherDims(b, op.getSrc(), op.getDim(), op.getDst());
  Value src = merged.tiles[0], dst = dropReducedDim(b, merged, op.getDst());
  int64_t dim = merged.dim, last = shapeOf(src).size() - 1, extent = shapeOf(src)[dim];
  Type keyType = orderKeyType(elementOf(src));
  int64_t lanes = laneCount(vectorBits, keyType);
  bool smallest = op.getCombiner() == tile::Combiner::ArgMin;
  auto keysAt = [&](const Indices &at, int64_t width) {
    Expr elements(b, loc, loadLanes(b, src, at, width));
    return orderKey(elements, op.getIsUnsigned(), smallest);
  };

  if (dim == last) {
    lanes = std::min<int64_t>(lanes, llvm::PowerOf2Ceil(extent));
    forOtherDims(b, shapeOf(src), {last}, [&](Indices &at) {
      Value position =
          positionOfLargest(b, extent, lanes, keyType, [&](Value index, int64_t width) {
            at.back() = index;
            return keysAt(at, width);
          });
      Expr result = castElements({b, loc, position}, elementOf(dst));
      memref::StoreOp::create(b, loc, result, dst, ValueRange(at).drop_back());
    });
    return;
  }
  // Each lane is a column; only a larger key replaces an earlier one.
  forOtherDims(b, shapeOf(src), {dim, last}, [&](Indices &at) {
    forVectorRuns(
        shapeOf(src).back(), lanes, [&](int64_t begin, int64_t end, int64_t width) {
          b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), width, [&](Value column) {
            at.back() = column;
            at[dim] = b.index(0);
            auto type = VectorType::get(width, keyType);
            Expr keys = keysAt(at, width), zero = broadcastIndex(b, b.index(0), type);
            auto body = [&](Value row, ValueRange best) -> SmallVector<Value> {
              at[dim] = row;
              Expr next = keysAt(at, width), key(b, loc, best[0]),
                   position(b, loc, best[1]);
              Expr larger = next > key;
              return {select(larger, next, key),
                      select(larger, broadcastIndex(b, row, type), position)};
            };
            auto best = loopCarrying(b, 1, extent, 1, {keys, zero}, body);
            Indices to(at);
            to.erase(to.begin() + dim);
            storeLanes(b, castElements({b, loc, best[1]}, elementOf(dst)), dst, to);
          });
        });
  });
}
