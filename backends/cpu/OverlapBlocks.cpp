//===- OverlapBlocks.cpp - A block is written while the next one computes -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block whose last loop streams rows to memory waits for memory there, and leaves it
// idle while it computes. So what streams runs in the next block that the thread takes,
// side by side with the longest loop over as many elements:
//
//     for b {                           for b {
//       for j: t[j] = exp(x[b, j])        before(b)
//       scale = ...                       if b is not the first:
//       for j: y[b, j] = t[j] * scale =>    for j { y[b - 1, j] = t[j] * scale'
//     }                                             t[j] = exp(x[b, j]) }
//                                         else: for j: t[j] = exp(x[b, j])
//                                         scale' = ...
//                                       }
//                                       for j: y[last, j] = t[j] * scale'
//
// The elements of a tile are read before the next block's take their place, so the tile
// is one. What else the last loop needs is computed anew for block b - 1, or carried
// from there. This form is taken where the tensor is streamed (StreamStores.cpp), and
// only that which begins a line runs inside the other loop: the ends of a row are stored
// before it.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/OverlapParts.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Recompute.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_OVERLAPBLOCKS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

namespace {
/// Gives one loop over blocks its other form.
struct Overlap : OverlapParts {
  void rewrite();

private:
  void mapFinish(OpBuilder &b, IRMapping &mapping, Value block, ValueRange carriedValues);
  void emitBeside(LoopBuilder &b, IRMapping &mapping, IRMapping &previous);
};
} // namespace

/// Makes `mapping` give what the end of `block` needs.
void Overlap::mapFinish(OpBuilder &b, IRMapping &mapping, Value block,
                        ValueRange carriedValues) {
  mapping.map(blocks.getInductionVar(), block);
  mapping.map(carried, SmallVector<Value>(carriedValues));
  auto given = [&](Value value) { return isGiven(value, /*alsoBlock=*/true); };
  finish.getThenRegion().walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (!finish.getThenRegion().isAncestor(operand.getParentRegion()))
        recompute(b, operand, given, mapping);
  });
}

/// A copy of `loop` from one element on to another, with these values at its beginning.
static scf::ForOp cloneLoop(OpBuilder &b, scf::ForOp loop, Value from, Value to,
                            ValueRange inits, IRMapping mapping) {
  Value step = b.clone(*loop.getStep().getDefiningOp())->getResult(0);
  auto copy = scf::ForOp::create(b, loop.getLoc(), from, to, step, inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(copy.getBody());
  mapping.map(loop.getInductionVar(), copy.getInductionVar());
  mapping.map(loop.getRegionIterArgs(), copy.getRegionIterArgs());
  for (Operation &op : loop.getBody()->without_terminator())
    b.clone(op, mapping);
  if (!inits.empty()) {
    SmallVector<Value> yielded;
    for (Value value : loop.getBody()->getTerminator()->getOperands())
      yielded.push_back(mapping.lookupOrDefault(value));
    scf::YieldOp::create(b, loop.getLoc(), yielded);
  }
  return copy;
}

/// The values of `values` under `mapping`.
static SmallVector<Value> lookup(const IRMapping &mapping, ValueRange values) {
  return llvm::map_to_vector(values,
                             [&](Value value) { return mapping.lookupOrDefault(value); });
}

/// Emits the end of the block before, by way of `previous`, beside this block's loop, and
/// yields what that gives.
void Overlap::emitBeside(LoopBuilder &b, IRMapping &mapping, IRMapping &previous) {
  Location loc = b.getLoc();
  for (Operation &op : finish.thenBlock()->without_terminator())
    if (&op != stream)
      b.clone(op, previous);
  int64_t step = std::max(stepOf(stream), stepOf(compute));
  Value first = previous.lookupOrDefault(stream.getLowerBound());
  Value last = previous.lookupOrDefault(stream.getUpperBound());
  Value count = b.sub(last, first);
  Value whole = b.sub(count, arith::RemUIOp::create(b, loc, count, b.index(step)));
  cloneLoop(b, stream, b.add(first, whole), last, {}, previous);

  SmallVector<Value> inits = lookup(mapping, compute.getInitArgs());
  auto both = scf::ForOp::create(b, loc, b.index(0), whole, b.index(step), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(both.getBody());
    Value k = both.getInductionVar();
    for (int64_t at = 0; at < step; at += stepOf(stream)) {
      IRMapping part = previous;
      part.map(stream.getInductionVar(), b.add(b.add(first, k), at));
      for (Operation &op : stream.getBody()->without_terminator())
        b.clone(op, part);
    }
    SmallVector<Value> values(both.getRegionIterArgs());
    for (int64_t at = 0; at < step; at += stepOf(compute)) {
      IRMapping part = mapping;
      part.map(compute.getInductionVar(), b.add(k, at));
      part.map(SmallVector<Value>(compute.getRegionIterArgs()), values);
      for (Operation &op : compute.getBody()->without_terminator())
        b.clone(op, part);
      values = lookup(part, compute.getBody()->getTerminator()->getOperands());
    }
    if (!values.empty())
      scf::YieldOp::create(b, loc, values);
  }
  Value end = b.index(*getConstantIntValue(compute.getUpperBound()));
  auto rest = cloneLoop(b, compute, whole, end, both.getResults(), mapping);
  if (!inits.empty())
    scf::YieldOp::create(b, loc, rest.getResults());
}

void Overlap::rewrite() {
  LoopBuilder b(blocks);
  Location loc = b.getLoc();
  IRMapping outside;
  Value streams = recompute(
      b, finish.getCondition(),
      [&](Value value) { return isGiven(value, /*alsoBlock=*/false); }, outside);
  auto branch = scf::IfOp::create(b, loc, streams, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  SmallVector<Value> inits;
  for (Value value : carried)
    inits.push_back(arith::ConstantOp::create(b, loc, b.getZeroAttr(value.getType())));
  Value begin = blocks.getLowerBound(), end = blocks.getUpperBound();
  auto loop = scf::ForOp::create(b, loc, begin, end, blocks.getStep(), inits);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    IRMapping mapping;
    mapping.map(blocks.getInductionVar(), loop.getInductionVar());
    for (Operation &op : blocks.getBody()->without_terminator()) {
      if (&op == finish)
        break;
      if (&op != compute) {
        b.clone(op, mapping);
        continue;
      }
      Value block = loop.getInductionVar();
      Value isLater = b.compare(arith::CmpIPredicate::ne, block, begin);
      auto choice = scf::IfOp::create(b, loc, compute.getResultTypes(), isLater,
                                      /*withElseRegion=*/true);
      mapping.map(compute.getResults(), choice.getResults());
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(choice.thenBlock());
      IRMapping previous;
      mapFinish(b, previous, b.sub(block, b.index(1)), loop.getRegionIterArgs());
      emitBeside(b, mapping, previous);
      b.setInsertionPointToStart(choice.elseBlock());
      IRMapping alone = mapping;
      Operation *copy = b.clone(*compute, alone);
      if (compute.getNumResults() != 0)
        scf::YieldOp::create(b, loc, copy->getResults());
    }
    b.setInsertionPointToEnd(loop.getBody());
    if (!carried.empty())
      scf::YieldOp::create(b, loc, lookup(mapping, carried));
  }
  auto last = scf::IfOp::create(b, loc, b.compare(arith::CmpIPredicate::slt, begin, end));
  b.setInsertionPointToStart(last.thenBlock());
  IRMapping mapping;
  mapFinish(b, mapping, b.sub(end, b.index(1)), loop.getResults());
  for (Operation &op : finish.thenBlock()->without_terminator())
    b.clone(op, mapping);

  // What is not streamed stays as it was.
  blocks->moveBefore(branch.elseBlock()->getTerminator());
  finish->getBlock()->getOperations().splice(
      finish->getIterator(), finish.elseBlock()->getOperations(),
      finish.elseBlock()->begin(), std::prev(finish.elseBlock()->end()));
  finish.erase();
}

namespace {
struct OverlapBlocks : tilewright::cpu::impl::OverlapBlocksBase<OverlapBlocks> {
  void runOnOperation() override {
    SmallVector<Overlap> found;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        for (auto loop : function.front().getOps<scf::ForOp>())
          if (std::optional<OverlapParts> parts = OverlapParts::find(loop))
            found.push_back({std::move(*parts)});
    for (Overlap &overlap : found)
      overlap.rewrite();
  }
};
} // namespace
