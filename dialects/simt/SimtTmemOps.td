//===- SimtTmemOps.td - Tensor memory -----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_TMEM_OPS
#define TILEWRIGHT_SIMT_TMEM_OPS

include "dialects/simt/SimtAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Simt_TmemAllocOp : Simt_Op<"tmem_alloc", [MemoryEffects<[MemAlloc, MemWrite]>]> {
  let summary = "a tile in tensor memory, for as long as the block runs";
  let description = [{
    Group level. What is in it is not defined.

    Constraints:
    - (C1) It stands in a kernel or function, in no other operation.

    Example:
    ```mlir
    func.func @accumulators() {
      %t = simt.tmem_alloc : !simt.tmem<2x128x256xf32>
      %c = simt.channel %t : !simt.tmem<2x128x256xf32> -> !simt.channel<2, !simt.tmem<128x256xf32>>
      return
    }
    ```
  }];
  let results = (outs Simt_TmemType:$tile);
  let assemblyFormat = "attr-dict `:` qualified(type($tile))";
  let hasVerifier = 1;
}

def Simt_TmemLoadOp : Simt_Op<"tmem_load", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "begin to read columns of a tile in tensor memory";
  let description = [{
    Group level. The columns from `column` on, as many as the vector has, of all rows.

    Constraints:
    - (C1) It gives one pending vector, of the tile's rows and elements and at most its
      columns. The tile has rank 2.
    - (C2) It stands in no `tile.parallel` and no `simt.once`; in a `simt.roles`, the role
      has a multiple of 128 threads: each of four warps reaches a quarter of the rows.
    - (C3) What it gives has one consumer, as `!simt.pending` says.

    Example:
    ```mlir
    func.func @read(%t: !simt.tmem<128x256xf32>, %column: index) -> vector<128x64xf32> {
      %p = simt.tmem_load %t[%column]
        : !simt.tmem<128x256xf32> -> !simt.pending<vector<128x64xf32>>
      %v = simt.wait %p : !simt.pending<vector<128x64xf32>>
      return %v : vector<128x64xf32>
    }
    ```
  }];
  let arguments = (ins Simt_TmemType:$tile, Index:$column);
  let results = (outs Simt_PendingType:$pending);
  let assemblyFormat = [{
    $tile `[` $column `]` attr-dict `:` qualified(type($tile)) `->` qualified(type($pending))
  }];
  let hasVerifier = 1;
}

def Simt_TmemStoreOp : Simt_Op<"tmem_store", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "begin to write columns of a tile in tensor memory";
  let description = [{
    Group level. The mirror of `simt.tmem_load`: it gives the tile with other columns
    from `column` on, in the same place.

    Constraints:
    - (C1) The vector has the tile's rows and elements and at most its columns; the
      result is pending and of the tile's type. The tile has rank 2.
    - (C2) It stands where a `simt.tmem_load` may.
    - (C3) What it gives has one consumer, as `!simt.pending` says.
    - (C4) It is the last use of the tile in its block, and no use is in another one.

    Example:
    ```mlir
    func.func @write(%v: vector<128x64xf32>, %t: !simt.tmem<128x256xf32>, %column: index)
        -> !simt.tmem<128x256xf32> {
      %p = simt.tmem_store %v, %t[%column]
        : vector<128x64xf32>, !simt.tmem<128x256xf32> -> !simt.pending<!simt.tmem<128x256xf32>>
      %u = simt.wait %p : !simt.pending<!simt.tmem<128x256xf32>>
      return %u : !simt.tmem<128x256xf32>
    }
    ```
  }];
  let arguments = (ins AnyVectorOfNonZeroRank:$value, Simt_TmemType:$tile, Index:$column);
  let results = (outs Simt_PendingType:$pending);
  let assemblyFormat = [{
    $value `,` $tile `[` $column `]` attr-dict
    `:` type($value) `,` qualified(type($tile)) `->` qualified(type($pending))
  }];
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_SIMT_TMEM_OPS
