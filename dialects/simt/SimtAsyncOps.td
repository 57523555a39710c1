//===- SimtAsyncOps.td - What goes on while threads go on ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_ASYNC_OPS
#define TILEWRIGHT_SIMT_ASYNC_OPS

include "dialects/simt/SimtAttrs.td"
include "dialects/tile/TileAtomInterface.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// What gives a pending value has an effect, though it may be on no memory: two that are
// alike are not one, as a pending value has one consumer.

def Simt_WaitOp : Simt_Op<"wait", [
    MemoryEffects<[MemRead, MemWrite]>,
    DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "wait for a pending value";
  let description = [{
    Group level. When it is done, what `pending` stands for is there, for all threads of
    the group that waits, and what the operation read may be overwritten.

    Constraints:
    - (C1) The results have the types of the pending value.
    - (C2) It stands in no `tile.parallel` and no `simt.once`.

    Example:
    ```mlir
    func.func @store(%s: memref<64x64xbf16, #tile.space<shared>>,
                     %x: memref<?x?xbf16, #tile.space<global>>, %i: index, %j: index) {
      %p = simt.copy_bulk %s to %x[%i, %j]
        : memref<64x64xbf16, #tile.space<shared>>, memref<?x?xbf16, #tile.space<global>>
        -> !simt.pending
      simt.wait %p : !simt.pending
      return
    }
    ```
  }];
  let arguments = (ins Simt_PendingType:$pending);
  let results = (outs Variadic<AnyType>:$values);
  let assemblyFormat = "$pending attr-dict `:` qualified(type($pending))";
  let hasVerifier = 1;
}

def Simt_ReadyOp : Simt_Op<"ready", [
    MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "a pending value that is there at once";
  let description = [{
    Group level. What a chain of products that is carried through a loop starts from.

    Constraints:
    - (C1) It has one consumer, as `!simt.pending` says.
    - (C2) A tile in tensor memory has no other use.

    Example: that of `simt.mma_async` in a loop.
    ```mlir
    func.func @chain(%a: memref<64x64xbf16, #tile.space<shared>>,
                     %b: memref<64x128xbf16, #tile.space<shared>>,
                     %zero: vector<64x128xf32>, %trips: index) -> vector<64x128xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %none = simt.ready %zero : vector<64x128xf32>
      %sum = scf.for %k = %c0 to %trips step %c1 iter_args(%acc = %none)
          -> (!simt.pending<vector<64x128xf32>>) {
        %next = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32, shared_a = true> %a, %b, %acc
          : memref<64x64xbf16, #tile.space<shared>>, memref<64x128xbf16, #tile.space<shared>>,
            !simt.pending<vector<64x128xf32>>
        scf.yield %next : !simt.pending<vector<64x128xf32>>
      }
      %d = simt.wait %sum : !simt.pending<vector<64x128xf32>>
      return %d : vector<64x128xf32>
    }
    ```
  }];
  let arguments = (ins AnyType:$value);
  let results = (outs Simt_PendingType:$pending);
  let assemblyFormat = "$value attr-dict `:` type($value)";
  let hasVerifier = 1;
}

def Simt_MmaAsyncOp : Simt_Op<"mma_async", [
    MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "begin D = C + A B by an instruction that completes later";
  let description = [{
    Group level: A is M x K, B is K x N, C is M x N, as many issues of the atom as that
    takes. Each is where the atom says:

    | place | a whole operand is |
    | --- | --- |
    | register | a vector of rank 2, dealt out by the atom's layout |
    | shared descriptor | a shared tile; the descriptor is made from its type |
    | tensor memory | a `!simt.tmem` |

    D is pending, and C may be: a chain of products that accumulate in one place needs
    no wait inside. With `accumulate`, C counts as zero where the condition does not hold.
    What A and B are read from may be overwritten when D is there.

    Constraints:
    - (C1) It stands in no `tile.parallel` and no `simt.once`.
    - (C2) The atom does not complete at once, and has no scale operands.
    - (C3) Operands are where the atom wants them, with its element types, in static
      shapes; f32 stands for tf32.
    - (C4) The extents agree and are multiples of the atom's.
    - (C5) A shared operand has stride 1 along the dimension that the atom wants.
    - (C6) In a `simt.roles` the role's threads are, from a multiple on, a multiple of
      those that issue the atom together.
    - (C7) A tile in tensor memory that is C has no other use.
    - (C8) D has one consumer, as `!simt.pending` says.

    Example: with A in registers; the item's stage is free when the product is there.
    ```mlir
    func.func @step(%c: !simt.channel<3, memref<64x128xbf16, strided<[128, 1], offset: ?>, #tile.space<shared>>>,
                    %n: index, %a: vector<64x64xbf16>, %acc: vector<64x128xf32>) -> vector<64x128xf32> {
      %b = simt.get %c[%n] : !simt.channel<3, memref<64x128xbf16, strided<[128, 1], offset: ?>, #tile.space<shared>>>
        -> memref<64x128xbf16, strided<[128, 1], offset: ?>, #tile.space<shared>>
      %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32> %a, %b, %acc
        : vector<64x64xbf16>, memref<64x128xbf16, strided<[128, 1], offset: ?>, #tile.space<shared>>,
          vector<64x128xf32>
      simt.release %c[%n] after %p
        : !simt.channel<3, memref<64x128xbf16, strided<[128, 1], offset: ?>, #tile.space<shared>>>,
          !simt.pending<vector<64x128xf32>>
      %d = simt.wait %p : !simt.pending<vector<64x128xf32>>
      return %d : vector<64x128xf32>
    }
    ```
  }];
  let arguments = (ins Tile_AtomAttr:$atom, Arg<AnyType, "", [MemRead]>:$a,
                       Arg<AnyType, "", [MemRead]>:$b, AnyType:$c,
                       Optional<I1>:$accumulate);
  let results = (outs Simt_PendingType:$d);
  let assemblyFormat = [{
    $atom $a `,` $b `,` $c (`accumulate` $accumulate^)? attr-dict
    `:` type($a) `,` type($b) `,` type($c)
  }];
  let hasVerifier = 1;
}

def Simt_CopyBulkOp : Simt_Op<"copy_bulk", [
    AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "begin to copy a box between a tensor and a shared tile";
  let description = [{
    All of a shared tile, from or to the box of a global tensor that starts at the
    indices; where the box is outside of the tensor, zeros are read and nothing is
    written. With `on`, at thread level: one thread begins it, and its bytes count for
    the phase of the barrier. Otherwise at group level, and it is pending.

    Constraints:
    - (C1) One side is a tensor in the `global` space, with one index for each dimension,
      the other a tile in the `shared` space with a static shape, and no index.
    - (C2) Both have the same rank, from 1 to 5, and the same elements of whole bytes;
      rows are contiguous.
    - (C3) Extents of the tile are at most 256, its rows, and where they are static the
      other strides of the tensor, multiples of 16 bytes.
    - (C4) With `on` it writes the shared tile and gives no result, otherwise it gives
      one, pending and of no values. An index that is constant is one of the barriers.
    - (C5) It stands in no `tile.parallel`, and without `on` in no `simt.once`.
    - (C6) What it gives has one consumer, as `!simt.pending` says. Between it and a
      `simt.wait` for it in its block nothing names the tile.

    Example:
    ```mlir
    func.func @fill(%c: !simt.channel<2, memref<64x64xbf16, strided<[64, 1], offset: ?>, #tile.space<shared>>>,
                    %n: index, %x: memref<?x?xbf16, #tile.space<global>>, %i: index, %j: index) {
      simt.put %c[%n] async {
      ^bb0(%s: memref<64x64xbf16, strided<[64, 1], offset: ?>, #tile.space<shared>>):
        %p = simt.copy_bulk %x[%i, %j] to %s
          : memref<?x?xbf16, #tile.space<global>>, memref<64x64xbf16, strided<[64, 1], offset: ?>, #tile.space<shared>>
          -> !simt.pending
        simt.yield %p : !simt.pending
      } : !simt.channel<2, memref<64x64xbf16, strided<[64, 1], offset: ?>, #tile.space<shared>>>
      return
    }
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$src, Variadic<Index>:$srcIndices,
                       Arg<AnyMemRef, "", [MemWrite]>:$dst, Variadic<Index>:$dstIndices,
                       Optional<Simt_MbarrierType>:$barrier, Optional<Index>:$at);
  let results = (outs Optional<Simt_PendingType>:$pending);
  let assemblyFormat = [{
    $src (`[` $srcIndices^ `]`)? `to` $dst (`[` $dstIndices^ `]`)?
    (`on` $barrier^ `[` $at `]`)? attr-dict `:` type($src) `,` type($dst)
    (`,` qualified(type($barrier))^)? (`->` qualified(type($pending))^)?
  }];
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_SIMT_ASYNC_OPS
