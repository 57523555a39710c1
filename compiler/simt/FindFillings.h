//===- FindFillings.h - What a pipelined loop can do ahead ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_FIND_FILLINGS_H
#define TILEWRIGHT_COMPILER_SIMT_FIND_FILLINGS_H

#include "dialects/tile/Tile.h"

#include "llvm/ADT/SetVector.h"

namespace tilewright::simt {

/// A nest that fills a tile for its iteration alone.
struct Filling {
  tile::ParallelOp nest;
  mlir::memref::StoreOp store;
  tile::AllocOp tile;
  /// What the nest needs of the iteration, in order.
  llvm::SetVector<mlir::Operation *> slice;
};

/// Lets nests that copy rows which a tile names do so without the tile, where its numbers
/// can be had again.
void forwardIndices(tile::PipelinedOp loop);

/// The nests of a loop's body that could run in front of their iteration: all that they
/// need can be had there, and nobody else writes their tiles.
llvm::SmallVector<Filling> findFillings(tile::PipelinedOp loop);

/// Whether a thread's part is a copy of 4, 8 or 16 bytes as they are.
bool isAsyncCopy(const Filling &filling);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_FIND_FILLINGS_H
