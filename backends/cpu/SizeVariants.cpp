//===- SizeVariants.cpp - A kernel of its own for few rows ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/SizeVariants.h"

#include "backends/cpu/LoopBuilder.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

SmallVector<TensorDim> cpu::findOpenSizes(KernelOp kernel, const TensorEnds &ends,
                                          IndexBounds &bounds, int64_t few) {
  SmallVector<TensorDim> sizes;
  for (TensorDim end : ends) {
    auto [tensor, dim] = end;
    if (bounds.isExtentAtMost(tensor, dim, {few, {}}, kernel))
      continue;
    bool isMadeByBlock = kernel.getBody().isAncestor(tensor.getParentRegion());
    if (isMadeByBlock || bounds.isExtentAbove(tensor, dim, few, kernel))
      return {};
    sizes.push_back(end);
  }
  return sizes;
}

void cpu::foldGrid(KernelOp kernel) {
  IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
  LoopBuilder b(kernel);
  Value zero = b.index(0), one = b.index(1), two = b.index(2);
  for (OpOperand &extent : kernel.getGridMutable())
    if (bounds.isBelow(zero, extent.get(), kernel) &&
        bounds.isBelow(extent.get(), two, kernel))
      extent.set(one);
}

KernelOp cpu::addVariant(KernelOp kernel, Value condition) {
  OpBuilder b(kernel);
  auto choice = scf::IfOp::create(b, kernel.getLoc(), condition, /*withElseRegion=*/true);
  auto variant = cast<KernelOp>(choice.getThenBodyBuilder().clone(*kernel));
  kernel->moveBefore(choice.elseBlock()->getTerminator());
  return variant;
}

KernelOp cpu::addVariant(KernelOp kernel, ArrayRef<TensorDim> sizes, int64_t few) {
  LoopBuilder b(kernel);
  Value isFew;
  for (auto [tensor, dim] : sizes) {
    Value size = memref::DimOp::create(b, b.getLoc(), tensor, dim);
    isFew = b.both(isFew, b.compare(arith::CmpIPredicate::sge, size, b.index(1)));
    isFew = b.both(isFew, b.compare(arith::CmpIPredicate::sle, size, b.index(few)));
  }
  KernelOp variant = addVariant(kernel, isFew);
  foldGrid(variant);
  return variant;
}
