//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_PASSES
#define TILEWRIGHT_BACKENDS_HIP_PASSES

include "mlir/Pass/PassBase.td"

def BufferAccesses : Pass<"hip-buffer-accesses", "::mlir::func::FuncOp"> {
  let summary = "Let buffers' bounds guard accesses to global memory";
  let description = [{
    Thread level. Guarded loads and stores become those of buffers, which begin at the
    block's first row: what is behind the last row is outside of the buffer, and other
    guards choose an offset that is. Tensors may be of any size; where what a thread adds
    is not shown to be below 2^31 bytes, the guard stays, which a remark tells. What all
    threads access alike stays too, and the only access of a tensor outside of loops.
  }];
  let statistics = [
    Statistic<"numBuffers", "num-buffers", "Number of accesses through buffers">,
    Statistic<"numLeft", "num-left", "Number of accesses with guards of their own">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::ROCDL::ROCDLDialect",
                           "::mlir::vector::VectorDialect"];
}

def ConvertToROCDL : Pass<"hip-convert-to-rocdl", "::mlir::ModuleOp"> {
  let summary = "Convert a device module to the LLVM and ROCDL dialects";
  let description = [{
    Entries become kernels, tiles parts of the block's LDS, and
    operations on threads AMD's.
  }];
  let options = [Option<"roundsToBF16", "rounds-to-bf16", "bool", "false",
                        "Whether there is an instruction from f32 to bf16">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::ROCDL::ROCDLDialect"];
}

#endif // TILEWRIGHT_BACKENDS_HIP_PASSES
