//===- ForwardRows.h - Products that read rows of a tensor --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_FORWARDROWS_H
#define TILEWRIGHT_BACKENDS_CPU_FORWARDROWS_H

#include "backends/cpu/CpuOps.h"

namespace tilewright::cpu {

/// The one copy that fills the tile `alloc` from a tensor; null where there is none, or
/// it rounds.
tile::CopyOp getFillingCopy(tile::AllocOp alloc);

/// Makes `gemm` read B in the tensor that B's tile is copied from, where it reads each of
/// its elements once. Nothing happens where it does not, or cannot.
void forwardRows(GemmOp gemm);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_FORWARDROWS_H
