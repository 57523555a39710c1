//===- SimtBarrierOps.td - Barriers in two halves -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_BARRIER_OPS
#define TILEWRIGHT_SIMT_BARRIER_OPS

include "dialects/simt/SimtAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Simt_ArriveOp : Simt_Op<"arrive", [
    MemoryEffects<[MemRead, MemWrite]>,
    DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "the first half of a barrier of the block";
  let description = [{
    Both levels. `simt.barrier` is this and a `simt.wait` at once: what any thread wrote
    to shared memory (with `global`, to global memory too) before it arrived, every
    thread sees behind the wait. What stands between is not ordered.

    Constraints:
    - (C1) It stands in no `tile.parallel`, no `simt.once` and no `simt.roles`, where not
      all threads come by.
    - (C2) A `simt.wait` in its block is its one consumer, and no other barrier of the
      block stands between: hardware has one. `simt.put` and `simt.get` are such.

    Example:
    ```mlir
    func.func @halves(%s: memref<64xf32, #tile.space<shared>>, %x: f32) {
      tile.parallel (%i) in (64) {
        memref.store %x, %s[%i] : memref<64xf32, #tile.space<shared>>
      }
      %p = simt.arrive
      %y = arith.mulf %x, %x : f32
      simt.wait %p : !simt.pending
      return
    }
    ```
  }];
  let arguments = (ins UnitAttr:$isGlobal);
  let results = (outs Simt_PendingType:$pending);
  let assemblyFormat = "(`global` $isGlobal^)? attr-dict";
  let hasVerifier = 1;
}

def Simt_MbarrierOp : Simt_Op<"mbarrier", [MemoryEffects<[MemAlloc, MemWrite]>]> {
  let summary = "make barriers in shared memory";
  let description = [{
    Both levels. Each is in its first phase, of parity 0, and waits for `arrivals`
    arrivals in every phase. All threads may use them at once.

    Constraints:
    - (C1) `arrivals` is from 1 to 2^20 - 1.
    - (C2) It stands in a kernel or function, in no other operation: a block has them
      once, and all threads come by.

    Example:
    ```mlir
    func.func @full() {
      %full = simt.mbarrier arrivals 1 : !simt.mbarrier<4>
      return
    }
    ```
  }];
  let arguments = (ins I64Attr:$arrivals);
  let results = (outs Simt_MbarrierType:$barrier);
  let assemblyFormat = "`arrivals` $arrivals attr-dict `:` qualified(type($barrier))";
  let hasVerifier = 1;
}

def Simt_MbarrierArriveOp : Simt_Op<"mbarrier_arrive", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "arrive at a barrier in shared memory";
  let description = [{
    Thread level. One arrival at the current phase. With `expect`, the phase waits for
    so many bytes of bulk copies besides.

    Constraints:
    - (C1) It stands in no `tile.parallel`, whose iterations are not threads.
    - (C2) An index that is constant is that of one of the barriers.
    - (C3) `expect` is from 1 to 2^20 - 1 bytes.

    Example:
    ```mlir
    func.func @load(%full: !simt.mbarrier<4>, %stage: index,
                    %x: memref<?x?xbf16, #tile.space<global>>, %i: index, %j: index,
                    %s: memref<64x64xbf16, #tile.space<shared>>) {
      simt.mbarrier_arrive %full[%stage] expect 8192 : !simt.mbarrier<4>
      simt.copy_bulk %x[%i, %j] to %s on %full[%stage]
        : memref<?x?xbf16, #tile.space<global>>, memref<64x64xbf16, #tile.space<shared>>,
          !simt.mbarrier<4>
      return
    }
    ```
  }];
  let arguments = (ins Simt_MbarrierType:$barrier, Index:$at, OptionalAttr<I64Attr>:$bytes);
  let assemblyFormat = [{
    $barrier `[` $at `]` (`expect` $bytes^)? attr-dict `:` qualified(type($barrier))
  }];
  let hasVerifier = 1;
}

def Simt_MbarrierWaitOp : Simt_Op<"mbarrier_wait", [
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "wait for a phase of a barrier in shared memory";
  let description = [{
    Thread level. Waits until the current or the last phase, whichever has this parity,
    has ended. So who waits for parity 1 first passes at once: that is how a producer
    finds all stages free. What was written before the arrivals, and what bulk copies
    of the phase wrote, the thread sees behind it.

    Constraints:
    - (C1) It stands in no `tile.parallel`, whose iterations are not threads.
    - (C2) An index that is constant is that of one of the barriers.

    Example:
    ```mlir
    func.func @wait(%full: !simt.mbarrier<4>, %stage: index, %phase: i1) {
      simt.mbarrier_wait %full[%stage] parity %phase : !simt.mbarrier<4>
      return
    }
    ```
  }];
  let arguments = (ins Simt_MbarrierType:$barrier, Index:$at, I1:$parity);
  let assemblyFormat = "$barrier `[` $at `]` `parity` $parity attr-dict `:` qualified(type($barrier))";
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_SIMT_BARRIER_OPS
