//===- ExpandCompute.cpp - Reductions, scans and products as loops ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/ExpandBuilder.h"
#include "compiler/transforms/ExpandTiles.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

/// `shape` without dimension `dim`.
static SmallVector<int64_t> without(ArrayRef<int64_t> shape, int64_t dim) {
  SmallVector<int64_t> rest(shape);
  rest.erase(rest.begin() + dim);
  return rest;
}

/// The coordinates `rest` with `i` as dimension `dim`.
static SmallVector<Value> with(ArrayRef<Value> rest, int64_t dim, Value i) {
  SmallVector<Value> all(rest);
  all.insert(all.begin() + dim, i);
  return all;
}

//===----------------------------------------------------------------------===//
// reduce
//===----------------------------------------------------------------------===//

/// The position of the element with the largest key of `count`, the first of equals.
static Expr findLargest(ExpandBuilder &b, int64_t count, Type keyType,
                        function_ref<Expr(Value)> keyAt) {
  APInt least = APInt::getSignedMinValue(keyType.getIntOrFloatBitWidth());
  Value none = arith::ConstantOp::create(b, b.getLoc(), b.getIntegerAttr(keyType, least));
  Type i32 = b.getI32Type();
  Value first = b.constant(0, i32);
  auto best = b.serial(0, count, {none, first}, [&](Value i, ValueRange carried) {
    Expr next = keyAt(i), key = b.expr(carried[0]);
    Expr larger = next > key;
    Expr position = b.expr(arith::IndexCastOp::create(b, b.getLoc(), i32, i));
    return SmallVector<Value>{select(larger, next, key),
                              select(larger, position, b.expr(carried[1]))};
  });
  return b.expr(best[1]);
}

/// One iteration for each result. The elements meet in the order of their positions.
void tile::expandReduce(ReduceOp op) {
  ExpandBuilder b(op);
  Value dst = op.getDst(), src = b.keepFrom(op.getSrc(), dst);
  int64_t dim = op.getDim(), extent = shapeOf(src)[dim];
  bool keepsDim = shapeOf(dst).size() == shapeOf(src).size();
  std::optional<tile::Combiner> kind = op.getCombiner();
  bool smallest = kind == tile::Combiner::ArgMin;
  b.parallel(without(shapeOf(src), dim), [&](ArrayRef<Value> rest) {
    SmallVector<Value> to(rest);
    if (keepsDim)
      to = with(rest, dim, b.index(0));
    auto elementAt = [&](Value i) { return b.expr(b.load(src, with(rest, dim, i))); };
    if (smallest || kind == tile::Combiner::ArgMax) {
      Type keyType = orderKeyType(elementOf(src));
      Expr position = findLargest(b, extent, keyType, [&](Value i) {
        return orderKey(elementAt(i), op.getIsUnsigned(), smallest);
      });
      return b.store(castElements(position, elementOf(dst)), dst, to);
    }
    ElementCombiner combiner(op);
    Value first = op.getAccumulate()
                      ? combiner.fromResult(b.expr(b.load(dst, to)))
                      : combiner.identity(b, b.getLoc(), combiner.accumulatorType());
    auto combined = b.serial(0, extent, first, [&](Value i, ValueRange carried) {
      Expr element = combiner.fromSource(elementAt(i));
      return SmallVector<Value>{combiner.combine(b.expr(carried[0]), element)};
    });
    b.store(combiner.toResult(b.expr(combined[0]), elementOf(dst)), dst, to);
  });
}

//===----------------------------------------------------------------------===//
// scan
//===----------------------------------------------------------------------===//

/// One iteration for each row along the dimension, which reads an element before it
/// writes there: so the row may be its own result.
void tile::expandScan(ScanOp op) {
  ExpandBuilder b(op);
  Value dst = op.getDst(), src = b.keepFrom(op.getSrc(), dst, /*orItself=*/true);
  int64_t dim = op.getDim(), extent = shapeOf(src)[dim];
  Type element = elementOf(src);
  ElementCombiner combiner(op);
  b.parallel(without(shapeOf(src), dim), [&](ArrayRef<Value> rest) {
    auto place = [&](Value step) {
      Value i = op.getReverse() ? b.sub(b.index(extent - 1), step) : step;
      return with(rest, dim, i);
    };
    auto load = [&](ArrayRef<Value> at) {
      return combiner.fromSource(b.expr(b.load(src, at)));
    };
    auto store = [&](Expr running, ArrayRef<Value> at) {
      b.store(combiner.toResult(running, element), dst, at);
    };
    if (op.getExclusive()) {
      Value nothing = combiner.identity(b, b.getLoc(), combiner.accumulatorType());
      b.serial(0, extent, nothing, [&](Value step, ValueRange carried) {
        SmallVector<Value> at = place(step);
        Expr running = b.expr(carried[0]), next = load(at);
        store(running, at);
        return SmallVector<Value>{combiner.combine(running, next)};
      });
      return;
    }
    SmallVector<Value> start = place(b.index(0));
    Expr first = load(start);
    store(first, start);
    b.serial(1, extent, Value(first), [&](Value step, ValueRange carried) {
      SmallVector<Value> at = place(step);
      Expr running = combiner.combine(b.expr(carried[0]), load(at));
      store(running, at);
      return SmallVector<Value>{running};
    });
  });
}

//===----------------------------------------------------------------------===//
// gemm
//===----------------------------------------------------------------------===//

/// The type that products of the operands are added in.
static Type sumType(GemmOp op) {
  Builder b(op);
  Type a = elementOf(op.getA()), bType = elementOf(op.getB()), c = elementOf(op.getC());
  if (!isa<FloatType>(c))
    return c;
  return a.isF64() || bType.isF64() || c.isF64() ? Type(b.getF64Type())
                                                 : Type(b.getF32Type());
}

/// One iteration for each element of C, which lies in no operand (C5).
LogicalResult tile::expandGemm(GemmOp op) {
  Type sum = sumType(op);
  if (elementOf(op.getC()) != sum)
    return op.emitOpError("accumulates in ")
           << elementOf(op.getC()) << ", whose sum is kept in " << sum
           << " from product to product: legalize-accumulators makes it such a tile";
  ExpandBuilder b(op);
  Location loc = op.getLoc();
  Value c = op.getC();
  b.parallel({op.getM(), op.getN()}, [&](ArrayRef<Value> at) {
    auto element = [&](Value tile, Value row, Value column, bool transposed) {
      if (transposed)
        std::swap(row, column);
      Expr value = b.expr(b.load(tile, {row, column}));
      return castElements(value, sum, op.getIsUnsigned());
    };
    Value first = op.getClear()
                      ? Value(arith::ConstantOp::create(b, loc, b.getZeroAttr(sum)))
                      : b.load(c, at);
    auto total = b.serial(0, op.getK(), first, [&](Value k, ValueRange carried) {
      Expr x = element(op.getA(), at[0], k, op.getTransposeA());
      Expr y = element(op.getB(), k, at[1], op.getTransposeB());
      Expr added = b.expr(carried[0]);
      return SmallVector<Value>{x.isFloat() ? fma(x, y, added) : added + x * y};
    });
    b.store(total[0], c, at);
  });
  return success();
}
