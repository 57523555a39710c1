//===- EmitMma.cpp - mma.sync -------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/CudaAtoms.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright::cuda;

/// The registers that hold `elements`, as the instruction takes them: one for each f64,
/// else of 32 bits.
static SmallVector<Value> splitRegisters(OpBuilder &builder, Location loc,
                                         Value elements) {
  auto type = cast<VectorType>(elements.getType());
  if (type.getElementType().isF64())
    return {vector::ExtractOp::create(builder, loc, elements, 0)};
  int64_t bits = type.getElementTypeBitWidth();
  int64_t count = type.getNumElements() * bits / 32;
  auto words = VectorType::get({count}, builder.getI32Type());
  elements = vector::BitCastOp::create(builder, loc, words, elements);
  SmallVector<Value> registers;
  for (int64_t i = 0; i < count; ++i) {
    Value word = vector::ExtractOp::create(builder, loc, elements, i);
    // f16 alone comes in pairs that have a type.
    if (type.getElementType().isF16())
      word = LLVM::BitcastOp::create(builder, loc,
                                     VectorType::get({2}, builder.getF16Type()), word);
    registers.push_back(word);
  }
  return registers;
}

static NVVM::MMATypes getPtxType(Type element) {
  return element.isF16()               ? NVVM::MMATypes::f16
         : element.isBF16()            ? NVVM::MMATypes::bf16
         : isa<FloatTF32Type>(element) ? NVVM::MMATypes::tf32
         : element.isF64()             ? NVVM::MMATypes::f64
         : element.isUnsignedInteger() ? NVVM::MMATypes::u8
                                       : NVVM::MMATypes::s8;
}

FailureOr<Value> MmaAttr::emit(OpBuilder &builder, Location loc,
                               ValueRange operands) const {
  SmallVector<Value> a = splitRegisters(builder, loc, operands[0]);
  SmallVector<Value> b = splitRegisters(builder, loc, operands[1]), c;
  auto type = cast<VectorType>(operands[2].getType());
  llvm::append_range(
      c, vector::ToElementsOp::create(builder, loc, operands[2]).getResults());
  SmallVector<Type> types(c.size(), type.getElementType());
  Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);

  tile::AtomShape shape = getShape();
  NVVM::MMATypes element = getPtxType(getElement());
  std::optional<NVVM::MMAIntOverflow> overflow;
  if (getElement().isInteger())
    overflow = NVVM::MMAIntOverflow::wrapped;
  int64_t extents[] = {shape.m, shape.n, shape.k};
  Value d = NVVM::MmaOp::create(
      builder, loc, result, a, b, c, extents, /*b1Op=*/std::nullopt, overflow,
      std::array<NVVM::MMATypes, 2>{element, element},
      std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row, NVVM::MMALayout::col});
  SmallVector<Value> elements;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    elements.push_back(LLVM::ExtractValueOp::create(builder, loc, d, i));
  return Value(vector::FromElementsOp::create(builder, loc, type, elements));
}
