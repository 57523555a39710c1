//===- LowerChecks.h - Checks become calls of the runtime -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_HOST_LOWER_CHECKS_H
#define TILEWRIGHT_COMPILER_HOST_LOWER_CHECKS_H

#include "compiler/host/CheckTable.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilewright::host {

/// Makes the checks of a launch function and its kernels calls of `tw_checks_v1`, and the
/// table that these refer to.
class CheckLowering {
public:
  /// Whether a function holds checks.
  static bool isNeeded(mlir::func::FuncOp function);

  explicit CheckLowering(mlir::func::FuncOp launch);

  /// Tells the checker that the next launch is over `grid`.
  void announceKernel(mlir::OpBuilder &builder, mlir::Location loc, mlir::ValueRange grid,
                      mlir::Value host, mlir::Value state);
  /// Lowers the checks of a kernel's function, or of the launch function.
  void lower(mlir::func::FuncOp function, mlir::Value host, mlir::Value state);
  /// Puts the table into the module; nothing is lowered after it.
  void finish();

private:
  void lowerOp(mlir::Operation *op, mlir::Value host, mlir::Value state,
               mlir::Value buffer);

  mlir::func::FuncOp launch;
  CheckTable table;
};

} // namespace tilewright::host

#endif // TILEWRIGHT_COMPILER_HOST_LOWER_CHECKS_H
