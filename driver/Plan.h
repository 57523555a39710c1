//===- Plan.h - What a kernel's memory is used for ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_PLAN_H
#define TILEWRIGHT_DRIVER_PLAN_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace tilewright {

/// The memory table of every kernel of a planned module, with the chosen atoms:
///   {"budget": B, "fits": F, "kernels": [{"arena_bytes": N, "buffers": [{"name",
///    "space", "shape", "dtype", "bytes", "offset"}]}]}
llvm::json::Value describePlan(mlir::ModuleOp module, int64_t budget);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_PLAN_H
