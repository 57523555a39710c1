//===- MoveTogether.h - Bring operations of a block together ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_MOVETOGETHER_H
#define TILEWRIGHT_BACKENDS_CPU_MOVETOGETHER_H

#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// How many operations one may be moved across: what keeps passes linear.
constexpr int mostBetween = 16;

/// The memory that an operation and those in it read and write.
struct Effects {
  explicit Effects(mlir::Operation *op);

  bool conflictsWith(const Effects &other) const;
  /// Whether any of it may be `memory`.
  bool touches(mlir::Value memory) const;

  llvm::SmallVector<mlir::Value> reads, writes;
  bool isUnknown = false;
};

/// Where `first` and `second`, which follows it, can be together: `second` itself, or
/// `first` where what is between needs it, or null.
mlir::Operation *findPlace(mlir::Operation *first, mlir::Operation *second);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_MOVETOGETHER_H
