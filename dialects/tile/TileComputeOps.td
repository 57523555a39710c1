//===- TileComputeOps.td - Computing on tiles and elements --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_COMPUTE_OPS
#define TILEWRIGHT_TILE_COMPUTE_OPS

include "dialects/tile/TileAccessInterface.td"
include "dialects/tile/TileAtomInterface.td"
include "dialects/tile/TileAttrs.td"
include "dialects/tile/TileLayout.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_GemmOp : Tile_Op<"gemm", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses"]>]> {
  let summary = "C += A B on tiles";
  let description = [{
    Adds the product of `a` (M x K, or K x M where `transpose_a`) and `b`
    (K x N, or N x K where `transpose_b`) to `c` (M x N); with `clear`, C is the
    product alone. Floats of 16 bits and fewer are accumulated in at least f32;
    a `c` of a narrower type behaves as an f32 accumulator that is rounded when
    an operation other than a gemm reads it. f32 products are f32 FMA unless
    `precision tf32`. Integers are exact and wrap. The order of K is not
    specified. `policy` is a hint about how warps share C.

    `atom` is the matrix or vector instruction that a backend chose; with
    `swapped`, it computes the transpose, C^T += B^T A^T, so that B takes the
    part of its operand A.

    Constraints:
    - (C1) `a`, `b` and `c` are tiles of rank 2 with a static shape.
    - (C2) Their shapes agree on M, N and K.
    - (C3) `a` and `b` have the same element type or are both floats; `c` is a
      float where they are floats, f64 where one of them is, and i32 where they
      are integers.
    - (C4) `precision tf32` requires f32 operands.
    - (C5) `c` is not `a` or `b`, nor a view of the same memory.
    - (C6) `swapped` is given with an atom only.

    Example:
    ```mlir
    func.func @scores(%q: memref<64x128xbf16, #tile.space<shared>>,
                      %k: memref<32x128xbf16, #tile.space<shared>>,
                      %s: memref<64x32xf32, #tile.space<fragment>>) {
      tile.gemm %q, %k into %s transpose_b clear
        : memref<64x128xbf16, #tile.space<shared>>, memref<32x128xbf16, #tile.space<shared>>
          into memref<64x32xf32, #tile.space<fragment>>
      return
    }
    ```
  }];
  let arguments = (ins
      Arg<AnyMemRef, "", [MemRead]>:$a, Arg<AnyMemRef, "", [MemRead]>:$b,
      Arg<AnyMemRef, "", [MemRead, MemWrite]>:$c,
      UnitAttr:$transposeA, UnitAttr:$transposeB, UnitAttr:$clear,
      UnitAttr:$isUnsigned,
      DefaultValuedAttr<Tile_PrecisionAttr, "Precision::Default">:$precision,
      OptionalAttr<StrAttr>:$policy, OptionalAttr<Tile_AtomAttr>:$atom,
      UnitAttr:$swapped);
  let assemblyFormat = [{
    $a `,` $b `into` $c (`transpose_a` $transposeA^)? (`transpose_b` $transposeB^)?
    (`clear` $clear^)? (`unsigned` $isUnsigned^)? (`precision` $precision^)?
    (`policy` $policy^)? (`atom` `(` $atom^ `)`)? (`swapped` $swapped^)?
    attr-dict `:` type($a) `,` type($b) `into` type($c)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getM();
    int64_t getN();
    int64_t getK();
  }];
}

// `tile.reduce` and `tile.scan` combine elements in one of two ways: by a combiner of the
// dialect, which a backend knows (its neutral element, its instructions), or by a region,
// which it copies to where two elements meet.

def Tile_ReduceOp : Tile_Op<"reduce", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["getAccesses"]>]> {
  let summary = "combine a tile's elements along one dimension";
  let description = [{
    Combines `src` along `dim` into `dst`; with `accumulate`, the former value
    of `dst` takes part. Sums of floats of 16 bits and fewer are accumulated in
    f32 and rounded once. The order is not specified but is the same in every
    run. `argmax` and `argmin` give positions along `dim`.

    In place of a combiner there may be a region from two elements to one, as
    `combine`, and the element that it leaves others unchanged with, as
    `identity`. It is associative and commutes. Its elements are f32 where those
    of `src` are narrower floats; the result is rounded once.

    Constraints:
    - (C1) `src` and `dst` are tiles with static shapes and `dim` is a dimension
      of `src`.
    - (C2) The shape of `dst` is that of `src` with `dim` dropped or made 1; a
      rank-1 `src` reduces to one element.
    - (C3) `dst` has the element type of `src`, but for `argmax` and `argmin`,
      where it is an integer, and `any` and `all`, where it is i8.
    - (C4) Bitwise combiners take integers; `maxnum`, `minnum` and `absmaxnum` floats.
    - (C5) `accumulate` is not given with `argmax` or `argmin`.
    - (C6) There is a combiner, or else a region and an `identity`. The region's
      two arguments, what it yields and `identity` are of the type of the
      combined elements: that of `src`, or f32 where it is a narrower float.
    - (C7) The region holds operations without side effects that work on vectors
      element by element as they do on scalars.

    Example:
    ```mlir
    func.func @rowmax(%s: memref<64x32xf32, #tile.space<fragment>>,
                      %m: memref<64xf32, #tile.space<fragment>>) {
      tile.reduce max %s into %m dim 1 accumulate
        : memref<64x32xf32, #tile.space<fragment>> into memref<64xf32, #tile.space<fragment>>
      return
    }
    ```

    Example:
    ```mlir
    func.func @rowproduct(%s: memref<64x32xf16, #tile.space<fragment>>,
                          %m: memref<64xf16, #tile.space<fragment>>) {
      %one = arith.constant 1.0 : f32
      tile.reduce %s into %m dim 1
        : memref<64x32xf16, #tile.space<fragment>> into memref<64xf16, #tile.space<fragment>>
        combine(%x: f32, %y: f32) identity %one {
          %product = arith.mulf %x, %y : f32
          tile.yield %product : f32
        }
      return
    }
    ```
  }];
  let arguments = (ins
      OptionalAttr<Tile_CombinerAttr>:$combiner, Arg<AnyMemRef, "", [MemRead]>:$src,
      Arg<AnyMemRef, "", [MemRead, MemWrite]>:$dst, I64Attr:$dim,
      UnitAttr:$accumulate, UnitAttr:$isUnsigned, Optional<AnyType>:$identity);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    custom<Combiner>($combiner) $src `into` $dst `dim` $dim
    (`accumulate` $accumulate^)? (`unsigned` $isUnsigned^)? attr-dict
    `:` type($src) `into` type($dst)
    custom<CombinerBody>($body, $identity, type($identity))
  }];
  let hasVerifier = 1;
}

def Tile_ScanOp : Tile_Op<"scan", [Tile_AccessOpInterface]> {
  let summary = "running combination along one dimension";
  let description = [{
    Sets `dst[.., i, ..]` to the combination of `src[.., 0..i, ..]`, or of
    `src[.., i.., ..]` with `reverse`; with `exclusive`, to that without the
    element at i, and the combiner's neutral element where nothing is left.
    `src` and `dst` may be the same tile. Floats of 16 bits and fewer are
    combined in f32, and each result is rounded from it.

    The combiner may be a region, as in `tile.reduce`, which is associative; its
    first argument holds what the scan met first.

    Constraints:
    - (C1) `src` and `dst` are tiles of one type up to the space, and `dim` is a
      dimension of them.
    - (C2) The combiner is `sum`, `max`, `min`, `bitand`, `bitor` or `bitxor`;
      bitwise ones take integers.
    - (C3) There is a combiner, or else a region. The region's two arguments, what
      it yields and `identity` are of the type of the combined elements: that of
      `src`, or f32 where it is a narrower float.
    - (C4) The region holds operations without side effects that work on vectors
      element by element as they do on scalars.
    - (C5) `identity` is given where `exclusive` meets a region, and only there.

    Example:
    ```mlir
    func.func @prefix(%x: memref<64xi32, #tile.space<shared>>) {
      tile.scan sum %x into %x dim 0
        : memref<64xi32, #tile.space<shared>> into memref<64xi32, #tile.space<shared>>
      return
    }
    ```

    Example:
    ```mlir
    func.func @products(%x: memref<64xi32, #tile.space<shared>>) {
      %one = arith.constant 1 : i32
      tile.scan %x into %x dim 0 exclusive
        : memref<64xi32, #tile.space<shared>> into memref<64xi32, #tile.space<shared>>
        combine(%a: i32, %b: i32) identity %one {
          %product = arith.muli %a, %b : i32
          tile.yield %product : i32
        }
      return
    }
    ```
  }];
  let arguments = (ins
      OptionalAttr<Tile_CombinerAttr>:$combiner, Arg<AnyMemRef, "", [MemRead]>:$src,
      Arg<AnyMemRef, "", [MemWrite]>:$dst, I64Attr:$dim, UnitAttr:$reverse,
      UnitAttr:$exclusive, UnitAttr:$isUnsigned, Optional<AnyType>:$identity);
  let regions = (region MaxSizedRegion<1>:$body);
  let assemblyFormat = [{
    custom<Combiner>($combiner) $src `into` $dst `dim` $dim (`reverse` $reverse^)?
    (`exclusive` $exclusive^)? (`unsigned` $isUnsigned^)? attr-dict
    `:` type($src) `into` type($dst)
    custom<CombinerBody>($body, $identity, type($identity))
  }];
  let hasVerifier = 1;
}

def Tile_YieldOp : Tile_Op<"yield", [
    Pure, Terminator, ParentOneOf<["ReduceOp", "ScanOp"]>]> {
  let summary = "the combination that a combiner's region gives";
  let description = [{
    Constraints:
    - (C1) It ends the region of a `tile.reduce` or `tile.scan`.

    Example:
    ```mlir
    func.func @larger(%x: memref<64xi32, #tile.space<shared>>) {
      tile.scan %x into %x dim 0
        : memref<64xi32, #tile.space<shared>> into memref<64xi32, #tile.space<shared>>
        combine(%a: i32, %b: i32) {
          %larger = arith.maxsi %a, %b : i32
          tile.yield %larger : i32
        }
      return
    }
    ```
  }];
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Tile_TopKOp : Tile_Op<"topk", [
    DeclareOpInterfaceMethods<Tile_AccessOpInterface, ["computes"]>]> {
  let summary = "the k largest elements along one dimension, with positions";
  let description = [{
    Writes the k largest elements of `src` along `dim` in descending order to
    `values` and their positions to `indices`; k is their extent along `dim`.
    Equal elements come in the order of their positions; NaN counts as largest.
    With `smallest`, the k smallest in ascending order, NaN first.

    Constraints:
    - (C1) All three are tiles with static shapes of one rank; `dim` is a
      dimension; the shapes of `values` and `indices` are equal, and equal to
      that of `src` but along `dim`, where they are at most its extent.
    - (C2) `values` has the element type of `src`; `indices` has integers.

    Example:
    ```mlir
    func.func @best(%x: memref<4x64xf32, #tile.space<fragment>>,
                    %v: memref<4x6xf32, #tile.space<fragment>>,
                    %i: memref<4x6xi32, #tile.space<fragment>>) {
      tile.topk %x into %v, %i dim 1
        : memref<4x64xf32, #tile.space<fragment>> into
          memref<4x6xf32, #tile.space<fragment>>, memref<4x6xi32, #tile.space<fragment>>
      return
    }
    ```
  }];
  let arguments = (ins
      Arg<AnyMemRef, "", [MemRead]>:$src, Arg<AnyMemRef, "", [MemWrite]>:$values,
      Arg<AnyMemRef, "", [MemWrite]>:$indices, I64Attr:$dim, UnitAttr:$smallest,
      UnitAttr:$isUnsigned);
  let assemblyFormat = [{
    $src `into` $values `,` $indices `dim` $dim (`smallest` $smallest^)?
    (`unsigned` $isUnsigned^)? attr-dict
    `:` type($src) `into` type($values) `,` type($indices)
  }];
  let hasVerifier = 1;
}

def Tile_CastOp : Tile_Op<"cast", [
    Pure, ElementwiseMappable.traits[0], ElementwiseMappable.traits[1],
    ElementwiseMappable.traits[2], ElementwiseMappable.traits[3],
    SameOperandsAndResultShape]> {
  let summary = "numeric conversion with the language's semantics";
  let description = [{
    Converts between integers, floats and `index`:

    | from, to | rule |
    | --- | --- |
    | float, float | to nearest even; f8 and f4 saturate, NaN stays NaN where there is one |
    | float, integer | towards zero, saturating; NaN gives 0 |
    | integer, float | to nearest even |
    | integer, integer | wraps, or extends by the sign of the source |
    | any, i1 | whether the value is not zero |

    `unsigned_source` and `unsigned_result` say which integers are unsigned;
    i1 always is. `keep_infinity` leaves an infinity one where the result type has
    infinities, even if it saturates: for operations that choose one of their
    operands and round nothing.

    Constraints:
    - (C1) Operand and result are integers, floats, `index`, or vectors of these
      of one shape.
    - (C2) `unsigned_source` and `unsigned_result` are given for integers only.
    - (C3) `keep_infinity` is given for floats only.

    Example:
    ```mlir
    func.func @convert(%x: f32) -> bf16 {
      %y = tile.cast %x : f32 to bf16
      return %y : bf16
    }
    ```
  }];
  let arguments = (ins AnyType:$input, UnitAttr:$unsignedSource,
                       UnitAttr:$unsignedResult, UnitAttr:$keepInfinity);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $input (`unsigned_source` $unsignedSource^)? (`unsigned_result` $unsignedResult^)?
    (`keep_infinity` $keepInfinity^)? attr-dict `:` type($input) `to` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_PrintOp : Tile_Op<"print", [MemoryEffects<[MemWrite]>]> {
  let summary = "print a message and a scalar";
  let description = [{
    Prints the message and, where given, one scalar, with the block it came
    from. Lines of different blocks have no order.

    Constraints:
    - (C1) The value is an integer, a float or an `index`.

    Example:
    ```mlir
    func.func @show(%x: f32) {
      tile.print "x" %x : f32
      return
    }
    ```
  }];
  let arguments = (ins StrAttr:$message, Optional<AnyType>:$value,
                       UnitAttr:$isUnsigned);
  let assemblyFormat = [{
    $message ($value^ `:` type($value))? (`unsigned` $isUnsigned^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Tile_AssertOp : Tile_Op<"assert", [MemoryEffects<[MemWrite]>]> {
  let summary = "report a fault unless the condition holds";
  let description = [{
    Where `condition` is false the launch fails with `message` and the place of
    the assertion. Other blocks may or may not have run.

    Constraints:
    - (C1) `condition` is an i1.

    Example:
    ```mlir
    func.func @check(%ok: i1) {
      tile.assert %ok, "page out of range"
      return
    }
    ```
  }];
  let arguments = (ins I1:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

def Tile_AssumeOp : Tile_Op<"assume", [MemoryEffects<[MemWrite]>]> {
  let summary = "a fact that the compiler may rely on";
  let description = [{
    Behaviour is undefined where `condition` is false.

    Constraints:
    - (C1) `condition` is an i1.

    Example:
    ```mlir
    func.func @fact(%n: index) {
      %c64 = arith.constant 64 : index
      %ok = arith.cmpi sle, %n, %c64 : index
      tile.assume %ok
      return
    }
    ```
  }];
  let arguments = (ins I1:$condition);
  let assemblyFormat = "$condition attr-dict";
}

#endif // TILEWRIGHT_TILE_COMPUTE_OPS
