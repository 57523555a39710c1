//===- LowerFill.cpp - Fills as loops over vectors ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CopyRegion.h"
#include "backends/cpu/LoopBuilder.h"

using namespace mlir;
using namespace tilewright::tile;
using namespace tilewright::cpu;

/// Stores `value` to the elements of `memref` from `indices` on, dimension by
/// dimension, with vectors along a contiguous last one.
static void fillDimension(LoopBuilder &b, Value memref, Value value, int64_t vectorBits,
                          SmallVector<Value> indices) {
  Location loc = b.getLoc();
  auto type = cast<MemRefType>(memref.getType());
  int64_t dim = indices.size();
  if (dim == type.getRank()) {
    memref::StoreOp::create(b, loc, value, memref, indices);
    return;
  }
  OpFoldResult extent = memref::getMixedSize(b, loc, memref, dim);
  auto recurse = [&](Value i) {
    SmallVector<Value> inner(indices);
    inner.push_back(i);
    fillDimension(b, memref, value, vectorBits, inner);
  };
  if (dim < type.getRank() - 1 || !type.areTrailingDimsContiguous(1))
    return b.forLoop(b.getIndexAttr(0), extent, 1, recurse);

  auto store = [&](Value j, int64_t width) {
    SmallVector<Value> at(indices);
    at.push_back(j);
    Value vector = vector::BroadcastOp::create(
        b, loc, VectorType::get(width, type.getElementType()), value);
    vector::StoreOp::create(b, loc, vector, memref, at);
  };
  int64_t lanes = laneCount(vectorBits, type.getElementType());
  if (!type.isDynamicDim(dim))
    return forVectorRuns(type.getDimSize(dim), lanes,
                         [&](int64_t begin, int64_t end, int64_t width) {
                           b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), width,
                                     [&](Value j) { store(j, width); });
                         });
  Value size = b.index(extent);
  Value rest = arith::RemUIOp::create(b, loc, size, b.index(lanes));
  Value main = b.sub(size, rest);
  b.forLoop(b.getIndexAttr(0), main, lanes, [&](Value j) { store(j, lanes); });
  b.forLoop(main, size, 1, recurse);
}

void tilewright::cpu::lowerFill(FillOp op, int64_t vectorBits) {
  LoopBuilder b(op);
  Value memref = op.getDst(), value = op.getValue();
  auto type = cast<MemRefType>(memref.getType());
  if (holdsPairs(type)) {
    Location loc = op.getLoc();
    memref = PairsOp::create(b, loc, memref);
    type = cast<MemRefType>(memref.getType());
    Value code = arith::BitcastOp::create(b, loc, b.getIntegerType(4), value);
    code = arith::ExtUIOp::create(b, loc, b.getI8Type(), code);
    Value both = arith::ConstantIntOp::create(b, loc, b.getI8Type(), 0x11);
    value = arith::MulIOp::create(b, loc, code, both);
  }
  // A tile is one run of memory.
  if (type.getLayout().isIdentity() && type.hasStaticShape() && type.getRank() > 1) {
    ReassociationIndices all = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    memref = memref::CollapseShapeOp::create(b, op.getLoc(), memref,
                                             SmallVector<ReassociationIndices>{all});
  }
  fillDimension(b, memref, value, vectorBits, {});
  op.erase();
}
