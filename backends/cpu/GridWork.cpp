//===- GridWork.cpp - How long small grids take -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/GridWork.h"

#include "backends/cpu/LoopBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

/// What a block takes to begin, on a core that slept, in multiply-adds.
static constexpr double beginning = 1 << 20;

/// A grid has one to three dimensions.
static constexpr unsigned mostGridDims = 3;

/// Multiply-adds that take as long as an element that is copied, one that is put into the
/// order in which a product loads its second operand, and one that a loop computes,
/// about.
static constexpr int64_t productsPerCopied = 4, productsPerPacked = 16,
                         productsPerComputed = 16;

/// The work of a loop whose trips are not known is that of so many.
static constexpr int64_t assumedTrips = 16;

/// Whether products take `tile` as their second operand.
static bool isPacked(Value tile) {
  return llvm::any_of(tile.getUsers(), [&](Operation *user) {
    auto gemm = dyn_cast<GemmOp>(user);
    return gemm && gemm.getB() == tile;
  });
}

/// The multiply-adds of an operation, or as many as take as long.
static int64_t getProducts(Operation *op) {
  return llvm::TypeSwitch<Operation *, int64_t>(op)
      .Case([](GemmOp gemm) { return gemm.getM() * gemm.getN() * gemm.getK(); })
      .Case<CopyOp, GatherOp, ScatterOp>([](auto move) {
        return computeProduct(move.getDstSizes()) *
               (isPacked(move.getDst()) ? productsPerPacked : productsPerCopied);
      })
      .Case<ReduceOp, ScanOp>([](auto of) {
        auto type = cast<MemRefType>(of.getSrc().getType());
        return type.getNumElements() * productsPerComputed;
      })
      .Case([](ParallelOp loop) {
        return computeProduct(loop.getExtents()) * productsPerComputed;
      })
      .Default([](Operation *) { return int64_t(0); });
}

double cpu::getProductsOfBlock(Operation *op) {
  double products = getProducts(op);
  for (Operation *loop = op->getParentOp(); products != 0 && !isa<KernelOp>(loop);
       loop = loop->getParentOp()) {
    auto counted = dyn_cast<LoopLikeOpInterface>(loop);
    if (counted && !isa<ParallelOp>(loop))
      products *= getTrips(counted);
  }
  return products;
}

double cpu::getTrips(LoopLikeOpInterface loop) {
  std::optional<APInt> trips = loop.getStaticTripCount();
  return trips ? double(trips->getSExtValue()) : assumedTrips;
}

double cpu::getGridTime(int64_t blocks, double work, int64_t cores) {
  return llvm::divideCeil(blocks, cores) * (work + beginning);
}

std::optional<int64_t> cpu::getBlocks(KernelOp kernel) {
  int64_t blocks = 1;
  for (Value extent : kernel.getGrid()) {
    auto constant = getConstantIntValue(extent);
    if (!constant)
      return std::nullopt;
    blocks *= std::max<int64_t>(*constant, 0);
  }
  return blocks;
}

bool cpu::isBatchInvariant(KernelOp kernel) {
  auto function = kernel->getParentOfType<func::FuncOp>();
  return function && function->hasAttr("tile.batch_invariant");
}

std::optional<int64_t> cpu::getFewBlocks(KernelOp kernel) {
  if (isBatchInvariant(kernel))
    return std::nullopt;
  std::optional<int64_t> blocks = getBlocks(kernel);
  return blocks && *blocks > 0 && *blocks <= fewBlocks ? blocks : std::nullopt;
}

bool cpu::hasRoomInGrid(KernelOp kernel) {
  return kernel.getGrid().size() < mostGridDims ||
         llvm::any_of(
             kernel.getGrid(),
             [](Value extent) { return getConstantIntValue(extent) == 1; });
}

Value cpu::addGridDim(KernelOp kernel, int64_t extent) {
  OpBuilder b(kernel);
  Value added = arith::ConstantIndexOp::create(b, kernel.getLoc(), extent);
  Block &body = kernel.getBody().front();
  if (kernel.getGrid().size() < mostGridDims) {
    kernel.getGridMutable().append(added);
    return body.addArgument(b.getIndexType(), kernel.getLoc());
  }
  // The coordinate of a single block is no more than 0.
  unsigned number = 0;
  while (getConstantIntValue(kernel.getGrid()[number]) != 1)
    ++number;
  LoopBuilder inside(&body.front());
  BlockArgument coordinate = body.getArgument(number);
  coordinate.replaceAllUsesWith(inside.index(0));
  kernel.getGridMutable().slice(number, 1).assign(added);
  return coordinate;
}
