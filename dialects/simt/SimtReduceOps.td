//===- SimtReduceOps.td - Threads that combine what they hold -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_REDUCE_OPS
#define TILEWRIGHT_SIMT_REDUCE_OPS

include "dialects/simt/SimtDialect.td"
include "dialects/simt/SimtEnums.td"
include "dialects/tile/TileAttrs.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Simt_WarpReduceOp : Simt_Op<"warp_reduce"> {
  let summary = "combine along one dimension what the threads of each warp hold";
  let description = [{
    Group level. As `tile.reduce`, of a tile that is dealt out by a layout: threads
    combine the elements they hold, then lanes exchange what they have. Where the
    layout gives parts of a row to several warps, each warp's result is one of
    the `partial` ones, in a further dimension of `dst`, and not rounded yet.

    `dst` is dealt out like the rows of `src`, so that all threads with a part of a
    row hold its result, or it is a shared tile.

    Constraints:
    - (C1) `src` is a local tile with a static shape, and `dim` one of its dimensions.
    - (C2) The shape of `dst` is that of `src` with `dim` dropped or made 1; with
      `partial`, it is a shared tile whose shape is that of `src` with `dim` dropped
      and one dimension more at the end.
    - (C3) There is a combiner, but not `argmax` or `argmin`, or else a region and an
      `identity`.
    - (C4) `partial` does not meet `accumulate`.

    Example:
    ```mlir
    func.func @rowmax(%s: memref<64x32xf32, #tile.space<local>>,
                      %m: memref<64xf32, #tile.space<local>>,
                      %p: memref<64x4xf32, #tile.space<shared>>) {
      simt.warp_reduce max %s into %m dim 1 accumulate
        : memref<64x32xf32, #tile.space<local>> into memref<64xf32, #tile.space<local>>
      simt.warp_reduce max %s into %p dim 1 partial
        : memref<64x32xf32, #tile.space<local>> into memref<64x4xf32, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins
      OptionalAttr<Tile_CombinerAttr>:$combiner, Arg<AnyMemRef, "", [MemRead]>:$src,
      Arg<AnyMemRef, "", [MemRead, MemWrite]>:$dst, I64Attr:$dim,
      UnitAttr:$accumulate, UnitAttr:$isUnsigned, UnitAttr:$partial,
      Optional<AnyType>:$identity);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    custom<Combiner>($combiner) $src `into` $dst `dim` $dim
    (`accumulate` $accumulate^)? (`unsigned` $isUnsigned^)? (`partial` $partial^)?
    attr-dict `:` type($src) `into` type($dst)
    custom<CombinerBody>($body, $identity, type($identity))
  }];
  let hasVerifier = 1;
}

def Simt_YieldOp : Simt_Op<"yield", [
    Pure, Terminator, ParentOneOf<["PutOp", "WarpReduceOp"]>]> {
  let summary = "what a region of `simt.warp_reduce` or `simt.put` gives";
  let description = [{
    The combination of two elements, or the pending values that complete an item.

    Constraints:
    - (C1) It ends the region of a `simt.warp_reduce` or a `simt.put`.

    Example:
    ```mlir
    func.func @rowproduct(%s: memref<64x32xf32, #tile.space<local>>,
                          %m: memref<64xf32, #tile.space<local>>) {
      %one = arith.constant 1.0 : f32
      simt.warp_reduce %s into %m dim 1
        : memref<64x32xf32, #tile.space<local>> into memref<64xf32, #tile.space<local>>
        combine(%x: f32, %y: f32) identity %one {
          %product = arith.mulf %x, %y : f32
          simt.yield %product : f32
        }
      return
    }
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

def Simt_ShuffleXorOp : Simt_Op<"shuffle_xor"> {
  let summary = "exchange a word with another lane";
  let description = [{
    Thread level. Lane l gets what lane l ^ `mask` of its warp gave. All lanes of the
    warp come by.

    Constraints:
    - (C1) `mask` is from 1 to 63.

    Example:
    ```mlir
    func.func @neighbour(%x: i32) -> i32 {
      %y = simt.shuffle_xor %x, 1
      return %y : i32
    }
    ```
  }];
  // It moves what lanes hold: not to be hoisted to where fewer of them are.
  let arguments = (ins I32:$value, I64Attr:$mask);
  let results = (outs I32:$result);
  let assemblyFormat = "$value `,` $mask attr-dict";
  let hasVerifier = 1;
}

def Simt_VoteAttr : EnumAttr<Simt_Dialect, Simt_Vote, "vote_kind"> {
  let summary = "what a vote of lanes gives";
  let description = [{
    Whether any lane or all lanes say yes, or who does: bit l is lane l's.
  }];
  let assemblyFormat = "$value";
}

def Simt_VoteOp : Simt_Op<"vote"> {
  let summary = "what the lanes of a warp say, to each of them";
  let description = [{
    Thread level. All lanes of the warp come by. The bits of a ballot that no lane has
    are 0.

    Constraints:
    - (C1) The result is an `i1` for `any` and `all`, an `i64` for `ballot`.

    Example:
    ```mlir
    func.func @votes(%mine: i1) -> (i1, i1, i64) {
      %some = simt.vote any %mine : i1
      %every = simt.vote all %mine : i1
      %who = simt.vote ballot %mine : i64
      return %some, %every, %who : i1, i1, i64
    }
    ```
  }];
  // As for a shuffle, which lanes are there matters.
  let arguments = (ins Simt_VoteAttr:$kind, I1:$value);
  let results = (outs AnyTypeOf<[I1, I64]>:$result);
  let assemblyFormat = "$kind $value attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_SIMT_REDUCE_OPS
