//===- DistributeReduce.h - Reductions by the lanes of warps ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_DISTRIBUTE_REDUCE_H
#define TILEWRIGHT_COMPILER_SIMT_DISTRIBUTE_REDUCE_H

#include "compiler/simt/DistributeGemm.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {

/// Replaces a reduction by what each thread does: its own elements, then exchanges. With
/// `packedFloats` the thread adds its own f32 two by two.
void distributeReduce(WarpReduceOp reduce, const ThreadPlace &place, bool packedFloats);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_DISTRIBUTE_REDUCE_H
