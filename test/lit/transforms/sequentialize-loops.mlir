// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pipelined loop becomes a plain loop over the same range with the same body.
// RUN: %tilewright-opt %s --sequentialize-loops | FileCheck %s

#shared = #tile.space<shared>

// CHECK-LABEL: @range
// CHECK-SAME:    %[[FROM:.*]]: index, %[[TO:.*]]: index, %[[BY:.*]]: index,
// CHECK-SAME:    %[[X:.*]]: memref<64xf32, {{.*}}, %[[V:.*]]: f32
// CHECK-NOT:     tile.pipelined
// CHECK:         scf.for %[[K:.*]] = %[[FROM]] to %[[TO]] step %[[BY]] {
// CHECK-NEXT:      memref.store %[[V]], %[[X]][%[[K]]]
// CHECK-NEXT:      tile.print "step" %[[K]]
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @range(%from: index, %to: index, %by: index, %x: memref<64xf32, #shared>, %v: f32) {
  tile.pipelined %k = %from to %to step %by stages(3) {
    memref.store %v, %x[%k] : memref<64xf32, #shared>
    tile.print "step" %k : index
  }
  return
}

// Loops inside each other, and inside a plain one. Each body reads its own variables.
// CHECK-LABEL: @nest
// CHECK-SAME:    %[[N:.*]]: index, %[[M:.*]]: index, %[[V:.*]]: f32
// CHECK:         tile.kernel
// CHECK:           scf.for %[[I:.*]] = %{{.*}} to %[[N]]
// CHECK-NEXT:        scf.for %[[J:.*]] = %{{.*}} to %[[M]]
// CHECK-NEXT:          scf.for %[[K:.*]] = %[[J]] to %[[N]]
// CHECK-NEXT:            memref.store %[[V]], %{{.*}}[%[[I]], %[[J]], %[[K]]]
// CHECK-NOT:     tile.pipelined
func.func @nest(%n: index, %m: index, %v: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%n) {
    %x = tile.alloc : memref<8x8x8xf32, #shared>
    scf.for %i = %c0 to %n step %c1 {
      tile.pipelined %j = %c0 to %m step %c1 stages(2) {
        tile.pipelined %k = %j to %n step %c1 stages(1) {
          memref.store %v, %x[%i, %j, %k] : memref<8x8x8xf32, #shared>
        }
      }
    }
  }
  return
}

// A loop without a body is a loop, and other loops are left alone.
// CHECK-LABEL: @others
// CHECK:         scf.for {{.*}} iter_args
// CHECK:         tile.parallel (%{{.*}}) in (16)
// CHECK:         scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{.*}} {
// CHECK-NEXT:    }
func.func @others(%n: index, %x: memref<16xf32, #shared>) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %sum = scf.for %i = %c0 to %n step %c1 iter_args(%s = %zero) -> f32 {
    %v = memref.load %x[%i] : memref<16xf32, #shared>
    %t = arith.addf %s, %v : f32
    scf.yield %t : f32
  }
  tile.parallel (%i) in (16) {
    memref.store %sum, %x[%i] : memref<16xf32, #shared>
  }
  tile.pipelined %k = %c0 to %n step %c1 stages(4) {
  }
  return %sum : f32
}
