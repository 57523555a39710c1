//===- LoopStates.h - What a loop carries from one iteration to the next -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop can be done in parts where it is known how what two of them leave is joined. Of
// a sum that is an addition, and of a maximum the larger one. An online softmax
// (Milakov and Gimelshein, arXiv 1805.02867) keeps a maximum and sums that are scaled
// whenever it moves,
//
//   peak' = max(peak, x)      sum' = sum * w(peak, peak') + w(x, peak') * v
//
// where w(a, b) = exp(scale * (a - b)). Its parts are joined in the same way as it takes
// in a step, since sum * exp(scale * peak) is a sum of what no step before had a part in:
//
//   peak = max(p, q)          sum = s * w(p, peak) + t * w(q, peak)
//
// That is found by following what each element is made of through an iteration, not from
// the operations' order or from how they are shared out among loops.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_LOOPSTATES_H
#define TILEWRIGHT_BACKENDS_CPU_LOOPSTATES_H

#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

#include <optional>

namespace tilewright::cpu {

/// A tile that each iteration changes, and how two parts' tiles become one.
struct LoopState {
  enum Kind { Sum, Extremum, Weighted };

  Kind kind;
  tile::AllocOp tile;
  mlir::arith::AtomicRMWKind combiner; ///< of sums and extrema
  tile::AllocOp peak;                  ///< the extremum that a weighted sum refers to
  llvm::SmallVector<int64_t> peakDims; ///< those of `tile` that are `peak`'s
};

/// What a weighted sum is multiplied by when its extremum moves from `a` to `b`:
/// exp2 or exp of `scale` (null for 1) times a - b.
struct WeightFunction {
  bool isBaseTwo = false;
  mlir::Value scale; ///< defined outside of the loop
};

struct LoopStates {
  llvm::SmallVector<LoopState> states; ///< extrema before the sums that refer to them
  WeightFunction weight;
};

/// What iterations of `loop` do to the tiles `carried`; nothing where that is not known
/// for one of them. `written` are all tiles that the loop writes; those that are not
/// carried hold nothing from one iteration to the next.
std::optional<LoopStates> analyzeLoopStates(mlir::LoopLikeOpInterface loop,
                                            llvm::ArrayRef<tile::AllocOp> written,
                                            llvm::ArrayRef<tile::AllocOp> carried);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_LOOPSTATES_H
