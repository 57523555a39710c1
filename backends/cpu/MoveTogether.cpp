//===- MoveTogether.cpp - Bring operations of a block together ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/MoveTogether.h"

#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tilewright::cpu;
using namespace tilewright::tile;

Effects::Effects(Operation *op) {
  op->walk([&](Operation *inner) {
    if (isa<memref::PrefetchOp>(inner)) // says that it may write
      return;
    auto effects = dyn_cast<MemoryEffectOpInterface>(inner);
    if (!effects) {
      isUnknown |= !inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>() &&
                   !inner->hasTrait<OpTrait::IsTerminator>();
      return;
    }
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &effect : instances) {
      if (isa<MemoryEffects::Allocate>(effect.getEffect()))
        continue;
      if (!effect.getValue())
        isUnknown = true;
      else if (isa<MemoryEffects::Read>(effect.getEffect()))
        reads.push_back(effect.getValue());
      else
        writes.push_back(effect.getValue());
    }
  });
}

/// Whether writing one of `written` may change one of `used`.
static bool meet(ArrayRef<Value> written, ArrayRef<Value> used) {
  return llvm::any_of(written, [&](Value w) {
    return llvm::any_of(used, [&](Value u) { return mayOverlap(w, u); });
  });
}

bool Effects::conflictsWith(const Effects &other) const {
  return isUnknown || other.isUnknown || meet(writes, other.reads) ||
         meet(writes, other.writes) || meet(other.writes, reads);
}

bool Effects::touches(Value memory) const {
  return isUnknown || meet(memory, reads) || meet(memory, writes);
}

/// Whether what `op` uses from around it is there before `place` already.
static bool isReadyAt(Operation *op, Operation *place) {
  auto isReady = [&](Value value) {
    Operation *definition = value.getDefiningOp();
    return !definition || op->isAncestor(definition) ||
           definition->getBlock() != place->getBlock() ||
           definition->isBeforeInBlock(place);
  };
  return !op->walk([&](Operation *inner) {
              return llvm::all_of(inner->getOperands(), isReady)
                         ? WalkResult::advance()
                         : WalkResult::interrupt();
            }).wasInterrupted();
}

Operation *tilewright::cpu::findPlace(Operation *first, Operation *second) {
  Effects of1(first), of2(second);
  bool canFall = true, canRise = isReadyAt(second, first);
  for (Operation *op = first->getNextNode(); op != second && (canFall || canRise);
       op = op->getNextNode()) {
    Effects between(op);
    canFall &= !of1.conflictsWith(between);
    canRise &= !of2.conflictsWith(between);
  }
  return canFall ? second : canRise ? first : nullptr;
}
