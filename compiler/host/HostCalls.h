//===- HostCalls.h - Calls of what the runtime passes to a launch --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_HOST_HOST_CALLS_H
#define TILEWRIGHT_COMPILER_HOST_HOST_CALLS_H

#include "dialects/tile/Tile.h"
#include "mlir/IR/Builders.h"

#include <string>

namespace tilewright::host {

/// Fields of tw_host_v1, by position.
enum HostField {
  kSize,
  kParallelFor,
  kWorkspace,
  kPrint,
  kFault,
  kLaunchGrid,
  kChecks,
  kMessages
};

/// The pointer in field `field` of the structure at `table`.
mlir::Value loadField(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value table,
                      int field);

/// Calls the function in field `field` of the structure at `table` with `args`; null
/// where it gives nothing.
mlir::Value callField(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value table,
                      int field, mlir::Type result, mlir::ValueRange args);

/// The address of `text` as a C string.
mlir::Value makeString(mlir::OpBuilder &builder, mlir::Location loc,
                       llvm::StringRef text);

/// A value to print as the runtime takes it: a tw_print_kind, and 64 bits.
struct PrintedValue {
  int32_t kind;
  mlir::Value bits;
};
PrintedValue makePrinted(mlir::OpBuilder &builder, tile::PrintOp print);

/// The innermost place in a file that `loc` names; null where it names none.
mlir::FileLineColLoc getPlace(mlir::Location loc);

/// "file:line:column" of a place; "" where there is none.
std::string describe(mlir::FileLineColLoc place);

} // namespace tilewright::host

#endif // TILEWRIGHT_COMPILER_HOST_HOST_CALLS_H
