//===- FitTiles.cpp - Tiles that are larger than their tensors -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel for tiles of 128 columns that is compiled for a tensor of 30 computes 98 of
// them for nothing. Where a tensor's extent is known, or a bound of it, its tiles have no
// more than that:
//
//   %c = alloc 128x128                            %c = alloc 128x32
//   copy w[k, 0][32, 128] to %b                   copy w[k, 0][32, 32] to %b
//   gemm %a, %b into %c                     =>    gemm %a, %b into %c
//   copy %c to y[i, 0][128, 128]                  copy %c to y[i, 0][128, 32]
//
// The elements that are left are made by the same operations. There are a few more than
// the tensor has, so that vectors are whole.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/GridWork.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/SizeVariants.h"
#include "backends/cpu/TilePart.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_FITTILES
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Elements that a vector of the widest kind of sums has.
static constexpr int64_t vectorLanes = 16;

/// The next larger extent that tiles are given: with whole vectors, or few rows.
static int64_t getNextExtent(int64_t extent) {
  return extent < vectorLanes ? 2 * extent : extent + vectorLanes;
}

namespace {
struct FitTiles : tilewright::cpu::impl::FitTilesBase<FitTiles> {
  using FitTilesBase::FitTilesBase;

  /// Makes the tiles of one class smaller, if there is one that can be.
  bool fit(KernelOp kernel) {
    TiedDims ties(kernel);
    IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
    for (OwnedDim dim : ties.getFreeClasses()) {
      auto ends = findTensorEnds(kernel, ties, dim, bounds);
      if (!ends)
        continue;
      auto suffices = [&](int64_t extent) {
        return llvm::all_of(*ends, [&](TensorDim end) {
          return bounds.isExtentAtMost(end.first, end.second, {extent, {}}, kernel);
        });
      };
      int64_t whole = getExtent(dim), extent = 1;
      if (!suffices(whole - 1))
        continue;
      while (!suffices(extent))
        extent = getNextExtent(extent);
      if (extent >= whole)
        continue;
      kernel.emitRemark() << "computes " << extent << " of a tile's " << whole
                          << " rows or columns: its tensors have no more";
      keepPart(kernel, ties, dim, extent, /*first=*/Value());
      return true;
    }
    return false;
  }

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    for (KernelOp kernel : kernels) {
      if (isBatchInvariant(kernel))
        continue;
      foldGrid(kernel);
      while (fit(kernel))
        ;
    }
  }
};
} // namespace
