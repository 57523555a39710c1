//===- ProveBounds.cpp - Mark accesses that cannot leave their tensor ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"
#include "compiler/transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_PROVEBOUNDS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright::tile;

namespace {
struct ProveBoundsPass : tilewright::tile::impl::ProveBoundsBase<ProveBoundsPass> {
  void runOnOperation() override;

private:
  template <typename Access> void prove(Access op, IndexBounds &bounds);
};
} // namespace

static bool isInLoop(Operation *op) {
  for (Operation *parent = op->getParentOp(); parent && !isa<KernelOp>(parent);
       parent = parent->getParentOp())
    if (isa<LoopLikeOpInterface>(parent))
      return true;
  return false;
}

/// Tells that dimension `dim` of an access is checked in every iteration, and why.
static void remarkGuard(Operation *op, Value memref, int64_t dim,
                        bool isNegativePossible) {
  InFlightDiagnostic remark = mlir::emitRemark(op->getLoc());
  remark << "index " << dim << " of " << describeMemory(memref)
         << " is checked in the loop: it is not shown to "
         << (isNegativePossible ? "be at least 0" : "be below the extent")
         << "; T.assume, or min and multiple_of of T.dynamic, can show it";
}

template <typename Access> void ProveBoundsPass::prove(Access op, IndexBounds &bounds) {
  Value memref = op.getMemref();
  int64_t rank = cast<MemRefType>(memref.getType()).getRank();
  SmallVector<bool> inbounds(op.getInbounds());
  inbounds.resize(rank);
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (inbounds[dim])
      continue;
    Value index = op.getIndices()[dim];
    bool isNonNegative = bounds.isNonNegative(index, op);
    inbounds[dim] = isNonNegative && bounds.isBelowExtent(index, memref, dim, op);
    inbounds[dim] ? ++numProved : ++numLeft;
    if (!inbounds[dim] && isInLoop(op))
      remarkGuard(op, memref, dim, !isNonNegative);
  }
  op.setInbounds(inbounds);
}

void ProveBoundsPass::runOnOperation() {
  IndexBounds bounds(getOperation());
  getOperation().walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *, void>(op).Case<LoadOp, StoreOp, AtomicOp>(
        [&](auto access) { prove(access, bounds); });
  });
}
