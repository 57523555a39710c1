//===- Unlowered.cpp - What has no lowering yet -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/Unlowered.h"

#include "dialects/simt/Simt.h"

using namespace mlir;
using namespace tilewright::simt;

static bool isUnlowered(Type type) {
  if (auto channel = dyn_cast<ChannelType>(type))
    return llvm::any_of(channel.getTiles(), isUnlowered);
  return isa<MbarrierType, PendingType, TmemType>(type);
}

LogicalResult tilewright::simt::refuseUnlowered(Operation *root, StringRef target) {
  WalkResult walk = root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa<RolesOp>(op) && llvm::none_of(op->getOperandTypes(), isUnlowered) &&
        llvm::none_of(op->getResultTypes(), isUnlowered))
      return WalkResult::advance();
    op->emitError() << op->getName() << " has no lowering for "
                    << (target.empty() ? StringRef("any target") : target)
                    << " yet; leave it out of the group-level IR, where tile.gemm, "
                       "tile.copy and simt.put without pending values do the same";
    return WalkResult::interrupt();
  });
  return failure(walk.wasInterrupted());
}
