//===- SumSplitter.cpp - Makes two kernels of one that sums --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/SumSplitter.h"

#include "backends/cpu/ElementForm.h"
#include "backends/cpu/GridWork.h"
#include "backends/cpu/PartJoiner.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// The number of a block in the grid of `kernel`, whose first coordinates are
/// `coordinates`.
static Value getNumber(LoopBuilder &b, KernelOp kernel, ValueRange coordinates) {
  Value number = b.index(0), blocks = b.index(1);
  for (auto [coordinate, extent] : llvm::zip(coordinates, kernel.getGrid())) {
    number = b.add(number, b.mul(coordinate, blocks));
    blocks = b.mul(extent, blocks);
  }
  return number;
}

/// Copies what one part has of one block between its workspace and a tile.
static void createCopy(LoopBuilder &b, Value workspace, Value part, Value number,
                       Value tile, bool isToTile) {
  ArrayRef<int64_t> shape = cast<MemRefType>(tile.getType()).getShape();
  SmallVector<int64_t> place(shape.size(), 0), sizes = {1, 1};
  place.insert(place.begin(), 2, ShapedType::kDynamic);
  llvm::append_range(sizes, shape);
  SmallVector<int64_t> zeros(shape.size(), 0);
  SmallVector<Value> at = {part, number};
  if (isToTile)
    CopyOp::create(b, b.getLoc(), workspace, at, place, sizes, tile, ValueRange(), zeros,
                   shape, /*isUnsigned=*/false);
  else
    CopyOp::create(b, b.getLoc(), tile, ValueRange(), zeros, shape, workspace, at, place,
                   sizes, /*isUnsigned=*/false);
}

Value SumSplitter::makeWorkspace(AllocOp tile) {
  OpBuilder b(at.kernel);
  SmallVector<int64_t> shape = {parts, getBlocks(at.kernel).value_or(fewBlocks)};
  llvm::append_range(shape, tile.getType().getShape());
  auto type = MemRefType::get(shape, tile.getType().getElementType(), AffineMap(),
                              SpaceAttr::get(b.getContext(), Space::Global));
  return WorkspaceOp::create(b, at.kernel.getLoc(), type, ValueRange(),
                             b.getStringAttr("sums"));
}

SumSplitter::Shares SumSplitter::getShares(LoopBuilder &b,
                                           LoopLikeOpInterface loop) const {
  if (at.trips)
    return {b.index(*at.trips), b.index(llvm::divideCeil(*at.trips, parts))};
  auto divide = [&](Value value, int64_t by) {
    return b.createOrFold<arith::CeilDivSIOp>(b.getLoc(), value, b.index(by));
  };
  Value range =
      b.sub(b.index(*loop.getSingleUpperBound()), b.index(*loop.getSingleLowerBound()));
  Value trips = divide(b.max(range, b.index(0)), at.step);
  return {trips, b.max(divide(trips, parts), b.index(leastTrips))};
}

/// Parts that have iterations; the first one counts where none has.
static Value getUsedParts(LoopBuilder &b, const SumSplitter::Shares &shares) {
  Value used = b.createOrFold<arith::CeilDivSIOp>(b.getLoc(), shares.trips, shares.share);
  return b.max(used, b.index(1));
}

/// Whether `value` is the same for all blocks, and takes no more than arithmetic; `known`
/// are values for which that was found.
static bool canComputeBefore(KernelOp kernel, Value value, DenseSet<Value> &known) {
  if (value.getParentRegion()->isProperAncestor(&kernel.getBody()) ||
      known.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  bool can = op && isMemoryEffectFree(op) && op->getNumRegions() == 0 &&
             llvm::all_of(op->getOperands(), [&](Value operand) {
               return canComputeBefore(kernel, operand, known);
             });
  if (can)
    known.insert(value);
  return can;
}

/// Computes such a value in front of the kernel.
static Value computeBefore(KernelOp kernel, Value value, IRMapping &mapping) {
  if (Value made = mapping.lookupOrNull(value))
    return made;
  if (value.getParentRegion()->isProperAncestor(&kernel.getBody()))
    return value;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    mapping.map(operand, computeBefore(kernel, operand, mapping));
  OpBuilder b(kernel);
  b.clone(*op, mapping);
  return mapping.lookup(value);
}

/// Has a part begin with nothing where others precede it: a sum with zero, and an
/// extremum with what a number can be compared to, and subtracted from.
void SumSplitter::resetStates(LoopBuilder &b, IRMapping &mapping, Value part) {
  SmallVector<LoopState> others;
  llvm::copy_if(at.carried.states, std::back_inserter(others),
                [&](const LoopState &state) { return !beginsNeutral(state, at); });
  if (others.empty())
    return;
  Value isLater = b.compare(arith::CmpIPredicate::ne, part, b.index(0));
  auto branch = scf::IfOp::create(b, b.getLoc(), isLater, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  for (LoopState &state : others) {
    Value tile = mapping.lookup(state.tile.getResult());
    Type element = state.tile.getType().getElementType();
    if (state.kind != LoopState::Extremum) {
      FillOp::create(b, b.getLoc(), tile,
                     arith::ConstantOp::create(b, b.getLoc(), b.getZeroAttr(element)));
      continue;
    }
    const llvm::fltSemantics &semantics = cast<FloatType>(element).getFloatSemantics();
    auto finite = b.getFloatAttr(
        element, APFloat::getLargest(semantics, isMaximum(state.combiner)));
    forElements(b, tile, [&](ValueRange place) {
      Value limit = arith::ConstantOp::create(b, b.getLoc(), finite);
      Value begin = memref::LoadOp::create(b, b.getLoc(), tile, place);
      Value limited = arith::getReductionOp(state.combiner, b, b.getLoc(), begin, limit);
      memref::StoreOp::create(b, b.getLoc(), limited, tile, place);
    });
  }
}

/// Has the loop of a block do its part alone. It counts from the same number on in all
/// parts, so that constant trips remain so.
void SumSplitter::takePart(LoopBuilder &b, LoopLikeOpInterface loop, Value part,
                           const Shares &shares) {
  Value lower = b.index(*loop.getSingleLowerBound());
  Value width = b.mul(shares.share, at.step);
  Value first = b.mul(part, width);
  Value upper = b.add(lower, width);
  if (!at.trips || *at.trips % *getConstantIntValue(shares.share) != 0) {
    Value end = b.add(lower, b.mul(shares.trips, at.step));
    upper = b.min(upper, b.sub(end, first));
  }
  if (auto pipelined = dyn_cast<PipelinedOp>(loop.getOperation()))
    pipelined.getUpperBoundMutable().assign(upper);
  else
    cast<scf::ForOp>(loop.getOperation()).setUpperBound(upper);
  LoopBuilder inside(&loop.getLoopRegions()[0]->front().front());
  Value variable = *loop.getSingleInductionVar();
  Value iteration = inside.add(variable, first);
  variable.replaceAllUsesExcept(iteration, iteration.getDefiningOp());
}

/// The kernel of which each block does a part of the iterations.
void SumSplitter::makePartKernel() {
  OpBuilder host(at.kernel);
  IRMapping mapping;
  auto kernel = cast<KernelOp>(host.clone(*at.kernel, mapping));
  Block &body = kernel.getBody().front();
  auto loop = cast<LoopLikeOpInterface>(mapping.lookup(at.loop.getOperation()));
  while (&body.back() != loop)
    body.back().erase();
  LoopBuilder first(&body.front());
  Value number = getNumber(first, at.kernel, body.getArguments());
  Value part = addGridDim(kernel, parts);
  LoopBuilder b(loop);
  resetStates(b, mapping, part);
  Shares shares = getShares(b, loop);
  takePart(b, loop, part, shares);

  Value used = getUsedParts(b, shares);
  b.setInsertionPointToEnd(&body);
  if (DenseSet<Value> known; canComputeBefore(kernel, used, known)) {
    IRMapping before;
    unsigned dim = cast<BlockArgument>(part).getArgNumber();
    kernel.getGridMutable().slice(dim, 1).assign(computeBefore(kernel, used, before));
  } else {
    // Of a part that has no iterations nothing is read.
    Value isUsed = b.compare(arith::CmpIPredicate::slt, part, used);
    auto branch = scf::IfOp::create(b, b.getLoc(), isUsed, /*withElseRegion=*/false);
    b.setInsertionPointToStart(branch.thenBlock());
  }
  for (auto [state, workspace] : llvm::zip(at.carried.states, workspaces))
    createCopy(b, workspace, part, number,
               mapping.lookup(AllocOp(state.tile).getResult()), /*isToTile=*/false);
}

/// Has the kernel join what the parts have made in place of its loop.
void SumSplitter::joinParts() {
  LoopBuilder b(at.loop);
  Value number = getNumber(b, at.kernel, at.kernel.getBody().getArguments());
  PartJoiner joiner(b, at.carried);
  Value first = b.index(0);
  for (auto [state, workspace] : llvm::zip(at.carried.states, workspaces))
    createCopy(b, workspace, first, number, AllocOp(state.tile).getResult(),
               /*isToTile=*/true);
  Shares shares = getShares(b, at.loop);
  b.forLoop(b.getIndexAttr(1), getUsedParts(b, shares), 1, [&](Value part) {
    for (auto [tile, workspace] : llvm::zip(joiner.getPartTiles(), workspaces))
      createCopy(b, workspace, part, number, tile, /*isToTile=*/true);
    joiner.join();
  });
  at.loop->erase();
}

void SumSplitter::run() {
  for (LoopState &state : at.carried.states)
    workspaces.push_back(makeWorkspace(state.tile));
  makePartKernel();
  joinParts();
}
