//===- LowerGemm.cpp - Gemms as register-blocked loops ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/InnerKernel.h"
#include "backends/cpu/MicroKernel.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/TileKernel.h"
#include "backends/cpu/TileShapes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_LOWERGEMM
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::cpu;

namespace {
struct LowerGemmPass : tilewright::cpu::impl::LowerGemmBase<LowerGemmPass> {
  void runOnOperation() override {
    SmallVector<GemmOp> gemms;
    getOperation()->walk([&](GemmOp gemm) { gemms.push_back(gemm); });
    for (GemmOp gemm : gemms) {
      LoopBuilder builder(gemm);
      if (gemm.getAtom().isInner())
        InnerKernel(builder, gemm).emit();
      else if (gemm.getAtom().isTile())
        TileKernel(builder, gemm).emit();
      else
        MicroKernel(builder, gemm).emit();
      gemm.erase();
    }
    keepTileShapes(getOperation());
  }
};
} // namespace
