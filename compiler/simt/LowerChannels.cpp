//===- LowerChannels.cpp - Channels as buffers, waits and barriers ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All threads of a block both put and get, so that one barrier for each item does: behind
// it all threads see the item, and are done with what they read before it. A put that
// follows may fill the stage of any item that was released in front of the barrier. One
// that fills the stage of its own iteration's item has a barrier in front of it, unless
// one that is there already comes behind all that is read of the item. Items that are
// taken out together share a barrier.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/Passes.h"
#include "compiler/simt/Unlowered.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_LOWERCHANNELS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

namespace {
struct LowerChannelsPass : simt::impl::LowerChannelsBase<LowerChannelsPass> {
  using LowerChannelsBase::LowerChannelsBase;
  void runOnOperation() override;
};
} // namespace

/// A stage is an i32: GPUs compute with 64 bits in two steps.
static Value getConstantStage(OpBuilder &builder, Location loc, int64_t stage) {
  return arith::ConstantIntOp::create(builder, loc, builder.getI32Type(), stage);
}

/// The stage `by` further than `stage`, of `stages`, in few instructions.
static Value advance(OpBuilder &builder, Location loc, Value stage, int64_t by,
                     int64_t stages) {
  if (by % stages == 0)
    return stage;
  auto constant = [&](int64_t value) { return getConstantStage(builder, loc, value); };
  if (stages == 2 && by == 1)
    return arith::SubIOp::create(builder, loc, constant(1), stage);
  Value after = arith::AddIOp::create(builder, loc, stage, constant(by));
  Value isPast = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge, after,
                                       constant(stages));
  Value wrapped = arith::SubIOp::create(builder, loc, after, constant(stages));
  return arith::SelectOp::create(builder, loc, isPast, wrapped, after);
}

/// Lets the loop count stages along: the remainder of an item's number by the number of
/// stages would be computed anew in each iteration. Gives the stage of the iteration's
/// item.
static Value carryStage(scf::ForOp loop, int64_t stages) {
  IRRewriter rewriter(loop.getContext());
  if (stages == 1) {
    rewriter.setInsertionPointToStart(loop.getBody());
    return getConstantStage(rewriter, loop.getLoc(), 0);
  }
  rewriter.setInsertionPoint(loop);
  Value first = getConstantStage(rewriter, loop.getLoc(), 0);
  auto next = [&](OpBuilder &builder, Location loc,
                  ArrayRef<BlockArgument> stage) -> SmallVector<Value> {
    return {advance(builder, loc, stage.back(), 1, stages)};
  };
  auto replaced = cast<scf::ForOp>(**loop.replaceWithAdditionalYields(
      rewriter, first, /*replaceInitOperandUsesInLoop=*/false, next));
  return replaced.getRegionIterArgs().back();
}

/// The tiles of a stage.
static SmallVector<Value> viewStage(OpBuilder &builder, Location loc, ChannelOp channel,
                                    Value stage) {
  SmallVector<Value> tiles;
  Value number =
      builder.createOrFold<arith::IndexCastUIOp>(loc, builder.getIndexType(), stage);
  for (Value buffer : channel.getBuffers()) {
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
        strides(type.getRank(), builder.getIndexAttr(1)), sizes{builder.getIndexAttr(1)};
    offsets.front() = number;
    for (int64_t extent : type.getShape().drop_front())
      sizes.push_back(builder.getIndexAttr(extent));
    tiles.push_back(memref::SubViewOp::create(builder, loc, getStageType(type), buffer,
                                              offsets, sizes, strides));
  }
  return tiles;
}

/// How far a put in the loop runs ahead.
static int64_t getAhead(PutOp put) {
  Value ahead = put.getNumber().getDefiningOp<arith::AddIOp>().getRhs();
  return *getConstantIntValue(ahead);
}

/// The stage that an item is put into, where `current` is that of the iteration's item.
static Value getStage(OpBuilder &builder, ChannelOp channel, PutOp put, Value current) {
  Location loc = put.getLoc();
  int64_t stages = channel.getChannel().getType().getStages();
  if (auto number = getConstantIntValue(put.getNumber()))
    return getConstantStage(builder, loc, *number % stages);
  return advance(builder, loc, current, getAhead(put), stages);
}

/// Whether a barrier stands between `put` and what was done before it in its block with
/// stages of the channel.
static bool isBehindBarrier(ChannelOp channel, PutOp put) {
  auto isStage = [&](Value value) {
    return isa<MemRefType>(value.getType()) &&
           llvm::is_contained(channel.getBuffers(), tile::getBaseMemory(value));
  };
  for (Operation *op = put->getPrevNode(); op; op = op->getPrevNode()) {
    if (isa<BarrierOp>(op))
      return true;
    WalkResult walk = op->walk([&](Operation *inner) {
      return llvm::any_of(inner->getOperands(), isStage) ? WalkResult::interrupt()
                                                         : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return false;
  }
  return false;
}

/// Whether `put` fills the stage of its own iteration's item, and some threads may still
/// read that.
static bool mayBeRead(ChannelOp channel, PutOp put) {
  bool isFirst = getConstantIntValue(put.getNumber()).has_value();
  return !isFirst && getAhead(put) == channel.getChannel().getType().getStages() &&
         !isBehindBarrier(channel, put);
}

static void lowerPut(ChannelOp channel, PutOp put, Value current) {
  OpBuilder builder(put);
  Location loc = put.getLoc();
  if (mayBeRead(channel, put))
    BarrierOp::create(builder, loc);
  OpBuilder inside = builder;
  if (put.getCondition())
    inside = scf::IfOp::create(builder, loc, put.getCondition(), /*withElseRegion=*/false)
                 .getThenBodyBuilder();
  Value stage = getStage(inside, channel, put, current);
  Block &body = put.getBody().front();
  for (auto [argument, tile] :
       llvm::zip(body.getArguments(), viewStage(inside, loc, channel, stage)))
    argument.replaceAllUsesWith(tile);
  if (put.getIsAsync())
    body.walk([&](tile::ParallelOp nest) {
      nest->setAttr(asyncAttrName, builder.getUnitAttr());
    });
  Block *to = inside.getInsertionBlock();
  to->getOperations().splice(inside.getInsertionPoint(), body.getOperations());
  // Of an item that does not exist too: groups are counted.
  if (put.getIsAsync())
    CommitCopiesOp::create(builder, loc);
  put.erase();
}

/// How many groups of copies may be on their way when item `get` has arrived: those of
/// the items behind it that were put in front of it.
static int64_t countPending(ChannelOp channel, GetOp get) {
  for (Operation *user : channel->getUsers()) {
    auto put = dyn_cast<PutOp>(user);
    if (!put || put->getBlock() != get->getBlock())
      continue;
    auto sum = put.getNumber().getDefiningOp<arith::AddIOp>();
    auto ahead = sum && sum.getLhs() == get.getNumber()
                     ? getConstantIntValue(sum.getRhs())
                     : std::nullopt;
    if (ahead)
      return get->isBeforeInBlock(put) ? *ahead - 1 : *ahead;
  }
  return 0;
}

/// Whether nothing was done since a barrier.
static bool isAtBarrier(Operation *op) {
  do
    op = op->getPrevNode();
  while (op && isMemoryEffectFree(op));
  return isa_and_nonnull<BarrierOp>(op);
}

static void lowerGet(ChannelOp channel, GetOp get, Value current) {
  OpBuilder builder(get);
  Location loc = get.getLoc();
  bool isAsync = llvm::any_of(channel->getUsers(), [](Operation *user) {
    auto put = dyn_cast<PutOp>(user);
    return put && put.getIsAsync();
  });
  if (isAsync)
    WaitCopiesOp::create(builder, loc, countPending(channel, get));
  if (!isAtBarrier(get))
    BarrierOp::create(builder, loc);
  get->replaceAllUsesWith(viewStage(builder, loc, channel, current));
  get.getRelease().erase();
  get.erase();
}

static GetOp findGet(ChannelOp channel) {
  for (Operation *user : channel->getUsers())
    if (auto get = dyn_cast<GetOp>(user))
      return get;
  llvm_unreachable("verify-channels has seen one");
}

void LowerChannelsPass::runOnOperation() {
  if (failed(refuseUnlowered(getOperation(), target)))
    return signalPassFailure();
  SmallVector<ChannelOp> channels;
  getOperation().walk([&](ChannelOp channel) { channels.push_back(channel); });
  // Channels of one loop that have as many stages are in the same one. A loop is
  // replaced when it gets another value to carry: its body is what stays.
  DenseMap<std::pair<Operation *, int64_t>, Value> current;
  for (ChannelOp channel : channels) {
    GetOp get = findGet(channel);
    int64_t stages = channel.getChannel().getType().getStages();
    Operation *mark = get->getParentOfType<scf::ForOp>().getBody()->getTerminator();
    Value &stage = current[{mark, stages}];
    if (!stage)
      stage = carryStage(get->getParentOfType<scf::ForOp>(), stages);
    // The get first: what it waits for is read from the puts.
    lowerGet(channel, get, stage);
    for (Operation *user : SmallVector<Operation *>(channel->getUsers()))
      lowerPut(channel, cast<PutOp>(user), stage);
    channel.erase();
  }
}
