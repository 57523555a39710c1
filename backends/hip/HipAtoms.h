//===- HipAtoms.h - Atoms of AMD GPUs -----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_HIP_ATOMS_H
#define TILEWRIGHT_BACKENDS_HIP_HIP_ATOMS_H

#include "dialects/tile/Tile.h"

#include "backends/hip/HipDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "backends/hip/HipAttrs.h.inc"

#endif // TILEWRIGHT_BACKENDS_HIP_HIP_ATOMS_H
