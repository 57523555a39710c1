//===- Canonicalize.cpp - MLIR's canonicalizer, from the last operation on --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An operation that changes is looked at again, and so are the loops around it, to see
// whether they are dead: which asks all that is in them. From the first operation to the
// last, MLIR's default, users change after what they use, each by itself: a straight line
// of n operations in a loop takes n^2. From the last to the first most are done with when
// they are met.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Canonicalize.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tilewright;

std::unique_ptr<Pass> tile::createCanonicalize() {
  return createCanonicalizerPass(GreedyRewriteConfig().setUseTopDownTraversal(false));
}
