//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_HOST_PASSES
#define TILEWRIGHT_COMPILER_HOST_PASSES

include "mlir/Pass/PassBase.td"

def OutlineKernels : Pass<"outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Move each kernel into a function that runs a share of its blocks";
  let description = [{
    A `tile.kernel` becomes a private function over a range of linear block
    numbers and a `tile.launch` of it; tiles become views of the arena. Every
    public function with a body turns into a launch function of docs/abi.md: it takes the
    host table, the launch's state and the argument words, and rebuilds its
    parameters from the words.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::func::FuncDialect"];
}

#endif // TILEWRIGHT_COMPILER_HOST_PASSES
