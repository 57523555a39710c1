//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CUDA_PASSES
#define TILEWRIGHT_BACKENDS_CUDA_PASSES

include "mlir/Pass/PassBase.td"

def ConvertToNVVM : Pass<"cuda-convert-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Convert a device module to the LLVM and NVVM dialects";
  let description = [{
    Entries become kernels, tiles parts of the block's dynamic shared memory, and
    operations on threads NVIDIA's.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

#endif // TILEWRIGHT_BACKENDS_CUDA_PASSES
