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
    Thread level. Guarded loads and stores become those of buffers, whose descriptors are
    those of the rows from a block's first one on: what is behind the last row is outside
    of the buffer, and other guards choose an offset that is. Where offsets are not shown
    to be below 2^31, the guard stays, which a remark tells; tensors may be of any size.
    What all threads read alike stays too.
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
