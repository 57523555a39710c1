//===- ProveBounds.cpp - Mark accesses that cannot leave their tensor ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Passes.h"
#include "dialects/tile/Tile.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_PROVEBOUNDS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright::tile;

namespace {
struct ProveBoundsPass : tilewright::tile::impl::ProveBoundsBase<ProveBoundsPass> {
  void runOnOperation() override;
};
} // namespace

/// Marks the dimensions of `op` whose index is a constant inside a static extent.
template <typename Access> static void prove(Access op) {
  auto type = cast<MemRefType>(op.getMemref().getType());
  SmallVector<bool> inbounds(op.getInbounds());
  inbounds.resize(type.getRank());
  for (auto [dim, index] : llvm::enumerate(op.getIndices())) {
    auto constant = getConstantIntValue(index);
    if (constant && *constant >= 0 && !type.isDynamicDim(dim))
      inbounds[dim] |= *constant < type.getDimSize(dim);
  }
  op.setInbounds(inbounds);
}

void ProveBoundsPass::runOnOperation() {
  getOperation()->walk([](Operation *op) {
    if (auto load = dyn_cast<LoadOp>(op))
      prove(load);
    else if (auto store = dyn_cast<StoreOp>(op))
      prove(store);
    else if (auto atomic = dyn_cast<AtomicOp>(op))
      prove(atomic);
  });
}
