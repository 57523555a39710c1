//===- Overwrites.h - Whether code needs what a tile held before --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_ANALYSIS_OVERWRITES_H
#define TILEWRIGHT_COMPILER_ANALYSIS_OVERWRITES_H

#include "dialects/tile/Tile.h"

namespace tilewright::tile {

/// The operations that use `tile` or a view of it, those that make views apart.
llvm::SmallVector<mlir::Operation *> getUsersOfMemory(mlir::Value tile);

/// The operation of `block` that holds the first of `users`.
mlir::Operation *getFirstIn(llvm::ArrayRef<mlir::Operation *> users, mlir::Block *block);

/// Whether of `users`, all in `block`, the first writes every element of `tile`, and
/// reads none. A loop may do so where nothing outside it in `block` uses the tile.
bool isOverwrittenFirst(mlir::Value tile, llvm::ArrayRef<mlir::Operation *> users,
                        mlir::Block *block);

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_ANALYSIS_OVERWRITES_H
