//===- ForwardIndices.cpp - Indices that need no tile -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A gather reads the numbers of its rows from a tile that its own iteration fills, so
// that it could not run ahead of it. Numbers that can be had again are:
//
//   tile.parallel (%j) in (64) {             tile.parallel (%i, %c) in (64, 512) {
//     %n = tile.load %numbers[%at + %j]        %n = tile.load %numbers[%at + %i]
//     memref.store %n, %chosen[%j]        ->   %v = tile.load %x[%n, %c]
//   }                                          memref.store %v, %s[%i, %c]
//   tile.parallel (%i, %c) in (64, 512) {    }
//     %n = memref.load %chosen[%i]
//     %v = tile.load %x[%n, %c]
//     memref.store %v, %s[%i, %c]
//   }
//
// The tile stays where others read it.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/EmitIteration.h"
#include "compiler/simt/FindFillings.h"
#include "compiler/simt/FragmentLayout.h"
#include "dialects/simt/Simt.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

/// The nest of the loop's body that fills the tile `memref` at its own positions, of what
/// no iteration writes, and is the only one that writes there; null where there is none.
static ParallelOp getDefinition(PipelinedOp loop, Value memref) {
  auto tile = memref.getDefiningOp<AllocOp>();
  if (!tile || getSpace(memref) != Space::Shared)
    return nullptr;
  memref::StoreOp store;
  for (Operation *user : tile->getUsers()) {
    if (isa<memref::LoadOp>(user))
      continue;
    auto other = dyn_cast<memref::StoreOp>(user);
    if (!other || store)
      return nullptr;
    store = other;
  }
  auto nest = store ? dyn_cast<ParallelOp>(store->getParentOp()) : nullptr;
  if (!nest || nest->getParentOp() != loop || nest->hasAttr(dealtAttrName) ||
      !isAtOwnPosition(cast<MemRefType>(memref.getType()).getShape(), store.getIndices(),
                       nest))
    return nullptr;
  for (Operation &op : nest.getBody().front().without_terminator()) {
    bool isRead = isa<memref::LoadOp, LoadOp>(op) && !mayWrite(loop, op.getOperand(0));
    if (&op != store && !isRead && (op.getNumRegions() != 0 || !isMemoryEffectFree(&op)))
      return nullptr;
  }
  return nest;
}

/// What `load`, behind the nest that defines the tile, reads of it, had again.
static void forward(memref::LoadOp load, ParallelOp definition) {
  OpBuilder builder(load);
  IRMapping mapping;
  Block &body = definition.getBody().front();
  memref::StoreOp store = *body.getOps<memref::StoreOp>().begin();
  for (Value own : body.getArguments()) {
    auto at = llvm::find(store.getIndices(), own);
    // What the store does not name has one iteration.
    mapping.map(own, at == store.getIndices().end()
                         ? arith::ConstantIndexOp::create(builder, load.getLoc(), 0)
                         : load.getIndices()[at.getIndex()]);
  }
  for (Operation &op : body.without_terminator())
    if (&op != store)
      builder.clone(op, mapping)->removeAttr(contiguousAttrName);
  load.replaceAllUsesWith(mapping.lookupOrDefault(store.getValue()));
  load.erase();
}

/// Whether the nest fills a shared tile from global memory.
static bool isCopy(ParallelOp nest) {
  Block &body = nest.getBody().front();
  auto stores = body.getOps<memref::StoreOp>();
  if (!llvm::hasSingleElement(stores) || body.getOps<LoadOp>().empty())
    return false;
  Value memref = (*stores.begin()).getMemRef();
  return memref.getDefiningOp<AllocOp>() && getSpace(memref) == Space::Shared;
}

void simt::forwardIndices(PipelinedOp loop) {
  Block &body = loop.getBody().front();
  for (ParallelOp nest : body.getOps<ParallelOp>()) {
    if (!isCopy(nest))
      continue;
    int64_t rank = nest.getExtents().size();
    for (auto load :
         llvm::make_early_inc_range(nest.getBody().front().getOps<memref::LoadOp>())) {
      if (cast<MemRefType>(load.getMemRef().getType()).getRank() >= rank)
        continue;
      ParallelOp definition = getDefinition(loop, load.getMemRef());
      if (definition && definition->isBeforeInBlock(nest))
        forward(load, definition);
    }
  }
  // Nests whose tiles nobody reads any more.
  for (ParallelOp nest : llvm::make_early_inc_range(body.getOps<ParallelOp>())) {
    auto stores = nest.getBody().front().getOps<memref::StoreOp>();
    if (!llvm::hasSingleElement(stores))
      continue;
    Value memref = (*stores.begin()).getMemRef();
    if (getDefinition(loop, memref) != nest || !llvm::hasSingleElement(memref.getUsers()))
      continue;
    nest.erase();
    memref.getDefiningOp()->erase();
  }
}
