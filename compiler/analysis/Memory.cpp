//===- Memory.cpp - Which memory a memref names -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"

#include "dialects/simt/Simt.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace tilewright::tile {

/// The buffer of a channel that `memref` is a stage of; null where it is none.
static Value getStageBuffer(Value memref) {
  Value channel;
  unsigned number = 0;
  if (auto get = memref.getDefiningOp<simt::GetOp>()) {
    channel = get.getChannel();
    number = cast<OpResult>(memref).getResultNumber();
  } else if (auto argument = dyn_cast<BlockArgument>(memref)) {
    if (auto put = dyn_cast<simt::PutOp>(argument.getOwner()->getParentOp())) {
      channel = put.getChannel();
      number = argument.getArgNumber();
    }
  }
  auto made = channel ? channel.getDefiningOp<simt::ChannelOp>() : nullptr;
  return made ? made.getBuffers()[number] : Value();
}

Value getBaseMemory(Value memref) {
  for (;;) {
    if (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
      memref = view.getViewSource();
    else if (Value buffer = getStageBuffer(memref))
      memref = buffer;
    else
      return memref;
  }
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

void moveToSpace(Value memref, Space space) {
  memref.setType(
      MemRefType(MemRefType::Builder(cast<MemRefType>(memref.getType()))
                     .setMemorySpace(SpaceAttr::get(memref.getContext(), space))));
  for (Operation *user : memref.getUsers())
    if (isa<ViewLikeOpInterface>(user))
      moveToSpace(user->getResult(0), space);
}

void requireAlignment(BlockArgument parameter, int64_t bytes) {
  auto function = cast<func::FuncOp>(parameter.getOwner()->getParentOp());
  NamedAttrList signature(function->getAttrOfType<DictionaryAttr>("tile.signature"));
  SmallVector<Attribute> params(cast<ArrayAttr>(signature.get("params")).getValue());
  NamedAttrList entry(cast<DictionaryAttr>(params[parameter.getArgNumber()]));
  auto known = dyn_cast_if_present<IntegerAttr>(entry.get("align"));
  if (known && known.getInt() >= bytes)
    return;
  Builder builder(function.getContext());
  entry.set("align", builder.getI64IntegerAttr(bytes));
  params[parameter.getArgNumber()] = entry.getDictionary(function.getContext());
  signature.set("params", builder.getArrayAttr(params));
  function->setAttr("tile.signature", signature.getDictionary(function.getContext()));
}

/// The name of the parameter at the end of the aliases that `parameter` declares, its own
/// where it declares none; null where they go round in a circle.
static StringAttr getAliasRoot(BlockArgument argument, DictionaryAttr parameter) {
  auto function = cast<func::FuncOp>(argument.getOwner()->getParentOp());
  auto name = parameter.getAs<StringAttr>("name");
  for (unsigned left = function.getNumArguments(); left > 0; --left) {
    auto alias = parameter.getAs<StringAttr>("alias");
    if (!alias)
      return name;
    for (BlockArgument other : function.getArguments())
      if (DictionaryAttr entry = getParameter(other);
          entry && entry.getAs<StringAttr>("name") == alias)
        parameter = entry;
    name = alias;
  }
  return nullptr;
}

/// Whether a base memory is an allocation, a workspace or a function's parameter, which
/// are apart from all others of these unless the signature says so (the launch checks
/// it).
static bool isKnown(Value base) {
  if (isa_and_nonnull<AllocOp, WorkspaceOp>(base.getDefiningOp()))
    return true;
  auto arg = dyn_cast<BlockArgument>(base);
  return arg && isa<func::FuncOp>(arg.getOwner()->getParentOp());
}

/// Whether the signature lets two different parameters be the same memory.
static bool mayBeAliases(Value a, Value b) {
  DictionaryAttr first = getParameter(a), second = getParameter(b);
  if (!first || !second)
    return false;
  StringAttr root = getAliasRoot(cast<BlockArgument>(a), first);
  return !root || root == getAliasRoot(cast<BlockArgument>(b), second);
}

bool mayOverlap(Value written, Value read) {
  Value a = getBaseMemory(written), b = getBaseMemory(read);
  if (getSpace(a) != getSpace(b))
    return false;
  if (a == b)
    return true;
  if (isa_and_nonnull<AllocOp>(a.getDefiningOp()) ||
      isa_and_nonnull<AllocOp>(b.getDefiningOp()))
    return false;
  return !isKnown(a) || !isKnown(b) || mayBeAliases(a, b);
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

FailureOr<Accesses> getElementAccesses(Operation *op) {
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return Accesses{
        {AccessKind::Read, Box::element(load.getMemref(), load.getIndices()), {}, {}}};
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return Accesses{
        {AccessKind::Write, Box::element(store.getMemref(), store.getIndices()), {}, {}}};
  if (auto known = dyn_cast<AccessOpInterface>(op))
    return known.getAccesses();
  bool touches = llvm::any_of(op->getOperandTypes(), llvm::IsaPred<MemRefType>);
  if (touches && !isMemoryEffectFree(op))
    return failure();
  return Accesses();
}

bool canRepeat(ParallelOp nest) {
  SmallVector<Value> read, written;
  bool isPlain = true;
  nest.walk([&](Operation *op) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects)
      return;
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (const MemoryEffects::EffectInstance &effect : instances) {
      bool isWrite = isa<MemoryEffects::Write>(effect.getEffect());
      Value memory = effect.getValue();
      if (memory && isa<MemRefType>(memory.getType())) {
        Space space = getSpace(getBaseMemory(memory));
        if (space == Space::Fragment || space == Space::Local)
          continue;
        (isWrite ? written : read).push_back(getBaseMemory(memory));
      }
      isPlain &= !isWrite || op->use_empty();
    }
  });
  return isPlain && llvm::none_of(written, [&](Value to) {
           return llvm::any_of(read, [&](Value from) { return mayOverlap(to, from); });
         });
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
