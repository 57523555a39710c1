//===- PipelineLoops.cpp - Copies that run ahead of their iteration -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   tile.pipelined %i = .. stages(3) {       put items 0 and 1
//     fill %a from global memory             for %j = 0 to the number of iterations {
//     compute with %a                   ->     %a = get %j
//   }                                          put item %j + 2, if there is one, async
//                                              compute with %a
//                                              release %j
//                                            }
//
// Where copies go through registers, those hold one of the stages: the registers of item
// %j + 1 are loaded behind the get, and stored in a put behind the release, so that the
// loads are on their way while the iteration computes. The last iteration loads its own
// item again. With a second stage in memory one barrier for an item does, and that is all
// that further ones could do.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/FindFillings.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/Passes.h"
#include "compiler/transforms/PlanMemory.h"
#include "dialects/simt/Simt.h"

#include "llvm/Support/MathExtras.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_PIPELINELOOPS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
struct PipelineLoopsPass : simt::impl::PipelineLoopsBase<PipelineLoopsPass> {
  using PipelineLoopsBase::PipelineLoopsBase;
  void runOnOperation() override;
};

class LoopPipeliner {
public:
  LoopPipeliner(PipelinedOp loop, bool asyncCopies, int64_t budget)
      : loop(loop), asyncCopies(asyncCopies), budget(budget) {}

  /// Makes it an `scf.for`; gives how many tiles are in channels.
  int64_t run();

private:
  /// Fillings whose items are put together, and how far ahead.
  struct Group {
    SmallVector<Filling> fillings;
    bool isAsync;
    int64_t stages = 1; // in memory
    Value channel = nullptr;

    int64_t getAhead() const { return isAsync ? stages - 1 : 1; }
  };

  int64_t fitStages(ArrayRef<Filling> fillings, int64_t stages);
  int64_t furtherStages = 0; // bytes that channels take beyond their tiles
  void makeChannel(OpBuilder &builder, Group &group);
  void put(OpBuilder &builder, Group &group, Value number, Value condition);
  SmallVector<AllocOp> loadRegisters(OpBuilder &builder, Group &group,
                                     IRMapping &mapping);
  void putRegisters(OpBuilder &builder, Group &group, Value number,
                    ArrayRef<AllocOp> registers, IRMapping mapping);
  Value indexOf(OpBuilder &builder, Value number);
  Value constant(OpBuilder &builder, int64_t value) {
    return arith::ConstantIndexOp::create(builder, loop.getLoc(), value);
  }
  Value exists(OpBuilder &builder, Value number) {
    return arith::CmpIOp::create(builder, loop.getLoc(), arith::CmpIPredicate::slt,
                                 number, trips);
  }
  Block *body() { return &loop.getBody().front(); }

  PipelinedOp loop;
  bool asyncCopies;
  int64_t budget;
  Value trips;
};
} // namespace

/// As many of `stages` as there is memory for, beside all other tiles and the further
/// stages of other groups, which they are added to.
int64_t LoopPipeliner::fitStages(ArrayRef<Filling> fillings, int64_t stages) {
  int64_t item = 0;
  for (const Filling &filling : fillings) {
    AllocOp tile = filling.tile;
    if (body()->findAncestorOpInBlock(*tile))
      tile->moveBefore(loop); // as long-lived as a channel's buffer
    item += llvm::alignTo(getTileBytes(cast<MemRefType>(tile.getResult().getType())),
                          kTileAlignment);
  }
  int64_t arena = getArenaBytes(loop->getParentOfType<KernelOp>()) + furtherStages;
  while (stages > 1 && arena + (stages - 1) * item > budget)
    --stages;
  furtherStages += (stages - 1) * item;
  return stages;
}

//===----------------------------------------------------------------------===//
// Items
//===----------------------------------------------------------------------===//

/// The loop's variable in iteration `number`.
Value LoopPipeliner::indexOf(OpBuilder &builder, Value number) {
  Location loc = loop.getLoc();
  if (getConstantIntValue(loop.getStep()) != 1)
    number = arith::MulIOp::create(builder, loc, number, loop.getStep());
  if (getConstantIntValue(loop.getLowerBound()) != 0)
    number = arith::AddIOp::create(builder, loc, loop.getLowerBound(), number);
  return number;
}

void LoopPipeliner::makeChannel(OpBuilder &builder, Group &group) {
  Location loc = loop.getLoc();
  SmallVector<Value> buffers;
  SmallVector<Type> tiles;
  for (Filling &filling : group.fillings) {
    auto type = cast<MemRefType>(filling.tile.getResult().getType());
    SmallVector<int64_t> shape{group.stages};
    llvm::append_range(shape, type.getShape());
    auto staged = MemRefType::get(shape, type.getElementType(),
                                  MemRefLayoutAttrInterface(), type.getMemorySpace());
    auto buffer = AllocOp::create(builder, filling.tile.getLoc(), staged,
                                  filling.tile.getNameAttr(), IntegerAttr());
    if (Attribute swizzle = filling.tile->getAttr(swizzleAttrName))
      buffer->setAttr(swizzleAttrName, swizzle);
    buffers.push_back(buffer);
    tiles.push_back(getStageType(staged));
  }
  auto type = ChannelType::get(builder.getContext(), group.stages, tiles);
  group.channel = ChannelOp::create(builder, loc, type, buffers);
}

/// A put of item `number`, with its tiles as the region's arguments.
static PutOp makePut(OpBuilder &builder, Location loc, Value channel, Value number,
                     Value condition, bool isAsync) {
  auto put = PutOp::create(builder, loc, channel, number, condition, isAsync);
  Block &block = put.getBody().emplaceBlock();
  for (Type tile : cast<ChannelType>(channel.getType()).getTiles())
    block.addArgument(tile, loc);
  return put;
}

/// A copy that leaves `mapping` as it is: one that had the nest's own values could not
/// copy it again.
static ParallelOp cloneNest(OpBuilder &builder, ParallelOp nest, IRMapping mapping) {
  return cast<ParallelOp>(builder.clone(*nest, mapping));
}

void LoopPipeliner::put(OpBuilder &builder, Group &group, Value number, Value condition) {
  PutOp put =
      makePut(builder, loop.getLoc(), group.channel, number, condition, group.isAsync);
  OpBuilder inside = OpBuilder::atBlockBegin(&put.getBody().front());
  IRMapping mapping;
  mapping.map(body()->getArgument(0), indexOf(inside, number));
  for (auto [filling, tile] : llvm::zip(group.fillings, put.getBody().getArguments())) {
    for (Operation *op : filling.slice)
      if (!mapping.contains(op))
        inside.clone(*op, mapping);
    mapping.map(filling.tile.getResult(), tile);
    cloneNest(inside, filling.nest, mapping);
  }
}

static memref::StoreOp getStore(ParallelOp nest) {
  return *nest.getBody().front().getOps<memref::StoreOp>().begin();
}

/// Fills registers with the group's item of the iteration that `mapping` has.
SmallVector<AllocOp> LoopPipeliner::loadRegisters(OpBuilder &builder, Group &group,
                                                  IRMapping &mapping) {
  SmallVector<AllocOp> registers;
  for (Filling &filling : group.fillings) {
    Location loc = filling.nest.getLoc();
    auto type = cast<MemRefType>(filling.tile.getResult().getType());
    auto local = MemRefType::get(filling.nest.getExtents(), type.getElementType(),
                                 MemRefLayoutAttrInterface(),
                                 SpaceAttr::get(builder.getContext(), Space::Local));
    auto held =
        AllocOp::create(builder, loc, local, filling.tile.getNameAttr(), IntegerAttr());
    held->setAttr(dealtAttrName, builder.getUnitAttr());
    for (Operation *op : filling.slice)
      if (!mapping.contains(op))
        builder.clone(*op, mapping);
    ParallelOp nest = cloneNest(builder, filling.nest, mapping);
    nest->setAttr(dealtAttrName, builder.getUnitAttr());
    memref::StoreOp store = getStore(nest);
    OpBuilder inside(store);
    memref::StoreOp::create(inside, store.getLoc(), store.getValue(), held.getResult(),
                            nest.getBody().getArguments());
    store.erase();
    registers.push_back(held);
  }
  return registers;
}

/// Puts what `registers` hold as item `number`.
void LoopPipeliner::putRegisters(OpBuilder &builder, Group &group, Value number,
                                 ArrayRef<AllocOp> registers, IRMapping mapping) {
  PutOp put = makePut(builder, loop.getLoc(), group.channel, number,
                      /*condition=*/nullptr, /*isAsync=*/false);
  OpBuilder inside = OpBuilder::atBlockBegin(&put.getBody().front());
  for (auto [filling, held, tile] :
       llvm::zip(group.fillings, registers, put.getBody().getArguments())) {
    mapping.map(filling.tile.getResult(), tile);
    ParallelOp nest = cloneNest(inside, filling.nest, mapping);
    nest->setAttr(dealtAttrName, builder.getUnitAttr());
    memref::StoreOp store = getStore(nest);
    OpBuilder before(store);
    store.getValueMutable().assign(memref::LoadOp::create(before, store.getLoc(),
                                                          AllocOp(held).getResult(),
                                                          nest.getBody().getArguments()));
    for (Operation &op : llvm::make_early_inc_range(
             llvm::reverse(nest.getBody().front().getOperations())))
      if (isOpTriviallyDead(&op))
        op.erase();
  }
}

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

int64_t LoopPipeliner::run() {
  Location loc = loop.getLoc();
  auto stages = static_cast<int64_t>(loop.getStages());
  Group async{{}, /*isAsync=*/true}, staged{{}, /*isAsync=*/false};
  if (stages > 1) {
    forwardIndices(loop);
    for (Filling &filling : findFillings(loop))
      (asyncCopies && isAsyncCopy(filling) ? async : staged)
          .fillings.push_back(std::move(filling));
  }
  SmallVector<Group *> groups;
  for (Group *group : {&async, &staged}) {
    if (group->fillings.empty())
      continue;
    int64_t wanted = group->isAsync ? stages : std::min<int64_t>(stages - 1, 2);
    group->stages = fitStages(group->fillings, wanted);
    if (group->stages < wanted)
      loop.emitRemark("has memory for ")
          << group->stages << " of " << wanted << " stages of "
          << describeMemory(group->fillings.front().tile.getResult());
    if (group->getAhead() > 0)
      groups.push_back(group);
  }

  OpBuilder builder(loop);
  Value distance = loop.getUpperBound();
  if (getConstantIntValue(loop.getLowerBound()) != 0)
    distance = arith::SubIOp::create(builder, loc, distance, loop.getLowerBound());
  trips = distance;
  if (getConstantIntValue(loop.getStep()) != 1)
    trips = arith::CeilDivSIOp::create(builder, loc, distance, loop.getStep());
  for (Group *group : groups) {
    makeChannel(builder, *group);
    for (int64_t item = 0; item < group->getAhead(); ++item) {
      Value number = constant(builder, item);
      put(builder, *group, number, exists(builder, number));
    }
  }

  auto counted =
      scf::ForOp::create(builder, loc, constant(builder, 0), trips, constant(builder, 1));
  OpBuilder inside = OpBuilder::atBlockBegin(counted.getBody());
  Value iteration = counted.getInductionVar();
  struct Held {
    Group *group;
    Value number;
    SmallVector<AllocOp> registers;
    IRMapping mapping;
  };
  SmallVector<Held> held;
  SmallVector<SmallVector<Value>> tiles;
  for (Group *group : groups) {
    auto get =
        GetOp::create(inside, loc, cast<ChannelType>(group->channel.getType()).getTiles(),
                      group->channel, iteration);
    tiles.emplace_back(get.getResults());
  }
  for (Group *group : groups) {
    Value ahead = arith::AddIOp::create(inside, loc, iteration,
                                        constant(inside, group->getAhead()));
    if (group->isAsync) {
      put(inside, *group, ahead, exists(inside, ahead));
      continue;
    }
    Value last = arith::SubIOp::create(inside, loc, trips, constant(inside, 1));
    Value number = arith::MinUIOp::create(inside, loc, ahead, last);
    held.push_back({group, ahead, {}, {}});
    held.back().mapping.map(body()->getArgument(0), indexOf(inside, number));
    held.back().registers = loadRegisters(inside, *group, held.back().mapping);
  }
  body()->getArgument(0).replaceAllUsesWith(indexOf(inside, iteration));
  for (auto [group, stage] : llvm::zip(groups, tiles))
    for (auto [filling, tile] : llvm::zip(group->fillings, stage))
      for (OpOperand &use :
           llvm::make_early_inc_range(filling.tile.getResult().getUses()))
        if (use.getOwner() != filling.store)
          use.set(tile);
  SmallVector<ParallelOp> done;
  SmallVector<AllocOp> replaced;
  int64_t count = 0;
  for (Group *group : groups)
    for (Filling &filling : group->fillings) {
      done.push_back(filling.nest);
      replaced.push_back(filling.tile);
      ++count;
    }
  Block *to = counted.getBody();
  to->getOperations().splice(to->getTerminator()->getIterator(), body()->getOperations());
  inside.setInsertionPoint(to->getTerminator());
  for (Group *group : groups)
    ReleaseOp::create(inside, loc, group->channel, iteration, ValueRange());
  for (Held &item : held)
    putRegisters(inside, *item.group, item.number, item.registers, item.mapping);
  for (ParallelOp nest : done)
    nest.erase();
  for (AllocOp tile : replaced)
    tile.erase();
  loop.erase();
  return count;
}

void PipelineLoopsPass::runOnOperation() {
  getOperation().walk<WalkOrder::PostOrder>([&](PipelinedOp loop) {
    numPipelined += LoopPipeliner(loop, asyncCopies, budget).run();
  });
}
