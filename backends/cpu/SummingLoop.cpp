//===- SummingLoop.cpp - Loops whose steps can be done in parts ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/SummingLoop.h"

#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Overwrites.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// The tiles that a loop writes; nothing where it does anything else that others see.
static std::optional<SetVector<AllocOp>> getWrittenTiles(LoopLikeOpInterface loop) {
  SetVector<AllocOp> written;
  WalkResult result = loop.getLoopRegions()[0]->walk([&](Operation *op) -> WalkResult {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects)
      return success(op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
                     isMemoryEffectFree(op));
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (MemoryEffects::EffectInstance &effect : instances) {
      if (isa<MemoryEffects::Read>(effect.getEffect()) || isa<AllocOp, AssumeOp>(op))
        continue;
      auto alloc = effect.getValue()
                       ? getBaseMemory(effect.getValue()).getDefiningOp<AllocOp>()
                       : AllocOp();
      if (!alloc)
        return failure();
      written.insert(alloc);
    }
    return success();
  });
  if (result.wasInterrupted())
    return std::nullopt;
  return written;
}

/// Whether a tile that the loop writes holds nothing from one iteration to another.
static bool isTemporary(AllocOp alloc, LoopLikeOpInterface loop) {
  SmallVector<Operation *> users = getUsersOfMemory(alloc.getResult());
  if (!llvm::all_of(users, [&](Operation *user) { return loop->isAncestor(user); }))
    return false;
  return isOverwrittenFirst(alloc.getResult(), users, &loop.getLoopRegions()[0]->front());
}

std::optional<SummingLoop> SummingLoop::get(KernelOp kernel, LoopLikeOpInterface loop) {
  if (!isa<PipelinedOp, scf::ForOp>(loop) || loop->getNumResults() != 0 ||
      !loop.getSingleInductionVar()->getType().isIndex())
    return std::nullopt;
  auto step = getConstantIntValue(*loop.getSingleStep());
  std::optional<SetVector<AllocOp>> written = getWrittenTiles(loop);
  if (!step || *step <= 0 || !written)
    return std::nullopt;
  SmallVector<AllocOp> carried;
  for (AllocOp alloc : *written)
    if (!isTemporary(alloc, loop))
      carried.push_back(alloc);
  std::optional<LoopStates> states =
      analyzeLoopStates(loop, written->getArrayRef(), carried);
  if (!states || states->states.empty())
    return std::nullopt;
  SummingLoop at{kernel, loop, std::move(*states), std::nullopt, *step};
  if (std::optional<APInt> trips = loop.getStaticTripCount())
    at.trips = trips->getSExtValue();
  return at;
}

int64_t SummingLoop::getStateSize() const {
  int64_t size = 0;
  for (const LoopState &state : carried.states)
    size += AllocOp(state.tile).getType().getNumElements();
  return size;
}

bool cpu::beginsNeutral(const LoopState &state, const SummingLoop &at) {
  if (state.kind == LoopState::Extremum &&
      llvm::none_of(at.carried.states,
                    [&](const LoopState &sum) { return sum.peak == state.tile; }))
    return true; // what is taken in twice changes nothing
  FillOp fill;
  for (Operation *user : getUsersOfMemory(AllocOp(state.tile).getResult())) {
    Operation *holder =
        KernelOp(at.kernel).getBody().front().findAncestorOpInBlock(*user);
    if (!holder->isBeforeInBlock(at.loop))
      continue;
    auto here = dyn_cast<FillOp>(user);
    if (fill || holder != user || !here ||
        here.getDst() != AllocOp(state.tile).getResult())
      return false;
    fill = here;
  }
  if (!fill)
    return false;
  if (state.kind != LoopState::Extremum)
    return matchPattern(fill.getValue(), m_PosZeroFloat()) ||
           matchPattern(fill.getValue(), m_Zero());
  FloatAttr constant;
  return matchPattern(fill.getValue(), m_Constant(&constant)) &&
         constant.getValue().isFinite();
}
