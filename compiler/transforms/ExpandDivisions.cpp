//===- ExpandDivisions.cpp - Divisions that round up or down ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_EXPANDDIVISIONS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;

namespace {
struct ExpandDivisions : tile::impl::ExpandDivisionsBase<ExpandDivisions> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    arith::populateCeilFloorDivExpandOpsPatterns(patterns);
    // In one walk, which folds nothing: canonicalization follows.
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
