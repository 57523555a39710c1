//===- SpreadPrefetch.h - Asking for memory a part at a time ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_SPREADPREFETCH_H
#define TILEWRIGHT_BACKENDS_CPU_SPREADPREFETCH_H

#include "backends/cpu/LoopBuilder.h"

namespace tilewright::cpu {

/// Asks for regions of memory a line at a time, evenly over some other work: a core that
/// asks for all of it at once waits, since only so many lines may be on their way.
class SpreadPrefetch {
public:
  /// `work` is how much there is of the other work, in any unit.
  SpreadPrefetch(LoopBuilder &b, mlir::ValueRange regions, int64_t work);

  /// Says how much of the other work is done, which may be less; not zero. To be called
  /// last, in front of the work.
  void limitWork(mlir::Value amount);

  /// Adds the rows of a matrix that a list names.
  void addListed(mlir::Value matrix, mlir::Value rows);

  bool isEmpty() const { return regions.empty(); }

  /// Asks for the lines that go with the work from `begin` on, `amount` of it.
  void emit(mlir::Value begin, int64_t amount);

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

  LoopBuilder &b;
  int64_t work;
  llvm::SmallVector<Region> regions;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_SPREADPREFETCH_H
