//===- TileKernel.h - Loops of a gemm over the tiles of AMX -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TILEKERNEL_H
#define TILEWRIGHT_BACKENDS_CPU_TILEKERNEL_H

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/SpreadPrefetch.h"

namespace tilewright::cpu {

/// Emits the loops of a `cpu.gemm` over blocks of C that stay in tiles for all of K.
class TileKernel {
public:
  TileKernel(LoopBuilder &builder, GemmOp op);

  void emit();

private:
  /// A kind of block: the rows and the columns of C in each row and column of tiles.
  struct Block {
    llvm::SmallVector<int64_t> rows, columns;

    int64_t height() const { return llvm::sum_of(rows); }
    int64_t width() const { return llvm::sum_of(columns); }
    /// The numbers of tiles.
    int64_t c(int64_t row, int64_t column) const { return row * columns.size() + column; }
    int64_t a(int64_t row) const { return c(rows.size(), row); }
    int64_t b(int64_t column) const { return a(rows.size()) + column; }
  };

  void emitShapes(const Block &block);
  void emitBlocks(const Block &block, int64_t beginRow, int64_t endRow,
                  int64_t beginColumn, int64_t endColumn);
  void emitBlock(const Block &block, mlir::Value row, mlir::Value column);
  void beginSums(const Block &block, mlir::Value row, mlir::Value column);
  void multiply(const Block &block, mlir::Value row, mlir::Value column);
  void endSums(const Block &block, mlir::Value row, mlir::Value column);

  /// Calls `body` for each tile of C of a block, with its number and place.
  void forTiles(const Block &block, mlir::Value row, mlir::Value column,
                llvm::function_ref<void(int64_t, mlir::Value, mlir::Value)> body);

  LoopBuilder &b;
  GemmOp op;
  AtomAttr atom;
  mlir::Value panel; ///< B as [groups, N * group]
  int64_t groups;    ///< along K in one tile
  SpreadPrefetch ahead;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TILEKERNEL_H
