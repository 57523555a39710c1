//===- SpecializeSizes.cpp - Kernels of their own for few rows -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product with any number of rows is written for tiles of many, and often called with
// one or a few. What is best for many is not for few: other instructions, operands that
// are read in place instead of packed, longer steps. So the kernel has more than one
// form:
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

#include "backends/cpu/GridWork.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/SizeVariants.h"
#include "backends/cpu/TilePart.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_SPECIALIZESIZES
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Rows that are few: as many take about as long as one, or as half of them, where a
/// product waits for memory, and more take longer.
static constexpr int64_t fewRows[] = {8, 16};

namespace {
struct SpecializeSizes : tilewright::cpu::impl::SpecializeSizesBase<SpecializeSizes> {
  using SpecializeSizesBase::SpecializeSizesBase;

  /// Adds a form for up to `few` rows or columns.
  void specialize(KernelOp kernel, int64_t few) {
    TiedDims ties(kernel);
    IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
    for (OwnedDim dim : ties.getFreeClasses()) {
      int64_t extent = getExtent(dim);
      if (extent <= few || !isSideOfProduct(kernel, ties, dim))
        continue;
      std::optional<TensorEnds> ends = findTensorEnds(kernel, ties, dim, bounds);
      if (!ends)
        continue;
      SmallVector<TensorDim> sizes = findOpenSizes(kernel, *ends, bounds, few);
      if (sizes.empty())
        continue;
      kernel.emitRemark() << "has a form of its own for 1 to " << few << " of a tile's "
                          << extent << " rows or columns";
      addVariant(kernel, sizes, few);
      return;
    }
  }

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) {
      if (!isBatchInvariant(kernel))
        kernels.push_back(kernel);
    });
    for (KernelOp kernel : kernels)
      for (int64_t few : fewRows)
        specialize(kernel, few);
  }
};
} // namespace
