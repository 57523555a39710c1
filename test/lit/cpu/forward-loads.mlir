// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops read elements where a tile has them from.
//
// RUN: %tilewright-opt %s --cpu-fuse-loops --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#fragment = #tile.space<fragment>
!x = memref<?x64xbf16, #global>
!t = memref<4x64xf32, #fragment>
!r = memref<4xf32, #fragment>

// The sum and the loop behind it both read X; there is no tile of it.
// CHECK-LABEL: @twice
// CHECK-SAME:    %[[X:.*]]: memref<?x64xbf16, #tile.space<global>>, %[[Y:.*]]: memref<?x64xf32
// CHECK:         tile.kernel (%[[B:.*]]) in
// CHECK-NEXT:      %[[R:.*]] = tile.alloc "r"
// CHECK-NEXT:      tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 64) {
// CHECK:             %[[V:.*]] = tile.load %[[X]]
// CHECK-NEXT:        %[[W:.*]] = tile.cast %[[V]] : bf16 to f32
// CHECK-NEXT:        cpu.combine sum %[[W]] into %[[R]]
// CHECK-NEXT:      }
// CHECK-NEXT:      tile.parallel (%[[K:.*]], %[[L:.*]]) in (4, 64) {
// CHECK:             %[[ROW:.*]] = arith.addi %[[B]], %[[K]]
// CHECK:             %[[U:.*]] = tile.load %[[X]][%[[ROW]], %[[L]]]
// CHECK:             %[[Z:.*]] = tile.cast %[[U]] : bf16 to f32
// CHECK:             arith.subf %[[Z]]
func.func @twice(%x: !x, %y: memref<?x64xf32, #global>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "y"}, {name = "n"}]}} {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !t
    %r = tile.alloc "r" : !r
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64] : !x to !t
    tile.reduce sum %t into %r dim 1 : !t into !r
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : !t
      %s = memref.load %r[%i] : !r
      %w = arith.subf %v, %s : f32
      %row = arith.addi %b, %i : index
      tile.store %w, %y[%row, %j] : memref<?x64xf32, #global>
    }
  }
  return
}

// A loop puts something else in the place of each element: until then, and in that loop,
// the elements come from the tensor.
// CHECK-LABEL: @in_place
// CHECK-SAME:    %[[X:.*]]: memref<?x64xbf16, #tile.space<global>>
// CHECK:           %[[T:.*]] = tile.alloc "t"
// CHECK:           tile.parallel
// CHECK-NOT:         memref.store
// CHECK:             cpu.combine max
// CHECK:           tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 64) {
// CHECK:             tile.load %[[X]]
// CHECK:             memref.store %{{.*}}, %[[T]][%[[I]], %[[J]]]
// CHECK:           tile.parallel
// CHECK:             memref.load %[[T]]
func.func @in_place(%x: !x, %y: memref<?x64xf32, #global>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "y"}, {name = "n"}]}} {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !t
    %r = tile.alloc "r" : !r
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64] : !x to !t
    tile.reduce max %t into %r dim 1 : !t into !r
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : !t
      %s = memref.load %r[%i] : !r
      %w = arith.subf %v, %s : f32
      memref.store %w, %t[%i, %j] : !t
    }
    tile.reduce sum %t into %r dim 1 : !t into !r
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : !t
      %s = memref.load %r[%i] : !r
      %w = arith.mulf %v, %s : f32
      %row = arith.addi %b, %i : index
      tile.store %w, %y[%row, %j] : memref<?x64xf32, #global>
    }
  }
  return
}

// A loop that reads its neighbours' elements as well, and one that leaves some as they
// were, are no such loops: the tile is filled.
// CHECK-LABEL: @neighbours
// CHECK:           tile.alloc "t"
// CHECK:           memref.store
// CHECK:           cpu.combine max
func.func @neighbours(%x: !x, %y: memref<?x64xf32, #global>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "y"}, {name = "n"}]}} {
  %c63 = arith.constant 63 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !t
    %r = tile.alloc "r" : !r
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64] : !x to !t
    tile.reduce max %t into %r dim 1 : !t into !r
    tile.parallel (%i, %j) in (4, 64) {
      %k = arith.subi %c63, %j : index
      %v = memref.load %t[%i, %k] : !t
      memref.store %v, %t[%i, %j] : !t
    }
    tile.copy %t[0, 0][4, 64] to %y[%b, 0][4, 64] : !t to memref<?x64xf32, #global>
  }
  return
}
// CHECK-LABEL: @some
// CHECK:           tile.alloc "t"
// CHECK:           memref.store
// CHECK:           cpu.combine max
func.func @some(%x: !x, %y: memref<?x64xf32, #global>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "y"}, {name = "n"}]}} {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !t
    %r = tile.alloc "r" : !r
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64] : !x to !t
    tile.reduce max %t into %r dim 1 : !t into !r
    tile.parallel (%i, %j) in (4, 32) {
      %v = memref.load %t[%i, %j] : !t
      %w = arith.addf %v, %v : f32
      memref.store %w, %t[%i, %j] : !t
    }
    tile.copy %t[0, 0][4, 64] to %y[%b, 0][4, 64] : !t to memref<?x64xf32, #global>
  }
  return
}

// A view sees the tile.
// CHECK-LABEL: @view
// CHECK:         memref.store
// CHECK:         tile.view
func.func @view(%x: !x, %y: memref<?x64xf32, #global>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "y"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !t
    %r = tile.alloc "r" : !r
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64] : !x to !t
    tile.reduce sum %t into %r dim 1 : !t into !r
    %v = tile.view %t : !t to memref<256xf32, #fragment>
    tile.parallel (%i) in (256) {
      %e = memref.load %v[%i] : memref<256xf32, #fragment>
      %s = memref.load %r[%c0] : !r
      %w = arith.subf %e, %s : f32
      tile.store %w, %y[%b, %i] : memref<?x64xf32, #global>
    }
  }
  return
}

// What is computed, converted at a price, or written by the kernel stays in a tile; so does
// what a loop in another block reads.
// CHECK-LABEL: @not
// CHECK-COUNT-4: memref.store
func.func @not(%x: !x, %h: memref<?x64xf8E4M3FN, #global>, %y: memref<?x64xf32, #global>,
               %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "h"}, {name = "y"},
                                            {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !t
    %u = tile.alloc "u" : !t
    %v = tile.alloc "v" : !t
    %w = tile.alloc "w" : !t
    %r = tile.alloc "r" : !r
    tile.copy %h[%b, 0][4, 64] to %u[0, 0][4, 64] : memref<?x64xf8E4M3FN, #global> to !t
    tile.reduce max %u into %r dim 1 : !t into !r
    tile.copy %y[%b, 0][4, 64] to %v[0, 0][4, 64] : memref<?x64xf32, #global> to !t
    tile.reduce max %v into %r dim 1 accumulate : !t into !r
    tile.copy %x[%b, 0][4, 64] to %w[0, 0][4, 64] : !x to !t
    tile.reduce max %w into %r dim 1 accumulate : !t into !r
    tile.parallel (%i, %j) in (4, 64) {
      %row = arith.addi %b, %i : index
      %e = tile.load %x[%row, %j] : !x
      %f = tile.cast %e : bf16 to f32
      %g = arith.mulf %f, %f : f32
      memref.store %g, %t[%i, %j] : !t
    }
    tile.reduce max %t into %r dim 1 accumulate : !t into !r
    scf.for %k = %c0 to %n step %c1 {
      tile.parallel (%i, %j) in (4, 64) {
        %a = memref.load %w[%i, %j] : !t
        %s = memref.load %r[%i] : !r
        %c = arith.mulf %a, %s : f32
        tile.store %c, %y[%k, %j] : memref<?x64xf32, #global>
      }
    }
    tile.parallel (%i, %j) in (4, 64) {
      %a = memref.load %t[%i, %j] : !t
      %c = memref.load %u[%i, %j] : !t
      %d = memref.load %v[%i, %j] : !t
      %s = memref.load %r[%i] : !r
      %e = arith.addf %a, %c : f32
      %f = arith.addf %d, %e : f32
      %g = arith.mulf %f, %s : f32
      tile.store %g, %y[%b, %j] : memref<?x64xf32, #global>
    }
  }
  return
}
