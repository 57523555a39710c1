//===- DealFragments.cpp - Fragments that threads keep to themselves ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fragment that is only ever accessed at the positions of the iterations that access it
// can be dealt out like those: no thread sees what another one holds. There are two ways.
// As threads take turns at the positions of a loop nest, here of 2 x 6 by 4 threads:
//
//   position   0 1 2 3 4 5   6 7 8 9 10 11
//   thread     0 1 2 3 0 1   2 3 0 1  2  3
//
// or, where a product is accumulated in it, as its instructions leave it in registers.
// Fragments that meet in a nest are dealt out alike, and so is the nest.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_DEALFRAGMENTS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
struct DealFragmentsPass : tilewright::simt::impl::DealFragmentsBase<DealFragmentsPass> {
  using DealFragmentsBase::DealFragmentsBase;
  void runOnOperation() override;
};
} // namespace

/// The nest around an access at the position of its iteration; null for any other use.
static ParallelOp getOwnNest(Operation *user, AllocOp alloc) {
  ValueRange indices;
  if (auto load = dyn_cast<memref::LoadOp>(user))
    indices = load.getIndices();
  else if (auto store = dyn_cast<memref::StoreOp>(user))
    indices = store.getIndices();
  else
    return nullptr;
  auto type = cast<MemRefType>(alloc.getResult().getType());
  auto nest = user->getParentOfType<ParallelOp>();
  if (!nest || nest->isAncestor(alloc) ||
      !isAtOwnPosition(type.getShape(), indices, nest))
    return nullptr;
  return nest;
}

static bool isAccumulatorOf(Operation *user, AllocOp alloc) {
  auto gemm = dyn_cast<GemmOp>(user);
  return gemm && gemm.getAtom() && gemm.getC() == alloc.getResult() &&
         gemm.getA() != gemm.getC() && gemm.getB() != gemm.getC();
}

static bool canBeDealt(AllocOp alloc) {
  return getSpace(alloc.getResult()) == Space::Fragment &&
         llvm::all_of(alloc->getUsers(), [&](Operation *user) {
           return getOwnNest(user, alloc) || isAccumulatorOf(user, alloc);
         });
}

namespace {
/// Fragments that meet in nests, and how they are dealt out: by a layout, or in turns.
struct Group {
  SetVector<AllocOp> fragments;
  SetVector<ParallelOp> nests;
  LayoutAttr layout;
  bool fits = true;
};
} // namespace

/// Adds all that meets `alloc`, directly or not.
static void collect(AllocOp alloc, const SetVector<AllocOp> &candidates, int64_t warps,
                    Group &group) {
  if (!group.fragments.insert(alloc))
    return;
  for (Operation *user : alloc->getUsers()) {
    if (auto gemm = dyn_cast<GemmOp>(user)) {
      AtomAttrInterface atom = gemm.getAtomAttr();
      Tiling tiling = getTiling(atom, gemm.getM(), gemm.getN(), warps);
      LayoutAttr layout = getAccumulatorLayout(atom, tiling);
      group.fits &= !group.layout || group.layout == layout;
      group.layout = layout;
      continue;
    }
    ParallelOp nest = getOwnNest(user, alloc);
    if (!group.nests.insert(nest))
      continue;
    nest.walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (auto other = operand.getDefiningOp<AllocOp>(); candidates.contains(other))
          collect(other, candidates, warps, group);
    });
  }
}

/// Whether the nests have one loop for each dimension of the layout.
static bool matches(const Group &group) {
  return llvm::all_of(group.nests, [&](ParallelOp nest) {
    return llvm::count_if(nest.getExtents(), [](int64_t extent) {
             return extent != 1;
           }) == group.layout.getRank();
  });
}

void DealFragmentsPass::runOnOperation() {
  getOperation().walk([&](KernelOp kernel) {
    int64_t warps = kernel.getThreads().value_or(defaultThreads) / lanes;
    SetVector<AllocOp> candidates;
    kernel.walk([&](AllocOp alloc) {
      if (canBeDealt(alloc))
        candidates.insert(alloc);
    });
    DenseSet<Operation *> done;
    for (AllocOp alloc : candidates) {
      if (done.contains(alloc))
        continue;
      Group group;
      collect(alloc, candidates, warps, group);
      for (AllocOp member : group.fragments)
        done.insert(member);
      if (!group.fits || (group.layout && !matches(group)))
        continue;
      Attribute how = group.layout ? Attribute(group.layout)
                                   : Attribute(UnitAttr::get(kernel.getContext()));
      for (ParallelOp nest : group.nests)
        nest->setAttr(dealtAttrName, how);
      for (AllocOp member : group.fragments) {
        moveToSpace(member.getResult(), Space::Local);
        member->setAttr(dealtAttrName, how);
        ++numDealt;
      }
    }
    kernel.walk([](AllocOp alloc) {
      if (getSpace(alloc.getResult()) == Space::Fragment)
        moveToSpace(alloc.getResult(), Space::Shared);
    });
  });
}
