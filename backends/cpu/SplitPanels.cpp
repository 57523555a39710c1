//===- SplitPanels.cpp - Panels that stay in L1 between packing and use -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A panel larger than L1 goes to L2 while it is made and comes back while it is read, and
// each line of it is fetched before it is overwritten. Where a product follows the
// packing of its columns, both are done for a part of the columns at a time, in one small
// panel that never leaves L1:
//
//     p = pack v[64, 512]         p = pack v[64, 0 .. 191]
//     c += a p               =>   c[:, 0 .. 191] += a p
//                                 p = pack v[64, 192 .. 383]
//                                 c[:, 192 .. 383] += a p
//                                 ...
//
// Every sum is made of the same products in the same order.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Memory.h"
#include "compiler/transforms/PlanMemory.h"

#include "mlir/IR/IRMapping.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_SPLITPANELS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using tilewright::tile::AllocOp;
using tilewright::tile::PackOp;

/// More parts are not worth their code.
static constexpr int64_t mostParts = 8;

namespace {
/// A panel that is made right before the one product that reads it.
struct Panel {
  AllocOp alloc;
  Operation *making; ///< a pack, or a branch between packs
  SmallVector<PackOp, 2> packs;
  GemmOp product;

  static std::optional<Panel> find(AllocOp alloc);
  void split(int64_t columns);
};
} // namespace

/// Whether `block` does nothing but `pack`.
static bool isOnly(PackOp pack, Block *block) {
  return block && pack->getBlock() == block &&
         llvm::all_of(block->without_terminator(), [&](Operation &op) {
           return &op == pack || isMemoryEffectFree(&op);
         });
}

std::optional<Panel> Panel::find(AllocOp alloc) {
  Panel panel{alloc, nullptr, {}, {}};
  for (Operation *user : alloc.getResult().getUsers()) {
    if (auto pack = dyn_cast<PackOp>(user))
      panel.packs.push_back(pack);
    else if (panel.product || !(panel.product = dyn_cast<GemmOp>(user)))
      return std::nullopt;
  }
  if (!panel.product || panel.product.getB() != alloc.getResult() ||
      panel.product.getA() == alloc.getResult() || panel.packs.empty())
    return std::nullopt;
  panel.making = panel.packs.front();
  if (auto branch = dyn_cast<scf::IfOp>(panel.making->getParentOp());
      branch && branch->getBlock() == panel.product->getBlock()) {
    if (panel.packs.size() != 2 || branch.getNumResults() != 0)
      return std::nullopt;
    for (PackOp pack : panel.packs)
      if (!isOnly(pack, branch.thenBlock()) && !isOnly(pack, branch.elseBlock()))
        return std::nullopt;
    if (panel.packs[0]->getBlock() == panel.packs[1]->getBlock())
      return std::nullopt;
    panel.making = branch;
  } else if (panel.packs.size() != 1) {
    return std::nullopt;
  }
  // The product reads nothing that the packing of later columns would find changed.
  Operation *next = panel.making->getNextNode();
  while (next && next != panel.product && isMemoryEffectFree(next))
    next = next->getNextNode();
  if (next != panel.product)
    return std::nullopt;
  for (PackOp pack : panel.packs)
    if (tile::mayOverlap(panel.product.getC(), pack.getSrc()) ||
        (panel.product.getOut() &&
         tile::mayOverlap(panel.product.getOut(), pack.getSrc())))
      return std::nullopt;
  return panel;
}

/// Columns [begin, begin + columns) of a matrix.
static Value viewColumns(OpBuilder &b, Location loc, Value matrix, int64_t begin,
                         int64_t columns) {
  auto type = cast<MemRefType>(matrix.getType());
  SmallVector<OpFoldResult> offsets{b.getIndexAttr(0), b.getIndexAttr(begin)};
  SmallVector<OpFoldResult> sizes{b.getIndexAttr(type.getDimSize(0)),
                                  b.getIndexAttr(columns)};
  SmallVector<OpFoldResult> ones(2, b.getIndexAttr(1));
  return memref::SubViewOp::create(b, loc, matrix, offsets, sizes, ones);
}

/// Has `pack` make columns [begin, begin + columns) alone.
static void restrict(PackOp pack, int64_t begin, int64_t columns) {
  LoopBuilder b(pack);
  int64_t dim = pack.getDims()[pack.getTranspose() ? 0 : 1];
  SmallVector<OpFoldResult> offsets = pack.getMixedSrcOffsets();
  if (auto constant = getConstantIntValue(offsets[dim]))
    offsets[dim] = b.getIndexAttr(*constant + begin);
  else
    offsets[dim] = b.add(cast<Value>(offsets[dim]), begin);
  SmallVector<int64_t> sizes(pack.getSrcSizes());
  sizes[dim] = columns;
  SmallVector<Value> dynamic;
  SmallVector<int64_t> fixed;
  dispatchIndexOpFoldResults(offsets, dynamic, fixed);
  pack.getSrcOffsetsMutable().assign(dynamic);
  pack.setStaticSrcOffsets(fixed);
  pack.setSrcSizes(sizes);
}

void Panel::split(int64_t columns) {
  OpBuilder b(making);
  Location loc = product.getLoc();
  int64_t n = product.getN();
  auto type = cast<MemRefType>(alloc.getResult().getType());
  for (int64_t begin = 0; begin < n; begin += columns) {
    int64_t count = std::min(columns, n - begin);
    b.setInsertionPoint(making);
    auto small = MemRefType::get({type.getDimSize(0), count, type.getDimSize(2)},
                                 type.getElementType(), MemRefLayoutAttrInterface(),
                                 type.getMemorySpace());
    Value part = AllocOp::create(b, loc, small, alloc.getNameAttr(), IntegerAttr());
    IRMapping mapping;
    mapping.map(alloc.getResult(), part);
    Operation *made = b.clone(*making, mapping);
    made->walk([&](PackOp pack) { restrict(pack, begin, count); });
    b.setInsertionPoint(product);
    made->moveBefore(product);
    mapping.map(product.getC(), viewColumns(b, loc, product.getC(), begin, count));
    if (Value out = product.getOut())
      mapping.map(out, viewColumns(b, loc, out, begin, count));
    b.clone(*product, mapping);
  }
  product.erase();
  making->erase();
  alloc.erase();
}

namespace {
struct SplitPanels : tilewright::cpu::impl::SplitPanelsBase<SplitPanels> {
  using SplitPanelsBase::SplitPanelsBase;

  void runOnOperation() override {
    SmallVector<AllocOp> allocs;
    getOperation()->walk([&](AllocOp alloc) { allocs.push_back(alloc); });
    for (AllocOp alloc : allocs) {
      std::optional<Panel> panel = Panel::find(alloc);
      if (!panel)
        continue;
      int64_t bytes = tile::getTileBytes(cast<MemRefType>(alloc.getResult().getType()));
      int64_t n = panel->product.getN(), block = panel->product.getAtom().getColumns();
      int64_t columns = budget * n / bytes / block * block;
      // A single block of columns may take more of it: little else is read with it.
      if (columns == 0 && block * bytes <= budget * n * 3 / 2)
        columns = block;
      if (bytes > budget && columns > 0 && llvm::divideCeil(n, columns) <= mostParts)
        panel->split(columns);
    }
  }
};
} // namespace
