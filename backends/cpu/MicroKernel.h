//===- MicroKernel.h - Register-blocked loops of a gemm -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_MICROKERNEL_H
#define TILEWRIGHT_BACKENDS_CPU_MICROKERNEL_H

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/SpreadPrefetch.h"
#include "backends/cpu/TileDims.h"

namespace tilewright::cpu {

/// Runs `body` for each block of rows of `op`, as getRowRuns deals them out; `rows` is
/// the block's height. Blocks that begin behind the rows that count are left out.
void forRowBlocks(LoopBuilder &b, GemmOp op,
                  llvm::function_ref<void(int64_t rows, mlir::Value row)> body);

/// Emits the loops of a `cpu.gemm` over blocks of C that stay in registers for all of K.
class MicroKernel {
public:
  MicroKernel(LoopBuilder &builder, GemmOp op);

  void emit();

private:
  /// The extent of a block of C in registers.
  struct Block {
    int64_t rows;
    int64_t vectors; // across its columns
    int64_t lanes;   // of each vector: the atom's, or fewer at the edge of C

    int64_t columns() const { return vectors * lanes; }
  };

  /// Whether the block's vectors are the atom's, not narrower ones.
  bool isWhole(Block block) const { return block.lanes == atom.getLanes(); }

  void emitColumns(Block block, int64_t begin, int64_t end);
  llvm::SmallVector<mlir::Value> emitExcess(Block block, mlir::Value column);
  Indices getPlace(Block block, mlir::Value row, mlir::Value column, int64_t r,
                   int64_t v);
  llvm::SmallVector<mlir::Value> loadBlock(Block block, mlir::Value row,
                                           mlir::Value column);
  void storeBlock(Block block, mlir::Value row, mlir::Value column,
                  llvm::ArrayRef<mlir::Value> sums, mlir::Value memref);
  void emitBlock(Block block, mlir::Value row, mlir::Value column,
                 mlir::ValueRange excess);
  llvm::SmallVector<mlir::Value> emitStep(Block block, mlir::Value row,
                                          mlir::Value column, mlir::Value group,
                                          llvm::ArrayRef<mlir::Value> accumulators);
  void turnSquares(Block block, llvm::SmallVectorImpl<mlir::Value> &accumulators);
  llvm::SmallVector<mlir::Value> emitSquareStep(Block block, mlir::Value row,
                                                mlir::Value column, mlir::Value group,
                                                llvm::ArrayRef<mlir::Value> accumulators);
  mlir::Value loadGroup(mlir::Value row, mlir::Value group);
  mlir::Value loadGroups(mlir::Value row, bool isLast, mlir::Value group);
  mlir::Value loadVector(int64_t lanes, mlir::Value group, mlir::Value column);
  llvm::SmallVector<mlir::Value> loadVectors(Block block, mlir::Value group,
                                             mlir::Value column);
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value accumulator);
  mlir::Value multiplyAddNarrow(mlir::Value group, mlir::Value b,
                                mlir::Value accumulator);

  LoopBuilder &b;
  GemmOp op;
  AtomAttr atom;
  mlir::Value memrefA, memrefB, memrefC;
  SpreadPrefetch ahead;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_MICROKERNEL_H
