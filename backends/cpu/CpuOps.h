//===- CpuOps.h - Operations of the CPU backend -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_CPUOPS_H
#define TILEWRIGHT_BACKENDS_CPU_CPUOPS_H

#include "backends/cpu/CpuAtoms.h"
#include "dialects/tile/Tile.h"

namespace tilewright::cpu {
/// The tiles of AMX, which operations name by number.
struct TileRegisters : mlir::SideEffects::Resource::Base<TileRegisters> {
  llvm::StringRef getName() final { return "TileRegisters"; }
};
} // namespace tilewright::cpu

#define GET_OP_CLASSES
#include "backends/cpu/CpuOps.h.inc"

#endif // TILEWRIGHT_BACKENDS_CPU_CPUOPS_H
