//===- TileHostOps.cpp - Launching outlined kernels ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/TileSyntax.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace tilewright::tile;

/// `in 3` of a pointer to address space 3; nothing of one to space 0.
ParseResult tilewright::tile::parseAddressSpace(OpAsmParser &parser, Type &pointer) {
  unsigned space = 0;
  if (succeeded(parser.parseOptionalKeyword("in")) && parser.parseInteger(space))
    return failure();
  pointer = LLVM::LLVMPointerType::get(parser.getContext(), space);
  return success();
}

void tilewright::tile::printAddressSpace(OpAsmPrinter &printer, Operation *,
                                         Type pointer) {
  if (unsigned space = cast<LLVM::LLVMPointerType>(pointer).getAddressSpace())
    printer << "in " << space;
}

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

LogicalResult LaunchGridOp::verify() {
  Operation *module = (*this)->getParentOfType<ModuleOp>();
  Operation *callee = module ? SymbolTable::lookupSymbolIn(module, getCallee()) : nullptr;
  if (!callee || !isa<FunctionOpInterface>(callee))
    return emitOpError("(C1) callee must be a function in a module of this module");
  // In the LLVM dialect its arguments have become words.
  if (auto function = dyn_cast<func::FuncOp>(callee))
    if (TypeRange(function.getArgumentTypes()) != TypeRange(getArguments()))
      return emitOpError("(C1) callee must take the types of the arguments");
  if (getThreads() < 1 || getThreads() > 1024)
    return emitOpError("(C2) threads must be between 1 and 1024, got ") << getThreads();
  return success();
}
