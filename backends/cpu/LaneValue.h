//===- LaneValue.h - A value of a loop body seen over a vector ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// When a loop over j runs eight lanes at a time, most of its index arithmetic stays
// scalar: only the distance of each lane from the first one matters, and that is
// known when compiling.
//
//   value            scalar        offsets of the lanes
//   j                j             0 1 2 3 4 5 6 7
//   64 * i + j       64 * i + j    0 1 2 3 4 5 6 7
//   j // 2           j // 2        0 0 1 1 2 2 3 3     (j is a multiple of 8)
//   j % 2            0             0 1 0 1 0 1 0 1
//   j ^ 1            j             1 0 3 2 5 4 7 6
//   i                i             none: the same in every lane
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_LANEVALUE_H
#define TILEWRIGHT_BACKENDS_CPU_LANEVALUE_H

#include "backends/cpu/LoopBuilder.h"
#include "compiler/analysis/IndexBounds.h"

#include <optional>

namespace tilewright::cpu {

/// Uniform (a scalar), linear (a scalar plus constant offsets) or varying (a vector).
struct LaneValue {
  mlir::Value scalar;
  llvm::SmallVector<int64_t> offsets;
  mlir::Value vector;

  static LaneValue uniform(mlir::Value scalar) { return {scalar, {}, {}}; }
  static LaneValue varying(mlir::Value vector) { return {{}, {}, vector}; }
  /// `scalar` plus `offsets`; uniform where these are all equal.
  static LaneValue linear(LoopBuilder &b, mlir::Value scalar,
                          llvm::SmallVector<int64_t> offsets);

  bool isUniform() const { return scalar && offsets.empty(); }
  bool isLinear() const { return scalar && !offsets.empty(); }
  bool isVarying() const { return static_cast<bool>(vector); }
  /// Offset of lane `lane`; zero where uniform.
  int64_t offset(int64_t lane) const { return offsets.empty() ? 0 : offsets[lane]; }
};

/// The vector of `lanes` elements that `value` is.
mlir::Value getVector(LoopBuilder &b, const LaneValue &value, int64_t lanes);

/// A constant vector of integers of `type` or index.
mlir::Value getConstantVector(LoopBuilder &b, llvm::ArrayRef<int64_t> values,
                              mlir::Type type);

/// The mask `offsets[l] predicate bound` for a signed or equality predicate and an
/// index `bound`, compared in the narrowest integers up to 32 bits that fill a vector.
mlir::Value compareOffsets(LoopBuilder &b, mlir::arith::CmpIPredicate predicate,
                           llvm::ArrayRef<int64_t> offsets, mlir::Value bound,
                           int64_t vectorBits);

/// The result of an integer operation on uniform and linear operands, where it is
/// linear too. `bounds` answers questions about the operation's own operands.
std::optional<LaneValue> emitLinear(LoopBuilder &b, mlir::Operation *op,
                                    llvm::ArrayRef<LaneValue> operands,
                                    tile::IndexBounds &bounds);

/// The mask or truth value of a comparison of uniform and linear integers.
std::optional<LaneValue> emitLinearCompare(LoopBuilder &b, mlir::arith::CmpIOp op,
                                           const LaneValue &lhs, const LaneValue &rhs,
                                           tile::IndexBounds &bounds, int64_t vectorBits);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_LANEVALUE_H
