//===- LoopStates.cpp - What a loop carries from one iteration to the next -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LoopStates.h"

#include "backends/cpu/LoopIteration.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;
using arith::AtomicRMWKind;

/// Whether weights get smaller as the extremum moves, so that none is infinite in a part
/// that begins with another one. A scale that only a call knows is taken for positive.
static bool shrinks(const WeightFunction &weight, AtomicRMWKind extremum) {
  FloatAttr scale;
  bool isNegative = weight.scale && matchPattern(weight.scale, m_Constant(&scale)) &&
                    scale.getValue().isNegative();
  return isMaximum(extremum) != isNegative;
}

/// What an iteration has made of a carried tile.
static std::optional<LoopState> classify(LoopIteration &iteration, AllocOp tile) {
  TileForm form = iteration.getTile(tile.getResult());
  Type element = tile.getType().getElementType();
  bool isFloat = isa<FloatType>(element);
  // Narrow sums are rounded where other operations read them.
  bool isNarrow = isFloat && element.getIntOrFloatBitWidth() < 32;
  TileForm old = getOldForm(tile);
  LoopState state{LoopState::Sum, tile, AtomicRMWKind::addf, {}, {}};
  if (form.is(TileForm::Linear) && form.refersTo(old) && !form.scale) {
    if (form.before == 1 && form.after == 0 && !isNarrow) {
      state.combiner = isFloat ? AtomicRMWKind::addf : AtomicRMWKind::addi;
      return state;
    }
    if (form.before == 0 && form.after == 1 && !form.hasFree) {
      state.kind = LoopState::Extremum;
      state.combiner = iteration.getCombiner(tile);
      return state;
    }
  }
  if (form.isSum() && form.sum == tile && form.sumAt == old.at && !isNarrow &&
      form.before == 1 && form.after == -1 &&
      form.carried.getType().getElementType() == element) {
    state.kind = LoopState::Weighted;
    state.peak = form.carried;
    state.peakDims.assign(form.at.begin(), form.at.end());
    return state;
  }
  return std::nullopt;
}

std::optional<LoopStates> cpu::analyzeLoopStates(LoopLikeOpInterface loop,
                                                 ArrayRef<AllocOp> written,
                                                 ArrayRef<AllocOp> carried) {
  LoopIteration iteration(loop, written, carried);
  iteration.run();
  LoopStates found;
  found.weight = iteration.getWeight().value_or(WeightFunction());
  for (AllocOp tile : carried) {
    std::optional<LoopState> state = classify(iteration, tile);
    if (!state)
      return std::nullopt;
    found.states.push_back(*state);
  }
  llvm::stable_sort(found.states, [](const LoopState &a, const LoopState &b) {
    return (a.kind == LoopState::Weighted) < (b.kind == LoopState::Weighted);
  });
  // A new value that is made and not kept is no extremum, and weights may not grow.
  for (const LoopState &state : found.states)
    if (state.peak && llvm::none_of(found.states, [&](const LoopState &other) {
          return other.kind == LoopState::Extremum && other.tile == state.peak &&
                 shrinks(found.weight, other.combiner);
        }))
      return std::nullopt;
  return found;
}
