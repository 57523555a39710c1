//===- TileRegisters.h - Operations on tiles as instructions of AMX -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TILEREGISTERS_H
#define TILEWRIGHT_BACKENDS_CPU_TILEREGISTERS_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/PatternMatch.h"

namespace tilewright::cpu {

/// Adds what makes instructions of AMX of `cpu.tile_load` and the like.
void populateTileRegisterPatterns(const mlir::LLVMTypeConverter &converter,
                                  mlir::RewritePatternSet &patterns);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TILEREGISTERS_H
