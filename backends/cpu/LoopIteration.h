//===- LoopIteration.h - What one iteration of a loop makes of tiles -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_LOOPITERATION_H
#define TILEWRIGHT_BACKENDS_CPU_LOOPITERATION_H

#include "backends/cpu/ElementForm.h"
#include "backends/cpu/LoopStates.h"

#include "llvm/ADT/MapVector.h"

namespace tilewright::cpu {

/// Follows what elements are made of through one iteration of a loop.
class LoopIteration {
public:
  /// An iteration that begins with the tiles `carried` as the one before has left them,
  /// and overwrites all others that it has `written`.
  LoopIteration(mlir::LoopLikeOpInterface loop, llvm::ArrayRef<tile::AllocOp> written,
                llvm::ArrayRef<tile::AllocOp> carried);

  /// Runs it.
  void run();

  /// What a tile is made of now; of a view nothing is known but that it is free.
  TileForm getTile(mlir::Value memref);
  /// How the new value of an extremum comes about.
  mlir::arith::AtomicRMWKind getCombiner(tile::AllocOp extremum) const {
    return updates.find(extremum)->second.kind;
  }
  /// What sums are scaled by; nothing where none is.
  std::optional<WeightFunction> getWeight() const { return weight; }

private:
  using Kind = mlir::arith::AtomicRMWKind;

  void visitBlock(mlir::Block &block, bool isSure);
  void visit(mlir::Operation *op, bool isSure);
  void visitOther(mlir::Operation *op);
  void visitIf(mlir::scf::IfOp branch);
  void visitLoad(mlir::Operation *op, mlir::Value memref, mlir::ValueRange indices);
  void visitStore(mlir::memref::StoreOp store, bool isSure);
  void visitCopy(tile::CopyOp copy);
  void visitReduce(tile::ReduceOp reduce);
  void visitGemm(tile::GemmOp gemm);
  ValueForm compute(mlir::Operation *op);
  bool isInLoop(mlir::Value value);
  ValueForm scaleBy(ValueForm form, mlir::Value scale);
  ValueForm exponentiate(mlir::Operation *op);
  ValueForm updateExtremum(mlir::Operation *op, Kind kind);

  ValueForm get(mlir::Value value);
  void setTile(mlir::Value memref, TileForm form, bool isWhole);
  bool isFreeMemory(mlir::Value memref) { return getTile(memref).is(TileForm::Free); }
  bool usesWhatIsFree(mlir::Operation *op);
  TileForm update(tile::AllocOp extremum, Kind kind, const TileForm &taken);
  bool isTaken(const ValueForm &form);

  /// How the new value of an extremum comes about, and of what.
  struct Update {
    Kind kind;
    TileForm taken;
  };

  mlir::LoopLikeOpInterface loop;
  tile::ParallelOp nest; ///< the one that is being visited
  llvm::MapVector<mlir::Value, TileForm> tiles;
  llvm::DenseMap<mlir::Value, ValueForm> values;
  std::optional<WeightFunction> weight;
  llvm::DenseMap<mlir::Operation *, Update> updates; ///< by the extremum
  int64_t contents = 0;                              ///< that tiles have had so far
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_LOOPITERATION_H
