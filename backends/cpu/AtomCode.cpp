//===- AtomCode.cpp - The instructions of atoms -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuAtoms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright::cpu;
using tilewright::tile::AtomRole;

Value AtomAttr::broadcast(OpBuilder &builder, Location loc, Value group) const {
  VectorType full = getRegisterType(AtomRole::A);
  if (getDepth() == 1) {
    Value scalar = vector::ExtractOp::create(builder, loc, group, 0);
    return vector::BroadcastOp::create(builder, loc, full, scalar);
  }
  // All groups are 32 bits, which one instruction loads and broadcasts.
  Type i32 = builder.getI32Type();
  Value word = vector::BitCastOp::create(builder, loc, VectorType::get(1, i32), group);
  word = vector::ExtractOp::create(builder, loc, word, 0);
  Value words =
      vector::BroadcastOp::create(builder, loc, VectorType::get(getLanes(), i32), word);
  return vector::BitCastOp::create(builder, loc, full, words);
}

static Value callIntrinsic(OpBuilder &builder, Location loc, StringRef name, Type result,
                           ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(builder, loc, result, builder.getStringAttr(name),
                                       operands)
      .getResult(0);
}

/// The sign bit of each of B's or A's bytes: flipping it adds 128.
static Value makeSignBits(OpBuilder &builder, Location loc, Type type) {
  return arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(cast<VectorType>(type), APInt(8, 0x80)));
}

static StringRef getByteDot(int64_t vectorBits) {
  return vectorBits == 512 ? "llvm.x86.avx512.vpdpbusd.512"
                           : "llvm.x86.avx512.vpdpbusd.256";
}

bool AtomAttr::hasExcess() const { return getInstruction() == Instruction::DotI8; }

Value AtomAttr::emitWithExcess(OpBuilder &builder, Location loc, Value a, Value b,
                               Value c) const {
  Value flip = makeSignBits(builder, loc, a.getType());
  Value raised = arith::XOrIOp::create(builder, loc, a, flip);
  return callIntrinsic(builder, loc, getByteDot(getVectorBits()), c.getType(),
                       {c, raised, b});
}

Value AtomAttr::addExcess(OpBuilder &builder, Location loc, Value b, Value sum) const {
  Value flip = makeSignBits(builder, loc, b.getType());
  return callIntrinsic(builder, loc, getByteDot(getVectorBits()), sum.getType(),
                       {sum, flip, b});
}

/// The intrinsic of an instruction of AArch64, which takes C, A and B.
static StringRef getNeonIntrinsic(Instruction instruction) {
  switch (instruction) {
  case Instruction::BfDot:
    return "llvm.aarch64.neon.bfdot";
  case Instruction::SDot:
    return "llvm.aarch64.neon.sdot";
  case Instruction::UDot:
    return "llvm.aarch64.neon.udot";
  case Instruction::BfMmla:
    return "llvm.aarch64.neon.bfmmla";
  case Instruction::SMmla:
    return "llvm.aarch64.neon.smmla";
  case Instruction::UMmla:
    return "llvm.aarch64.neon.ummla";
  default:
    llvm_unreachable("no instruction of AArch64");
  }
}

FailureOr<Value> AtomAttr::emit(OpBuilder &builder, Location loc,
                                ValueRange operands) const {
  Value a = operands[0], b = operands[1], c = operands[2];
  switch (getInstruction()) {
  case Instruction::Fma:
    return vector::FMAOp::create(builder, loc, a, b, c).getResult();
  case Instruction::DotBF16:
    return callIntrinsic(builder, loc, "llvm.x86.avx512bf16.dpbf16ps.512", c.getType(),
                         {c, a, b});
  case Instruction::DotI8: {
    Value zero =
        arith::ConstantOp::create(builder, loc, builder.getZeroAttr(c.getType()));
    Value excess = addExcess(builder, loc, b, zero);
    Value sum = emitWithExcess(builder, loc, a, b, c);
    return arith::SubIOp::create(builder, loc, sum, excess).getResult();
  }
  case Instruction::DotI16: {
    Value sum = callIntrinsic(
        builder, loc,
        getVectorBits() == 512 ? "llvm.x86.avx512.pmaddw.d.512" : "llvm.x86.avx2.pmadd.wd",
        c.getType(), {a, b});
    return arith::AddIOp::create(builder, loc, c, sum).getResult();
  }
  case Instruction::MultiplyAdd: {
    Value product = arith::MulIOp::create(builder, loc, a, b);
    return arith::AddIOp::create(builder, loc, c, product).getResult();
  }
  case Instruction::BfDot:
  case Instruction::SDot:
  case Instruction::UDot:
  case Instruction::BfMmla:
  case Instruction::SMmla:
  case Instruction::UMmla:
    return callIntrinsic(builder, loc, getNeonIntrinsic(getInstruction()), c.getType(),
                         {c, a, b});
  case Instruction::TileBF16:
  case Instruction::TileI8:
  case Instruction::TileU8:
    return emitError(loc) << *this << " multiplies no values, but tiles by number";
  }
  llvm_unreachable("unknown instruction");
}
