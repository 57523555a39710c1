//===- HostCalls.cpp - Calls of what the runtime passes to a launch ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/host/HostCalls.h"

#include "tilewright/abi.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace tilewright;

Value host::loadField(OpBuilder &builder, Location loc, Value table, int field) {
  Type pointer = table.getType();
  Value slot = LLVM::GEPOp::create(builder, loc, pointer, pointer, table,
                                   ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(field)});
  return LLVM::LoadOp::create(builder, loc, pointer, slot);
}

Value host::callField(OpBuilder &builder, Location loc, Value table, int field,
                      Type result, ValueRange args) {
  SmallVector<Value> operands{loadField(builder, loc, table, field)};
  llvm::append_range(operands, args);
  auto type = LLVM::LLVMFunctionType::get(result, SmallVector<Type>(args.getTypes()));
  auto call = LLVM::CallOp::create(builder, loc, type, operands);
  return call.getNumResults() ? call.getResult() : Value();
}

Value host::makeString(OpBuilder &builder, Location loc, StringRef text) {
  auto module = builder.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  std::string bytes = text.str() + '\0';
  std::string name;
  for (unsigned i = 0; name.empty() || module.lookupSymbol(name); ++i)
    name = ("tw.string" + Twine(i)).str();
  OpBuilder global = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(global.getI8Type(), bytes.size());
  LLVM::GlobalOp::create(global, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal,
                         name, global.getStringAttr(bytes));
  return LLVM::AddressOfOp::create(
      builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), name);
}

host::PrintedValue host::makePrinted(OpBuilder &builder, tile::PrintOp print) {
  Location loc = print.getLoc();
  Type i64 = builder.getI64Type();
  Value value = print.getValue();
  if (!value)
    return {TW_PRINT_NONE, arith::ConstantIntOp::create(builder, loc, i64, 0)};
  if (isa<FloatType>(value.getType())) {
    Value wide =
        tile::CastOp::create(builder, loc, builder.getF64Type(), value, false, false);
    return {TW_PRINT_F64, arith::BitcastOp::create(builder, loc, i64, wide)};
  }
  bool isUnsigned = print.getIsUnsigned();
  return {isUnsigned ? TW_PRINT_U64 : TW_PRINT_I64,
          tile::CastOp::create(builder, loc, i64, value, isUnsigned, false)};
}

FileLineColLoc host::getPlace(Location loc) {
  FileLineColLoc place;
  loc->walk([&](Location inner) {
    place = dyn_cast<FileLineColLoc>(inner);
    return place ? WalkResult::interrupt() : WalkResult::advance();
  });
  return place;
}

std::string host::describe(FileLineColLoc place) {
  if (!place)
    return "";
  return (place.getFilename().getValue() + ":" + Twine(place.getLine()) + ":" +
          Twine(place.getColumn()))
      .str();
}
