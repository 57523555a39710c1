//===- TileCombiner.h - Combiners of reductions and scans ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_TILE_TILECOMBINER_H
#define TILEWRIGHT_DIALECTS_TILE_TILECOMBINER_H

#include "dialects/tile/Tile.h"

namespace tilewright::tile {

/// The name of a combiner, or nothing where a region follows.
mlir::ParseResult parseCombiner(mlir::OpAsmParser &parser, CombinerAttr &combiner);
void printCombiner(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                   CombinerAttr combiner);

/// `combine(%x: f32, %y: f32) identity %e { ... }`, or nothing.
mlir::ParseResult
parseCombinerBody(mlir::OpAsmParser &parser, mlir::Region &body,
                  std::optional<mlir::OpAsmParser::UnresolvedOperand> &identity,
                  mlir::Type &type);
void printCombinerBody(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                       mlir::Region &body, mlir::Value identity, mlir::Type type);

/// Checks that there is a combiner or else a region, from two of `element`'s combined
/// type to one, as has the identity: rule `rule` of the operation; and what the region
/// holds: rule `bodyRule`.
mlir::LogicalResult verifyCombiner(mlir::Operation *op, bool isNamed, mlir::Region &body,
                                   mlir::Value identity, mlir::Type element,
                                   llvm::StringRef rule, llvm::StringRef bodyRule);

} // namespace tilewright::tile

#endif // TILEWRIGHT_DIALECTS_TILE_TILECOMBINER_H
