//===- SplitBlocks.cpp - Blocks of small grids in parts -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A grid of fewer blocks than there are cores leaves some of them without work. Where all
// of a block's results can be computed for some rows by themselves, its rows become
// several blocks:
//
//   kernel (%b) in (1) {                        kernel (%b, %part) in (1, 4) {
//     %a = alloc 128x32, %c = alloc 128x64        %a = alloc 32x32, %c = alloc 32x64
//     copy x[0, 0][128, 32] to a           =>     copy x[part * 32, 0][32, 32] to a
//     gemm a, w into c                            gemm a, w into c
//     copy c to y[0, 0][128, 64]                  copy c to y[part * 32, 0][32, 64]
//   }                                           }
//
// Each element is made by the same operations in the same order, however many parts there
// are. What does not depend on the rows is done by each part; the dimension is that of
// which the parts have the least of it to do.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/GridWork.h"
#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/TilePart.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_SPLITBLOCKS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Fewer rows or columns than these leave registers of a product unused, and rows of
/// tensors are then read in pieces that memory fetches more than once.
static constexpr int64_t fewestInPart = 48;

/// A grid is divided where that takes away this share of its time at least, and adds no
/// more than this share of its work.
static constexpr double leastGain = 0.2, mostRepeated = 0.1;

//===----------------------------------------------------------------------===//
// How much there is to do
//===----------------------------------------------------------------------===//

/// The work of one block, and what of it no part of `dim` can leave to the others.
struct Work {
  double total = 0, common = 0;
};

static Work getWork(KernelOp kernel, const TiedDims &ties, OwnedDim dim) {
  Work work;
  kernel.getBody().walk([&](Operation *op) {
    double products = getProductsOfBlock(op);
    if (products == 0)
      return;
    work.total += products;
    bool isDivided = ties.find(op, dim).has_value() ||
                     llvm::any_of(op->getOperands(), [&](Value operand) {
                       return ties.find(operand, dim).has_value();
                     });
    if (!isDivided)
      work.common += products;
  });
  return work;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
/// A way to divide a kernel's blocks, and how long it then takes.
struct Parts {
  OwnedDim dim;
  int64_t parts = 1;
  double time = 0;
};

struct SplitBlocks : tilewright::cpu::impl::SplitBlocksBase<SplitBlocks> {
  using SplitBlocksBase::SplitBlocksBase;

  /// The parts of `dim` that take the least time in all, less than `best.time`.
  void improve(KernelOp kernel, const TiedDims &ties, OwnedDim dim, int64_t blocks,
               Parts &best) const {
    Work work = getWork(kernel, ties, dim);
    if (best.parts == 1) // as it is
      best.time = getGridTime(blocks, work.total, cores) * (1 - leastGain);
    int64_t extent = getExtent(dim);
    for (int64_t parts = 2; parts <= extent / fewestInPart; ++parts) {
      if (extent % parts != 0)
        continue;
      double each = (work.total - work.common) / parts + work.common;
      if (each * parts > work.total * (1 + mostRepeated))
        break;
      double time = getGridTime(blocks * parts, each, cores);
      // Of two that are as good, columns: rows of a product's first operand are often
      // read where they lie, columns of its second are packed by each part.
      if (time < best.time || (time == best.time && dim != best.dim))
        best = {dim, parts, time};
    }
  }

  /// Divides the blocks once. Why that is not done is said of blocks as they were
  /// written.
  bool split(KernelOp kernel, bool isFirst) {
    std::optional<int64_t> blocks = getFewBlocks(kernel);
    if (!blocks)
      return false;
    TiedDims ties(kernel);
    if (!ties.whyNot().empty()) {
      if (isFirst)
        kernel.emitRemark() << "stays a grid of " << *blocks
                            << " blocks: " << ties.whyNot();
      return false;
    }
    Parts best;
    for (OwnedDim dim : ties.getFreeClasses())
      improve(kernel, ties, dim, *blocks, best);
    if (best.parts == 1 || !hasRoomInGrid(kernel)) {
      if (isFirst)
        kernel.emitRemark() << "stays a grid of " << *blocks
                            << " blocks: no rows of them are worth a block of their own";
      return false;
    }
    int64_t extent = getExtent(best.dim);
    kernel.emitRemark() << "has each of its " << *blocks << " blocks done in "
                        << best.parts << " parts of " << extent / best.parts << " of "
                        << extent << " rows or columns";
    Value part = addGridDim(kernel, best.parts);
    LoopBuilder b(&kernel.getBody().front().front());
    Value first = b.mul(part, extent / best.parts);
    keepPart(kernel, ties, best.dim, extent / best.parts, first);
    return true;
  }

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    for (KernelOp kernel : kernels)
      for (bool isFirst = true; split(kernel, isFirst);)
        isFirst = false;
  }
};
} // namespace
