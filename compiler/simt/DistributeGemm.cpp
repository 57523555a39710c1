//===- DistributeGemm.cpp - Products by the threads of a block ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warp computes `m` x `n` instructions side by side (FragmentLayout.h). Their
// accumulators are registers for all of K; in each step along K the warp reads its rows
// of A and its columns of B once (LoadOperand.h). What an instruction
// takes beyond the tile is zero, and what it makes there is dropped.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/DistributeGemm.h"

#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/GemmLayout.h"
#include "compiler/simt/LoadOperand.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

/// So many steps along K, or instructions, are written out; of more there is a loop.
static constexpr int64_t kWrittenSteps = 4, kWrittenInstructions = 64;
/// So many instructions make an iteration of that, so that operands are read while others
/// are multiplied. More would want more registers.
static constexpr int64_t kLoopInstructions = 32;

namespace {
class GemmDistributor {
public:
  GemmDistributor(GemmOp gemm, const ThreadPlace &place)
      : gemm(gemm), builder(gemm), loc(gemm.getLoc()), place(place), atom(gemm),
        shape(atom.getShape()), tiling(getTiling(gemm, place.warps)),
        loadA(builder, gemm, AtomRole::A, tiling, place),
        loadB(builder, gemm, AtomRole::B, tiling, place) {}

  LogicalResult distribute();

private:
  using Accumulators = SmallVector<Value>; // of the instructions, row by row

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  FailureOr<Accumulators> step(Value k, ArrayRef<Value> accumulators);
  int64_t paddedM() const { return tiling.m * tiling.warpsM * shape.m; }
  int64_t paddedN() const { return tiling.n * tiling.warpsN * shape.n; }
  Value isInside(OpBuilder &b, Value at, int64_t extent, int64_t padded);
  Value loadAccumulator(const ThreadIndex &index, int64_t reg);
  Accumulators loadAccumulators(const ThreadIndex &index);
  void storeAccumulators(const ThreadIndex &index, ArrayRef<Value> accumulators);
  bool isDealt() {
    Operation *alloc = gemm.getC().getDefiningOp();
    return alloc && alloc->hasAttr(dealtAttrName);
  }

  GemmOp gemm;
  OpBuilder builder;
  Location loc;
  const ThreadPlace &place;
  OrientedAtom atom;
  AtomShape shape;
  Tiling tiling;
  OperandLoader loadA, loadB;
};
} // namespace

/// All instructions of the warp for the steps along K that are read together.
FailureOr<SmallVector<Value>> GemmDistributor::step(Value k,
                                                    ArrayRef<Value> accumulators) {
  Accumulators results(accumulators);
  SmallVector<SmallVector<Value>> stepsOfA = loadA.load(builder, k);
  SmallVector<SmallVector<Value>> stepsOfB = loadB.load(builder, k);
  for (auto [rows, columns] : llvm::zip(stepsOfA, stepsOfB))
    for (auto [number, accumulator] : llvm::enumerate(results)) {
      FailureOr<Value> result = atom.emit(builder, loc, rows[number / tiling.n],
                                          columns[number % tiling.n], accumulator);
      if (failed(result))
        return failure();
      accumulator = *result;
    }
  return results;
}

/// Where the tile has row `at`, or column: null where it has all of them.
Value GemmDistributor::isInside(OpBuilder &b, Value at, int64_t extent, int64_t padded) {
  if (extent == padded)
    return nullptr;
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at,
                               arith::ConstantIndexOp::create(b, loc, extent));
}

/// An element of C. Outside nothing is read: another thread may be writing what is there.
Value GemmDistributor::loadAccumulator(const ThreadIndex &index, int64_t reg) {
  Value row = index.get(builder, loc, 0, reg), column = index.get(builder, loc, 1, reg);
  Value inside = isInside(builder, row, gemm.getM(), paddedM());
  if (Value other = isInside(builder, column, gemm.getN(), paddedN()))
    inside = inside ? Value(arith::AndIOp::create(builder, loc, inside, other)) : other;
  auto load = [&](OpBuilder &b) -> Value {
    return memref::LoadOp::create(b, loc, gemm.getC(), ValueRange{row, column});
  };
  if (!inside)
    return load(builder);
  Type type = cast<MemRefType>(gemm.getC().getType()).getElementType();
  auto branch = scf::IfOp::create(builder, loc, type, inside, /*withElseRegion=*/true);
  OpBuilder then = branch.getThenBodyBuilder(), otherwise = branch.getElseBodyBuilder();
  scf::YieldOp::create(then, loc, load(then));
  Value zero = arith::ConstantOp::create(otherwise, loc, zeroBits(type));
  scf::YieldOp::create(otherwise, loc, zero);
  return branch.getResult(0);
}

SmallVector<Value> GemmDistributor::loadAccumulators(const ThreadIndex &index) {
  int64_t registers = atom.getLayout(AtomRole::C).getExtent(FactorKind::Vector);
  auto type = VectorType::get({registers}, atom.getElementType(AtomRole::C));
  Accumulators accumulators;
  for (int64_t number = 0; number < tiling.m * tiling.n; ++number) {
    if (gemm.getClear()) {
      accumulators.push_back(
          arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type)));
      continue;
    }
    if (isDealt()) { // as a whole, so that it stays one value from step to step
      accumulators.push_back(vector::LoadOp::create(builder, loc, type, gemm.getC(),
                                                    constant(number * registers)));
      continue;
    }
    SmallVector<Value> elements;
    for (int64_t reg = number * registers; reg < (number + 1) * registers; ++reg)
      elements.push_back(loadAccumulator(index, reg));
    accumulators.push_back(vector::FromElementsOp::create(builder, loc, type, elements));
  }
  return accumulators;
}

void GemmDistributor::storeAccumulators(const ThreadIndex &index,
                                        ArrayRef<Value> accumulators) {
  int64_t registers = atom.getLayout(AtomRole::C).getExtent(FactorKind::Vector);
  for (auto [number, accumulator] : llvm::enumerate(accumulators)) {
    if (isDealt()) {
      vector::StoreOp::create(builder, loc, accumulator, gemm.getC(),
                              constant(number * registers));
      continue;
    }
    for (int64_t i = 0; i < registers; ++i) {
      int64_t reg = number * registers + i;
      Value element = vector::ExtractOp::create(builder, loc, accumulator, i);
      Value row = index.get(builder, loc, 0, reg),
            column = index.get(builder, loc, 1, reg);
      OpBuilder inside = builder;
      for (Value guard : {isInside(builder, row, gemm.getM(), paddedM()),
                          isInside(builder, column, gemm.getN(), paddedN())})
        if (guard)
          inside = scf::IfOp::create(inside, loc, guard, /*withElseRegion=*/false)
                       .getThenBodyBuilder();
      memref::StoreOp::create(inside, loc, element, gemm.getC(), {row, column});
    }
  }
}

LogicalResult GemmDistributor::distribute() {
  ThreadIndex indexC(builder, loc, getAccumulatorLayout(gemm, place.warps), place.lane,
                     place.warp);
  Accumulators accumulators = loadAccumulators(indexC);
  int64_t group =
      std::max(getBestGroup(gemm, AtomRole::A), getBestGroup(gemm, AtomRole::B));
  bool isHeld = false;
  for (const OperandLoader *loader : {&loadA, &loadB})
    if (const auto &held = loader->getHeld()) {
      group = held->group;
      isHeld = true;
    }
  loadA.setGroup(group);
  loadB.setGroup(group);
  int64_t depth = group * shape.k, steps = llvm::divideCeil(gemm.getK(), depth);
  int64_t instructions = tiling.m * tiling.n * group * steps;
  if (steps <= kWrittenSteps || instructions <= kWrittenInstructions || isHeld) {
    for (int64_t i = 0; i < steps; ++i) {
      FailureOr<Accumulators> results = step(constant(i * depth), accumulators);
      if (failed(results))
        return failure();
      accumulators = std::move(*results);
    }
  } else {
    int64_t together = 1;
    while (steps % (2 * together) == 0 &&
           instructions / steps * 2 * together <= kLoopInstructions)
      together *= 2;
    auto loop = scf::ForOp::create(builder, loc, constant(0), constant(steps * depth),
                                   constant(together * depth), accumulators);
    OpBuilder behind = builder;
    builder.setInsertionPointToStart(loop.getBody());
    Accumulators results(loop.getRegionIterArgs());
    for (int64_t i = 0; i < together; ++i) {
      Value k = loop.getInductionVar();
      if (i > 0)
        k = arith::AddIOp::create(builder, loc, k, constant(i * depth));
      FailureOr<Accumulators> stepped = step(k, results);
      if (failed(stepped))
        return failure();
      results = std::move(*stepped);
    }
    scf::YieldOp::create(builder, loc, results);
    builder = behind;
    accumulators.assign(loop.getResults().begin(), loop.getResults().end());
  }
  storeAccumulators(indexC, accumulators);
  gemm.erase();
  return success();
}

LogicalResult simt::distributeGemm(GemmOp gemm, const ThreadPlace &place) {
  return GemmDistributor(gemm, place).distribute();
}
