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
// rows of the panel. Units change places within blocks of 128 bits first, in two steps of
// cheap shuffles where a unit has 32 bits, then these blocks do. A part of that is done
// by the loads, which bring halves of two rows into one vector. They are no smaller than
// that, since a core waits for few loads at a time. Floats of 8 bits that are widened to
// 16 are transposed before that, four of a row as a unit, which is half the shuffles.
// Squares and runs that are cut by the
// matrix's or the tensor's edge are copied element by element.
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
  void interleaveRows(Value unit, Value n, bool isCut);
  void emitTransposed();
  void emitElements(OpFoldResult firstN, OpFoldResult lastN, OpFoldResult firstUnit,
                    OpFoldResult lastUnit);
  SmallVector<SmallVector<Value>> loadPart(Value n, Value unit, int64_t part,
                                           int64_t parts, bool isCut);
  void interleaveBlocks(SmallVector<Value> &vectors);
  Value takeBlocks(Value x, Value y, int64_t first);
  using StoreColumn = llvm::function_ref<void(Value units, Value unit)>;
  void storeColumns(ArrayRef<Value> vectors, Value unit, int64_t step, StoreColumn store);
  void transposeSquare(Value n, Value unit, bool isCut);
  void transposeBytes(Value n, Value quad);
  void storeBytes(Value quads, Value quad, Value n);
  void prefetch(Value n);

  /// A source vector of `width` elements at row, column of the two spanned dimensions.
  Value load(Value row, Value column, int64_t width);
  /// The same, of columns from the tensor's first on, with zeros where there are none.
  Value loadExisting(Value row, Value column, int64_t width);
  Value hasColumns(Value column, int64_t width);
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
  bool isConverted; // by the loads
  bool widensBytes; // of units that are two of them
  bool hasMasks;    // for loads of rows that the tensor cuts
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
  isConverted = src.elementType() != element || src.isPaired();
  widensBytes = src.elementBits() == 8 && isa<FloatType>(src.elementType()) &&
                isa<FloatType>(element) && unitBits == 32 && interleave == 2;
  // Before AVX-512 there are masked loads of 32 and 64 bits only.
  hasMasks = (vectorBits >= 512 || src.elementBits() >= 32) && !src.isPaired();
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

/// Whether `width` columns from `column` on exist; null for true.
Value PackLowering::hasColumns(Value column, int64_t width) {
  return b.both(src.inRange(b, 1, column), src.inRange(b, 1, b.add(column, width - 1)));
}

Value PackLowering::loadExisting(Value row, Value column, int64_t width) {
  bool isCut = getConstantIntValue(src.upper[1]) != src.shape[1];
  Value end = b.index(src.upper[1]);
  Value exists = b.both(src.unitsInside, src.inRange(b, 0, row));
  if (isCut) // A load without an active lane takes long where no memory is.
    exists = b.both(exists, b.compare(arith::CmpIPredicate::slt, column, end));
  if (!exists)
    return load(row, column, width);
  auto type = VectorType::get(width, src.elementType());
  Value zeros = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  auto branch = scf::IfOp::create(b, loc, type, exists, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, zeros);
  b.setInsertionPointToStart(branch.thenBlock());
  Value loaded;
  if (isCut) {
    Value mask = vector::CreateMaskOp::create(b, loc, type.clone(b.getI1Type()),
                                              b.sub(end, column));
    loaded = vector::MaskedLoadOp::create(b, loc, type, src.memref,
                                          src.indices(b, {row, column}), mask, zeros);
  } else {
    loaded = load(row, column, width);
  }
  scf::YieldOp::create(b, loc, loaded);
  return branch.getResult(0);
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

/// A vector of units at row `unit` of the panel, from column `n` on.
void PackLowering::interleaveRows(Value unit, Value n, bool isCut) {
  SmallVector<Value> vectors;
  for (int64_t i = 0; i < interleave; ++i) {
    Value k = b.add(b.mul(unit, interleave), i);
    vectors.push_back(cast(isCut ? loadExisting(k, n, lanes) : load(k, n, lanes)));
  }
  // Interleaving halves that are an even distance apart ends in order.
  while (vectors.size() > 1) {
    size_t half = vectors.size() / 2;
    for (size_t i = 0; i < half; ++i)
      vectors[i] = vector::InterleaveOp::create(b, loc, vectors[i], vectors[i + half]);
    vectors.resize(half);
  }
  store(vectors[0], unit, n);
}

void PackLowering::emitInterleaved() {
  int64_t units = extentK / interleave;
  int64_t whole = src.isContiguous() ? extentN / lanes * lanes : 0;
  bool beginsWhole = getConstantIntValue(src.lower[1]) == 0;
  b.forLoop(units, 1, [&](Value unit) {
    Value k = b.mul(unit, interleave);
    Value rows = b.both(src.unitsInside, src.startsAtByte(b));
    for (int64_t i = 0; i < interleave; ++i)
      rows = b.both(rows, src.inRange(b, 0, b.add(k, i)));
    OpFoldResult next = getAsOpFoldResult(b.add(unit, 1));
    b.ifElse(
        b.both(rows, src.rangeIsWhole(b, 1)),
        [&] {
          b.forLoop(whole, lanes, [&](Value n) { interleaveRows(unit, n, false); });
        },
        [&] {
          b.forLoop(whole, lanes, [&](Value n) {
            if (hasMasks && beginsWhole)
              return interleaveRows(unit, n, /*isCut=*/true);
            OpFoldResult nextN = getAsOpFoldResult(b.add(n, lanes));
            b.ifElse(
                b.both(rows, hasColumns(n, lanes)),
                [&] { interleaveRows(unit, n, /*isCut=*/false); },
                [&] { emitElements(n, nextN, unit, next); });
          });
        });
    emitElements(b.getIndexAttr(whole), b.getIndexAttr(extentN), unit, next);
  });
  emitElements(b.getIndexAttr(0), b.getIndexAttr(extentN), b.getIndexAttr(units),
               b.getIndexAttr(llvm::divideCeil(extentK, interleave)));
}

/// Columns of the square of `lanes` units whose first row is `n` and first column is unit
/// `unit`: those of one of `parts`. A vector has what the columns have of as many rows:
/// row r of one group of `perBlock` rows after the other. They are numbered
/// [groups][r].
SmallVector<SmallVector<Value>> PackLowering::loadPart(Value n, Value unit, int64_t part,
                                                       int64_t parts, bool isCut) {
  int64_t width = lanes / parts * interleave;
  auto rowVector = VectorType::get(lanes * interleave, element);
  Value empty = arith::ConstantOp::create(b, loc, b.getZeroAttr(rowVector));
  SmallVector<SmallVector<Value>> result;
  for (int64_t first = 0; first < lanes; first += parts * perBlock) {
    auto &vectors = result.emplace_back();
    for (int64_t r = 0; r < perBlock; ++r) {
      Value vector = empty;
      for (int64_t g = 0; g < parts; ++g) {
        Value row = b.add(n, first + g * perBlock + r);
        Value column = b.add(b.mul(unit, interleave), part * width);
        Value run = isCut ? loadExisting(row, column, width) : load(row, column, width);
        vector = insertLanes(b, cast(run), vector, g * width);
      }
      vectors.push_back(vector::BitCastOp::create(
          b, loc, VectorType::get(lanes, b.getIntegerType(unitBits)), vector));
    }
  }
  return result;
}

/// Interleaves the lanes of the first half of `vectors` with those of the second, within
/// blocks of 128 bits, until rows have become columns.
void PackLowering::interleaveBlocks(SmallVector<Value> &vectors) {
  SmallVector<int64_t> low, high;
  for (int64_t base = 0; base < lanes; base += perBlock)
    for (int64_t i = 0; i < perBlock / 2; ++i)
      for (int64_t vector : {int64_t(0), lanes}) {
        low.push_back(vector + base + i);
        high.push_back(vector + base + perBlock / 2 + i);
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

/// Every second block of `x` and then of `y`, from block `first` on.
Value PackLowering::takeBlocks(Value x, Value y, int64_t first) {
  SmallVector<int64_t> mask;
  for (int64_t vector : {int64_t(0), lanes})
    for (int64_t begin = first * perBlock; begin < lanes; begin += 2 * perBlock)
      for (int64_t lane = 0; lane < perBlock; ++lane)
        mask.push_back(vector + begin + lane);
  return vector::ShuffleOp::create(b, loc, x, y, mask);
}

/// Stores columns of which each of `vectors` has a few rows: those of each `step`-th
/// block, the first of them for unit `unit`.
void PackLowering::storeColumns(ArrayRef<Value> vectors, Value unit, int64_t step,
                                StoreColumn store) {
  if (vectors.size() == 1)
    return store(vectors[0], unit);
  for (int64_t odd : {0, 1}) {
    SmallVector<Value> joined;
    for (size_t i = 0; i < vectors.size(); i += 2)
      joined.push_back(takeBlocks(vectors[i], vectors[i + 1], odd));
    storeColumns(joined, b.add(unit, odd * step * perBlock), 2 * step, store);
  }
}

/// Transposes the square of `lanes` units whose first row is `n` and first column is
/// unit `unit`.
void PackLowering::transposeSquare(Value n, Value unit, bool isCut) {
  // Rows that are converted, or looked at, are loaded whole.
  int64_t parts = isConverted || isCut ? 1 : std::min<int64_t>(lanes / perBlock, 2);
  for (int64_t part = 0; part < parts; ++part) {
    SmallVector<SmallVector<Value>> groups = loadPart(n, unit, part, parts, isCut);
    for (SmallVector<Value> &rows : groups)
      interleaveBlocks(rows);
    for (int64_t k = 0; k < perBlock; ++k) {
      SmallVector<Value> vectors;
      for (const SmallVector<Value> &rows : groups)
        vectors.push_back(rows[k]);
      auto rowVector = VectorType::get(lanes * interleave, element);
      storeColumns(vectors, b.add(unit, part * (lanes / parts) + k), 1,
                   [&](Value units, Value at) {
                     store(vector::BitCastOp::create(b, loc, rowVector, units), at, n);
                   });
    }
  }
}

/// Widens what is two units of each column, and stores them.
void PackLowering::storeBytes(Value quads, Value quad, Value n) {
  auto type = VectorType::get(4 * lanes, src.elementType());
  Value bytes = vector::BitCastOp::create(b, loc, type, quads);
  SmallVector<int64_t> mask;
  for (int64_t half : {0, 2})
    for (int64_t lane = 0; lane < lanes; ++lane)
      for (int64_t byte : {0, 1})
        mask.push_back(4 * lane + half + byte);
  Value wide = cast(vector::ShuffleOp::create(b, loc, bytes, bytes, mask));
  for (int64_t half : {0, 1})
    store(sliceLanes(b, wide, half * 2 * lanes, 2 * lanes), b.add(b.mul(quad, 2), half),
          n);
}

/// Transposes the square of `lanes` times four bytes whose first row is `n` and first
/// column is 4 `quad`.
void PackLowering::transposeBytes(Value n, Value quad) {
  auto type = VectorType::get(lanes, b.getI32Type());
  SmallVector<SmallVector<Value>> groups;
  for (int64_t first = 0; first < lanes; first += perBlock) {
    SmallVector<Value> &rows = groups.emplace_back();
    for (int64_t r = 0; r < perBlock; ++r)
      rows.push_back(vector::BitCastOp::create(
          b, loc, type, load(b.add(n, first + r), b.mul(quad, 4), 4 * lanes)));
    interleaveBlocks(rows);
  }
  for (int64_t k = 0; k < perBlock; ++k) {
    SmallVector<Value> vectors;
    for (const SmallVector<Value> &rows : groups)
      vectors.push_back(rows[k]);
    storeColumns(vectors, b.add(quad, k), 1,
                 [&](Value quads, Value at) { storeBytes(quads, at, n); });
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
  int64_t wholeQuads = widensBytes ? wholeUnits / (2 * lanes) * lanes : 0;
  bool beginsWhole = getConstantIntValue(src.lower[1]) == 0;
  b.forLoop(wholeN, lanes, [&](Value n) {
    OpFoldResult nextN = getAsOpFoldResult(b.add(n, lanes));
    Value rows = b.both(src.unitsInside, src.startsAtByte(b));
    rows = b.both(rows,
                  b.both(src.inRange(b, 0, n), src.inRange(b, 0, b.add(n, lanes - 1))));
    b.ifElse(
        b.both(rows, src.rangeIsWhole(b, 1)),
        [&] {
          prefetch(n);
          b.forLoop(wholeQuads, lanes, [&](Value quad) { transposeBytes(n, quad); });
          b.forLoop(b.getIndexAttr(2 * wholeQuads), b.getIndexAttr(wholeUnits), lanes,
                    [&](Value unit) { transposeSquare(n, unit, /*isCut=*/false); });
        },
        [&] {
          b.forLoop(wholeUnits, lanes, [&](Value unit) {
            if (hasMasks && beginsWhole)
              return transposeSquare(n, unit, /*isCut=*/true);
            OpFoldResult nextUnit = getAsOpFoldResult(b.add(unit, lanes));
            b.ifElse(
                b.both(rows, hasColumns(b.mul(unit, interleave), lanes * interleave)),
                [&] { transposeSquare(n, unit, /*isCut=*/false); },
                [&] { emitElements(n, nextN, unit, nextUnit); });
          });
        });
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
