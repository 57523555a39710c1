//===- TilePart.h - A part of a block's tiles ------------------------*- C++ -*-===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TILEPART_H
#define TILEWRIGHT_BACKENDS_CPU_TILEPART_H

#include "backends/cpu/TiedDims.h"

namespace tilewright::cpu {

/// How many elements a dimension has.
int64_t getExtent(OwnedDim dim);

/// Has `kernel` compute `extent` elements of the class of `dim` alone, those from `first`
/// on, or the first ones where that is null: its tiles, loops and copies have no more
/// then. `ties` is not valid afterwards.
void keepPart(tile::KernelOp kernel, const TiedDims &ties, OwnedDim dim, int64_t extent,
              mlir::Value first);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TILEPART_H
