//===- PlanMemory.h - How much memory a block's tiles take --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_PLAN_MEMORY_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_PLAN_MEMORY_H

#include "dialects/tile/Tile.h"

namespace tilewright::tile {

/// What tiles are aligned to unless a pipeline says more.
constexpr int64_t kTileAlignment = 64;

/// Bytes of a tile with a static shape; sub-byte elements take one byte each.
int64_t getTileBytes(mlir::MemRefType type);

/// Bytes that `plan-memory` would give the tiles of `kernel` as it is.
int64_t getArenaBytes(KernelOp kernel, int64_t alignment = kTileAlignment);

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_PLAN_MEMORY_H
