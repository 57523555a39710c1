//===- InnerKernel.h - Gemms as products of rows along K ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_INNERKERNEL_H
#define TILEWRIGHT_BACKENDS_CPU_INNERKERNEL_H

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/LoopBuilder.h"

namespace tilewright::cpu {

/// Emits the loops of a `cpu.gemm` with an inner atom: vectors of both operands run along
/// K, and each sum of C stays in a register, spread over its lanes, until K ends.
class InnerKernel {
public:
  InnerKernel(LoopBuilder &builder, GemmOp op) : b(builder), op(op), atom(op.getAtom()) {}

  void emit();

private:
  using Vectors = llvm::SmallVector<mlir::Value>;

  void emitColumns(int64_t columns, int64_t begin, int64_t end);
  void emitBlock(int64_t rows, int64_t columns, mlir::Value row, mlir::Value column);
  Vectors emitStep(int64_t rows, int64_t columns, mlir::Value row, mlir::Value column,
                   mlir::Value k, Vectors sums);
  int64_t getStep();
  bool wantsPrefetch(mlir::Value memref);
  void prefetchAlongK(mlir::Value memref, mlir::Value row, mlir::Value k);
  Vectors loadAlongK(mlir::Value memref, mlir::Value row, mlir::Value k);
  mlir::Value addLanes(llvm::ArrayRef<mlir::Value> sums);
  mlir::Value add(mlir::Value x, mlir::Value y);

  LoopBuilder &b;
  GemmOp op;
  AtomAttr atom;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_INNERKERNEL_H
