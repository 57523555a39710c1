//===- ExpandSelection.cpp - The k largest elements by their ranks ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An element's rank is the number of elements of its row that come before it in the
// result: those of a larger key, and equal ones at earlier positions. No two have one
// rank, so each element writes itself there.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/ExpandBuilder.h"
#include "compiler/transforms/ExpandTiles.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

void tile::expandTopK(TopKOp op) {
  ExpandBuilder b(op);
  Location loc = op.getLoc();
  Value src = b.keepFrom(op.getSrc(), op.getValues());
  if (src == op.getSrc())
    src = b.keepFrom(src, op.getIndices());
  int64_t dim = op.getDim(), extent = shapeOf(src)[dim];
  int64_t count = shapeOf(op.getValues())[dim];
  Type i32 = b.getI32Type();
  auto keyOf = [&](Value element) {
    return orderKey(b.expr(element), op.getIsUnsigned(), op.getSmallest());
  };
  b.parallel(shapeOf(src), [&](ArrayRef<Value> at) {
    Value element = b.load(src, at), position = at[dim];
    Expr key = keyOf(element);
    Value none = b.constant(0, i32);
    auto ranks = b.serial(0, extent, none, [&](Value i, ValueRange carried) {
      SmallVector<Value> there(at);
      there[dim] = i;
      Expr other = keyOf(b.load(src, there));
      Expr isEarlier = b.expr(b.compare(arith::CmpIPredicate::slt, i, position));
      Expr isBefore = (other > key) | (equal(other, key) & isEarlier);
      return SmallVector<Value>{b.expr(carried[0]) + isBefore.to<arith::ExtUIOp>(i32)};
    });
    Expr rank = b.expr(ranks[0]);
    Value isAmongFirst;
    if (count < extent)
      isAmongFirst = rank < static_cast<int32_t>(count);
    b.ifElse(
        isAmongFirst,
        [&] {
          SmallVector<Value> to(at);
          to[dim] = arith::IndexCastOp::create(b, loc, b.getIndexType(), rank);
          b.store(element, op.getValues(), to);
          Expr number = castElements(b.expr(position), elementOf(op.getIndices()));
          b.store(number, op.getIndices(), to);
        },
        [] {});
  });
}
