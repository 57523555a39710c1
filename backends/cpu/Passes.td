//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_PASSES
#define TILEWRIGHT_BACKENDS_CPU_PASSES

include "mlir/Pass/PassBase.td"

def LowerGemm : Pass<"cpu-lower-gemm"> {
  let summary = "Lower gemms to register-blocked micro-kernels";
  let description = [{
    Walks C in register blocks of the atom's rows and columns. A block's
    accumulators are loaded into vector registers once, updated for all of K by
    broadcasts of one operand times vectors of the other, and stored once.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def LowerCopy : Pass<"cpu-lower-copy"> {
  let summary = "Lower copies, packs, gathers and fills to vector loops";
  let description = [{
    A region that lies inside its tensor is copied by loops without masks; the
    general form, with the tensor's edge found once per copy, runs otherwise.
  }];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect"];
  let options = [Option<"vectorBits", "vector-bits", "int64_t", "512",
                        "Width of a vector register">];
}

def ConvertToLLVM : Pass<"cpu-convert-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert outlined kernels and launch functions to the LLVM dialect";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TILEWRIGHT_BACKENDS_CPU_PASSES
