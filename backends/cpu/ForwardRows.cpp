//===- ForwardRows.cpp - Products that read rows of a tensor ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An inner atom reads rows of A and B along K. Where all blocks of A's rows take their
// turn with a few rows of B, which stay in L1, B comes from memory once, and a copy of it
// to a tile keeps memory waiting: memory is idle while the copy is used, and the
// processor while it is made. So the product reads the tensor itself:
//
//     copy W[64 * bx, k][8, 256] to w            if (the rows of W exist) {
//     gemm a, w into c inner                =>     gemm a, W[64 * bx, k][8, 256] into c
//                                                } else {
//                                                  as it was
//                                                }
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ForwardRows.h"
#include "backends/cpu/ForwardCopies.h"
#include "backends/cpu/TileDims.h"
#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"
#include "compiler/transforms/LoopBuilder.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;
using CpuGemm = tilewright::cpu::GemmOp;

/// What a block of B's rows may have to be in L1 for the next block of A's.
static constexpr int64_t bytesInL1 = 16384;

/// Whether an operand of `gemm`, B or A, comes from memory once.
static bool readsOnce(CpuGemm gemm, bool isB) {
  if (!isB)
    return gemm.getN() <= gemm.getAtom().getColumns();
  auto type = cast<MemRefType>(gemm.getB().getType());
  return gemm.getM() <= gemm.getAtom().getRows() ||
         gemm.getAtom().getColumns() * type.getDimSize(1) *
                 type.getElementTypeBitWidth() / 8 <=
             bytesInL1;
}

bool cpu::readsRows(CopyOp copy) {
  auto type = cast<MemRefType>(copy.getSrc().getType());
  return copy.getShape().size() == 2 && copy.getDst().getType().getRank() == 2 &&
         copy.getSrcSizes().back() != 1 && !holdsPairs(type) && hasContiguousRows(type);
}

bool cpu::isKnownInside(CopyOp copy) {
  IndexBounds bounds(copy->getParentOfType<func::FuncOp>());
  LoopBuilder b(copy);
  return llvm::all_of(llvm::enumerate(copy.getMixedSrcOffsets()), [&](auto numbered) {
    auto [dim, offset] = numbered;
    Value first = b.index(offset);
    return bounds.isNonNegative(first, copy) &&
           bounds.isBelowExtent(first, copy.getSrc(), dim, copy, copy.getSrcSizes()[dim]);
  });
}

Value cpu::isInside(LoopBuilder &b, CopyOp copy) {
  IndexBounds bounds(copy->getParentOfType<func::FuncOp>());
  Value inside;
  for (auto [dim, offset] : llvm::enumerate(copy.getMixedSrcOffsets())) {
    int64_t size = copy.getSrcSizes()[dim];
    Value first = b.index(offset);
    if (!bounds.isNonNegative(first, copy))
      inside = b.both(inside, b.compare(arith::CmpIPredicate::sge, first, b.index(0)));
    if (bounds.isBelowExtent(first, copy.getSrc(), dim, copy, size))
      continue;
    Value extent = b.index(memref::getMixedSize(b, b.getLoc(), copy.getSrc(), dim));
    // Not the end against the extent: the place may be any number, as from a table.
    Value last = b.sub(extent, b.index(size));
    inside = b.both(inside, b.compare(arith::CmpIPredicate::sle, first, last));
  }
  return inside;
}

Value cpu::viewRows(LoopBuilder &b, CopyOp copy) {
  auto type = cast<MemRefType>(copy.getSrc().getType());
  SmallVector<OpFoldResult> offsets = copy.getMixedSrcOffsets();
  SmallVector<OpFoldResult> strides(type.getRank(), b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes =
      getAsIndexOpFoldResult(b.getContext(), copy.getSrcSizes());
  MemRefType rows = memref::SubViewOp::inferRankReducedResultType(
      copy.getDst().getType().getShape(), type, offsets, sizes, strides);
  return memref::SubViewOp::create(b, b.getLoc(), rows, copy.getSrc(), offsets, sizes,
                                   strides);
}

/// Has `gemm` read B, or A, where it was copied from. False where it may not.
static bool forwardOperand(CpuGemm gemm, bool isB) {
  Value tile = isB ? gemm.getB() : gemm.getA();
  auto alloc = tile.getDefiningOp<AllocOp>();
  if (!alloc || !gemm.getAtom().isInner() || gemm.getA() == gemm.getB() ||
      !llvm::hasNItems(tile.getUsers(), 2))
    return false;
  CopyOp copy = getFillingCopy(alloc);
  if (!copy || copy->getBlock() != gemm->getBlock() || !copy->isBeforeInBlock(gemm) ||
      !readsRows(copy) || !readsOnce(gemm, isB) || isWrittenInKernel(copy.getSrc(), copy))
    return false;
  LoopBuilder b(gemm);
  bool copies = false;
  b.ifElse(
      isInside(b, copy),
      [&] {
        IRMapping mapping;
        mapping.map(tile, viewRows(b, copy));
        b.clone(*gemm, mapping);
      },
      [&] {
        b.clone(*copy);
        b.clone(*gemm);
        copies = true;
      });
  gemm.erase();
  copy.erase();
  if (!copies)
    alloc.erase();
  return true;
}

void cpu::forwardRows(CpuGemm gemm) {
  // The larger operand first: the other one may come from L1 as well.
  bool isB = gemm.getN() >= gemm.getM();
  if (!forwardOperand(gemm, isB))
    forwardOperand(gemm, !isB);
}
