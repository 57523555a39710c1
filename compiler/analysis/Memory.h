//===- Memory.h - Which memory a memref names ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_ANALYSIS_MEMORY_H
#define TILEWRIGHT_COMPILER_ANALYSIS_MEMORY_H

#include "dialects/tile/Tile.h"

#include <string>

namespace tilewright::tile {

/// The memref that `memref` is a view of, or a stage of, or `memref` itself.
mlir::Value getBaseMemory(mlir::Value memref);

/// Whether writing `written` may change what `read` holds. Spaces are apart, an
/// allocation is apart from everything else, and so is a parameter, unless the
/// signature declares an alias: outputs do not overlap inputs (docs/semantics.md).
bool mayOverlap(mlir::Value written, mlir::Value read);

/// Whether an operation in `scope`, or `scope` itself, may change what `memory` holds.
bool mayWrite(mlir::Operation *scope, mlir::Value memory);

/// The accesses that `op` itself makes, in their order; those of `tile` operations, and
/// single elements of tiles. None where it touches no memory, and failure where it does
/// not say which elements it touches.
mlir::FailureOr<Accesses> getElementAccesses(mlir::Operation *op);

/// Whether all threads may do what `nest` does, if one of them makes its stores: nobody
/// needs what an effect gives, or reads what is written.
bool canRepeat(ParallelOp nest);

/// The name of a memref in the source, for messages.
std::string describeMemory(mlir::Value memref);

/// The signature's entry for a value that is a function's parameter, or null.
mlir::DictionaryAttr getParameter(mlir::Value value);

/// Makes `memref`, and what is seen of it through views, memory of `space`.
void moveToSpace(mlir::Value memref, Space space);

/// Makes launches refuse memory for `parameter` that is not aligned to `bytes`.
void requireAlignment(mlir::BlockArgument parameter, int64_t bytes);

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_ANALYSIS_MEMORY_H
