//===- TileShapes.h - Shapes of tiles that hold for several products ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TILESHAPES_H
#define TILEWRIGHT_BACKENDS_CPU_TILESHAPES_H

#include "backends/cpu/CpuOps.h"

namespace tilewright::cpu {

/// Removes from `root` what loads the shapes of AMX's tiles where they are loaded
/// already.
void keepTileShapes(mlir::Operation *root);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_TILESHAPES_H
