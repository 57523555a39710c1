//===- SpreadPrefetch.cpp - Asking for memory a part at a time ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/SpreadPrefetch.h"
#include "backends/cpu/CpuTarget.h"
#include "backends/cpu/TileDims.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright::cpu;

/// Places are counted in fractions of a line, of so many bits.
static constexpr int64_t fractionBits = 32;

/// The most lines that are asked for at once. Where the other work is little beside the
/// region, the rest of a part is not asked for.
static constexpr int64_t mostLines = 8;

/// `memref` with its last dimensions as one, as many as have no gaps between them.
static Value mergeRows(LoopBuilder &b, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  for (int64_t first : llvm::seq<int64_t>(0, type.getRank() - 1)) {
    SmallVector<ReassociationIndices> dims;
    for (int64_t dim : llvm::seq<int64_t>(0, type.getRank()))
      if (dim <= first)
        dims.push_back({dim});
      else
        dims.back().push_back(dim);
    if (memref::CollapseShapeOp::isGuaranteedCollapsible(type, dims))
      return memref::CollapseShapeOp::create(b, b.getLoc(), memref, dims);
  }
  return memref;
}

/// The lines of a row of `memref`.
static int64_t countLines(Value memref) {
  int64_t bits = shapeOf(memref).back() * elementOf(memref).getIntOrFloatBitWidth();
  return llvm::divideCeil(bits, 8 * cacheLine);
}

SpreadPrefetch::SpreadPrefetch(LoopBuilder &b, GemmOp op)
    : b(b), op(op), isFewRows(op.getRows() && op.getM() <= 2 * op.getAtom().getRows()) {
  for (Value memref : op.getAhead()) {
    Value merged = mergeRows(b, memref);
    int64_t rows = llvm::product_of(shapeOf(merged).drop_back());
    int64_t linesOfRow = countLines(merged);
    regions.push_back({merged, Value(), linesOfRow, rows * linesOfRow});
  }
  for (auto [matrix, rows] : llvm::zip_equal(op.getListed(), op.getRowsAhead()))
    addListed(matrix, rows);
  if (regions.empty())
    return;
  rowsDone = b.index(op.getM());
  if (!op.getRows() || isFewRows)
    return;
  rowsDone = b.max(b.min(op.getRows(), rowsDone), b.index(1));
  Value work = b.mul(rowsDone, op.getN() * op.getGroups());
  for (Region &region : regions)
    region.perWork = arith::DivUIOp::create(b, b.getLoc(),
                                            b.index(region.lines << fractionBits), work);
}

void SpreadPrefetch::addListed(Value matrix, Value rows) {
  int64_t linesOfRow = countLines(matrix);
  regions.push_back({matrix, rows, linesOfRow, shapeOf(rows).front() * linesOfRow});
}

void SpreadPrefetch::emitLine(const Region &region, Value line) {
  Location loc = b.getLoc();
  SmallVector<int64_t> basis(shapeOf(region.memref).drop_back());
  basis.push_back(region.linesOfRow);
  if (region.rows) { // the list must not be read behind its end
    line = b.min(line, b.index(region.lines - 1));
    basis.front() = shapeOf(region.rows).front();
  }
  SmallVector<Value> at(basis.size());
  for (int64_t dim = basis.size() - 1; dim >= 0; --dim) {
    Value extent = b.index(basis[dim]);
    at[dim] = dim == 0 ? line : b.createOrFold<arith::RemUIOp>(loc, line, extent);
    line = dim == 0 ? line : b.createOrFold<arith::DivUIOp>(loc, line, extent);
  }
  if (region.rows) {
    Value row = memref::LoadOp::create(b, loc, region.rows, at.front());
    at.front() = arith::IndexCastOp::create(b, loc, b.getIndexType(), row);
  }
  at.back() =
      b.mul(at.back(), cacheLine * 8 / elementOf(region.memref).getIntOrFloatBitWidth());
  memref::PrefetchOp::create(b, loc, region.memref, at, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

void SpreadPrefetch::emit(Value row, Value column, int64_t height, int64_t width,
                          Value group, int64_t count) {
  if (regions.empty())
    return;
  Location loc = b.getLoc();
  int64_t work = (isFewRows ? height : op.getM()) * op.getN() * op.getGroups();
  Value before = isFewRows ? b.mul(column, height)
                           : b.add(b.createOrFold<arith::MulIOp>(loc, column, rowsDone),
                                   b.mul(row, width));
  Value begin = b.add(b.mul(before, op.getGroups()), b.mul(group, height * width));
  for (const Region &region : regions) {
    Value perWork = region.perWork;
    if (!perWork)
      perWork = b.index((region.lines << fractionBits) / work);
    Value place = b.createOrFold<arith::MulIOp>(loc, begin, perWork);
    Value first = b.createOrFold<arith::ShRUIOp>(loc, place, b.index(fractionBits));
    // The last line may be the next part's first, or lie behind the region: that costs
    // less than to ask.
    int64_t lines = llvm::divideCeil(region.lines * height * width * count, work);
    lines = std::min(lines, mostLines);
    for (int64_t i : llvm::seq<int64_t>(0, lines))
      emitLine(region, b.add(first, i));
  }
}
