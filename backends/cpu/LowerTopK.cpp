//===- LowerTopK.cpp - The k largest elements, in order -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three ways, all stable, on integer keys of the elements' order:
// - few of many: k rounds, each finding the largest key and replacing it by the least;
// - of few: each element's rank is the number of keys that come before its own, counted
//   for a vector of elements at a time;
// - many of many: a radix sort of the keys and their positions, a byte at a time from
//   the lowest, of which the first k are taken.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LowerReduce.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

namespace {
class TopK {
public:
  TopK(tile::TopKOp op, int64_t vectorBits) : op(op), b(op), loc(op.getLoc()) {
    TilesAlongDim merged =
        mergeOtherDims(b, {op.getSrc(), op.getValues(), op.getIndices()}, op.getDim());
    src = merged.tiles[0];
    values = merged.tiles[1];
    indices = merged.tiles[2];
    dim = merged.dim;
    extent = shapeOf(src)[dim];
    count = shapeOf(values)[dim];
    keyType = orderKeyType(elementOf(src));
    lanes = std::min<int64_t>(laneCount(vectorBits, keyType), llvm::PowerOf2Ceil(extent));
  }

  void lower() {
    auto row = chooseMethod();
    if (row == &TopK::sortRow)
      allocateForSort();
    else
      keys[0] = scratch(extent, keyType);
    if (row == &TopK::rankRow)
      ranks = scratch(extent, keyType);
    forOtherDims(b, shapeOf(src), {dim}, [&](Indices &at) {
      loadKeys(at);
      (this->*row)(at);
    });
  }

private:
  using Method = void (TopK::*)(Indices &at);
  Method chooseMethod() const;
  void allocateForSort();
  void loadKeys(Indices &at);
  void selectRow(Indices &at);
  void rankRow(Indices &at);
  Expr ranksOf(Value first, int64_t width);
  Expr countKeys(Expr ranks, Value lower, Value upper,
                 llvm::function_ref<Expr(Expr ranks, Expr key)> count);
  void sortRow(Indices &at);
  void sortByByte(int64_t byte);
  void writeResult(Indices &at, Value rank, Value position);

  Value scratch(int64_t size, Type element) {
    auto space = tile::SpaceAttr::get(b.getContext(), tile::Space::Shared);
    auto type = MemRefType::get(size, element, MemRefLayoutAttrInterface(), space);
    return tile::AllocOp::create(b, loc, type, b.getStringAttr("topk.scratch"),
                                 IntegerAttr());
  }
  Expr load(Value memref, Value index) {
    return {b, loc, memref::LoadOp::create(b, loc, memref, index)};
  }
  void store(Value value, Value memref, Value index) {
    memref::StoreOp::create(b, loc, value, memref, index);
  }
  Expr asIndex(Expr position) {
    return position.to<arith::IndexCastOp>(b.getIndexType());
  }
  int64_t keyBytes() const { return keyType.getIntOrFloatBitWidth() / 8; }

  tile::TopKOp op;
  LoopBuilder b;
  Location loc;
  Value src, values, indices;
  int64_t dim, extent, count, lanes;
  Type keyType;
  /// Keys and their positions; a sort moves them between the two of each.
  Value keys[2], positions[2], histogram, ranks;
};
} // namespace

/// The method that takes the fewest cycles by a rough count. Rounds mark what they have
/// taken by the least integer, so they are not for keys that may be it.
TopK::Method TopK::chooseMethod() const {
  Type element = elementOf(src);
  int64_t vectors = llvm::divideCeil(extent, lanes);
  int64_t rank = extent * (10 + 2 * vectors), sort = keyBytes() * (2000 + 12 * extent);
  bool mayBeLeast = element.isInteger() && element.getIntOrFloatBitWidth() >= 32;
  int64_t select = mayBeLeast ? INT64_MAX : count * (40 + 2 * vectors);
  if (select <= std::min(rank, sort))
    return &TopK::selectRow;
  return rank <= sort ? &TopK::rankRow : &TopK::sortRow;
}

/// Fills keys[0] from the row at `at`.
void TopK::loadKeys(Indices &at) {
  int64_t last = shapeOf(src).size() - 1;
  int64_t widest = dim == last ? lanes : 1;
  forVectorRuns(extent, widest, [&](int64_t begin, int64_t end, int64_t width) {
    b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), width, [&](Value index) {
      at[dim] = index;
      Expr elements(b, loc, loadLanes(b, src, at, width));
      Expr ordered = orderKey(elements, op.getIsUnsigned(), op.getSmallest());
      storeLanes(b, ordered, keys[0], {index});
    });
  });
}

void TopK::writeResult(Indices &at, Value rank, Value position) {
  at[dim] = position;
  Value value = memref::LoadOp::create(b, loc, src, at);
  at[dim] = rank;
  memref::StoreOp::create(b, loc, value, values, at);
  Expr number = castElements({b, loc, position}, elementOf(indices));
  memref::StoreOp::create(b, loc, number, indices, at);
}

void TopK::selectRow(Indices &at) {
  b.forLoop(count, 1, [&](Value rank) {
    Value largest =
        positionOfLargest(b, extent, lanes, keyType, [&](Value index, int64_t width) {
          return Expr(b, loc, loadLanes(b, keys[0], {index}, width));
        });
    Value position = asIndex({b, loc, largest});
    APInt least = APInt::getSignedMinValue(keyType.getIntOrFloatBitWidth());
    store(splat(b, loc, keyType, b.getIntegerAttr(keyType, least)), keys[0], position);
    writeResult(at, rank, position);
  });
}

//===----------------------------------------------------------------------===//
// Ranks
//===----------------------------------------------------------------------===//

/// `ranks` after `count` for each key from `lower` to `upper`, in all lanes.
Expr TopK::countKeys(Expr ranks, Value lower, Value upper,
                     llvm::function_ref<Expr(Expr ranks, Expr key)> count) {
  auto loop = scf::ForOp::create(b, loc, lower, upper, b.index(1), Value(ranks));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value key = vector::BroadcastOp::create(b, loc, ranks.type(),
                                          load(keys[0], loop.getInductionVar()));
  Value next = count({b, loc, loop.getRegionIterArg(0)}, {b, loc, key});
  scf::YieldOp::create(b, loc, next);
  return {b, loc, loop.getResult(0)};
}

/// The ranks of the `width` elements from `first` on.
Expr TopK::ranksOf(Value first, int64_t width) {
  auto type = VectorType::get(width, keyType);
  Expr own(b, loc, loadLanes(b, keys[0], {first}, width));
  auto one = [&](Expr holds) { return holds.to<arith::ExtUIOp>(keyType); };
  // All the keys before come first, but for those that are smaller.
  Value start = b.createOrFold<arith::IndexCastOp>(loc, keyType, first);
  Expr ranks(b, loc, b.createOrFold<vector::BroadcastOp>(loc, type, start));
  ranks = countKeys(ranks, b.index(0), first,
                    [&](Expr ranks, Expr key) { return ranks - one(own > key); });
  // Of the keys after, the larger ones do.
  Value end = b.add(first, width);
  ranks = countKeys(ranks, end, b.index(extent),
                    [&](Expr ranks, Expr key) { return ranks + one(key > own); });
  // Among themselves, an equal key comes before those of later lanes.
  for (int64_t lane = 0; lane < width; ++lane) {
    SmallVector<bool> later;
    for (int64_t other = 0; other < width; ++other)
      later.push_back(other > lane);
    Expr isLater(b, loc,
                 arith::ConstantOp::create(
                     b, loc,
                     DenseElementsAttr::get(VectorType::get(width, b.getI1Type()),
                                            ArrayRef<bool>(later))));
    Value scalar = vector::ExtractOp::create(b, loc, own, lane);
    Expr key(b, loc, b.createOrFold<vector::BroadcastOp>(loc, type, scalar));
    ranks = ranks + one((key > own) | (equal(key, own) & isLater));
  }
  return ranks;
}

void TopK::rankRow(Indices &at) {
  forVectorRuns(extent, lanes, [&](int64_t begin, int64_t end, int64_t width) {
    b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), width,
              [&](Value first) { storeLanes(b, ranksOf(first, width), ranks, {first}); });
  });
  b.forLoop(extent, 1, [&](Value position) {
    Value rank = asIndex(load(ranks, position));
    Value isAmongFirst;
    if (count < extent)
      isAmongFirst = b.compare(arith::CmpIPredicate::slt, rank, b.index(count));
    b.ifElse(isAmongFirst, [&] { writeResult(at, rank, position); }, [] {});
  });
}

//===----------------------------------------------------------------------===//
// Radix sort
//===----------------------------------------------------------------------===//

void TopK::allocateForSort() {
  for (int side : {0, 1}) {
    keys[side] = scratch(extent, keyType);
    positions[side] = scratch(extent, b.getI32Type());
  }
  histogram = scratch(256, b.getI32Type());
}

/// Moves keys and positions from one side to the other, in the order of a byte of the
/// keys and otherwise in the order they had.
void TopK::sortByByte(int64_t byte) {
  int from = byte % 2, to = 1 - from;
  Value zero = arith::ConstantIntOp::create(b, loc, b.getI32Type(), 0);
  auto digitOf = [&](Expr key) { return asIndex(shiftUnsigned(key, 8 * byte) & 0xff); };

  b.forLoop(256, 1, [&](Value digit) { store(zero, histogram, digit); });
  b.forLoop(extent, 1, [&](Value i) {
    Value digit = digitOf(load(keys[from], i));
    store(load(histogram, digit) + 1, histogram, digit);
  });
  loopCarrying(b, 0, 256, 1, zero, [&](Value digit, ValueRange sum) {
    Expr former = load(histogram, digit);
    store(sum[0], histogram, digit);
    return SmallVector<Value>{former + Expr(b, loc, sum[0])};
  });
  b.forLoop(extent, 1, [&](Value i) {
    Expr key = load(keys[from], i);
    Value digit = digitOf(key);
    Expr place = load(histogram, digit);
    store(place + 1, histogram, digit);
    Value index = asIndex(place);
    store(key, keys[to], index);
    store(load(positions[from], i), positions[to], index);
  });
}

void TopK::sortRow(Indices &at) {
  // Ascending as unsigned numbers is descending as keys.
  APInt flip = APInt::getSignedMaxValue(keyType.getIntOrFloatBitWidth());
  b.forLoop(extent, 1, [&](Value i) {
    Expr key = load(keys[0], i);
    store(key ^ key.constant(flip), keys[0], i);
    store(castElements({b, loc, i}, b.getI32Type()), positions[0], i);
  });
  for (int64_t byte = 0; byte < keyBytes(); ++byte)
    sortByByte(byte);
  // An even number of passes ends where it began.
  b.forLoop(count, 1, [&](Value rank) {
    writeResult(at, rank, asIndex(load(positions[0], rank)));
  });
}

void cpu::lowerTopK(tile::TopKOp op, int64_t vectorBits) { TopK(op, vectorBits).lower(); }
