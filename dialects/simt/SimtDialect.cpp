//===- SimtDialect.cpp - The `simt` dialect -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Simt.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace tilewright::simt;

#include "dialects/simt/SimtDialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/simt/SimtOps.cpp.inc"

void SimtDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/simt/SimtOps.cpp.inc"
      >();
}

LogicalResult OnceOp::verify() {
  Operation *op = *this;
  if (op->getParentOfType<OnceOp>() || op->getParentOfType<tile::ParallelOp>() ||
      !op->getParentOfType<FunctionOpInterface>())
    return emitOpError("(C1) must stand in a kernel or device function, outside of "
                       "simt.once and tile.parallel");
  return success();
}

LogicalResult BarrierOp::verify() {
  if ((*this)->getParentOfType<OnceOp>() || (*this)->getParentOfType<tile::ParallelOp>())
    return emitOpError("(C1) must stand where all threads come by, outside of simt.once "
                       "and tile.parallel");
  return success();
}

LogicalResult ThreadIdOp::verify() {
  if ((*this)->getParentOfType<tile::ParallelOp>())
    return emitOpError("(C1) must stand outside of tile.parallel, whose iterations are "
                       "not threads");
  return success();
}

LogicalResult BlockIdOp::verify() {
  if ((*this)->getParentOfType<tile::KernelOp>())
    return emitOpError("(C1) must stand outside of tile.kernel, whose arguments say which "
                       "block it is");
  return success();
}
