// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a Hopper kernel is made of, as IR that verifies: wgmma with its asynchronous
// accumulators, TMA with mbarriers, warps with roles. Nothing lowers it yet; between the
// roles of @gemm, verify-channels proves that items come and go in step.
// RUN: tilewright-opt %s | tilewright-opt | FileCheck %s
// RUN: tilewright-opt %s --canonicalize --cse --loop-invariant-code-motion --verify-channels | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
!tensor = memref<?x?xbf16, #global>
!a = memref<128x64xbf16, strided<[64, 1], offset: ?>, #shared>
!b = memref<64x256xbf16, strided<[256, 1], offset: ?>, #shared>
!items = !simt.channel<4, !a, !b>

// One warp orders copies, eight multiply: descriptors of both operands, accumulators that
// are pending through the loop. A stage is free when the product that reads it is done,
// for which nobody waits. The result leaves by a bulk copy too.
// CHECK-LABEL: @gemm
// CHECK:         simt.roles threads [128, 256] registers [40, 232] {
// CHECK:           simt.put %{{.*}}[%{{.*}}] async {
// CHECK:             %[[P:.*]] = simt.copy_bulk %{{.*}}[%{{.*}}, %{{.*}}] to %{{.*}} : {{.*}} -> !simt.pending
// CHECK:             %[[Q:.*]] = simt.copy_bulk
// CHECK-NEXT:        simt.yield %[[P]], %[[Q]] : !simt.pending, !simt.pending
// CHECK:         }, {
// CHECK:           %[[NONE:.*]] = simt.ready %{{.*}} : vector<128x256xf32>
// CHECK:           %[[SUM:.*]] = scf.for %[[K:.*]] = {{.*}} iter_args(%[[ACC:.*]] = %[[NONE]]) -> (!simt.pending<vector<128x256xf32>>) {
// CHECK:             %[[T:.*]]:2 = simt.get %[[C:.*]][%[[K]]]
// CHECK-NEXT:        %[[D:.*]] = simt.mma_async #cuda.wgmma<n = 256, bf16 into f32, shared_a = true> %[[T]]#0, %[[T]]#1, %[[ACC]]
// CHECK-NEXT:        simt.release %[[C]][%[[K]]] after %[[D]]
// CHECK-NEXT:        scf.yield %[[D]]
// CHECK:           simt.wait %[[SUM]] : !simt.pending<vector<128x256xf32>>
// CHECK:           simt.barrier role
// CHECK:           %[[S:.*]] = simt.copy_bulk %{{.*}} to %{{.*}}[%{{.*}}, %{{.*}}]
// CHECK:           simt.wait %[[S]] : !simt.pending
func.func @gemm(%m: index, %n: index, %trips: index, %A: !tensor, %B: !tensor, %C: !tensor) {
  tile.kernel (%by, %bx) in (%m, %n) threads(384) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %c256 = arith.constant 256 : index
    %row = arith.muli %by, %c128 : index
    %column = arith.muli %bx, %c256 : index
    %as = tile.alloc "A" : memref<4x128x64xbf16, #shared>
    %bs = tile.alloc "B" : memref<4x64x256xbf16, #shared>
    %cs = tile.alloc "C" : memref<128x256xbf16, #shared>
    %c = simt.channel %as, %bs : memref<4x128x64xbf16, #shared>, memref<4x64x256xbf16, #shared> -> !items
    simt.roles threads [128, 256] registers [40, 232] {
      scf.for %k = %c0 to %trips step %c1 {
        %depth = arith.muli %k, %c64 : index
        simt.put %c[%k] async {
        ^bb0(%a: !a, %b: !b):
          %p = simt.copy_bulk %A[%row, %depth] to %a : !tensor, !a -> !simt.pending
          %q = simt.copy_bulk %B[%depth, %column] to %b : !tensor, !b -> !simt.pending
          simt.yield %p, %q : !simt.pending, !simt.pending
        } : !items
      }
    }, {
      %zero = arith.constant dense<0.0> : vector<128x256xf32>
      %none = simt.ready %zero : vector<128x256xf32>
      %sum = scf.for %k = %c0 to %trips step %c1 iter_args(%acc = %none)
          -> (!simt.pending<vector<128x256xf32>>) {
        %a, %b = simt.get %c[%k] : !items -> !a, !b
        %d = simt.mma_async #cuda.wgmma<n = 256, bf16 into f32, shared_a = true> %a, %b, %acc
          : !a, !b, !simt.pending<vector<128x256xf32>>
        simt.release %c[%k] after %d : !items, !simt.pending<vector<128x256xf32>>
        scf.yield %d : !simt.pending<vector<128x256xf32>>
      }
      %d = simt.wait %sum : !simt.pending<vector<128x256xf32>>
      %rounded = arith.truncf %d : vector<128x256xf32> to vector<128x256xbf16>
      vector.store %rounded, %cs[%c0, %c0] : memref<128x256xbf16, #shared>, vector<128x256xbf16>
      simt.barrier role
      %stored = simt.copy_bulk %cs to %C[%row, %column]
        : memref<128x256xbf16, #shared>, !tensor -> !simt.pending
      simt.wait %stored : !simt.pending
    }
  }
  return
}

// Attention multiplies twice: S = Q K^T from shared memory, and P V with P in registers.
// K^T is a view, so K is contiguous where wgmma may want it. While P V of an item is under
// way, nothing but its own wait stands for it.
!k = memref<64x64xbf16, strided<[64, 1], offset: ?>, #shared>
!kt = memref<64x64xbf16, strided<[1, 64], offset: ?>, #shared>
!kv = !simt.channel<2, !k, !k>

// CHECK-LABEL: @attention
// CHECK:         %[[T:.*]]:2 = simt.get
// CHECK:         %[[KT:.*]] = memref.transpose %[[T]]#0
// CHECK:         %[[S:.*]] = simt.mma_async #cuda.wgmma<n = 64, bf16 into f32, shared_a = true> %{{.*}}, %[[KT]], %{{.*}} : memref<64x64xbf16, #tile.space<shared>>, {{.*}}, vector<64x64xf32>
// CHECK:         %[[SCORES:.*]] = simt.wait %[[S]]
// CHECK:         %[[P:.*]] = arith.truncf
// CHECK:         %[[O:.*]] = simt.mma_async #cuda.wgmma<n = 64, bf16 into f32> %[[P]], %[[T]]#1, %{{.*}} : vector<64x64xbf16>, {{.*}}, !simt.pending<vector<64x64xf32>>
// CHECK-NEXT:    simt.release %{{.*}} after %[[O]]
func.func @attention(%q: memref<64x64xbf16, #shared>, %c: !kv, %trips: index)
    -> vector<64x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<64x64xf32>
  %none = simt.ready %zero : vector<64x64xf32>
  %sum = scf.for %j = %c0 to %trips step %c1 iter_args(%acc = %none)
      -> (!simt.pending<vector<64x64xf32>>) {
    %k, %v = simt.get %c[%j] : !kv -> !k, !k
    %kt = memref.transpose %k (i, j) -> (j, i) : !k to !kt
    %s = simt.mma_async #cuda.wgmma<n = 64, bf16 into f32, shared_a = true> %q, %kt, %zero
      : memref<64x64xbf16, #shared>, !kt, vector<64x64xf32>
    %scores = simt.wait %s : !simt.pending<vector<64x64xf32>>
    %e = math.exp2 %scores : vector<64x64xf32>
    %p = arith.truncf %e : vector<64x64xf32> to vector<64x64xbf16>
    %o = simt.mma_async #cuda.wgmma<n = 64, bf16 into f32> %p, %v, %acc
      : vector<64x64xbf16>, !k, !simt.pending<vector<64x64xf32>>
    simt.release %c[%j] after %o : !kv, !simt.pending<vector<64x64xf32>>
    scf.yield %o : !simt.pending<vector<64x64xf32>>
  }
  %d = simt.wait %sum : !simt.pending<vector<64x64xf32>>
  return %d : vector<64x64xf32>
}

// What a channel between a warp and 128 threads is made of at thread level: a barrier
// for each stage that counts the bytes which come, another that counts who is done. The
// producer waits for the other parity, so that all stages are free at first. Stage and
// phase are carried along.
// CHECK-LABEL: @mbarriers
// CHECK-DAG:     %[[FULL:.*]] = simt.mbarrier arrivals 1 : !simt.mbarrier<4>
// CHECK-DAG:     %[[EMPTY:.*]] = simt.mbarrier arrivals 128 : !simt.mbarrier<4>
// CHECK:         scf.for %{{.*}} iter_args(%[[STAGE:.*]] = %{{.*}}, %[[PHASE:.*]] = %{{.*}}) -> (index, i1) {
// CHECK:           simt.mbarrier_wait %[[EMPTY]][%[[STAGE]]] parity %{{.*}} : !simt.mbarrier<4>
// CHECK:           simt.mbarrier_arrive %[[FULL]][%[[STAGE]]] expect 8192 : !simt.mbarrier<4>
// CHECK:           simt.copy_bulk %{{.*}} to %{{.*}} on %[[FULL]][%[[STAGE]]] : {{.*}}, !simt.mbarrier<4>
// CHECK:         scf.for
// CHECK:           simt.mbarrier_wait %[[FULL]][%{{.*}}] parity %{{.*}} : !simt.mbarrier<4>
// CHECK:           simt.mbarrier_arrive %[[EMPTY]][%{{.*}}] : !simt.mbarrier<4>
func.func @mbarriers(%trips: index, %x: !tensor, %buffer: memref<4x64x64xbf16, #shared>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  %false = arith.constant false
  %true = arith.constant true
  %full = simt.mbarrier arrivals 1 : !simt.mbarrier<4>
  %empty = simt.mbarrier arrivals 128 : !simt.mbarrier<4>
  %t = simt.thread_id
  %consumes = arith.cmpi ult, %t, %c128 : index
  %orders = arith.cmpi eq, %t, %c128 : index
  scf.if %orders {
    scf.for %k = %c0 to %trips step %c1 iter_args(%stage = %c0, %phase = %false) -> (index, i1) {
      %other = arith.xori %phase, %true : i1
      simt.mbarrier_wait %empty[%stage] parity %other : !simt.mbarrier<4>
      %s = memref.subview %buffer[%stage, 0, 0] [1, 64, 64] [1, 1, 1]
        : memref<4x64x64xbf16, #shared> to !k
      simt.mbarrier_arrive %full[%stage] expect 8192 : !simt.mbarrier<4>
      %depth = arith.muli %k, %c64 : index
      simt.copy_bulk %x[%c0, %depth] to %s on %full[%stage] : !tensor, !k, !simt.mbarrier<4>
      %after = arith.addi %stage, %c1 : index
      %wraps = arith.cmpi eq, %after, %c4 : index
      %next = arith.select %wraps, %c0, %after : index
      %turned = arith.xori %phase, %wraps : i1
      scf.yield %next, %turned : index, i1
    }
  }
  scf.if %consumes {
    scf.for %k = %c0 to %trips step %c1 iter_args(%stage = %c0, %phase = %false) -> (index, i1) {
      simt.mbarrier_wait %full[%stage] parity %phase : !simt.mbarrier<4>
      %v = memref.load %buffer[%stage, %c0, %c0] : memref<4x64x64xbf16, #shared>
      simt.mbarrier_arrive %empty[%stage] : !simt.mbarrier<4>
      %after = arith.addi %stage, %c1 : index
      %wraps = arith.cmpi eq, %after, %c4 : index
      %next = arith.select %wraps, %c0, %after : index
      %turned = arith.xori %phase, %wraps : i1
      scf.yield %next, %turned : index, i1
    }
  }
  return
}
