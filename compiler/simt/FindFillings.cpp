//===- FindFillings.cpp - What a pipelined loop can do ahead --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/FindFillings.h"

#include "compiler/analysis/Memory.h"
#include "compiler/simt/EmitIteration.h"
#include "compiler/simt/FragmentLayout.h"
#include "dialects/simt/Simt.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
class FillingFinder {
public:
  explicit FillingFinder(PipelinedOp loop) : loop(loop) {}
  std::optional<Filling> getFilling(ParallelOp nest);

private:
  bool addToSlice(Operation *op, SetVector<Operation *> &slice);
  bool isUnchanged(Value memref) { return !mayWrite(loop, memref); }
  Block *body() { return &loop.getBody().front(); }

  PipelinedOp loop;
};
} // namespace

/// Adds `op`, of the loop's body, and what it needs of the body, unless it cannot be done
/// for another iteration.
bool FillingFinder::addToSlice(Operation *op, SetVector<Operation *> &slice) {
  if (slice.contains(op))
    return true;
  bool isRead = isa<memref::LoadOp, LoadOp>(op) && isUnchanged(op->getOperand(0));
  if (op->getNumRegions() != 0 || (!isMemoryEffectFree(op) && !isRead))
    return false;
  for (Value operand : op->getOperands())
    if (Operation *def = operand.getDefiningOp();
        def && def->getBlock() == body() && !addToSlice(def, slice))
      return false;
  slice.insert(op);
  return true;
}

std::optional<Filling> FillingFinder::getFilling(ParallelOp nest) {
  Filling filling{nest, nullptr, nullptr, {}};
  for (Operation &op : nest.getBody().front())
    if (auto store = dyn_cast<memref::StoreOp>(op)) {
      if (filling.store)
        return std::nullopt;
      filling.store = store;
    }
  AllocOp tile =
      filling.store ? filling.store.getMemRef().getDefiningOp<AllocOp>() : nullptr;
  if (!tile || nest->hasAttr(dealtAttrName) ||
      getSpace(tile.getResult()) != Space::Shared ||
      !isAtOwnPosition(cast<MemRefType>(tile.getResult().getType()).getShape(),
                       filling.store.getIndices(), nest))
    return std::nullopt;
  filling.tile = tile;
  // What is in the tile is of this iteration. What follows the nest may write there too:
  // the stage is its iteration's alone, until that releases it.
  for (Operation *user : tile->getUsers()) {
    Operation *outer = body()->findAncestorOpInBlock(*user);
    bool isLater = outer && outer != nest && nest->isBeforeInBlock(outer) &&
                   isa<memref::LoadOp, memref::StoreOp, GemmOp>(user);
    if (user != filling.store && !isLater)
      return std::nullopt;
  }
  // It reads what no iteration writes, and nothing of its own iteration that cannot be
  // had earlier.
  WalkResult walk = nest->walk([&](Operation *op) -> WalkResult {
    if (op == nest)
      return WalkResult::advance();
    bool isRead = isa<memref::LoadOp, LoadOp>(op) && isUnchanged(op->getOperand(0));
    if (op != filling.store && !isRead && op->getNumRegions() == 0 &&
        !isMemoryEffectFree(op) && !op->hasTrait<OpTrait::IsTerminator>())
      return WalkResult::interrupt();
    for (Value operand : op->getOperands())
      if (Operation *def = operand.getDefiningOp(); def && def->getBlock() == body() &&
                                                    def != tile &&
                                                    !addToSlice(def, filling.slice))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return std::nullopt;
  return filling;
}

SmallVector<Filling> simt::findFillings(PipelinedOp loop) {
  SmallVector<Filling> fillings;
  FillingFinder finder(loop);
  for (ParallelOp nest : loop.getBody().front().getOps<ParallelOp>())
    if (std::optional<Filling> filling = finder.getFilling(nest))
      fillings.push_back(std::move(*filling));
  return fillings;
}

bool simt::isAsyncCopy(const Filling &filling) {
  auto load = memref::StoreOp(filling.store).getValue().getDefiningOp<LoadOp>();
  int64_t bytes = getWidth(filling.nest) *
                  cast<MemRefType>(AllocOp(filling.tile).getResult().getType())
                      .getElementTypeBitWidth() /
                  8;
  return load && load->hasOneUse() && load->getBlock() == filling.store->getBlock() &&
         load->hasAttr(contiguousAttrName) &&
         filling.store->hasAttr(contiguousAttrName) &&
         (bytes == 4 || bytes == 8 || bytes == 16);
}
