//===- TileDataOps.cpp - Moving data: copies, gathers, elements ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace tilewright::tile;

/// `sizes` without extents of 1, but for dimension `keep`.
static SmallVector<int64_t> dropUnits(ArrayRef<int64_t> sizes, int64_t keep = -1) {
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (size != 1 || static_cast<int64_t>(dim) == keep)
      shape.push_back(size);
  return shape;
}

/// Checks that a region has one offset and one positive size per dimension: the rules
/// `rule` and `sizesRule` of the operation.
static LogicalResult verifyRegion(Operation *op, StringRef rule, StringRef sizesRule,
                                  StringRef side, MemRefType type,
                                  ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
  int64_t rank = type.getRank();
  if (static_cast<int64_t>(offsets.size()) != rank ||
      static_cast<int64_t>(sizes.size()) != rank)
    return op->emitOpError() << rule << " " << side << " has rank " << rank << " but "
                             << offsets.size() << " offsets and " << sizes.size()
                             << " sizes";
  if (llvm::any_of(sizes, [](int64_t size) { return size < 1; }))
    return op->emitOpError() << sizesRule << " sizes of " << side << " must be positive";
  return success();
}

/// Checks that a region of a tile that starts at constants lies inside it.
static LogicalResult verifyInside(Operation *op, StringRef rule, StringRef side,
                                  MemRefType type, ArrayRef<int64_t> offsets,
                                  ArrayRef<int64_t> sizes,
                                  std::optional<int64_t> exceptDim = {}) {
  if (!isTile(type))
    return success();
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    if (ShapedType::isDynamic(offsets[dim]) || type.isDynamicDim(dim) || dim == exceptDim)
      continue;
    if (offsets[dim] < 0 || offsets[dim] + sizes[dim] > type.getDimSize(dim))
      return op->emitOpError() << rule << " region of " << side
                               << " leaves the tile in dimension " << dim << ": "
                               << offsets[dim] << " + " << sizes[dim] << " > "
                               << type.getDimSize(dim);
  }
  return success();
}

static LogicalResult verifyAccess(Operation *op, MemRefType type, size_t indices,
                                  ArrayRef<bool> inbounds, StringRef inboundsRule) {
  if (static_cast<int64_t>(indices) != type.getRank())
    return op->emitOpError("(C1) takes ")
           << type.getRank() << " indices, got " << indices;
  if (!inbounds.empty() && static_cast<int64_t>(inbounds.size()) != type.getRank())
    return op->emitOpError() << inboundsRule
                             << " inbounds is empty or has one entry per dimension";
  return success();
}

//===----------------------------------------------------------------------===//
// copy
//===----------------------------------------------------------------------===//

LogicalResult CopyOp::verify() {
  auto src = cast<MemRefType>(getSrc().getType());
  auto dst = cast<MemRefType>(getDst().getType());
  if (failed(verifyRegion(*this, "(C1)", "(C2)", "src", src, getStaticSrcOffsets(),
                          getSrcSizes())) ||
      failed(verifyRegion(*this, "(C1)", "(C2)", "dst", dst, getStaticDstOffsets(),
                          getDstSizes())))
    return failure();
  if (dropUnits(getSrcSizes()) != dropUnits(getDstSizes()))
    return emitOpError("(C2) regions have different shapes: ")
           << getSrcSizes() << " and " << getDstSizes();
  if (failed(verifyInside(*this, "(C3)", "src", src, getStaticSrcOffsets(),
                          getSrcSizes())) ||
      failed(
          verifyInside(*this, "(C3)", "dst", dst, getStaticDstOffsets(), getDstSizes())))
    return failure();
  if (!src.getElementType().isIntOrFloat() || !dst.getElementType().isIntOrFloat())
    return emitOpError("(C4) element types must be integers or floats");
  return success();
}

SmallVector<int64_t> CopyOp::getShape() { return dropUnits(getSrcSizes()); }

SmallVector<OpFoldResult> CopyOp::getMixedSrcOffsets() {
  return getMixedValues(getStaticSrcOffsets(), getSrcOffsets(), getContext());
}

SmallVector<OpFoldResult> CopyOp::getMixedDstOffsets() {
  return getMixedValues(getStaticDstOffsets(), getDstOffsets(), getContext());
}

//===----------------------------------------------------------------------===//
// gather, scatter
//===----------------------------------------------------------------------===//

/// Checks what `tile.gather` and `tile.scatter` share. `side` has the rows that indices
/// name; rule `insideRule` says that regions lie inside their tiles.
template <typename Op>
static LogicalResult verifyRows(Op op, StringRef side, StringRef insideRule) {
  auto src = cast<MemRefType>(op.getSrc().getType());
  auto dst = cast<MemRefType>(op.getDst().getType());
  auto indices = cast<MemRefType>(op.getIndices().getType());
  bool fromRows = side == "src";
  if (failed(verifyRegion(op, "(C1)", "(C1)", "src", src, op.getStaticSrcOffsets(),
                          op.getSrcSizes())) ||
      failed(verifyRegion(op, "(C1)", "(C1)", "dst", dst, op.getStaticDstOffsets(),
                          op.getDstSizes())))
    return failure();
  int64_t axis = op.getAxis();
  if (axis < 0 || axis >= (fromRows ? src : dst).getRank())
    return op.emitOpError("(C2) axis ") << axis << " is not a dimension of " << side;
  if (dropUnits(op.getSrcSizes()) != dropUnits(op.getDstSizes()))
    return op.emitOpError("(C1) regions have different shapes: ")
           << op.getSrcSizes() << " and " << op.getDstSizes();
  int64_t rows = (fromRows ? op.getSrcSizes() : op.getDstSizes())[axis];
  if (indices.getRank() != 1 || !indices.getElementType().isInteger() ||
      op.getStaticIndexOffset().size() != 1 ||
      (!indices.isDynamicDim(0) && indices.getDimSize(0) < rows))
    return op.emitOpError("(C3) indices must be a vector of at least ")
           << rows << " integers";
  auto except = [&](bool isRows) {
    return isRows ? std::optional<int64_t>(axis) : std::nullopt;
  };
  if (failed(verifyInside(op, insideRule, "src", src, op.getStaticSrcOffsets(),
                          op.getSrcSizes(), except(fromRows))))
    return failure();
  return verifyInside(op, insideRule, "dst", dst, op.getStaticDstOffsets(),
                      op.getDstSizes(), except(!fromRows));
}

LogicalResult GatherOp::verify() { return verifyRows(*this, "src", "(C5)"); }

LogicalResult ScatterOp::verify() { return verifyRows(*this, "dst", "(C4)"); }

SmallVector<OpFoldResult> GatherOp::getMixedSrcOffsets() {
  return getMixedValues(getStaticSrcOffsets(), getSrcOffsets(), getContext());
}

SmallVector<OpFoldResult> GatherOp::getMixedDstOffsets() {
  return getMixedValues(getStaticDstOffsets(), getDstOffsets(), getContext());
}

OpFoldResult GatherOp::getMixedIndexOffset() {
  return getMixedValues(getStaticIndexOffset(), getIndexOffset(), getContext()).front();
}

SmallVector<OpFoldResult> ScatterOp::getMixedSrcOffsets() {
  return getMixedValues(getStaticSrcOffsets(), getSrcOffsets(), getContext());
}

SmallVector<OpFoldResult> ScatterOp::getMixedDstOffsets() {
  return getMixedValues(getStaticDstOffsets(), getDstOffsets(), getContext());
}

OpFoldResult ScatterOp::getMixedIndexOffset() {
  return getMixedValues(getStaticIndexOffset(), getIndexOffset(), getContext()).front();
}

//===----------------------------------------------------------------------===//
// pack
//===----------------------------------------------------------------------===//

SmallVector<OpFoldResult> PackOp::getMixedSrcOffsets() {
  return getMixedValues(getStaticSrcOffsets(), getSrcOffsets(), getContext());
}

int64_t PackOp::getK() { return getSrcSizes()[getDims()[getTranspose() ? 1 : 0]]; }
int64_t PackOp::getN() { return getSrcSizes()[getDims()[getTranspose() ? 0 : 1]]; }

LogicalResult PackOp::verify() {
  auto src = cast<MemRefType>(getSrc().getType());
  auto panel = cast<MemRefType>(getPanel().getType());
  if (failed(verifyRegion(*this, "(C1)", "(C1)", "src", src, getStaticSrcOffsets(),
                          getSrcSizes())))
    return failure();
  ArrayRef<int64_t> dims = getDims();
  if (dims.size() != 2 || dims[0] < 0 || dims[1] <= dims[0] || dims[1] >= src.getRank())
    return emitOpError("(C1) dims must name two dimensions of src, in order");
  for (auto [dim, size] : llvm::enumerate(getSrcSizes()))
    if (size != 1 && !llvm::is_contained(dims, static_cast<int64_t>(dim)))
      return emitOpError("(C1) dimension ")
             << dim << " is not spanned, so its size must be 1";
  if (panel.getRank() != 3 || !panel.hasStaticShape() ||
      panel.getDimSize(0) !=
          static_cast<int64_t>(llvm::divideCeil(getK(), panel.getDimSize(2))) ||
      panel.getDimSize(1) != getN() || !panel.areTrailingDimsContiguous(2))
    return emitOpError("(C2) panel must be [ceil(K / i), N, i] for K = ")
           << getK() << " and N = " << getN() << ", with rows that are contiguous";
  return verifyInside(*this, "(C3)", "src", src, getStaticSrcOffsets(), getSrcSizes());
}

//===----------------------------------------------------------------------===//
// pairs
//===----------------------------------------------------------------------===//

/// The type of the bytes that hold `elements`.
static MemRefType bytesOfPairs(MemRefType elements) {
  SmallVector<int64_t> shape(elements.getShape());
  if (!ShapedType::isDynamic(shape.back()))
    shape.back() /= 2;
  return MemRefType::get(shape, IntegerType::get(elements.getContext(), 8),
                         MemRefLayoutAttrInterface(), elements.getMemorySpace());
}

void PairsOp::build(OpBuilder &builder, OperationState &state, Value elements) {
  build(builder, state, bytesOfPairs(cast<MemRefType>(elements.getType())), elements);
}

Value PairsOp::getViewSource() { return getElements(); }

LogicalResult PairsOp::verify() {
  auto elements = cast<MemRefType>(getElements().getType());
  if (!holdsPairs(elements) || !elements.getLayout().isIdentity())
    return emitOpError("(C1) takes a row-major global memref of 4-bit elements");
  int64_t last = elements.getShape().back();
  if (!ShapedType::isDynamic(last) && last % 2)
    return emitOpError("(C1) a row of ")
           << last << " elements is no whole number of bytes";
  if (getBytes().getType() != bytesOfPairs(elements))
    return emitOpError("(C2) the bytes of ")
           << elements << " are " << bytesOfPairs(elements);
  return success();
}

//===----------------------------------------------------------------------===//
// load, store, atomic
//===----------------------------------------------------------------------===//

LogicalResult LoadOp::verify() {
  if (failed(verifyAccess(*this, cast<MemRefType>(getMemref().getType()),
                          getIndices().size(), getInbounds(), "(C2)")))
    return failure();
  if (isTile(getMemref().getType()))
    return emitOpError("(C3) reads global tensors; a tile is read by memref.load");
  return success();
}

LogicalResult StoreOp::verify() {
  if (failed(verifyAccess(*this, cast<MemRefType>(getMemref().getType()),
                          getIndices().size(), getInbounds(), "(C2)")))
    return failure();
  if (isTile(getMemref().getType()))
    return emitOpError("(C3) writes global tensors; a tile is written by memref.store");
  return success();
}

LogicalResult AtomicOp::verify() {
  auto type = cast<MemRefType>(getMemref().getType());
  if (failed(verifyAccess(*this, type, getIndices().size(), getInbounds(), "(C5)")))
    return failure();
  Combiner combiner = getCombiner();
  bool bitwise = combiner == Combiner::BitAnd || combiner == Combiner::BitOr ||
                 combiner == Combiner::BitXor;
  if (!bitwise && combiner != Combiner::Sum && combiner != Combiner::Max &&
      combiner != Combiner::Min)
    return emitOpError("(C2) has no atomic form of ") << stringifyCombiner(combiner);
  if (bitwise && !type.getElementType().isInteger())
    return emitOpError("(C3) bitwise combiners take integers");
  Space space = getSpace(type);
  if (space != Space::Global && space != Space::Shared)
    return emitOpError("(C4) memref must be global or shared");
  return success();
}
