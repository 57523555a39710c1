//===- Distribute.cpp - From the work of a block to that of a thread ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/DistributeGemm.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_DISTRIBUTE
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
struct DistributePass : tilewright::simt::impl::DistributeBase<DistributePass> {
  using DistributeBase::DistributeBase;
  void runOnOperation() override;
};
} // namespace

/// Calls `visit` for the indices of each access in `op` to a tile that is dealt out.
static void forEachDealtAccess(Operation *op,
                               function_ref<void(MutableOperandRange)> visit) {
  auto isDealt = [](Value memref) {
    Operation *alloc = memref.getDefiningOp();
    return alloc && alloc->hasAttr(dealtAttrName);
  };
  op->walk([&](Operation *inner) {
    if (auto load = dyn_cast<memref::LoadOp>(inner); load && isDealt(load.getMemRef()))
      visit(load.getIndicesMutable());
    else if (auto store = dyn_cast<memref::StoreOp>(inner);
             store && isDealt(store.getMemRef()))
      visit(store.getIndicesMutable());
  });
}

/// Runs iterations thread, thread + threads, ... of the loop nest in row-major order. The
/// k-th of them is at the k-th element that the thread has of a tile that is dealt out.
static void distributeInTurns(ParallelOp parallel, Value thread, int64_t threads) {
  Location loc = parallel.getLoc();
  OpBuilder builder(parallel);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  ArrayRef<int64_t> extents = parallel.getExtents();
  int64_t total = 1;
  for (int64_t extent : extents)
    total *= extent;
  auto loop =
      scf::ForOp::create(builder, loc, thread, constant(total), constant(threads));
  Block *body = loop.getBody();
  builder.setInsertionPointToStart(body);
  Value position = loop.getInductionVar();
  Value own; // k, where somebody asks
  forEachDealtAccess(parallel, [&](MutableOperandRange indices) {
    if (!own)
      own = arith::DivUIOp::create(builder, loc, position, constant(threads));
    indices.assign(own);
  });
  SmallVector<Value> indices(extents.size());
  for (int64_t dim = extents.size() - 1; dim > 0; --dim) {
    Value extent = constant(std::max<int64_t>(extents[dim], 1));
    indices[dim] = arith::RemUIOp::create(builder, loc, position, extent);
    position = arith::DivUIOp::create(builder, loc, position, extent);
  }
  indices[0] = position;
  Block *region = &parallel.getBody().front();
  for (auto [argument, index] : llvm::zip(region->getArguments(), indices))
    argument.replaceAllUsesWith(index);
  body->getOperations().splice(body->getTerminator()->getIterator(),
                               region->getOperations());
  parallel.erase();
}

/// Writes the body out for each register that a thread has of the layout.
static void distributeByLayout(ParallelOp parallel, LayoutAttr layout,
                               const ThreadPlace &place) {
  Location loc = parallel.getLoc();
  OpBuilder builder(parallel);
  ThreadIndex index(builder, loc, layout, place.lane, place.warp);
  SmallVector<int64_t> padded = layout.getShape();
  Block *body = &parallel.getBody().front();
  for (int64_t reg = 0; reg < layout.getExtent(FactorKind::Vector); ++reg) {
    OpBuilder inside = builder;
    IRMapping mapping;
    int64_t dim = 0; // of the layout, which has none of extent 1
    for (auto [argument, extent] :
         llvm::zip(body->getArguments(), parallel.getExtents())) {
      if (extent == 1) {
        mapping.map(argument, arith::ConstantIndexOp::create(inside, loc, 0));
        continue;
      }
      Value at = index.get(inside, loc, dim, reg);
      if (padded[dim] != extent) {
        Value below =
            arith::CmpIOp::create(inside, loc, arith::CmpIPredicate::ult, at,
                                  arith::ConstantIndexOp::create(inside, loc, extent));
        inside = scf::IfOp::create(inside, loc, below, /*withElseRegion=*/false)
                     .getThenBodyBuilder();
      }
      mapping.map(argument, at);
      ++dim;
    }
    Value own = arith::ConstantIndexOp::create(inside, loc, reg);
    for (Operation &op : *body) {
      Operation *copy = inside.clone(op, mapping);
      forEachDealtAccess(copy, [&](MutableOperandRange indices) { indices.assign(own); });
    }
  }
  parallel.erase();
}

/// Gives each thread room for its own elements of a tile that is dealt out.
static void distributeTile(AllocOp alloc, int64_t threads) {
  auto type = cast<MemRefType>(alloc.getResult().getType());
  auto layout = dyn_cast<LayoutAttr>(alloc->getAttr(dealtAttrName));
  int64_t count = layout ? layout.getExtent(FactorKind::Vector)
                         : llvm::divideCeil(type.getNumElements(), threads);
  alloc.getResult().setType(MemRefType::get({count}, type.getElementType(),
                                            MemRefLayoutAttrInterface(),
                                            type.getMemorySpace()));
  alloc->removeAttr(dealtAttrName);
}

static void distributeOnce(OnceOp once, Value thread) {
  Location loc = once.getLoc();
  OpBuilder builder(once);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value first =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, thread, zero);
  auto branch = scf::IfOp::create(builder, loc, first, /*withElseRegion=*/false);
  Block *then = branch.thenBlock();
  then->getOperations().splice(then->getTerminator()->getIterator(),
                               once.getBody().front().getOperations());
  once.erase();
}

/// Distributes all work of a kernel.
static LogicalResult distributeKernel(KernelOp kernel, int64_t lanes) {
  Location loc = kernel.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
  int64_t threads = kernel.getThreads().value_or(defaultThreads);
  Value thread = ThreadIdOp::create(builder, loc);
  Value width = arith::ConstantIndexOp::create(builder, loc, lanes);
  ThreadPlace place{arith::RemUIOp::create(builder, loc, thread, width),
                    arith::DivUIOp::create(builder, loc, thread, width), threads / lanes};

  SmallVector<Operation *> shared;
  SmallVector<AllocOp> dealt;
  kernel.walk([&](Operation *op) {
    if (isa<ParallelOp, OnceOp, GemmOp>(op))
      shared.push_back(op);
    else if (op->hasAttr(dealtAttrName))
      dealt.push_back(cast<AllocOp>(op));
  });
  for (Operation *op : shared) {
    if (auto gemm = dyn_cast<GemmOp>(op)) {
      if (failed(distributeGemm(gemm, place)))
        return failure();
    } else if (auto once = dyn_cast<OnceOp>(op)) {
      distributeOnce(once, thread);
    } else if (auto layout = op->getAttrOfType<LayoutAttr>(dealtAttrName)) {
      distributeByLayout(cast<ParallelOp>(op), layout, place);
    } else {
      distributeInTurns(cast<ParallelOp>(op), thread, threads);
    }
  }
  for (AllocOp alloc : dealt)
    distributeTile(alloc, threads);
  return success();
}

void DistributePass::runOnOperation() {
  WalkResult walk = getOperation().walk([&](KernelOp kernel) {
    return failed(distributeKernel(kernel, lanes)) ? WalkResult::interrupt()
                                                   : WalkResult::advance();
  });
  if (walk.wasInterrupted())
    signalPassFailure();
}
