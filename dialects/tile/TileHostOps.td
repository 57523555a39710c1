//===- TileHostOps.td - Launching outlined kernels -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `tile.kernel` and `tile.workspace` become on the way to native code. The
// launch ABI is written in docs/abi.md.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_HOST_OPS
#define TILEWRIGHT_TILE_HOST_OPS

include "dialects/tile/TileAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tile_Pointer : Type<CPred<"::llvm::isa<::mlir::LLVM::LLVMPointerType>($_self)">,
                        "pointer", "::mlir::LLVM::LLVMPointerType">,
                   BuildableType<"$_builder.getType<::mlir::LLVM::LLVMPointerType>()">;

def Tile_PointerInSpace : Type<
    CPred<"::llvm::isa<::mlir::LLVM::LLVMPointerType>($_self)">, "pointer",
    "::mlir::LLVM::LLVMPointerType">;

def Tile_CaptureOp : Tile_Op<"capture", [MemoryEffects<[MemAlloc, MemWrite]>]> {
  let summary = "store the values a kernel uses where its blocks find them";
  let description = [{
    Stores the operands to the launch function's stack and gives the address,
    for `tile.captured` in the outlined kernel. In a loop every iteration uses
    the same memory: a launch is over when the next one starts.

    Constraints:
    - (C1) It is inside a function, whose stack holds the values.

    Example:
    ```mlir
    func.func @host(%x: memref<?xf32>, %n: index) -> !llvm.ptr {
      %env = tile.capture %x, %n : memref<?xf32>, index
      return %env : !llvm.ptr
    }
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let results = (outs Tile_Pointer:$env);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let hasVerifier = 1;
}

def Tile_CapturedOp : Tile_Op<"captured", [MemoryEffects<[MemRead]>]> {
  let summary = "the values that `tile.capture` stored";
  let description = [{
    Constraints:
    - (C1) The result types are those of the `tile.capture` that made `env`, in
      order. (Not checked: the two are in different functions.)

    Example:
    ```mlir
    func.func private @kernel(%env: !llvm.ptr, %lo: index, %hi: index, %arena: !llvm.ptr) {
      %0:2 = tile.captured %env : memref<?xf32>, index
      return
    }
    ```
  }];
  let arguments = (ins Tile_Pointer:$env);
  let results = (outs Variadic<AnyType>:$values);
  let assemblyFormat = "$env attr-dict (`:` type($values)^)?";
}

def Tile_FromPointerOp : Tile_Op<"from_pointer", [Pure, AttrSizedOperandSegments]> {
  let summary = "memory at an address as a memref";
  let description = [{
    The memref whose first element lies `offset` bytes after `pointer`. `sizes`
    and `strides` give the dynamic extents and strides in order.

    Constraints:
    - (C1) There is one size for each dynamic extent and one stride for each
      dynamic stride of the layout; with the identity layout there are none.
    - (C2) The layout has offset zero.

    Example:
    ```mlir
    func.func @tensor(%p: !llvm.ptr, %m: index, %ld: index) {
      %x = tile.from_pointer %p at 64 : memref<8x16xf32>
      %y = tile.from_pointer %p at 0 sizes(%m) strides(%ld) : memref<?x16xf32, strided<[?, 1]>>
      return
    }
    func.func @on_device(%p: !llvm.ptr<1>) {
      %x = tile.from_pointer %p in 1 at 0 : memref<8x16xf32, #tile.space<global>>
      return
    }
    ```
  }];
  let arguments = (ins Tile_PointerInSpace:$pointer, I64Attr:$offset,
                       Variadic<Index>:$sizes, Variadic<Index>:$strides);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $pointer custom<AddressSpace>(type($pointer)) `at` $offset (`sizes` `(` $sizes^ `)`)? (`strides` `(` $strides^ `)`)?
    attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_LaunchOp : Tile_Op<"launch", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "run an outlined kernel for all blocks of its grid";
  let description = [{
    Asks the runtime to run `callee` for the linear block numbers from 0 to
    `blocks`, in shares, on the device's workers, each with an arena of its own
    of `arena` bytes. Returns when all are done. `host` and `state` are what the
    launch function received.

    Constraints:
    - (C1) `callee` names a function of the module that takes the captured
      values, the first and the past-the-end block number, and the arena.

    Example:
    ```mlir
    func.func private @kernel(%env: !llvm.ptr, %lo: index, %hi: index, %arena: !llvm.ptr) {
      return
    }
    func.func @host(%n: index, %host: !llvm.ptr, %state: !llvm.ptr) {
      %env = tile.capture %n : index
      tile.launch @kernel blocks(%n) arena(4096) env(%env) runtime(%host, %state)
      return
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$callee, Index:$blocks, I64Attr:$arena,
                       Tile_Pointer:$env, Tile_Pointer:$host,
                       Tile_Pointer:$state);
  let assemblyFormat = [{
    $callee `blocks` `(` $blocks `)` `arena` `(` $arena `)` `env` `(` $env `)`
    `runtime` `(` $host `,` $state `)` attr-dict
  }];
  let hasVerifier = 1;
}

def Tile_LaunchGridOp : Tile_Op<"launch_grid", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "run a device function for all blocks of its grid";
  let description = [{
    Asks the runtime to start `callee`, a function of a device module, on the
    launch's stream with a grid of `blocks` blocks of `threads` threads. It gets
    the arguments as docs/abi.md lays them out: a memref as its address, its
    dynamic extents and its dynamic strides, an index as 64 bits. `host` and
    `state` are what the launch function received. Without blocks nothing is
    started.

    Constraints:
    - (C1) `callee` names a function in a module of this module, whose arguments
      have the types of `arguments`.
    - (C2) `threads` is between 1 and 1024.

    Example:
    ```mlir
    module @device {
      func.func @scale(%x: memref<?xf32, #tile.space<global>>, %by: f32) {
        return
      }
    }
    func.func @host(%x: memref<?xf32, #tile.space<global>>, %by: f32, %n: index,
                    %host: !llvm.ptr, %state: !llvm.ptr) {
      tile.launch_grid @device::@scale blocks(%n) threads(128)
        runtime(%host, %state) (%x, %by) : memref<?xf32, #tile.space<global>>, f32
      return
    }
    ```
  }];
  let arguments = (ins SymbolRefAttr:$callee, Index:$blocks, I64Attr:$threads,
                       Tile_Pointer:$host, Tile_Pointer:$state,
                       Variadic<AnyType>:$arguments);
  let assemblyFormat = [{
    $callee `blocks` `(` $blocks `)` `threads` `(` $threads `)`
    `runtime` `(` $host `,` $state `)` `(` $arguments `)` attr-dict
    (`:` type($arguments)^)?
  }];
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_TILE_HOST_OPS
