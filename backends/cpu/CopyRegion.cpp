//===- CopyRegion.cpp - One side of a copy ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CopyRegion.h"

#include "backends/cpu/CpuTarget.h"
#include "backends/cpu/TileDims.h"

using namespace mlir;
using namespace tilewright::cpu;

CopyRegion::CopyRegion(LoopBuilder &b, Value memref, ArrayRef<OpFoldResult> mixedOffsets,
                       ArrayRef<int64_t> sizes, ArrayRef<int64_t> keep)
    : memref(memref), type(cast<MemRefType>(memref.getType())) {
  if (isPaired())
    bytes = tile::PairsOp::create(b, b.getLoc(), memref);
  for (OpFoldResult offset : mixedOffsets)
    offsets.push_back(b.index(offset));
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (size != 1 || llvm::is_contained(keep, static_cast<int64_t>(dim))) {
      dims.push_back(dim);
      shape.push_back(size);
    }
  fixed.resize(dims.size());
  for (int64_t extent : shape) {
    lower.push_back(b.getIndexAttr(0));
    upper.push_back(b.getIndexAttr(extent));
  }
}

void CopyRegion::insertUnit(LoopBuilder &b, int64_t place) {
  shape.insert(shape.begin() + place, 1);
  dims.insert(dims.begin() + place, -1);
  fixed.insert(fixed.begin() + place, Value());
  lower.insert(lower.begin() + place, b.getIndexAttr(0));
  upper.insert(upper.begin() + place, b.getIndexAttr(1));
}

void CopyRegion::computeRanges(LoopBuilder &b, tile::IndexBounds &bounds, Operation *op,
                               int64_t skip) {
  if (tile::isTile(type))
    return;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    Value extent = b.index(memref::getMixedSize(b, b.getLoc(), memref, dim));
    auto copied = llvm::find(dims, dim);
    int64_t size = copied == dims.end() ? 1 : shape[copied - dims.begin()];
    bool fromStart = bounds.isNonNegative(offsets[dim], op);
    bool toEnd = bounds.isBelowExtent(offsets[dim], memref, dim, op, size);
    if (copied == dims.end()) {
      if (fromStart && toEnd)
        continue;
      // 0 <= offset < extent as one unsigned comparison.
      unitsInside =
          b.both(unitsInside, b.compare(arith::CmpIPredicate::ult, offsets[dim], extent));
      continue;
    }
    int64_t d = copied - dims.begin();
    if (d == skip)
      continue;
    Value zero = b.index(0), all = b.index(size);
    Value first = zero;
    if (!fromStart) {
      first = b.min(b.max(b.sub(zero, offsets[dim]), zero), all);
      lower[d] = getAsOpFoldResult(first);
    }
    if (!toEnd)
      upper[d] = getAsOpFoldResult(b.max(b.min(b.sub(extent, offsets[dim]), all), first));
  }
}

Value CopyRegion::inRange(LoopBuilder &b, int64_t dim, Value i) const {
  Value result;
  if (getConstantIntValue(lower[dim]) != 0)
    result = b.compare(arith::CmpIPredicate::sge, i, b.index(lower[dim]));
  if (getConstantIntValue(upper[dim]) != shape[dim])
    result = b.both(result, b.compare(arith::CmpIPredicate::slt, i, b.index(upper[dim])));
  return result;
}

Value CopyRegion::rangeIsWhole(LoopBuilder &b, int64_t dim) const {
  Value result;
  if (getConstantIntValue(lower[dim]) != 0)
    result = b.compare(arith::CmpIPredicate::eq, b.index(lower[dim]), b.index(0));
  if (getConstantIntValue(upper[dim]) != shape[dim])
    result = b.both(result, b.compare(arith::CmpIPredicate::eq, b.index(upper[dim]),
                                      b.index(shape[dim])));
  return result;
}

Value CopyRegion::isInside(LoopBuilder &b, int64_t dim, Value i) const {
  Value element = b.add(offsets[dims[dim]], i);
  Value extent = b.index(memref::getMixedSize(b, b.getLoc(), memref, dims[dim]));
  return b.compare(arith::CmpIPredicate::ult, element, extent);
}

SmallVector<Value> CopyRegion::indices(LoopBuilder &b,
                                       ArrayRef<Value> coordinates) const {
  SmallVector<Value> result(offsets);
  for (auto [d, dim] : llvm::enumerate(dims))
    if (dim >= 0)
      result[dim] = b.add(offsets[dim], fixed[d] ? fixed[d] : coordinates[d]);
  return result;
}

bool CopyRegion::isContiguous() const {
  if (dims.empty())
    return false;
  auto [strides, offset] = type.getStridesAndOffset();
  return dims.back() == type.getRank() - 1 && strides.back() == 1;
}

//===----------------------------------------------------------------------===//
// Elements and vectors
//===----------------------------------------------------------------------===//

SmallVector<Value> CopyRegion::byteIndices(LoopBuilder &b,
                                           ArrayRef<Value> coordinates) const {
  SmallVector<Value> result = indices(b, coordinates);
  result.back() = b.createOrFold<arith::ShRUIOp>(b.getLoc(), result.back(), b.index(1));
  return result;
}

Value CopyRegion::startsAtByte(LoopBuilder &b) const {
  if (!isPaired())
    return {};
  Value low = b.createOrFold<arith::AndIOp>(b.getLoc(), offsets.back(), b.index(1));
  return b.compare(arith::CmpIPredicate::eq, low, b.index(0));
}

Value CopyRegion::loadElement(LoopBuilder &b, ArrayRef<Value> coordinates) const {
  if (!isPaired())
    return memref::LoadOp::create(b, b.getLoc(), memref, indices(b, coordinates));
  SmallVector<bool> inside(type.getRank(), true);
  return tile::LoadOp::create(b, b.getLoc(), elementType(), memref,
                              indices(b, coordinates), inside);
}

void CopyRegion::storeElement(LoopBuilder &b, Value element,
                              ArrayRef<Value> coordinates) const {
  if (!isPaired()) {
    memref::StoreOp::create(b, b.getLoc(), element, memref, indices(b, coordinates));
    return;
  }
  SmallVector<bool> inside(type.getRank(), true);
  tile::StoreOp::create(b, b.getLoc(), element, memref, indices(b, coordinates), inside);
}

/// `codes`, integers of any width, as elements of a 4-bit type.
static Value fromCodes(LoopBuilder &b, Value codes, Type element) {
  auto nibbles = cast<VectorType>(codes.getType()).clone(b.getIntegerType(4));
  codes = arith::TruncIOp::create(b, b.getLoc(), nibbles, codes);
  return arith::BitcastOp::create(b, b.getLoc(), nibbles.clone(element), codes);
}

Value CopyRegion::loadVector(LoopBuilder &b, ArrayRef<Value> coordinates,
                             int64_t width) const {
  Location loc = b.getLoc();
  if (isPaired() && width == 1)
    return vector::BroadcastOp::create(b, loc, VectorType::get(1, elementType()),
                                       loadElement(b, coordinates));
  if (!isPaired())
    return vector::LoadOp::create(b, loc, VectorType::get(width, elementType()), memref,
                                  indices(b, coordinates));
  auto type = VectorType::get(width / 2, b.getI8Type());
  Value pairs = vector::LoadOp::create(b, loc, type, bytes, byteIndices(b, coordinates));
  Value four = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, b.getI8IntegerAttr(4)));
  Value high = arith::ShRUIOp::create(b, loc, pairs, four);
  return fromCodes(b, vector::InterleaveOp::create(b, loc, pairs, high), elementType());
}

void CopyRegion::storeVector(LoopBuilder &b, Value vector,
                             ArrayRef<Value> coordinates) const {
  Location loc = b.getLoc();
  auto type = cast<VectorType>(vector.getType());
  if (!isPaired()) {
    vector::StoreOp::create(b, loc, vector, memref, indices(b, coordinates));
    return;
  }
  if (type.getNumElements() == 1)
    return storeElement(b, vector::ExtractOp::create(b, loc, vector, 0), coordinates);
  Value nibbles =
      arith::BitcastOp::create(b, loc, type.clone(b.getIntegerType(4)), vector);
  Value codes = arith::ExtUIOp::create(b, loc, type.clone(b.getI8Type()), nibbles);
  auto halves = vector::DeinterleaveOp::create(b, loc, codes);
  Value four = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(cast<VectorType>(halves.getRes1().getType()),
                             b.getI8IntegerAttr(4)));
  Value high = arith::ShLIOp::create(b, loc, halves.getRes2(), four);
  Value pairs = arith::OrIOp::create(b, loc, halves.getRes1(), high);
  vector::StoreOp::create(b, loc, pairs, bytes, byteIndices(b, coordinates));
}

//===----------------------------------------------------------------------===//
// Fetching ahead
//===----------------------------------------------------------------------===//

/// Bytes in flight that cover the latency of memory at the rate of one core.
static constexpr int64_t bytesInFlight = 4096;

int64_t CopyRegion::rowsAhead(bool inAnyOrder) const {
  if (rank() < 2 || shape[rank() - 2] == 1 || tile::isTile(type) || !isContiguous())
    return 0;
  int64_t rowBytes = std::max<int64_t>(1, shape.back() * elementBits() / 8);
  int64_t ahead = llvm::divideCeil(bytesInFlight, rowBytes);
  auto [strides, offset] = type.getStridesAndOffset();
  bool isOneRun = !inAnyOrder && strides[dims[rank() - 2]] == shape.back();
  return rowBytes < cacheLine || isOneRun || ahead >= shape[rank() - 2] ? 0 : ahead;
}

int64_t CopyRegion::rowsToNextBlock() const {
  if (rank() < 2 || shape[rank() - 2] == 1 || tile::isTile(type) || !isContiguous())
    return 0;
  int64_t dim = dims[rank() - 2], rows = shape[rank() - 2];
  auto [strides, offset] = type.getStridesAndOffset();
  bool isPart = strides[dim] > shape.back() &&
                rows * strides[dim] * elementBits() / 8 <= bytesOfNextBlock;
  return isPart && continuesInNextBlock(offsets[dim], rows) ? rows : 0;
}

void CopyRegion::prefetchRow(LoopBuilder &b, ArrayRef<Value> coordinates) const {
  int64_t elements = cacheLine * 8 / elementBits();
  b.forLoop(shape.back(), elements, [&](Value j) {
    SmallVector<Value> at(coordinates);
    at.push_back(j);
    memref::PrefetchOp::create(b, b.getLoc(), isPaired() ? bytes : memref,
                               isPaired() ? byteIndices(b, at) : indices(b, at),
                               /*isWrite=*/false, /*localityHint=*/3,
                               /*isDataCache=*/true);
  });
}
