//===- SimtRoleOps.cpp - Warps that do different work -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Pending.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

/// Half of a wave of 64, and the whole warp elsewhere.
static constexpr int64_t kThreadsOfWarp = 32;

int64_t RolesOp::getRole(Operation *op) {
  Region *region = op->getParentRegion();
  while (region && region->getParentOp() != *this)
    region = region->getParentRegion();
  return region ? region->getRegionNumber() : -1;
}

int64_t RolesOp::getFirstThread(int64_t role) {
  int64_t first = 0;
  for (int64_t threads : getThreads().take_front(role))
    first += threads;
  return first;
}

std::pair<RolesOp, int64_t> simt::getRole(Operation *op) {
  auto roles = op->getParentOfType<RolesOp>();
  return {roles, roles ? roles.getRole(op) : -1};
}

static LogicalResult verifyCounts(RolesOp roles) {
  size_t count = roles.getBodies().size();
  if (count < 2 || roles.getThreads().size() != count ||
      llvm::any_of(
          roles.getThreads(),
          [](int64_t threads) { return threads <= 0 || threads % kThreadsOfWarp != 0; }))
    return roles.emitOpError(
               "(C1) needs two regions or more, and for each a multiple of ")
           << kThreadsOfWarp << " threads";
  int64_t all = roles.getFirstThread(count);
  auto kernel = roles->getParentOfType<tile::KernelOp>();
  if (kernel && kernel.getThreads() && static_cast<int64_t>(*kernel.getThreads()) != all)
    return roles.emitOpError("(C2) divides ")
           << all << " threads, and the kernel has " << *kernel.getThreads();
  if (!isForAllThreads(roles) || roles->getParentOfType<RolesOp>())
    return roles.emitOpError("(C3) must stand outside of simt.once, tile.parallel and "
                             "other simt.roles");
  if (auto registers = roles.getRegisters();
      registers &&
      (registers->size() != count || llvm::any_of(*registers, [](int64_t number) {
         return number < 24 || number > 256 || number % 8 != 0;
       })))
    return roles.emitOpError("(C6) needs for each region a multiple of 8 from 24 to 256 "
                             "as its registers");
  return success();
}

/// What `op`, in a role, has to do with others.
static LogicalResult verifyInside(RolesOp roles, Operation *op) {
  auto barrier = dyn_cast<BarrierOp>(op);
  if ((barrier && !barrier.getIsOfRole()) || isa<ArriveOp>(op))
    return roles.emitOpError("(C4) has a barrier of all threads of the block in a role")
               .attachNote(op->getLoc())
           << "here";
  for (Value operand : op->getOperands())
    if (isa<PendingType, TmemType>(operand.getType()) &&
        !roles->isAncestor(operand.getParentBlock()->getParentOp()))
      return roles
                 .emitOpError("(C7) has a role that uses what is pending or in tensor "
                              "memory outside; pass it through a channel")
                 .attachNote(op->getLoc())
             << "here";
  return success();
}

/// That one role puts in what others take out.
static LogicalResult verifyChannels(RolesOp roles) {
  llvm::MapVector<Value, PutOp> puts;
  WalkResult walk = roles.walk([&](PutOp put) {
    PutOp &first = puts.insert({put.getChannel(), put}).first->second;
    if (roles.getRole(first) == roles.getRole(put))
      return WalkResult::advance();
    roles.emitOpError("(C5) has two roles that put items into one channel")
            .attachNote(put.getLoc())
        << "here";
    return WalkResult::interrupt();
  });
  if (walk.wasInterrupted())
    return failure();
  for (auto [channel, put] : puts)
    for (Operation *user : channel.getUsers())
      if (isa<GetOp>(user) && roles.getRole(user) == roles.getRole(put))
        return roles.emitOpError("(C5) has a role that takes out what it put in")
                   .attachNote(user->getLoc())
               << "here";
  return success();
}

LogicalResult RolesOp::verifyRegions() {
  if (failed(verifyCounts(*this)))
    return failure();
  WalkResult walk = getOperation()->walk([&](Operation *op) {
    return op != *this && failed(verifyInside(*this, op)) ? WalkResult::interrupt()
                                                          : WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  return verifyChannels(*this);
}
