//===- Recompute.cpp - Values that can be computed elsewhere ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Recompute.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

bool tilewright::canRecompute(Value value, IsGiven isGiven,
                              function_ref<bool(Operation *)> mayLoad) {
  if (isGiven(value))
    return true;
  Operation *definition = value.getDefiningOp();
  return definition && definition->getNumRegions() == 0 &&
         (isPure(definition) || mayLoad(definition)) &&
         llvm::all_of(definition->getOperands(), [&](Value operand) {
           return canRecompute(operand, isGiven, mayLoad);
         });
}

Value tilewright::recompute(OpBuilder &builder, Value value, IsGiven isGiven,
                            IRMapping &mapping) {
  if (mapping.contains(value) || isGiven(value))
    return mapping.lookupOrDefault(value);
  Operation *definition = value.getDefiningOp();
  for (Value operand : definition->getOperands())
    mapping.map(operand, recompute(builder, operand, isGiven, mapping));
  builder.clone(*definition, mapping); // which maps its results
  return mapping.lookup(value);
}
