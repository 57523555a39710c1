//===- EmitObject.h - The LLVM part of the compiler as a pass -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_EMITOBJECT_H
#define TILEWRIGHT_DRIVER_EMITOBJECT_H

#include "mlir/Pass/Pass.h"

namespace tilewright {

/// `emit-object` makes an object file for `target` from a module in the LLVM dialect and
/// drops it. The driver does not run it: it ends the pipeline of a reproducer, so that
/// one shows a crash inside LLVM too.
std::unique_ptr<mlir::Pass> createEmitObject(llvm::StringRef target = "cpu");

void registerEmitObject();

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_EMITOBJECT_H
