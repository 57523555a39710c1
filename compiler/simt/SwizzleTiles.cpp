//===- SwizzleTiles.cpp - Shared tiles without bank conflicts -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Warps read an operand as columns of chunks of 16 bytes, eight rows at a time. With rows
// of 2^a odd chunks, those eight are in 2^(3 - a) different places of the 128 bytes that
// memory gives at once, for a up to 3: the rows' chunks are exchanged to make it eight.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_SWIZZLETILES
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

static constexpr int64_t kChunkBytes = 16, kRowsAtOnce = 8;

namespace {
struct SwizzleTilesPass : simt::impl::SwizzleTilesBase<SwizzleTilesPass> {
  void runOnOperation() override;
};
} // namespace

/// Whether instructions read the tile as an operand, and all that is done with it names
/// elements of it.
static bool isOperandAlone(tile::AllocOp alloc) {
  bool isOperand = false;
  for (Operation *user : alloc->getUsers()) {
    auto gemm = dyn_cast<tile::GemmOp>(user);
    if (gemm && gemm.getAtom() && gemm.getC() != alloc.getResult())
      isOperand = true;
    else if (!isa<memref::LoadOp, memref::StoreOp>(user))
      return false;
  }
  return isOperand;
}

/// The swizzle of rows of `type`; null where they need none or have no whole chunks.
static SwizzleAttr getSwizzle(MemRefType type) {
  int64_t bits = type.getElementTypeBitWidth();
  if (type.getRank() < 2 || bits % 8 != 0)
    return nullptr;
  int64_t rowBytes = type.getShape().back() * bits / 8;
  int64_t chunks = rowBytes / kChunkBytes;
  if (chunks == 0 || rowBytes % kChunkBytes != 0 || chunks % 2 != 0)
    return nullptr;
  int64_t exchanged = std::min<int64_t>(llvm::countr_zero(uint64_t(chunks)), 3);
  return SwizzleAttr::get(type.getContext(), kChunkBytes * 8 / bits, exchanged,
                          kRowsAtOnce >> exchanged);
}

void SwizzleTilesPass::runOnOperation() {
  getOperation().walk([&](tile::AllocOp alloc) {
    auto type = cast<MemRefType>(alloc.getResult().getType());
    if (tile::getSpace(type) != tile::Space::Shared || !isOperandAlone(alloc))
      return;
    if (SwizzleAttr swizzle = getSwizzle(type)) {
      alloc->setAttr(swizzleAttrName, swizzle);
      ++numSwizzled;
    }
  });
}
