// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads take turns at the iterations of parallel loops.
// RUN: tilewright-opt %s --distribute | FileCheck %s

#shared = #tile.space<shared>

// CHECK-LABEL: @nest
// CHECK:         tile.kernel
// CHECK-NEXT:      %[[T:.*]] = simt.thread_id
// CHECK:           scf.for %[[P:.*]] = %[[T]] to %c384 step %c64 {
// CHECK-NEXT:        %[[N:.*]] = arith.constant 24 : index
// CHECK-NEXT:        %[[J:.*]] = arith.remui %[[P]], %[[N]]
// CHECK-NEXT:        %[[I:.*]] = arith.divui %[[P]], %[[N]]
// CHECK-NEXT:        memref.store %{{.*}}, %{{.*}}[%[[I]], %[[J]]]
// CHECK:           simt.barrier
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %[[T]], %c0
// CHECK-NEXT:      scf.if %[[FIRST]] {
// CHECK-NEXT:        memref.store
func.func @nest(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %s = tile.alloc "s" at 0 : memref<16x24xf32, #shared>
    tile.parallel (%i, %j) in (16, 24) {
      memref.store %f, %s[%i, %j] : memref<16x24xf32, #shared>
    }
    simt.barrier
    simt.once {
      memref.store %f, %s[%c0, %c0] : memref<16x24xf32, #shared>
    }
  }
  return
}
