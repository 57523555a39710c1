//===- IntegerSigns.cpp - Signs copied by integers ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/IntegerSigns.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

using namespace llvm;

static bool isBesideTruncation(IntrinsicInst &copysign) {
  return isa<FPTruncInst>(copysign.getArgOperand(1)) ||
         any_of(copysign.users(), IsaPred<FPTruncInst>);
}

void tilewright::cpu::copySignsAsIntegers(Module &module) {
  for (Function &function : module) {
    for (Instruction &instruction : make_early_inc_range(instructions(function))) {
      auto *copysign = dyn_cast<IntrinsicInst>(&instruction);
      if (!copysign || copysign->getIntrinsicID() != Intrinsic::copysign ||
          copysign->getType()->isVectorTy() || !isBesideTruncation(*copysign))
        continue;
      IRBuilder<> builder(copysign);
      unsigned width = copysign->getType()->getPrimitiveSizeInBits();
      Type *bits = builder.getIntNTy(width);
      auto getPart = [&](unsigned operand, const APInt &mask) {
        Value *whole = builder.CreateBitCast(copysign->getArgOperand(operand), bits);
        return builder.CreateAnd(whole, ConstantInt::get(bits, mask));
      };
      Value *size = getPart(0, APInt::getSignedMaxValue(width));
      Value *sign = getPart(1, APInt::getSignMask(width));
      copysign->replaceAllUsesWith(
          builder.CreateBitCast(builder.CreateOr(size, sign), copysign->getType()));
      copysign->eraseFromParent();
    }
  }
}
