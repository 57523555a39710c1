//===- TileDialect.td - The `tile` dialect ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_DIALECT
#define TILEWRIGHT_TILE_DIALECT

include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::tilewright::tile";
  let summary = "Target-neutral operations on tiles of tensors";
  let description = [{
    The `tile` dialect says what a kernel moves and computes, in units of
    tiles, and leaves out how: no threads, layouts, barriers or instructions.
    A function holds one or more `tile.kernel` regions, which run one after the
    other, each over a grid of independent blocks. Global tensors and tiles are
    memrefs whose memory space is a `#tile.space`:

    | space | what it is |
    | --- | --- |
    | `global` | tensors that the caller passes, and workspaces |
    | `shared` | tiles that all work of a block can index freely |
    | `fragment` | tiles held by a block in registers; never viewed or aliased |
    | `local` | scalar variables and small private arrays |

    Tile extents are compile-time constants. Tensor sizes, strides, loop bounds
    and grids may be dynamic. Everything that is not about tiles is upstream
    `arith`, `math`, `memref` and `scf`.

    Reads outside a global tensor give zero and writes outside it do nothing,
    in every form; an access that was proved to stay inside carries `inbounds`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 0;
  let dependentDialects = [
    "::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect",
  ];
}

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits>;

#endif // TILEWRIGHT_TILE_DIALECT
