//===- PartJoiner.h - Joins what parts of a loop have made ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_PARTJOINER_H
#define TILEWRIGHT_BACKENDS_CPU_PARTJOINER_H

#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/LoopStates.h"

namespace tilewright::cpu {

/// Emits a loop over the elements of `tile`, each of which `body` does something with.
void forElements(LoopBuilder &b, mlir::Value tile,
                 llvm::function_ref<void(mlir::ValueRange place)> body);

/// Takes what a later part of a loop has left into the tiles that it carries.
class PartJoiner {
public:
  /// Makes a tile for each state of a part, where `b` is.
  PartJoiner(LoopBuilder &b, const LoopStates &carried);

  /// Where what a part has left is expected, in the order of the states.
  llvm::ArrayRef<mlir::Value> getPartTiles() const { return partTiles; }

  /// Emits that it is taken in.
  void join();

private:
  /// What sums are multiplied by that refer to an extremum: those of the parts before,
  /// and those of the part.
  struct Weights {
    mlir::Value before, part;
  };

  mlir::Value makeTile(mlir::MemRefType like, llvm::StringRef name);
  mlir::Value getWeight(LoopBuilder &b, mlir::Value from, mlir::Value to) const;
  void joinPlain(const LoopState &state, mlir::Value part);
  void joinWeighted(const LoopState &state, mlir::Value part);

  LoopBuilder &b;
  const LoopStates &carried;
  llvm::SmallVector<mlir::Value> partTiles;
  llvm::DenseMap<mlir::Operation *, Weights> weights; ///< by the extremum
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_PARTJOINER_H
