//===- DealFragments.cpp - Fragments that threads keep to themselves ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A small example, for 4 threads:
//
//   tile.parallel (%i, %j) in (2, 6) { ... store %acc[%i, %j] }
//
//   position   0 1 2 3 4 5   6 7 8 9 10 11
//   thread     0 1 2 3 0 1   2 3 0 1  2  3
//
// `distribute` deals out the positions of a loop nest like this. A fragment of 2 x 6
// that is only ever accessed at [%i, %j] by nests of 2 x 6 is dealt out the same way, so
// no thread sees what another one holds, and each keeps its three elements.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
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
  void runOnOperation() override;
};
} // namespace

/// Whether `indices` into `shape` are the variables of `nest`, which has the same
/// extents; those of 1, on both sides, have no part in it.
static bool isAtOwnPosition(ArrayRef<int64_t> shape, ValueRange indices,
                            ParallelOp nest) {
  ArrayRef<int64_t> extents = nest.getExtents();
  Block *body = &nest.getBody().front();
  unsigned dim = 0;
  for (auto [extent, index] : llvm::zip_equal(shape, indices)) {
    if (extent == 1)
      continue;
    while (dim < extents.size() && extents[dim] == 1)
      ++dim;
    if (dim == extents.size() || extents[dim] != extent ||
        index != body->getArgument(dim++))
      return false;
  }
  return llvm::all_of(extents.drop_front(dim),
                      [](int64_t extent) { return extent == 1; });
}

/// Whether every access of `alloc` is at the position of its iteration.
static bool canBeDealt(AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getResult().getType());
  return llvm::all_of(alloc->getUsers(), [&](Operation *user) {
    ValueRange indices;
    if (auto load = dyn_cast<memref::LoadOp>(user))
      indices = load.getIndices();
    else if (auto store = dyn_cast<memref::StoreOp>(user))
      indices = store.getIndices();
    else
      return false;
    auto nest = user->getParentOfType<ParallelOp>();
    return nest && !nest->isAncestor(alloc) &&
           isAtOwnPosition(type.getShape(), indices, nest);
  });
}

void DealFragmentsPass::runOnOperation() {
  getOperation().walk([&](AllocOp alloc) {
    auto type = cast<MemRefType>(alloc.getResult().getType());
    if (getSpace(type) != Space::Fragment || !canBeDealt(alloc))
      return;
    auto local = SpaceAttr::get(alloc.getContext(), Space::Local);
    alloc.getResult().setType(
        MemRefType::get(type.getShape(), type.getElementType(), type.getLayout(), local));
    alloc->setAttr(dealtAttrName, UnitAttr::get(alloc.getContext()));
    ++numDealt;
  });
}
