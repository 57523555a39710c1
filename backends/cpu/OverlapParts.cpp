//===- OverlapParts.cpp - Blocks that can end beside the next one -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The end of block b moves behind the first part of block b + 1 and beside its longest
// loop. That part and that loop may write nothing that the end reads, but for the tile
// from which it streams: of this the loop writes elements that the end has read before.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/OverlapParts.h"

#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Recompute.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

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
      isUnknown |= effect.getValue() && !isa<MemRefType>(effect.getValue().getType());
      if (Value memory = effect.getValue())
        (isWrite ? writes : reads).push_back({op, memory});
    }
  });
}

/// Where in the arena a tile lies; nothing for what is elsewhere, and for views.
static std::optional<std::pair<int64_t, int64_t>> getArenaRange(Value memory) {
  auto tile = memory.getDefiningOp<FromPointerOp>();
  auto type = dyn_cast<MemRefType>(memory.getType());
  if (!tile || !type || !type.hasStaticShape() || !isa<BlockArgument>(tile.getPointer()))
    return std::nullopt;
  int64_t begin = tile.getOffset();
  return std::pair(begin,
                   begin + type.getNumElements() * type.getElementTypeBitWidth() / 8);
}

/// Whether two memrefs of a kernel may share bytes. Parameters may (a signature, which
/// is not at hand here, declares it), but not with tiles or variables.
static bool mayShare(Value a, Value b) {
  a = getBaseMemory(a);
  b = getBaseMemory(b);
  auto one = getArenaRange(a), other = getArenaRange(b);
  if (one && other)
    return one->first < other->second && other->first < one->second;
  bool isOwn = one || other || a.getDefiningOp<memref::AllocaOp>() ||
               b.getDefiningOp<memref::AllocaOp>();
  return a == b || !isOwn;
}

static bool isTileOrVariable(Value memory) {
  memory = getBaseMemory(memory);
  return getArenaRange(memory) || memory.getDefiningOp<memref::AllocaOp>();
}

//===----------------------------------------------------------------------===//
// What can overlap
//===----------------------------------------------------------------------===//

int64_t tilewright::cpu::stepOf(scf::ForOp loop) {
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

bool OverlapParts::findParts() {
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

bool OverlapParts::isGiven(Value value, bool alsoBlock) {
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
      !getArenaRange(read.getBase()) ||
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

bool OverlapParts::isSafe() {
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
  for (const Touched::Access &write : end.writes) {
    if (isTileOrVariable(write.memory))
      return false;
    for (const Touched::Access &read : rest.reads)
      if (getBaseMemory(read.memory) == getBaseMemory(write.memory))
        return false;
  }
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

bool OverlapParts::findCarried() {
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

std::optional<OverlapParts> OverlapParts::find(scf::ForOp blocks) {
  int64_t operations = 0;
  blocks->walk([&](Operation *) { ++operations; });
  OverlapParts found = {blocks, {}, {}, {}, {}};
  if (operations > mostOperations || !found.findParts() || !found.isSafe() ||
      !found.findCarried())
    return std::nullopt;
  return found;
}
