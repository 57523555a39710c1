//===- Memory.cpp - Which memory a memref names -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace tilewright::tile {

Value getBaseMemory(Value memref) {
  while (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    memref = view.getViewSource();
  return memref;
}

DictionaryAttr getParameter(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  auto function = arg ? dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp()) : nullptr;
  auto signature =
      function ? function->getAttrOfType<DictionaryAttr>("tile.signature") : nullptr;
  auto params = signature ? signature.getAs<ArrayAttr>("params") : nullptr;
  if (!params || arg.getArgNumber() >= params.size())
    return nullptr;
  return cast<DictionaryAttr>(params[arg.getArgNumber()]);
}

/// Whether a base memory is an allocation, a workspace or a function's parameter without
/// alias: what a kernel writes overlaps no other of these (the launch checks it).
static bool standsAlone(Value base) {
  if (isa_and_nonnull<AllocOp, WorkspaceOp>(base.getDefiningOp()))
    return true;
  auto arg = dyn_cast<BlockArgument>(base);
  if (!arg || !isa<func::FuncOp>(arg.getOwner()->getParentOp()))
    return false;
  DictionaryAttr param = getParameter(base);
  return !param || !param.contains("alias");
}

bool mayOverlap(Value written, Value read) {
  Value a = getBaseMemory(written), b = getBaseMemory(read);
  if (getSpace(a) != getSpace(b))
    return false;
  return a == b || (!isa_and_nonnull<AllocOp>(a.getDefiningOp()) &&
                    !isa_and_nonnull<AllocOp>(b.getDefiningOp()) &&
                    !(standsAlone(a) && standsAlone(b)));
}

bool mayWrite(Operation *scope, Value memory) {
  auto writes = [memory](Operation *op) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects)
      return !op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() &&
             !op->hasTrait<OpTrait::IsTerminator>();
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    return llvm::any_of(instances, [&](const MemoryEffects::EffectInstance &effect) {
      return isa<MemoryEffects::Write>(effect.getEffect()) && effect.getValue() &&
             mayOverlap(effect.getValue(), memory);
    });
  };
  return scope
      ->walk([&](Operation *op) {
        return writes(op) ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

std::string describeMemory(Value memref) {
  Value base = getBaseMemory(memref);
  if (DictionaryAttr param = getParameter(base))
    return param.getAs<StringAttr>("name").str();
  std::optional<StringRef> name;
  if (auto alloc = base.getDefiningOp<AllocOp>())
    name = alloc.getName();
  else if (auto workspace = base.getDefiningOp<WorkspaceOp>())
    name = workspace.getName();
  return name ? name->str() : "a tensor";
}

} // namespace tilewright::tile
