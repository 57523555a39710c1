//===- Overlap.h - Whether strided tensors share memory ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_OVERLAP_H
#define TILEWRIGHT_RUNTIME_SRC_OVERLAP_H

#include <cstdint>

namespace tilewright {

/// A tensor's place in memory. `strides` are in elements.
struct Extent {
  uint64_t address;
  int64_t itemSize;
  int64_t rank;
  const int64_t *extents;
  const int64_t *strides;
};

/// False where no byte belongs to both tensors: always shown for disjoint ranges and
/// for slices of one array; other interleaved tensors count as overlapping.
bool mayOverlap(const Extent &a, const Extent &b);

/// False where no two elements of the tensor share a byte.
bool mayOverlapItself(const Extent &tensor);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_OVERLAP_H
