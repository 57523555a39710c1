//===- LoopBuilder.h - Small helpers to emit loops over vectors ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_LOOPBUILDER_H
#define TILEWRIGHT_BACKENDS_CPU_LOOPBUILDER_H

#include "compiler/transforms/LoopBuilder.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::cpu {

using tilewright::LoopBuilder;

/// The lanes of a vector of `bits` bits for elements of `elementBits` bits.
inline int64_t laneCount(int64_t bits, mlir::Type element) {
  return bits / std::max<int64_t>(8, element.getIntOrFloatBitWidth());
}

/// Splits `extent` into runs of vectors whose widths are powers of two, at most
/// `lanes`: calls `run(begin, end, width)` for each.
inline void forVectorRuns(int64_t extent, int64_t lanes,
                          llvm::function_ref<void(int64_t, int64_t, int64_t)> run) {
  int64_t begin = 0;
  for (int64_t width = lanes; width >= 1 && begin < extent; width /= 2) {
    int64_t end = begin + (extent - begin) / width * width;
    if (end > begin)
      run(begin, end, width);
    begin = end;
  }
}

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_LOOPBUILDER_H
