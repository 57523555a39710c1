//===- OpenAccesses.cpp - Accesses since the last barrier ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/OpenAccesses.h"

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

/// The bytes of the arena that a tile was given; nothing for other memory.
static std::optional<std::pair<int64_t, int64_t>> getPlace(Value base) {
  auto alloc = base.getDefiningOp<AllocOp>();
  if (!alloc || !alloc.getOffset())
    return std::nullopt;
  auto type = cast<MemRefType>(base.getType());
  int64_t bytes = type.getNumElements() *
                  llvm::divideCeil(type.getElementType().getIntOrFloatBitWidth(), 8);
  int64_t begin = *alloc.getOffset();
  return std::pair(begin, begin + bytes);
}

static bool mayMeet(Value a, Value b) {
  auto first = getPlace(a), second = getPlace(b);
  if (first && second)
    return first->first < second->second && second->first < first->second;
  return mayOverlap(a, b);
}

/// Whether an item is put in front of the loop that takes it out: its number is known.
static bool isInFront(PutOp put) {
  return getConstantIntValue(put.getNumber()).has_value();
}

static bool isChannelBuffer(Value base) {
  return llvm::any_of(base.getUsers(), llvm::IsaPred<ChannelOp>);
}

/// The memref and the indices of an operation that accesses one element.
static std::optional<std::pair<Value, ValueRange>> getElement(Operation *op) {
  using Element = std::pair<Value, ValueRange>;
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return Element(load.getMemRef(), load.getIndices());
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return Element(store.getMemRef(), store.getIndices());
  if (auto load = dyn_cast<LoadOp>(op))
    return Element(load.getMemref(), load.getIndices());
  if (auto store = dyn_cast<StoreOp>(op))
    return Element(store.getMemref(), store.getIndices());
  return std::nullopt;
}

/// Whether `value` is the same for two accesses: it is made in front of both, and outside
/// of the loop that was repeated between them, or loaded in it from what it leaves alone.
static bool isCommon(Value value, const MemoryAccess &earlier, Operation *later) {
  Region *home = value.getParentRegion();
  Operation *repeated = earlier.repeated;
  if (!repeated || !repeated->isAncestor(home->getParentOp()))
    return home->isAncestor(earlier.element->getParentRegion()) &&
           home->isAncestor(later->getParentRegion());
  auto load = value.getDefiningOp<memref::LoadOp>();
  auto isCommonHere = [&](Value operand) { return isCommon(operand, earlier, later); };
  return load && llvm::all_of(load->getOperands(), isCommonHere) &&
         !mayWrite(repeated, load.getMemRef());
}

/// Whether the numbers that `to` and `from` stand for are shown to be different, of
/// accesses `later` and `earlier`.
static bool areDifferent(IndexBounds &bounds, const LinearForm &from,
                         const LinearForm &to, const MemoryAccess &earlier,
                         Operation *later) {
  // The difference lies between these, `steps` times a positive number added.
  int64_t low, high, steps = 0;
  if (llvm::SubOverflow(to.constant, from.constant, low))
    return false;
  high = low;
  auto addRange = [&](int64_t factor, int64_t extent) {
    int64_t reach;
    return !llvm::MulOverflow(factor, extent - 1, reach) &&
           !llvm::AddOverflow(factor < 0 ? low : high, reach, factor < 0 ? low : high);
  };
  auto addTerm = [&](unsigned atom, int64_t factor, int64_t other) {
    Value value = bounds.valueOf(atom);
    auto arg = dyn_cast_or_null<BlockArgument>(value);
    Operation *parent = arg ? arg.getOwner()->getParentOp() : nullptr;
    // Each access has an iteration of its own.
    if (auto parallel = dyn_cast_or_null<ParallelOp>(parent)) {
      int64_t extent = parallel.getExtents()[arg.getArgNumber()];
      return other != INT64_MIN && addRange(factor, extent) && addRange(-other, extent);
    }
    if (!value || isCommon(value, earlier, later))
      return factor == other;
    auto loop = dyn_cast_or_null<scf::ForOp>(parent);
    if (!loop || parent != earlier.repeated || arg != loop.getInductionVar() ||
        factor != other)
      return false;
    steps = factor; // the iteration is a later one
    return true;
  };
  for (auto [atom, factor] : to.terms)
    if (!addTerm(atom, factor, from.factorOf(atom)))
      return false;
  for (auto [atom, factor] : from.terms)
    if (to.factorOf(atom) == 0 && !addTerm(atom, 0, factor))
      return false;
  int64_t least, most;
  if (llvm::AddOverflow(low, steps, least) || llvm::AddOverflow(high, steps, most))
    return false;
  return (steps >= 0 && least > 0) || (steps <= 0 && most < 0);
}

/// Whether the elements that two accesses name are shown to be different ones of the same
/// memory.
static bool areApart(IndexBounds &bounds, const MemoryAccess &earlier,
                     const MemoryAccess &later) {
  if (!earlier.element || !later.element)
    return false;
  auto [memref, indices] = *getElement(earlier.element);
  auto [other, otherIndices] = *getElement(later.element);
  // Views and stages may be of other places each time.
  if (memref != other || memref != later.base ||
      !isCommon(memref, earlier, later.element))
    return false;
  for (auto [from, to] : llvm::zip_equal(indices, otherIndices))
    if (areDifferent(bounds, bounds.form(from), bounds.form(to), earlier, later.element))
      return true;
  return false;
}

bool tilewright::simt::conflict(IndexBounds &bounds, const MemoryAccess &earlier,
                                const MemoryAccess &later) {
  if (!earlier.isWrite && !later.isWrite)
    return false;
  if (earlier.agents == Agents::First && later.agents == Agents::First)
    return false;
  // A channel orders its items: what is put, and all that is done with it until its
  // release. Those that are put in front of a loop fill stages that the loop may have
  // left when it ran before.
  if (earlier.base == later.base && isChannelBuffer(earlier.base) &&
      (earlier.put || (later.put && !isInFront(later.put))))
    return false;
  return mayMeet(earlier.base, later.base) && !areApart(bounds, earlier, later);
}

void tilewright::simt::add(OpenAccesses &open, const MemoryAccess &access) {
  if (!llvm::is_contained(open, access))
    open.push_back(access);
}

void tilewright::simt::order(OpenAccesses &open, bool isGlobal) {
  llvm::erase_if(
      open, [&](const MemoryAccess &access) { return isGlobal || !access.isGlobal(); });
}

static Agents getAgents(Operation *op) {
  if (isa<OnceOp>(op))
    return Agents::First;
  // `distribute` gives a nest's only iteration to the first thread, if none has its
  // element.
  if (auto parallel = dyn_cast<ParallelOp>(op);
      parallel && !op->hasAttr(dealtAttrName) &&
      llvm::all_of(parallel.getExtents(), [](int64_t extent) { return extent == 1; }))
    return Agents::First;
  return isa<ParallelOp, GemmOp, WarpReduceOp, PutOp>(op) ? Agents::Each : Agents::All;
}

OpenAccesses tilewright::simt::collectAccesses(Operation *op) {
  OpenAccesses accesses;
  const Agents agents = getAgents(op);
  op->walk([&](Operation *inner) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(inner);
    if (!effects)
      return;
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &effect : instances) {
      bool isWrite = isa<MemoryEffects::Write>(effect.getEffect());
      Value memory = effect.getValue();
      if (!memory || !isa<MemRefType>(memory.getType()) ||
          (!isWrite && !isa<MemoryEffects::Read>(effect.getEffect())))
        continue;
      Value base = getBaseMemory(memory);
      if (getSpace(base) != Space::Local)
        add(accesses, {base, isWrite, agents, getElement(inner) ? inner : nullptr,
                       /*repeated=*/nullptr, dyn_cast<PutOp>(op)});
    }
  });
  return accesses;
}
