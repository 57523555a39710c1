//===- SizeVariants.h - A kernel of its own for few rows -------------*- C++ -*-===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_SIZEVARIANTS_H
#define TILEWRIGHT_BACKENDS_CPU_SIZEVARIANTS_H

#include "backends/cpu/TensorEnds.h"

namespace tilewright::cpu {

/// The ends of a class of `kernel`'s dimensions that decide whether it has at most `few`
/// elements. None where that is known, or cannot be asked in front of the kernel.
llvm::SmallVector<TensorDim> findOpenSizes(tile::KernelOp kernel, const TensorEnds &ends,
                                           tile::IndexBounds &bounds, int64_t few);

/// Makes the extents of `kernel`'s grid that are shown to be 1 the constant, from which
/// more follows.
void foldGrid(tile::KernelOp kernel);

/// Makes of `kernel` two, of which a launch runs the new one, the result, where
/// `condition` is true, and the old one else:
///
///   scf.if %condition { kernel ... } else { kernel ... }
///
/// The condition is a fact for the passes that follow.
tile::KernelOp addVariant(tile::KernelOp kernel, mlir::Value condition);

/// A variant of `kernel` for that each of `sizes` is from 1 to `few`. Where few rows are
/// one block, its grid says so.
tile::KernelOp addVariant(tile::KernelOp kernel, llvm::ArrayRef<TensorDim> sizes,
                          int64_t few);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_SIZEVARIANTS_H
