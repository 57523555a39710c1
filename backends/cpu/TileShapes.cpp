//===- TileShapes.cpp - Shapes of tiles that hold for several products --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each product says which shapes the tiles of AMX have, and at its end that none is used.
// To load shapes takes as long as some sixteen products of tiles, so they are kept where
// the next product has the same:
//
//     for run                       shapes S
//       shapes S                    for run
//       multiply ...          =>      multiply ...
//       shapes none                 multiply ...
//     shapes S                      shapes none
//     multiply ...
//     shapes none
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TileShapes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

/// Whether something in `op` loads shapes, or runs code of others that may.
static bool mayLoadShapes(Operation &op) {
  return op
      .walk([](Operation *nested) {
        bool may = isa<TileShapesOp, tile::PrintOp, tile::AssertOp>(nested);
        return may ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static bool releases(TileShapesOp shapes) { return shapes.getRows().empty(); }

/// Has the end of shapes and the same ones after it in `block` cancel each other.
static void keepBetween(Block &block) {
  TileShapesOp shapes, release;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto next = dyn_cast<TileShapesOp>(op);
    if (!next) {
      if (mayLoadShapes(op))
        shapes = release = {};
      continue;
    }
    if (releases(next)) {
      release = next;
      continue;
    }
    if (release && shapes && next.getRows() == shapes.getRows() &&
        next.getBytes() == shapes.getBytes()) {
      release.erase();
      next.erase();
    } else {
      shapes = next;
    }
    release = {};
  }
}

/// Takes the only shapes that a loop's body has, and their end, out of it.
static void keepBetweenIterations(scf::ForOp loop) {
  TileShapesOp shapes, release;
  for (Operation &op : *loop.getBody()) {
    auto next = dyn_cast<TileShapesOp>(op);
    if (!next) {
      if (mayLoadShapes(op))
        return;
      continue;
    }
    TileShapesOp &known = releases(next) ? release : shapes;
    if (known)
      return;
    known = next;
  }
  if (!shapes || !release)
    return;
  shapes->moveBefore(loop);
  release->moveAfter(loop);
}

void tilewright::cpu::keepTileShapes(Operation *root) {
  root->walk<WalkOrder::PostOrder>([](Operation *op) {
    for (Region &region : op->getRegions())
      for (Block &block : region)
        keepBetween(block);
    if (auto loop = dyn_cast<scf::ForOp>(op))
      keepBetweenIterations(loop);
  });
}
