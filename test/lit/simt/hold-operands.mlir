// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An operand that a pipelined loop only reads is read once, in front of it, as the
// instructions take it: of K in runs of eight, like the other operand's.
// RUN: tilewright-opt %s --deal-fragments="lanes=64 held-bytes=256" | FileCheck %s
// RUN: tilewright-opt %s --deal-fragments="lanes=64 held-bytes=256" --distribute=lanes=64 | FileCheck %s --check-prefix=THREAD
// RUN: tilewright-opt %s --deal-fragments="lanes=64 held-bytes=32" | FileCheck %s --check-prefix=LITTLE

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// CHECK-LABEL: @scores
// CHECK:         %[[SHARED:.*]] = tile.alloc "q" : memref<32x64xf16, #tile.space<shared>>
// CHECK:         %[[HELD:.*]] = tile.alloc "q" {simt.dealt = #tile.layout<
// CHECK-SAME:      : memref<32x64xf16, #tile.space<local>>
// CHECK:         tile.parallel {{.*}}simt.dealt
// CHECK:           memref.load %[[SHARED]]
// CHECK:           memref.store %{{.*}}, %[[HELD]]
// CHECK:         tile.pipelined
// CHECK:           tile.gemm %[[HELD]], %
//
// Four bytes of two elements, 16 times.
// THREAD-LABEL: @scores
// THREAD:         tile.alloc "q" : memref<32xf16, #tile.space<local>>
// THREAD:         tile.pipelined
// THREAD:           vector.load {{.*}} vector<8xf16>
// THREAD:           rocdl.mfma
//
// Where a thread has not as many bytes for it, it stays.
// LITTLE-LABEL: @scores
// LITTLE-NOT:     32x64xf16, #tile.space<local>>
// LITTLE:         tile.pipelined
func.func @scores(%n: index, %x: memref<32x64xf16, #global>, %f: f16) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %q = tile.alloc "q" : memref<32x64xf16, #shared>
    %k = tile.alloc "k" : memref<32x64xf16, #shared>
    %s = tile.alloc "s" : memref<32x32xf32, #fragment>
    tile.parallel (%r, %c) in (32, 64) {
      %v = tile.load %x[%r, %c] : memref<32x64xf16, #global>
      memref.store %v, %q[%r, %c] : memref<32x64xf16, #shared>
    }
    tile.pipelined %i = %c0 to %n step %c1 stages(2) {
      tile.parallel (%r, %c) in (32, 64) {
        memref.store %f, %k[%r, %c] : memref<32x64xf16, #shared>
      }
      tile.gemm %q, %k into %s transpose_b clear atom(#hip.mfma<32x32x8, f16 into f32>) swapped
        : memref<32x64xf16, #shared>, memref<32x64xf16, #shared> into memref<32x32xf32, #fragment>
    }
  }
  return
}
