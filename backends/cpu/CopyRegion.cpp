//===- CopyRegion.cpp - One side of a copy ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CopyRegion.h"

using namespace mlir;
using namespace tilewright::cpu;

CopyRegion::CopyRegion(LoopBuilder &b, Value memref, ArrayRef<OpFoldResult> mixedOffsets,
                       ArrayRef<int64_t> sizes, ArrayRef<int64_t> keep)
    : memref(memref), type(cast<MemRefType>(memref.getType())) {
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

void CopyRegion::computeRanges(LoopBuilder &b, int64_t skip) {
  if (tile::isTile(type))
    return;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    Value extent = b.index(memref::getMixedSize(b, b.getLoc(), memref, dim));
    auto copied = llvm::find(dims, dim);
    if (copied == dims.end()) {
      // 0 <= offset < extent as one unsigned comparison.
      unitsInside =
          b.both(unitsInside, b.compare(arith::CmpIPredicate::ult, offsets[dim], extent));
      continue;
    }
    int64_t d = copied - dims.begin();
    if (d == skip)
      continue;
    Value zero = b.index(0), size = b.index(shape[d]);
    Value first = b.min(b.max(b.sub(zero, offsets[dim]), zero), size);
    Value last = b.max(b.min(b.sub(extent, offsets[dim]), size), first);
    lower[d] = getAsOpFoldResult(first);
    upper[d] = getAsOpFoldResult(last);
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

/// Bytes in flight that cover the latency of memory at the rate of one core.
static constexpr int64_t bytesInFlight = 4096;
static constexpr int64_t cacheLine = 64;

int64_t CopyRegion::rowsAhead(bool inAnyOrder) const {
  if (rank() < 2 || shape[rank() - 2] == 1 || tile::isTile(type) || !isContiguous())
    return 0;
  int64_t rowBytes = std::max<int64_t>(1, shape.back() * elementBits() / 8);
  int64_t ahead = llvm::divideCeil(bytesInFlight, rowBytes);
  auto [strides, offset] = type.getStridesAndOffset();
  bool isOneRun = !inAnyOrder && strides[dims[rank() - 2]] == shape.back();
  return rowBytes < cacheLine || isOneRun || ahead >= shape[rank() - 2] ? 0 : ahead;
}

void CopyRegion::prefetchRow(LoopBuilder &b, ArrayRef<Value> coordinates) const {
  int64_t elements = cacheLine * 8 / elementBits();
  b.forLoop(shape.back(), elements, [&](Value j) {
    SmallVector<Value> at(coordinates);
    at.push_back(j);
    memref::PrefetchOp::create(b, b.getLoc(), memref, indices(b, at), /*isWrite=*/false,
                               /*localityHint=*/3, /*isDataCache=*/true);
  });
}
