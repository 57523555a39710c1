//===- LaunchFunction.h - The host side of the launch ABI ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch function of docs/abi.md,
//
//   i32 NAME(host table, state, words)
//
// rebuilds the parameters from the words, computes sizes and grids and launches each
// kernel. How it does so is the target's: blocks as functions on a CPU (OutlineKernels),
// grids of a device image on a GPU (OutlineGrids).
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_HOST_LAUNCH_FUNCTION_H
#define TILEWRIGHT_COMPILER_HOST_LAUNCH_FUNCTION_H

#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilewright::host {

/// Replaces a kernel by what launches it; `name` is unique in the module.
using OutlineFn = llvm::function_ref<void(tile::KernelOp kernel, llvm::StringRef name,
                                          mlir::Value host, mlir::Value state)>;

/// What the runtime passes to a launch function.
struct LaunchArguments {
  mlir::Value host, state;
};

/// Gives `function` the launch ABI, outlines its kernels and lowers its workspaces.
LaunchArguments makeLaunchFunction(mlir::func::FuncOp function, OutlineFn outline);

/// The blocks of the kernel's grid, in front of it: an index, saturated at 2^63 - 1.
mlir::Value countBlocks(mlir::OpBuilder &builder, tile::KernelOp kernel);

/// Values from outside that the kernel's region uses; constants become its own.
llvm::SetVector<mlir::Value> captureValues(tile::KernelOp kernel);

/// The coordinates of linear block number `block` in `grid`, the first fastest.
llvm::SmallVector<mlir::Value> delinearize(mlir::OpBuilder &builder, mlir::Location loc,
                                           mlir::Value block, mlir::ValueRange grid);

} // namespace tilewright::host

#endif // TILEWRIGHT_COMPILER_HOST_LAUNCH_FUNCTION_H
