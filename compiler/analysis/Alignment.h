//===- Alignment.h - Powers of two that indices are multiples of --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An access of several elements wants an address that is a multiple of its size. What is
// found here counts in elements, up to a `limit` that is a power of two.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_ANALYSIS_ALIGNMENT_H
#define TILEWRIGHT_COMPILER_ANALYSIS_ALIGNMENT_H

#include "compiler/analysis/IndexBounds.h"

namespace tilewright::tile {

/// The greatest power of two, up to `limit`, of which `number` is a multiple.
int64_t getAlignment(int64_t number, int64_t limit);
int64_t getAlignment(const LinearForm &form, int64_t limit);

/// The memory that addresses of `memref` count from, through views that begin where it
/// does; null where that is not known to be aligned.
mlir::Value getAlignedBase(mlir::Value memref);

/// The alignment of where `memref`, or the tile that it is a part of, begins in memory.
int64_t getOffsetAlignment(mlir::Value memref, IndexBounds &bounds, int64_t limit);

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_ANALYSIS_ALIGNMENT_H
