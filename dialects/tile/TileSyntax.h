//===- TileSyntax.h - Parts of the textual form -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_TILE_TILE_SYNTAX_H
#define TILEWRIGHT_DIALECTS_TILE_TILE_SYNTAX_H

#include "dialects/tile/Tile.h"

namespace tilewright::tile {

/// `in 3` of a pointer to address space 3; nothing of one to space 0.
mlir::ParseResult parseAddressSpace(mlir::OpAsmParser &parser, mlir::Type &pointer);
void printAddressSpace(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                       mlir::Type pointer);

} // namespace tilewright::tile

#endif // TILEWRIGHT_DIALECTS_TILE_TILE_SYNTAX_H
