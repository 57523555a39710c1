//===- Overlap.cpp - Whether strided tensors share memory --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Two slices of one array, say the left and the right half of its columns, lie within
// each other's address range without sharing a byte. What tells them apart is the
// array's row pitch: modulo that pitch each slice is one short range, and the ranges
// are disjoint. So every stride of either tensor is tried as the pitch.
//
//===----------------------------------------------------------------------===//

#include "Overlap.h"

#include "tilewright/abi.h"

#include <initializer_list>

using namespace tilewright;

namespace {

/// Bytes [begin, end).
struct Range {
  uint64_t begin;
  uint64_t end;
};

} // namespace

static bool isEmpty(const Extent &tensor) {
  for (int64_t d = 0; d < tensor.rank; ++d)
    if (tensor.extents[d] == 0)
      return true;
  return false;
}

static uint64_t byteStride(const Extent &tensor, int64_t dim) {
  int64_t stride = tensor.strides[dim];
  return static_cast<uint64_t>(stride < 0 ? -stride : stride) * tensor.itemSize;
}

/// The bytes that the tensor's elements lie in, dimensions whose stride is a multiple
/// of `pitch` left out; a pitch of zero leaves none out.
static Range rangeModulo(const Extent &tensor, uint64_t pitch) {
  Range range{tensor.address, tensor.address + tensor.itemSize};
  for (int64_t d = 0; d < tensor.rank; ++d) {
    uint64_t stride = byteStride(tensor, d);
    if (pitch && stride % pitch == 0)
      continue;
    uint64_t span = stride * static_cast<uint64_t>(tensor.extents[d] - 1);
    if (tensor.strides[d] < 0)
      range.begin -= span;
    else
      range.end += span;
  }
  return range;
}

static bool disjointModulo(const Extent &a, const Extent &b, uint64_t pitch) {
  Range x = rangeModulo(a, pitch), y = rangeModulo(b, pitch);
  uint64_t lengthX = x.end - x.begin, lengthY = y.end - y.begin;
  if (lengthX > pitch || lengthY > pitch)
    return false;
  // From x's begin, going round: x ends before y begins, y before x begins again.
  uint64_t distance = (y.begin % pitch + pitch - x.begin % pitch) % pitch;
  return lengthX <= distance && distance + lengthY <= pitch;
}

bool tilewright::mayOverlap(const Extent &a, const Extent &b) {
  if (isEmpty(a) || isEmpty(b))
    return false;
  Range x = rangeModulo(a, 0), y = rangeModulo(b, 0);
  if (x.end <= y.begin || y.end <= x.begin)
    return false;
  for (const Extent *tensor : {&a, &b})
    for (int64_t d = 0; d < tensor->rank; ++d)
      if (uint64_t pitch = byteStride(*tensor, d))
        if (disjointModulo(a, b, pitch))
          return false;
  return true;
}

bool tilewright::mayOverlapItself(const Extent &tensor) {
  if (isEmpty(tensor))
    return false;
  // Dimensions from the smallest stride to the largest: each must step over all that
  // the ones before it cover.
  bool done[TW_MAX_RANK] = {};
  uint64_t covered = tensor.itemSize;
  for (int64_t step = 0; step < tensor.rank; ++step) {
    int64_t least = -1;
    for (int64_t d = 0; d < tensor.rank; ++d)
      if (!done[d] && (least < 0 || byteStride(tensor, d) < byteStride(tensor, least)))
        least = d;
    done[least] = true;
    if (tensor.extents[least] == 1)
      continue;
    if (byteStride(tensor, least) < covered)
      return true;
    covered +=
        byteStride(tensor, least) * static_cast<uint64_t>(tensor.extents[least] - 1);
  }
  return false;
}
