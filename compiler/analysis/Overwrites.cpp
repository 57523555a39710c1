//===- Overwrites.cpp - Whether code needs what a tile held before ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Overwrites.h"
#include "compiler/analysis/Memory.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace tilewright::tile {

SmallVector<Operation *> getUsersOfMemory(Value tile) {
  SmallVector<Operation *> users;
  for (Operation *user : tile.getUsers()) {
    if (auto view = dyn_cast<ViewLikeOpInterface>(user))
      llvm::append_range(users, getUsersOfMemory(view.getViewDest()));
    else
      users.push_back(user);
  }
  return users;
}

Operation *getFirstIn(ArrayRef<Operation *> users, Block *block) {
  Operation *first = nullptr;
  for (Operation *user : users) {
    Operation *holder = block->findAncestorOpInBlock(*user);
    if (!first || holder->isBeforeInBlock(first))
      first = holder;
  }
  return first;
}

static int64_t getElementCount(Value memref) {
  return cast<MemRefType>(memref.getType()).getNumElements();
}

/// Whether the region is the whole of `tile`, or of a view of all of it.
static bool coversTile(Value tile, Value memref, ArrayRef<int64_t> offsets,
                       ArrayRef<int64_t> sizes) {
  return llvm::all_of(offsets, [](int64_t offset) { return offset == 0; }) &&
         cast<MemRefType>(memref.getType()).getShape() == sizes;
}

/// Whether `memref` is `tile`, or a view of all of it.
static bool isAllOf(Value memref, Value tile) {
  while (auto view = memref.getDefiningOp<ViewOp>())
    memref = view.getSource();
  return memref == tile;
}

/// The operation that stores to every element once: `tile[i, j] = ...` over its whole
/// shape; null where there is none.
static memref::StoreOp findStoreToAll(ParallelOp op, Value tile) {
  for (auto store : op.getBody().getOps<memref::StoreOp>()) {
    auto type = cast<MemRefType>(store.getMemref().getType());
    if (isAllOf(store.getMemref(), tile) && type.getShape() == op.getExtents() &&
        llvm::equal(store.getIndices(), op.getBody().getArguments()))
      return store;
  }
  return {};
}

/// Whether `load` gives what the same iteration of `op` has stored.
static bool readsOwnStore(memref::LoadOp load, ParallelOp op, Value tile) {
  memref::StoreOp store = findStoreToAll(op, tile);
  Operation *holder = op.getBody().front().findAncestorOpInBlock(*load);
  return store && load.getMemref() == store.getMemref() &&
         load.getIndices() == store.getIndices() && store->isBeforeInBlock(holder);
}

/// Whether `op` writes every element of `tile`, if it reads none.
static bool writesAll(Operation *op, Value tile) {
  auto is = [&](Value memref) { return isAllOf(memref, tile); };
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](CopyOp copy) {
        return is(copy.getDst()) &&
               coversTile(tile, copy.getDst(), copy.getStaticDstOffsets(),
                          copy.getDstSizes());
      })
      .Case([&](GatherOp gather) {
        return is(gather.getDst()) &&
               coversTile(tile, gather.getDst(), gather.getStaticDstOffsets(),
                          gather.getDstSizes());
      })
      .Case([&](FillOp fill) { return is(fill.getDst()); })
      .Case([&](GemmOp gemm) { return is(gemm.getC()) && gemm.getClear(); })
      .Case(
          [&](ReduceOp reduce) { return is(reduce.getDst()) && !reduce.getAccumulate(); })
      .Case([&](ScanOp scan) { return is(scan.getDst()); })
      .Case([&](TopKOp topk) { return is(topk.getValues()) || is(topk.getIndices()); })
      .Case([&](memref::StoreOp store) {
        return is(store.getMemref()) && getElementCount(store.getMemref()) == 1;
      })
      .Case([&](ParallelOp parallel) { return bool(findStoreToAll(parallel, tile)); })
      .Default([](Operation *) { return false; });
}

/// Whether `op`, which writes all of `tile`, or code in it, reads some of it.
static bool readsAny(Operation *op, Value tile) {
  auto reads = [&](Operation *inner) {
    return llvm::TypeSwitch<Operation *, bool>(inner)
        .Case([&](ReduceOp reduce) { return getBaseMemory(reduce.getSrc()) == tile; })
        .Case([&](memref::LoadOp load) {
          auto loop = dyn_cast<ParallelOp>(op);
          return getBaseMemory(load.getMemref()) == tile &&
                 !(loop && readsOwnStore(load, loop, tile));
        })
        .Case([&](GemmOp gemm) {
          return getBaseMemory(gemm.getA()) == tile || getBaseMemory(gemm.getB()) == tile;
        })
        .Default([&](Operation *other) {
          auto effects = dyn_cast<MemoryEffectOpInterface>(other);
          if (!effects)
            return false;
          SmallVector<MemoryEffects::EffectInstance> instances;
          effects.getEffects(instances);
          return llvm::any_of(instances, [&](const MemoryEffects::EffectInstance &e) {
            return isa<MemoryEffects::Read>(e.getEffect()) && e.getValue() &&
                   getBaseMemory(e.getValue()) == tile;
          });
        });
  };
  return op
      ->walk([&](Operation *inner) {
        return reads(inner) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

bool isOverwrittenFirst(Value tile, ArrayRef<Operation *> users, Block *block) {
  if (users.empty())
    return true;
  Operation *first = getFirstIn(users, block);
  if (writesAll(first, tile))
    return !readsAny(first, tile);
  if (!isa<scf::ForOp, PipelinedOp>(first) ||
      !llvm::all_of(users, [&](Operation *user) { return first->isAncestor(user); }))
    return false;
  return isOverwrittenFirst(tile, users, &first->getRegion(0).front());
}

} // namespace tilewright::tile
