//===- LowerChannels.cpp - Channels as buffers, waits and barriers ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All threads of a block both put and get, so that one barrier for each item does: behind
// it all threads see the item, and are done with what they read before it. A put that
// follows may fill the stage of any item that was released in front of the barrier.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/Passes.h"
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
  void runOnOperation() override;
};
} // namespace

/// The tiles of item `number`.
static SmallVector<Value> viewStage(OpBuilder &builder, Location loc, ChannelOp channel,
                                    Value number) {
  Value stages = arith::ConstantIndexOp::create(
      builder, loc, channel.getChannel().getType().getStages());
  Value stage = arith::RemUIOp::create(builder, loc, number, stages);
  SmallVector<Value> tiles;
  for (Value buffer : channel.getBuffers()) {
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
        strides(type.getRank(), builder.getIndexAttr(1)), sizes{builder.getIndexAttr(1)};
    offsets.front() = stage;
    for (int64_t extent : type.getShape().drop_front())
      sizes.push_back(builder.getIndexAttr(extent));
    tiles.push_back(memref::SubViewOp::create(builder, loc, getStageType(type), buffer,
                                              offsets, sizes, strides));
  }
  return tiles;
}

static void lowerPut(ChannelOp channel, PutOp put) {
  OpBuilder builder(put);
  Location loc = put.getLoc();
  OpBuilder inside = builder;
  if (put.getCondition())
    inside = scf::IfOp::create(builder, loc, put.getCondition(), /*withElseRegion=*/false)
                 .getThenBodyBuilder();
  Block &body = put.getBody().front();
  for (auto [argument, tile] :
       llvm::zip(body.getArguments(), viewStage(inside, loc, channel, put.getNumber())))
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

static void lowerGet(ChannelOp channel, GetOp get) {
  OpBuilder builder(get);
  Location loc = get.getLoc();
  bool isAsync = llvm::any_of(channel->getUsers(), [](Operation *user) {
    auto put = dyn_cast<PutOp>(user);
    return put && put.getIsAsync();
  });
  if (isAsync)
    WaitCopiesOp::create(builder, loc, countPending(channel, get));
  BarrierOp::create(builder, loc);
  get->replaceAllUsesWith(viewStage(builder, loc, channel, get.getNumber()));
  get.getRelease().erase();
  get.erase();
}

void LowerChannelsPass::runOnOperation() {
  SmallVector<ChannelOp> channels;
  getOperation().walk([&](ChannelOp channel) { channels.push_back(channel); });
  for (ChannelOp channel : channels) {
    SmallVector<Operation *> users(channel->getUsers());
    // Gets first: what they wait for is read from the puts.
    for (Operation *user : users)
      if (auto get = dyn_cast<GetOp>(user))
        lowerGet(channel, get);
    for (Operation *user : SmallVector<Operation *>(channel->getUsers()))
      lowerPut(channel, cast<PutOp>(user));
    channel.erase();
  }
}
