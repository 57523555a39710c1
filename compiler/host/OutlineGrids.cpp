//===- OutlineGrids.cpp - Kernels become functions of a device module ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/host/DeviceMessages.h"
#include "compiler/host/LaunchFunction.h"
#include "compiler/host/Passes.h"
#include "dialects/simt/Simt.h"

#include "llvm/ADT/StringExtras.h"

namespace tilewright::host {
#define GEN_PASS_DEF_OUTLINEGRIDS
#include "compiler/host/Passes.h.inc"
} // namespace tilewright::host

using namespace mlir;
using namespace tilewright;
using namespace tilewright::host;
using namespace tilewright::tile;

namespace {
struct OutlineGridsPass : tilewright::host::impl::OutlineGridsBase<OutlineGridsPass> {
  void runOnOperation() override;

private:
  void outlineGrid(KernelOp kernel, StringRef name, Value host, Value state);

  ModuleOp device;
  std::optional<DeviceMessages> messages; // of the launch function at hand
};
} // namespace

/// Moves the body of `kernel` to a function of the device module, and launches it.
void OutlineGridsPass::outlineGrid(KernelOp kernel, StringRef name, Value host,
                                   Value state) {
  Location loc = kernel.getLoc();
  Value buffer = messages->getBuffer(kernel, host, state);
  llvm::SetVector<Value> captured = captureValues(kernel);
  ValueRange grid = kernel.getGrid();
  if (grid.size() > 1)
    captured.insert(grid.begin(), grid.end());
  if (buffer)
    captured.insert(buffer);

  // The function. Assemblers read letters of ASCII alone in a name, and no dots.
  std::string entryName = name.str();
  for (char &c : entryName)
    c = llvm::isAlnum(c) ? c : '_';
  OpBuilder builder = OpBuilder::atBlockEnd(device.getBody());
  SmallVector<Type> types;
  for (Value value : captured)
    types.push_back(value.getType());
  auto function =
      func::FuncOp::create(builder, loc, entryName, builder.getFunctionType(types, {}));
  int64_t threads = kernel.getThreads().value_or(simt::defaultThreads);
  function->setAttr(simt::threadsAttrName, builder.getI64IntegerAttr(threads));
  if (auto arena = kernel->getAttrOfType<IntegerAttr>("tile.arena"))
    function->setAttr(simt::sharedAttrName, builder.getI64IntegerAttr(arena.getInt()));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  IRMapping mapping;
  mapping.map(captured.getArrayRef(), entry->getArguments());
  Value block = simt::BlockIdOp::create(builder, loc);
  SmallVector<Value> extents;
  for (Value extent : grid)
    extents.push_back(mapping.lookupOrDefault(extent));
  mapping.map(kernel.getBody().getArguments(),
              grid.size() > 1 ? delinearize(builder, loc, block, extents)
                              : SmallVector<Value>{block});
  for (Operation &op : kernel.getBody().front())
    builder.clone(op, mapping);
  func::ReturnOp::create(builder, loc);
  if (buffer)
    messages->lower(function, mapping.lookup(buffer), block);

  // The launch.
  builder.setInsertionPoint(kernel);
  auto callee =
      SymbolRefAttr::get(device.getSymNameAttr(), {FlatSymbolRefAttr::get(function)});
  LaunchGridOp::create(builder, loc, callee, countBlocks(builder, kernel), threads, host,
                       state, captured.getArrayRef());
  kernel.erase();
}

void OutlineGridsPass::runOnOperation() {
  SmallVector<func::FuncOp> functions;
  for (func::FuncOp function : getOperation().getOps<func::FuncOp>())
    if (function.isPublic() && !function.isExternal())
      functions.push_back(function);
  OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
  device = ModuleOp::create(builder, getOperation().getLoc(), simt::deviceModuleName);
  for (func::FuncOp function : functions) {
    messages.emplace(function);
    auto outline = [&](KernelOp kernel, StringRef name, Value host, Value state) {
      outlineGrid(kernel, name, host, state);
    };
    makeLaunchFunction(function, outline);
    messages->finish();
  }
}
