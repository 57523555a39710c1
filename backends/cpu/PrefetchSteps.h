//===- PrefetchSteps.h - What the next step of a loop reads ---------*- C++ -*-===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_PREFETCHSTEPS_H
#define TILEWRIGHT_BACKENDS_CPU_PREFETCHSTEPS_H

#include "backends/cpu/CpuOps.h"
#include "compiler/analysis/IndexBounds.h"
#include "compiler/transforms/LoopBuilder.h"
#include "dialects/tile/Tile.h"

#include "mlir/IR/IRMapping.h"

namespace tilewright::cpu {

/// A region of a parameter that a step reads.
struct SourceRegion {
  mlir::Value memref;
  llvm::SmallVector<mlir::OpFoldResult> offsets;
  llvm::SmallVector<int64_t> sizes;

  bool operator==(const SourceRegion &other) const {
    return memref == other.memref && offsets == other.offsets && sizes == other.sizes;
  }
};

/// Rows of a parameter that a step gathers, by a list that a loop of the step makes.
struct GatheredRows {
  mlir::Value matrix;
  int64_t column, columns;
  tile::AllocOp list;
  tile::ParallelOp filling;
};

/// Finds the regions of one loop and gives them to its products.
class LoopPrefetches {
public:
  LoopPrefetches(mlir::scf::ForOp loop, int64_t budget)
      : loop(loop), kernel(loop->getParentOfType<tile::KernelOp>()),
        bounds(loop->getParentOfType<mlir::func::FuncOp>()), budget(budget) {}
  void run();

private:
  void run(llvm::ArrayRef<mlir::Operation *> ops, llvm::ArrayRef<GemmOp> products);
  bool isThere(mlir::Value value);
  bool mayLoad(mlir::Operation *op);
  bool isApart(const SourceRegion &region);
  bool isWorthwhile(const SourceRegion &region);
  llvm::SmallVector<SourceRegion> findRegions(llvm::ArrayRef<mlir::Operation *> ops);
  tile::ParallelOp getFilling(tile::AllocOp list);
  llvm::SmallVector<GatheredRows> findGathered();
  bool changesWithBlock(mlir::Value value);
  bool movesWithBlock(const SourceRegion &region);
  mlir::IRMapping mapToNext(LoopBuilder &b, bool beyond = false);
  void give(GemmOp product, const SourceRegion &region, int64_t begin, int64_t end,
            int64_t shares);
  void give(llvm::ArrayRef<GemmOp> products, GatheredRows rows);

  mlir::scf::ForOp loop;
  tile::KernelOp kernel;
  tile::IndexBounds bounds;
  int64_t budget;
};

/// Cuts off what of `region` is known to lie outside its tensor.
SourceRegion clip(SourceRegion region);

/// How many products `gemm` adds.
int64_t countProducts(GemmOp gemm);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_PREFETCHSTEPS_H
