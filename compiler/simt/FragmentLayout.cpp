//===- FragmentLayout.cpp - Which thread holds which element ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/FragmentLayout.h"

#include "dialects/tile/LayoutMap.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

/// Registers, lanes and warps add their parts to an element's index, each for itself: so
/// each is compared alone.
std::optional<SmallVector<int64_t>> simt::matchRegisters(LayoutAttr held,
                                                         LayoutAttr wanted) {
  if (held.getShape() != wanted.getShape())
    return std::nullopt;
  LayoutMap from = LayoutMap::get(held), to = LayoutMap::get(wanted);
  for (FactorKind kind : {FactorKind::Lane, FactorKind::Warp}) {
    if (from.getExtent(kind) != to.getExtent(kind))
      return std::nullopt;
    for (int64_t at = 0; at < to.getExtent(kind); ++at) {
      Place place{};
      place[static_cast<int>(kind)] = at;
      if (from.getIndexAt(place) != to.getIndexAt(place))
        return std::nullopt;
    }
  }
  SmallVector<int64_t> registers;
  for (int64_t reg = 0; reg < to.getExtent(FactorKind::Vector); ++reg) {
    Place found = from.locate(*to.getIndexAt({reg, 0, 0, 0}));
    if (found != Place{found[0], 0, 0, 0})
      return std::nullopt;
    registers.push_back(found[0]);
  }
  return registers;
}

/// The greatest divisor of `number` that is at most `limit`.
static int64_t getDivisor(int64_t number, int64_t limit) {
  int64_t divisor = std::clamp<int64_t>(limit, 1, number);
  while (number % divisor != 0)
    --divisor;
  return divisor;
}

LayoutAttr simt::getBlockedLayout(MLIRContext *context, ArrayRef<int64_t> shape,
                                  int64_t bytes, int64_t lanes, int64_t warps) {
  SmallVector<int64_t> extents = dropUnits(shape);
  size_t rank = extents.size();
  int64_t total = 1;
  for (int64_t extent : extents)
    total *= extent;
  int64_t width =
      rank == 0 ? 1 : getDivisor(extents.back() & -extents.back(), 16 / bytes);
  while (width > 1 && total / width < lanes * warps)
    width /= 2;

  // Lanes go to the inner dimensions first, warps to the outer ones.
  SmallVector<int64_t> lanesOf(rank), warpsOf(rank), left(extents);
  int64_t lanesLeft = lanes, warpsLeft = warps;
  if (rank > 0)
    left.back() /= width;
  for (size_t dim = rank; dim-- > 0;) {
    lanesOf[dim] = std::min<int64_t>(lanesLeft, llvm::PowerOf2Ceil(left[dim]));
    left[dim] = llvm::divideCeil(left[dim], lanesOf[dim]);
    lanesLeft /= lanesOf[dim];
  }
  for (size_t dim = 0; dim < rank; ++dim) {
    warpsOf[dim] = getDivisor(warpsLeft, left[dim]);
    left[dim] = llvm::divideCeil(left[dim], warpsOf[dim]);
    warpsLeft /= warpsOf[dim];
  }

  SmallVector<SmallVector<Factor, 3>> dims(rank);
  SmallVector<Factor> replicate;
  int64_t vectors = width, lane = 1, warp = 1;
  for (size_t dim = rank; dim-- > 0;) {
    dims[dim] = {{FactorKind::Vector, left[dim], vectors},
                 {FactorKind::Warp, warpsOf[dim], warp},
                 {FactorKind::Lane, lanesOf[dim], lane}};
    vectors *= left[dim];
    lane *= lanesOf[dim];
    warp *= warpsOf[dim];
  }
  if (rank > 0)
    dims.back().push_back({FactorKind::Vector, width, 1});
  replicate = {{FactorKind::Lane, lanesLeft, lane}, {FactorKind::Warp, warpsLeft, warp}};
  return getLayout(context, dims, replicate);
}

/// The vector factors of `dims`, innermost in the register's number first.
static SmallVector<Factor> getVectorFactors(LayoutAttr layout, ArrayRef<int64_t> dims) {
  SmallVector<Factor> factors;
  for (int64_t dim : dims)
    llvm::copy_if(layout.getDim(dim), std::back_inserter(factors),
                  [](const Factor &f) { return f.kind == FactorKind::Vector; });
  llvm::sort(factors,
             [](const Factor &a, const Factor &b) { return a.stride < b.stride; });
  return factors;
}

LayoutAttr simt::getSlice(LayoutAttr layout, ArrayRef<int64_t> dims) {
  DenseMap<int64_t, int64_t> strides; // of registers, from those of `layout`
  int64_t stride = 1;
  for (const Factor &factor : getVectorFactors(layout, dims)) {
    strides[factor.stride] = stride;
    stride *= factor.extent;
  }
  SmallVector<SmallVector<Factor, 3>> kept;
  SmallVector<Factor> replicate(layout.getReplicate());
  for (int64_t dim = 0; dim < layout.getRank(); ++dim) {
    if (!llvm::is_contained(dims, dim)) {
      llvm::copy_if(layout.getDim(dim), std::back_inserter(replicate),
                    [](const Factor &f) { return f.kind != FactorKind::Vector; });
      continue;
    }
    for (Factor &factor : kept.emplace_back(layout.getDim(dim)))
      if (factor.kind == FactorKind::Vector)
        factor.stride = strides.lookup(factor.stride);
  }
  llvm::sort(replicate, [](const Factor &a, const Factor &b) {
    return std::pair(a.kind, -a.stride) < std::pair(b.kind, -b.stride);
  });
  return getLayout(layout.getContext(), kept, replicate);
}

int64_t simt::getSliceRegister(LayoutAttr layout, ArrayRef<int64_t> dims, int64_t reg) {
  int64_t found = 0, stride = 1;
  for (const Factor &factor : getVectorFactors(layout, dims)) {
    found += reg / factor.stride % factor.extent * stride;
    stride *= factor.extent;
  }
  return found;
}

bool simt::isSameLayout(LayoutAttr a, LayoutAttr b) {
  return a == b || LayoutMap::get(a) == LayoutMap::get(b);
}

SmallVector<int64_t> simt::dropUnits(ArrayRef<int64_t> extents) {
  SmallVector<int64_t> kept(extents);
  llvm::erase(kept, 1);
  return kept;
}

std::optional<int64_t> simt::getLayoutDim(ArrayRef<int64_t> shape, int64_t dim) {
  if (shape[dim] == 1)
    return std::nullopt;
  return dropUnits(shape.take_front(dim)).size();
}

SmallVector<int64_t> simt::getOtherDims(ArrayRef<int64_t> shape, int64_t dim) {
  auto dims = llvm::to_vector(llvm::seq<int64_t>(0, dropUnits(shape).size()));
  if (auto own = getLayoutDim(shape, dim))
    dims.erase(dims.begin() + *own);
  return dims;
}

std::optional<SmallVector<int64_t>>
simt::getProjection(ArrayRef<int64_t> shape, ValueRange indices, ParallelOp nest) {
  Block *body = &nest.getBody().front();
  SmallVector<int64_t> projection;
  int64_t next = 0, number = 0; // of the nest's loops; without those of extent 1
  for (auto [extent, index] : llvm::zip_equal(shape, indices)) {
    if (extent == 1)
      continue;
    auto iv = dyn_cast<BlockArgument>(index);
    if (!iv || iv.getOwner() != body || nest.getExtents()[iv.getArgNumber()] != extent ||
        iv.getArgNumber() < next)
      return std::nullopt;
    for (; next < iv.getArgNumber(); ++next)
      number += nest.getExtents()[next] != 1;
    projection.push_back(number++);
    ++next; // a loop at two dimensions is the diagonal
  }
  return projection;
}

bool simt::isAtOwnPosition(ArrayRef<int64_t> shape, ValueRange indices, ParallelOp nest) {
  auto projection = getProjection(shape, indices, nest);
  return projection && projection->size() == dropUnits(nest.getExtents()).size();
}

std::optional<std::pair<Value, ValueRange>> simt::getTileAccess(Operation *op) {
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return std::pair<Value, ValueRange>(load.getMemRef(), load.getIndices());
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return std::pair<Value, ValueRange>(store.getMemRef(), store.getIndices());
  return std::nullopt;
}

/// Calls `visit` for each factor of a dimension with how far its digit steps in the
/// dimension's index.
static void forEachFactor(LayoutAttr layout, int64_t dim,
                          function_ref<void(const Factor &, int64_t)> visit) {
  int64_t step = 1;
  for (const Factor &factor : llvm::reverse(layout.getDim(dim))) {
    visit(factor, step);
    step *= factor.extent;
  }
}

ThreadIndex::ThreadIndex(OpBuilder &builder, Location loc, LayoutAttr layout, Value lane,
                         Value warp)
    : layout(layout) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  for (int64_t dim = 0; dim < layout.getRank(); ++dim) {
    Value base;
    forEachFactor(layout, dim, [&](const Factor &factor, int64_t step) {
      if (factor.kind == FactorKind::Vector)
        return;
      Value digit = factor.kind == FactorKind::Lane ? lane : warp;
      if (factor.stride > 1)
        digit = arith::DivUIOp::create(builder, loc, digit, constant(factor.stride));
      // The outermost digit of a coordinate needs no remainder.
      if (factor.stride * factor.extent < layout.getExtent(factor.kind))
        digit = arith::RemUIOp::create(builder, loc, digit, constant(factor.extent));
      if (step > 1)
        digit = arith::MulIOp::create(builder, loc, digit, constant(step));
      base = base ? arith::AddIOp::create(builder, loc, base, digit) : digit;
    });
    bases.push_back(base ? base : constant(0));
  }
}

int64_t simt::getNeighbours(LayoutAttr layout) {
  int64_t count = 1;
  if (layout.getRank() == 0)
    return count;
  for (const Factor &factor : llvm::reverse(layout.getDim(layout.getRank() - 1))) {
    if (factor.kind != FactorKind::Vector)
      break;
    count *= factor.extent;
  }
  return count;
}

int64_t simt::getNeighbour(LayoutAttr layout, int64_t reg, int64_t step) {
  if (step == 0)
    return reg;
  for (const Factor &factor : llvm::reverse(layout.getDim(layout.getRank() - 1))) {
    if (step == 0)
      break;
    int64_t digit = reg / factor.stride % factor.extent;
    int64_t moved = digit + step;
    reg += (moved % factor.extent - digit) * factor.stride;
    step = moved / factor.extent; // carried
  }
  return reg;
}

int64_t ThreadIndex::getOffset(int64_t dim, int64_t reg) const {
  int64_t offset = 0;
  forEachFactor(layout, dim, [&](const Factor &factor, int64_t step) {
    if (factor.kind == FactorKind::Vector)
      offset += reg / factor.stride % factor.extent * step;
  });
  return offset;
}

Value simt::isFirst(OpBuilder &builder, Location loc, ArrayRef<Factor> factors,
                    LayoutAttr layout, Value lane, Value warp) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value all;
  for (const Factor &factor : factors) {
    Value digit = factor.kind == FactorKind::Lane ? lane : warp;
    if (factor.stride > 1)
      digit = arith::DivUIOp::create(builder, loc, digit, constant(factor.stride));
    if (factor.stride * factor.extent < layout.getExtent(factor.kind))
      digit = arith::RemUIOp::create(builder, loc, digit, constant(factor.extent));
    Value isZero =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, digit, constant(0));
    all = all ? Value(arith::AndIOp::create(builder, loc, all, isZero)) : isZero;
  }
  return all;
}

Value ThreadIndex::get(OpBuilder &builder, Location loc, int64_t dim, int64_t reg) const {
  int64_t offset = getOffset(dim, reg);
  if (!offset)
    return bases[dim];
  return arith::AddIOp::create(builder, loc, bases[dim],
                               arith::ConstantIndexOp::create(builder, loc, offset));
}
