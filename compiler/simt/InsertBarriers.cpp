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

#include "compiler/analysis/IndexBounds.h"
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
  /// The load or store of one element, and the outermost loop that was repeated since;
  /// null where there is none.
  Operation *element = nullptr;
  Operation *repeated = nullptr;
  PutOp put = nullptr; // of an item that is put into a channel

  bool isGlobal() const { return getSpace(base) == Space::Global; }
  bool operator==(const MemoryAccess &other) const {
    return base == other.base && isWrite == other.isWrite && agents == other.agents &&
           element == other.element && repeated == other.repeated && put == other.put;
  }
};

/// Accesses since the last barrier.
using Open = SmallVector<MemoryAccess, 8>;

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
  bool conflict(const MemoryAccess &earlier, const MemoryAccess &later);

  std::optional<IndexBounds> bounds;
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

bool InsertBarriersPass::conflict(const MemoryAccess &earlier,
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
  return mayMeet(earlier.base, later.base) && !areApart(*bounds, earlier, later);
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
        add(accesses, {base, isWrite, agents, getElement(inner) ? inner : nullptr,
                       /*repeated=*/nullptr, dyn_cast<PutOp>(op)});
    }
  });
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

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

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
  Open accesses;
  collect(&op, getAgents(&op), accesses);
  const bool meets = llvm::any_of(accesses, [&](const MemoryAccess &later) {
    return llvm::any_of(
        open, [&](const MemoryAccess &earlier) { return conflict(earlier, later); });
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
