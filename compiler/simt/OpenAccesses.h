//===- OpenAccesses.h - Accesses since the last barrier -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What of an operation's accesses counts where threads meet, and which two of them do.
// Two conflict where their bytes may be the same, one of them is a write, and the first
// thread is not alone with both; a channel orders its items by itself, and elements whose
// indices are shown to be different are apart.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_OPEN_ACCESSES_H
#define TILEWRIGHT_COMPILER_SIMT_OPEN_ACCESSES_H

#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"
#include "dialects/simt/Simt.h"

namespace tilewright::simt {

/// Which threads make an access: each to elements of its own, all to the same ones, or
/// the first one alone.
enum class Agents { Each, All, First };

struct MemoryAccess {
  mlir::Value base;
  bool isWrite;
  Agents agents;
  /// The load or store of one element, and the outermost loop that was repeated since;
  /// null where there is none.
  mlir::Operation *element = nullptr;
  mlir::Operation *repeated = nullptr;
  PutOp put = nullptr; // of an item that is put into a channel

  bool isGlobal() const { return tile::getSpace(base) == tile::Space::Global; }
  bool operator==(const MemoryAccess &other) const {
    return base == other.base && isWrite == other.isWrite && agents == other.agents &&
           element == other.element && repeated == other.repeated && put == other.put;
  }
};

/// Accesses since the last barrier.
using OpenAccesses = llvm::SmallVector<MemoryAccess, 8>;

void add(OpenAccesses &open, const MemoryAccess &access);
/// Closes the accesses that a barrier orders.
void order(OpenAccesses &open, bool isGlobal);
/// The accesses of `op` and of what it holds, to memory that threads share.
OpenAccesses collectAccesses(mlir::Operation *op);
/// Whether a barrier must lie between two accesses.
bool conflict(tile::IndexBounds &bounds, const MemoryAccess &earlier,
              const MemoryAccess &later);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_OPEN_ACCESSES_H
