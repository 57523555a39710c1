//===- GridWork.h - How long small grids take ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the passes that divide blocks share: how much there is to do in a block, and a
// grid of more blocks. Work is counted in multiply-adds of f32, or what takes as long.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_GRIDWORK_H
#define TILEWRIGHT_BACKENDS_CPU_GRIDWORK_H

#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// The work of `op` in one block, by itself, and for all iterations of the loops around
/// it.
double getProductsOfBlock(mlir::Operation *op);

/// Iterations of a loop; as many as are assumed where they are not known.
double getTrips(mlir::LoopLikeOpInterface loop);

/// How long a grid takes on `cores`, each of whose `blocks` has so much work.
double getGridTime(int64_t blocks, double work, int64_t cores);

/// Two cores share four blocks evenly, and take up to a quarter longer for eight halves:
/// so many blocks, and fewer, are divided.
inline constexpr int64_t fewBlocks = 3;

/// How many blocks a kernel has; nothing where that is not known.
std::optional<int64_t> getBlocks(tile::KernelOp kernel);

/// Whether the function is `batch_invariant`: its results may not depend on how many
/// blocks there are, and nothing is divided.
bool isBatchInvariant(tile::KernelOp kernel);

/// How many blocks a kernel has, if they are known to be so few that they are divided.
std::optional<int64_t> getFewBlocks(tile::KernelOp kernel);

/// Whether `addGridDim` can add to the kernel's grid.
bool hasRoomInGrid(tile::KernelOp kernel);

/// Makes `extent` blocks of each block, and gives the number that tells them apart.
mlir::Value addGridDim(tile::KernelOp kernel, int64_t extent);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_GRIDWORK_H
