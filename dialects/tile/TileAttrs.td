//===- TileAttrs.td - Enumerations and attributes of `tile` -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_ATTRS
#define TILEWRIGHT_TILE_ATTRS

include "dialects/tile/TileDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Tile_Space : I32EnumAttr<"Space", "where a tile or tensor lives", [
    I32EnumAttrCase<"Global", 0, "global">,
    I32EnumAttrCase<"Shared", 1, "shared">,
    I32EnumAttrCase<"Fragment", 2, "fragment">,
    I32EnumAttrCase<"Local", 3, "local">]> {
  let cppNamespace = "::tilewright::tile";
  let genSpecializedAttr = 0;
}

def Tile_SpaceAttr : EnumAttr<Tile_Dialect, Tile_Space, "space"> {
  let summary = "memory space of a tensor or tile";
  let description = [{
    Example: `memref<64x32xf16, #tile.space<shared>>`.
  }];
  let assemblyFormat = "`<` $value `>`";
}

def Tile_Combiner : I32EnumAttr<"Combiner", "how two elements become one", [
    I32EnumAttrCase<"Sum", 0, "sum">,
    I32EnumAttrCase<"Max", 1, "max">,
    I32EnumAttrCase<"Min", 2, "min">,
    I32EnumAttrCase<"AbsSum", 3, "abssum">,
    I32EnumAttrCase<"AbsMax", 4, "absmax">,
    I32EnumAttrCase<"Any", 5, "any">,
    I32EnumAttrCase<"All", 6, "all">,
    I32EnumAttrCase<"BitAnd", 7, "bitand">,
    I32EnumAttrCase<"BitOr", 8, "bitor">,
    I32EnumAttrCase<"BitXor", 9, "bitxor">,
    I32EnumAttrCase<"ArgMax", 10, "argmax">,
    I32EnumAttrCase<"ArgMin", 11, "argmin">,
    I32EnumAttrCase<"MaxNum", 12, "maxnum">,
    I32EnumAttrCase<"MinNum", 13, "minnum">,
    I32EnumAttrCase<"AbsMaxNum", 14, "absmaxnum">]> {
  let cppNamespace = "::tilewright::tile";
  let genSpecializedAttr = 0;
}

def Tile_CombinerAttr : EnumAttr<Tile_Dialect, Tile_Combiner, "combiner"> {
  let summary = "combining function of a reduction, scan or atomic";
  let description = [{
    `max`, `min` and `absmax` propagate NaN. `maxnum`, `minnum` and `absmaxnum` leave NaN
    out: of nothing else they give -infinity, infinity and 0. `any` and `all` treat every non-zero element
    as true and give 0 or 1. `argmax` and `argmin` give the lowest index among
    equal elements; NaN counts as the extreme.
  }];
  let assemblyFormat = "$value";
}

def Tile_AccessKind : I32EnumAttr<"AccessKind", "what is done to elements", [
    I32EnumAttrCase<"Read", 0, "read">,
    I32EnumAttrCase<"Write", 1, "write">,
    I32EnumAttrCase<"Atomic", 2, "atomic">,
    I32EnumAttrCase<"Result", 3, "result">]> {
  let cppNamespace = "::tilewright::tile";
  let genSpecializedAttr = 0;
}

def Tile_AccessKindAttr : EnumAttr<Tile_Dialect, Tile_AccessKind, "access_kind"> {
  let summary = "what an access does to elements of a memref";
  let description = [{
    `result` looks at the values of elements that were just written.
  }];
  let assemblyFormat = "$value";
}

def Tile_Precision : I32EnumAttr<"Precision", "multiplication of a gemm", [
    I32EnumAttrCase<"Default", 0, "default">,
    I32EnumAttrCase<"TF32", 1, "tf32">]> {
  let cppNamespace = "::tilewright::tile";
  let genSpecializedAttr = 0;
}

def Tile_PrecisionAttr : EnumAttr<Tile_Dialect, Tile_Precision, "precision"> {
  let summary = "precision of the products of a gemm on f32 operands";
  let assemblyFormat = "$value";
}

#endif // TILEWRIGHT_TILE_ATTRS
