//===- SpecializeSizes.cpp - Kernels of their own for few rows -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product with any number of rows is written for tiles of many, and often called with
// one or a few. What is best for many is not for few: other instructions, operands that
// are read in place instead of packed, longer steps. So the kernel is there twice:
//
//                                              %few = 1 <= %m <= 8
//                                              scf.if %few {
//                                                kernel (%bx, %by) in (32, 1) { ... }
//   kernel (%bx, %by) in (32, %blocks) {   =>  } else {
//     ...                                        kernel (%bx, %by) in (32, %blocks) {
//     copy %c to y[by * 128, bx * 128]             ...
//   }                                          }
//
// The condition is a fact for the passes that follow, as a constant extent is:
// cpu-fit-tiles makes the first kernel's tiles smaller.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "backends/cpu/TensorEnds.h"
#include "backends/cpu/TilePart.h"
#include "compiler/transforms/LoopBuilder.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_SPECIALIZESIZES
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Rows that are few: as many take about as long as one where a product waits for memory,
/// and twice as many take longer.
static constexpr int64_t fewRows = 8;

namespace {
/// One kernel, and which of its sizes may be few.
class SizeSpecializer {
public:
  explicit SizeSpecializer(KernelOp kernel)
      : kernel(kernel), ties(kernel), bounds(kernel->getParentOfType<func::FuncOp>()) {}

  /// False where no size may be.
  bool run();

private:
  SmallVector<TensorDim> findSizes(OwnedDim dim);
  bool isAlwaysMore(TensorDim size);
  void specialize(ArrayRef<TensorDim> sizes);

  KernelOp kernel;
  TiedDims ties;
  IndexBounds bounds;
};
} // namespace

bool SizeSpecializer::isAlwaysMore(TensorDim size) {
  auto [tensor, dim] = size;
  LoopBuilder b(kernel);
  return bounds.isBelowExtent(b.index(fewRows), tensor, dim, kernel);
}

/// The sizes that decide whether the class of `dim` has few elements; none where that is
/// known.
SmallVector<TensorDim> SizeSpecializer::findSizes(OwnedDim dim) {
  if (getExtent(dim) <= fewRows || !isSideOfProduct(kernel, ties, dim))
    return {};
  auto ends = findTensorEnds(kernel, ties, dim, bounds);
  if (!ends)
    return {};
  SmallVector<TensorDim> sizes;
  for (TensorDim end : *ends) {
    auto [tensor, number] = end;
    if (bounds.isExtentAtMost(tensor, number, {fewRows, {}}, kernel))
      continue;
    bool isMadeByBlock = kernel.getBody().isAncestor(tensor.getParentRegion());
    if (isMadeByBlock || isAlwaysMore(end))
      return {};
    sizes.push_back(end);
  }
  return sizes;
}

void SizeSpecializer::specialize(ArrayRef<TensorDim> sizes) {
  LoopBuilder b(kernel);
  Value few;
  for (auto [tensor, dim] : sizes) {
    Value size = memref::DimOp::create(b, b.getLoc(), tensor, dim);
    few = b.both(few, b.compare(arith::CmpIPredicate::sge, size, b.index(1)));
    few = b.both(few, b.compare(arith::CmpIPredicate::sle, size, b.index(fewRows)));
  }
  auto choice = scf::IfOp::create(b, b.getLoc(), few, /*withElseRegion=*/true);
  auto copy = cast<KernelOp>(choice.getThenBodyBuilder().clone(*kernel));
  kernel->moveBefore(choice.elseBlock()->getTerminator());

  // One tile has all of few rows: a constant, from which more follows.
  IndexBounds inside(copy->getParentOfType<func::FuncOp>());
  b.setInsertionPoint(copy);
  Value zero = b.index(0), one = b.index(1), two = b.index(2);
  for (OpOperand &extent : copy.getGridMutable())
    if (inside.isBelow(zero, extent.get(), copy) &&
        inside.isBelow(extent.get(), two, copy))
      extent.set(one);
}

bool SizeSpecializer::run() {
  for (OwnedDim dim : ties.getFreeClasses()) {
    SmallVector<TensorDim> sizes = findSizes(dim);
    if (sizes.empty())
      continue;
    kernel.emitRemark() << "is there twice: for 1 to " << fewRows << " of a tile's "
                        << getExtent(dim) << " rows or columns, and for any number";
    specialize(sizes);
    return true;
  }
  return false;
}

namespace {
struct SpecializeSizes : tilewright::cpu::impl::SpecializeSizesBase<SpecializeSizes> {
  using SpecializeSizesBase::SpecializeSizesBase;

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) {
      if (!kernel->getParentOfType<func::FuncOp>()->hasAttr("tile.batch_invariant"))
        kernels.push_back(kernel);
    });
    for (KernelOp kernel : kernels)
      SizeSpecializer(kernel).run();
  }
};
} // namespace
