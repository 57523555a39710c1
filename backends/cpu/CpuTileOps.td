//===- CpuTileOps.td - The tiles of AMX ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's own amx dialect has tiles as values, and leaves registers and shapes to LLVM,
// which runs out of registers where a function's products have tiles of several shapes:
// one shape per register holds for all of a function. Here registers are numbers.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_TILEOPS
#define TILEWRIGHT_BACKENDS_CPU_TILEOPS

include "backends/cpu/CpuDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Cpu_TileRegisters : Resource<"::tilewright::cpu::TileRegisters">;

class Cpu_TileOp<string mnemonic, list<Trait> traits = []>
    : Op<Cpu_Dialect, mnemonic, traits> {
  let hasVerifier = 1;
}

def Cpu_TileShapesOp : Cpu_TileOp<"tile_shapes",
    [MemoryEffects<[MemWrite<Cpu_TileRegisters>]>]> {
  let summary = "say how many rows of how many bytes each tile of AMX has";
  let description = [{
    The eight tiles, `tmm0` to `tmm7`, are registers by number, which hold zeros afterwards.
    Those that later operations use have a shape from here. Without entries no tile is used
    any more, and a thread that is interrupted has less to save.

    Constraints:
    - (C1) There is an entry of `rows` and one of `bytes` for each tile from the first on;
      at most eight.
    - (C2) Rows are 1 to 16, bytes 4 to 64 and a multiple of four.

    Example:
    ```mlir
    func.func @product(%a: memref<16x32xbf16, #tile.space<shared>>,
                       %b: memref<16x32xbf16, #tile.space<shared>>,
                       %c: memref<16x16xf32, #tile.space<fragment>>) {
      %zero = arith.constant 0 : index
      cpu.tile_shapes [16, 16, 16] by [64, 64, 64]
      cpu.tile_zero 0
      cpu.tile_load 1, %a[%zero, %zero] : memref<16x32xbf16, #tile.space<shared>>
      cpu.tile_load 2, %b[%zero, %zero] : memref<16x32xbf16, #tile.space<shared>>
      cpu.tile_multiply amx_bf16 1, 2 into 0
      cpu.tile_store 0, %c[%zero, %zero] : memref<16x16xf32, #tile.space<fragment>>
      cpu.tile_shapes [] by []
      return
    }
    ```
  }];
  let arguments = (ins DenseI64ArrayAttr:$rows, DenseI64ArrayAttr:$bytes);
  let assemblyFormat = "$rows `by` $bytes attr-dict";
}

def Cpu_TileZeroOp : Cpu_TileOp<"tile_zero",
    [MemoryEffects<[MemWrite<Cpu_TileRegisters>]>]> {
  let summary = "a tile of AMX becomes zeros";
  let description = [{
    Constraints:
    - (C1) `tile` is 0 to 7.

    Example:
    ```mlir
    func.func @zero() {
      cpu.tile_shapes [16] by [64]
      cpu.tile_zero 0
      cpu.tile_shapes [] by []
      return
    }
    ```
  }];
  let arguments = (ins I8Attr:$tile);
  let assemblyFormat = "$tile attr-dict";
}

def Cpu_TileLoadOp : Cpu_TileOp<"tile_load",
    [MemoryEffects<[MemWrite<Cpu_TileRegisters>]>]> {
  let summary = "load a tile of AMX";
  let description = [{
    Rows of the tile, as many and as long as its shape says, are those of `memory` from
    `indices` on.

    Constraints:
    - (C1) `tile` is 0 to 7.
    - (C2) `memory` is a matrix with rows without gaps.

    Example:
    ```mlir
    func.func @load(%m: memref<64x32xi8, #tile.space<shared>>, %row: index) {
      %zero = arith.constant 0 : index
      cpu.tile_shapes [16] by [32]
      cpu.tile_load 0, %m[%row, %zero] : memref<64x32xi8, #tile.space<shared>>
      cpu.tile_shapes [] by []
      return
    }
    ```
  }];
  let arguments = (ins I8Attr:$tile, Arg<AnyMemRef, "", [MemRead]>:$memory,
                       Index:$row, Index:$column);
  let assemblyFormat = "$tile `,` $memory `[` $row `,` $column `]` attr-dict `:` type($memory)";
}

def Cpu_TileStoreOp : Cpu_TileOp<"tile_store",
    [MemoryEffects<[MemRead<Cpu_TileRegisters>]>]> {
  let summary = "store a tile of AMX";
  let description = [{
    Writes the tile's rows to those of `memory` from `indices` on.

    Constraints:
    - (C1) `tile` is 0 to 7.
    - (C2) `memory` is a matrix with rows without gaps.

    Example:
    ```mlir
    func.func @store(%m: memref<64x32xf32, #tile.space<fragment>>, %row: index) {
      %zero = arith.constant 0 : index
      cpu.tile_shapes [16] by [64]
      cpu.tile_zero 0
      cpu.tile_store 0, %m[%row, %zero] : memref<64x32xf32, #tile.space<fragment>>
      cpu.tile_shapes [] by []
      return
    }
    ```
  }];
  let arguments = (ins I8Attr:$tile, Arg<AnyMemRef, "", [MemWrite]>:$memory,
                       Index:$row, Index:$column);
  let assemblyFormat = "$tile `,` $memory `[` $row `,` $column `]` attr-dict `:` type($memory)";
}

def Cpu_TileMultiplyOp : Cpu_TileOp<"tile_multiply",
    [MemoryEffects<[MemRead<Cpu_TileRegisters>, MemWrite<Cpu_TileRegisters>]>]> {
  let summary = "add the product of two tiles of AMX to a third";
  let description = [{
    Tile `a` has rows of A, tile `b` groups of 32 bits along K of columns of B, `c` sums.

    Constraints:
    - (C1) Tiles are 0 to 7, and no two are the same.
    - (C2) The instruction is one of AMX.

    Example:
    ```mlir
    func.func @square(%m: memref<16x64xi8, #tile.space<shared>>,
                      %b: memref<16x64xi8, #tile.space<shared>>) {
      %zero = arith.constant 0 : index
      cpu.tile_shapes [16, 16, 16] by [64, 64, 64]
      cpu.tile_load 1, %m[%zero, %zero] : memref<16x64xi8, #tile.space<shared>>
      cpu.tile_load 2, %b[%zero, %zero] : memref<16x64xi8, #tile.space<shared>>
      cpu.tile_multiply amx_int8 1, 2 into 0
      cpu.tile_shapes [] by []
      return
    }
    ```
  }];
  let arguments = (ins Cpu_InstructionAttr:$instruction, I8Attr:$a, I8Attr:$b, I8Attr:$c);
  let assemblyFormat = "$instruction $a `,` $b `into` $c attr-dict";
}

#endif // TILEWRIGHT_BACKENDS_CPU_TILEOPS
