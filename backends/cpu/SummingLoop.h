//===- SummingLoop.h - Loops whose steps can be done in parts ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_SUMMINGLOOP_H
#define TILEWRIGHT_BACKENDS_CPU_SUMMINGLOOP_H

#include "backends/cpu/LoopStates.h"

namespace tilewright::cpu {

/// A loop of a kernel whose iterations do nothing but to change tiles in such a way that
/// what parts of them leave can be joined.
struct SummingLoop {
  tile::KernelOp kernel;
  mlir::LoopLikeOpInterface loop; ///< in the kernel's body itself
  LoopStates carried;
  std::optional<int64_t> trips; ///< where they are known
  int64_t step = 1;             ///< of the loop's variable

  static std::optional<SummingLoop> get(tile::KernelOp kernel,
                                        mlir::LoopLikeOpInterface loop);

  /// Elements of the tiles that are carried.
  int64_t getStateSize() const;
};

/// Whether `state` holds, before the loop, what a part that another one precedes begins
/// with: zero for a sum, and for the extremum of a weighted sum any finite number, since
/// no weight can be made of a difference of two infinities.
bool beginsNeutral(const LoopState &state, const SummingLoop &at);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_SUMMINGLOOP_H
