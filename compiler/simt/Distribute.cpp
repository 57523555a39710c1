//===- Distribute.cpp - From the work of a block to that of a thread ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/DistributeGemm.h"
#include "compiler/simt/DistributeReduce.h"
#include "compiler/simt/EmitPairs.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/Passes.h"
#include "compiler/simt/Unlowered.h"
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

/// A nest whose turns are so few operations is written out; of others there is a loop.
static constexpr int64_t kWrittenOperations = 256;

/// Where a thread's turns at a nest of `extents` are: turn k is at position
/// thread + k * threads, in row-major order.
namespace {
class Turns {
public:
  Turns(OpBuilder &builder, Location loc, ArrayRef<int64_t> extents, Value thread,
        int64_t threads);

  /// The indices at the thread's turn `k`.
  SmallVector<Value> at(OpBuilder &builder, int64_t k) const;
  /// The indices at any position.
  SmallVector<Value> atPosition(OpBuilder &builder, Value position) const;

private:
  Value constant(OpBuilder &builder, int64_t value) const {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  /// Splits `position` among the dimensions before `end`.
  void split(OpBuilder &builder, Value position, size_t end,
             SmallVectorImpl<Value> &indices) const;

  Location loc;
  SmallVector<int64_t> extents;
  /// Dimensions from this one on have the same index in all turns of a thread.
  size_t fixed;
  SmallVector<Value> fixedIndices;
  Value outer;  // the thread's position among the others, at its first turn
  int64_t step; // of that position, from turn to turn
};
} // namespace

Turns::Turns(OpBuilder &builder, Location loc, ArrayRef<int64_t> extents, Value thread,
             int64_t threads)
    : loc(loc), extents(extents), fixed(extents.size()), outer(thread), step(threads) {
  for (int64_t &extent : this->extents)
    extent = std::max<int64_t>(extent, 1);
  while (fixed > 1 && step % this->extents[fixed - 1] == 0)
    step /= this->extents[--fixed];
  for (size_t dim = this->extents.size(); dim > fixed; --dim) {
    Value extent = constant(builder, this->extents[dim - 1]);
    fixedIndices.insert(fixedIndices.begin(),
                        arith::RemUIOp::create(builder, loc, outer, extent));
    outer = arith::DivUIOp::create(builder, loc, outer, extent);
  }
}

void Turns::split(OpBuilder &builder, Value position, size_t end,
                  SmallVectorImpl<Value> &indices) const {
  for (size_t dim = end - 1; dim > 0; --dim) {
    Value extent = constant(builder, extents[dim]);
    indices[dim] = arith::RemUIOp::create(builder, loc, position, extent);
    position = arith::DivUIOp::create(builder, loc, position, extent);
  }
  indices[0] = position;
}

SmallVector<Value> Turns::at(OpBuilder &builder, int64_t k) const {
  SmallVector<Value> indices(fixed);
  Value position = outer;
  if (k > 0)
    position = arith::AddIOp::create(builder, loc, position, constant(builder, k * step));
  split(builder, position, fixed, indices);
  llvm::append_range(indices, fixedIndices);
  return indices;
}

SmallVector<Value> Turns::atPosition(OpBuilder &builder, Value position) const {
  SmallVector<Value> indices(extents.size());
  split(builder, position, extents.size(), indices);
  return indices;
}

/// Runs iterations thread, thread + threads, ... of the loop nest in row-major order,
/// each with its neighbours. The k-th of them is at the k-th elements that the thread has
/// of a tile that is dealt out.
static void distributeInTurns(ParallelOp parallel, Value thread, int64_t threads) {
  Location loc = parallel.getLoc();
  OpBuilder builder(parallel);
  auto constant = [&](OpBuilder &b, int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  int64_t width = getWidth(parallel);
  SmallVector<int64_t> extents(parallel.getExtents());
  extents.back() /= width;
  int64_t total = 1, size = 0;
  for (int64_t extent : extents)
    total *= extent;
  parallel.walk([&](Operation *) { ++size; });
  int64_t turns = llvm::divideCeil(total, threads);
  Turns places(builder, loc, extents, thread, threads);
  auto emit = [&](OpBuilder &b, SmallVector<Value> indices, Value own) {
    if (width > 1)
      indices.back() = arith::MulIOp::create(b, loc, indices.back(), constant(b, width));
    emitIteration(b, parallel, indices, [&](OpBuilder &at, Operation *, int64_t lane) {
      return lane ? arith::AddIOp::create(at, loc, own, constant(at, lane)) : own;
    });
  };
  if (turns * size <= kWrittenOperations) {
    for (int64_t k = 0; k < turns; ++k) {
      OpBuilder inside = builder;
      if ((k + 1) * threads > total) { // the last turn is not everybody's
        Value left = constant(inside, total - k * threads);
        Value has =
            arith::CmpIOp::create(inside, loc, arith::CmpIPredicate::ult, thread, left);
        inside = scf::IfOp::create(inside, loc, has, /*withElseRegion=*/false)
                     .getThenBodyBuilder();
      }
      emit(inside, places.at(inside, k), constant(inside, k * width));
    }
  } else {
    auto loop = scf::ForOp::create(builder, loc, thread, constant(builder, total),
                                   constant(builder, threads));
    OpBuilder inside = OpBuilder::atBlockBegin(loop.getBody());
    Value position = loop.getInductionVar();
    Value turn = arith::DivUIOp::create(inside, loc, position, constant(inside, threads));
    Value own = arith::MulIOp::create(inside, loc, turn, constant(inside, width));
    emit(inside, places.atPosition(inside, position), own);
  }
  parallel.erase();
}

/// Whether an operation's effect is on the thread's own registers: its part of a tile
/// that is dealt out, or a variable of the iteration.
static bool isOnOwnMemory(Operation *op) {
  if (isa<AllocOp>(op) || isDealtAccess(op))
    return true;
  auto access = getTileAccess(op);
  return access && getSpace(access->first) == Space::Local;
}

/// Where several threads are at each iteration, one of them makes its stores. They stay
/// together otherwise: each needs what the iteration leaves in registers.
static void keepStoresOfFirst(ParallelOp parallel, Value isFirst) {
  SmallVector<Operation *> effects;
  parallel.walk([&](Operation *op) {
    if (op != parallel && op->getNumRegions() == 0 && !isOnOwnMemory(op) &&
        !op->hasTrait<OpTrait::IsTerminator>() && !isMemoryEffectFree(op) &&
        !hasSingleEffect<MemoryEffects::Read>(op))
      effects.push_back(op);
  });
  for (Operation *op : effects) {
    OpBuilder builder(op);
    auto branch =
        scf::IfOp::create(builder, op->getLoc(), isFirst, /*withElseRegion=*/false);
    op->moveBefore(branch.thenBlock()->getTerminator());
  }
}

/// Writes the body out for the registers that a thread has of the layout, neighbours of
/// the nest's width together.
static void distributeByLayout(ParallelOp parallel, LayoutAttr layout,
                               const ThreadPlace &place, bool packedFloats) {
  Location loc = parallel.getLoc();
  OpBuilder builder(parallel);
  ThreadIndex index(builder, loc, layout, place.lane, place.warp);
  if (Value first =
          isFirst(builder, loc, layout.getReplicate(), layout, place.lane, place.warp))
    keepStoresOfFirst(parallel, first);
  SmallVector<int64_t> padded = layout.getShape();
  int64_t width = getWidth(parallel), registers = layout.getExtent(FactorKind::Vector);
  auto own = [&](int64_t reg) {
    return [&, reg](OpBuilder &b, Operation *op, int64_t lane) -> Value {
      auto [memref, at] = *getTileAccess(op);
      auto type = cast<MemRefType>(memref.getType());
      auto projection = *getProjection(type.getShape(), at, parallel);
      int64_t neighbour = getNeighbour(layout, reg, lane);
      return arith::ConstantIndexOp::create(
          b, loc, getSliceRegister(layout, projection, neighbour));
    };
  };
  SmallVector<int64_t> extents;
  llvm::copy_if(parallel.getExtents(), std::back_inserter(extents),
                [](int64_t extent) { return extent != 1; });
  bool inPairs =
      packedFloats && padded == extents && registers % 2 == 0 && hasPairs(parallel);
  SmallVector<Value> held; // of the first one of a pair
  for (int64_t reg = 0; reg < registers; ++reg) {
    if (width > 1 && index.getOffset(layout.getRank() - 1, reg) % width != 0)
      continue;
    OpBuilder inside = builder;
    SmallVector<Value> indices;
    int64_t dim = 0; // of the layout, which has none of extent 1
    for (int64_t extent : parallel.getExtents()) {
      if (extent == 1) {
        indices.push_back(arith::ConstantIndexOp::create(inside, loc, 0));
        continue;
      }
      Value at = index.get(inside, loc, dim, reg);
      if (padded[dim] != extent) {
        // The width divides the extent, so that neighbours are inside together.
        Value below =
            arith::CmpIOp::create(inside, loc, arith::CmpIPredicate::ult, at,
                                  arith::ConstantIndexOp::create(inside, loc, extent));
        inside = scf::IfOp::create(inside, loc, below, /*withElseRegion=*/false)
                     .getThenBodyBuilder();
      }
      indices.push_back(at);
      ++dim;
    }
    if (!inPairs)
      emitIteration(inside, parallel, indices, own(reg));
    else if (reg % 2 == 0)
      held = indices;
    else
      emitPair(inside, parallel, held, indices, own(reg - 1), own(reg));
  }
  parallel.erase();
}

/// The width of the nests that take turns at a tile that is dealt out.
static int64_t getDealtWidth(AllocOp alloc) {
  for (Operation *user : alloc->getUsers())
    if (auto nest = user->getParentOfType<ParallelOp>())
      return getWidth(nest);
  return 1;
}

/// Gives each thread room for its own elements of a tile that is dealt out.
static void distributeTile(AllocOp alloc, int64_t width, int64_t threads) {
  auto type = cast<MemRefType>(alloc.getResult().getType());
  auto layout = dyn_cast<LayoutAttr>(alloc->getAttr(dealtAttrName));
  int64_t count = layout
                      ? layout.getExtent(FactorKind::Vector)
                      : llvm::divideCeil(type.getNumElements(), width * threads) * width;
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
static LogicalResult distributeKernel(KernelOp kernel, int64_t lanes, bool packedFloats) {
  Location loc = kernel.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
  int64_t threads = kernel.getThreads().value_or(defaultThreads);
  Value thread = ThreadIdOp::create(builder, loc);
  Value width = arith::ConstantIndexOp::create(builder, loc, lanes);
  ThreadPlace place{arith::RemUIOp::create(builder, loc, thread, width),
                    arith::DivUIOp::create(builder, loc, thread, width), threads / lanes};

  SmallVector<Operation *> shared;
  SmallVector<std::pair<AllocOp, int64_t>> dealt;
  kernel.walk([&](Operation *op) {
    if (isa<ParallelOp, OnceOp, GemmOp, WarpReduceOp>(op))
      shared.push_back(op);
    else if (auto alloc = dyn_cast<AllocOp>(op); alloc && op->hasAttr(dealtAttrName))
      dealt.push_back({alloc, getDealtWidth(alloc)});
  });
  for (Operation *op : shared) {
    if (auto gemm = dyn_cast<GemmOp>(op)) {
      if (failed(distributeGemm(gemm, place)))
        return failure();
    } else if (auto reduce = dyn_cast<WarpReduceOp>(op)) {
      distributeReduce(reduce, place, packedFloats);
    } else if (auto once = dyn_cast<OnceOp>(op)) {
      distributeOnce(once, thread);
    } else if (auto layout = op->getAttrOfType<LayoutAttr>(dealtAttrName)) {
      distributeByLayout(cast<ParallelOp>(op), layout, place, packedFloats);
    } else {
      distributeInTurns(cast<ParallelOp>(op), thread, threads);
    }
  }
  for (auto [alloc, width] : dealt)
    distributeTile(alloc, width, threads);
  return success();
}

void DistributePass::runOnOperation() {
  if (failed(refuseUnlowered(getOperation(), target)))
    return signalPassFailure();
  WalkResult walk = getOperation().walk([&](KernelOp kernel) {
    return failed(distributeKernel(kernel, lanes, packedFloats)) ? WalkResult::interrupt()
                                                                 : WalkResult::advance();
  });
  if (walk.wasInterrupted())
    signalPassFailure();
}
