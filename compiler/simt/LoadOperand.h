//===- LoadOperand.h - What a warp reads of an operand ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_LOAD_OPERAND_H
#define TILEWRIGHT_COMPILER_SIMT_LOAD_OPERAND_H

#include "compiler/simt/DistributeGemm.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/GemmLayout.h"

namespace tilewright::simt {

/// Reads the rows of A, or the columns of B, that a warp's instructions take.
class OperandLoader {
public:
  /// Emits what all steps along K share.
  OperandLoader(mlir::OpBuilder &builder, tile::GemmOp gemm, tile::AtomRole role,
                const Tiling &tiling, const ThreadPlace &place);

  /// Reads so many steps together. K is dealt out anew among them: of their joint extent
  /// a lane gets neighbours. Both operands of a product do it alike.
  void setGroup(int64_t steps) { group = steps; }

  /// For each of the steps from `k` on a vector of registers for each row or column of
  /// instructions, widened to their type.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> load(mlir::OpBuilder &builder,
                                                         mlir::Value k);

  /// What the thread has in registers: what it reads is then known for steps that are
  /// constants.
  const std::optional<HeldOperand> &getHeld() const { return held; }

private:
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> loadAsStored(mlir::OpBuilder &builder,
                                                                 mlir::Value k);
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> loadHeld(mlir::OpBuilder &builder,
                                                             mlir::Value k);
  bool canReadMatrices() const;
  int64_t getRun() const;
  int64_t rowOffset(int64_t number, int64_t reg) const;
  llvm::SmallVector<mlir::Value> loadMatrices(mlir::OpBuilder &builder, mlir::Value k);
  llvm::SmallVector<mlir::Value> loadRuns(mlir::OpBuilder &builder, mlir::Value k,
                                          int64_t number);
  llvm::SmallVector<llvm::SmallVector<mlir::Value>>
  loadInterleaved(mlir::OpBuilder &builder, mlir::Value k);
  mlir::Value loadRun(mlir::OpBuilder &builder, mlir::Value outer, mlir::Value k,
                      int64_t run);

  mlir::Location loc;
  OrientedAtom atom;
  tile::LayoutAttr layout;
  tile::AtomShape shape;
  mlir::Value memref;
  int64_t size;       // rows of an instruction's operand A, columns of its operand B
  int64_t count;      // instructions of a warp in that direction
  int64_t warps;      // warps in that direction
  int64_t extent;     // of the tile in that direction
  int64_t depth;      // of the tile along K
  int64_t alongK;     // the operand's dimension that K is
  bool isInnermostK;  // elements along K are neighbours in memory
  bool interleaves;   // a lane's rows or columns follow each other
  bool isKFirst;      // the memref's first dimension is K
  int64_t registers;  // of an instruction
  int64_t alignment;  // of where the operand begins, in elements
  int64_t group = 1;  // steps that are read together
  mlir::Type element; // that the instruction multiplies
  bool isNarrow;      // the memref's are narrower floats
  mlir::Value lane, origin;
  ThreadIndex index;
  std::optional<HeldOperand> held;
};

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_LOAD_OPERAND_H
