//===- CheckSharedMemory.cpp - Kernels whose tiles do not fit ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/Passes.h"
#include "dialects/tile/Tile.h"

#include "llvm/Support/FormatVariadic.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_CHECKSHAREDMEMORY
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright::tile;

namespace {
struct CheckSharedMemoryPass
    : tilewright::simt::impl::CheckSharedMemoryBase<CheckSharedMemoryPass> {
  using CheckSharedMemoryBase::CheckSharedMemoryBase;
  void runOnOperation() override;
};
} // namespace

/// A line per tile: where it is, how long, what.
static std::string describeTiles(KernelOp kernel) {
  std::string table;
  llvm::raw_string_ostream stream(table);
  kernel.walk([&](AllocOp alloc) {
    auto type = cast<MemRefType>(alloc.getResult().getType());
    if (getSpace(type) == Space::Local)
      return;
    int64_t bytes = type.getNumElements() *
                    llvm::divideCeil(type.getElementType().getIntOrFloatBitWidth(), 8);
    stream << llvm::formatv("\n  at {0,7}  {1,7} bytes  {2} ",
                            alloc.getOffset().value_or(0), bytes,
                            describeMemory(alloc.getResult()));
    stream << "(";
    llvm::interleaveComma(type.getShape(), stream);
    stream << ") " << type.getElementType();
  });
  return table;
}

void CheckSharedMemoryPass::runOnOperation() {
  getOperation().walk([&](KernelOp kernel) {
    auto arena = kernel->getAttrOfType<IntegerAttr>("tile.arena");
    if (!arena || arena.getInt() <= limit)
      return;
    kernel.emitError() << "the tiles of a block take " << arena.getInt()
                       << " bytes of shared memory, and " << target.getValue() << " has "
                       << limit.getValue()
                       << "; take smaller tiles or fewer stages (T.choose takes the "
                          "first that fit):"
                       << describeTiles(kernel);
    signalPassFailure();
  });
}
