//===- ExpandMoves.cpp - Copies, fills and their like as parallel loops -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/transforms/ExpandBuilder.h"
#include "compiler/transforms/ExpandTiles.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// fill
//===----------------------------------------------------------------------===//

/// About how many elements of a tensor of unknown size are filled in parallel.
static constexpr int64_t filledAtOnce = 1024;

/// A parallel loop has constant extents: of the others, the last is walked in runs, those
/// before it one by one.
void tile::expandFill(FillOp op) {
  ExpandBuilder b(op);
  Value dst = op.getDst();
  auto type = cast<MemRefType>(dst.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
  SmallVector<int64_t> sizes(type.getShape());
  int64_t run = filledAtOnce;
  for (int64_t size : sizes)
    run = ShapedType::isDynamic(size) || size == 0 ? run : run / size;
  run = std::max<int64_t>(run, 1);
  for (int64_t &size : llvm::reverse(sizes))
    if (ShapedType::isDynamic(size))
      size = std::exchange(run, 1);

  auto fillFrom = [&](auto &self, int64_t dim) -> void {
    if (dim == type.getRank()) {
      CopySide side(dst, offsets, sizes);
      return b.parallel(side.shape(), [&](ArrayRef<Value> coordinates) {
        side.store(b, op.getValue(), coordinates);
      });
    }
    if (!type.isDynamicDim(dim))
      return self(self, dim + 1);
    OpFoldResult extent = memref::getMixedSize(b, b.getLoc(), dst, dim);
    b.forLoop(b.getIndexAttr(0), extent, sizes[dim], [&](Value start) {
      offsets[dim] = start;
      self(self, dim + 1);
    });
  };
  fillFrom(fillFrom, 0);
}

//===----------------------------------------------------------------------===//
// copy
//===----------------------------------------------------------------------===//

void tile::expandCopy(CopyOp op) {
  ExpandBuilder b(op);
  CopySide src(op.getSrc(), op.getMixedSrcOffsets(), op.getSrcSizes());
  CopySide dst(op.getDst(), op.getMixedDstOffsets(), op.getDstSizes());
  if (dst.mayDisturb(src))
    src = src.copied(b, src.elementType());
  copyRegion(b, src, dst, op.getIsUnsigned());
}

/// panel[k / i, n, k % i] = src[k, n], and zero past K.
void tile::expandPack(PackOp op) {
  ExpandBuilder b(op);
  Value panel = op.getPanel(), from = b.keepFrom(op.getSrc(), panel);
  SmallVector<OpFoldResult> offsets = op.getMixedSrcOffsets();
  CopySide src(from, offsets, op.getSrcSizes());
  Type element = elementOf(panel);
  int64_t extentK = op.getK(), interleave = shapeOf(panel)[2];
  bool hasRest = extentK % interleave != 0;
  b.parallel(shapeOf(panel), [&](ArrayRef<Value> at) {
    Value k = b.add(b.mul(at[0], interleave), at[2]), row = k, column = at[1];
    if (op.getTranspose())
      std::swap(row, column);
    SmallVector<Value> indices;
    for (auto [dim, offset] : llvm::enumerate(offsets)) {
      Value place = static_cast<int64_t>(dim) == op.getDims()[0]   ? row
                    : static_cast<int64_t>(dim) == op.getDims()[1] ? column
                                                                   : Value();
      indices.push_back(b.addTo(offset, place));
    }
    auto read = [&] {
      Expr value = b.expr(b.load(from, indices, src.inbounds()));
      return Value(castElements(value, element, op.getIsUnsigned()));
    };
    auto zero = [&]() -> Value {
      return arith::ConstantOp::create(b, b.getLoc(), zeroBits(element));
    };
    Value isInside;
    if (hasRest)
      isInside = b.compare(arith::CmpIPredicate::slt, k, b.index(extentK));
    b.store(b.choose(isInside, element, read, zero), panel, at);
  });
}

//===----------------------------------------------------------------------===//
// gather and scatter
//===----------------------------------------------------------------------===//

namespace {
/// The side of a gather or scatter whose rows an index tile names.
class NamedRows {
public:
  /// Emits in front of the loop what does not change in it.
  NamedRows(ExpandBuilder &b, CopySide side, int64_t axis, Value numbers,
            OpFoldResult start)
      : side(std::move(side)), axis(axis), numbers(numbers), start(start) {
    inbounds = this->side.inbounds();
    inbounds[axis] = false;
    for (int64_t dim = 0; dim < this->side.type().getRank(); ++dim)
      extents.push_back(
          b.index(memref::getMixedSize(b, b.getLoc(), this->side.memref, dim)));
  }

  /// Finds the element at `coordinates`: its indices, and whether its row and, with
  /// `whole`, all of its indices exist.
  struct Element {
    SmallVector<Value> indices;
    Value exists;
  };
  Element find(ExpandBuilder &b, ArrayRef<Value> coordinates, bool whole) const;

  CopySide side;
  /// Which indices need no guard, that of the row left out.
  SmallVector<bool> inbounds;

private:
  int64_t axis;
  Value numbers;
  OpFoldResult start;
  SmallVector<Value> extents;
};
} // namespace

NamedRows::Element NamedRows::find(ExpandBuilder &b, ArrayRef<Value> coordinates,
                                   bool whole) const {
  using Predicate = arith::CmpIPredicate;
  auto place = side.coordinateOf(axis);
  Value i = place ? coordinates[*place] : b.index(0);
  Value number = b.load(numbers, b.addTo(start, i));
  Value row = arith::IndexCastOp::create(b, b.getLoc(), b.getIndexType(), number);
  SmallVector<Value> indices = side.indices(b, coordinates);
  indices[axis] = b.addTo(side.offsets[axis], row);
  // A negative number is out of range even where the offset would mend it.
  Value exists;
  if (getConstantIntValue(side.offsets[axis]) != 0)
    exists = b.compare(Predicate::sge, row, b.index(0));
  for (size_t dim = 0; dim < indices.size(); ++dim) {
    // A tile is left along the axis only.
    bool isGuarded = static_cast<int64_t>(dim) == axis ||
                     (whole && !inbounds[dim] && !isTile(side.memref.getType()));
    if (isGuarded) // seen as unsigned, a negative index is too large as well
      exists = b.both(exists, b.compare(Predicate::ult, indices[dim], extents[dim]));
  }
  return {indices, exists};
}

void tile::expandGather(GatherOp op) {
  ExpandBuilder b(op);
  CopySide dst(op.getDst(), op.getMixedDstOffsets(), op.getDstSizes());
  NamedRows rows(b, {op.getSrc(), op.getMixedSrcOffsets(), op.getSrcSizes()},
                 op.getAxis(), op.getIndices(), op.getMixedIndexOffset());
  // Any row may be read, so it is the result that waits where it could be one of them.
  CopySide target = dst;
  bool waits =
      mayOverlap(op.getDst(), op.getSrc()) || mayOverlap(op.getDst(), op.getIndices());
  if (waits)
    target = CopySide::whole(b.allocate("kept", op.getDstSizes(), dst.elementType()));
  Type element = dst.elementType();
  SmallVector<bool> inside(op.getSrcSizes().size(), true);
  // A tensor's rows that do not exist are zero, as all that lies outside of it. Of a type
  // without a zero that is another number.
  auto outside = dyn_cast<FloatAttr>(zeroBits(elementOf(op.getSrc())));
  bool readsZero = !isTile(op.getSrc().getType()) &&
                   (!outside || outside.getValue().isPosZero()) &&
                   matchPattern(op.getFill(), m_PosZeroFloat()) &&
                   getConstantIntValue(rows.side.offsets[op.getAxis()]) == 0;
  b.parallel(dst.shape(), [&](ArrayRef<Value> coordinates) {
    auto [indices, exists] = rows.find(b, coordinates, /*whole=*/true);
    if (readsZero) {
      Expr read = b.expr(b.load(op.getSrc(), indices, rows.inbounds));
      return target.store(b, castElements(read, element, op.getIsUnsigned()),
                          coordinates);
    }
    Value value = b.choose(
        exists, element,
        [&]() -> Value {
          Expr read = b.expr(b.load(op.getSrc(), indices, inside));
          return castElements(read, element, op.getIsUnsigned());
        },
        [&] { return op.getFill(); });
    target.store(b, value, coordinates);
  });
  if (waits)
    copyRegion(b, target, dst);
}

/// The rows are stored in order, so that the last one with an index wins.
void tile::expandScatter(ScatterOp op) {
  ExpandBuilder b(op);
  Value dst = op.getDst();
  CopySide src(op.getSrc(), op.getMixedSrcOffsets(), op.getSrcSizes());
  CopySide to(dst, op.getMixedDstOffsets(), op.getDstSizes());
  int64_t count = to.sizes[op.getAxis()];
  CopySide numbers(op.getIndices(), op.getMixedIndexOffset(), count);
  // Even a row that lies in its place may be written before it is read.
  if (mayOverlap(dst, src.memref))
    src = src.copied(b, src.elementType());
  if (mayOverlap(dst, numbers.memref))
    numbers = numbers.copied(b, numbers.elementType());
  NamedRows rows(b, to, op.getAxis(), numbers.memref, numbers.offsets.front());

  auto place = to.coordinateOf(op.getAxis());
  SmallVector<int64_t> columns = to.shape();
  if (place)
    columns.erase(columns.begin() + *place);
  b.parallel(columns, [&](ArrayRef<Value> column) {
    b.serial(0, count, {}, [&](Value row, ValueRange) {
      SmallVector<Value> coordinates(column);
      if (place)
        coordinates.insert(coordinates.begin() + *place, row);
      auto [indices, exists] = rows.find(b, coordinates, /*whole=*/false);
      SmallVector<bool> inbounds = rows.inbounds;
      inbounds[op.getAxis()] = true;
      auto branch = scf::IfOp::create(b, b.getLoc(), exists, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      Expr value = b.expr(src.load(b, coordinates));
      b.store(castElements(value, elementOf(dst), op.getIsUnsigned()), dst, indices,
              inbounds);
      return SmallVector<Value>();
    });
  });
}
