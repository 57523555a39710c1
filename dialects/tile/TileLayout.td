//===- TileLayout.td - Layouts of fragments and shared tiles ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_LAYOUT
#define TILEWRIGHT_TILE_LAYOUT

include "dialects/tile/TileDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Tile_FactorKind : I32EnumAttr<"FactorKind", "what a factor of a layout counts", [
    I32EnumAttrCase<"Vector", 0, "vector">,
    I32EnumAttrCase<"Lane", 1, "lane">,
    I32EnumAttrCase<"Warp", 2, "warp">,
    I32EnumAttrCase<"Block", 3, "block">]> {
  let cppNamespace = "::tilewright::tile";
  let genSpecializedAttr = 0;
}

def Tile_LayoutAttr : AttrDef<Tile_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "who holds which element of a fragment";
  let description = [{
    For each dimension of a tile the factors that its index is split into,
    outermost first. A factor `lane 8:4` is a digit of radix 8 that counts in
    steps of 4 in the lane's number; `vector` counts a lane's own registers (or,
    in memory, elements), `warp` the warps or waves of a group, `block` the
    blocks of a pair. Factors under `replicate` belong to no dimension: the
    element is held once for each of their values.

    | instruction, operand | layout |
    | --- | --- |
    | mma.sync m16n8k16, D | `[vector 2:2, lane 8:4], [lane 4:1, vector 2:1]` |
    | mfma 32x32x8, A | `[lane 32:1], [lane 2:32, vector 4:1]` |
    | gfx11 wmma 16x16x16, A | `[lane 16:1], [vector 16:1], replicate [lane 2:16]` |

    The first line reads: row = 8 * (register / 2) + lane / 4,
    column = 2 * (lane % 4) + register % 2. The outermost factor of a dimension
    may have any extent, so 24 columns are `[vector 3:4, lane 4:1, vector 2:1]`.

    Constraints:
    - (C1) Extents are at least 2 and strides at least 1.
    - (C2) The factors of one kind, ordered by stride, have as stride the product
      of the extents before: each register of each lane holds one element.

    Example: `#tile.layout<[vector 2:2, lane 8:4], [lane 4:1, vector 2:1]>`.
  }];
  let parameters = (ins
      ArrayRefParameter<"::tilewright::tile::Factor">:$factors,
      ArrayRefParameter<"int64_t", "factors of each dimension">:$counts);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRank() const { return getCounts().size(); }
    /// The factors of a dimension, outermost first.
    ::llvm::ArrayRef<Factor> getDim(int64_t dim) const;
    /// The factors that belong to no dimension.
    ::llvm::ArrayRef<Factor> getReplicate() const;
    /// How many values the coordinate `kind` takes: registers, lanes, ...
    int64_t getExtent(FactorKind kind) const;
    ::llvm::SmallVector<int64_t> getShape() const;
  }];
}

def Tile_SharedLayoutAttr : AttrDef<Tile_Dialect, "SharedLayout"> {
  let mnemonic = "shared_layout";
  let summary = "where the elements of a shared tile lie";
  let description = [{
    The tile is cut into boxes of the given shape; each is contiguous and in
    row-major order, and so are the boxes. With `swizzle(bits, base, shift)` the
    bits [base, base + bits) of a byte address are exclusive-ored with the bits
    [base + shift, base + shift + bits): `swizzle(3, 4, 3)` is the 128-byte
    swizzle of TMA, which moves 16-byte chunks.

    Constraints:
    - (C1) Extents are positive.
    - (C2) `bits` is at most `shift`: a swizzle that moved the bits it reads
      could not be undone.

    Example: `#tile.shared_layout<[8, 64], swizzle(3, 4, 3)>`.
  }];
  let parameters = (ins
      ArrayRefParameter<"int64_t">:$box, DefaultValuedParameter<"int64_t", "0">:$bits,
      DefaultValuedParameter<"int64_t", "0">:$base,
      DefaultValuedParameter<"int64_t", "0">:$shift);
  let assemblyFormat = [{
    `<` `[` $box `]` (`,` `swizzle` `(` $bits^ `,` $base `,` $shift `)`)? `>`
  }];
  let genVerifyDecl = 1;
}

def Tile_PanelAttr : AttrDef<Tile_Dialect, "Panel"> {
  let mnemonic = "panel";
  let summary = "a gemm operand packed for a CPU's vector registers";
  let description = [{
    A K x N operand as blocks of `columns` columns; in a block, row after row of
    K, `interleave` rows at a time lie element by element side by side, so that
    one vector load feeds one instruction. Both extents are padded with zeros.

    Constraints:
    - (C1) `interleave` and `columns` are positive.
    - (C2) The element type is an integer or a float.

    Example: `#tile.panel<interleave = 2, columns = 32, bf16>`.
  }];
  let parameters = (ins "int64_t":$interleave, "int64_t":$columns,
                        "::mlir::Type":$elementType);
  let assemblyFormat = [{
    `<` `interleave` `=` $interleave `,` `columns` `=` $columns `,` $elementType `>`
  }];
  let genVerifyDecl = 1;
}

#endif // TILEWRIGHT_TILE_LAYOUT
