//===- ForwardCopies.cpp - Read panels straight from global memory ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile that is copied from a global tensor only to be packed or converted from there
// is a detour on a CPU. Where one copy alone fills the whole tile, without rounding, from
// a tensor that the kernel does not write, and every reader is a pack or a copy of the
// whole tile in the same block after it, the readers read the tensor themselves. So do
// products of few rows (ForwardRows.cpp). Rows that are gathered only to be copied to a
// tensor go there at once.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ForwardCopies.h"
#include "backends/cpu/ForwardRows.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Memory.h"
#include "dialects/tile/Tile.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_FORWARDCOPIES
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Whether a region starts at zero and covers the whole of `memref`.
static bool coversAll(Value memref, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
  return llvm::all_of(offsets, [](int64_t offset) { return offset == 0; }) &&
         cast<MemRefType>(memref.getType()).getShape() == sizes;
}

bool tilewright::cpu::isWrittenInKernel(Value tensor, Operation *op) {
  auto kernel = op->getParentOfType<KernelOp>();
  return !kernel || mayWrite(kernel, tensor);
}

CopyOp tilewright::cpu::getFillingCopy(AllocOp alloc) {
  CopyOp filling;
  for (Operation *user : alloc.getResult().getUsers()) {
    auto copy = dyn_cast<CopyOp>(user);
    if (!copy || copy.getDst() != alloc.getResult())
      continue;
    if (filling)
      return {};
    filling = copy;
  }
  if (!filling || isTile(filling.getSrc().getType()) ||
      !coversAll(filling.getDst(), filling.getStaticDstOffsets(), filling.getDstSizes()))
    return {};
  Type from = cast<MemRefType>(filling.getSrc().getType()).getElementType();
  Type to = cast<MemRefType>(alloc.getResult().getType()).getElementType();
  return from == to ? filling : CopyOp();
}

bool tilewright::cpu::canForward(Operation *user, Value tile, CopyOp filling) {
  if (user->getBlock() != filling->getBlock() || !filling->isBeforeInBlock(user))
    return false;
  if (auto pack = dyn_cast<PackOp>(user))
    return coversAll(tile, pack.getStaticSrcOffsets(), pack.getSrcSizes()) &&
           filling.getShape().size() == 2 &&
           pack.getSrcSizes() == ArrayRef(filling.getShape());
  if (auto copy = dyn_cast<CopyOp>(user))
    return copy.getSrc() == tile &&
           coversAll(tile, copy.getStaticSrcOffsets(), copy.getSrcSizes());
  return false;
}

void tilewright::cpu::cloneForwarded(OpBuilder &builder, Operation *user,
                                     CopyOp filling) {
  if (auto copy = dyn_cast<CopyOp>(user)) {
    CopyOp::create(builder, copy.getLoc(), filling.getSrc(), filling.getSrcOffsets(),
                   filling.getStaticSrcOffsets(), filling.getSrcSizes(), copy.getDst(),
                   copy.getDstOffsets(), copy.getStaticDstOffsets(), copy.getDstSizes(),
                   copy.getIsUnsigned());
  } else {
    auto pack = cast<PackOp>(user);
    SmallVector<int64_t> dims;
    for (auto [dim, size] : llvm::enumerate(filling.getSrcSizes()))
      if (size != 1)
        dims.push_back(dim);
    PackOp::create(builder, pack.getLoc(), filling.getSrc(), filling.getSrcOffsets(),
                   filling.getStaticSrcOffsets(), filling.getSrcSizes(), dims,
                   pack.getPanel(), pack.getTranspose(), pack.getIsUnsigned());
  }
}

static void forwardTile(AllocOp alloc) {
  Value tile = alloc.getResult();
  CopyOp filling = getFillingCopy(alloc);
  if (!filling)
    return;
  SmallVector<Operation *> readers;
  for (Operation *user : tile.getUsers())
    if (user != filling)
      readers.push_back(user);
  if (!llvm::all_of(readers,
                    [&](Operation *r) { return canForward(r, tile, filling); }) ||
      isWrittenInKernel(filling.getSrc(), filling))
    return;
  for (Operation *reader : readers) {
    OpBuilder builder(reader);
    cloneForwarded(builder, reader, filling);
    reader->erase();
  }
  filling.erase();
  alloc.erase();
}

//===----------------------------------------------------------------------===//
// Gathered rows
//===----------------------------------------------------------------------===//

/// Makes a gather into a tile that is only copied to a tensor write there itself.
static void forwardGather(GatherOp gather) {
  auto alloc = gather.getDst().getDefiningOp<AllocOp>();
  if (!alloc || !llvm::hasNItems(alloc.getResult().getUsers(), 2) ||
      gather.getIndices() == gather.getDst())
    return;
  Operation *user = *llvm::find_if(alloc.getResult().getUsers(),
                                   [&](Operation *op) { return op != gather; });
  auto copy = dyn_cast<CopyOp>(user);
  auto tile = cast<MemRefType>(alloc.getResult().getType());
  if (!copy || isTile(copy.getDst().getType()) ||
      cast<MemRefType>(copy.getDst().getType()).getElementType() !=
          tile.getElementType() ||
      copy.getDstSizes() != tile.getShape() ||
      !coversAll(alloc.getResult(), copy.getStaticSrcOffsets(), copy.getSrcSizes()) ||
      !coversAll(alloc.getResult(), gather.getStaticDstOffsets(), gather.getDstSizes()))
    return;
  // What is gathered must be the same at the copy, which may write the indices itself.
  if (copy->getBlock() != gather->getBlock() || !gather->isBeforeInBlock(copy) ||
      isWrittenInKernel(gather.getSrc(), gather))
    return;
  auto until = std::next(copy->getIterator());
  for (Operation &op : llvm::make_range(gather->getIterator(), until))
    if (mayWrite(&op, gather.getIndices()))
      return;
  OpBuilder builder(copy);
  GatherOp::create(builder, copy.getLoc(), gather.getSrc(), gather.getSrcOffsets(),
                   gather.getStaticSrcOffsets(), gather.getSrcSizes(), gather.getAxis(),
                   gather.getIndices(), gather.getIndexOffset(),
                   gather.getStaticIndexOffset(), copy.getDst(), copy.getDstOffsets(),
                   copy.getStaticDstOffsets(), copy.getDstSizes(), gather.getFill(),
                   gather.getIsUnsigned());
  copy.erase();
  gather.erase();
  alloc.erase();
}

namespace {
struct ForwardCopiesPass : tilewright::cpu::impl::ForwardCopiesBase<ForwardCopiesPass> {
  void runOnOperation() override {
    SmallVector<AllocOp> allocs;
    getOperation()->walk([&](AllocOp alloc) { allocs.push_back(alloc); });
    for (AllocOp alloc : allocs)
      forwardTile(alloc);
    SmallVector<tilewright::cpu::GemmOp> gemms;
    getOperation()->walk([&](tilewright::cpu::GemmOp gemm) { gemms.push_back(gemm); });
    for (tilewright::cpu::GemmOp gemm : gemms)
      tilewright::cpu::forwardRows(gemm);
    SmallVector<GatherOp> gathers;
    getOperation()->walk([&](GatherOp gather) { gathers.push_back(gather); });
    for (GatherOp gather : gathers)
      forwardGather(gather);
  }
};
} // namespace
