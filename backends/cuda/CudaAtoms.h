//===- CudaAtoms.h - Atoms of NVIDIA GPUs -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CUDA_CUDA_ATOMS_H
#define TILEWRIGHT_BACKENDS_CUDA_CUDA_ATOMS_H

#include "dialects/tile/Tile.h"

#include "backends/cuda/CudaDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "backends/cuda/CudaAttrs.h.inc"

#endif // TILEWRIGHT_BACKENDS_CUDA_CUDA_ATOMS_H
