// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a block does once is done by one thread.
// RUN: tilewright-opt %s --isolate-effects | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#local = #tile.space<local>

// Stores to what threads share are the first thread's; each thread keeps variables of its
// own.
// CHECK-LABEL: @stores
// CHECK:         memref.store %{{.*}}, %[[V:.*]][%{{.*}}] : memref<1xf32, #tile.space<local>>
// CHECK-NEXT:    simt.once {
// CHECK-NEXT:      memref.store %{{.*}} : memref<8xf32, #tile.space<shared>>
// CHECK-NEXT:    }
// CHECK-NEXT:    simt.once {
// CHECK-NEXT:      tile.store
// CHECK-NEXT:    }
func.func @stores(%x: memref<8xf32, #global>, %n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %s = tile.alloc "s" : memref<8xf32, #shared>
    %v = tile.alloc "v" : memref<1xf32, #local>
    memref.store %f, %v[%c0] : memref<1xf32, #local>
    memref.store %f, %s[%c0] : memref<8xf32, #shared>
    tile.store %f, %x[%bx] : memref<8xf32, #global>
  }
  return
}

// All threads get the number that the first one's atomic gave.
// CHECK-LABEL: @former
// CHECK:         %[[SLOT:.*]] = tile.alloc "former value" : memref<1xi32, #tile.space<shared>>
// CHECK:         simt.once {
// CHECK-NEXT:      %[[OLD:.*]] = tile.atomic sum
// CHECK-NEXT:      memref.store %[[OLD]], %[[SLOT]][%[[ZERO:.*]]]
// CHECK-NEXT:    }
// CHECK-NEXT:    %[[SEEN:.*]] = memref.load %[[SLOT]][%[[ZERO]]]
// CHECK-NEXT:    arith.addi %[[SEEN]]
func.func @former(%x: memref<8xi32, #global>, %n: index, %one: i32) {
  tile.kernel (%bx) in (%n) {
    %old = tile.atomic sum %one, %x[%bx] : memref<8xi32, #global>
    %y = arith.addi %old, %one : i32
  }
  return
}

// A small array that iterations fill for code behind them cannot be each thread's own.
// CHECK-LABEL: @filled
// CHECK:         tile.alloc "a" : memref<8xf32, #tile.space<shared>>
// CHECK:         tile.alloc "b" : memref<8xf32, #tile.space<local>>
func.func @filled(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %a = tile.alloc "a" : memref<8xf32, #local>
    tile.parallel (%i) in (8) {
      memref.store %f, %a[%i] : memref<8xf32, #local>
      %b = tile.alloc "b" : memref<8xf32, #local>
      memref.store %f, %b[%i] : memref<8xf32, #local>
    }
    %v = memref.load %a[%c0] : memref<8xf32, #local>
  }
  return
}
