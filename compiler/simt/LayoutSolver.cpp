//===- LayoutSolver.cpp - How fragments are dealt out -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/LayoutSolver.h"

#include "compiler/analysis/Memory.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/GemmLayout.h"
#include "compiler/simt/HoldOperands.h"
#include "compiler/transforms/ExpandBuilder.h"
#include "compiler/transforms/ExpandTiles.h"
#include "dialects/simt/Simt.h"

#include "llvm/ADT/EquivalenceClasses.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

LayoutSolver::LayoutSolver(KernelOp kernel, int64_t lanes, int64_t heldBytes)
    : kernel(kernel), lanes(lanes), heldBytes(heldBytes) {
  int64_t threads = kernel.getThreads().value_or(defaultThreads);
  hasWarps = threads % lanes == 0;
  warps = threads / lanes;
}

//===----------------------------------------------------------------------===//
// Which fragments can be dealt out
//===----------------------------------------------------------------------===//

static AllocOp getAlloc(Value memref) { return memref.getDefiningOp<AllocOp>(); }

static bool isAccumulatorOf(Operation *user, AllocOp alloc) {
  auto gemm = dyn_cast<GemmOp>(user);
  return gemm && gemm.getAtom() && gemm.getC() == alloc.getResult() &&
         gemm.getA() != gemm.getC() && gemm.getB() != gemm.getC();
}

/// What `alloc` is for a product that was given an instruction, beside its accumulator.
static std::optional<AtomRole> getOperandRole(Operation *user, AllocOp alloc) {
  auto gemm = dyn_cast<GemmOp>(user);
  bool isA = gemm && gemm.getA() == alloc.getResult();
  bool isB = gemm && gemm.getB() == alloc.getResult();
  if (!gemm || !gemm.getAtom() || gemm.getC() == alloc.getResult() || isA == isB)
    return std::nullopt;
  return isA ? AtomRole::A : AtomRole::B;
}

/// Whether lanes can make the result: positions would need two words of each.
static bool canReduce(ReduceOp reduce) {
  return reduce.getCombiner() != Combiner::ArgMax &&
         reduce.getCombiner() != Combiner::ArgMin && reduce.getSrc() != reduce.getDst();
}

bool LayoutSolver::canBeDealt(AllocOp alloc) const {
  if (getSpace(alloc.getResult()) != Space::Fragment)
    return false;
  ArrayRef<int64_t> shape = cast<MemRefType>(alloc.getResult().getType()).getShape();
  return llvm::all_of(alloc->getUsers(), [&](Operation *user) {
    if (auto reduce = dyn_cast<ReduceOp>(user))
      return hasWarps && canReduce(reduce);
    if (auto access = getTileAccess(user)) {
      auto nest = user->getParentOfType<ParallelOp>();
      if (!nest || nest->isAncestor(alloc))
        return false;
      auto projection = getProjection(shape, access->second, nest);
      // What one of several iterations at an element writes, the others' threads miss.
      bool isOwn =
          projection && projection->size() == dropUnits(nest.getExtents()).size();
      return projection && (isOwn || (hasWarps && !isa<memref::StoreOp>(user)));
    }
    return isAccumulatorOf(user, alloc) || (hasWarps && getOperandRole(user, alloc));
  });
}

void LayoutSolver::share(AllocOp alloc, const Twine &reason) {
  if (!reason.isTriviallyEmpty())
    alloc.emitRemark("lies in shared memory: ") << reason;
  candidates.remove(alloc);
  moveToSpace(alloc.getResult(), Space::Shared);
  for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
    if (auto reduce = dyn_cast<ReduceOp>(user);
        reduce && reduce.getSrc() == alloc.getResult())
      reduceShared(reduce);
}

/// So many elements of what they reduce threads may copy to registers.
static constexpr int64_t kCopiedElements = 64;

/// Reduces a tile that is not dealt out: threads copy it to registers, where it is not
/// too much for these and lanes can reduce it; else one thread goes through each row.
void LayoutSolver::reduceShared(ReduceOp reduce) {
  auto type = cast<MemRefType>(reduce.getSrc().getType());
  if (!hasWarps || !canReduce(reduce) || copies.contains(getAlloc(reduce.getSrc())) ||
      type.getNumElements() > kCopiedElements * lanes * warps)
    return (void)expandTile(reduce);
  ExpandBuilder b(reduce);
  auto fragment =
      MemRefType::get(type.getShape(), type.getElementType(), MemRefLayoutAttrInterface(),
                      SpaceAttr::get(b.getContext(), Space::Fragment));
  auto copy = AllocOp::create(b, reduce.getLoc(), fragment, b.getStringAttr("reduced"),
                              IntegerAttr());
  b.parallel(type.getShape(), [&](ArrayRef<Value> at) {
    b.store(b.load(reduce.getSrc(), at), copy.getResult(), at);
  });
  reduce.getSrcMutable().assign(copy.getResult());
  candidates.insert(copy);
  copies.insert(copy);
}

SmallVector<std::pair<AllocOp, SmallVector<int64_t>>>
LayoutSolver::getAccesses(ParallelOp nest) const {
  SmallVector<std::pair<AllocOp, SmallVector<int64_t>>> accesses;
  nest.walk([&](Operation *op) {
    auto access = getTileAccess(op);
    AllocOp alloc = access ? getAlloc(access->first) : nullptr;
    if (!candidates.contains(alloc))
      return;
    auto type = cast<MemRefType>(alloc.getResult().getType());
    accesses.push_back({alloc, *getProjection(type.getShape(), access->second, nest)});
  });
  return accesses;
}

SmallVector<ParallelOp> LayoutSolver::getNests() const {
  SmallVector<ParallelOp> nests;
  kernel->walk([&](ParallelOp nest) {
    if (!getAccesses(nest).empty())
      nests.push_back(nest);
  });
  return nests;
}

//===----------------------------------------------------------------------===//
// Layouts from anchors outwards
//===----------------------------------------------------------------------===//

/// Whether the warp policy leaves rows of what `gemm` makes whole in a warp, or columns.
static bool leavesWhole(GemmOp gemm, StringRef policy, int64_t warps) {
  Tiling tiling =
      getTiling(OrientedAtom(gemm).getShape(), gemm.getM(), gemm.getN(), warps, policy);
  return (policy == "full_row" ? tiling.warpsN : tiling.warpsM) == 1;
}

/// Rows that are reduced are best whole in a warp: tells products whose accumulators meet
/// such, so that all of them share rows alike. Where warps have to share rows, only what
/// is reduced is better off with few of them.
void LayoutSolver::setPolicies() {
  llvm::EquivalenceClasses<Operation *> groups;
  DenseSet<Operation *> rows, columns; // what is reduced along them
  for (AllocOp alloc : candidates)
    groups.insert(alloc);
  kernel->walk([&](ParallelOp nest) {
    auto accesses = getAccesses(nest);
    for (auto &[alloc, projection] : accesses)
      groups.unionSets(accesses.front().first, alloc);
  });
  kernel->walk([&](ReduceOp reduce) {
    AllocOp src = getAlloc(reduce.getSrc()), dst = getAlloc(reduce.getDst());
    if (!candidates.contains(src))
      return;
    (reduce.getDim() == 1 ? rows : columns).insert(src);
    if (candidates.contains(dst))
      groups.unionSets(src, dst);
  });
  DenseSet<Operation *> rowGroups, columnGroups; // whose rows, or columns, stay whole
  kernel->walk([&](GemmOp gemm) {
    AllocOp c = getAlloc(gemm.getC());
    if (rows.contains(c) && leavesWhole(gemm, "full_row", warps))
      rowGroups.insert(groups.getLeaderValue(c));
    else if (columns.contains(c) && leavesWhole(gemm, "full_col", warps))
      columnGroups.insert(groups.getLeaderValue(c));
  });
  kernel->walk([&](GemmOp gemm) {
    AllocOp c = getAlloc(gemm.getC());
    if (!candidates.contains(c) || gemm.getPolicy())
      return;
    if (rows.contains(c) || rowGroups.contains(groups.getLeaderValue(c)))
      gemm.setPolicy("full_row");
    else if (columns.contains(c) || columnGroups.contains(groups.getLeaderValue(c)))
      gemm.setPolicy("full_col");
  });
}

/// Gives `op` a layout. Where that cannot be, the fragment that gives way.
AllocOp LayoutSolver::assign(Operation *op, LayoutAttr layout) {
  auto [known, isNew] = layouts.try_emplace(op, layout);
  if (isNew)
    pending.push_back(op);
  if (isNew || isSameLayout(known->second, layout))
    return nullptr;
  if (auto alloc = dyn_cast<AllocOp>(op))
    return alloc;
  // Two in one nest: the smaller one.
  AllocOp smallest;
  auto size = [](AllocOp alloc) {
    return cast<MemRefType>(alloc.getResult().getType()).getNumElements();
  };
  for (auto &[alloc, projection] : getAccesses(cast<ParallelOp>(op)))
    if (layouts.contains(alloc) && (!smallest || size(alloc) < size(smallest)))
      smallest = alloc;
  return smallest;
}

AllocOp LayoutSolver::spreadFragment(AllocOp alloc) {
  LayoutAttr layout = layouts.lookup(alloc);
  ArrayRef<int64_t> shape = cast<MemRefType>(alloc.getResult().getType()).getShape();
  for (Operation *user : alloc->getUsers()) {
    if (auto reduce = dyn_cast<ReduceOp>(user)) {
      AllocOp dst = getAlloc(reduce.getDst());
      if (dst == alloc || !candidates.contains(dst))
        continue;
      auto dims = getOtherDims(shape, reduce.getDim());
      if (AllocOp gives = assign(dst, getSlice(layout, dims)))
        return gives;
    } else if (auto role = getOperandRole(user, alloc)) {
      auto gemm = cast<GemmOp>(user);
      // Beyond the tile an operand is zero, and a fragment is whatever it is.
      if (gemm.getK() % gemm.getAtomAttr().getShape().k != 0 ||
          !matchOperand(layout, gemm, *role, warps))
        return alloc;
    } else if (auto access = getTileAccess(user)) {
      auto nest = user->getParentOfType<ParallelOp>();
      bool isWhole = isAtOwnPosition(shape, access->second, nest);
      if (isWhole && !layout.getReplicate().empty() && !canRepeat(nest))
        return alloc;
      if (isWhole)
        if (AllocOp gives = assign(nest, layout))
          return gives;
    }
  }
  return nullptr;
}

AllocOp LayoutSolver::spreadNest(ParallelOp nest) {
  LayoutAttr layout = layouts.lookup(nest);
  for (auto &[alloc, projection] : getAccesses(nest))
    if (AllocOp gives = assign(alloc, getSlice(layout, projection)))
      return gives;
  return nullptr;
}

AllocOp LayoutSolver::spread() {
  while (!pending.empty()) {
    Operation *op = pending.pop_back_val();
    auto alloc = dyn_cast<AllocOp>(op);
    if (AllocOp gives = alloc ? spreadFragment(alloc) : spreadNest(cast<ParallelOp>(op)))
      return gives;
  }
  return nullptr;
}

/// Bytes of the narrowest elements in memory that meet those of `nest`: by them a thread
/// takes neighbours.
static int64_t getNarrowestBytes(ParallelOp nest, int64_t narrowest) {
  nest.walk([&](Operation *op) {
    auto note = [&](Value memref) {
      int64_t bits = cast<MemRefType>(memref.getType()).getElementTypeBitWidth();
      narrowest = std::min<int64_t>(narrowest, llvm::divideCeil(bits, 8));
    };
    if (auto load = dyn_cast<tile::LoadOp>(op))
      note(load.getMemref());
    else if (auto store = dyn_cast<tile::StoreOp>(op))
      note(store.getMemref());
    else if (auto access = getTileAccess(op))
      note(access->first);
  });
  return narrowest;
}

AllocOp LayoutSolver::propagate() {
  layouts.clear();
  pending.clear();
  auto walk = [&](auto visit) { // until a fragment gives way
    AllocOp gives;
    kernel->walk([&](Operation *op) {
      gives = visit(op);
      if (!gives)
        gives = spread();
      return gives ? WalkResult::interrupt() : WalkResult::advance();
    });
    return gives;
  };
  auto getBlocked = [&](ArrayRef<int64_t> shape, int64_t bytes) {
    return getBlockedLayout(kernel.getContext(), shape, bytes, lanes, warps);
  };
  constexpr int64_t wide = 16;

  // As products leave them.
  AllocOp gives = walk([&](Operation *op) -> AllocOp {
    auto gemm = dyn_cast<GemmOp>(op);
    AllocOp c = gemm ? getAlloc(gemm.getC()) : nullptr;
    if (!candidates.contains(c))
      return nullptr;
    LayoutAttr layout = getAccumulatorLayout(gemm, warps);
    auto type = cast<MemRefType>(c.getResult().getType());
    if (layout.getRank() != static_cast<int64_t>(dropUnits(type.getShape()).size()))
      return c;
    return assign(c, layout);
  });
  // What is reduced elsewhere.
  if (!gives)
    gives = walk([&](Operation *op) -> AllocOp {
      auto reduce = dyn_cast<ReduceOp>(op);
      AllocOp src = reduce ? getAlloc(reduce.getSrc()) : nullptr;
      if (!candidates.contains(src) || layouts.contains(src))
        return nullptr;
      auto type = cast<MemRefType>(src.getResult().getType());
      int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
      for (Operation *user : src->getUsers())
        if (auto nest = user->getParentOfType<ParallelOp>())
          bytes = getNarrowestBytes(nest, bytes);
      return assign(src, getBlocked(type.getShape(), bytes));
    });
  // Where one element meets several.
  if (!gives)
    gives = walk([&](Operation *op) -> AllocOp {
      auto nest = dyn_cast<ParallelOp>(op);
      if (!nest || layouts.contains(nest))
        return nullptr;
      size_t rank = dropUnits(nest.getExtents()).size();
      for (auto &[alloc, projection] : getAccesses(nest)) {
        if (projection.size() == rank)
          continue;
        LayoutAttr layout = getBlocked(nest.getExtents(), getNarrowestBytes(nest, wide));
        if (!layout.getReplicate().empty() && !canRepeat(nest))
          return alloc;
        return assign(nest, layout);
      }
      return nullptr;
    });
  // As products read them.
  if (!gives)
    gives = walk([&](Operation *op) -> AllocOp {
      auto gemm = dyn_cast<GemmOp>(op);
      if (!gemm)
        return nullptr;
      for (Value operand : {gemm.getA(), gemm.getB()}) {
        AllocOp alloc = getAlloc(operand);
        if (!candidates.contains(alloc) || layouts.contains(alloc))
          continue;
        auto role = getOperandRole(gemm, alloc);
        auto type = cast<MemRefType>(operand.getType());
        if (!role || dropUnits(type.getShape()).size() != 2)
          return alloc;
        LayoutAttr layout =
            getOperandLayout(gemm, *role, warps, getHeldGroup(gemm, *role));
        if (layout.getShape() != type.getShape())
          return alloc;
        if (AllocOp inTheWay = assign(alloc, layout))
          return inTheWay;
      }
      return nullptr;
    });
  return gives;
}

void LayoutSolver::solve() {
  SmallVector<AllocOp> others;
  kernel->walk([&](AllocOp alloc) {
    if (canBeDealt(alloc))
      candidates.insert(alloc);
    else if (getSpace(alloc.getResult()) == Space::Fragment)
      others.push_back(alloc);
  });
  for (AllocOp alloc : others)
    share(alloc, "");
  SmallVector<ReduceOp> general; // of shared tiles and parts of tiles
  kernel->walk([&](ReduceOp reduce) {
    if (!candidates.contains(getAlloc(reduce.getSrc())))
      general.push_back(reduce);
  });
  for (ReduceOp reduce : general)
    reduceShared(reduce);
  setPolicies();
  if (hasWarps)
    for (AllocOp alloc : holdOperands(kernel, warps, heldBytes))
      candidates.insert(alloc);
  while (AllocOp gives = propagate())
    share(gives, "threads hold it differently in different places");
}
