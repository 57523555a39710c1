//===- OneLaneStores.cpp - Masked stores of one lane --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/OneLaneStores.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"

using namespace llvm;

/// The one lane of a constant mask, if it has one alone.
static std::optional<unsigned> getOnlyLane(Value *mask) {
  auto *constant = dyn_cast<Constant>(mask);
  auto *type = dyn_cast<FixedVectorType>(mask->getType());
  if (!constant || !type)
    return std::nullopt;
  std::optional<unsigned> only;
  for (unsigned lane = 0; lane < type->getNumElements(); ++lane) {
    Constant *bit = constant->getAggregateElement(lane);
    if (!bit)
      return std::nullopt;
    if (bit->isNullValue() || isa<UndefValue>(bit))
      continue;
    if (only || !bit->isOneValue())
      return std::nullopt;
    only = lane;
  }
  return only;
}

void tilewright::cpu::storeSingleLanes(Module &module) {
  for (Function &function : module) {
    for (Instruction &instruction : make_early_inc_range(instructions(function))) {
      auto *store = dyn_cast<IntrinsicInst>(&instruction);
      if (!store || store->getIntrinsicID() != Intrinsic::masked_store)
        continue;
      Value *value = store->getArgOperand(0), *address = store->getArgOperand(1);
      std::optional<unsigned> lane = getOnlyLane(store->getArgOperand(2));
      if (!lane)
        continue;
      IRBuilder<> builder(store);
      Type *element = cast<FixedVectorType>(value->getType())->getElementType();
      uint64_t offset = *lane * module.getDataLayout().getTypeStoreSize(element);
      Align align = commonAlignment(store->getParamAlign(1).valueOrOne(), offset);
      builder.CreateAlignedStore(builder.CreateExtractElement(value, *lane),
                                 builder.CreatePtrAdd(address, builder.getInt64(offset)),
                                 align);
      store->eraseFromParent();
    }
  }
}
