//===- EmitMfma.cpp - v_mfma --------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/hip/HipAtoms.h"

#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright::hip;

/// What a lane holds of A or B, as the intrinsic takes it: a number, a vector of f16, of
/// 16-bit integers for bf16, one integer for bytes.
static Value packOperand(OpBuilder &builder, Location loc, Value elements) {
  auto type = cast<VectorType>(elements.getType());
  Type element = type.getElementType();
  if (type.getNumElements() == 1)
    return vector::ExtractOp::create(builder, loc, elements, 0);
  // The longer forms of gfx950 take bf16 and words of bytes as such. In the LLVM dialect
  // a bf16 is its bits until an instruction wants it.
  constexpr int64_t longer = 128;
  int64_t bits = type.getNumElements() * type.getElementTypeBitWidth();
  if (element.isBF16()) {
    auto halves = type.clone(builder.getIntegerType(16));
    elements = vector::BitCastOp::create(builder, loc, halves, elements);
    return bits < longer ? elements
                         : Value(LLVM::BitcastOp::create(builder, loc, type, elements));
  }
  if (element.getIntOrFloatBitWidth() == 8) {
    if (bits == longer)
      return vector::BitCastOp::create(
          builder, loc, VectorType::get({bits / 32}, builder.getI32Type()), elements);
    auto whole = VectorType::get({1}, builder.getIntegerType(bits));
    elements = vector::BitCastOp::create(builder, loc, whole, elements);
    return vector::ExtractOp::create(builder, loc, elements, 0);
  }
  return elements;
}

/// The name of the intrinsic, as LLVM spells it.
static std::string getIntrinsic(MfmaAttr atom) {
  std::string shape =
      (Twine(atom.getM()) + "x" + Twine(atom.getM()) + "x" + Twine(atom.getK())).str();
  Type element = atom.getElement();
  StringRef prefix = "rocdl.mfma.";
  if (element.isF64())
    return (prefix + "f64." + shape + "f64").str();
  if (element.isInteger())
    return (prefix + "i32." + shape + (atom.getM() * atom.getK() > 256 ? ".i8" : "i8"))
        .str();
  if (element.isF32())
    return (prefix + "f32." + shape + "f32").str();
  if (element.getIntOrFloatBitWidth() == 8) {
    StringRef name = isa<Float8E5M2Type, Float8E5M2FNUZType>(element) ? ".bf8" : ".fp8";
    return (prefix + "f32." + shape + name + name).str();
  }
  bool isLonger = atom.getM() * atom.getK() > 256;
  StringRef name = element.isF16() ? "f16" : isLonger ? "bf16" : "bf16.1k";
  return (prefix + "f32." + shape + (isLonger ? "." : "") + name).str();
}

FailureOr<Value> MfmaAttr::emit(OpBuilder &builder, Location loc,
                                ValueRange operands) const {
  SmallVector<Value> arguments{packOperand(builder, loc, operands[0]),
                               packOperand(builder, loc, operands[1]), operands[2]};
  // No broadcast of blocks, no permutation.
  Value zero = arith::ConstantIntOp::create(builder, loc, builder.getI32Type(), 0);
  arguments.append(3, zero);
  OperationState state(loc, getIntrinsic(*this), arguments, operands[2].getType());
  if (!builder.getContext()->isOperationRegistered(state.name.getStringRef()))
    return emitError(loc) << *this << " has no intrinsic " << state.name.getStringRef();
  return builder.create(state)->getResult(0);
}
