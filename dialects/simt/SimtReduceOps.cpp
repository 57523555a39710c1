//===- SimtReduceOps.cpp - Threads that combine what they hold ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Simt.h"

using namespace mlir;
using namespace tilewright::simt;
using namespace tilewright::tile;

LogicalResult WarpReduceOp::verify() {
  auto src = cast<MemRefType>(getSrc().getType());
  auto dst = cast<MemRefType>(getDst().getType());
  auto dim = static_cast<int64_t>(getDim());
  if (getSpace(src) != Space::Local || !src.hasStaticShape() || dim < 0 ||
      dim >= src.getRank())
    return emitOpError("(C1) takes a local tile with a static shape and one of its "
                       "dimensions, not dimension ")
           << dim << " of " << src;
  SmallVector<int64_t> kept(src.getShape()), dropped(src.getShape());
  kept[dim] = 1;
  dropped.erase(dropped.begin() + dim);
  ArrayRef<int64_t> shape = dst.getShape();
  if (getPartial()) {
    if (getSpace(dst) != Space::Shared || shape.empty() ||
        shape.drop_back() != ArrayRef(dropped))
      return emitOpError("(C2) dst must be a shared tile with src's shape, dimension ")
             << dim << " dropped and one more at the end";
  } else {
    if (dropped.empty())
      dropped.push_back(1);
    if (shape != ArrayRef(kept) && shape != ArrayRef(dropped))
      return emitOpError("(C2) dst must have src's shape with dimension ")
             << dim << " dropped or 1";
  }
  std::optional<Combiner> combiner = getCombiner();
  if (combiner == Combiner::ArgMax || combiner == Combiner::ArgMin)
    return emitOpError("(C3) lanes combine elements, not their positions");
  if (combiner.has_value() != getBody().empty() ||
      combiner.has_value() == static_cast<bool>(getIdentity()))
    return emitOpError("(C3) takes a combiner, or else a region and an identity");
  if (getPartial() && getAccumulate())
    return emitOpError("(C4) the former value is no part of one warp's result");
  return success();
}

LogicalResult ShuffleXorOp::verify() {
  if (getMask() < 1 || getMask() > 63)
    return emitOpError("(C1) mask must be from 1 to 63, not ") << getMask();
  return success();
}

LogicalResult VoteOp::verify() {
  bool isBallot = getKind() == Vote::Ballot;
  if (getResult().getType().isInteger(1) == isBallot)
    return emitOpError("(C1) gives an ") << (isBallot ? "i64" : "i1");
  return success();
}
