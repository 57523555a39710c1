//===- DistributeReduce.cpp - Reductions by the lanes of warps ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread combines what it holds of each row, in pairs, so that results do not wait for
// each other one by one. Then lanes with parts of the same row exchange what they have:
//
//   lanes of a row    0    1    2    3
//   after mask 1      01   01   23   23
//   after mask 2      0123 0123 0123 0123
//
// All of them come out with the same, so that whoever needs a row's result has it.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/DistributeReduce.h"

#include "compiler/simt/EmitPairs.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/transforms/Combiner.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

/// What the lane whose number differs in the bits of `mask` has for `value`.
static Value exchange(OpBuilder &b, Location loc, Value value, int64_t mask) {
  Type type = value.getType();
  unsigned bits = type.getIntOrFloatBitWidth();
  Type integer = b.getIntegerType(bits), word = b.getI32Type();
  Value raw = type == integer ? value : arith::BitcastOp::create(b, loc, integer, value);
  if (bits <= 32) {
    if (bits < 32)
      raw = arith::ExtUIOp::create(b, loc, word, raw);
    raw = ShuffleXorOp::create(b, loc, raw, mask);
    if (bits < 32)
      raw = arith::TruncIOp::create(b, loc, integer, raw);
  } else {
    Value words = vector::BitCastOp::create(
        b, loc, VectorType::get({2}, word),
        vector::FromElementsOp::create(b, loc, VectorType::get({1}, integer), raw));
    SmallVector<Value> got;
    for (int64_t i = 0; i < 2; ++i)
      got.push_back(ShuffleXorOp::create(
          b, loc, vector::ExtractOp::create(b, loc, words, i), mask));
    Value both = vector::FromElementsOp::create(b, loc, VectorType::get({2}, word), got);
    raw = vector::ExtractOp::create(
        b, loc, vector::BitCastOp::create(b, loc, VectorType::get({1}, integer), both),
        0);
  }
  return type == integer ? raw : arith::BitcastOp::create(b, loc, type, raw);
}

namespace {
class ReduceDistributor {
public:
  ReduceDistributor(WarpReduceOp reduce, const ThreadPlace &place, bool packedFloats)
      : reduce(reduce), b(reduce), loc(reduce.getLoc()), place(place), combiner(reduce),
        srcType(cast<MemRefType>(reduce.getSrc().getType())),
        dstType(cast<MemRefType>(reduce.getDst().getType())),
        layout(cast<LayoutAttr>(reduce.getSrc().getDefiningOp()->getAttr(dealtAttrName))),
        along(getLayoutDim(srcType.getShape(), reduce.getDim())),
        others(getOtherDims(srcType.getShape(), reduce.getDim())),
        rows(getSlice(layout, others)), index(b, loc, layout, place.lane, place.warp),
        addsInPairs(packedFloats && combiner.accumulatorType().isF32() &&
                    (reduce.getCombiner() == Combiner::Sum ||
                     reduce.getCombiner() == Combiner::AbsSum)) {}

  void distribute();

private:
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Expr loadElement(int64_t reg);
  Expr combineOwn(MutableArrayRef<Expr> elements);
  Expr addInPairs(ArrayRef<Expr> elements);
  Expr combineLanes(Expr own);
  Expr finish(Expr combined, ValueRange at);
  Value getPart(ArrayRef<Factor> factors);
  void storeShared(int64_t reg, Expr combined);
  void store(int64_t row, int64_t reg, Expr combined);

  WarpReduceOp reduce;
  OpBuilder b;
  Location loc;
  const ThreadPlace &place;
  ElementCombiner combiner;
  MemRefType srcType, dstType;
  LayoutAttr layout;            // of the source
  std::optional<int64_t> along; // the layout's dimension that is reduced
  SmallVector<int64_t> others;  // its other ones
  LayoutAttr rows;              // the layout of what is left
  ThreadIndex index;
  bool addsInPairs;
};
} // namespace

/// What a thread has in register `reg`; beyond the tile that is nothing.
Expr ReduceDistributor::loadElement(int64_t reg) {
  Value element = memref::LoadOp::create(b, loc, reduce.getSrc(), constant(reg));
  Expr found = combiner.fromSource(Expr(b, loc, element));
  int64_t extent = srcType.getDimSize(reduce.getDim());
  if (!along || layout.getShape()[*along] == extent)
    return found;
  Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                       index.get(b, loc, *along, reg), constant(extent));
  Expr nothing = combiner.identity(b, loc, found.type());
  return {b, loc, arith::SelectOp::create(b, loc, inside, found, nothing)};
}

Expr ReduceDistributor::combineOwn(MutableArrayRef<Expr> elements) {
  if (elements.size() == 1)
    return elements.front();
  size_t half = elements.size() / 2;
  Expr first = combineOwn(elements.take_front(half));
  return combiner.combine(first, combineOwn(elements.drop_front(half)));
}

/// The sum of elements of even number, and of odd number, at once.
Expr ReduceDistributor::addInPairs(ArrayRef<Expr> elements) {
  SmallVector<Expr> pairs;
  for (size_t i = 0; i + 1 < elements.size(); i += 2)
    pairs.push_back({b, loc, makePair(b, loc, elements[i], elements[i + 1])});
  Expr both = combineOwn(pairs);
  auto of = [&](int64_t lane) {
    return Expr(b, loc, vector::ExtractOp::create(b, loc, both, lane));
  };
  Expr sum = combiner.combine(of(0), of(1));
  return elements.size() % 2 ? combiner.combine(sum, elements.back()) : sum;
}

Expr ReduceDistributor::combineLanes(Expr own) {
  if (!along)
    return own;
  for (const Factor &factor : llvm::reverse(layout.getDim(*along)))
    if (factor.kind == FactorKind::Lane)
      for (int64_t mask = factor.stride; mask < factor.stride * factor.extent; mask *= 2)
        own = combiner.combine(own, Expr(b, loc, exchange(b, loc, own, mask)));
  return own;
}

/// Which of a row's parts the warp has: its digits of `factors`, outermost first.
Value ReduceDistributor::getPart(ArrayRef<Factor> factors) {
  Value part;
  for (const Factor &factor : factors) {
    Value digit = place.warp;
    if (factor.stride > 1)
      digit = arith::DivUIOp::create(b, loc, digit, constant(factor.stride));
    if (factor.stride * factor.extent < place.warps)
      digit = arith::RemUIOp::create(b, loc, digit, constant(factor.extent));
    if (part)
      digit = arith::AddIOp::create(
          b, loc, arith::MulIOp::create(b, loc, part, constant(factor.extent)), digit);
    part = digit;
  }
  return part;
}

/// One of the threads that have the result writes it to where all can see it.
void ReduceDistributor::storeShared(int64_t reg, Expr combined) {
  bool isPartial = reduce.getPartial();
  SmallVector<Factor> same(rows.getReplicate()); // digits of threads with this result
  SmallVector<Factor> parts;
  if (isPartial) {
    llvm::copy_if(layout.getDim(*along), std::back_inserter(parts),
                  [](const Factor &f) { return f.kind == FactorKind::Warp; });
    llvm::erase_if(same, [&](const Factor &f) { return llvm::is_contained(parts, f); });
  }
  OpBuilder before = b;
  auto branch = [&](Value condition) {
    if (condition)
      b = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false)
              .getThenBodyBuilder();
  };
  branch(isFirst(b, loc, same, layout, place.lane, place.warp));
  SmallVector<Value> at;
  int64_t dim = 0; // of the layout
  for (auto [i, extent] : llvm::enumerate(srcType.getShape())) {
    bool isReduced = i == reduce.getDim();
    if (!isReduced)
      at.push_back(extent == 1 ? constant(0) : index.get(b, loc, dim, reg));
    else if (dstType.getRank() == srcType.getRank() && !isPartial)
      at.push_back(constant(0));
    if (!isReduced && extent != 1 && layout.getShape()[dim] != extent)
      branch(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at.back(),
                                   constant(extent)));
    dim += extent != 1;
  }
  if (isPartial)
    at.push_back(getPart(parts));
  else
    combined = finish(combined, at);
  memref::StoreOp::create(b, loc, combined, reduce.getDst(), at);
  b = before;
}

/// The result, with what was there before.
Expr ReduceDistributor::finish(Expr combined, ValueRange at) {
  if (reduce.getAccumulate()) {
    Value before = memref::LoadOp::create(b, loc, reduce.getDst(), at);
    combined = combiner.combine(combiner.fromResult(Expr(b, loc, before)), combined);
  }
  return combiner.toResult(combined, dstType.getElementType());
}

void ReduceDistributor::store(int64_t row, int64_t reg, Expr combined) {
  if (!reduce.getDst().getDefiningOp()->hasAttr(dealtAttrName))
    return storeShared(reg, combined);
  Value own = constant(row);
  memref::StoreOp::create(b, loc, finish(combined, own), reduce.getDst(), own);
}

void ReduceDistributor::distribute() {
  for (int64_t row = 0; row < rows.getExtent(FactorKind::Vector); ++row) {
    SmallVector<Expr> elements;
    int64_t first = -1;
    for (int64_t reg = 0; reg < layout.getExtent(FactorKind::Vector); ++reg) {
      if (getSliceRegister(layout, others, reg) != row)
        continue;
      first = first < 0 ? reg : first;
      elements.push_back(loadElement(reg));
    }
    bool inPairs = addsInPairs && elements.size() >= 4;
    store(row, first,
          combineLanes(inPairs ? addInPairs(elements) : combineOwn(elements)));
  }
  reduce.erase();
}

void simt::distributeReduce(WarpReduceOp reduce, const ThreadPlace &place,
                            bool packedFloats) {
  ReduceDistributor(reduce, place, packedFloats).distribute();
}
