//===- IndexParts.h - What a block's threads have in common of an index -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An index is a sum, of which a block has a part, an iteration of a loop another, and a
// thread the rest. With blocks of 128 rows and steps of 32:
//
//   by * 128 + (min(k + 1, 31) * 32 + thread / 4 + 64)
//   base       loop                   lane         constant
//
// The base may be any number. The others are added in 32 bits, so that how great they
// become together has to be known.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_INDEX_PARTS_H
#define TILEWRIGHT_BACKENDS_HIP_INDEX_PARTS_H

#include "dialects/tile/Tile.h"

#include "llvm/ADT/DenseMap.h"

#include <optional>

namespace tilewright::hip {

/// A value that is counted so many times.
struct IndexTerm {
  mlir::Value value;
  int64_t factor;
};

struct IndexParts {
  /// The same for all threads of a block, of any size.
  llvm::SmallVector<IndexTerm, 2> base;
  int64_t baseConstant = 0;
  bool isBaseNonNegative = true;

  /// What is added to it: the same for all threads in an iteration of a loop, different
  /// between threads, and always the same.
  llvm::SmallVector<IndexTerm, 2> loop, lane;
  int64_t constant = 0;
  /// Whether none of these is negative.
  bool isNonNegative = true;
  /// What their sum is at most, where that is known and none is negative.
  std::optional<int64_t> bound = 0;

  bool hasBase() const { return !base.empty() || baseConstant != 0; }
  bool hasOffset() const { return !loop.empty() || !lane.empty() || constant != 0; }
};

/// Takes the indices of a kernel's accesses apart, at thread level. Valid until an
/// operation is erased.
class IndexSplitter {
public:
  explicit IndexSplitter(tile::KernelOp kernel) : kernel(kernel) {}

  /// The parts of `index`. What differs between iterations is in the base where no bound
  /// of it is known. With `mostInBase`, all that threads have in common is.
  IndexParts split(mlir::Value index, bool mostInBase);

  /// Whether all threads of a block have the same value.
  bool isUniform(mlir::Value value);

private:
  /// What is known of an integer: with `isNonNegative`, it is in 0..max.
  struct Range {
    bool isNonNegative = false;
    std::optional<int64_t> max;
  };
  Range rangeOf(mlir::Value value);
  Range computeRange(mlir::Value value);
  Range rangeOfArgument(mlir::BlockArgument argument);
  Range rangeOfOperation(mlir::Operation *op);

  bool computeUniform(mlir::Value value);
  bool isOutside(mlir::Value value) const;
  bool isOfLoop(mlir::Value value);
  void addParts(mlir::Value value, int64_t factor, bool mostInBase, IndexParts &parts);

  tile::KernelOp kernel;
  llvm::DenseMap<mlir::Value, bool> uniform;
  llvm::DenseMap<mlir::Value, Range> ranges;
};

} // namespace tilewright::hip

#endif // TILEWRIGHT_BACKENDS_HIP_INDEX_PARTS_H
