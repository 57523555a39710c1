//===- LowerPack.cpp - Copies into the panels of gemm operands ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A panel [K/i, N, i] is a matrix of units of i elements along K. Both ways to fill
// it move whole vectors of units: without transposition i rows of the source are
// interleaved; with it, a square of L x L units is transposed in registers and stored by
// rows of the panel. Blocks of 128 bits change places while they are loaded, and within
// these blocks units do, in two steps of cheap shuffles where a unit has 32 bits. Squares
// and runs that are cut by the matrix's or the tensor's edge are copied element by
// element.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CopyRegion.h"
#include "backends/cpu/TileDims.h"

using namespace mlir;
using namespace tilewright::tile;
using namespace tilewright::cpu;

namespace {
class PackLowering {
public:
  PackLowering(PackOp op, int64_t vectorBits);
  void emit(IndexBounds &bounds);

private:
  void emitInterleaved();
  void emitTransposed();
  void emitElements(OpFoldResult firstN, OpFoldResult lastN, OpFoldResult firstUnit,
                    OpFoldResult lastUnit);
  SmallVector<SmallVector<Value>> loadBlocks(Value n, Value unit);
  void interleaveAll(SmallVector<Value> &vectors, int64_t unit, int64_t block);
  void transposeSquare(Value n, Value unit);
  void prefetch(Value n);

  /// A source vector of `width` elements at row, column of the two spanned dimensions.
  Value load(Value row, Value column, int64_t width);
  /// A source element, zero where it does not exist.
  Value loadElement(Value k, Value n);
  void store(Value units, Value unit, Value n);
  Value cast(Value value);

  PackOp op;
  LoopBuilder b;
  Location loc;
  CopyRegion src;
  Value panel; // [K / i, N * i]
  Type element;
  int64_t extentK, extentN, interleave, lanes;
  int64_t unitBits;
  int64_t perBlock; // units of 128 bits, within which shuffles are cheap
};
} // namespace

PackLowering::PackLowering(PackOp op, int64_t vectorBits)
    : op(op), b(op), loc(op.getLoc()),
      src(b, op.getSrc(), op.getMixedSrcOffsets(), op.getSrcSizes(), op.getDims()),
      extentK(op.getK()), extentN(op.getN()) {
  auto type = llvm::cast<MemRefType>(op.getPanel().getType());
  element = type.getElementType();
  interleave = type.getDimSize(2);
  lanes = std::max<int64_t>(1, laneCount(vectorBits, element) / interleave);
  unitBits = element.getIntOrFloatBitWidth() * interleave;
  perBlock = std::clamp<int64_t>(128 / unitBits, 1, lanes);
  SmallVector<ReassociationIndices> groups{{0}, {1, 2}};
  panel = memref::CollapseShapeOp::create(b, loc, op.getPanel(), groups);
}

Value PackLowering::cast(Value value) {
  Type type = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(element);
  if (type == value.getType())
    return value;
  bool fromInt = isa<IntegerType>(src.elementType()), toInt = isa<IntegerType>(element);
  return CastOp::create(b, loc, type, value, op.getIsUnsigned() && fromInt,
                        op.getIsUnsigned() && toInt);
}

Value PackLowering::load(Value row, Value column, int64_t width) {
  return src.loadVector(b, {row, column}, width);
}

Value PackLowering::loadElement(Value k, Value n) {
  Value row = op.getTranspose() ? n : k, column = op.getTranspose() ? k : n;
  Value inside =
      b.both(src.unitsInside, b.both(src.inRange(b, 0, row), src.inRange(b, 1, column)));
  if (extentK % interleave)
    inside = b.both(inside, b.compare(arith::CmpIPredicate::slt, k, b.index(extentK)));
  auto read = [&] { return cast(src.loadElement(b, {row, column})); };
  if (!inside)
    return read();
  auto branch = scf::IfOp::create(b, loc, element, inside, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, read());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc,
                       Value(arith::ConstantOp::create(b, loc, b.getZeroAttr(element))));
  return branch.getResult(0);
}

/// Stores a vector of whole units to row `unit` of the panel, from column `n` on.
void PackLowering::store(Value units, Value unit, Value n) {
  vector::StoreOp::create(b, loc, units, panel, ValueRange{unit, b.mul(n, interleave)});
}

void PackLowering::emitElements(OpFoldResult firstN, OpFoldResult lastN,
                                OpFoldResult firstUnit, OpFoldResult lastUnit) {
  b.forLoop(firstUnit, lastUnit, 1, [&](Value unit) {
    b.forLoop(firstN, lastN, 1, [&](Value n) {
      for (int64_t i = 0; i < interleave; ++i) {
        Value value = loadElement(b.add(b.mul(unit, interleave), i), n);
        memref::StoreOp::create(b, loc, value, panel,
                                ValueRange{unit, b.add(b.mul(n, interleave), i)});
      }
    });
  });
}

void PackLowering::emitInterleaved() {
  int64_t units = extentK / interleave;
  int64_t whole = src.isContiguous() ? extentN / lanes * lanes : 0;
  b.forLoop(units, 1, [&](Value unit) {
    Value k = b.mul(unit, interleave);
    Value rows = b.both(src.unitsInside, src.rangeIsWhole(b, 1));
    rows = b.both(rows, src.startsAtByte(b));
    for (int64_t i = 0; i < interleave; ++i)
      rows = b.both(rows, src.inRange(b, 0, b.add(k, i)));
    OpFoldResult next = getAsOpFoldResult(b.add(unit, 1));
    b.ifElse(
        rows,
        [&] {
          b.forLoop(whole, lanes, [&](Value n) {
            SmallVector<Value> vectors;
            for (int64_t i = 0; i < interleave; ++i)
              vectors.push_back(cast(load(b.add(k, i), n, lanes)));
            // Interleaving halves that are an even distance apart ends in order.
            while (vectors.size() > 1) {
              size_t half = vectors.size() / 2;
              for (size_t i = 0; i < half; ++i)
                vectors[i] =
                    vector::InterleaveOp::create(b, loc, vectors[i], vectors[i + half]);
              vectors.resize(half);
            }
            store(vectors[0], unit, n);
          });
        },
        [&] { emitElements(b.getIndexAttr(0), b.getIndexAttr(whole), unit, next); });
    emitElements(b.getIndexAttr(whole), b.getIndexAttr(extentN), unit, next);
  });
  emitElements(b.getIndexAttr(0), b.getIndexAttr(extentN), b.getIndexAttr(units),
               b.getIndexAttr(llvm::divideCeil(extentK, interleave)));
}

/// The square of `lanes` units whose first row is `n` and first column is unit `unit`, as
/// vectors [row in a group of `perBlock`][column block]: in its block g each has block c
/// of row r of group g. The loads put the blocks there, but for rows that are converted,
/// which are loaded whole.
SmallVector<SmallVector<Value>> PackLowering::loadBlocks(Value n, Value unit) {
  int64_t blocks = lanes / perBlock, step = perBlock * interleave;
  auto unitVector = VectorType::get(lanes, b.getIntegerType(unitBits));
  auto asUnits = [&](Value row) -> Value {
    return vector::BitCastOp::create(b, loc, unitVector, row);
  };
  SmallVector<SmallVector<Value>> result;
  for (int64_t r = 0; r < perBlock; ++r) {
    auto rowOf = [&](int64_t group) { return b.add(n, group * perBlock + r); };
    auto columnOf = [&](int64_t block) {
      return b.add(b.mul(unit, interleave), block * step);
    };
    auto &vectors = result.emplace_back();
    if (src.elementType() == element && !src.isPaired()) {
      // Row by row, since rows may meet in one set of a cache.
      auto rowVector = VectorType::get(lanes * interleave, element);
      Value empty = arith::ConstantOp::create(b, loc, b.getZeroAttr(rowVector));
      vectors.assign(blocks, empty);
      for (int64_t g = 0; g < blocks; ++g)
        for (int64_t c = 0; c < blocks; ++c)
          vectors[c] =
              insertLanes(b, load(rowOf(g), columnOf(c), step), vectors[c], g * step);
      llvm::transform(vectors, vectors.begin(), asUnits);
      continue;
    }
    for (int64_t g = 0; g < blocks; ++g)
      vectors.push_back(asUnits(cast(load(rowOf(g), columnOf(0), lanes * interleave))));
    interleaveAll(vectors, perBlock, lanes); // block c of g to block g of c
  }
  return result;
}

/// Interleaves runs of `unit` lanes of the first half of `vectors` with those of the
/// second, within blocks of `block` lanes, until rows have become columns.
void PackLowering::interleaveAll(SmallVector<Value> &vectors, int64_t unit,
                                 int64_t block) {
  SmallVector<int64_t> low, high;
  for (int64_t base = 0; base < lanes; base += block)
    for (int64_t i = 0; i < block / 2; i += unit)
      for (int64_t vector : {int64_t(0), lanes})
        for (int64_t lane = 0; lane < unit; ++lane) {
          low.push_back(vector + base + i + lane);
          high.push_back(vector + base + block / 2 + i + lane);
        }
  size_t count = vectors.size();
  for (size_t step = 1; step < count; step *= 2) {
    SmallVector<Value> next(count);
    for (size_t i = 0; i < count / 2; ++i) {
      Value x = vectors[i], y = vectors[i + count / 2];
      next[2 * i] = vector::ShuffleOp::create(b, loc, x, y, low);
      next[2 * i + 1] = vector::ShuffleOp::create(b, loc, x, y, high);
    }
    vectors = std::move(next);
  }
}

/// Transposes the square of `lanes` units whose first row is `n` and first column is
/// unit `unit`.
void PackLowering::transposeSquare(Value n, Value unit) {
  SmallVector<SmallVector<Value>> blocks = loadBlocks(n, unit);
  auto rowVector = VectorType::get(lanes * interleave, element);
  for (int64_t c = 0; c < lanes / perBlock; ++c) {
    SmallVector<Value> vectors;
    for (int64_t r = 0; r < perBlock; ++r)
      vectors.push_back(blocks[r][c]);
    interleaveAll(vectors, 1, perBlock);
    for (int64_t k = 0; k < perBlock; ++k)
      store(vector::BitCastOp::create(b, loc, rowVector, vectors[k]),
            b.add(unit, c * perBlock + k), n);
  }
}

/// Asks for the rows of a block that follows the one at `n`, the last again and again.
void PackLowering::prefetch(Value n) {
  int64_t ahead = llvm::alignTo(src.rowsAhead(/*inAnyOrder=*/false), lanes);
  if (ahead == 0 || ahead >= extentN)
    return;
  b.forLoop(lanes, 1, [&](Value i) {
    Value row = b.add(b.add(n, ahead), i);
    src.prefetchRow(b, b.min(row, b.sub(b.index(src.upper[0]), b.index(1))));
  });
}

void PackLowering::emitTransposed() {
  int64_t units = llvm::divideCeil(extentK, interleave);
  int64_t wholeN = src.isContiguous() ? extentN / lanes * lanes : 0;
  int64_t wholeUnits = extentK / (lanes * interleave) * lanes;
  b.forLoop(wholeN, lanes, [&](Value n) {
    OpFoldResult nextN = getAsOpFoldResult(b.add(n, lanes));
    // Rows n .. n + lanes and all of K exist.
    Value whole = b.both(src.unitsInside, src.rangeIsWhole(b, 1));
    whole = b.both(whole, src.startsAtByte(b));
    whole = b.both(whole,
                   b.both(src.inRange(b, 0, n), src.inRange(b, 0, b.add(n, lanes - 1))));
    b.ifElse(
        whole,
        [&] {
          prefetch(n);
          b.forLoop(wholeUnits, lanes, [&](Value unit) { transposeSquare(n, unit); });
        },
        [&] { emitElements(n, nextN, b.getIndexAttr(0), b.getIndexAttr(wholeUnits)); });
    emitElements(n, nextN, b.getIndexAttr(wholeUnits), b.getIndexAttr(units));
  });
  emitElements(b.getIndexAttr(wholeN), b.getIndexAttr(extentN), b.getIndexAttr(0),
               b.getIndexAttr(units));
}

void PackLowering::emit(IndexBounds &bounds) {
  src.computeRanges(b, bounds, op);
  op.getTranspose() ? emitTransposed() : emitInterleaved();
}

void tilewright::cpu::lowerPack(PackOp op, IndexBounds &bounds, int64_t vectorBits) {
  PackLowering(op, vectorBits).emit(bounds);
  op.erase();
}
