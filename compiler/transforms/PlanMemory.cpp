//===- PlanMemory.cpp - Give every tile its place in the block's arena --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles are placed largest first, each at the lowest offset where it meets no
// tile that is live at the same time. Liveness is an interval of operations in
// program order, counted in the block that holds the allocation: whatever loop
// or branch a use sits in is covered whole. A kept tile is live in all of the kernel.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/PlanMemory.h"

#include "compiler/transforms/Passes.h"
#include "dialects/simt/Simt.h"

#include "llvm/Support/MathExtras.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_PLANMEMORY
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

namespace {
/// A tile, the operations it is live between, and where it goes.
struct Placement {
  AllocOp alloc;
  int64_t bytes;
  int64_t first, last;
  int64_t offset = 0;

  bool overlaps(const Placement &other) const {
    return first <= other.last && other.first <= last;
  }
};

struct PlanMemoryPass : tilewright::tile::impl::PlanMemoryBase<PlanMemoryPass> {
  using PlanMemoryBase::PlanMemoryBase;
  void runOnOperation() override;
};
} // namespace

int64_t tilewright::tile::getTileBytes(MemRefType type) {
  int64_t bits = type.getElementType().getIntOrFloatBitWidth();
  return type.getNumElements() * llvm::divideCeil(bits, 8);
}

/// Widens [first, last] to all uses of `value` and of views of it, taken as the
/// operations of `block` that hold them.
static void extendOverUses(Value value, Block *block,
                           const DenseMap<Operation *, std::pair<int64_t, int64_t>> &span,
                           int64_t &first, int64_t &last) {
  for (Operation *user : value.getUsers()) {
    auto [begin, end] = span.lookup(block->findAncestorOpInBlock(*user));
    first = std::min(first, begin);
    last = std::max(last, end);
    if (isa<ViewLikeOpInterface, simt::ChannelOp, simt::GetOp>(user))
      for (Value seen : user->getResults())
        extendOverUses(seen, block, span, first, last);
  }
}

/// The placed tiles of `kernel`, in the order of their allocation.
static SmallVector<Placement> planKernel(KernelOp kernel, int64_t alignment,
                                         int64_t &arenaBytes) {
  // Number operations in program order; an operation spans those inside it.
  DenseMap<Operation *, std::pair<int64_t, int64_t>> span;
  int64_t counter = 0;
  kernel.walk([&](Operation *op, const WalkStage &stage) {
    if (stage.isBeforeAllRegions())
      span[op].first = counter++;
    if (stage.isAfterAllRegions())
      span[op].second = counter - 1;
  });

  SmallVector<Placement> tiles;
  kernel.walk([&](AllocOp alloc) {
    auto type = cast<MemRefType>(alloc.getResult().getType());
    if (getSpace(type) == Space::Local)
      return;
    Placement tile{alloc, getTileBytes(type), INT64_MAX, -1};
    extendOverUses(alloc.getResult(), alloc->getBlock(), span, tile.first, tile.last);
    if (alloc.getKept())
      std::tie(tile.first, tile.last) = span.lookup(kernel);
    tiles.push_back(tile);
  });

  SmallVector<Placement *> order;
  for (Placement &tile : tiles)
    order.push_back(&tile);
  llvm::stable_sort(order,
                    [](Placement *a, Placement *b) { return a->bytes > b->bytes; });

  SmallVector<Placement *> placed; // sorted by offset
  for (Placement *tile : order) {
    int64_t offset = 0;
    for (Placement *other : placed)
      if (tile->overlaps(*other) && offset + tile->bytes > other->offset)
        offset = std::max<int64_t>(
            offset, llvm::alignTo(other->offset + other->bytes, alignment));
    tile->offset = offset;
    arenaBytes =
        std::max<int64_t>(arenaBytes, llvm::alignTo(offset + tile->bytes, alignment));
    placed.insert(llvm::upper_bound(
                      placed, tile,
                      [](Placement *a, Placement *b) { return a->offset < b->offset; }),
                  tile);
  }
  return tiles;
}

int64_t tilewright::tile::getArenaBytes(KernelOp kernel, int64_t alignment) {
  int64_t bytes = 0;
  planKernel(kernel, alignment, bytes);
  return bytes;
}

void PlanMemoryPass::runOnOperation() {
  getOperation()->walk([&](KernelOp kernel) {
    int64_t arenaBytes = 0;
    for (const Placement &tile : planKernel(kernel, alignment, arenaBytes))
      AllocOp(tile.alloc).setOffset(tile.offset);
    kernel->setAttr("tile.arena", Builder(kernel).getI64IntegerAttr(arenaBytes));
  });
}
