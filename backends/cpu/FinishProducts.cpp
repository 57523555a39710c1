//===- FinishProducts.cpp - Where products begin and end ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An accumulator that a loop's steps sum into is filled with zeros before it, and copied
// to a tensor after it. All of that the steps can do on the way, while a block of it is
// in registers:
//
//     fill c, 0                             whole = the region lies inside Y
//     for k = 0 to n step s {               for k = 0 to n step s {
//       ...                                   ...
//       cpu.gemm a, b into c          =>      cpu.gemm a, b into c first(k == 0)
//     }                                           last(k + s >= n and whole) out Y[i, j]
//     copy c to Y[i, j][64, 64]             }
//                                           if (!whole) copy c to Y[i, j][64, 64]
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/MoveTogether.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/TileDims.h"
#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"
#include "compiler/transforms/LoopBuilder.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_FINISHPRODUCTS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;
using CpuGemm = tilewright::cpu::GemmOp;

namespace {
/// A product in a loop, and what is around that loop.
class ProductFinisher {
public:
  explicit ProductFinisher(CpuGemm gemm) : gemm(gemm) {}

  void run();

private:
  bool analyze();
  bool canWriteEarly();
  Value emitWhole(LoopBuilder &b);

  CpuGemm gemm;
  scf::ForOp loop;
  FillOp fill;
  CopyOp copy;
};
} // namespace

/// Whether `value` has no bit set: a sum that begins with -0.0 may stay so.
static bool isZero(Value value) {
  APFloat number(0.0);
  return matchPattern(value, m_Zero()) ||
         (matchPattern(value, m_ConstantFloat(&number)) && number.isPosZero());
}

static bool isAllZero(ArrayRef<int64_t> values) {
  return llvm::all_of(values, [](int64_t value) { return value == 0; });
}

/// Finds a product whose accumulator is filled before its loop, copied after it, and
/// touched by nothing else.
bool ProductFinisher::analyze() {
  auto alloc = gemm.getC().getDefiningOp<AllocOp>();
  loop = dyn_cast<scf::ForOp>(gemm->getParentOp());
  if (!alloc || !loop || gemm.getClear() || gemm.getAtom().isInner())
    return false;
  for (Operation *user : alloc->getUsers()) {
    if (user == gemm)
      continue;
    if (user->getBlock() != loop->getBlock())
      return false;
    if (auto own = dyn_cast<FillOp>(user); own && !fill && own->isBeforeInBlock(loop))
      fill = own;
    else if (auto own = dyn_cast<CopyOp>(user);
             own && !copy && loop->isBeforeInBlock(own))
      copy = own;
    else
      return false;
  }
  // Of one step there is nothing to save but the copy, which may store past the caches.
  std::optional<APInt> steps = loop.getStaticTripCount();
  return fill && copy && isZero(fill.getValue()) && steps && steps->sge(2) &&
         canWriteEarly();
}

/// Whether the copy goes to rows of a tensor that nothing else touches until then.
bool ProductFinisher::canWriteEarly() {
  auto type = cast<MemRefType>(copy.getDst().getType());
  ArrayRef<int64_t> sizes = copy.getDstSizes(),
                    shape = cast<MemRefType>(copy.getSrc().getType()).getShape();
  if (copy.getSrc() != gemm.getC() || tile::isTile(type) || sizes.size() < 2 ||
      sizes.take_back(2) != shape ||
      llvm::any_of(sizes.drop_back(2), [](int64_t size) { return size != 1; }) ||
      copy.getSrcSizes() != shape || !isAllZero(copy.getStaticSrcOffsets()) ||
      !hasContiguousRows(type))
    return false;
  Type from = gemm.getAtom().getAccumulator(), to = type.getElementType();
  bool isRounded =
      isa<FloatType>(from) && isa<FloatType>(to) && to.getIntOrFloatBitWidth() >= 8;
  if (from != to && !isRounded)
    return false;
  for (Operation *op = loop; op != copy; op = op->getNextNode())
    if (Effects effects(op); effects.isUnknown || effects.touches(copy.getDst()))
      return false;
  return true;
}

/// Whether the region lies inside the tensor; null where it always does.
Value ProductFinisher::emitWhole(LoopBuilder &b) {
  IndexBounds bounds(loop->getParentOfType<func::FuncOp>());
  SmallVector<OpFoldResult> offsets = copy.getMixedDstOffsets();
  Value whole;
  for (auto [dim, offset] : llvm::enumerate(offsets)) {
    Value at = b.index(offset), size = b.index(copy.getDstSizes()[dim]);
    if (!bounds.isNonNegative(at, loop))
      whole = b.both(whole, b.compare(arith::CmpIPredicate::sge, at, b.index(0)));
    if (bounds.isBelowExtent(at, copy.getDst(), dim, loop, copy.getDstSizes()[dim]))
      continue;
    Value extent = b.createOrFold<memref::DimOp>(b.getLoc(), copy.getDst(),
                                                 static_cast<int64_t>(dim));
    // Not the end against the extent: the place may be any number, as from a table.
    Value last = b.sub(extent, size);
    whole = b.both(whole, b.compare(arith::CmpIPredicate::sle, at, last));
  }
  return whole;
}

void ProductFinisher::run() {
  if (!analyze())
    return;
  DominanceInfo dominance(loop->getParentOfType<func::FuncOp>());
  IRRewriter rewriter(loop.getContext());
  SmallVector<Value> offsets(copy.getDstOffsets());
  if (failed(moveValueDefinitions(rewriter, offsets, loop, dominance)))
    return;
  LoopBuilder b(loop);
  Value whole = emitWhole(b);
  if (whole && isConstantIntValue(whole, 0)) // the tensor is smaller than the tile
    return;

  SmallVector<OpFoldResult> sizes, ones(copy.getDstSizes().size(), b.getIndexAttr(1));
  for (int64_t size : copy.getDstSizes())
    sizes.push_back(b.getIndexAttr(size));
  auto type = memref::SubViewOp::inferRankReducedResultType(
      cast<MemRefType>(gemm.getC().getType()).getShape(),
      cast<MemRefType>(copy.getDst().getType()), copy.getMixedDstOffsets(), sizes, ones);
  Value out =
      memref::SubViewOp::create(b, b.getLoc(), cast<MemRefType>(type), copy.getDst(),
                                copy.getMixedDstOffsets(), sizes, ones);
  b.setInsertionPoint(gemm);
  Value k = loop.getInductionVar();
  Value next = b.add(k, loop.getStep());
  gemm.getFirstMutable().assign(
      b.compare(arith::CmpIPredicate::eq, k, loop.getLowerBound()));
  gemm.getLastMutable().assign(
      b.both(b.compare(arith::CmpIPredicate::sge, next, loop.getUpperBound()), whole));
  gemm.getOutMutable().assign(out);
  copy.emitRemark() << "the product's last step writes it from registers";
  fill.erase();
  if (whole) {
    b.setInsertionPoint(copy);
    b.ifElse(whole, [] {}, [&] { b.clone(*copy); });
  }
  copy.erase();
}

namespace {
struct FinishProductsPass
    : tilewright::cpu::impl::FinishProductsBase<FinishProductsPass> {
  void runOnOperation() override {
    SmallVector<CpuGemm> gemms;
    getOperation()->walk([&](CpuGemm gemm) { gemms.push_back(gemm); });
    for (CpuGemm gemm : gemms)
      ProductFinisher(gemm).run();
  }
};
} // namespace
