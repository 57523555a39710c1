//===- Simt.h - The `simt` dialect --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_SIMT_SIMT_H
#define TILEWRIGHT_DIALECTS_SIMT_SIMT_H

#include "dialects/tile/Tile.h"

#include "dialects/simt/SimtDialect.h.inc"
#include "dialects/simt/SimtEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/simt/SimtAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/simt/SimtTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/simt/SimtOps.h.inc"

namespace tilewright::simt {

/// The module that device functions are moved to.
constexpr llvm::StringLiteral deviceModuleName = "device";
/// On a device function: that it is an entry, with how many threads in a block.
constexpr llvm::StringLiteral threadsAttrName = "simt.threads";
/// On a device function: bytes of shared memory that a launch gives each block.
constexpr llvm::StringLiteral sharedAttrName = "simt.shared_bytes";
/// On a local tile that is dealt out to the threads, and on loop nests over such: the
/// layout by which that is done; without one (a unit attribute), threads take turns at
/// the elements in row-major order.
constexpr llvm::StringLiteral dealtAttrName = "simt.dealt";
/// On a loop nest: how many neighbours along its last dimension a thread takes at once.
constexpr llvm::StringLiteral widthAttrName = "simt.width";
/// On an access in a nest with a width: that the elements of the neighbours are
/// neighbours in memory, and aligned.
constexpr llvm::StringLiteral contiguousAttrName = "simt.contiguous";
/// On a shared tile: its `#simt.swizzle`.
constexpr llvm::StringLiteral swizzleAttrName = "simt.swizzle";
/// On a loop nest that copies to shared memory: its copies are begun, not waited for.
constexpr llvm::StringLiteral asyncAttrName = "simt.async";
/// Threads of a block where the kernel says nothing.
constexpr int64_t defaultThreads = 128;

/// The tile of one stage in a channel's buffer.
mlir::MemRefType getStageType(mlir::MemRefType buffer);

/// The role that `op` is in, with its number; null where it is in none.
std::pair<RolesOp, int64_t> getRole(mlir::Operation *op);

} // namespace tilewright::simt

#endif // TILEWRIGHT_DIALECTS_SIMT_SIMT_H
