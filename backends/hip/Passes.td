//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_PASSES
#define TILEWRIGHT_BACKENDS_HIP_PASSES

include "mlir/Pass/PassBase.td"

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
