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
// simt.get is one for shared memory. Where accesses to global memory alone meet, and the
// earlier ones are all in front of a barrier that is there already, that one orders them:
//
//   tile.parallel {... tile.store %x, memref.store %s}
//   simt.barrier global            for %s; global for the sake of %x
//   memref.load %s
//   tile.load %x                   no barrier of its own
//
// In a loop, what is open at the end of the body is open at its start too; the body is
// gone through again until that adds nothing, and barriers that were put stay. What meets
// only accesses from in front of the loop gets its barrier there, and not in each
// iteration.
//
// What the first thread alone uses it loads alone, and the only iteration of a nest is
// its own, so that these come in its own order.
//
// Accesses of single elements whose indices are shown to be different do not meet, as
// those of two iterations of %k, whoever makes them:
//
//   scf.for %k = 0 to %n step 8 {
//     tile.parallel (%i) in (8) {tile.store %f, %x[%k + %i]}
//   }
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/OpenAccesses.h"
#include "compiler/simt/Passes.h"
#include "compiler/simt/Unlowered.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_INSERTBARRIERS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

using Open = OpenAccesses;

namespace {
struct InsertBarriersPass
    : tilewright::simt::impl::InsertBarriersBase<InsertBarriersPass> {
  using InsertBarriersBase::InsertBarriersBase;
  void runOnOperation() override;

private:
  /// What to do where accesses meet: put a barrier there, or only say that they do.
  enum class Mode { Put, Ask };

  bool visitBlock(Block &block, Open &open, Mode mode);
  bool visit(Operation &op, Open &open, Mode mode);
  bool visitRegions(Operation *op, Open &open, Mode mode);
  bool visitLoop(LoopLikeOpInterface loop, Open &open, Mode mode);
  bool visitLoopBody(LoopLikeOpInterface loop, Open open, Mode mode, Open &behind);
  BarrierOp findBarrier(Operation *op, Open &since);
  void putBarrier(Operation *op, Open &open);

  std::optional<IndexBounds> bounds;
};
} // namespace

/// Lets the first thread alone load what it alone uses, so that it meets no other one.
static void loadOnce(OnceOp once) {
  SmallVector<Operation *> loads;
  for (Operation *op = once->getPrevNode(); op; op = op->getPrevNode()) {
    if (isa<memref::LoadOp, LoadOp>(op)) {
      if (llvm::all_of(op->getUsers(), [&](Operation *user) {
            return once->isProperAncestor(user) || llvm::is_contained(loads, user);
          }))
        loads.push_back(op);
    } else if (!isMemoryEffectFree(op)) {
      break;
    }
  }
  for (Operation *load : loads)
    load->moveBefore(&once.getBody().front(), once.getBody().front().begin());
}

/// Branches start from what is open in front of them, and all that they leave open is
/// open behind. Says whether accesses meet, which in Mode::Put have their barriers then.
bool InsertBarriersPass::visitRegions(Operation *op, Open &open, Mode mode) {
  if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
    return visitLoop(loop, open, mode);
  const Open before = open;
  bool meets = false;
  for (Region &region : op->getRegions()) {
    Open inside = before;
    for (Block &block : region)
      meets |= visitBlock(block, inside, mode);
    for (const MemoryAccess &access : inside)
      add(open, access);
  }
  return meets;
}

/// What is open in front of a loop is so behind it, too, unless it surely has iterations.
bool InsertBarriersPass::visitLoop(LoopLikeOpInterface loop, Open &open, Mode mode) {
  Open behind;
  bool meets = false;
  if (mode == Mode::Put) {
    // First what meets within the loop, then what is in front of it.
    meets = visitLoopBody(loop, {}, mode, behind);
    if (visitLoopBody(loop, open, Mode::Ask, behind)) {
      putBarrier(loop, open);
      meets = true;
    }
  }
  meets |= visitLoopBody(loop, open, Mode::Ask, behind);
  auto counted = dyn_cast<scf::ForOp>(loop.getOperation());
  if (counted &&
      bounds->isBelow(counted.getLowerBound(), counted.getUpperBound(), counted))
    open.clear();
  for (const MemoryAccess &access : behind)
    add(open, access);
  return meets;
}

/// Goes through the body of a loop, which may follow itself, until that adds nothing to
/// what is open at its start: at first `open`. `behind` is then what is open at its end.
bool InsertBarriersPass::visitLoopBody(LoopLikeOpInterface loop, Open open, Mode mode,
                                       Open &behind) {
  bool meets = false;
  size_t known;
  do {
    known = open.size();
    behind.clear();
    for (Region &region : loop->getRegions()) {
      // The regions of a while loop follow each other in turns.
      Open inside = open;
      for (Block &block : region)
        meets |= visitBlock(block, inside, mode);
      for (MemoryAccess access : inside) {
        if (access.element && loop->isAncestor(access.element))
          access.repeated = loop;
        add(behind, access);
      }
    }
    for (const MemoryAccess &access : behind)
      add(open, access);
  } while (open.size() != known);
  return meets;
}

/// The barrier in front of `op` in its block, or null; `since` becomes what is open
/// since.
BarrierOp InsertBarriersPass::findBarrier(Operation *op, Open &since) {
  Operation *before = op->getPrevNode();
  while (before && !isa<BarrierOp>(before))
    before = before->getPrevNode();
  if (!before)
    return nullptr;
  for (Operation *next = before->getNextNode(); next != op; next = next->getNextNode())
    visit(*next, since, Mode::Ask);
  return cast<BarrierOp>(before);
}

/// Puts a barrier in front of `op`, which meets something `open`, or lets the one before
/// it order global memory, where that does.
void InsertBarriersPass::putBarrier(Operation *op, Open &open) {
  auto meets = [&](Open open) { return visit(*op, open, Mode::Ask); };
  Open since;
  BarrierOp before = findBarrier(op, since);
  if (before && !meets(since)) {
    before.setIsGlobal(true);
    open = since;
    return;
  }
  Open global = open;
  llvm::erase_if(global, [](const MemoryAccess &access) { return !access.isGlobal(); });
  const bool isGlobal = meets(global);
  OpBuilder builder(op);
  BarrierOp::create(builder, op->getLoc(), isGlobal);
  order(open, isGlobal);
  ++numBarriers;
}

bool InsertBarriersPass::visitBlock(Block &block, Open &open, Mode mode) {
  bool meets = false;
  for (Operation &op : llvm::make_early_inc_range(block))
    meets |= visit(op, open, mode);
  return meets;
}

bool InsertBarriersPass::visit(Operation &op, Open &open, Mode mode) {
  auto barrier = dyn_cast<BarrierOp>(op);
  if (barrier || isa<GetOp>(op)) {
    order(open, barrier && barrier.getIsGlobal());
    return false;
  }
  if (op.getNumRegions() > 0 && !isa<ParallelOp, OnceOp, WarpReduceOp, PutOp>(op))
    return visitRegions(&op, open, mode);
  const Open accesses = collectAccesses(&op);
  const bool meets = llvm::any_of(accesses, [&](const MemoryAccess &later) {
    return llvm::any_of(open, [&](const MemoryAccess &earlier) {
      return conflict(*bounds, earlier, later);
    });
  });
  if (meets && mode == Mode::Put)
    putBarrier(&op, open);
  for (const MemoryAccess &access : accesses)
    add(open, access);
  return meets;
}

void InsertBarriersPass::runOnOperation() {
  if (failed(refuseUnlowered(getOperation(), target)))
    return signalPassFailure();
  getOperation().walk(loadOnce);
  bounds.emplace(getOperation());
  getOperation().walk([&](KernelOp kernel) {
    Open open;
    visitBlock(kernel.getBody().front(), open, Mode::Put);
  });
  bounds.reset();
}
