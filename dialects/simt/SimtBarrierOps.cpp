//===- SimtBarrierOps.cpp - Barriers in two halves ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Pending.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

/// Counts of arrivals and of bytes have 20 bits.
static constexpr int64_t kMostCounted = (1 << 20) - 1;

//===----------------------------------------------------------------------===//
// The barrier of the block
//===----------------------------------------------------------------------===//

LogicalResult ArriveOp::inferReturnTypes(MLIRContext *context, std::optional<Location>,
                                         ValueRange, DictionaryAttr, OpaqueProperties,
                                         RegionRange, SmallVectorImpl<Type> &types) {
  types.push_back(PendingType::get(context, {}));
  return success();
}

LogicalResult ArriveOp::verify() {
  if (!isForAllThreads(*this) || getRole(*this).first)
    return emitOpError("(C1) must stand where all threads of the block come by, outside "
                       "of simt.once, tile.parallel and simt.roles");
  auto wait = getPending().hasOneUse()
                  ? dyn_cast<WaitOp>(*getPending().getUsers().begin())
                  : WaitOp();
  if (!wait || wait->getBlock() != (*this)->getBlock())
    return emitOpError("(C2) needs a simt.wait in its block as its one consumer");
  for (Operation &op :
       llvm::make_range(std::next((*this)->getIterator()), wait->getIterator())) {
    Operation *barrier = nullptr;
    op.walk([&](Operation *inner) {
      if (isa<ArriveOp, BarrierOp, GetOp, PutOp>(inner))
        barrier = inner;
    });
    if (barrier)
      return emitOpError("(C2) has another barrier in front of its simt.wait")
                 .attachNote(barrier->getLoc())
             << "here";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Barriers in memory
//===----------------------------------------------------------------------===//

LogicalResult MbarrierOp::verify() {
  int64_t arrivals = getArrivalsAttr().getInt();
  if (arrivals < 1 || arrivals > kMostCounted)
    return emitOpError("(C1) waits for 1 to ")
           << kMostCounted << " arrivals, not " << arrivals;
  if (!isa<FunctionOpInterface, tile::KernelOp>((*this)->getParentOp()))
    return emitOpError("(C2) must stand in a kernel or function itself");
  return success();
}

/// The constraints of what a thread does at a barrier in memory.
template <typename Op> static LogicalResult verifyOfThread(Op op) {
  if (op->template getParentOfType<tile::ParallelOp>())
    return op.emitOpError("(C1) must stand outside of tile.parallel, whose iterations "
                          "are not threads");
  auto at = getConstantIntValue(op.getAt());
  int64_t count = op.getBarrier().getType().getCount();
  if (at && (*at < 0 || *at >= count))
    return op.emitOpError("(C2) names barrier ") << *at << " of " << count;
  return success();
}

LogicalResult MbarrierArriveOp::verify() {
  if (failed(verifyOfThread(*this)))
    return failure();
  if (IntegerAttr bytes = getBytesAttr();
      bytes && (bytes.getInt() < 1 || bytes.getInt() > kMostCounted))
    return emitOpError("(C3) expects 1 to ")
           << kMostCounted << " bytes, not " << bytes.getInt();
  return success();
}

LogicalResult MbarrierWaitOp::verify() { return verifyOfThread(*this); }
