//===- SimtTmemOps.cpp - Tensor memory ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Pending.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

/// Four warps reach the rows, each a quarter of them.
static constexpr int64_t kThreadsOfAllRows = 128;

LogicalResult TmemAllocOp::verify() {
  if (!isa<FunctionOpInterface, tile::KernelOp>((*this)->getParentOp()))
    return emitOpError("(C1) must stand in a kernel or function itself");
  return success();
}

/// Whether `vector` is columns of `tile`.
static bool isColumns(Type vector, TmemType tile) {
  auto type = dyn_cast<VectorType>(vector);
  return type && type.getRank() == 2 && tile.getShape().size() == 2 &&
         type.getElementType() == tile.getElementType() &&
         type.getDimSize(0) == tile.getShape()[0] &&
         type.getDimSize(1) <= tile.getShape()[1];
}

/// That threads which reach all rows come by.
static LogicalResult verifyPlace(Operation *op) {
  if (!isForAllThreads(op))
    return op->emitOpError("(C2) ") << forAllThreads;
  auto [roles, role] = getRole(op);
  if (roles && roles.getThreads()[role] % kThreadsOfAllRows != 0)
    return op->emitOpError("(C2) needs a role of a multiple of ")
           << kThreadsOfAllRows << " threads to reach all rows, not of "
           << roles.getThreads()[role];
  return success();
}

LogicalResult TmemLoadOp::verify() {
  ArrayRef<Type> types = getPending().getType().getTypes();
  if (types.size() != 1 || !isColumns(types[0], getTile().getType()))
    return emitOpError("(C1) gives a pending vector of columns of ")
           << getTile().getType() << ", not " << getPending().getType();
  if (failed(verifyPlace(*this)))
    return failure();
  return verifyConsumers(*this, "(C3)");
}

LogicalResult TmemStoreOp::verify() {
  TmemType tile = getTile().getType();
  if (!isColumns(getValue().getType(), tile))
    return emitOpError("(C1) writes a vector of columns of ")
           << tile << ", not " << getValue().getType();
  if (getPending().getType() != PendingType::get(getContext(), tile))
    return emitOpError("(C1) gives a pending ")
           << tile << ", not " << getPending().getType();
  if (failed(verifyPlace(*this)) || failed(verifyConsumers(*this, "(C3)")))
    return failure();
  return verifyOverwrites(*this, getTile(), "(C4)");
}
