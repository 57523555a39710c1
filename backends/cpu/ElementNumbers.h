//===- ElementNumbers.h - What a block's number is used for ----------*- C++ -*-===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Element i of a class of dimensions is, in block %b of tiles of 16, element
// %b * 16 + i of all. Where neither %b nor i is used for anything but that number, it
// does not matter how the elements are dealt to blocks.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_ELEMENTNUMBERS_H
#define TILEWRIGHT_BACKENDS_CPU_ELEMENTNUMBERS_H

#include "backends/cpu/TensorEnds.h"

#include "llvm/ADT/MapVector.h"

namespace tilewright::cpu {

/// A constant plus multiples of values, which no rule takes apart: unlike the forms of
/// `IndexBounds` it makes no use of what the values may be.
struct IndexSum {
  int64_t constant = 0;
  llvm::SmallMapVector<mlir::Value, int64_t, 4> factors;

  int64_t factorOf(mlir::Value value) const { return factors.lookup(value); }
};

/// The uses of the coordinates of one kernel's blocks, for one class of its dimensions.
class ElementNumbers {
public:
  ElementNumbers(tile::KernelOp kernel, const TiedDims &ties, OwnedDim dim);

  /// The coordinate that says which elements of the class a block has: all that is
  /// written to `ends` begins there. Null where there is none.
  mlir::BlockArgument findCoordinate(const TensorEnds &ends);

  /// Whether `coordinate`, and the variables of loops over the class, are used for
  /// nothing but elements' numbers.
  bool areAll(mlir::BlockArgument coordinate);

private:
  const IndexSum &get(mlir::Value value);
  bool isNumber(mlir::Value operand, mlir::Operation *user,
                mlir::BlockArgument coordinate);
  bool takesNumbers(mlir::Operation *op, mlir::BlockArgument coordinate);
  template <typename Op> bool movesElements(Op move, mlir::BlockArgument coordinate);

  tile::KernelOp kernel;
  const TiedDims &ties;
  OwnedDim dim;
  int64_t extent;
  llvm::DenseMap<mlir::Value, IndexSum> sums;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_ELEMENTNUMBERS_H
