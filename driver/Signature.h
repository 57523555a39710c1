//===- Signature.h - The table that launches are checked against --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_SIGNATURE_H
#define TILEWRIGHT_DRIVER_SIGNATURE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace tilewright {

/// The signature table (tilewright/abi.h) of `function`, from its `tile.signature`.
/// Reports at the function what is missing or does not fit its type.
mlir::FailureOr<std::vector<int64_t>> encodeSignature(mlir::func::FuncOp function);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_SIGNATURE_H
