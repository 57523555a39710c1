//===- TileCheckOps.td - What checking mode looks at ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `check-accesses` puts these operations beside the accesses of a kernel; they become
// calls of the runtime's checker (docs/checking.md). To every other pass they read and
// write the memory that they are about, so that no access moves across its check.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_CHECK_OPS
#define TILEWRIGHT_TILE_CHECK_OPS

include "dialects/tile/TileAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_CheckMemoryOp : Tile_Op<"check_memory"> {
  let summary = "a tile or tensor whose accesses are checked from here on";
  let description = [{
    Makes a memref known to the checker under a number that is unique in its
    function. The elements of a tile, and with `undefined` those of a workspace,
    count as not written; a tile's memory is overwritten with a pattern that is
    NaN in every float type. `loop` is the innermost `tile.check_iteration` around it.

    Constraints:
    - (C1) The number is not negative.

    Example:
    ```mlir
    func.func @start(%blocks: index) {
      tile.kernel (%bx) in (%blocks) {
        %s = tile.alloc "scores" : memref<64x64xf32, #tile.space<fragment>>
        tile.check_memory 3 "scores" %s : memref<64x64xf32, #tile.space<fragment>>
      }
      return
    }
    ```
  }];
  let arguments = (ins I64Attr:$number, StrAttr:$name,
                       Arg<AnyMemRef, "", [MemRead, MemWrite]>:$memref,
                       OptionalAttr<I64Attr>:$loop, UnitAttr:$undefined);
  let assemblyFormat = [{
    $number $name $memref (`in` $loop^)? (`undefined` $undefined^)? attr-dict
    `:` type($memref)
  }];
  let hasVerifier = 1;
}

def Tile_CheckAccessOp : Tile_Op<"check_access", [AttrSizedOperandSegments]> {
  let summary = "check an access of a box of a memref";
  let description = [{
    Reports a fault, and ends the block, where the access breaks a rule: a box
    that leaves a tile, a read of an element that was not written, an element
    that another iteration of the surrounding parallel loop or another block
    touches as well. Elements outside a global tensor are passed over.

    `number` is that of the memref's `tile.check_memory`; `what` names the
    access in reports; `loop` is the innermost `tile.check_iteration` around it.
    A size that is dynamic stands for all of the dimension.

    `with` adds another box. With `axis` it is a row of indices: row r of the box
    along that dimension is the one that element r of the row names, and is
    skipped where there is no such one. Without, it is where the elements go, and
    those that would go outside of a tensor are not accessed.

    With `inspect` the values that are read are looked at for NaN and infinities,
    after forgetting earlier ones where `first`; the kind `result` looks at
    values just written, and reports those that nothing inspected explains.

    Constraints:
    - (C1) There is one offset and one size for each dimension of each box.
    - (C2) `axis` is a dimension of the box; the other box that it comes with has
      no more than one size other than 1. Without `axis`, both boxes have the
      same sizes but for those of 1.
    - (C3) `inspect` and `first` are given with reads only.

    Example:
    ```mlir
    func.func @row(%s: memref<64x32xf32, #tile.space<shared>>, %i: index) {
      tile.check_access read 0 %s[%i, 0] [1, 32] "T.copy"
        : memref<64x32xf32, #tile.space<shared>>
      return
    }
    ```

    Rows named by a tile, in iterations of loop 2:
    ```mlir
    func.func @rows(%kv: memref<?x64xf32, #tile.space<global>>,
                    %ids: memref<16xi32, #tile.space<shared>>) {
      tile.check_access read 0 %kv[0, 0] [16, 64] axis 0 with 1 %ids[0] [16] "T.gather" in 2
        : memref<?x64xf32, #tile.space<global>>, memref<16xi32, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins
      Tile_AccessKindAttr:$kind, I64Attr:$number,
      Arg<AnyMemRef, "", [MemRead, MemWrite]>:$memref, Variadic<Index>:$offsets,
      DenseI64ArrayAttr:$static_offsets, DenseI64ArrayAttr:$sizes,
      OptionalAttr<I64Attr>:$axis, OptionalAttr<I64Attr>:$other_number,
      Arg<Optional<AnyMemRef>, "", [MemRead]>:$other, Variadic<Index>:$other_offsets,
      OptionalAttr<DenseI64ArrayAttr>:$static_other_offsets,
      OptionalAttr<DenseI64ArrayAttr>:$other_sizes,
      StrAttr:$what, OptionalAttr<I64Attr>:$loop, UnitAttr:$inspect,
      UnitAttr:$first);
  let assemblyFormat = [{
    $kind $number $memref `` custom<DynamicIndexList>($offsets, $static_offsets) $sizes
    (`axis` $axis^)? (`with` $other_number^ $other ``
      custom<DynamicIndexList>($other_offsets, $static_other_offsets) $other_sizes)?
    $what (`in` $loop^)? (`inspect` $inspect^)? (`first` $first^)? attr-dict
    `:` type($memref) (`,` type($other)^)?
  }];
  let hasVerifier = 1;
}

def Tile_CheckIterationOp : Tile_Op<"check_iteration", [MemoryEffects<[MemWrite]>]> {
  let summary = "say in which iteration of a loop the block is";
  let description = [{
    `number` is unique among the loops of a function; `outer` is that of the loop
    around it. `names` are what the source calls its variables. `parallel` has
    the extents of a `tile.parallel`, whose iterations may not touch each other's
    elements.

    Constraints:
    - (C1) There is one name for each variable, and one extent where there are
      any.
    - (C2) `outer` is less than the number.

    Example:
    ```mlir
    func.func @zero(%x: memref<8x16xf32, #tile.space<shared>>) {
      tile.parallel (%i, %j) in (8, 16) {
        tile.check_iteration 0 (%i, %j) ["row", "column"] parallel [8, 16]
        %zero = arith.constant 0.0 : f32
        memref.store %zero, %x[%i, %j] : memref<8x16xf32, #tile.space<shared>>
      }
      return
    }
    ```
  }];
  let arguments = (ins I64Attr:$number, Variadic<Index>:$variables, StrArrayAttr:$names,
                       OptionalAttr<I64Attr>:$outer,
                       OptionalAttr<DenseI64ArrayAttr>:$parallel);
  let assemblyFormat = [{
    $number `(` $variables `)` $names (`in` $outer^)? (`parallel` $parallel^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Tile_CheckValueOp : Tile_Op<"check_value", [MemoryEffects<[MemWrite]>]> {
  let summary = "report a NaN or an infinity that arises from finite operands";
  let description = [{
    Reports a fault, and ends the block, where `result` is NaN and no operand is,
    or infinite and no operand is infinite or NaN. `what` names what was
    computed; `loop` is as in `tile.check_access`.

    Constraints:
    - (C1) The result is a float and the operands are integers, floats or
      `index`.

    Example:
    ```mlir
    func.func @quotient(%x: f32, %y: f32) -> f32 {
      %z = arith.divf %x, %y : f32
      tile.check_value %z from %x, %y "divf" : f32, f32, f32
      return %z : f32
    }
    ```
  }];
  let arguments = (ins AnyFloat:$result, Variadic<AnyType>:$inputs, StrAttr:$what,
                       OptionalAttr<I64Attr>:$loop);
  let assemblyFormat = [{
    $result `from` $inputs $what (`in` $loop^)? attr-dict
    `:` type($result) `,` type($inputs)
  }];
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_TILE_CHECK_OPS
