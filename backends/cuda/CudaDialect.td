//===- CudaDialect.td - Atoms of NVIDIA GPUs ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CUDA_DIALECT
#define TILEWRIGHT_BACKENDS_CUDA_DIALECT

include "dialects/tile/TileAtomInterface.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Cuda_Dialect : Dialect {
  let name = "cuda";
  let cppNamespace = "::tilewright::cuda";
  let summary = "Atoms of NVIDIA GPUs";
  let description = [{
    Attributes only: the matrix instructions that a `tile.gemm` may be computed
    with on an NVIDIA GPU. Layouts are those of the PTX manual's figures.
  }];
  let useDefaultAttributePrinterParser = 1;
}

def Cuda_MmaAttr : AttrDef<Cuda_Dialect, "Mma", [
    DeclareAttrInterfaceMethods<Tile_AtomAttrInterface, ["emit", "readsMatrices"]>]> {
  let mnemonic = "mma";
  let summary = "mma.sync: one warp, operands in registers";
  let description = [{
    D (16 x 8) = C + A B with 32 bytes of K: 16 elements of f16 or bf16, 8 of
    tf32, 32 bytes, signed or (ui8) not. Of f64 D is 8 x 8.

    Constraints:
    - (C1) The element is f16, bf16, tf32, f64, i8 or ui8; the accumulator is f64
      for f64, i32 for bytes and f32 otherwise.

    Example: `#cuda.mma<f16 into f32>`.
  }];
  let parameters = (ins "::mlir::Type":$element, "::mlir::Type":$accumulator);
  let assemblyFormat = "`<` $element `into` $accumulator `>`";
  let genVerifyDecl = 1;
}

def Cuda_WgmmaAttr : AttrDef<Cuda_Dialect, "Wgmma", [
    DeclareAttrInterfaceMethods<Tile_AtomAttrInterface, [
        "getCompletion"]>]> {
  let mnemonic = "wgmma";
  let summary = "wgmma.mma_async m64nNk*: four warps, B in shared memory";
  let description = [{
    D (64 x N) = C + A B with 32 bytes of K, asynchronous. A is in registers, or
    in shared memory with `shared_a`; B always is. Sums of fp8 products keep
    about 14 bits, so they are to be added to an f32 register every 128 of K.

    Constraints:
    - (C1) The element is f16, bf16, tf32, f8E4M3FN, f8E5M2, i8 or ui8; the
      accumulator is i32 for bytes and f32 otherwise.
    - (C2) N is a multiple of 8, of 16 above 32 for i8, from 8 to 256.

    Example: `#cuda.wgmma<n = 128, bf16 into f32>`.
  }];
  let parameters = (ins "int64_t":$n, "::mlir::Type":$element,
                        "::mlir::Type":$accumulator,
                        DefaultValuedParameter<"bool", "false">:$sharedA);
  let assemblyFormat = [{
    `<` `n` `=` $n `,` $element `into` $accumulator (`,` `shared_a` `=` $sharedA^)? `>`
  }];
  let genVerifyDecl = 1;
}

def Cuda_Tcgen05Attr : AttrDef<Cuda_Dialect, "Tcgen05", [
    DeclareAttrInterfaceMethods<Tile_AtomAttrInterface, ["getCompletion"]>]> {
  let mnemonic = "tcgen05";
  let summary = "tcgen05.mma m128nNk*: one thread, accumulator in tensor memory";
  let description = [{
    D (128 x N) = C + A B with 32 bytes of K, asynchronous, by one block. C and D are
    one tile in tensor memory, B is in shared memory, and so is A, or in tensor memory
    with `tensor_a`. Nothing selects it yet.

    Constraints:
    - (C1) The element is f16, bf16, tf32, f8E4M3FN or f8E5M2, the accumulator f32.
    - (C2) N is a multiple of 16 from 16 to 256.

    Example: `#cuda.tcgen05<n = 256, bf16 into f32>`.
  }];
  let parameters = (ins "int64_t":$n, "::mlir::Type":$element,
                        "::mlir::Type":$accumulator,
                        DefaultValuedParameter<"bool", "false">:$tensorA);
  let assemblyFormat = [{
    `<` `n` `=` $n `,` $element `into` $accumulator (`,` `tensor_a` `=` $tensorA^)? `>`
  }];
  let genVerifyDecl = 1;
}

#endif // TILEWRIGHT_BACKENDS_CUDA_DIALECT
