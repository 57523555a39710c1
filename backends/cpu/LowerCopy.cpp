//===- LowerCopy.cpp - Copies, gathers, scatters and fills as vector loops ----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A copy is a loop nest over its rows, the runs along the last copied dimension.
// Where each row starts and which of its elements exist is known from the offsets
// before the loop; so a row that lies inside its tensors whole is moved by plain
// vectors, and only the others pay for masks.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CopyRegion.h"
#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/Passes.h"
#include "dialects/tile/Tile.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_LOWERCOPY
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;
using namespace tilewright::cpu;

/// Rows of so many bytes go from tensor to tensor by one instruction; for shorter ones
/// its start takes too long.
static constexpr int64_t movedRowBytes = 2048;

namespace {
/// A copy, gather or scatter while it is lowered.
class RowCopy {
public:
  RowCopy(LoopBuilder &b, Operation *op, CopyRegion src, CopyRegion dst, Value fill,
          bool isUnsigned, int64_t vectorBits)
      : b(b), op(op), src(std::move(src)), dst(std::move(dst)), fill(fill),
        isUnsigned(isUnsigned), vectorBits(vectorBits) {}

  /// Reads row numbers of `side` along copied dimension `dim` from `indices`, from
  /// `start` on.
  enum Side { Source, Destination };
  void setIndices(Side side, int64_t dim, Value indices, Value start) {
    (side == Source ? gatherDim : scatterDim) = dim;
    rowNumbers = indices;
    rowNumbersStart = start;
  }

  void emit(IndexBounds &bounds);

private:
  void emitRows(SmallVector<Value> coordinates, Value valid);
  void emitRow(ArrayRef<Value> coordinates, Value valid);
  void prefetch(ArrayRef<Value> coordinates);
  void emitWholeRow(ArrayRef<Value> coordinates);
  void emitPartialRow(ArrayRef<Value> coordinates, bool masks);
  void emitRest(ArrayRef<Value> coordinates, OpFoldResult begin, bool exists, bool masks);
  void emitMaskedVector(ArrayRef<Value> coordinates, Value j, bool exists);
  void emitScalarRow(ArrayRef<Value> coordinates, Value valid, OpFoldResult begin);
  void emitScalarRow(ArrayRef<Value> coordinates, Value valid);
  int64_t laneCountOfRow() const;
  Value loadRowNumber(Value i);
  Value moveToRow(CopyRegion &side, int64_t dim, Value i);
  Value rowOf(const CopyRegion &side, ArrayRef<Value> coordinates);
  Value cast(Value value);

  LoopBuilder &b;
  Operation *op;
  CopyRegion src, dst;
  Value fill;
  bool isUnsigned;
  int64_t vectorBits;
  /// The copied dimension whose rows are numbered by indices, where there is one.
  int64_t gatherDim = -1, scatterDim = -1;
  Value rowNumbers, rowNumbersStart;
};
} // namespace

Value RowCopy::cast(Value value) {
  Type element = dst.elementType();
  Type type = element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.clone(element);
  if (type == value.getType())
    return value;
  bool fromInt = isa<IntegerType>(src.elementType()), toInt = isa<IntegerType>(element);
  return CastOp::create(b, b.getLoc(), type, value, isUnsigned && fromInt,
                        isUnsigned && toInt);
}

void RowCopy::emit(IndexBounds &bounds) {
  src.computeRanges(b, bounds, op, gatherDim);
  dst.computeRanges(b, bounds, op, scatterDim);
  b.ifElse(dst.unitsInside, [&] { emitRows({}, src.unitsInside); }, [] {});
}

/// What the indices say for coordinate `i` of the dimension that they number.
Value RowCopy::loadRowNumber(Value i) {
  Location loc = b.getLoc();
  Value row = memref::LoadOp::create(b, loc, rowNumbers, b.add(rowNumbersStart, i));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), row);
}

/// Makes the coordinate of `side` what the indices say for `i`. Gives whether it exists.
Value RowCopy::moveToRow(CopyRegion &side, int64_t dim, Value i) {
  Value row = loadRowNumber(i);
  side.setCoordinate(dim, row);
  // A negative index is out of range even where the offset would mend it.
  Value notNegative = b.compare(arith::CmpIPredicate::sge, row, b.index(0));
  return b.both(notNegative, side.isInside(b, dim, row));
}

/// Loops over the copied dimensions but the last; `valid` says whether the source
/// row exists as far as the coordinates until now tell.
void RowCopy::emitRows(SmallVector<Value> coordinates, Value valid) {
  int64_t dim = coordinates.size();
  if (dim >= src.rank() - 1)
    return emitRow(coordinates, valid);
  b.forLoop(dst.lower[dim], dst.upper[dim], 1, [&](Value i) {
    SmallVector<Value> inner(coordinates);
    inner.push_back(i);
    Value exists = dim == gatherDim ? moveToRow(src, dim, i) : src.inRange(b, dim, i);
    Value written = dim == scatterDim ? moveToRow(dst, dim, i) : Value();
    b.ifElse(written, [&] { emitRows(inner, b.both(valid, exists)); }, [] {});
  });
}

void RowCopy::emitRow(ArrayRef<Value> coordinates, Value valid) {
  if (src.rank() == 0 || !src.isContiguous() || !dst.isContiguous() ||
      gatherDim == src.rank() - 1 || scatterDim == src.rank() - 1)
    return emitScalarRow(coordinates, valid);
  int64_t last = src.rank() - 1;
  Value full = b.both(src.rangeIsWhole(b, last), dst.rangeIsWhole(b, last));
  full = b.both(full, b.both(src.startsAtByte(b), dst.startsAtByte(b)));
  // Before AVX-512 there are masked moves of 32 and 64 bits only.
  bool masks = vectorBits >= 512 || (src.elementBits() >= 32 && dst.elementBits() >= 32);
  masks &= !src.isPaired() && !dst.isPaired();
  // A load without an active lane is no fault where no memory is, but takes as long as a
  // hundred others there: a row that does not exist is not loaded.
  auto emitOther = [&] {
    b.ifElse(
        full ? valid : Value(b.createOrFold<arith::ConstantIntOp>(b.getLoc(), 0, 1)),
        [&] { emitPartialRow(coordinates, masks); },
        [&] { emitRest(coordinates, dst.lower[last], /*exists=*/false, masks); });
  };
  b.ifElse(
      b.both(valid, full),
      [&] {
        prefetch(coordinates);
        emitWholeRow(coordinates);
      },
      emitOther);
}

/// Asks for a row that is read soon, the last of them again and again, or for one that
/// the next block reads.
void RowCopy::prefetch(ArrayRef<Value> coordinates) {
  int64_t dim = src.rank() - 2, ahead = src.rowsAhead(dim == gatherDim);
  int64_t next = ahead || dim == gatherDim ? 0 : src.rowsToNextBlock();
  if (ahead == 0 && next == 0)
    return;
  SmallVector<Value> at(coordinates);
  if (next) {
    at.back() = b.add(at.back(), next);
    return src.prefetchRow(b, at);
  }
  at.back() = b.min(b.add(at.back(), ahead), b.sub(b.index(dst.upper[dim]), b.index(1)));
  CopyRegion later(src);
  if (dim == gatherDim)
    later.setCoordinate(dim, loadRowNumber(at.back()));
  later.prefetchRow(b, at);
}

/// The memref of the row of `side` that holds `coordinates`.
Value RowCopy::rowOf(const CopyRegion &side, ArrayRef<Value> coordinates) {
  SmallVector<Value> at(coordinates);
  at.push_back(b.index(0));
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(side.indices(b, at));
  SmallVector<OpFoldResult> sizes(offsets.size(), b.getIndexAttr(1)), strides = sizes;
  sizes.back() = b.getIndexAttr(side.shape.back());
  auto type = memref::SubViewOp::inferRankReducedResultType(
      {side.shape.back()}, side.type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, b.getLoc(), type, side.memref, offsets, sizes,
                                   strides);
}

void RowCopy::emitWholeRow(ArrayRef<Value> coordinates) {
  int64_t bytes = src.shape.back() * src.elementBits() / 8;
  if (src.elementType() == dst.elementType() && !isTile(src.type) && !isTile(dst.type) &&
      !src.isPaired() && bytes >= movedRowBytes) {
    Value from = rowOf(src, coordinates), to = rowOf(dst, coordinates);
    memref::CopyOp::create(b, b.getLoc(), from, to);
    return;
  }
  // A register of f8 takes hardly longer to widen than half of one.
  bool widensBytes = isa<FloatType>(src.elementType()) && src.elementBits() == 8 &&
                     dst.elementBits() == 16;
  int64_t last = src.rank() - 1;
  int64_t lanes = laneCountOfRow() * (widensBytes ? 2 : 1);
  forVectorRuns(src.shape[last], lanes, [&](int64_t begin, int64_t end, int64_t width) {
    b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), width, [&](Value j) {
      SmallVector<Value> at(coordinates);
      at.push_back(j);
      dst.storeVector(b, cast(src.loadVector(b, at, width)), at);
    });
  });
}

/// How many elements of a row are moved at a time.
int64_t RowCopy::laneCountOfRow() const {
  bool fromWider = src.elementBits() >= dst.elementBits();
  return laneCount(vectorBits, fromWider ? src.elementType() : dst.elementType());
}

/// A row of which some elements exist: whole vectors of these, then what is left.
void RowCopy::emitPartialRow(ArrayRef<Value> coordinates, bool masks) {
  int64_t last = src.rank() - 1, lanes = laneCountOfRow();
  auto beginsWhole = [&](const CopyRegion &side) {
    return !side.isPaired() && getConstantIntValue(side.lower[last]) == 0;
  };
  if (!beginsWhole(src) || !beginsWhole(dst))
    return emitRest(coordinates, dst.lower[last], /*exists=*/true, masks);
  Value count = b.index(src.upper[last]);
  if (getConstantIntValue(dst.upper[last]) != src.shape[last])
    count = b.min(count, b.index(dst.upper[last]));
  Value rest = b.createOrFold<arith::RemUIOp>(b.getLoc(), count, b.index(lanes));
  Value whole = b.sub(count, rest);
  b.forLoop(b.getIndexAttr(0), getAsOpFoldResult(whole), lanes, [&](Value j) {
    SmallVector<Value> at(coordinates);
    at.push_back(j);
    dst.storeVector(b, cast(src.loadVector(b, at, lanes)), at);
  });
  if (!masks)
    return emitRest(coordinates, getAsOpFoldResult(whole), /*exists=*/true, masks);
  Value isCut = b.compare(arith::CmpIPredicate::ne, rest, b.index(0));
  b.ifElse(isCut, [&] { emitMaskedVector(coordinates, whole, /*exists=*/true); }, [] {});
  if (isTile(src.type)) // it has all that there is place for
    return;
  Value cut = arith::SelectOp::create(b, b.getLoc(), isCut, b.index(lanes), b.index(0));
  emitRest(coordinates, getAsOpFoldResult(b.add(whole, cut)), /*exists=*/false, masks);
}

/// Elements from `begin` on, of which some exist in the source, or none.
void RowCopy::emitRest(ArrayRef<Value> coordinates, OpFoldResult begin, bool exists,
                       bool masks) {
  int64_t last = src.rank() - 1;
  if (!masks) {
    Value valid;
    if (!exists)
      valid = b.createOrFold<arith::ConstantIntOp>(b.getLoc(), 0, 1);
    return emitScalarRow(coordinates, valid, begin);
  }
  b.forLoop(begin, b.getIndexAttr(src.shape[last]), laneCountOfRow(),
            [&](Value j) { emitMaskedVector(coordinates, j, exists); });
}

/// A vector of which some elements exist, or none.
void RowCopy::emitMaskedVector(ArrayRef<Value> coordinates, Value j, bool exists) {
  Location loc = b.getLoc();
  int64_t last = src.rank() - 1, lanes = laneCountOfRow();
  auto type = VectorType::get(lanes, src.elementType());
  auto maskType = VectorType::get(lanes, b.getI1Type());
  // Lanes of the vector at `j` that lie in [lower, upper).
  auto mask = [&](Value lower, Value upper) -> Value {
    Value below = vector::CreateMaskOp::create(b, loc, maskType, b.sub(upper, j));
    if (getConstantIntValue(lower) == 0)
      return below;
    Value before = vector::CreateMaskOp::create(b, loc, maskType, b.sub(lower, j));
    Value outside =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ugt, below, before);
    return outside;
  };
  Value pass = fill;
  if (src.elementType() != dst.elementType() || !fill)
    pass = arith::ConstantOp::create(b, loc, zeroBits(src.elementType()));
  SmallVector<Value> at(coordinates);
  at.push_back(j);
  Value value = vector::BroadcastOp::create(b, loc, type, pass), readMask;
  if (exists) {
    readMask = mask(b.index(src.lower[last]), b.index(src.upper[last]));
    value = vector::MaskedLoadOp::create(b, loc, type, src.memref, src.indices(b, at),
                                         readMask, value);
  }
  value = cast(value);
  if (fill && src.elementType() != dst.elementType()) {
    Value fills = vector::BroadcastOp::create(b, loc, value.getType(), fill);
    value = exists ? arith::SelectOp::create(b, loc, readMask, value, fills) : fills;
  }
  if (isTile(dst.type) && dst.shape[last] % lanes == 0)
    return dst.storeVector(b, value, at);
  Value writeMask = mask(b.index(dst.lower[last]), b.index(dst.upper[last]));
  vector::MaskedStoreOp::create(b, loc, dst.memref, dst.indices(b, at), writeMask, value);
}

void RowCopy::emitScalarRow(ArrayRef<Value> coordinates, Value valid) {
  OpFoldResult begin = src.rank() == 0 ? b.getIndexAttr(0) : dst.lower[src.rank() - 1];
  emitScalarRow(coordinates, valid, begin);
}

/// Elements from `begin` on, one at a time.
void RowCopy::emitScalarRow(ArrayRef<Value> coordinates, Value valid,
                            OpFoldResult begin) {
  Location loc = b.getLoc();
  auto element = [&](ArrayRef<Value> at, Value inside) {
    Value value;
    if (!inside) {
      value = cast(src.loadElement(b, at));
    } else {
      auto branch = scf::IfOp::create(b, loc, dst.elementType(), inside, true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(b, loc, cast(src.loadElement(b, at)));
      b.setInsertionPointToStart(branch.elseBlock());
      Value other = fill;
      if (!other)
        other = cast(arith::ConstantOp::create(b, loc, zeroBits(src.elementType())));
      scf::YieldOp::create(b, loc, other);
      value = branch.getResult(0);
    }
    dst.storeElement(b, value, at);
  };
  if (src.rank() == 0)
    return element({}, valid);
  int64_t last = src.rank() - 1;
  b.forLoop(begin, dst.upper[last], 1, [&](Value j) {
    SmallVector<Value> at(coordinates);
    at.push_back(j);
    Value exists = last == gatherDim ? moveToRow(src, last, j) : src.inRange(b, last, j);
    Value written = last == scatterDim ? moveToRow(dst, last, j) : Value();
    b.ifElse(written, [&] { element(at, b.both(valid, exists)); }, [] {});
  });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

static void lowerCopy(CopyOp op, IndexBounds &bounds, int64_t vectorBits) {
  LoopBuilder b(op);
  CopyRegion src(b, op.getSrc(), op.getMixedSrcOffsets(), op.getSrcSizes());
  CopyRegion dst(b, op.getDst(), op.getMixedDstOffsets(), op.getDstSizes());
  RowCopy copy(b, op, src, dst, /*fill=*/Value(), op.getIsUnsigned(), vectorBits);
  copy.emit(bounds);
  op.erase();
}

/// How many copied dimensions come before `axis`, which is copied along even where it has
/// one row.
static int64_t copiedBefore(ArrayRef<int64_t> sizes, int64_t axis) {
  return llvm::count_if(sizes.take_front(axis), [](int64_t size) { return size != 1; });
}

static void lowerGather(GatherOp op, IndexBounds &bounds, int64_t vectorBits) {
  LoopBuilder b(op);
  int64_t axis = op.getAxis();
  int64_t place = copiedBefore(op.getSrcSizes(), axis);
  CopyRegion src(b, op.getSrc(), op.getMixedSrcOffsets(), op.getSrcSizes(), axis);
  CopyRegion dst(b, op.getDst(), op.getMixedDstOffsets(), op.getDstSizes());
  if (op.getSrcSizes()[axis] == 1)
    dst.insertUnit(b, place);
  RowCopy copy(b, op, src, dst, op.getFill(), op.getIsUnsigned(), vectorBits);
  copy.setIndices(RowCopy::Source, place, op.getIndices(),
                  b.index(op.getMixedIndexOffset()));
  copy.emit(bounds);
  op.erase();
}

static void lowerScatter(ScatterOp op, IndexBounds &bounds, int64_t vectorBits) {
  LoopBuilder b(op);
  int64_t axis = op.getAxis();
  int64_t place = copiedBefore(op.getDstSizes(), axis);
  CopyRegion src(b, op.getSrc(), op.getMixedSrcOffsets(), op.getSrcSizes());
  CopyRegion dst(b, op.getDst(), op.getMixedDstOffsets(), op.getDstSizes(), axis);
  if (op.getDstSizes()[axis] == 1)
    src.insertUnit(b, place);
  RowCopy copy(b, op, src, dst, /*fill=*/Value(), op.getIsUnsigned(), vectorBits);
  copy.setIndices(RowCopy::Destination, place, op.getIndices(),
                  b.index(op.getMixedIndexOffset()));
  copy.emit(bounds);
  op.erase();
}

namespace {
struct LowerCopyPass : tilewright::cpu::impl::LowerCopyBase<LowerCopyPass> {
  using LowerCopyBase::LowerCopyBase;

  void runOnOperation() override {
    getOperation()->walk([&](func::FuncOp function) { lower(function); });
  }

private:
  void lower(func::FuncOp function) {
    SmallVector<Operation *> ops;
    function.walk([&](Operation *op) {
      if (isa<CopyOp, GatherOp, ScatterOp, FillOp, PackOp>(op))
        ops.push_back(op);
    });
    // Copies have no results, so what is known of values outlives them.
    IndexBounds bounds(function);
    for (Operation *op : ops) {
      if (auto copy = dyn_cast<CopyOp>(op))
        lowerCopy(copy, bounds, vectorBits);
      else if (auto gather = dyn_cast<GatherOp>(op))
        lowerGather(gather, bounds, vectorBits);
      else if (auto scatter = dyn_cast<ScatterOp>(op))
        lowerScatter(scatter, bounds, vectorBits);
      else if (auto fill = dyn_cast<FillOp>(op))
        lowerFill(fill, vectorBits);
      else
        lowerPack(cast<PackOp>(op), bounds, vectorBits);
    }
  }
};
} // namespace
