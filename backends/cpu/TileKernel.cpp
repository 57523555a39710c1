//===- TileKernel.cpp - Loops of a gemm over the tiles of AMX -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// C is walked as by vectors (MicroKernel.cpp), in blocks of 2 x 2 tiles, say. Tiles have
// their shapes from a configuration, whose loading makes them zeros. So blocks of one
// kind, with as many rows and columns, go together: the whole ones, then what is left on
// the right, below, and in the corner.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TileKernel.h"

using namespace mlir;
using namespace tilewright::cpu;

static constexpr int64_t side = sideOfTile;

/// `extent` in tiles.
static SmallVector<int64_t> divide(int64_t extent) {
  SmallVector<int64_t> tiles(extent / side, side);
  if (extent % side)
    tiles.push_back(extent % side);
  return tiles;
}

TileKernel::TileKernel(LoopBuilder &builder, GemmOp op)
    : b(builder), op(op), atom(op.getAtom()), groups(getGroupsOfTile(op.getGroups())),
      ahead(builder, op) {
  SmallVector<ReassociationIndices> rows{{0}, {1, 2}};
  panel = memref::CollapseShapeOp::create(b, b.getLoc(), op.getB(), rows);
}

void TileKernel::emitShapes(const Block &block) {
  SmallVector<int64_t> rows, bytes;
  for (int64_t height : block.rows)
    for (int64_t width : block.columns) {
      rows.push_back(height);
      bytes.push_back(4 * width);
    }
  for (int64_t height : block.rows) {
    rows.push_back(height);
    bytes.push_back(4 * groups);
  }
  for (int64_t width : block.columns) {
    rows.push_back(groups);
    bytes.push_back(4 * width);
  }
  TileShapesOp::create(b, b.getLoc(), rows, bytes);
}

void TileKernel::forTiles(const Block &block, Value row, Value column,
                          function_ref<void(int64_t, Value, Value)> body) {
  for (size_t r = 0; r < block.rows.size(); ++r)
    for (size_t c = 0; c < block.columns.size(); ++c)
      body(block.c(r, c), b.add(row, r * side), b.add(column, c * side));
}

/// The sums as this step finds them.
void TileKernel::beginSums(const Block &block, Value row, Value column) {
  Location loc = b.getLoc();
  auto zero = [&] {
    forTiles(block, row, column,
             [&](int64_t tile, Value, Value) { TileZeroOp::create(b, loc, tile); });
  };
  auto load = [&] {
    forTiles(block, row, column, [&](int64_t tile, Value r, Value c) {
      TileLoadOp::create(b, loc, tile, op.getC(), r, c);
    });
  };
  if (op.getClear())
    zero();
  else if (op.getFirst())
    b.ifElse(op.getFirst(), zero, load);
  else
    load();
}

void TileKernel::multiply(const Block &block, Value row, Value column) {
  Location loc = b.getLoc();
  int64_t height = block.rows.size(), width = block.columns.size();
  b.forLoop(op.getGroups(), groups, [&](Value group) {
    ahead.emit(row, column, block.height(), block.width(), group, groups);
    for (int64_t c = 0; c < width; ++c)
      TileLoadOp::create(b, loc, block.b(c), panel, group,
                         b.mul(b.add(column, c * side), atom.getGroup()));
    for (int64_t r = 0; r < height; ++r) {
      TileLoadOp::create(b, loc, block.a(r), op.getA(), b.add(row, r * side),
                         b.mul(group, atom.getGroup()));
      for (int64_t c = 0; c < width; ++c)
        TileMultiplyOp::create(b, loc, atom.getInstruction(), block.a(r), block.b(c),
                               block.c(r, c));
    }
  });
}

/// Writes the sums to C, and in the last step from there, as what it holds, to `out`.
void TileKernel::endSums(const Block &block, Value row, Value column) {
  Location loc = b.getLoc();
  forTiles(block, row, column, [&](int64_t tile, Value r, Value c) {
    TileStoreOp::create(b, loc, tile, op.getC(), r, c);
  });
  if (!op.getLast())
    return;
  auto convert = [&] {
    Type element = cast<MemRefType>(op.getOut().getType()).getElementType();
    b.forLoop(block.height(), 1, [&](Value r) {
      forVectorRuns(block.width(), side, [&](int64_t begin, int64_t end, int64_t lanes) {
        for (int64_t c = begin; c < end; c += lanes) {
          SmallVector<Value> at{b.add(row, r), b.add(column, c)};
          auto type = VectorType::get(lanes, atom.getAccumulator());
          Value sums = vector::LoadOp::create(b, loc, type, op.getC(), at);
          if (element != type.getElementType())
            sums = tile::CastOp::create(b, loc, type.clone(element), sums, false, false);
          vector::StoreOp::create(b, loc, sums, op.getOut(), at);
        }
      });
    });
  };
  b.ifElse(op.getLast(), convert, [] {});
}

void TileKernel::emitBlock(const Block &block, Value row, Value column) {
  beginSums(block, row, column);
  multiply(block, row, column);
  endSums(block, row, column);
}

/// The blocks of one kind. Those that begin behind the rows that count are left out.
void TileKernel::emitBlocks(const Block &block, int64_t beginRow, int64_t endRow,
                            int64_t beginColumn, int64_t endColumn) {
  if (beginRow == endRow || beginColumn == endColumn)
    return;
  emitShapes(block);
  OpFoldResult end = b.getIndexAttr(endRow);
  if (Value rows = op.getRows())
    end = getAsOpFoldResult(b.min(rows, b.index(end)));
  b.forLoop(b.getIndexAttr(beginColumn), b.getIndexAttr(endColumn), block.width(),
            [&](Value column) {
              b.forLoop(b.getIndexAttr(beginRow), end, block.height(),
                        [&](Value row) { emitBlock(block, row, column); });
            });
}

void TileKernel::emit() {
  int64_t n = op.getN(), wholeN = n / atom.getColumns() * atom.getColumns();
  for (RowRun run : getRowRuns(atom, op.getM())) {
    int64_t end = run.begin + run.rows * run.count;
    emitBlocks({divide(run.rows), divide(atom.getColumns())}, run.begin, end, 0, wholeN);
    emitBlocks({divide(run.rows), divide(n - wholeN)}, run.begin, end, wholeN, n);
  }
  TileShapesOp::create(b, b.getLoc(), ArrayRef<int64_t>(), ArrayRef<int64_t>());
}
