//===- TileDataOps.td - Moving data: copies, gathers, elements -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_DATA_OPS
#define TILEWRIGHT_TILE_DATA_OPS

include "dialects/tile/TileAccessInterface.td"
include "dialects/tile/TileAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ViewLikeInterface.td"

def Tile_CopyOp : Tile_Op<"copy", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses", "computes"]>]> {
  let summary = "copy a region of one memref to a region of another";
  let description = [{
    Copies the region of `src` that starts at its offsets and has its sizes to
    the region of `dst`. The two regions have the same shape once extents of 1
    are dropped. Elements are cast as by `tile.cast` when the element types
    differ. Elements of a global `src` outside its shape are read as zero;
    elements of a global `dst` outside its shape are not written. Synchronous
    in meaning: the next operation sees the copied data.

    `unsigned` says that integer elements are unsigned (for the cast).

    Constraints:
    - (C1) Offsets and sizes have one entry for each dimension of their memref.
    - (C2) Sizes are positive, and without extents of 1 they are equal on both
      sides.
    - (C3) A region of a tile (any space but `global`) that starts at a constant
      lies inside the tile.
    - (C4) Element types are integers or floats.

    Example:
    ```mlir
    func.func @stage(%a: memref<?x?xf32, #tile.space<global>>, %i: index,
                     %s: memref<64x32xbf16, #tile.space<shared>>) {
      tile.copy %a[%i, 0][64, 32] to %s[0, 0][64, 32]
        : memref<?x?xf32, #tile.space<global>> to memref<64x32xbf16, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins
      Arg<AnyMemRef, "", [MemRead]>:$src, Variadic<Index>:$src_offsets,
      DenseI64ArrayAttr:$static_src_offsets, DenseI64ArrayAttr:$src_sizes,
      Arg<AnyMemRef, "", [MemWrite]>:$dst, Variadic<Index>:$dst_offsets,
      DenseI64ArrayAttr:$static_dst_offsets, DenseI64ArrayAttr:$dst_sizes,
      UnitAttr:$isUnsigned);
  let assemblyFormat = [{
    $src `` custom<DynamicIndexList>($src_offsets, $static_src_offsets) `` $src_sizes
    `to` $dst `` custom<DynamicIndexList>($dst_offsets, $static_dst_offsets) `` $dst_sizes
    (`unsigned` $isUnsigned^)? attr-dict `:` type($src) `to` type($dst)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The copied shape: the region's extents without those of 1.
    ::llvm::SmallVector<int64_t> getShape();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSrcOffsets();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedDstOffsets();
  }];
}

def Tile_GatherOp : Tile_Op<"gather", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses", "computes"]>,
    TypesMatchWith<"fill has the destination's element type", "dst", "fill",
                   "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">,
    AttrSizedOperandSegments]> {
  let summary = "copy rows named by an index tile";
  let description = [{
    As `tile.copy`, except that along dimension `axis` of `src` the coordinate
    is the source offset plus an element of `indices`: for a 2-d region and
    axis 0, `dst[i, j] = src[o0 + indices[i], o1 + j]`. Where `indices[i]` is
    negative, or the coordinate is past the end, the row is filled with `fill`;
    so are the elements of other rows that lie outside `src`.
    `indices` is read from its start at `index_offset`.

    Constraints:
    - (C1) Offsets and sizes have one entry for each dimension of their memref,
      sizes are positive, and without extents of 1 (other than the axis, kept
      on both sides) they are equal.
    - (C2) `axis` is a dimension of `src`.
    - (C3) `indices` has rank 1, integer elements, and at least as many elements
      as the region has along the axis where its extent is static.
    - (C4) `fill` has the element type of `dst`.
    - (C5) A region of a tile that starts at a constant lies inside the tile,
      but along the axis of `src`.

    Example:
    ```mlir
    func.func @rows(%kv: memref<?x576xbf16, #tile.space<global>>,
                    %ids: memref<64xi32, #tile.space<shared>>,
                    %s: memref<64x512xbf16, #tile.space<shared>>) {
      %zero = arith.constant 0.0 : bf16
      tile.gather %kv[0, 0][64, 512] axis 0 by %ids[0] to %s[0, 0][64, 512] fill %zero
        : memref<?x576xbf16, #tile.space<global>>, memref<64xi32, #tile.space<shared>>
          to memref<64x512xbf16, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins
      Arg<AnyMemRef, "", [MemRead]>:$src, Variadic<Index>:$src_offsets,
      DenseI64ArrayAttr:$static_src_offsets, DenseI64ArrayAttr:$src_sizes,
      I64Attr:$axis,
      Arg<AnyMemRef, "", [MemRead]>:$indices, Variadic<Index>:$index_offset,
      DenseI64ArrayAttr:$static_index_offset,
      Arg<AnyMemRef, "", [MemWrite]>:$dst, Variadic<Index>:$dst_offsets,
      DenseI64ArrayAttr:$static_dst_offsets, DenseI64ArrayAttr:$dst_sizes,
      AnyType:$fill, UnitAttr:$isUnsigned);
  let assemblyFormat = [{
    $src `` custom<DynamicIndexList>($src_offsets, $static_src_offsets) `` $src_sizes
    `axis` $axis `by` $indices `` custom<DynamicIndexList>($index_offset, $static_index_offset)
    `to` $dst `` custom<DynamicIndexList>($dst_offsets, $static_dst_offsets) `` $dst_sizes
    `fill` $fill (`unsigned` $isUnsigned^)? attr-dict
    `:` type($src) `,` type($indices) `to` type($dst)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSrcOffsets();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedDstOffsets();
    ::mlir::OpFoldResult getMixedIndexOffset();
  }];
}

def Tile_ScatterOp : Tile_Op<"scatter", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses", "computes"]>]> {
  let summary = "copy rows to where an index tile says";
  let description = [{
    The mirror of `tile.gather`: along dimension `axis` of `dst` the coordinate is
    the destination offset plus an element of `indices`. For a 2-d region and axis
    0, `dst[o0 + indices[i], o1 + j] = src[i, j]`. Where `indices[i]` is negative,
    or the coordinate is past the end, the row is not written; nor are elements of
    other rows that lie outside `dst`. Where an index repeats, the last row with it
    wins. Elements of a global `src` outside its shape are read as zero.
    `indices` is read from its start at `index_offset`.

    Constraints:
    - (C1) Offsets and sizes have one entry for each dimension of their memref,
      sizes are positive, and without extents of 1 (other than the axis, kept
      on both sides) they are equal.
    - (C2) `axis` is a dimension of `dst`.
    - (C3) `indices` has rank 1, integer elements, and at least as many elements
      as the region has along the axis where its extent is static.
    - (C4) A region of a tile that starts at a constant lies inside the tile,
      but along the axis of `dst`.

    Example:
    ```mlir
    func.func @rows(%s: memref<64x512xf32, #tile.space<shared>>,
                    %ids: memref<64xi32, #tile.space<shared>>,
                    %kv: memref<?x576xbf16, #tile.space<global>>) {
      tile.scatter %s[0, 0][64, 512] to %kv[0, 0][64, 512] axis 0 by %ids[0]
        : memref<64x512xf32, #tile.space<shared>> to memref<?x576xbf16, #tile.space<global>>,
          memref<64xi32, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins
      Arg<AnyMemRef, "", [MemRead]>:$src, Variadic<Index>:$src_offsets,
      DenseI64ArrayAttr:$static_src_offsets, DenseI64ArrayAttr:$src_sizes,
      Arg<AnyMemRef, "", [MemWrite]>:$dst, Variadic<Index>:$dst_offsets,
      DenseI64ArrayAttr:$static_dst_offsets, DenseI64ArrayAttr:$dst_sizes,
      I64Attr:$axis,
      Arg<AnyMemRef, "", [MemRead]>:$indices, Variadic<Index>:$index_offset,
      DenseI64ArrayAttr:$static_index_offset, UnitAttr:$isUnsigned);
  let assemblyFormat = [{
    $src `` custom<DynamicIndexList>($src_offsets, $static_src_offsets) `` $src_sizes
    `to` $dst `` custom<DynamicIndexList>($dst_offsets, $static_dst_offsets) `` $dst_sizes
    `axis` $axis `by` $indices `` custom<DynamicIndexList>($index_offset, $static_index_offset)
    (`unsigned` $isUnsigned^)? attr-dict
    `:` type($src) `to` type($dst) `,` type($indices)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSrcOffsets();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedDstOffsets();
    ::mlir::OpFoldResult getMixedIndexOffset();
  }];
}

def Tile_PackOp : Tile_Op<"pack"> {
  let summary = "copy a matrix into the panel layout of a gemm operand";
  let description = [{
    Copies a region of two dimensions, K x N (or N x K with `transpose`), to a
    panel `[ceil(K / i), N, i]` in which i consecutive elements of K lie side by
    side: `panel[k / i, n, k % i] = src[k, n]`. Elements are cast as by
    `tile.cast`. Elements past K, and elements of a global `src` outside its
    shape, are zero.

    Constraints:
    - (C1) Offsets and sizes have one entry for each dimension of `src`; sizes
      are positive and exactly two dimensions are spanned (`dims`, in order; the
      others have size 1).
    - (C2) The panel is `[ceil(K / i), N, i]` of K and N, a tile or a part of other
      memory, whose last two dimensions are contiguous.
    - (C3) A region of a tile that starts at a constant lies inside the tile.

    Example:
    ```mlir
    func.func @panel(%k: memref<64x128xbf16, #tile.space<shared>>,
                     %p: memref<64x64x2xbf16, #tile.space<shared>>) {
      tile.pack %k[0, 0][64, 128] dims [0, 1] into %p transpose
        : memref<64x128xbf16, #tile.space<shared>> into memref<64x64x2xbf16, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins
      Arg<AnyMemRef, "", [MemRead]>:$src, Variadic<Index>:$src_offsets,
      DenseI64ArrayAttr:$static_src_offsets, DenseI64ArrayAttr:$src_sizes,
      DenseI64ArrayAttr:$dims, Arg<AnyMemRef, "", [MemWrite]>:$panel,
      UnitAttr:$transpose, UnitAttr:$isUnsigned);
  let assemblyFormat = [{
    $src `` custom<DynamicIndexList>($src_offsets, $static_src_offsets) `` $src_sizes
    `dims` $dims `into` $panel (`transpose` $transpose^)? (`unsigned` $isUnsigned^)?
    attr-dict `:` type($src) `into` type($panel)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedSrcOffsets();
    int64_t getK();
    int64_t getN();
  }];
}

def Tile_FillOp : Tile_Op<"fill", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["computes"]>,
    TypesMatchWith<"value has the tile's element type", "dst", "value",
                   "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">]> {
  let summary = "set every element of a tile or tensor";
  let description = [{
    Constraints:
    - (C1) `value` has the element type of `dst`.

    Example:
    ```mlir
    func.func @clear(%c: memref<64x64xf32, #tile.space<fragment>>) {
      %zero = arith.constant 0.0 : f32
      tile.fill %c, %zero : memref<64x64xf32, #tile.space<fragment>>
      return
    }
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemWrite]>:$dst, AnyType:$value);
  let assemblyFormat = "$dst `,` $value attr-dict `:` type($dst)";
}

def Tile_LoadOp : Tile_Op<"load", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses", "computes"]>,
    TypesMatchWith<"result has the element type", "memref", "result",
                   "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">]> {
  let summary = "read one element of a global tensor, zero outside its shape";
  let description = [{
    Reads `memref[indices]`; an index that is negative or not below the extent
    makes the result zero and touches no memory. `inbounds` has one entry for
    each dimension: true where the index is known to be inside.

    Constraints:
    - (C1) There is one index for each dimension.
    - (C2) `inbounds` is empty (nothing known) or has one entry per dimension.
    - (C3) The memref is in the `global` space; tiles are read by `memref.load`.

    Example:
    ```mlir
    func.func @at(%x: memref<?x64xf32, #tile.space<global>>, %i: index, %j: index) -> f32 {
      %v = tile.load %x[%i, %j] inbounds [false, true] : memref<?x64xf32, #tile.space<global>>
      return %v : f32
    }
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$memref,
                       Variadic<Index>:$indices,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$inbounds);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $memref `[` $indices `]` (`inbounds` $inbounds^)? attr-dict `:` type($memref)
  }];
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_Op<"store", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses", "computes"]>,
    TypesMatchWith<"value has the element type", "memref", "value",
                   "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">]> {
  let summary = "write one element of a global tensor, nothing outside its shape";
  let description = [{
    Constraints:
    - (C1) There is one index for each dimension.
    - (C2) `inbounds` is empty (nothing known) or has one entry per dimension.
    - (C3) The memref is in the `global` space; tiles are written by
      `memref.store`.

    Example:
    ```mlir
    func.func @put(%v: f32, %x: memref<?xf32, #tile.space<global>>, %i: index) {
      tile.store %v, %x[%i] : memref<?xf32, #tile.space<global>>
      return
    }
    ```
  }];
  let arguments = (ins AnyType:$value, Arg<AnyMemRef, "", [MemWrite]>:$memref,
                       Variadic<Index>:$indices,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$inbounds);
  let assemblyFormat = [{
    $value `,` $memref `[` $indices `]` (`inbounds` $inbounds^)? attr-dict `:` type($memref)
  }];
  let hasVerifier = 1;
}

def Tile_PairsOp : Tile_Op<"pairs", [
    Pure, DeclareOpInterfaceMethods<ViewLikeOpInterface>]> {
  let summary = "see a global tensor of 4-bit elements as the bytes that hold them";
  let description = [{
    In global memory two 4-bit elements share a byte: element 2 i of a row is its
    low half, element 2 i + 1 its high half, and every row starts with a byte of
    its own. The result has one element for each byte, so half as many along the
    last dimension.

    Constraints:
    - (C1) The operand is a row-major global memref of 4-bit elements; its last
      extent is even where it is static.
    - (C2) The result is the same memref of i8, its last extent half as large.

    Example:
    ```mlir
    func.func @bytes(%w: memref<?x64xf4E2M1FN, #tile.space<global>>)
        -> memref<?x32xi8, #tile.space<global>> {
      %b = tile.pairs %w : memref<?x64xf4E2M1FN, #tile.space<global>>
        to memref<?x32xi8, #tile.space<global>>
      return %b : memref<?x32xi8, #tile.space<global>>
    }
    ```
  }];
  let arguments = (ins AnyMemRef:$elements);
  let results = (outs AnyMemRef:$bytes);
  let assemblyFormat = "$elements attr-dict `:` type($elements) `to` type($bytes)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$elements)>];
}

def Tile_AtomicOp : Tile_Op<"atomic", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses", "computes"]>,
    TypesMatchWith<"value has the element type", "memref", "value",
                   "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">,
    TypesMatchWith<"result has the element type", "memref", "result",
                   "::llvm::cast<::mlir::MemRefType>($_self).getElementType()">]> {
  let summary = "combine a value into memory indivisibly";
  let description = [{
    Replaces `memref[indices]` by its combination with `value`, indivisibly with
    respect to every other atomic, and gives the element's former value. Outside
    the shape of a global tensor nothing is written and the result is zero. No
    order with respect to other memory operations is implied.

    Constraints:
    - (C1) There is one index for each dimension.
    - (C2) The combiner is `sum`, `max`, `min`, `bitand`, `bitor` or `bitxor`.
    - (C3) Bitwise combiners take integers.
    - (C4) The memref is in the `global` or `shared` space.
    - (C5) `inbounds` is empty (nothing known) or has one entry per dimension.

    Example:
    ```mlir
    func.func @count(%h: memref<256xi32, #tile.space<shared>>, %bin: index) {
      %one = arith.constant 1 : i32
      %old = tile.atomic sum %one, %h[%bin] : memref<256xi32, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins Tile_CombinerAttr:$combiner, AnyType:$value,
                       Arg<AnyMemRef, "", [MemRead, MemWrite]>:$memref,
                       Variadic<Index>:$indices,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$inbounds,
                       UnitAttr:$isUnsigned);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $combiner $value `,` $memref `[` $indices `]` (`inbounds` $inbounds^)?
    (`unsigned` $isUnsigned^)? attr-dict `:` type($memref)
  }];
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_TILE_DATA_OPS
