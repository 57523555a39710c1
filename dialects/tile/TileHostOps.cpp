//===- TileHostOps.cpp - Launching outlined kernels ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace tilewright::tile;

LogicalResult CaptureOp::verify() {
  if (!(*this)->getParentOfType<FunctionOpInterface>())
    return emitOpError("(C1) is outside any function, whose stack would hold the values");
  return success();
}

LogicalResult FromPointerOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t dynamicStrides =
      type.getLayout().isIdentity() ? 0 : llvm::count_if(strides, ShapedType::isDynamic);
  if (type.getNumDynamicDims() != getSizes().size() ||
      dynamicStrides != static_cast<int64_t>(getStrides().size()))
    return emitOpError("(C1) takes ")
           << type.getNumDynamicDims() << " sizes and " << dynamicStrides << " strides";
  if (offset != 0)
    return emitOpError("(C2) layout must have offset zero");
  return success();
}

LogicalResult LaunchOp::verify() {
  auto callee =
      SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(*this, getCalleeAttr());
  Type index = IndexType::get((*this)->getContext());
  Type pointer = getEnv().getType();
  Type expected[] = {pointer, index, index, pointer};
  if (!callee || callee.getArgumentTypes() != ArrayRef<Type>(expected))
    return emitOpError("(C1) callee must take the captured values, two block numbers and "
                       "the arena");
  return success();
}
