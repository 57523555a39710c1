// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reduction of rows joins the loop or copy that makes its elements.
//
// RUN: %tilewright-opt %s --cpu-fuse-loops --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#fragment = #tile.space<fragment>

// The squares are nowhere but in registers.
// CHECK-LABEL: @squares
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32, #tile.space<global>>, %[[Y:.*]]: memref<?xf32
// CHECK:         tile.kernel (%[[B:.*]]) in
// CHECK-NEXT:      %[[R:.*]] = tile.alloc "r"
// CHECK-NEXT:      tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 64) {
// CHECK:             %[[V:.*]] = tile.load %[[X]]
// CHECK-NEXT:        %[[S:.*]] = arith.mulf %[[V]], %[[V]]
// CHECK-NEXT:        cpu.combine sum %[[S]] into %[[R]][%[[I]]] : f32 into memref<4xf32
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.copy %[[R]]
func.func @squares(%x: memref<?x64xf32, #global>, %y: memref<?xf32, #global>, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<4x64xf32, #fragment>
    %r = tile.alloc "r" : memref<4xf32, #fragment>
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64]
      : memref<?x64xf32, #global> to memref<4x64xf32, #fragment>
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : memref<4x64xf32, #fragment>
      %p = arith.mulf %v, %v : f32
      memref.store %p, %t[%i, %j] : memref<4x64xf32, #fragment>
    }
    tile.reduce sum %t into %r dim 1 : memref<4x64xf32, #fragment> into memref<4xf32, #fragment>
    tile.copy %r[0][4] to %y[%b][4] : memref<4xf32, #fragment> to memref<?xf32, #global>
  }
  return
}

// A copy of bf16 as a loop: its elements are stored, since they are read again, and both
// reductions take them on the way; an extent of 1 may be kept.
// CHECK-LABEL: @copy
// CHECK:           tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 64) {
// CHECK:             %[[V:.*]] = tile.load
// CHECK-NEXT:        %[[W:.*]] = tile.cast %[[V]] : bf16 to f32
// CHECK-NEXT:        memref.store %[[W]], %[[T:.*]][%[[I]], %[[J]]]
// CHECK-NEXT:        cpu.combine max %[[W]] into %[[M:.*]][%[[I]]] accumulate : f32
// CHECK-NEXT:        cpu.combine absmax %[[W]] into %[[A:.*]][%[[I]], %c0] : f32
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.parallel
func.func @copy(%x: memref<?x64xbf16, #global>, %n: index, %m: memref<4xf32, #fragment>,
                %a: memref<4x1xf32, #fragment>) {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<4x64xf32, #fragment>
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64]
      : memref<?x64xbf16, #global> to memref<4x64xf32, #fragment>
    tile.reduce max %t into %m dim 1 accumulate
      : memref<4x64xf32, #fragment> into memref<4xf32, #fragment>
    tile.reduce absmax %t into %a dim 1
      : memref<4x64xf32, #fragment> into memref<4x1xf32, #fragment>
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : memref<4x64xf32, #fragment>
      %s = memref.load %m[%i] : memref<4xf32, #fragment>
      %w = arith.subf %v, %s : f32
      memref.store %w, %t[%i, %j] : memref<4x64xf32, #fragment>
    }
    tile.reduce sum %t into %m dim 1
      : memref<4x64xf32, #fragment> into memref<4xf32, #fragment>
  }
  return
}
