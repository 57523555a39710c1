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
// or by a layout, where a product leaves its elements so, where rows are reduced, and
// where an element meets several of a larger tile (LayoutSolver.h).
//
// A reduction becomes one of what each warp holds. Where several warps have parts of a
// row, their results meet in shared memory:
//
//   tile.reduce sum %s into %l dim 1
// becomes
//   %p = tile.alloc "partial" : memref<16x4xf32, #tile.space<shared>>
//   simt.warp_reduce sum %s into %p dim 1 partial
//   tile.parallel (%i) in (16) { %l[%i] = %p[%i, 0] + ... + %p[%i, 3] }
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/LayoutSolver.h"
#include "compiler/simt/Passes.h"
#include "compiler/transforms/Combiner.h"
#include "compiler/transforms/ExpandBuilder.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_DEALFRAGMENTS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
struct DealFragmentsPass : tilewright::simt::impl::DealFragmentsBase<DealFragmentsPass> {
  using DealFragmentsBase::DealFragmentsBase;
  void runOnOperation() override;
};
} // namespace

/// How many warps have parts of what lies along `dim`.
static int64_t countWarps(LayoutAttr layout, std::optional<int64_t> dim) {
  int64_t count = 1;
  if (dim)
    for (const Factor &factor : layout.getDim(*dim))
      if (factor.kind == FactorKind::Warp)
        count *= factor.extent;
  return count;
}

static void reduceInWarps(ReduceOp reduce, Value dst, bool isPartial) {
  OpBuilder builder(reduce);
  auto made = WarpReduceOp::create(
      builder, reduce.getLoc(), reduce.getCombinerAttr(), reduce.getSrc(), dst,
      reduce.getDim(), !isPartial && reduce.getAccumulate(), reduce.getIsUnsigned(),
      isPartial, reduce.getIdentity());
  IRMapping mapping;
  reduce.getBody().cloneInto(&made.getBody(), mapping);
  if (made.getBody().empty())
    return;
  Operation *end = made.getBody().front().getTerminator();
  builder.setInsertionPoint(end);
  simt::YieldOp::create(builder, end->getLoc(), end->getOperand(0));
  end->erase();
}

/// Replaces a reduction of a fragment that is dealt out by `layout`; its result is dealt
/// out like the rows, where `isDealt`.
static void dealReduction(ReduceOp reduce, LayoutAttr layout, bool isDealt) {
  ArrayRef<int64_t> shape = shapeOf(reduce.getSrc());
  auto dim = static_cast<int64_t>(reduce.getDim());
  int64_t parts = countWarps(layout, getLayoutDim(shape, dim));
  if (parts == 1) {
    reduceInWarps(reduce, reduce.getDst(), /*isPartial=*/false);
    return reduce.erase();
  }
  ExpandBuilder b(reduce);
  ElementCombiner combiner(reduce);
  SmallVector<int64_t> rest(shape);
  rest.erase(rest.begin() + dim);
  SmallVector<int64_t> partialShape(rest);
  partialShape.push_back(parts);
  Value dst = reduce.getDst();
  Value partial = b.allocate("partial", partialShape, combiner.accumulatorType());
  reduceInWarps(reduce, partial, /*isPartial=*/true);
  b.parallel(rest, [&](ArrayRef<Value> at) {
    SmallVector<Value> to(at.take_front(rest.size()));
    SmallVector<Value> from(to);
    if (shapeOf(dst).size() == shape.size())
      to.insert(to.begin() + dim, b.index(0));
    from.push_back(b.index(0));
    Expr all = b.expr(b.load(partial, from));
    for (int64_t part = 1; part < parts; ++part) {
      from.back() = b.index(part);
      all = combiner.combine(all, b.expr(b.load(partial, from)));
    }
    if (reduce.getAccumulate())
      all = combiner.combine(combiner.fromResult(b.expr(b.load(dst, to))), all);
    b.store(combiner.toResult(all, elementOf(dst)), dst, to);
  });
  if (isDealt)
    reduce->getPrevNode()->setAttr(dealtAttrName,
                                   getSlice(layout, getOtherDims(shape, dim)));
  reduce.erase();
}

void DealFragmentsPass::runOnOperation() {
  SmallVector<KernelOp> kernels;
  getOperation().walk([&](KernelOp kernel) { kernels.push_back(kernel); });
  for (KernelOp kernel : kernels) {
    LayoutSolver solver(kernel, lanes, heldBytes);
    solver.solve();
    auto mark = [&](Operation *op) {
      Attribute how = UnitAttr::get(&getContext());
      if (LayoutAttr layout = solver.getLayout(op))
        how = layout;
      op->setAttr(dealtAttrName, how);
    };
    for (ParallelOp nest : solver.getNests())
      mark(nest);
    for (AllocOp alloc : solver.getFragments()) {
      mark(alloc);
      moveToSpace(alloc.getResult(), Space::Local);
      ++numDealt;
    }
    SmallVector<ReduceOp> reductions;
    kernel.walk([&](ReduceOp reduce) { reductions.push_back(reduce); });
    for (ReduceOp reduce : reductions) {
      auto src = reduce.getSrc().getDefiningOp<AllocOp>();
      Operation *dst = reduce.getDst().getDefiningOp<AllocOp>();
      dealReduction(reduce, solver.getLayout(src), dst && dst->hasAttr(dealtAttrName));
    }
  }
}
