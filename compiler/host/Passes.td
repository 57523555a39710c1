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

def OutlineGrids : Pass<"outline-grids", "::mlir::ModuleOp"> {
  let summary = "Move each kernel into a function of a device module";
  let description = [{
    A `tile.kernel` becomes a function of the module `@device`, which works for the
    block `simt.block_id`, and a `tile.launch_grid` of it. Prints and assertions
    become records in a buffer that the runtime reads. Every public function with a
    body turns into a launch function of docs/abi.md.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect",
                           "::tilewright::simt::SimtDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect"];
}

def LowerLaunches : Pass<"lower-launches", "::mlir::ModuleOp"> {
  let summary = "Make launches of grids calls of the runtime";
  let description = [{
    Lays out a `tile.launch_grid`'s arguments as docs/abi.md says and passes them to
    `launch_grid` of the host table, with the shared memory that the device function
    asks for.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect"];
}

#endif // TILEWRIGHT_COMPILER_HOST_PASSES
