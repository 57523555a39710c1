//===- VerifyChannels.cpp - That no stage is used too early or too late -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A channel is proved to be used in one of two ways. As a pipelined loop uses it: the
// items 0 to p - 1 are put in front of a loop, which in iteration j gets item j, releases
// it, and puts item j + p. Or as two roles do: each has one loop, of as many iterations,
// which in iteration j puts item j, or gets it and releases it.
//
// That roles with several channels do not wait for each other in a circle is not proved:
// then they would stand still, and no number would be wrong.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

#include "mlir/IR/Matchers.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_VERIFYCHANNELS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

namespace {
struct VerifyChannelsPass : simt::impl::VerifyChannelsBase<VerifyChannelsPass> {
  void runOnOperation() override;
};

/// The uses of one channel.
class Protocol {
public:
  explicit Protocol(ChannelOp channel) : channel(channel) {}
  LogicalResult verify();

private:
  LogicalResult collect();
  LogicalResult verifyGet();
  LogicalResult verifyLoop();
  LogicalResult verifyPrologue();
  LogicalResult verifyPut(PutOp put);
  LogicalResult verifyRoles(RolesOp roles);
  /// Whether `condition` is that `number` is below the loop's trip count.
  bool isExistence(Value condition, Value number);
  std::string name() { return tile::describeMemory(channel.getBuffers().front()); }

  ChannelOp channel;
  GetOp get;
  PutOp next; // in the loop
  SmallVector<PutOp> prologue;
  scf::ForOp loop;
  int64_t ahead = 0;
};
} // namespace

static bool isSame(Value a, Value b) {
  auto first = getConstantIntValue(a), second = getConstantIntValue(b);
  return a == b || (first && first == second);
}

LogicalResult Protocol::collect() {
  for (Operation *user : channel->getUsers()) {
    if (auto found = dyn_cast<GetOp>(user)) {
      if (get)
        return found.emitError("a second simt.get of the channel of ")
                   .append(name())
                   .attachNote(get.getLoc())
               << "the first one";
      get = found;
    }
  }
  if (!get)
    return channel.emitError("nothing is taken out of the channel of ") << name();
  loop = dyn_cast<scf::ForOp>(get->getParentOp());
  if (!loop)
    return get.emitError("items of the channel of ")
           << name() << " are taken out where there is no loop";
  if (getRole(get).first)
    return success();
  for (Operation *user : channel->getUsers()) {
    auto put = dyn_cast<PutOp>(user);
    if (!put)
      continue;
    if (put->getParentOp() != loop) {
      prologue.push_back(put);
      continue;
    }
    if (next)
      return put.emitError("a second item is put into the channel of ")
                 .append(name(), " in each iteration")
                 .attachNote(next.getLoc())
             << "the first one";
    next = put;
  }
  if (!next)
    return get.emitError("no item is put into the channel of ")
           << name() << " in the loop that takes them out";
  llvm::sort(prologue, [](PutOp a, PutOp b) { return a->isBeforeInBlock(b); });
  return success();
}

bool Protocol::isExistence(Value condition, Value number) {
  auto below = condition ? condition.getDefiningOp<arith::CmpIOp>() : nullptr;
  if (!below || (below.getPredicate() != arith::CmpIPredicate::slt &&
                 below.getPredicate() != arith::CmpIPredicate::ult))
    return false;
  return isSame(below.getLhs(), number) && isSame(below.getRhs(), loop.getUpperBound());
}

/// In iteration j item j is taken out, and item j + ahead put in.
/// Each iteration takes out its own item, and releases it.
LogicalResult Protocol::verifyGet() {
  if (get.getNumber() != loop.getInductionVar())
    return get.emitError("takes another item out of the channel of ")
           << name() << " than that of its iteration";
  if (!get.getRelease())
    return get.emitError("the item of the channel of ")
           << name() << " is not released on every path";
  return success();
}

LogicalResult Protocol::verifyLoop() {
  if (getConstantIntValue(loop.getLowerBound()) != 0 ||
      getConstantIntValue(loop.getStep()) != 1)
    return loop.emitError("the loop around the channel of ")
           << name() << " does not count its iterations";
  if (failed(verifyGet()))
    return failure();
  auto sum = next.getNumber().getDefiningOp<arith::AddIOp>();
  auto distance = sum && sum.getLhs() == loop.getInductionVar()
                      ? getConstantIntValue(sum.getRhs())
                      : std::nullopt;
  if (!distance || *distance < 1)
    return next.emitError("the item that is put into the channel of ")
           << name() << " is not one of a later iteration";
  ahead = *distance;
  if (next->isBeforeInBlock(get))
    return next.emitError("the stage that is filled may still be read: simt.put into the "
                          "channel of ")
               .append(name(), " stands in front of simt.get")
               .attachNote(get.getLoc())
           << "the simt.get";
  // The barrier of simt.get is behind all reads of the items before its own. A put of the
  // item that takes its place has another one in front of it, behind all reads of that.
  int64_t stages = channel.getChannel().getType().getStages();
  bool isBehindRelease = get.getRelease()->isBeforeInBlock(next);
  if (ahead > stages || (ahead == stages && !isBehindRelease))
    return next.emitError("the channel of ")
               .append(name(), " has ", stages, " stages, and ", ahead + 1,
                       " items are in it at once")
               .attachNote(get.getLoc())
           << "where they are taken out";
  return success();
}

/// The items that the loop takes out first are in front of it, in order.
LogicalResult Protocol::verifyPrologue() {
  for (auto [number, put] : llvm::enumerate(prologue)) {
    if (put->getBlock() != loop->getBlock() || !put->isBeforeInBlock(loop))
      return put.emitError("an item is put into the channel of ")
             << name() << " neither in its loop nor in front of it";
    if (getConstantIntValue(put.getNumber()) != static_cast<int64_t>(number))
      return put.emitError("item ") << number << " of the channel of " << name()
                                    << " is not the next one that is put in";
  }
  if (static_cast<int64_t>(prologue.size()) != ahead)
    return loop.emitError("the loop puts in the items from ")
           << ahead << " on, and in front of it there are " << prologue.size()
           << ", in the channel of " << name();
  return success();
}

/// Whatever is taken out was put in: where that hangs on a condition, it is the one that
/// there is such an iteration.
LogicalResult Protocol::verifyPut(PutOp put) {
  if (put.getCondition() && !isExistence(put.getCondition(), put.getNumber()))
    return put.emitError("an item of the channel of ")
               .append(name(), " is not put in under the condition that it is taken out")
               .attachNote(loop.getLoc())
           << "the loop that takes it out";
  if (put.getIsAsync() != next.getIsAsync())
    return put.emitError("items of the channel of ")
           << name() << " do not all arrive in the same way";
  return success();
}

/// Item j is put in by iteration j of one role's loop, and taken out by that of
/// another's.
LogicalResult Protocol::verifyRoles(RolesOp roles) {
  PutOp put;
  for (Operation *user : channel->getUsers()) {
    auto found = dyn_cast<PutOp>(user);
    if (found && put)
      return found.emitError("a second simt.put into the channel of ")
                 .append(name())
                 .attachNote(put.getLoc())
             << "the first one";
    put = found ? found : put;
  }
  if (!put || getRole(put).first != roles)
    return get.emitError("no role puts items into the channel of ")
           << name() << " beside the one that takes them out";
  if (channel->getBlock() != roles->getBlock())
    return roles.emitError("the channel of ")
           << name() << " does not begin anew where its roles do";
  auto producer = dyn_cast<scf::ForOp>(put->getParentOp());
  if (!producer)
    return put.emitError("items of the channel of ")
           << name() << " are put in where there is no loop";
  for (scf::ForOp each : {producer, loop}) {
    if (getConstantIntValue(each.getLowerBound()) != 0 ||
        getConstantIntValue(each.getStep()) != 1)
      return each.emitError("the loop around the channel of ")
             << name() << " does not count its iterations";
    if (each->getParentOp() != roles)
      return each.emitError("the loop around the channel of ")
             << name() << " may not run just once";
  }
  if (!isSame(producer.getUpperBound(), loop.getUpperBound()))
    return producer.emitError("not as many items are put into the channel of ")
               .append(name(), " as are taken out")
               .attachNote(loop.getLoc())
           << "the loop that takes them out";
  if (put.getNumber() != producer.getInductionVar() || put.getCondition())
    return put.emitError("does not put the item of each iteration into the channel of ")
           << name();
  if (failed(verifyGet()))
    return failure();
  return success();
}

LogicalResult Protocol::verify() {
  if (failed(collect()))
    return failure();
  if (RolesOp roles = getRole(get).first)
    return verifyRoles(roles);
  if (failed(verifyLoop()) || failed(verifyPrologue()) || failed(verifyPut(next)))
    return failure();
  for (PutOp put : prologue)
    if (failed(verifyPut(put)))
      return failure();
  return success();
}

void VerifyChannelsPass::runOnOperation() {
  getOperation().walk([&](ChannelOp channel) {
    if (failed(Protocol(channel).verify()))
      signalPassFailure();
  });
}
