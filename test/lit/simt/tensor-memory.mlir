// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Accumulators in tensor memory, as IR that verifies. Nothing lowers it yet.
// RUN: tilewright-opt %s | tilewright-opt | FileCheck %s
// RUN: tilewright-opt %s --canonicalize --cse --loop-invariant-code-motion | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
!tensor = memref<?x?xbf16, #global>
!a = memref<128x64xbf16, strided<[64, 1], offset: ?>, #shared>
!b = memref<64x256xbf16, strided<[256, 1], offset: ?>, #shared>
!items = !simt.channel<4, !a, !b>
!acc = !simt.tmem<128x256xf32>
!sums = !simt.channel<2, !acc>

// Three roles: one warp copies, one multiplies, four write out. Accumulators are items of
// a channel as well, so the next tile is multiplied while the last one is written out. An
// item is there when the last product of its chain is, and is free when it was read.
// CHECK-LABEL: @persistent
// CHECK:         %[[T:.*]] = simt.tmem_alloc : !simt.tmem<2x128x256xf32>
// CHECK:         %[[SUMS:.*]] = simt.channel %[[T]] : !simt.tmem<2x128x256xf32> -> <2, !simt.tmem<128x256xf32>>
// CHECK:         simt.roles threads [32, 32, 64, 128] {
// CHECK:         }, {
// CHECK:           simt.put %[[SUMS]][%{{.*}}] async {
// CHECK-NEXT:      ^bb0(%[[D:.*]]: !simt.tmem<128x256xf32>):
// CHECK:             %[[START:.*]] = simt.ready %[[D]] : !simt.tmem<128x256xf32>
// CHECK:             %[[SUM:.*]] = scf.for %[[K:.*]] = {{.*}} iter_args(%[[ACC:.*]] = %[[START]]) -> (!simt.pending<!simt.tmem<128x256xf32>>) {
// CHECK:               %[[NEXT:.*]] = simt.mma_async #cuda.tcgen05<n = 256, bf16 into f32> %{{.*}}, %{{.*}}, %[[ACC]] accumulate %{{.*}} :
// CHECK-NEXT:          simt.release %{{.*}} after %[[NEXT]]
// CHECK-NEXT:          scf.yield %[[NEXT]]
// CHECK:             simt.yield %[[SUM]] : !simt.pending<!simt.tmem<128x256xf32>>
// CHECK:         }, {
// CHECK-NEXT:    }, {
// CHECK:           %[[DONE:.*]] = simt.get %[[SUMS]]
// CHECK:           %[[P:.*]] = simt.tmem_load %[[DONE]][%{{.*}}] : !simt.tmem<128x256xf32> -> !simt.pending<vector<128x256xf32>>
// CHECK:           simt.wait %[[P]]
// CHECK:           simt.release %[[SUMS]]
func.func @persistent(%blocks: index, %tiles: index, %trips: index, %A: !tensor, %B: !tensor,
                      %C: !tensor) {
  tile.kernel (%bx) in (%blocks) threads(256) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %as = tile.alloc "A" : memref<4x128x64xbf16, #shared>
    %bs = tile.alloc "B" : memref<4x64x256xbf16, #shared>
    %cs = tile.alloc "C" : memref<128x256xbf16, #shared>
    %c = simt.channel %as, %bs : memref<4x128x64xbf16, #shared>, memref<4x64x256xbf16, #shared> -> !items
    %t = simt.tmem_alloc : !simt.tmem<2x128x256xf32>
    %sums = simt.channel %t : !simt.tmem<2x128x256xf32> -> !sums
    simt.roles threads [32, 32, 64, 128] {
      scf.for %i = %c0 to %tiles step %c1 {
        %first = arith.muli %i, %trips : index
        %row = arith.muli %i, %c128 : index
        scf.for %k = %c0 to %trips step %c1 {
          %item = arith.addi %first, %k : index
          %depth = arith.muli %k, %c64 : index
          simt.put %c[%item] async {
          ^bb0(%a: !a, %b: !b):
            %p = simt.copy_bulk %A[%row, %depth] to %a : !tensor, !a -> !simt.pending
            %q = simt.copy_bulk %B[%depth, %c0] to %b : !tensor, !b -> !simt.pending
            simt.yield %p, %q : !simt.pending, !simt.pending
          } : !items
        }
      }
    }, {
      scf.for %i = %c0 to %tiles step %c1 {
        %first = arith.muli %i, %trips : index
        simt.put %sums[%i] async {
        ^bb0(%d: !acc):
          %start = simt.ready %d : !acc
          %sum = scf.for %k = %c0 to %trips step %c1 iter_args(%acc = %start) -> (!simt.pending<!acc>) {
            %item = arith.addi %first, %k : index
            %a, %b = simt.get %c[%item] : !items -> !a, !b
            %again = arith.cmpi ne, %k, %c0 : index
            %next = simt.mma_async #cuda.tcgen05<n = 256, bf16 into f32> %a, %b, %acc accumulate %again
              : !a, !b, !simt.pending<!acc>
            simt.release %c[%item] after %next : !items, !simt.pending<!acc>
            scf.yield %next : !simt.pending<!acc>
          }
          simt.yield %sum : !simt.pending<!acc>
        } : !sums
      }
    }, {
    }, {
      scf.for %i = %c0 to %tiles step %c1 {
        %row = arith.muli %i, %c128 : index
        %d = simt.get %sums[%i] : !sums -> !acc
        %p = simt.tmem_load %d[%c0] : !acc -> !simt.pending<vector<128x256xf32>>
        %v = simt.wait %p : !simt.pending<vector<128x256xf32>>
        simt.release %sums[%i] : !sums
        %rounded = arith.truncf %v : vector<128x256xf32> to vector<128x256xbf16>
        vector.store %rounded, %cs[%c0, %c0] : memref<128x256xbf16, #shared>, vector<128x256xbf16>
        simt.barrier role
        %stored = simt.copy_bulk %cs to %C[%row, %c0] : memref<128x256xbf16, #shared>, !tensor -> !simt.pending
        simt.wait %stored : !simt.pending
      }
    }
  }
  return
}

// What attention does with it: the scores are read, P is written over in place and read by
// the next product from there, and the rows of O are scaled on the way.
// CHECK-LABEL: @attention
// CHECK:         %[[PLACE:.*]] = simt.tmem_store %{{.*}}, %{{.*}}[%{{.*}}] : vector<128x64xbf16>, !simt.tmem<128x64xbf16> -> !simt.pending<!simt.tmem<128x64xbf16>>
// CHECK:         %[[P:.*]] = simt.wait %[[PLACE]]
// CHECK:         %[[SCALED:.*]] = simt.tmem_store %{{.*}}, %{{.*}}[%{{.*}}] : vector<128x128xf32>
// CHECK:         %[[D:.*]] = simt.mma_async #cuda.tcgen05<n = 128, bf16 into f32, tensor_a = true> %[[P]], %{{.*}}, %[[SCALED]] :
// CHECK:         simt.wait %[[D]]
func.func @attention(%p: !simt.tmem<128x64xbf16>, %o: !simt.tmem<128x128xf32>,
                     %v: memref<64x128xbf16, #shared>, %e: vector<128x64xbf16>,
                     %scale: vector<128x128xf32>) -> !simt.tmem<128x128xf32> {
  %c0 = arith.constant 0 : index
  %writing = simt.tmem_store %e, %p[%c0]
    : vector<128x64xbf16>, !simt.tmem<128x64xbf16> -> !simt.pending<!simt.tmem<128x64xbf16>>
  %reading = simt.tmem_load %o[%c0] : !simt.tmem<128x128xf32> -> !simt.pending<vector<128x128xf32>>
  %rows = simt.wait %reading : !simt.pending<vector<128x128xf32>>
  %scaled = arith.mulf %rows, %scale : vector<128x128xf32>
  %there = simt.wait %writing : !simt.pending<!simt.tmem<128x64xbf16>>
  %correcting = simt.tmem_store %scaled, %o[%c0]
    : vector<128x128xf32>, !simt.tmem<128x128xf32> -> !simt.pending<!simt.tmem<128x128xf32>>
  %d = simt.mma_async #cuda.tcgen05<n = 128, bf16 into f32, tensor_a = true> %there, %v, %correcting
    : !simt.tmem<128x64xbf16>, memref<64x128xbf16, #shared>, !simt.pending<!simt.tmem<128x128xf32>>
  %result = simt.wait %d : !simt.pending<!simt.tmem<128x128xf32>>
  return %result : !simt.tmem<128x128xf32>
}
