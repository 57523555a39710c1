//===- TensorEnds.h - Tensors at whose end a block's results end -----*- C++ -*-===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TENSORENDS_H
#define TILEWRIGHT_BACKENDS_CPU_TENSORENDS_H

#include "backends/cpu/TiedDims.h"
#include "compiler/analysis/IndexBounds.h"

namespace tilewright::cpu {

/// A dimension of a tensor.
using TensorDim = std::pair<mlir::Value, int64_t>;
using TensorEnds = llvm::SmallSetVector<TensorDim, 4>;

/// Where all that `kernel` writes of the class of `dim` ends: element i of the class goes
/// to element i of one of these dimensions, or to a later one, and those behind a
/// tensor's end to none. Nothing where some may be written elsewhere.
std::optional<TensorEnds> findTensorEnds(tile::KernelOp kernel, const TiedDims &ties,
                                         OwnedDim dim, tile::IndexBounds &bounds);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TENSORENDS_H
