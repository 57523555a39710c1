//===- InnerKernel.cpp - Gemms as products of rows along K --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/InnerKernel.h"
#include "backends/cpu/MicroKernel.h"
#include "backends/cpu/TileDims.h"

using namespace mlir;
using namespace tilewright::cpu;

int64_t InnerKernel::getStep() {
  return getInnerStep(atom, elementOf(op.getA()), elementOf(op.getB()),
                      shapeOf(op.getA())[1]);
}

/// The registers that one step reads of a row, widened to the atom's element type.
///
/// Pairs of bf16 are taken apart into those at even and at odd places: both are a single
/// operation on words. Where both operands are in that order, the products are the same.
InnerKernel::Vectors InnerKernel::loadAlongK(Value memref, Value row, Value k) {
  Location loc = b.getLoc();
  int64_t step = getStep();
  Value loaded = loadLanes(b, memref, {row, k}, step);
  auto full = VectorType::get(atom.getStep(), atom.getElement());
  if (step == atom.getStep())
    return {elementOf(memref) == atom.getElement()
                ? loaded
                : b.createOrFold<tile::CastOp>(loc, full, loaded, false, false)};
  if (elementOf(memref).getIntOrFloatBitWidth() == 8) {
    auto both = VectorType::get(step, atom.getElement());
    Value wide = b.createOrFold<tile::CastOp>(loc, both, loaded, false, false);
    int64_t half = atom.getStep();
    return {sliceLanes(b, wide, 0, half), sliceLanes(b, wide, half, half)};
  }
  auto words = VectorType::get(atom.getStep(), b.getI32Type());
  auto splat = [&](int64_t value) {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(words, APInt(32, value, /*isSigned=*/true)));
  };
  Value pairs = vector::BitCastOp::create(b, loc, words, loaded);
  Value even = arith::ShLIOp::create(b, loc, pairs, splat(16));
  Value odd = arith::AndIOp::create(b, loc, pairs, splat(-65536));
  return {vector::BitCastOp::create(b, loc, full, even),
          vector::BitCastOp::create(b, loc, full, odd)};
}

/// Whether rows of `memref`, which is in memory, are better asked for. Rows that follow
/// each other without a gap the machine reads ahead by itself, where it does little with
/// each line: for two rows of A and K = 2048, that is 36 GB/s for 31 on a Zen 5.
bool InnerKernel::wantsPrefetch(Value memref) {
  constexpr int64_t fewRows = 2;
  auto type = cast<MemRefType>(memref.getType());
  if (tile::isTile(type))
    return false;
  auto [strides, offset] = type.getStridesAndOffset();
  return strides.front() != type.getDimSize(1) || shapeOf(op.getA())[0] > fewRows;
}

/// Whether the next block of the grid reads the rows behind those of `memref`.
static bool isFollowedByNextBlock(Value memref, int64_t rows) {
  auto view = memref.getDefiningOp<memref::SubViewOp>();
  if (!view)
    return false;
  llvm::SmallBitVector dropped = view.getDroppedDims();
  auto first = dyn_cast<Value>(view.getMixedOffsets()[dropped.find_first_unset()]);
  return first && continuesInNextBlock(first, rows);
}

/// Asks for what lies ahead where rows are read from memory: in each of them, or, where
/// the steps of a loop read parts of them and the next block what follows, in the rows
/// of that block, since the end of a row is no place to be late at.
void InnerKernel::prefetchAlongK(Value memref, Value row, Value k) {
  constexpr int64_t bytesAhead = 1024, bytesInL1 = 24576;
  auto type = cast<MemRefType>(memref.getType());
  if (!wantsPrefetch(memref))
    return;
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t rows = type.getDimSize(0);
  int64_t bits = type.getElementTypeBitWidth(), bytes = rows * strides[0] * bits / 8;
  bool isNext =
      strides[0] > 0 && bytes <= bytesOfNextBlock && isFollowedByNextBlock(memref, rows);
  if (isNext)
    row = b.add(row, rows);
  else
    k = b.add(k, bytesAhead * 8 / bits);
  memref::PrefetchOp::create(b, b.getLoc(), memref, ValueRange{row, k}, /*isWrite=*/false,
                             /*localityHint=*/isNext && bytes > bytesInL1 ? 2 : 3,
                             /*isDataCache=*/true);
}

InnerKernel::Vectors InnerKernel::emitStep(int64_t rows, int64_t columns, Value row,
                                           Value column, Value k, Vectors sums) {
  SmallVector<Vectors> vectorsOfA;
  for (int64_t r = 0; r < rows; ++r)
    vectorsOfA.push_back(loadAlongK(op.getA(), b.add(row, r), k));
  for (int64_t c = 0; c < columns; ++c) {
    Vectors vectorsOfB = loadAlongK(op.getB(), b.add(column, c), k);
    prefetchAlongK(op.getB(), b.add(column, c), k);
    for (int64_t r = 0; r < rows; ++r)
      for (auto [x, y] : llvm::zip_equal(vectorsOfA[r], vectorsOfB)) {
        Value &sum = sums[r * columns + c];
        sum = *atom.emit(b, b.getLoc(), {x, y, sum});
      }
  }
  return sums;
}

Value InnerKernel::add(Value x, Value y) {
  if (isa<FloatType>(atom.getAccumulator()))
    return arith::AddFOp::create(b, b.getLoc(), x, y);
  return arith::AddIOp::create(b, b.getLoc(), x, y);
}

/// The vector of the sums over the lanes of each of `sums`.
///
/// Two vectors become one with half the lanes of each, until one is left; shuffles stay
/// within 128 bits, where they are cheapest, and the parts of 128 bits are added at the
/// end. What is missing to a power of two is filled with the last vector.
Value InnerKernel::addLanes(ArrayRef<Value> sums) {
  Location loc = b.getLoc();
  int64_t lanes = atom.getLanes();
  int64_t part = 128 / atom.getAccumulator().getIntOrFloatBitWidth();
  Vectors vectors(sums);
  vectors.resize(part, sums.back());
  while (vectors.size() > 1) {
    Vectors halves;
    for (size_t i = 0; i < vectors.size(); i += 2) {
      SmallVector<int64_t> even, odd;
      for (int64_t first = 0; first < lanes; first += part)
        for (int64_t source : {first, first + lanes})
          for (int64_t lane = 0; lane < part; lane += 2) {
            even.push_back(source + lane);
            odd.push_back(source + lane + 1);
          }
      auto shuffle = [&](ArrayRef<int64_t> mask) {
        return vector::ShuffleOp::create(b, loc, vectors[i], vectors[i + 1], mask);
      };
      Value evens = shuffle(even), odds = shuffle(odd);
      halves.push_back(add(evens, odds));
    }
    vectors = halves;
  }
  Value sum = vectors.front();
  for (int64_t width = lanes; width > part; width /= 2) {
    Value low = sliceLanes(b, sum, 0, width / 2);
    sum = add(low, sliceLanes(b, sum, width / 2, width / 2));
  }
  return sliceLanes(b, sum, 0, sums.size());
}

void InnerKernel::emitBlock(int64_t rows, int64_t columns, Value row, Value column) {
  Location loc = b.getLoc();
  auto type = VectorType::get(atom.getLanes(), atom.getAccumulator());
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  int64_t k = shapeOf(op.getA())[1];
  int64_t step = getStep();
  Vectors sums = loopCarrying(b, 0, k, step, Vectors(rows * columns, zero),
                              [&](Value at, ValueRange carried) {
                                return emitStep(rows, columns, row, column, at, carried);
                              });
  int64_t together = 128 / atom.getAccumulator().getIntOrFloatBitWidth();
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; c += together) {
      int64_t count = std::min(together, columns - c);
      Value sum = addLanes(ArrayRef(sums).slice(r * columns + c, count));
      Indices at{b.add(row, r), b.add(column, c)};
      if (!op.getClear())
        sum = add(loadLanes(b, op.getC(), at, count), sum);
      storeLanes(b, sum, op.getC(), at);
    }
}

/// All rows of the columns [begin, end), which `columns` divides.
void InnerKernel::emitColumns(int64_t columns, int64_t begin, int64_t end) {
  b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), columns, [&](Value column) {
    forRowBlocks(b, op,
                 [&](int64_t rows, Value row) { emitBlock(rows, columns, row, column); });
  });
}

void InnerKernel::emit() {
  int64_t n = op.getN(), columns = atom.getColumns(), whole = n / columns * columns;
  emitColumns(columns, 0, whole);
  if (whole < n)
    emitColumns(n - whole, whole, n);
}
