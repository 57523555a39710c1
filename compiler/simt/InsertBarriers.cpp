//===- InsertBarriers.cpp - Barriers between accesses that must not meet ------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A small example. Accesses since the last barrier stand at the right:
//
//   tile.parallel {... store %s}       write %s, by all threads
//   memref.load %s                     read %s: all threads wrote it, so a barrier first
//   simt.once {memref.store %s}        write %s: all threads read it, so another
//
// A barrier orders shared memory, and global memory only where accesses to that meet;
// simt.get is one for shared memory.
//
// In a loop, what is open at the end of the body is open at its start too; the body is
// gone through again until that adds nothing, and barriers that were put stay.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/Passes.h"
#include "compiler/simt/Unlowered.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_INSERTBARRIERS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
/// Which threads make an access: each to elements of its own, all to the same ones, or
/// the first one alone.
enum class Agents { Each, All, First };

struct MemoryAccess {
  Value base;
  bool isWrite;
  Agents agents;

  bool isGlobal() const { return getSpace(base) == Space::Global; }
  bool operator==(const MemoryAccess &other) const {
    return base == other.base && isWrite == other.isWrite && agents == other.agents;
  }
};

/// Accesses since the last barrier.
using Open = SmallVector<MemoryAccess, 8>;

struct InsertBarriersPass
    : tilewright::simt::impl::InsertBarriersBase<InsertBarriersPass> {
  using InsertBarriersBase::InsertBarriersBase;
  void runOnOperation() override;

private:
  void visitBlock(Block &block, Open &open);
  void visitRegions(Operation *op, Open &open);
};
} // namespace

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

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

static bool isChannelBuffer(Value base) {
  return llvm::any_of(base.getUsers(), llvm::IsaPred<ChannelOp>);
}

static bool conflict(const MemoryAccess &earlier, const MemoryAccess &later) {
  if (!earlier.isWrite && !later.isWrite)
    return false;
  if (earlier.agents == Agents::First && later.agents == Agents::First)
    return false;
  // A channel orders what is done with its own stages.
  if (earlier.base == later.base && isChannelBuffer(earlier.base))
    return false;
  return mayMeet(earlier.base, later.base);
}

static void add(Open &open, const MemoryAccess &access) {
  if (!llvm::is_contained(open, access))
    open.push_back(access);
}

/// Closes the accesses that a barrier orders.
static void order(Open &open, bool isGlobal) {
  llvm::erase_if(
      open, [&](const MemoryAccess &access) { return isGlobal || !access.isGlobal(); });
}

/// The accesses of `op` and of what it holds, to memory that threads share.
static void collect(Operation *op, Agents agents, Open &accesses) {
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
        add(accesses, {base, isWrite, agents});
    }
  });
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Branches start from what is open in front of them, and all that they leave open is
/// open behind; a loop's body may follow itself.
void InsertBarriersPass::visitRegions(Operation *op, Open &open) {
  bool isLoop = isa<LoopLikeOpInterface>(op);
  Open before = open;
  size_t known;
  do {
    known = open.size();
    for (Region &region : op->getRegions()) {
      // The regions of a while loop follow each other in turns.
      Open inside = isLoop ? open : before;
      for (Block &block : region)
        visitBlock(block, inside);
      for (const MemoryAccess &access : inside)
        add(open, access);
    }
  } while (isLoop && open.size() != known);
}

void InsertBarriersPass::visitBlock(Block &block, Open &open) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto barrier = dyn_cast<BarrierOp>(op);
    if (barrier || isa<GetOp>(op)) {
      order(open, barrier && barrier.getIsGlobal());
      continue;
    }
    if (op.getNumRegions() > 0 && !isa<ParallelOp, OnceOp, WarpReduceOp>(op)) {
      visitRegions(&op, open);
      continue;
    }
    Agents agents = isa<ParallelOp, GemmOp, WarpReduceOp>(op) ? Agents::Each
                    : isa<OnceOp>(op)                         ? Agents::First
                                                              : Agents::All;
    Open accesses;
    collect(&op, agents, accesses);
    bool meets = false, meetsGlobally = false;
    for (const MemoryAccess &later : accesses)
      for (const MemoryAccess &earlier : open)
        if (conflict(earlier, later)) {
          meets = true;
          meetsGlobally |= later.isGlobal();
        }
    if (meets) {
      OpBuilder builder(&op);
      BarrierOp::create(builder, op.getLoc(), meetsGlobally);
      ++numBarriers;
      order(open, meetsGlobally);
    }
    for (const MemoryAccess &access : accesses)
      add(open, access);
  }
}

void InsertBarriersPass::runOnOperation() {
  if (failed(refuseUnlowered(getOperation(), target)))
    return signalPassFailure();
  getOperation().walk([&](KernelOp kernel) {
    Open open;
    visitBlock(kernel.getBody().front(), open);
  });
}
