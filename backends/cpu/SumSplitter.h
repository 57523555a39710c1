//===- SumSplitter.h - Makes two kernels of one that sums ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_SUMSPLITTER_H
#define TILEWRIGHT_BACKENDS_CPU_SUMSPLITTER_H

#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/SummingLoop.h"

#include "mlir/IR/IRMapping.h"

namespace tilewright::cpu {

/// Makes two kernels of one: a block of the first does a part of the loop's iterations
/// and writes the states to workspaces, the second has in place of the loop that these
/// are joined in the order of the parts. How many parts there are, and how long they are,
/// follows from the kernel and from sizes, so results are the same on any number of
/// threads.
class SumSplitter {
public:
  /// For `parts` at most, each of `leastTrips` iterations at least where their number is
  /// not constant.
  SumSplitter(SummingLoop &at, int64_t parts, int64_t leastTrips)
      : at(at), parts(parts), leastTrips(leastTrips) {}

  /// Iterations of the loop, and of each part of them.
  struct Shares {
    mlir::Value trips, share;
  };

  void run();

private:
  Shares getShares(LoopBuilder &b, mlir::LoopLikeOpInterface loop) const;
  mlir::Value makeWorkspace(tile::AllocOp tile);
  void makePartKernel();
  void takePart(LoopBuilder &b, mlir::LoopLikeOpInterface loop, mlir::Value part,
                const Shares &shares);
  void resetStates(LoopBuilder &b, mlir::IRMapping &mapping, mlir::Value part);
  void joinParts();

  SummingLoop &at;
  int64_t parts, leastTrips;
  llvm::SmallVector<mlir::Value> workspaces;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_SUMSPLITTER_H
