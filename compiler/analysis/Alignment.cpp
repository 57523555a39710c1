//===- Alignment.cpp - Powers of two that indices are multiples of ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Alignment.h"

#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>

using namespace mlir;
using namespace tilewright::tile;

int64_t tilewright::tile::getAlignment(int64_t number, int64_t limit) {
  return std::gcd(number, limit); // of powers of two: `limit` is one
}

int64_t tilewright::tile::getAlignment(const LinearForm &form, int64_t limit) {
  limit = getAlignment(form.constant, limit);
  for (auto [atom, factor] : form.terms)
    limit = getAlignment(factor, limit);
  return limit;
}

Value tilewright::tile::getAlignedBase(Value memref) {
  while (auto view = memref.getDefiningOp<ViewOp>())
    memref = view.getSource();
  bool isParameter = isa<BlockArgument>(memref) && getParameter(memref);
  return isParameter || memref.getDefiningOp<WorkspaceOp>() ||
                 memref.getDefiningOp<AllocOp>()
             ? memref
             : Value();
}

int64_t tilewright::tile::getOffsetAlignment(Value memref, IndexBounds &bounds,
                                             int64_t limit) {
  while (auto part = memref.getDefiningOp<memref::SubViewOp>()) {
    auto [strides, offset] = part.getSourceType().getStridesAndOffset();
    for (auto [at, stride] : llvm::zip_equal(part.getMixedOffsets(), strides)) {
      if (isConstantIntValue(at, 0))
        continue;
      int64_t own = 1;
      if (auto number = getConstantIntValue(at))
        own = getAlignment(*number, limit);
      else
        own = getAlignment(bounds.form(cast<Value>(at)), limit);
      // Where the stride is not known, it is at least one element.
      limit = getAlignment(own * (ShapedType::isDynamic(stride) ? 1 : stride), limit);
    }
    memref = part.getSource();
  }
  return getAlignedBase(memref) ? limit : 1;
}
