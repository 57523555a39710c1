//===- ForwardRows.h - Products that read rows of a tensor --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_FORWARDROWS_H
#define TILEWRIGHT_BACKENDS_CPU_FORWARDROWS_H

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/LoopBuilder.h"
#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// Makes `gemm` read B, or A, in the tensor that its tile is copied from, where it reads
/// each of its elements once. Nothing happens where it does not, or cannot.
void forwardRows(GemmOp gemm);

/// Whether `copy` reads rows of a tensor's matrix, whose elements have a byte each or
/// more.
bool readsRows(tile::CopyOp copy);

/// Whether all that `copy` reads is known to exist.
bool isKnownInside(tile::CopyOp copy);

/// Whether all that `copy` reads exists; null for true.
mlir::Value isInside(LoopBuilder &b, tile::CopyOp copy);

/// The rows that `copy` reads, in place.
mlir::Value viewRows(LoopBuilder &b, tile::CopyOp copy);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_FORWARDROWS_H
