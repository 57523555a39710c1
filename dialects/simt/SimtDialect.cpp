//===- SimtDialect.cpp - The `simt` dialect -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Simt.h"
#include "dialects/tile/TileCombiner.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
// Syntax that operations share with those of `tile`.
using tilewright::tile::parseCombiner;
using tilewright::tile::parseCombinerBody;
using tilewright::tile::printCombiner;
using tilewright::tile::printCombinerBody;

#include "dialects/simt/SimtDialect.cpp.inc"
#include "dialects/simt/SimtEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/simt/SimtAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/simt/SimtTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/simt/SimtOps.cpp.inc"

void SimtDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/simt/SimtAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/simt/SimtTypes.cpp.inc"
      >();
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
  if (getIsOfRole() && !getRole(*this).first)
    return emitOpError("(C2) of a role must stand in a simt.roles");
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
    return emitOpError(
        "(C1) must stand outside of tile.kernel, whose arguments say which "
        "block it is");
  return success();
}

/// The constraints of an access to neighbouring elements.
template <typename Access> static LogicalResult verifyAccess(Access op, Type value) {
  auto type = cast<MemRefType>(op.getMemref().getType());
  auto rank = static_cast<size_t>(type.getRank());
  if (op.getIndices().size() != rank ||
      (!op.getInbounds().empty() && op.getInbounds().size() != rank))
    return op.emitOpError("(C1) needs one index for each of the ")
           << rank << " dimensions, and as many entries of inbounds or none";
  auto [strides, offset] = type.getStridesAndOffset();
  if (tile::getSpace(type) != tile::Space::Global || rank == 0 || strides.back() != 1 ||
      type.getElementTypeBitWidth() % 8 != 0)
    return op.emitOpError("(C2) needs a global tensor of elements of whole bytes that "
                          "are neighbours in the last dimension, not ")
           << type;
  auto vector = cast<VectorType>(value);
  if (vector.getRank() != 1 || vector.getElementType() != type.getElementType())
    return op.emitOpError("(C3) needs a vector of rank 1 of ")
           << type.getElementType() << ", not " << vector;
  return success();
}

LogicalResult VectorLoadOp::verify() {
  return verifyAccess(*this, getResult().getType());
}

LogicalResult VectorStoreOp::verify() {
  return verifyAccess(*this, getValue().getType());
}

LogicalResult LoadMatrixOp::verify() {
  auto type = cast<MemRefType>(getMemref().getType());
  auto [strides, offset] = type.getStridesAndOffset();
  if (tile::getSpace(type) != tile::Space::Shared || strides.empty() ||
      strides.back() != 1 || getIndices().size() != strides.size())
    return emitOpError("(C1) reads a shared tile whose last stride is 1, with one index "
                       "for each dimension, not ")
           << type;
  auto vector = cast<VectorType>(getResult().getType());
  int64_t count = vector.getNumElements();
  if (vector.getRank() != 1 || !vector.getElementType().isInteger(32) ||
      (count != 1 && count != 2 && count != 4))
    return emitOpError("(C2) gives one, two or four 32-bit integers, not ") << vector;
  if (getTranspose() && type.getElementTypeBitWidth() != 16)
    return emitOpError("(C3) transposes elements of 16 bits, not ")
           << type.getElementType();
  return success();
}
