//===- LowerPack.cpp - Copies into the panels of gemm operands ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A panel [K/i, N, i] is a matrix of units of i elements along K. Both ways to fill
// it move whole vectors of units: without transposition i rows of the source are
// interleaved; with it, a square of L x L units is loaded by rows, transposed in
// registers in log2(L) steps, and stored by rows of the panel. Squares and runs that
// are cut by the matrix's or the tensor's edge are copied element by element.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CopyRegion.h"

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

/// Transposes the square of `lanes` units whose first row is `n` and first column is
/// unit `unit`. Each step interleaves the rows of the two halves; after log2(lanes)
/// steps rows have become columns.
void PackLowering::transposeSquare(Value n, Value unit) {
  unsigned unitBits = element.getIntOrFloatBitWidth() * interleave;
  auto unitVector = VectorType::get(lanes, b.getIntegerType(unitBits));
  auto rowVector = VectorType::get(lanes * interleave, element);
  SmallVector<Value> rows;
  for (int64_t i = 0; i < lanes; ++i) {
    Value row = cast(load(b.add(n, i), b.mul(unit, interleave), lanes * interleave));
    rows.push_back(vector::BitCastOp::create(b, loc, unitVector, row));
  }
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < lanes / 2; ++i) {
    low.append({i, i + lanes});
    high.append({i + lanes / 2, i + lanes + lanes / 2});
  }
  for (int64_t step = 1; step < lanes; step *= 2) {
    SmallVector<Value> next(lanes);
    for (int64_t i = 0; i < lanes / 2; ++i) {
      Value a = rows[i], c = rows[i + lanes / 2];
      next[2 * i] = vector::ShuffleOp::create(b, loc, a, c, low);
      next[2 * i + 1] = vector::ShuffleOp::create(b, loc, a, c, high);
    }
    rows = std::move(next);
  }
  for (int64_t i = 0; i < lanes; ++i)
    store(vector::BitCastOp::create(b, loc, rowVector, rows[i]), b.add(unit, i), n);
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
