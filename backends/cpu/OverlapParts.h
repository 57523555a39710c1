//===- OverlapParts.h - Blocks that can end beside the next one ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_OVERLAPPARTS_H
#define TILEWRIGHT_BACKENDS_CPU_OVERLAPPARTS_H

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <optional>

namespace tilewright::cpu {

/// The parts of a loop over blocks, of which the end of one can run beside the next.
struct OverlapParts {
  mlir::scf::ForOp blocks;
  mlir::scf::IfOp finish;   ///< the end of a block; streams where its condition holds
  mlir::scf::ForOp stream;  ///< the last loop there
  mlir::scf::ForOp compute; ///< the loop of the next block that it runs beside
  /// What `finish` needs of its block and cannot be computed anew.
  llvm::SmallVector<mlir::Value> carried;

  /// Nothing where a block has to end before the next one begins, or better does.
  static std::optional<OverlapParts> find(mlir::scf::ForOp blocks);

  /// Whether `value` is there outside of the loop, or is the loop's block.
  bool isGiven(mlir::Value value, bool alsoBlock);

private:
  bool findParts();
  bool isSafe();
  bool findCarried();
};

/// The constant step of a loop; 0 without one.
int64_t stepOf(mlir::scf::ForOp loop);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_OVERLAPPARTS_H
