//===- TileDims.cpp - Walking tiles along one dimension -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TileDims.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

static MemRefType typeOf(Value tile) { return cast<MemRefType>(tile.getType()); }

static bool isContiguous(Value tile) { return typeOf(tile).getLayout().isIdentity(); }

/// The contiguous `tile` with another shape of as many elements.
static Value reshape(LoopBuilder &b, Value tile, ArrayRef<int64_t> shape) {
  MemRefType type = typeOf(tile);
  if (type.getShape() == shape)
    return tile;
  auto reshaped =
      MemRefType::get(shape, type.getElementType(), AffineMap(), type.getMemorySpace());
  return memref::ReinterpretCastOp::create(b, b.getLoc(), reshaped, tile, /*offset=*/0,
                                           shape, computeSuffixProduct(shape));
}

TilesAlongDim cpu::mergeOtherDims(LoopBuilder &b, ValueRange tiles, int64_t dim,
                                  Value reduced) {
  TilesAlongDim merged{SmallVector<Value>(tiles), dim};
  if (llvm::all_of(tiles, isContiguous) && (!reduced || isContiguous(reduced))) {
    merged.dim = 1;
    for (Value &tile : merged.tiles) {
      ArrayRef<int64_t> shape = shapeOf(tile);
      int64_t before = computeProduct(shape.take_front(dim));
      int64_t after = computeProduct(shape.drop_front(dim + 1));
      SmallVector<int64_t> around{before, shape[dim]};
      if (after != 1)
        around.push_back(after);
      tile = reshape(b, tile, around);
    }
  } else if (shapeOf(tiles[0]).size() == 1) {
    merged.dim = 1;
    for (Value &tile : merged.tiles)
      tile = memref::ExpandShapeOp::create(b, b.getLoc(), {1, shapeOf(tile)[0]}, tile,
                                           ArrayRef<ReassociationIndices>{{0, 1}});
  }
  return merged;
}

Value cpu::dropReducedDim(LoopBuilder &b, const TilesAlongDim &merged, Value dst) {
  SmallVector<int64_t> dropped(shapeOf(merged.tiles[0]));
  dropped.erase(dropped.begin() + merged.dim);
  if (isContiguous(dst))
    return reshape(b, dst, dropped);
  MemRefType type = typeOf(dst);
  if (type.getShape() == ArrayRef(dropped))
    return dst;
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes =
      getAsIndexOpFoldResult(b.getContext(), type.getShape());
  auto reduced = memref::SubViewOp::inferRankReducedResultType(dropped, type, offsets,
                                                               sizes, strides);
  return memref::SubViewOp::create(b, b.getLoc(), cast<MemRefType>(reduced), dst, offsets,
                                   sizes, strides);
}

void cpu::forOtherDims(LoopBuilder &b, ArrayRef<int64_t> shape, ArrayRef<int64_t> skip,
                       llvm::function_ref<void(Indices &)> body) {
  Indices indices;
  std::function<void()> nest = [&] {
    int64_t dim = indices.size();
    if (dim == static_cast<int64_t>(shape.size()))
      return body(indices);
    auto inside = [&](Value index) {
      indices.push_back(index);
      nest();
      indices.pop_back();
    };
    if (llvm::is_contained(skip, dim))
      return inside({});
    b.forLoop(shape[dim], 1, inside);
  };
  nest();
}

SmallVector<Value>
cpu::loopCarrying(LoopBuilder &b, int64_t lower, int64_t upper, int64_t step,
                  ValueRange initial,
                  llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  if (lower >= upper)
    return initial;
  auto loop = scf::ForOp::create(b, b.getLoc(), b.index(lower), b.index(upper),
                                 b.index(step), initial);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, b.getLoc(),
                       body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return loop.getResults();
}

//===----------------------------------------------------------------------===//
// Lanes
//===----------------------------------------------------------------------===//

static bool hasUnitStride(Value memref) {
  return typeOf(memref).getStridesAndOffset().first.back() == 1;
}

/// `indices` with `lane` added to the last one.
static Indices atLane(LoopBuilder &b, Indices indices, int64_t lane) {
  indices.back() = b.add(indices.back(), lane);
  return indices;
}

Value cpu::loadLanes(LoopBuilder &b, Value memref, const Indices &indices,
                     int64_t width) {
  Location loc = b.getLoc();
  auto type = VectorType::get(width, elementOf(memref));
  if (hasUnitStride(memref))
    return vector::LoadOp::create(b, loc, type, memref, indices);
  SmallVector<Value> lanes;
  for (int64_t lane = 0; lane < width; ++lane)
    lanes.push_back(memref::LoadOp::create(b, loc, memref, atLane(b, indices, lane)));
  return vector::FromElementsOp::create(b, loc, type, lanes);
}

void cpu::storeLanes(LoopBuilder &b, Value vector, Value memref, const Indices &indices) {
  Location loc = b.getLoc();
  if (hasUnitStride(memref)) {
    vector::StoreOp::create(b, loc, vector, memref, indices);
    return;
  }
  int64_t width = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t lane = 0; lane < width; ++lane)
    memref::StoreOp::create(b, loc, vector::ExtractOp::create(b, loc, vector, lane),
                            memref, atLane(b, indices, lane));
}

Value cpu::sliceLanes(LoopBuilder &b, Value vector, int64_t first, int64_t width) {
  if (width == cast<VectorType>(vector.getType()).getNumElements())
    return vector;
  return vector::ExtractStridedSliceOp::create(b, b.getLoc(), vector, first, width, 1);
}

bool cpu::hasContiguousRows(MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  return !strides.empty() && strides.back() == 1;
}

bool cpu::continuesInNextBlock(Value offset, int64_t extent) {
  auto product = offset.getDefiningOp<arith::MulIOp>();
  auto block = product ? dyn_cast<BlockArgument>(product.getLhs()) : BlockArgument();
  return block && isa<tile::KernelOp>(block.getOwner()->getParentOp()) &&
         block.getArgNumber() == 0 && getConstantIntValue(product.getRhs()) == extent;
}

Value cpu::insertLanes(LoopBuilder &b, Value part, Value vector, int64_t first) {
  return vector::InsertStridedSliceOp::create(b, b.getLoc(), part, vector, first, 1);
}
