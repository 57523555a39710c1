//===- ParallelEmitter.h - Emit the loops of a parallel loop ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_PARALLELEMITTER_H
#define TILEWRIGHT_BACKENDS_CPU_PARALLELEMITTER_H

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/LaneValue.h"
#include "backends/cpu/ParallelPlan.h"
#include "compiler/transforms/Expr.h"

namespace tilewright::cpu {

/// Emits a `tile.parallel` in front of itself as loops whose innermost one runs over
/// vectors. A mask is a vector of truth values, or null where all lanes are active;
/// inactive lanes compute too, but touch no memory.
class ParallelEmitter {
public:
  ParallelEmitter(tile::ParallelOp op, const ParallelPlan &plan,
                  tile::IndexBounds &bounds, int64_t vectorBits)
      : b(op), op(op), plan(plan), bounds(bounds), vectorBits(vectorBits) {}

  void emit();

private:
  void emitLoops(unsigned dim);
  void emitVectorLoops();
  void emitBody(mlir::Value iv, int64_t width, int64_t active);
  void emitPrefetch(mlir::memref::PrefetchOp prefetch);

  // Rows that are combined, in ParallelCombine.cpp.
  void emitCombiningLoops(llvm::ArrayRef<CombineOp> combines);
  void emitCombiningBody(llvm::ArrayRef<CombineOp> combines, mlir::Value iv,
                         int64_t active, llvm::MutableArrayRef<mlir::Value> accumulators);
  void emitResult(CombineOp combine, Expr accumulators);
  bool combinesRowsTogether(llvm::ArrayRef<CombineOp> combines);
  mlir::Value makeAccumulators(CombineOp combine);
  void emitRows(CombineOp combine, mlir::Value accumulators);

  void emitBlock(mlir::Block &block, mlir::Value mask);
  void emitOperation(mlir::Operation *inner, mlir::Value mask);
  void emitCompute(mlir::Operation *inner, mlir::Value mask);
  void emitIf(mlir::scf::IfOp branch, mlir::Value mask);
  void emitFor(mlir::scf::ForOp loop, mlir::Value mask);
  void emitVariable(tile::AllocOp alloc);

  // Accesses, in ParallelAccess.cpp.
  struct Access;
  void emitAccess(mlir::Operation *inner, const ElementAccess &element, mlir::Value mask);
  LaneValue emitLoad(const Access &access);
  void emitStore(const Access &access, const LaneValue &stored);
  void emitGuards(const ElementAccess &element, Access &access);
  mlir::Value emitScalarAccess(mlir::Operation *inner, mlir::Value mask);
  void emitStoreToOne(mlir::Operation *inner, const LaneValue &stored, mlir::Value mask);
  mlir::Value emitContiguousLoad(const Access &access);
  mlir::Value emitWindowLoad(const Access &access);
  mlir::Value emitOffsetVector(const Access &access,
                               llvm::SmallVector<mlir::Value> &base);

  /// What a value of the body is, or one from outside.
  LaneValue lookup(mlir::Value value) const;
  llvm::SmallVector<LaneValue> lookup(mlir::ValueRange values) const;
  mlir::Value lookupVector(mlir::Value value) {
    return getVector(b, lookup(value), lanes);
  }
  /// The one value of `value` where the plan says that it is uniform, else the vector.
  mlir::Value lookupPlanned(mlir::Value value, bool varies) {
    return varies ? lookupVector(value) : lookup(value).scalar;
  }
  void map(mlir::Value value, LaneValue lane) { mapping[value] = std::move(lane); }
  /// A copy of `inner` on scalars.
  mlir::Operation *cloneScalar(mlir::Operation *inner);

  mlir::VectorType vectorOf(mlir::Type element) const {
    return mlir::VectorType::get({lanes}, element);
  }
  mlir::Value zero(mlir::Type type) {
    return mlir::arith::ConstantOp::create(b, b.getLoc(), tile::zeroBits(type));
  }
  mlir::Value anyActive(mlir::Value mask);

  LoopBuilder b;
  tile::ParallelOp op;
  const ParallelPlan &plan;
  tile::IndexBounds &bounds;
  int64_t vectorBits;
  /// For each combination a tile of accumulators, a vector for each row; none where rows
  /// are combined one by one.
  llvm::SmallVector<mlir::Value> rowsTogether;
  /// Lanes of the body being emitted.
  int64_t lanes = 0;
  llvm::DenseMap<mlir::Value, LaneValue> mapping;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_PARALLELEMITTER_H
