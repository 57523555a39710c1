//===- HipDialect.td - Atoms of AMD GPUs --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_DIALECT
#define TILEWRIGHT_BACKENDS_HIP_DIALECT

include "dialects/tile/TileAtomInterface.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Hip_Dialect : Dialect {
  let name = "hip";
  let cppNamespace = "::tilewright::hip";
  let summary = "Atoms of AMD GPUs";
  let description = [{
    Attributes only: the matrix instructions that a `tile.gemm` may be computed
    with on an AMD GPU. Layouts are those of AMD's matrix instruction calculator.
  }];
  let useDefaultAttributePrinterParser = 1;
}

def Hip_MfmaAttr : AttrDef<Hip_Dialect, "Mfma", [
    DeclareAttrInterfaceMethods<Tile_AtomAttrInterface, ["emit"]>]> {
  let mnemonic = "mfma";
  let summary = "v_mfma on CDNA: one wave of 64, operands in registers";
  let description = [{
    D (M x M) = C + A B for each of `blocks` independent products.

    Constraints:
    - (C1) The shape is one of 32x32 (1 or 2 blocks), 16x16 (1 or 4) and 4x4 (16);
      K is such that each lane holds a whole number of elements of A.
    - (C2) The element is f16, bf16, f32, f64, i8 or an 8-bit float; the
      accumulator is f64 for f64, i32 for i8 and f32 otherwise.
    - (C3) f64 has the shape 16x16x4 with one block.

    Example: `#hip.mfma<32x32x8, f16 into f32>`.
  }];
  let parameters = (ins "int64_t":$m, "int64_t":$k,
                        DefaultValuedParameter<"int64_t", "1">:$blocks,
                        "::mlir::Type":$element, "::mlir::Type":$accumulator);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Hip_WmmaAttr : AttrDef<Hip_Dialect, "Wmma", [
    DeclareAttrInterfaceMethods<Tile_AtomAttrInterface>]> {
  let mnemonic = "wmma";
  let summary = "v_wmma 16x16x16 on gfx11: one wave of 32, operands held twice";
  let description = [{
    Both halves of the wave hold the same rows of A and columns of B.

    Constraints:
    - (C1) The element is f16, bf16 or i8; the accumulator is i32 for i8 and f32
      otherwise.

    Example: `#hip.wmma<bf16 into f32>`.
  }];
  let parameters = (ins "::mlir::Type":$element, "::mlir::Type":$accumulator);
  let assemblyFormat = "`<` $element `into` $accumulator `>`";
  let genVerifyDecl = 1;
}

#endif // TILEWRIGHT_BACKENDS_HIP_DIALECT
