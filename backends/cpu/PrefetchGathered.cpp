//===- PrefetchGathered.cpp - Rows that the next step gathers ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of rows that a step gathers by a list, products ask for those of the next step
// (PrefetchSteps.cpp). The list for that is made by a copy of the loop that makes the
// step's own.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/PrefetchSteps.h"

#include "backends/cpu/TileDims.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Recompute.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// The only loop of a step that writes `list`, if another can do the same for the next
/// step: it does nothing else, and all that it is computed from is known.
ParallelOp LoopPrefetches::getFilling(AllocOp list) {
  ParallelOp filling;
  for (Operation *user : list.getResult().getUsers()) {
    auto around = user->getParentOfType<ParallelOp>();
    if (isa<GatherOp>(user) || isa<memref::LoadOp>(user))
      continue;
    if (!isa<memref::StoreOp>(user) || !around || around->getParentOp() != loop ||
        (filling && filling != around))
      return {};
    filling = around;
  }
  if (!filling)
    return {};
  WalkResult result = filling.getBody().walk([&](Operation *op) {
    auto load = dyn_cast<tile::LoadOp>(op);
    auto store = dyn_cast<memref::StoreOp>(op);
    bool canRepeat =
        isPure(op) || op->hasTrait<OpTrait::IsTerminator>() ||
        (load && getParameter(load.getMemref()) && !mayWrite(kernel, load.getMemref())) ||
        (store && store.getMemref() == list.getResult());
    for (Value operand : op->getOperands())
      canRepeat &= filling->isAncestor(operand.getParentBlock()->getParentOp()) ||
                   operand == list.getResult() ||
                   canRecompute(operand, [&](Value given) { return isThere(given); });
    return canRepeat ? WalkResult::advance() : WalkResult::interrupt();
  });
  return result.wasInterrupted() ? ParallelOp() : filling;
}

SmallVector<GatheredRows> LoopPrefetches::findGathered() {
  SmallVector<GatheredRows> all;
  for (auto gather : loop.getOps<GatherOp>()) {
    auto list = gather.getIndices().getDefiningOp<AllocOp>();
    auto type = cast<MemRefType>(gather.getSrc().getType());
    SmallVector<OpFoldResult> offsets = gather.getMixedSrcOffsets();
    std::optional<int64_t> column = getConstantIntValue(offsets.back());
    if (!list || !getParameter(gather.getSrc()) || type.getRank() != 2 ||
        gather.getAxis() != 0 || getConstantIntValue(offsets.front()) != 0 || !column ||
        !hasContiguousRows(type) || gather.getStaticIndexOffset().front() != 0 ||
        list.getType().getShape() != gather.getSrcSizes().take_front())
      continue;
    ParallelOp filling = getFilling(list);
    if (!filling || !filling->isBeforeInBlock(gather))
      continue;
    SmallVector<int64_t> sizes(gather.getSrcSizes());
    int64_t columns = clip({gather.getSrc(), offsets, sizes}).sizes.back();
    if (columns == 0)
      continue;
    auto continues = llvm::find_if(all, [&](const GatheredRows &rows) {
      return rows.matrix == gather.getSrc() && rows.list == list &&
             rows.column + rows.columns == *column;
    });
    if (continues != all.end())
      continues->columns += columns;
    else
      all.push_back({gather.getSrc(), *column, columns, list, filling});
  }
  return all;
}

/// Makes `products` ask for the rows of the next step, each for a part of them.
void LoopPrefetches::give(ArrayRef<cpu::GemmOp> products, GatheredRows rows) {
  LoopBuilder b(loop.getBody()->findAncestorOpInBlock(*products.front()));
  IRMapping mapping = mapToNext(b);
  auto isThereNow = [&](Value value) { return isThere(value); };
  auto list = cast<AllocOp>(b.clone(*rows.list, mapping));
  list.setName((list.getName().value_or("rows") + ".ahead").str());
  rows.filling.getBody().walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (!rows.filling->isAncestor(operand.getParentBlock()->getParentOp()) &&
          operand != rows.list.getResult())
        recompute(b, operand, isThereNow, mapping);
  });
  b.clone(*rows.filling, mapping);

  int64_t all = 0, done = 0, extent = list.getType().getDimSize(0);
  for (cpu::GemmOp product : products)
    all += countProducts(product);
  for (cpu::GemmOp product : products) {
    int64_t until = done + countProducts(product);
    int64_t first = extent * done / all, last = extent * until / all;
    done = until;
    if (first == last)
      continue;
    LoopBuilder at(product);
    Attribute zero = at.getIndexAttr(0), one = at.getIndexAttr(1);
    OpFoldResult height = memref::getMixedSize(at, at.getLoc(), rows.matrix, 0);
    Value matrix = memref::SubViewOp::create(
        at, at.getLoc(), rows.matrix,
        ArrayRef<OpFoldResult>{zero, at.getIndexAttr(rows.column)},
        ArrayRef<OpFoldResult>{height, at.getIndexAttr(rows.columns)},
        ArrayRef<OpFoldResult>{one, one});
    Value part = memref::SubViewOp::create(
        at, at.getLoc(), list.getResult(), ArrayRef<OpFoldResult>{at.getIndexAttr(first)},
        ArrayRef<OpFoldResult>{at.getIndexAttr(last - first)},
        ArrayRef<OpFoldResult>{one});
    product.getListedMutable().append(matrix);
    product.getRowsAheadMutable().append(part);
  }
}
