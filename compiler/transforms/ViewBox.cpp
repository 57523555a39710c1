//===- ViewBox.cpp - Elements of a view as elements of its source -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A view has its source's elements in their order, so the dimensions of both fall into
// groups of equally many elements: [2, 3, 128] and [2, 384] are [2] and [2], [3, 128] and
// [384]. In each group a box is one run of elements, or it is not a box of the source.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/ViewBox.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace tilewright::tile {

namespace {
/// Index arithmetic that folds constants.
class IndexMath {
public:
  IndexMath(OpBuilder &builder, Location loc) : builder(builder), loc(loc) {}

  template <typename Op, typename Fold>
  OpFoldResult apply(OpFoldResult a, int64_t b, Fold fold) {
    if (auto constant = getConstantIntValue(a))
      return builder.getIndexAttr(fold(*constant, b));
    Value by = arith::ConstantIndexOp::create(builder, loc, b);
    return Op::create(builder, loc, cast<Value>(a), by).getResult();
  }
  OpFoldResult multiply(OpFoldResult a, int64_t b) {
    return b == 1 ? a : apply<arith::MulIOp>(a, b, std::multiplies<int64_t>());
  }
  OpFoldResult divide(OpFoldResult a, int64_t b) {
    return b == 1 ? a : apply<arith::DivSIOp>(a, b, std::divides<int64_t>());
  }
  OpFoldResult rest(OpFoldResult a, int64_t b) {
    return apply<arith::RemSIOp>(a, b, std::modulus<int64_t>());
  }
  OpFoldResult add(OpFoldResult a, OpFoldResult b) {
    auto x = getConstantIntValue(a), y = getConstantIntValue(b);
    if (x && y)
      return builder.getIndexAttr(*x + *y);
    if (x == 0 || y == 0)
      return x == 0 ? b : a;
    return arith::AddIOp::create(builder, loc, toValue(a), toValue(b)).getResult();
  }
  /// `index` where 0 <= index < extent, else what is outside for sure.
  OpFoldResult keepInside(OpFoldResult index, int64_t extent, int64_t outside) {
    if (auto constant = getConstantIntValue(index))
      return *constant >= 0 && *constant < extent ? index : builder.getIndexAttr(outside);
    Value value = cast<Value>(index);
    Value isInside = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, value,
                                           toValue(builder.getIndexAttr(extent)));
    return arith::SelectOp::create(builder, loc, isInside, value,
                                   toValue(builder.getIndexAttr(outside)))
        .getResult();
  }

private:
  Value toValue(OpFoldResult index) {
    return getValueOrCreateConstantIndexOp(builder, loc, index);
  }

  OpBuilder &builder;
  Location loc;
};

/// Elements that follow each other: the first is a multiple of `step`.
struct Run {
  OpFoldResult start;
  int64_t length, step;
};
} // namespace

/// How many elements one step in each dimension passes.
static SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t dim = shape.size(); dim-- > 1;)
    strides[dim - 1] = strides[dim] * shape[dim];
  return strides;
}

/// The part of a box in dimensions of `shape` as a run.
static std::optional<Run> getRun(IndexMath &math, OpFoldResult zero,
                                 ArrayRef<int64_t> shape, ArrayRef<OpFoldResult> offsets,
                                 ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> strides = getStrides(shape);
  int64_t total = strides.front() * shape.front();
  Run run{zero, 1, total};
  bool isAll = false; // all later dimensions must be whole
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    int64_t size = ShapedType::isDynamic(sizes[dim]) ? extent : sizes[dim];
    if (isAll && size != extent)
      return std::nullopt;
    isAll |= size != 1;
    run.length *= size;
    OpFoldResult offset = offsets[dim];
    if (dim > 0 && size == 1)
      offset = math.keepInside(offset, extent, total);
    if (getConstantIntValue(offset) != 0)
      run.step = std::min(run.step, strides[dim]);
    run.start = math.add(run.start, math.multiply(offset, strides[dim]));
  }
  return run;
}

/// Appends the run as a box of dimensions of `shape`; false where it is none.
static bool appendRun(IndexMath &math, OpFoldResult zero, const Run &run,
                      ArrayRef<int64_t> shape, Box &box) {
  SmallVector<int64_t> strides = getStrides(shape);
  // The innermost dimension that holds the run.
  size_t pivot = shape.size() - 1;
  while (pivot > 0 && run.length > strides[pivot] * shape[pivot])
    --pivot;
  while (pivot > 0 && run.length == strides[pivot] * shape[pivot] && shape[pivot] == 1)
    --pivot;
  if (run.length % strides[pivot] || run.step % strides[pivot])
    return false;
  // A run of several may go on in the next row, unless rows are whole or all there is.
  bool isOneRow = llvm::all_of(shape.take_front(pivot), [](int64_t e) { return e == 1; });
  int64_t row = strides[pivot] * shape[pivot];
  if (!isOneRow && run.length > strides[pivot] &&
      (row % run.length || run.step % run.length))
    return false;
  for (auto [dim, extent] : llvm::enumerate(shape)) {
    bool isOuter = dim < pivot, isLast = dim == pivot;
    OpFoldResult offset = zero;
    if (isLast && isOneRow)
      offset = math.divide(run.start, strides[dim]);
    else if (isOuter || isLast)
      offset =
          math.divide(dim == 0 ? run.start : math.rest(run.start, strides[dim] * extent),
                      strides[dim]);
    if (isOneRow && isOuter)
      offset = zero;
    box.offsets.push_back(offset);
    box.sizes.push_back(isOuter ? 1 : isLast ? run.length / strides[dim] : extent);
  }
  return true;
}

/// `box`, of elements in `shape`, as a box of the same elements in `source`'s dimensions.
static std::optional<Box> reshape(IndexMath &math, OpFoldResult zero, const Box &box,
                                  ArrayRef<int64_t> shape, ArrayRef<int64_t> source) {
  Box result;
  for (size_t i = 0, j = 0; i < source.size() || j < shape.size();) {
    size_t firstI = i, firstJ = j;
    int64_t left = i < source.size() ? source[i++] : 1;
    int64_t right = j < shape.size() ? shape[j++] : 1;
    while (left != right) {
      if (left < right)
        left *= source[i++];
      else
        right *= shape[j++];
    }
    std::optional<Run> run = Run{zero, 1, left};
    if (size_t count = j - firstJ)
      run = getRun(math, zero, shape.slice(firstJ, count),
                   ArrayRef(box.offsets).slice(firstJ, count),
                   ArrayRef(box.sizes).slice(firstJ, count));
    ArrayRef<int64_t> part = source.slice(firstI, i - firstI);
    if (!run || (!part.empty() && !appendRun(math, zero, *run, part, result)))
      return std::nullopt;
  }
  return result;
}

FailureOr<Box> getBoxOfSource(ViewOp view, const Box &box, OpBuilder &builder) {
  auto from = cast<MemRefType>(view.getSource().getType());
  auto to = cast<MemRefType>(view.getResult().getType());
  if (!from.hasStaticShape() || !to.hasStaticShape() || from.getNumElements() == 0 ||
      from.getRank() == 0 || to.getRank() == 0)
    return failure();
  // Of two sizes of elements the larger is one more dimension, of the smaller.
  int64_t fromBits = from.getElementTypeBitWidth(), toBits = to.getElementTypeBitWidth();
  IndexMath math(builder, view.getLoc());
  OpFoldResult zero = builder.getIndexAttr(0);
  SmallVector<int64_t> source(from.getShape()), shape(to.getShape());
  Box inner = box;
  if (toBits > fromBits) {
    shape.push_back(toBits / fromBits);
    inner.offsets.push_back(zero);
    inner.sizes.push_back(shape.back());
  }
  if (fromBits > toBits)
    source.push_back(fromBits / toBits);
  std::optional<Box> outer = reshape(math, zero, inner, shape, source);
  if (!outer)
    return failure();
  outer->memref = view.getSource();
  if (fromBits > toBits) {
    // A part of one element counts as all of it.
    bool isOne = llvm::all_of(ArrayRef(outer->sizes).drop_back(),
                              [](int64_t size) { return size == 1; });
    if (outer->sizes.back() != source.back() && !isOne)
      return failure();
    outer->offsets.pop_back();
    outer->sizes.pop_back();
  }
  return *outer;
}

FailureOr<Box> getBoxOfSource(memref::SubViewOp view, const Box &box,
                              OpBuilder &builder) {
  if (!llvm::all_of(view.getMixedStrides(), isOneInteger))
    return failure();
  IndexMath math(builder, view.getLoc());
  Box outer{view.getSource(), {}, {}};
  llvm::SmallBitVector dropped = view.getDroppedDims();
  unsigned dim = 0;
  for (auto [at, offset] : llvm::enumerate(view.getMixedOffsets())) {
    outer.offsets.push_back(dropped[at] ? offset : math.add(offset, box.offsets[dim]));
    outer.sizes.push_back(dropped[at] ? 1 : box.sizes[dim++]);
  }
  return outer;
}

} // namespace tilewright::tile
