//===- SkipUnitScales.cpp - Rows that are multiplied by one -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Online softmax scales the rows of its accumulator by how far their maximum has moved,
// in each step. After a few steps most maxima stay, and rows are multiplied by one:
//
//     for j {                              if (scale != 1)
//       acc[i, j] = acc[i, j] * scale  =>    for j
//     }                                        acc[i, j] = acc[i, j] * scale
//
// A number times one is that number, an infinity and a NaN included.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_SKIPUNITSCALES
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;

/// The number by which `loop` multiplies vectors in their places, and does nothing else;
/// null where it does.
static Value getScale(scf::ForOp loop) {
  if (loop.getNumResults() != 0 || !llvm::hasNItems(*loop.getBody(), 4))
    return {};
  auto ops = loop.getBody()->begin();
  auto load = dyn_cast<vector::LoadOp>(*ops++);
  auto product = dyn_cast<arith::MulFOp>(*ops++);
  auto store = dyn_cast<vector::StoreOp>(*ops++);
  if (!load || !product || !store || store.getValueToStore() != product ||
      store.getBase() != load.getBase() || store.getIndices() != load.getIndices())
    return {};
  Value factor = product.getLhs() == load ? product.getRhs() : product.getLhs();
  auto spread = factor.getDefiningOp<vector::BroadcastOp>();
  if (!spread || factor == load || !isa<FloatType>(spread.getSourceType()) ||
      !loop.isDefinedOutsideOfLoop(spread.getSource()) ||
      (product.getLhs() != load && product.getRhs() != load))
    return {};
  return spread.getSource();
}

namespace {
struct SkipUnitScalesPass
    : tilewright::cpu::impl::SkipUnitScalesBase<SkipUnitScalesPass> {
  void runOnOperation() override {
    SmallVector<std::pair<scf::ForOp, Value>> found;
    getOperation()->walk([&](scf::ForOp loop) {
      if (Value scale = getScale(loop))
        found.emplace_back(loop, scale);
    });
    for (auto [loop, scale] : found) {
      OpBuilder b(loop);
      Location loc = loop.getLoc();
      Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(scale.getType(), 1.0));
      Value changes =
          arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, scale, one);
      auto branch = scf::IfOp::create(b, loc, changes);
      loop->moveBefore(branch.thenBlock(), branch.thenBlock()->begin());
    }
  }
};
} // namespace
