//===- Pending.cpp - Rules that asynchronous operations share -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Pending.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

bool simt::isForAllThreads(Operation *op) {
  return !op->getParentOfType<OnceOp>() && !op->getParentOfType<tile::ParallelOp>();
}

/// What a loop makes of a value that it is given or yields: what its body sees in the
/// next iteration, and what it leaves. Nothing where `use` is no such use.
static SmallVector<Value, 2> getCarried(OpOperand &use) {
  Operation *user = use.getOwner();
  if (auto loop = dyn_cast<scf::ForOp>(user))
    if (BlockArgument inside = loop.getTiedLoopRegionIterArg(&use))
      return {inside, loop.getTiedLoopResult(&use)};
  if (auto loop = dyn_cast<scf::ForOp>(user->getParentOp());
      loop && isa<scf::YieldOp>(user))
    return {loop.getRegionIterArg(use.getOperandNumber()),
            loop.getResult(use.getOperandNumber())};
  return {};
}

/// The pending value that a product makes of its accumulator; null for another use.
static Value getNextOfChain(OpOperand &use) {
  auto mma = dyn_cast<MmaAsyncOp>(use.getOwner());
  return mma && &use == &mma.getCMutable() ? mma.getD() : Value();
}

static bool isConsumer(OpOperand &use) {
  Operation *user = use.getOwner();
  return isa<WaitOp>(user) || getNextOfChain(use) || !getCarried(use).empty() ||
         (isa<YieldOp>(user) && isa<PutOp>(user->getParentOp()));
}

LogicalResult simt::verifyConsumers(Operation *op, StringRef constraint) {
  SmallVector<Value> values;
  llvm::copy_if(op->getResults(), std::back_inserter(values),
                [](Value value) { return isa<PendingType>(value.getType()); });
  SmallPtrSet<Value, 8> seen(values.begin(), values.end());
  while (!values.empty()) {
    Value value = values.pop_back_val();
    Operation *consumer = nullptr;
    auto error = [&](Operation *user, const Twine &what) -> LogicalResult {
      return (op->emitOpError(constraint) << " " << what).attachNote(user->getLoc())
             << "here";
    };
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      if (isa<ReleaseOp>(user))
        continue;
      if (!isConsumer(use))
        return error(user, "gives a pending value, which " +
                               user->getName().getStringRef() +
                               " cannot use before a simt.wait");
      if (consumer)
        return error(user, "gives a pending value, which has a second consumer");
      if (user->getBlock() != value.getParentBlock())
        return error(user, "gives a pending value, which is not consumed on every path");
      consumer = user;
      for (Value carried : getCarried(use))
        if (seen.insert(carried).second)
          values.push_back(carried);
    }
    if (!consumer)
      return op->emitOpError(constraint)
             << " gives a pending value, which nothing waits for";
  }
  return success();
}

bool simt::isDoneBefore(Value pending, Operation *op) {
  auto release = dyn_cast<ReleaseOp>(op);
  while (pending) {
    if (release && llvm::is_contained(release.getTokens(), pending))
      return true;
    Value next;
    for (OpOperand &use : pending.getUses()) {
      if (isa<WaitOp>(use.getOwner())) {
        Operation *wait = op->getBlock()->findAncestorOpInBlock(*use.getOwner());
        return wait && wait->isBeforeInBlock(op);
      }
      // What a loop leaves comes behind what its body sees. A chain that goes on in the
      // next iteration does so behind `op`.
      if (SmallVector<Value, 2> carried = getCarried(use); !carried.empty())
        next = carried.back();
      else if (Value product = getNextOfChain(use))
        next = product;
    }
    pending = next;
  }
  return false;
}

LogicalResult simt::verifyOverwrites(Operation *op, Value tile, StringRef constraint) {
  if (!isa<TmemType>(tile.getType()))
    return success();
  if (tile.getParentBlock() != op->getBlock())
    return op->emitOpError(constraint)
           << " consumes a tile of tensor memory that was there outside of its block";
  for (Operation *user : tile.getUsers()) {
    if (user == op)
      continue;
    if (user->getBlock() != op->getBlock() || !user->isBeforeInBlock(op))
      return (op->emitOpError(constraint)
              << " consumes a tile of tensor memory that has another use")
                 .attachNote(user->getLoc())
             << "here";
    for (Value result : user->getResults())
      if (isa<PendingType>(result.getType()) && !isDoneBefore(result, op))
        return (op->emitOpError(constraint)
                << " consumes a tile of tensor memory that may still be read")
                   .attachNote(user->getLoc())
               << "here";
  }
  return success();
}
