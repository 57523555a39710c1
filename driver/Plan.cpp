//===- Plan.cpp - What a kernel's memory is used for --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Plan.h"

#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace tilewright;

static llvm::json::Object describeBuffer(tile::AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getResult().getType());
  std::string dtype;
  llvm::raw_string_ostream(dtype) << type.getElementType();
  int64_t elementBytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  return llvm::json::Object{
      {"name", alloc.getName().value_or("").str()},
      {"space", tile::stringifySpace(tile::getSpace(type))},
      {"shape", llvm::json::Array(type.getShape())},
      {"dtype", dtype},
      {"bytes", type.getNumElements() * elementBytes},
      {"offset", static_cast<int64_t>(alloc.getOffset().value_or(0))}};
}

llvm::json::Value tilewright::describePlan(ModuleOp module, int64_t budget) {
  llvm::json::Array kernels;
  bool fits = true;
  module.walk([&](tile::KernelOp kernel) {
    llvm::json::Array buffers;
    kernel.walk([&](tile::AllocOp alloc) {
      if (tile::getSpace(alloc.getResult()) != tile::Space::Local)
        buffers.push_back(describeBuffer(alloc));
    });
    auto arena = kernel->getAttrOfType<IntegerAttr>("tile.arena");
    int64_t bytes = arena ? arena.getInt() : 0;
    fits &= bytes <= budget;
    kernels.push_back(
        llvm::json::Object{{"arena_bytes", bytes}, {"buffers", std::move(buffers)}});
  });
  return llvm::json::Object{
      {"budget", budget}, {"fits", fits}, {"kernels", std::move(kernels)}};
}
