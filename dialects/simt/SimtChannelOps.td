//===- SimtChannelOps.td - Channels: copies that run ahead --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_CHANNEL_OPS
#define TILEWRIGHT_SIMT_CHANNEL_OPS

include "dialects/simt/SimtAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

/// What holds the items of a channel.
def Simt_Tile : AnyTypeOf<[AnyMemRef, Simt_TmemType]>;

def Simt_ChannelOp : Simt_Op<"channel", [Pure]> {
  let summary = "make a channel of buffers in shared or tensor memory";
  let description = [{
    Group level. A buffer has room for one tile of each stage; nothing but the
    channel uses it.

    Constraints:
    - (C1) Buffers are shared tiles, or tiles in tensor memory, whose first extent is the
      number of stages; the tiles of the channel's type are what is left, at any offset.
    - (C2) A buffer has no other use.

    Example:
    ```mlir
    func.func @make() {
      %a = tile.alloc "a" : memref<3x64x32xbf16, #tile.space<shared>>
      %c = simt.channel %a : memref<3x64x32xbf16, #tile.space<shared>>
        -> !simt.channel<3, memref<64x32xbf16, strided<[32, 1], offset: ?>, #tile.space<shared>>>
      return
    }
    ```
  }];
  let arguments = (ins Variadic<Simt_Tile>:$buffers);
  let results = (outs Simt_ChannelType:$channel);
  let assemblyFormat = "$buffers attr-dict `:` type($buffers) `->` type($channel)";
  let hasVerifier = 1;
}

def Simt_PutOp : Simt_Op<"put", [
    SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "put an item into a channel";
  let description = [{
    Group level. Waits until the stage of item `number` is free, and runs the
    region, whose arguments are the stage's tiles, to fill it. With `if`, only
    where the condition holds. With `async` the copies of the region may still be
    on their way when the operation ends, and what it yields may be pending.
    `simt.get` waits for them.

    Constraints:
    - (C1) The region's arguments have the types of the channel's tiles.
    - (C2) It stands in no `tile.parallel` and no `simt.once`.
    - (C3) The region yields nothing but pending values, and those with `async` alone.

    Example:
    ```mlir
    func.func @fill(%c: !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>,
                    %n: index, %f: f32) {
      simt.put %c[%n] {
      ^bb0(%s: memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>):
        tile.parallel (%i) in (64) {
          memref.store %f, %s[%i] : memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>
        }
      } : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
      return
    }
    ```
  }];
  let arguments = (ins Simt_ChannelType:$channel, Index:$number,
                       Optional<I1>:$condition, UnitAttr:$isAsync);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $channel `[` $number `]` (`if` $condition^)? (`async` $isAsync^)? $body attr-dict
    `:` type($channel)
  }];
  let hasVerifier = 1;
}

def Simt_GetOp : Simt_Op<"get", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait for an item of a channel";
  let description = [{
    Group level. Waits until item `number` was put, for all threads, and gives
    the tiles that hold it, until `simt.release`. All threads come by, as at a
    `simt.barrier` that orders shared memory.

    Constraints:
    - (C1) The results have the types of the channel's tiles.
    - (C2) It stands in no `tile.parallel` and no `simt.once`.
    - (C3) One `simt.release` of the same item follows in its block; the results
      are used before it.
    - (C4) What reads them asynchronously is waited for in front of that, or it is named
      there, or what it passes its accumulator on to is.

    Example:
    ```mlir
    func.func @take(%c: !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>,
                    %n: index) {
      %s = simt.get %c[%n] : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
        -> memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>
      simt.release %c[%n] : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
      return
    }
    ```
  }];
  let arguments = (ins Simt_ChannelType:$channel, Index:$number);
  let results = (outs Variadic<Simt_Tile>:$tiles);
  let assemblyFormat = [{
    $channel `[` $number `]` attr-dict `:` type($channel) `->` type($tiles)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The release of its item; null where there is not exactly one in its block.
    ReleaseOp getRelease();
  }];
}

def Simt_ReleaseOp : Simt_Op<"release", [MemoryEffects<[MemWrite]>]> {
  let summary = "free the stage of an item";
  let description = [{
    Group level. What read the item before is done with it: its stage may be filled
    again. With `after`, when these values are there; nobody waits for that here.

    Constraints:
    - (C1) A `simt.get` of the same item is in front of it in its block.
    - (C2) What it comes after is pending.

    Example: that of `simt.get`; with `after`, that of `simt.mma_async`.
    ```mlir
    func.func @take(%c: !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>,
                    %n: index) {
      %s = simt.get %c[%n] : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
        -> memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>
      simt.release %c[%n] : !simt.channel<2, memref<64xf32, strided<[1], offset: ?>, #tile.space<shared>>>
      return
    }
    ```
  }];
  let arguments = (ins Simt_ChannelType:$channel, Index:$number,
                       Variadic<Simt_PendingType>:$tokens);
  let assemblyFormat = [{
    $channel `[` $number `]` (`after` $tokens^)? attr-dict `:` type($channel)
    (`,` type($tokens)^)?
  }];
  let hasVerifier = 1;
}

def Simt_CopyAsyncOp : Simt_Op<"copy_async", [AttrSizedOperandSegments]> {
  let summary = "begin to copy neighbouring elements to shared memory";
  let description = [{
    Thread level. Begins to copy `count` elements from `src` on, along the last
    dimension, to `dst` on. Where the elements are outside of `src`, as for
    `simt.vector_load`, or `inside` is false, zeros are written. The copy has
    arrived when the thread has waited for the group that it is committed to.

    Constraints:
    - (C1) There is one index for each dimension, and `inbounds` is empty or has
      one entry for each of `src`.
    - (C2) `src` is in the `global` space, `dst` in the `shared` one; both have the
      same elements of whole bytes, and 1 as last stride.
    - (C3) `count` elements are 4, 8 or 16 bytes. (Addresses are multiples of
      that; not checked.)

    Example:
    ```mlir
    func.func @row(%x: memref<?x64xf32, #tile.space<global>>, %i: index, %j: index,
                   %s: memref<8x64xf32, #tile.space<shared>>) {
      simt.copy_async 4 of %x[%i, %j] inbounds [false, true] to %s[%i, %j]
        : memref<?x64xf32, #tile.space<global>>, memref<8x64xf32, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins I64Attr:$count,
                       Arg<AnyMemRef, "", [MemRead]>:$memref, Variadic<Index>:$indices,
                       DefaultValuedAttr<DenseBoolArrayAttr, "{}">:$inbounds,
                       Optional<I1>:$inside,
                       Arg<AnyMemRef, "", [MemWrite]>:$dst, Variadic<Index>:$dstIndices);
  let assemblyFormat = [{
    $count `of` $memref `[` $indices `]` (`inbounds` $inbounds^)? (`if` $inside^)?
    `to` $dst `[` $dstIndices `]` attr-dict `:` type($memref) `,` type($dst)
  }];
  let hasVerifier = 1;
}

def Simt_CommitCopiesOp : Simt_Op<"commit_copies", [MemoryEffects<[MemWrite]>]> {
  let summary = "make a group of the copies begun since the last one";
  let description = [{
    Both levels. The copies that each thread has begun since its last group are one
    that `simt.wait_copies` counts; there may be none in it.

    Constraints:
    - (C1) It stands in no `tile.parallel` and no `simt.once`.

    Example:
    ```mlir
    func.func @commit() {
      simt.commit_copies
      return
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Simt_WaitCopiesOp : Simt_Op<"wait_copies", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait until at most so many groups of copies are on their way";
  let description = [{
    Both levels. Each thread waits for its own groups, oldest first; those of others
    have arrived after the next `simt.barrier`.

    Constraints:
    - (C1) It stands in no `tile.parallel` and no `simt.once`.
    - (C2) `pending` is not negative.

    Example:
    ```mlir
    func.func @wait() {
      simt.wait_copies pending 1
      return
    }
    ```
  }];
  let arguments = (ins I64Attr:$pending);
  let assemblyFormat = "`pending` $pending attr-dict";
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_SIMT_CHANNEL_OPS
