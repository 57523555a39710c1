//===- FragmentLayout.cpp - Which thread holds which element ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/FragmentLayout.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

Tiling simt::getTiling(AtomAttrInterface atom, int64_t m, int64_t n, int64_t warps) {
  AtomShape shape = atom.getShape();
  Tiling best{};
  std::pair<int64_t, int64_t> bestCost{INT64_MAX, INT64_MAX};
  for (int64_t warpsM = 1; warpsM <= warps; ++warpsM) {
    if (warps % warpsM != 0)
      continue;
    int64_t warpsN = warps / warpsM;
    Tiling tiling{warpsM, warpsN, llvm::divideCeil(m, shape.m * warpsM),
                  llvm::divideCeil(n, shape.n * warpsN)};
    // Instructions of a warp, then rows and columns that it reads.
    std::pair<int64_t, int64_t> cost{tiling.m * tiling.n,
                                     tiling.m * shape.m + tiling.n * shape.n};
    if (cost < bestCost) {
      best = tiling;
      bestCost = cost;
    }
  }
  return best;
}

LayoutAttr simt::getAccumulatorLayout(AtomAttrInterface atom, const Tiling &tiling) {
  LayoutAttr inner = atom.getOperand(AtomRole::C).layout;
  int64_t registers = inner.getExtent(FactorKind::Vector);
  SmallVector<Factor, 3> rows, columns;
  rows = {{FactorKind::Vector, tiling.m, registers * tiling.n},
          {FactorKind::Warp, tiling.warpsM, tiling.warpsN}};
  columns = {{FactorKind::Vector, tiling.n, registers},
             {FactorKind::Warp, tiling.warpsN, 1}};
  llvm::append_range(rows, inner.getDim(0));
  llvm::append_range(columns, inner.getDim(1));
  return getLayout(atom.getContext(), {rows, columns});
}

bool simt::isAtOwnPosition(ArrayRef<int64_t> shape, ValueRange indices, ParallelOp nest) {
  ArrayRef<int64_t> extents = nest.getExtents();
  Block *body = &nest.getBody().front();
  unsigned dim = 0;
  for (auto [extent, index] : llvm::zip_equal(shape, indices)) {
    if (extent == 1)
      continue;
    while (dim < extents.size() && extents[dim] == 1)
      ++dim;
    if (dim == extents.size() || extents[dim] != extent ||
        index != body->getArgument(dim++))
      return false;
  }
  return llvm::all_of(extents.drop_front(dim),
                      [](int64_t extent) { return extent == 1; });
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

int64_t ThreadIndex::getOffset(int64_t dim, int64_t reg) const {
  int64_t offset = 0;
  forEachFactor(layout, dim, [&](const Factor &factor, int64_t step) {
    if (factor.kind == FactorKind::Vector)
      offset += reg / factor.stride % factor.extent * step;
  });
  return offset;
}

Value ThreadIndex::get(OpBuilder &builder, Location loc, int64_t dim, int64_t reg) const {
  int64_t offset = getOffset(dim, reg);
  if (!offset)
    return bases[dim];
  return arith::AddIOp::create(builder, loc, bases[dim],
                               arith::ConstantIndexOp::create(builder, loc, offset));
}
