//===- HoldOperands.h - Operands that stay in registers -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_HOLD_OPERANDS_H
#define TILEWRIGHT_COMPILER_SIMT_HOLD_OPERANDS_H

#include "dialects/tile/Tile.h"

namespace tilewright::simt {

/// Copies shared operands that a pipelined loop only reads, for products that were given
/// an instruction, to fragments in front of the loop: at most `bytes` of each thread for
/// a loop. Gives the fragments.
llvm::SmallVector<tile::AllocOp> holdOperands(tile::KernelOp kernel, int64_t warps,
                                              int64_t bytes);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_HOLD_OPERANDS_H
