//===- TileCheckOps.cpp - What checking mode looks at ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace tilewright::tile;

LogicalResult CheckMemoryOp::verify() {
  if (int64_t number = getNumberAttr().getInt(); number < 0)
    return emitOpError("(C1) the number must not be negative, got ") << number;
  return success();
}

/// `sizes` without those of 1.
static SmallVector<int64_t> dropUnits(ArrayRef<int64_t> sizes) {
  return SmallVector<int64_t>(
      llvm::make_filter_range(sizes, [](int64_t size) { return size != 1; }));
}

LogicalResult CheckAccessOp::verify() {
  auto fits = [](Value memref, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
    auto rank = static_cast<size_t>(cast<MemRefType>(memref.getType()).getRank());
    return offsets.size() == rank && sizes.size() == rank;
  };
  bool hasOther =
      getOther() && getOtherNumber() && getStaticOtherOffsets() && getOtherSizes();
  if (!fits(getMemref(), getStaticOffsets(), getSizes()) ||
      (hasOther && !fits(getOther(), *getStaticOtherOffsets(), *getOtherSizes())))
    return emitOpError("(C1) takes one offset and one size for each dimension");
  if (getAxis() && (getAxisAttr().getInt() < 0 || *getAxis() >= getSizes().size() ||
                    !hasOther || dropUnits(*getOtherSizes()).size() > 1))
    return emitOpError("(C2) axis must be a dimension of the box, with a row of indices");
  if (!getAxis() && hasOther && dropUnits(getSizes()) != dropUnits(*getOtherSizes()))
    return emitOpError("(C2) both boxes must have the same sizes but for those of 1");
  if ((getInspect() || getFirst()) && getKind() != AccessKind::Read)
    return emitOpError("(C3) inspect and first are given with reads only");
  return success();
}

LogicalResult CheckIterationOp::verify() {
  size_t rank = getVariables().size();
  if (getNames().size() != rank || (getParallel() && getParallel()->size() != rank))
    return emitOpError("(C1) takes one name, and one extent if any, for each of ")
           << rank << " variables";
  if (getOuter() && getOuterAttr().getInt() >= getNumberAttr().getInt())
    return emitOpError("(C2) outer must be less than the loop's number");
  return success();
}

LogicalResult CheckValueOp::verify() {
  if (!llvm::all_of(getInputs().getTypes(),
                    [](Type t) { return t.isIntOrIndexOrFloat(); }))
    return emitOpError("(C1) operands must be integers, floats or index");
  return success();
}
