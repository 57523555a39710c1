//===- SimtThreadOps.td - Threads, their places and barriers ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_THREAD_OPS
#define TILEWRIGHT_SIMT_THREAD_OPS

include "dialects/simt/SimtDialect.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Simt_OnceOp : Simt_Op<"once", [
    SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "what one thread does for the block";
  let description = [{
    Group level. One thread runs the region, always the same one; the others go
    on. What it wrote is there for them after the next `simt.barrier`.

    Constraints:
    - (C1) It stands in a `tile.kernel` or a device function, outside of any other
      `simt.once` and of `tile.parallel`.

    Example:
    ```mlir
    func.func @count(%blocks: index, %x: memref<1xi32, #tile.space<global>>) {
      tile.kernel (%bx) in (%blocks) threads(128) {
        %zero = arith.constant 0 : index
        %one = arith.constant 1 : i32
        simt.once {
          %old = tile.atomic sum %one, %x[%zero] : memref<1xi32, #tile.space<global>>
        }
      }
      return
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
  let hasVerifier = 1;
}

def Simt_BarrierOp : Simt_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "all threads of the block wait for each other";
  let description = [{
    Both levels. What any thread of the block wrote to shared memory before it,
    every thread of the block sees after it; with `global`, what it wrote to
    global memory too. With `role`, the same among the threads of a role.

    Constraints:
    - (C1) It stands in no `simt.once` and no `tile.parallel`, where not all
      threads come by.
    - (C2) With `role` it stands in a `simt.roles`.

    Example:
    ```mlir
    func.func @wait() {
      simt.barrier
      simt.barrier global
      return
    }
    ```
  }];
  let arguments = (ins UnitAttr:$isGlobal, UnitAttr:$isOfRole);
  let assemblyFormat = "(`role` $isOfRole^)? (`global` $isGlobal^)? attr-dict";
  let hasVerifier = 1;
}

def Simt_ThreadIdOp : Simt_Op<"thread_id", [Pure]> {
  let summary = "the number of the thread in its block";
  let description = [{
    Thread level. Threads of a block are numbered from 0; `lanes` neighbours,
    starting at a multiple of that, are a warp or wave.

    Constraints:
    - (C1) It stands in no `tile.parallel`, whose iterations are not threads.

    Example:
    ```mlir
    func.func @first() -> index {
      %t = simt.thread_id
      return %t : index
    }
    ```
  }];
  let results = (outs Index:$number);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Simt_BlockIdOp : Simt_Op<"block_id", [Pure]> {
  let summary = "the linear number of the block in its grid";
  let description = [{
    Both levels.

    Constraints:
    - (C1) It stands in no `tile.kernel`, whose arguments say which block it is.

    Example:
    ```mlir
    func.func @block() -> index {
      %b = simt.block_id
      return %b : index
    }
    ```
  }];
  let results = (outs Index:$number);
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Simt_VectorLoadOp : Simt_Op<"vector_load", [AttrSizedOperandSegments]> {
  let summary = "read neighbouring elements of a global tensor, zero outside its shape";
  let description = [{
    Thread level. Reads the elements from `memref[indices]` on, as many as the
    result has, along the last dimension. Where an index is negative or not below
    its extent, or the condition after `if` does not hold, all of the result is
    zero and the tensor is not touched: either all the elements are inside or none
    is. `inbounds` is as that of `tile.load`.

    Constraints:
    - (C1) There is one index for each dimension, and `inbounds` is empty or has
      one entry for each.
    - (C2) The memref is in the `global` space, its last stride is 1 and its
      elements are whole bytes.
    - (C3) The vector has rank 1 and the element type of the memref.
    - (C4) The address is a multiple of the vector's bytes, or of 16 where it has
      more. (Not checked: `vectorize-accesses` shows it.)

    Example:
    ```mlir
    func.func @row(%x: memref<?x64xf32, #tile.space<global>>, %i: index, %j: index)
        -> vector<4xf32> {
      %v = simt.vector_load %x[%i, %j] inbounds [false, true]
        : memref<?x64xf32, #tile.space<global>>, vector<4xf32>
      return %v : vector<4xf32>
    }
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$memref, Variadic<Index>:$indices,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$inbounds,
                       Optional<I1>:$inside);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = [{
    $memref `[` $indices `]` (`inbounds` $inbounds^)? (`if` $inside^)? attr-dict
    `:` type($memref) `,` type($result)
  }];
  let hasVerifier = 1;
}

def Simt_VectorStoreOp : Simt_Op<"vector_store"> {
  let summary = "write neighbouring elements of a global tensor, nothing outside";
  let description = [{
    Thread level. The mirror of `simt.vector_load`.

    Constraints:
    - (C1) There is one index for each dimension, and `inbounds` is empty or has
      one entry for each.
    - (C2) The memref is in the `global` space, its last stride is 1 and its
      elements are whole bytes.
    - (C3) The vector has rank 1 and the element type of the memref.

    Example:
    ```mlir
    func.func @row(%v: vector<4xf32>, %x: memref<?x64xf32, #tile.space<global>>,
                   %i: index, %j: index) {
      simt.vector_store %v, %x[%i, %j] : vector<4xf32>, memref<?x64xf32, #tile.space<global>>
      return
    }
    ```
  }];
  let arguments = (ins AnyVectorOfNonZeroRank:$value,
                       Arg<AnyMemRef, "", [MemWrite]>:$memref, Variadic<Index>:$indices,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$inbounds);
  let assemblyFormat = [{
    $value `,` $memref `[` $indices `]` (`inbounds` $inbounds^)? attr-dict
    `:` type($value) `,` type($memref)
  }];
  let hasVerifier = 1;
}

def Simt_LoadMatrixOp : Simt_Op<"load_matrix"> {
  let summary = "a warp reads matrices of 8 rows of 16 bytes";
  let description = [{
    Thread level. Lanes 8 i to 8 i + 7 of a warp give, by their indices, where the
    rows of matrix i start. Of every matrix each lane gets a register of 32 bits:
    lane l bytes 4 (l % 4) on of row l / 4; with `transpose`, for elements of 16
    bits, elements (2 (l % 4), l / 4) and (2 (l % 4) + 1, l / 4).

    Constraints:
    - (C1) The memref is in the `shared` space, its last stride is 1, and there is
      one index for each dimension.
    - (C2) The result is a vector of one, two or four 32-bit integers, one for each
      matrix.
    - (C3) With `transpose` the elements have 16 bits.
    - (C4) Rows start at multiples of 16 bytes. (Not checked: `distribute` reads so
      where it is true.)

    Example:
    ```mlir
    func.func @four(%s: memref<64x64xbf16, #tile.space<shared>>, %i: index, %j: index)
        -> vector<4xi32> {
      %v = simt.load_matrix %s[%i, %j]
        : memref<64x64xbf16, #tile.space<shared>>, vector<4xi32>
      return %v : vector<4xi32>
    }
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$memref, Variadic<Index>:$indices,
                       UnitAttr:$transpose);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = [{
    $memref `[` $indices `]` (`transpose` $transpose^)? attr-dict
    `:` type($memref) `,` type($result)
  }];
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_SIMT_THREAD_OPS
