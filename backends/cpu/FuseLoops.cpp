//===- FuseLoops.cpp - Elementwise loops on the same elements become one ------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each elementwise loop and each copy is a pass over its tiles, through memory. Loops of
// the same extents that use the same memory become one, and copies join them:
//
//     copy X to x
//     parallel (i, j) { x[i, j] = x[i, j] * s[i] }     parallel (i, j) {
//     copy x to Y                                   =>   Y[i, j] = X[i, j] * s[i]
//                                                      }
//
// What one iteration stores and another part of it loads is passed on as a value. A
// reduction joins the loop that makes its elements (FuseReductions.cpp), and tiles that
// nothing reads any more are gone.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/FusableLoop.h"
#include "backends/cpu/MoveTogether.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Overwrites.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_FUSELOOPS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Operations of one loop, beyond which its values no longer fit in registers.
static constexpr size_t mostOperations = 64;

//===----------------------------------------------------------------------===//
// Fusing
//===----------------------------------------------------------------------===//

/// Whether both name one element.
static bool areSame(ValueRange left, ValueRange right) {
  return llvm::equal(left, right, [](Value a, Value b) {
    auto x = getConstantIntValue(a), y = getConstantIntValue(b);
    return a == b || (x && x == y);
  });
}

/// Gives later loads of a body the values that its stores leave in tiles. Of tensors
/// that would not do: outside their shape a store does nothing, and a load gives zero.
static void forwardStores(Block &body) {
  struct Known {
    Value memref;
    SmallVector<Value> indices;
    Value value;
  };
  SmallVector<Known> known;
  auto find = [&](Value memref, ValueRange indices) {
    return llvm::find_if(known, [&](const Known &k) {
      return k.memref == memref && areSame(k.indices, indices);
    });
  };
  for (Operation &op : llvm::make_early_inc_range(body)) {
    if (auto load = dyn_cast<memref::LoadOp>(op)) {
      auto it = find(load.getMemref(), load.getIndices());
      if (it == known.end()) {
        known.push_back({load.getMemref(), load.getIndices(), load.getResult()});
      } else {
        load.replaceAllUsesWith(it->value);
        load.erase();
      }
    } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
      llvm::erase_if(
          known, [&](const Known &k) { return mayOverlap(store.getMemref(), k.memref); });
      known.push_back({store.getMemref(), store.getIndices(), store.getValue()});
    }
  }
  // Of two stores to one place the last counts.
  SmallVector<memref::StoreOp> later;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body))) {
    auto store = dyn_cast<memref::StoreOp>(op);
    if (auto load = dyn_cast<memref::LoadOp>(op))
      llvm::erase_if(later, [&](memref::StoreOp s) {
        return mayOverlap(s.getMemref(), load.getMemref());
      });
    if (!store)
      continue;
    if (llvm::any_of(later, [&](memref::StoreOp s) {
          return s.getMemref() == store.getMemref() &&
                 areSame(s.getIndices(), store.getIndices());
        }))
      store.erase();
    else
      later.push_back(store);
  }
}

/// Makes one loop of both, at `place`.
static ParallelOp fuse(const FusableLoop &first, const FusableLoop &second,
                       Operation *place) {
  OpBuilder builder(place);
  auto model = dyn_cast<ParallelOp>(second.getOperation());
  if (!model)
    model = cast<ParallelOp>(first.getOperation());
  auto fused = ParallelOp::create(builder, model.getLoc(), model.getExtents());
  Block *body = &fused.getBody().emplaceBlock();
  for (size_t i = 0; i < model.getExtents().size(); ++i)
    body->addArgument(builder.getIndexType(), model.getLoc());
  first.emitInto(*body);
  second.emitInto(*body);
  forwardStores(*body);
  for (Operation *old : {first.getOperation(), second.getOperation()})
    old->erase();
  return fused;
}

/// Fuses loops of a block with those in front of them.
static void fuseIn(Block &block) {
  SmallVector<FusableLoop> loops;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    std::optional<FusableLoop> found = FusableLoop::get(&op);
    if (!found)
      continue;
    FusableLoop loop = *found;
    for (size_t i = loops.size(); i-- > 0;) {
      Operation *earlier = loops[i].getOperation(), *later = loop.getOperation();
      int between = 0;
      for (Operation *o = earlier; o != later && between <= mostBetween;
           o = o->getNextNode())
        ++between;
      if (between > mostBetween)
        break;
      if (loops[i].getSize() + loop.getSize() > mostOperations ||
          !loops[i].canRunWith(loop))
        continue;
      Operation *place = findPlace(earlier, later);
      if (!place)
        continue;
      loop = *FusableLoop::get(fuse(loops[i], loop, place)); // as both parts were
      loops.erase(loops.begin() + i);
      // It may be in front of some that it was behind: those are done.
      i = loops.size();
      while (i > 0 && loop.getOperation()->isBeforeInBlock(loops[i - 1].getOperation()))
        --i;
    }
    auto behind = llvm::find_if(loops, [&](const FusableLoop &other) {
      return loop.getOperation()->isBeforeInBlock(other.getOperation());
    });
    loops.insert(behind, loop);
  }
}

//===----------------------------------------------------------------------===//
// Tiles that nothing reads
//===----------------------------------------------------------------------===//

/// Whether an operation behind `op` in its block reads `tile`.
static bool isReadBehind(Operation *op, Value tile) {
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    Effects effects(next);
    if (effects.isUnknown ||
        llvm::is_contained(llvm::map_range(effects.reads, getBaseMemory), tile))
      return true;
  }
  return false;
}

/// Removes stores of elementwise loops to `alloc` behind which nothing reads the tile,
/// and the tile where that were all its uses.
static void removeDeadStores(AllocOp alloc) {
  Value tile = alloc.getResult();
  SmallVector<Operation *> users = getUsersOfMemory(tile);
  if (users.empty())
    return;
  // The innermost block that holds all uses, where a tile is new in each of its runs.
  Block *home = users.front()->getParentOfType<ParallelOp>()
                    ? users.front()->getParentOfType<ParallelOp>()->getBlock()
                    : users.front()->getBlock();
  while (home != alloc->getBlock() && !llvm::all_of(users, [&](Operation *user) {
           return home->findAncestorOpInBlock(*user);
         }))
    home = home->getParentOp()->getBlock();
  if (home != alloc->getBlock() && !isOverwrittenFirst(tile, users, home))
    return;
  for (Operation *user : users) {
    auto store = dyn_cast<memref::StoreOp>(user);
    auto loop = store ? dyn_cast<ParallelOp>(store->getParentOp()) : ParallelOp();
    if (!loop || loop->getBlock() != home || isReadBehind(store, tile) ||
        isReadBehind(loop, tile))
      continue;
    store.erase();
  }
  if (tile.use_empty())
    alloc.erase();
}

/// Removes loops that no longer do anything but load.
static void removeIfEmpty(ParallelOp loop) {
  if (llvm::all_of(loop.getBody().front(), [](Operation &op) {
        return isa<memref::LoadOp, LoadOp>(op) || isMemoryEffectFree(&op);
      }))
    loop.erase();
}

namespace {
struct FuseLoopsPass : tilewright::cpu::impl::FuseLoopsBase<FuseLoopsPass> {
  void runOnOperation() override {
    getOperation()->walk([](KernelOp kernel) {
      SmallVector<Block *> blocks;
      kernel->walk<WalkOrder::PreOrder>([&](Block *block) {
        if (isa<ParallelOp>(block->getParentOp()))
          return WalkResult::skip();
        blocks.push_back(block);
        return WalkResult::advance();
      });
      for (Block *block : blocks) {
        fuseIn(*block);
        fuseReductions(*block);
      }
      SmallVector<AllocOp> allocs;
      kernel->walk([&](AllocOp alloc) { allocs.push_back(alloc); });
      for (AllocOp alloc : allocs)
        removeDeadStores(alloc);
      allocs.clear();
      kernel->walk([&](AllocOp alloc) { allocs.push_back(alloc); });
      for (AllocOp alloc : allocs)
        forwardLoads(alloc);
      kernel->walk([](ParallelOp loop) { removeIfEmpty(loop); });
    });
  }
};
} // namespace
