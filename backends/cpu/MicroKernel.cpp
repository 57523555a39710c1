//===- MicroKernel.cpp - Register-blocked loops of a gemm ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/MicroKernel.h"

using namespace mlir;
using namespace tilewright::cpu;

MicroKernel::MicroKernel(LoopBuilder &builder, GemmOp op)
    : b(builder), op(op), atom(op.getAtom()), memrefA(op.getA()), memrefB(op.getB()),
      memrefC(op.getC()), ahead(builder, op) {
  // A row of a panel is one run of memory, from which vectors of groups are loaded.
  if (op.isPanelB()) {
    SmallVector<ReassociationIndices> rows{{0}, {1, 2}};
    memrefB = memref::CollapseShapeOp::create(b, b.getLoc(), memrefB, rows);
  }
}

void tilewright::cpu::forRowBlocks(LoopBuilder &b, GemmOp op,
                                   function_ref<void(int64_t, Value)> body) {
  for (RowRun run : getRowRuns(op.getAtom(), op.getM())) {
    OpFoldResult end = b.getIndexAttr(run.begin + run.rows * run.count);
    if (Value rows = op.getRows())
      end = getAsOpFoldResult(b.min(rows, b.index(end)));
    b.forLoop(b.getIndexAttr(run.begin), end, run.rows,
              [&](Value row) { body(run.rows, row); });
  }
}

/// The vector of `depth` elements of A at `row` and `group`.
Value MicroKernel::loadGroup(Value row, Value group) {
  auto type = VectorType::get(atom.getDepth(), atom.getElement());
  SmallVector<Value> at;
  if (op.isPanelA())
    at = {group, row, b.index(0)};
  else if (op.getTransposeA())
    at = {group, row};
  else
    at = {row, b.mul(group, atom.getDepth())};
  if (atom.getDepth() > 1)
    return vector::LoadOp::create(b, b.getLoc(), type, memrefA, at);
  Value element = memref::LoadOp::create(b, b.getLoc(), memrefA, at);
  return vector::BroadcastOp::create(b, b.getLoc(), type, element);
}

/// The groups of A at `row` and the row after it, which lie side by side in a panel; of
/// the last row twice.
Value MicroKernel::loadGroups(Value row, bool isLast, Value group) {
  Location loc = b.getLoc();
  int64_t elements = 2 * atom.getDepth();
  if (isLast) {
    Value one = loadGroup(row, group);
    auto twice = llvm::to_vector(llvm::seq<int64_t>(0, elements));
    return vector::ShuffleOp::create(b, loc, one, one, twice);
  }
  SmallVector<ReassociationIndices> rows{{0}, {1, 2}};
  Value panel = memref::CollapseShapeOp::create(b, loc, memrefA, rows);
  return vector::LoadOp::create(b, loc, VectorType::get(elements, atom.getElement()),
                                panel, ValueRange{group, b.mul(row, atom.getDepth())});
}

Value MicroKernel::loadVector(int64_t lanes, Value group, Value column) {
  auto type = VectorType::get(lanes * atom.getDepth(), atom.getElement());
  return vector::LoadOp::create(b, b.getLoc(), type, memrefB,
                                ValueRange{group, b.mul(column, atom.getDepth())});
}

/// The vectors of B of a group, across the block's columns.
SmallVector<Value> MicroKernel::loadVectors(Block block, Value group, Value column) {
  SmallVector<Value> vectors;
  if (!atom.isWoven()) {
    for (int64_t v = 0; v < block.vectors; ++v)
      vectors.push_back(loadVector(block.lanes, group, b.add(column, v * block.lanes)));
    return vectors;
  }
  Location loc = b.getLoc();
  int64_t columns = 2 * block.lanes;
  auto type = VectorType::get(columns, atom.getElement());
  Value row = b.mul(group, atom.getDepth());
  for (int64_t v = 0; v < block.vectors; v += 2) {
    Value at = b.add(column, v * block.lanes);
    Value first = vector::LoadOp::create(b, loc, type, memrefB, ValueRange{row, at});
    Value second =
        vector::LoadOp::create(b, loc, type, memrefB, ValueRange{b.add(row, 1), at});
    for (int64_t half : {0, 1}) {
      SmallVector<int64_t> pairs;
      for (int64_t lane = half * block.lanes; lane < (half + 1) * block.lanes; ++lane)
        llvm::append_values(pairs, lane, columns + lane);
      vectors.push_back(vector::ShuffleOp::create(b, loc, first, second, pairs));
    }
  }
  return vectors;
}

Value MicroKernel::multiplyAdd(Value a, Value vector, Value accumulator) {
  if (atom.hasExcess())
    return atom.emitWithExcess(b, b.getLoc(), a, vector, accumulator);
  return *atom.emit(b, b.getLoc(), {a, vector, accumulator});
}

/// What the atom does, for vectors narrower than its registers: one element of the
/// group after the other, in the accumulator's type.
Value MicroKernel::multiplyAddNarrow(Value group, Value vector, Value accumulator) {
  Location loc = b.getLoc();
  auto type = cast<VectorType>(accumulator.getType());
  int64_t lanes = type.getNumElements(), depth = atom.getDepth();
  auto widen = [&](Value value) -> Value {
    auto wide = cast<VectorType>(value.getType()).clone(atom.getAccumulator());
    return b.createOrFold<tile::CastOp>(loc, wide, value, atom.isUnsigned(), false);
  };
  Value wideGroup = widen(group), wideVector = widen(vector);
  for (int64_t i = 0; i < depth; ++i) {
    SmallVector<int64_t> every;
    for (int64_t lane = 0; lane < lanes; ++lane)
      every.push_back(lane * depth + i);
    Value bs = wideVector;
    if (depth > 1)
      bs = vector::ShuffleOp::create(b, loc, wideVector, wideVector, every);
    Value element = vector::ExtractOp::create(b, loc, wideGroup, i);
    Value as = vector::BroadcastOp::create(b, loc, type, element);
    if (isa<FloatType>(type.getElementType()))
      accumulator = vector::FMAOp::create(b, loc, as, bs, accumulator);
    else
      accumulator = arith::AddIOp::create(b, loc, accumulator,
                                          arith::MulIOp::create(b, loc, as, bs));
  }
  return accumulator;
}

/// Adds one group of K to the block's accumulators.
SmallVector<Value> MicroKernel::emitStep(Block block, Value row, Value column,
                                         Value group, ArrayRef<Value> accumulators) {
  SmallVector<Value> vectors = loadVectors(block, group, column), sums(accumulators);
  bool whole = isWhole(block);
  for (int64_t r = 0; r < block.rows; ++r) {
    Value elements = loadGroup(b.add(row, r), group);
    Value spread = whole ? atom.broadcast(b, b.getLoc(), elements) : Value();
    for (int64_t v = 0; v < block.vectors; ++v) {
      Value &sum = sums[r * block.vectors + v];
      sum = whole ? multiplyAdd(spread, vectors[v], sum)
                  : multiplyAddNarrow(elements, vectors[v], sum);
    }
  }
  return sums;
}

/// Makes the vectors of two rows, of four columns each, two squares of two rows and two
/// columns, which take their places; or squares rows again, since twice is no change.
void MicroKernel::turnSquares(Block block, SmallVectorImpl<Value> &accumulators) {
  Location loc = b.getLoc();
  for (int64_t r = 0; r < block.rows; r += 2)
    for (int64_t v = 0; v < block.vectors; ++v) {
      Value &first = accumulators[r * block.vectors + v];
      Value &second = accumulators[(r + 1) * block.vectors + v];
      Value low =
          vector::ShuffleOp::create(b, loc, first, second, ArrayRef<int64_t>{0, 1, 4, 5});
      second =
          vector::ShuffleOp::create(b, loc, first, second, ArrayRef<int64_t>{2, 3, 6, 7});
      first = low;
    }
}

/// The same as `emitStep` for accumulators in squares.
SmallVector<Value> MicroKernel::emitSquareStep(Block block, Value row, Value column,
                                               Value group,
                                               ArrayRef<Value> accumulators) {
  SmallVector<Value> vectors, sums(accumulators);
  for (int64_t v = 0; v < 2 * block.vectors; ++v)
    vectors.push_back(loadVector(2, group, b.add(column, 2 * v)));
  for (int64_t r = 0; r < block.rows; r += 2) {
    Value groups = loadGroups(b.add(row, r), r + 1 == block.rows, group);
    for (int64_t v = 0; v < 2 * block.vectors; ++v) {
      Value &sum = sums[(r + v % 2) * block.vectors + v / 2];
      sum = multiplyAdd(groups, vectors[v], sum);
    }
  }
  return sums;
}

/// What every row's products with the columns of `block` exceed the right ones by, for
/// each vector of columns; nothing where they do not.
SmallVector<Value> MicroKernel::emitExcess(Block block, Value column) {
  if (!isWhole(block) || !atom.hasExcess())
    return {};
  Location loc = b.getLoc();
  auto type = VectorType::get(block.lanes, atom.getAccumulator());
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  // Several sums for each vector, since one product waits for the one before in its sum.
  int64_t groups = op.getGroups(), parts = 1;
  while (parts < 4 && groups % (2 * parts) == 0)
    parts *= 2;
  SmallVector<Value> none(parts * block.vectors, zero);
  SmallVector<Value> sums =
      loopCarrying(b, 0, groups, parts, none, [&](Value group, ValueRange carried) {
        SmallVector<Value> next;
        for (auto [i, sum] : llvm::enumerate(carried)) {
          int64_t part = i / block.vectors, v = i % block.vectors;
          Value vector =
              loadVector(block.lanes, b.add(group, part), b.add(column, v * block.lanes));
          next.push_back(atom.addExcess(b, loc, vector, sum));
        }
        return next;
      });
  for (int64_t i = block.vectors; i < parts * block.vectors; ++i) {
    Value &sum = sums[i % block.vectors];
    sum = arith::AddIOp::create(b, loc, sum, sums[i]);
  }
  sums.resize(block.vectors);
  return sums;
}

/// The place of vector `v` of row `r` of a block.
Indices MicroKernel::getPlace(Block block, Value row, Value column, int64_t r,
                              int64_t v) {
  return {b.add(row, r), b.add(column, v * block.lanes)};
}

/// The block's accumulators as this step finds them.
SmallVector<Value> MicroKernel::loadBlock(Block block, Value row, Value column) {
  Location loc = b.getLoc();
  auto type = VectorType::get(block.lanes, atom.getAccumulator());
  int64_t count = block.rows * block.vectors;
  auto makeZeros = [&] {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    return SmallVector<Value>(count, zero);
  };
  auto load = [&] {
    SmallVector<Value> loaded;
    for (int64_t r = 0; r < block.rows; ++r)
      for (int64_t v = 0; v < block.vectors; ++v)
        loaded.push_back(vector::LoadOp::create(b, loc, type, memrefC,
                                                getPlace(block, row, column, r, v)));
    return loaded;
  };
  if (op.getClear())
    return makeZeros();
  if (!op.getFirst())
    return load();
  auto choice = scf::IfOp::create(b, loc, SmallVector<Type>(count, type), op.getFirst(),
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, loc, makeZeros());
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, loc, load());
  return choice.getResults();
}

/// Writes the block's sums to `memref`, as what it holds.
void MicroKernel::storeBlock(Block block, Value row, Value column, ArrayRef<Value> sums,
                             Value memref) {
  auto type = VectorType::get(block.lanes, elementOf(memref));
  for (int64_t r = 0; r < block.rows; ++r)
    for (int64_t v = 0; v < block.vectors; ++v) {
      Value sum = sums[r * block.vectors + v];
      if (sum.getType() != type)
        sum = tile::CastOp::create(b, b.getLoc(), type, sum, false, false);
      vector::StoreOp::create(b, b.getLoc(), sum, memref,
                              getPlace(block, row, column, r, v));
    }
}

void MicroKernel::emitBlock(Block block, Value row, Value column, ValueRange excess) {
  Location loc = b.getLoc();
  auto type = VectorType::get(block.lanes, atom.getAccumulator());
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  SmallVector<Value> accumulators = loadBlock(block, row, column);

  // Squares have two rows: an odd one gets company that is not stored.
  bool isSquare = isWhole(block) && atom.isSquare();
  if (isSquare) {
    accumulators.resize(llvm::alignTo(block.rows, 2) * block.vectors, zero);
    turnSquares(block, accumulators);
  }

  // Unrolled so that the loop's own instructions vanish beside the products.
  int64_t groups = op.getGroups(), unroll = 1;
  while (block.rows * block.vectors * unroll < 32 && unroll < 4 &&
         groups % (unroll * 2) == 0)
    unroll *= 2;
  auto loop = scf::ForOp::create(b, loc, b.index(0), b.index(groups), b.index(unroll),
                                 accumulators);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> sums(loop.getRegionIterArgs());
    ahead.emit(row, column, block.rows, block.columns(), loop.getInductionVar(), unroll);
    for (int64_t u = 0; u < unroll; ++u) {
      Value group = b.add(loop.getInductionVar(), u);
      sums = isSquare ? emitSquareStep(block, row, column, group, sums)
                      : emitStep(block, row, column, group, sums);
    }
    scf::YieldOp::create(b, loc, sums);
  }
  SmallVector<Value> sums(loop.getResults());
  if (isSquare)
    turnSquares(block, sums);
  for (int64_t i = 0; !excess.empty() && i < block.rows * block.vectors; ++i)
    sums[i] = arith::SubIOp::create(b, loc, sums[i], excess[i % block.vectors]);
  if (!op.getLast())
    return storeBlock(block, row, column, sums, memrefC);
  b.ifElse(
      op.getLast(), [&] { storeBlock(block, row, column, sums, op.getOut()); },
      [&] { storeBlock(block, row, column, sums, memrefC); });
}

/// All rows of the columns [begin, end), which `block` divides.
void MicroKernel::emitColumns(Block block, int64_t begin, int64_t end) {
  b.forLoop(b.getIndexAttr(begin), b.getIndexAttr(end), block.columns(),
            [&](Value column) {
              SmallVector<Value> excess = emitExcess(block, column);
              forRowBlocks(b, op, [&](int64_t rows, Value row) {
                emitBlock({rows, block.vectors, block.lanes}, row, column, excess);
              });
            });
}

void MicroKernel::emit() {
  Block block{atom.getRows(), atom.getVectors(), atom.getLanes()};
  int64_t n = op.getN(), whole = n / block.columns() * block.columns();
  emitColumns(block, 0, whole);
  // What is left goes by ever narrower vectors, so that nothing past C is touched.
  forVectorRuns(n - whole, block.lanes, [&](int64_t begin, int64_t end, int64_t lanes) {
    emitColumns({block.rows, (end - begin) / lanes, lanes}, whole + begin, whole + end);
  });
}
