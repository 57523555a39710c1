//===- PartJoiner.cpp - Joins what parts of a loop have made -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/PartJoiner.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

static Value load(LoopBuilder &b, Value tile, ValueRange place) {
  return memref::LoadOp::create(b, b.getLoc(), tile, place);
}

static void store(LoopBuilder &b, Value value, Value tile, ValueRange place) {
  memref::StoreOp::create(b, b.getLoc(), value, tile, place);
}

void cpu::forElements(LoopBuilder &b, Value tile,
                      function_ref<void(ValueRange place)> body) {
  auto type = cast<MemRefType>(tile.getType());
  auto nest = ParallelOp::create(b, b.getLoc(), type.getShape());
  Block &block = nest.getBody().emplaceBlock();
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    block.addArgument(b.getIndexType(), b.getLoc());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&block);
  body(block.getArguments());
}

PartJoiner::PartJoiner(LoopBuilder &b, const LoopStates &carried)
    : b(b), carried(carried) {
  for (const LoopState &state : carried.states) {
    AllocOp tile = state.tile, peak = state.peak;
    partTiles.push_back(makeTile(tile.getType(), "part"));
    if (peak && !weights.contains(peak))
      weights[peak] = {makeTile(peak.getType(), "weight"),
                       makeTile(peak.getType(), "part_weight")};
  }
}

Value PartJoiner::makeTile(MemRefType like, StringRef name) {
  return AllocOp::create(b, b.getLoc(), like, b.getStringAttr(name), IntegerAttr(),
                         UnitAttr());
}

Value PartJoiner::getWeight(LoopBuilder &b, Value from, Value to) const {
  Value moved = arith::SubFOp::create(b, b.getLoc(), from, to);
  if (Value scale = carried.weight.scale)
    moved = arith::MulFOp::create(b, b.getLoc(), moved, scale);
  return carried.weight.isBaseTwo ? Value(math::Exp2Op::create(b, b.getLoc(), moved))
                                  : Value(math::ExpOp::create(b, b.getLoc(), moved));
}

void PartJoiner::joinPlain(const LoopState &state, Value part) {
  Value tile = AllocOp(state.tile).getResult();
  auto known = weights.find(state.tile);
  forElements(b, tile, [&](ValueRange at) {
    Value before = load(b, tile, at), more = load(b, part, at);
    Value joined = arith::getReductionOp(state.combiner, b, b.getLoc(), before, more);
    store(b, joined, tile, at);
    if (known == weights.end())
      return;
    store(b, getWeight(b, before, joined), known->second.before, at);
    store(b, getWeight(b, more, joined), known->second.part, at);
  });
}

void PartJoiner::joinWeighted(const LoopState &state, Value part) {
  Value tile = AllocOp(state.tile).getResult();
  const Weights &by = weights.find(state.peak)->second;
  forElements(b, tile, [&](ValueRange at) {
    auto peakAt =
        llvm::map_to_vector(state.peakDims, [&](int64_t dim) { return at[dim]; });
    auto weigh = [&](Value of, Value by) -> Value {
      Value element = load(b, of, at), weight = load(b, by, peakAt);
      return arith::MulFOp::create(b, b.getLoc(), element, weight);
    };
    Value before = weigh(tile, by.before), more = weigh(part, by.part);
    store(b, arith::AddFOp::create(b, b.getLoc(), before, more), tile, at);
  });
}

void PartJoiner::join() {
  for (auto [state, part] : llvm::zip(carried.states, partTiles))
    state.kind == LoopState::Weighted ? joinWeighted(state, part)
                                      : joinPlain(state, part);
}
