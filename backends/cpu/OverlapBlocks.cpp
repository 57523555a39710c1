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
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Recompute.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_OVERLAPBLOCKS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// A body of more operations is not made twice.
static constexpr int64_t mostOperations = 1000;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

namespace {
/// The memory that operations read and write, with those that do.
struct Touched {
  struct Access {
    Operation *op;
    Value memory;
  };
  SmallVector<Access> reads, writes;
  bool isUnknown = false;

  void add(Operation *op);
};
} // namespace

void Touched::add(Operation *scope) {
  scope->walk([&](Operation *op) {
    if (isa<memref::PrefetchOp>(op) || op->hasTrait<OpTrait::IsTerminator>())
      return;
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects) {
      isUnknown |= !op->hasTrait<OpTrait::HasRecursiveMemoryEffects>();
      return;
    }
    SmallVector<MemoryEffects::EffectInstance> found;
    effects.getEffects(found);
    for (const MemoryEffects::EffectInstance &effect : found) {
      bool isWrite = isa<MemoryEffects::Write>(effect.getEffect());
      isUnknown |= !effect.getValue() ||
                   (!isWrite && !isa<MemoryEffects::Read>(effect.getEffect()));
      if (Value memory = effect.getValue())
        (isWrite ? writes : reads).push_back({op, memory});
    }
  });
}

/// Where in the arena a tile lies; nothing for what is elsewhere.
static std::optional<std::pair<int64_t, int64_t>> getArenaRange(Value memory) {
  auto tile = memory.getDefiningOp<FromPointerOp>();
  auto type = cast<MemRefType>(memory.getType());
  if (!tile || !type.hasStaticShape())
    return std::nullopt;
  int64_t begin = tile.getOffset();
  return std::pair(begin,
                   begin + type.getNumElements() * type.getElementTypeBitWidth() / 8);
}

/// Whether two memrefs of a kernel may share bytes. Parameters may (a signature, which
/// is not at hand here, declares it), but not with tiles or variables.
static bool mayShare(Value a, Value b) {
  auto one = getArenaRange(a), other = getArenaRange(b);
  if (one && other)
    return one->first < other->second && other->first < one->second;
  bool isOwn = one || other || a.getDefiningOp<memref::AllocaOp>() ||
               b.getDefiningOp<memref::AllocaOp>();
  return a == b || !isOwn;
}

static bool isTileOrVariable(Value memory) {
  return getArenaRange(memory) || memory.getDefiningOp<memref::AllocaOp>();
}

//===----------------------------------------------------------------------===//
// What can overlap
//===----------------------------------------------------------------------===//

namespace {
/// The parts of one loop over blocks.
struct Overlap {
  scf::ForOp blocks;
  scf::IfOp finish;   ///< the end of a block; streams where its condition holds
  scf::ForOp stream;  ///< the last loop there
  scf::ForOp compute; ///< the loop of the next block that it runs beside
  /// What `finish` needs of its block and cannot be computed anew.
  SmallVector<Value> carried;

  static std::optional<Overlap> find(scf::ForOp blocks);
  void rewrite();

private:
  bool findParts();
  bool isSafe();
  bool findCarried();
  bool isGiven(Value value, bool alsoBlock);
  void mapFinish(OpBuilder &b, IRMapping &mapping, Value block, ValueRange carriedValues);
  void emitBeside(LoopBuilder &b, IRMapping &mapping, IRMapping &previous);
};
} // namespace

static int64_t stepOf(scf::ForOp loop) {
  return getConstantIntValue(loop.getStep()).value_or(0);
}

/// The end of a loop from 0 on, in steps of a power of two that divide it; else 0.
static int64_t countedTo(scf::ForOp loop) {
  auto end = getConstantIntValue(loop.getUpperBound());
  int64_t step = stepOf(loop);
  bool counts = getConstantIntValue(loop.getLowerBound()) == 0 && end && *end > 0 &&
                step > 0 && llvm::isPowerOf2_64(step) && *end % step == 0;
  return counts ? *end : 0;
}

static bool storesPastCaches(scf::ForOp loop) {
  return llvm::any_of(loop.getBody()->getOps<vector::StoreOp>(),
                      [](vector::StoreOp store) { return store.getNontemporal(); });
}

/// Whether a loop computes for longer than memory takes. Others wait for memory
/// themselves, and prefetches serve them better.
static bool isSlow(scf::ForOp loop) {
  return llvm::any_of(*loop.getBody(), [](Operation &op) {
    return isa_and_nonnull<math::MathDialect>(op.getDialect());
  });
}

bool Overlap::findParts() {
  Block &body = *blocks.getBody();
  if (getConstantIntValue(blocks.getStep()) != 1 || blocks.getNumResults() != 0 ||
      body.getOperations().size() < 3)
    return false;
  finish = dyn_cast<scf::IfOp>(*std::next(body.rbegin()));
  if (!finish || finish.getNumResults() != 0 || !finish.elseBlock() ||
      !canRecompute(finish.getCondition(),
                    [&](Value value) { return isGiven(value, /*alsoBlock=*/false); }))
    return false;
  Block &then = *finish.thenBlock();
  stream = then.getOperations().size() < 2
               ? scf::ForOp()
               : dyn_cast<scf::ForOp>(*std::next(then.rbegin()));
  if (!stream || !storesPastCaches(stream) || stream.getNumResults() != 0)
    return false;
  // The form that is not streamed tells how far the loop goes.
  int64_t end = 0;
  for (auto loop : finish.elseBlock()->getOps<scf::ForOp>())
    if (stepOf(loop) == stepOf(stream))
      end = countedTo(loop);
  size_t most = 0;
  for (auto loop : body.getOps<scf::ForOp>()) {
    size_t size = 0;
    loop.getBody()->walk([&](Operation *) { ++size; });
    bool isLonger = !compute || size * stepOf(compute) > most * stepOf(loop);
    if (end != 0 && countedTo(loop) == end && end % stepOf(stream) == 0 && isLonger &&
        isSlow(loop)) {
      compute = loop;
      most = size;
    }
  }
  return compute != nullptr;
}

bool Overlap::isGiven(Value value, bool alsoBlock) {
  return (alsoBlock && value == blocks.getInductionVar()) ||
         blocks.isDefinedOutsideOfLoop(value);
}

/// The constant that is added to the variable of `loop`; nothing for another index.
static std::optional<int64_t> getOffset(Value index, scf::ForOp loop) {
  if (index == loop.getInductionVar())
    return 0;
  auto sum = index.getDefiningOp<arith::AddIOp>();
  if (!sum || sum.getLhs() != loop.getInductionVar())
    return std::nullopt;
  return getConstantIntValue(sum.getRhs());
}

/// Whether `load` in the last loop reads elements of the tile that `store` in the other
/// one writes, at the same places or further on.
static bool readsAhead(Operation *load, scf::ForOp stream, Operation *store,
                       scf::ForOp compute) {
  auto read = dyn_cast<vector::LoadOp>(load);
  auto write = dyn_cast<vector::StoreOp>(store);
  if (!read || !write || read->getParentOp() != stream ||
      write->getParentOp() != compute ||
      read.getBase().getType() != write.getBase().getType() ||
      getArenaRange(read.getBase()) != getArenaRange(write.getBase()) ||
      read.getIndices().empty())
    return false;
  for (auto [a, b] :
       llvm::zip_equal(read.getIndices().drop_back(), write.getIndices().drop_back())) {
    auto constant = getConstantIntValue(a);
    if (!constant || constant != getConstantIntValue(b))
      return false;
  }
  auto from = getOffset(read.getIndices().back(), stream);
  auto to = getOffset(write.getIndices().back(), compute);
  return from && to && *from >= 0 && *to >= 0 &&
         *to + write.getVectorType().getNumElements() <= stepOf(compute);
}

bool Overlap::isSafe() {
  Touched end, rest;
  end.add(finish);
  // What the end of a block then comes behind.
  for (Operation &op : *blocks.getBody()) {
    rest.add(&op);
    if (&op == compute)
      break;
  }
  if (end.isUnknown || rest.isUnknown)
    return false;
  // That nothing reads what is streamed, StreamStores has seen to.
  for (const Touched::Access &read : rest.reads)
    for (const Touched::Access &write : end.writes)
      if (read.memory == write.memory || isTileOrVariable(write.memory))
        return false;
  for (const Touched::Access &write : rest.writes) {
    if (!isTileOrVariable(write.memory))
      return false;
    for (const Touched::Access &read : end.reads) {
      // The other form, and the ends of rows, run before the loop or not at all.
      bool isBeside = stream->isProperAncestor(read.op) && compute->isAncestor(write.op);
      bool isBefore = !stream->isProperAncestor(read.op) && compute->isAncestor(write.op);
      if (mayShare(write.memory, read.memory) && !isBefore &&
          !(isBeside && readsAhead(read.op, stream, write.op, compute)))
        return false;
    }
  }
  return true;
}

bool Overlap::findCarried() {
  bool canCarry = true;
  auto given = [&](Value value) { return isGiven(value, /*alsoBlock=*/true); };
  finish.getThenRegion().walk([&](Operation *op) {
    for (Value operand : op->getOperands()) {
      if (finish.getThenRegion().isAncestor(operand.getParentRegion()) ||
          canRecompute(operand, given) || llvm::is_contained(carried, operand))
        continue;
      carried.push_back(operand);
      Type type = operand.getType();
      canCarry &= isa<VectorType>(type) || type.isIntOrIndexOrFloat();
    }
  });
  return canCarry;
}

std::optional<Overlap> Overlap::find(scf::ForOp blocks) {
  int64_t operations = 0;
  blocks->walk([&](Operation *) { ++operations; });
  Overlap found = {blocks, {}, {}, {}, {}};
  if (operations > mostOperations || !found.findParts() || !found.isSafe() ||
      !found.findCarried())
    return std::nullopt;
  return found;
}

//===----------------------------------------------------------------------===//
// The other form
//===----------------------------------------------------------------------===//

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
          if (std::optional<Overlap> overlap = Overlap::find(loop))
            found.push_back(std::move(*overlap));
    for (Overlap &overlap : found)
      overlap.rewrite();
  }
};
} // namespace
