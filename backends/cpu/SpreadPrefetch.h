//===- SpreadPrefetch.h - Asking for memory a part at a time ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_SPREADPREFETCH_H
#define TILEWRIGHT_BACKENDS_CPU_SPREADPREFETCH_H

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/LoopBuilder.h"

namespace tilewright::cpu {

/// Asks for the memory that a product asks for on behalf of others, a line at a time and
/// evenly over the product: a core that asks for all of it at once waits, since only so
/// many lines may be on their way.
class SpreadPrefetch {
public:
  /// In front of the product's loops, which `op` stands for.
  SpreadPrefetch(LoopBuilder &b, GemmOp op);

  /// Asks for the lines that go with groups [group, group + count) along K of the block
  /// of `height` x `width` elements of C at `row` and `column`. Blocks go down the
  /// columns.
  void emit(mlir::Value row, mlir::Value column, int64_t height, int64_t width,
            mlir::Value group, int64_t count);

private:
  /// A region as rows without gaps.
  struct Region {
    mlir::Value memref;
    mlir::Value rows; ///< names them in a matrix; null where all are asked for
    int64_t linesOfRow;
    int64_t lines;            ///< of all rows
    mlir::Value perWork = {}; ///< fractions of a line, where that is not known
  };

  void emitLine(const Region &region, mlir::Value line);

  /// Adds the rows of a matrix that a list names.
  void addListed(mlir::Value matrix, mlir::Value rows);

  LoopBuilder &b;
  GemmOp op;
  /// Whether each block asks for all that goes with its columns: of few rows, whose number
  /// is not known, one block or two are all there are, and to ask twice costs less than
  /// not to ask.
  bool isFewRows;
  mlir::Value rowsDone; ///< of M, where fewer may count: at least one
  llvm::SmallVector<Region> regions;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_SPREADPREFETCH_H
