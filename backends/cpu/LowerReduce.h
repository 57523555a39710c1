//===- LowerReduce.h - Parts of the lowering of reductions --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_LOWERREDUCE_H
#define TILEWRIGHT_BACKENDS_CPU_LOWERREDUCE_H

#include "backends/cpu/TileDims.h"
#include "compiler/transforms/Combiner.h"

namespace tilewright::cpu {

/// Each writes the loops for its operation before it and leaves the operation alone.
void lowerArgReduce(tile::ReduceOp op, int64_t vectorBits);
void lowerScan(tile::ScanOp op, int64_t vectorBits);
void lowerTopK(tile::TopKOp op, int64_t vectorBits);

/// An element, or a vector of them, as an accumulator. Where NaN is left out it is no NaN
/// here: to combine two of these takes one instruction, where NaN may be among them three.
Expr toAccumulator(const ElementCombiner &combiner, Expr element);

/// Combines neighbours until one is left.
Expr combineAll(const ElementCombiner &combiner, llvm::SmallVector<Expr> parts);

/// A vector whose lane r is the combination of all lanes of `rows[r]`; further lanes
/// repeat some of these.
Expr combineAcross(const ElementCombiner &combiner, llvm::SmallVector<Expr> rows);

/// Writes a vector of accumulators to `dst` from `at` on, combined with the former
/// results if asked.
void storeCombined(LoopBuilder &b, const ElementCombiner &combiner, Expr result,
                   mlir::Value dst, const Indices &at, bool accumulate);

/// A row of `op`, which combines its elements, one by one; `mapping` has the other
/// variables.
void lowerCombiningRow(LoopBuilder &b, tile::ParallelOp op, mlir::IRMapping &mapping);

/// Independent accumulators that hide the latency of combining.
constexpr int64_t accumulators = 4;

/// Rows up to this many vectors long become straight-line code.
constexpr int64_t unrolledVectors = 8;

/// The position of the largest of `extent` keys, the first of equals, as a scalar of
/// the keys' type. `keysAt(index, width)` gives `width` of them from `index` on.
mlir::Value
positionOfLargest(LoopBuilder &b, int64_t extent, int64_t lanes, mlir::Type keyType,
                  llvm::function_ref<Expr(mlir::Value index, int64_t width)> keysAt);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_LOWERREDUCE_H
