//===- SharedTiles.cpp - Tiles of a tensor that are made once -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/SharedTiles.h"

#include "compiler/analysis/IndexBounds.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>
#include <utility>

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;
using tilewright::cpu::SharedTiles;

/// Rows of a tile that are copied together.
static constexpr int64_t rowsTogether = 16;

Value SharedTiles::count() {
  Location loc = gemm.getLoc();
  Value source = filling.getSource(), tiles = index(*host, 1);
  tile::IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
  for (auto [dim, size] : llvm::enumerate(filling.getSizes())) {
    // Few rows, as a condition around the kernel says, are one tile.
    if (bounds.hasElements(source, dim, kernel) &&
        bounds.isExtentAtMost(source, dim, {size, {}}, kernel)) {
      counts.push_back(index(*host, 1));
      continue;
    }
    Value extent = host->createOrFold<memref::DimOp>(loc, source, index(*host, dim));
    Value rounded =
        host->createOrFold<arith::AddIOp>(loc, extent, index(*host, size - 1));
    counts.push_back(
        host->createOrFold<arith::DivUIOp>(loc, rounded, index(*host, size)));
    tiles = host->createOrFold<arith::MulIOp>(loc, tiles, counts.back());
  }
  return tiles;
}

Value SharedTiles::countCopies() {
  Location loc = gemm.getLoc();
  Value copies = index(*host, 1);
  for (Value extent : kernel.getGrid())
    copies = host->createOrFold<arith::MulIOp>(loc, copies, extent);
  for (Operation *parent = gemm->getParentOp(); parent != kernel;
       parent = parent->getParentOp()) {
    auto loop = cast<scf::ForOp>(parent);
    auto onHost = [&](Value bound) {
      auto constant = getConstantIntValue(bound);
      return constant ? index(*host, *constant) : bound;
    };
    Value step = onHost(loop.getStep());
    Value length = host->createOrFold<arith::SubIOp>(loc, onHost(loop.getUpperBound()),
                                                     onHost(loop.getLowerBound()));
    length = host->createOrFold<arith::MaxSIOp>(loc, length, index(*host, 0));
    Value less = host->createOrFold<arith::SubIOp>(loc, step, index(*host, 1));
    length = host->createOrFold<arith::AddIOp>(loc, length, less);
    Value trips = host->createOrFold<arith::DivUIOp>(loc, length, step);
    copies = host->createOrFold<arith::MulIOp>(loc, copies, trips);
  }
  return copies;
}

int64_t SharedTiles::getColumns() {
  int64_t columns = filling.tile.getType().getDimSize(1);
  int64_t block = gemm.getAtomAttr().getColumns();
  return filling.isVectorSide && columns % block == 0 ? block : columns;
}

/// The innermost loop around the product with which `offset` changes; null where it is
/// the block's alone.
scf::ForOp SharedTiles::getLoop(OpFoldResult offset) {
  SmallVector<Value> toDo;
  if (auto value = dyn_cast<Value>(offset))
    toDo.push_back(value);
  scf::ForOp innermost;
  while (!toDo.empty()) {
    Value value = toDo.pop_back_val();
    if (Operation *op = value.getDefiningOp()) {
      if (kernel->isAncestor(op))
        llvm::append_range(toDo, op->getOperands());
      continue;
    }
    auto loop = dyn_cast<scf::ForOp>(value.getParentBlock()->getParentOp());
    if (loop && (!innermost || innermost->isAncestor(loop)))
      innermost = loop;
  }
  return innermost;
}

/// The dimensions of the tensor in the order in which tiles are numbered: tiles that a
/// block reads after each other lie after each other.
SmallVector<int64_t> SharedTiles::getOrder() {
  SmallVector<OpFoldResult> offsets = filling.getOffsets();
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, offsets.size()));
  auto getDepth = [&](int64_t dim) {
    int64_t depth = 0;
    for (Operation *loop = getLoop(offsets[dim]); loop && loop != kernel;
         loop = loop->getParentOp())
      ++depth;
    return depth;
  };
  llvm::stable_sort(order,
                    [&](int64_t a, int64_t b) { return getDepth(a) < getDepth(b); });
  return order;
}

Value cpu::viewLast(OpBuilder &b, Location loc, Value memref,
                    ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> shape) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<OpFoldResult> at(offsets), sizes,
      strides(type.getRank(), b.getIndexAttr(1));
  at.resize(type.getRank(), b.getIndexAttr(0));
  sizes.resize(type.getRank() - shape.size(), b.getIndexAttr(1));
  for (int64_t size : shape)
    sizes.push_back(b.getIndexAttr(size));
  auto result =
      memref::SubViewOp::inferRankReducedResultType(shape, type, at, sizes, strides);
  return memref::SubViewOp::create(b, loc, cast<MemRefType>(result), memref, at, sizes,
                                   strides);
}

void SharedTiles::make(Value tiles) {
  Location loc = filling.op->getLoc();
  MemRefType type = filling.tile.getType();
  int64_t columns = getColumns(), runs = type.getDimSize(1) / columns;
  SmallVector<int64_t> run(type.getShape()), shape{ShapedType::kDynamic, runs};
  run[1] = columns;
  shape.append(run);
  auto global = SpaceAttr::get(host->getContext(), Space::Global);
  auto memory =
      MemRefType::get(shape, type.getElementType(), MemRefLayoutAttrInterface(), global);
  std::string name = (filling.tile.getName().value_or("tile") + ".shared").str();
  workspace = WorkspaceOp::create(*host, loc, memory, ValueRange{tiles},
                                  host->getStringAttr(name));

  auto packing = KernelOp::create(*host, loc, ValueRange{tiles}, IntegerAttr());
  OpBuilder::InsertionGuard guard(*host);
  Block *body = host->createBlock(&packing.getBody(), {}, {host->getIndexType()}, {loc});
  Value tile = body->getArgument(0);
  // A few rows at a time, across all columns: what lies in one page of the source is read
  // together.
  auto pack = dyn_cast<PackOp>(filling.op);
  int64_t rows = run[0];
  if (!pack && runs > 1)
    rows = std::gcd(rows, rowsTogether);
  auto rowLoop = scf::ForOp::create(*host, loc, index(*host, 0), index(*host, run[0]),
                                    index(*host, rows));
  host->setInsertionPointToStart(rowLoop.getBody());
  Value row = rowLoop.getInductionVar();
  auto loop = scf::ForOp::create(*host, loc, index(*host, 0), index(*host, runs),
                                 index(*host, 1));
  host->setInsertionPointToStart(loop.getBody());

  // Which dimension of the source the columns run along.
  ArrayRef<int64_t> sizes = filling.getSizes();
  bool first = pack && pack.getTranspose();
  int64_t columnDim = -1, rowDim = -1;
  if (pack)
    columnDim = pack.getDims()[first ? 0 : 1];
  else
    for (auto [dim, size] : llvm::enumerate(sizes))
      if (size != 1)
        rowDim = std::exchange(columnDim, dim); // the last two
  SmallVector<Value> offsets(sizes.size());
  Value rest = tile;
  SmallVector<int64_t> order = getOrder(); // reverse() keeps no copy of it
  for (int64_t dim : llvm::reverse(order)) {
    Value at = arith::RemUIOp::create(*host, loc, rest, counts[dim]);
    rest = arith::DivUIOp::create(*host, loc, rest, counts[dim]);
    offsets[dim] = arith::MulIOp::create(*host, loc, at, index(*host, sizes[dim]));
  }
  SmallVector<int64_t> part(sizes);
  if (runs > 1) {
    Value column =
        arith::MulIOp::create(*host, loc, loop.getInductionVar(), index(*host, columns));
    offsets[columnDim] = arith::AddIOp::create(*host, loc, offsets[columnDim], column);
    part[columnDim] = columns;
  }
  if (rows != run[0]) {
    offsets[rowDim] = arith::AddIOp::create(*host, loc, offsets[rowDim], row);
    part[rowDim] = rows;
  }

  SmallVector<int64_t> dynamic(sizes.size(), ShapedType::kDynamic);
  SmallVector<int64_t> to(shape.size(), 0), toSizes{1, 1};
  to[0] = to[1] = ShapedType::kDynamic;
  toSizes.append(run);
  SmallVector<Value> at{tile, loop.getInductionVar()};
  if (!pack) {
    to[2] = ShapedType::kDynamic;
    at.push_back(row);
    toSizes[2] = rows;
  }
  if (!pack) {
    auto copy = cast<CopyOp>(filling.op);
    CopyOp::create(*host, loc, copy.getSrc(), offsets, dynamic, part, workspace, at, to,
                   toSizes, copy.getIsUnsigned());
    return;
  }
  Value panel = viewLast(*host, loc, workspace, {tile, loop.getInductionVar()}, run);
  PackOp::create(*host, loc, pack.getSrc(), offsets, dynamic, part, pack.getDims(), panel,
                 pack.getTranspose(), pack.getIsUnsigned());
}

Value SharedTiles::getTile(OpBuilder &b) {
  Location loc = gemm.getLoc();
  Value tile = index(b, 0);
  SmallVector<OpFoldResult> offsets = filling.getOffsets();
  for (int64_t dim : getOrder()) {
    Value at = getValueOrCreateConstantIndexOp(b, loc, offsets[dim]);
    at = b.createOrFold<arith::DivUIOp>(loc, at, index(b, filling.getSizes()[dim]));
    tile = b.createOrFold<arith::MulIOp>(loc, tile, counts[dim]);
    tile = b.createOrFold<arith::AddIOp>(loc, tile, at);
  }
  return tile;
}
