// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise loops and copies on the same elements are one loop; what a part of it stores
// and a later one loads is a value, and tiles that nothing reads are gone.
//
// RUN: %tilewright-opt %s --cpu-fuse-loops --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// A copy in, two loops and a copy out. The row's factor is a tile of other extents.
// CHECK-LABEL: @scale
// CHECK-SAME:    %[[X:.*]]: memref<?x64xbf16, #tile.space<global>>, %[[Y:.*]]: memref<?x64xbf16, {{.*}}, %[[S:.*]]: memref<4xf32
// CHECK:         tile.kernel (%[[B:.*]]) in
// CHECK-NEXT:      tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 64) {
// CHECK-NEXT:        %[[ROW:.*]] = arith.addi %[[B]], %[[I]]
// CHECK-NEXT:        %[[IN:.*]] = tile.load %[[X]][%[[ROW]], %[[J]]]
// CHECK-NEXT:        %[[WIDE:.*]] = tile.cast %[[IN]] : bf16 to f32
// CHECK-NEXT:        %[[FACTOR:.*]] = memref.load %[[S]][%[[I]]]
// CHECK-NEXT:        %[[SCALED:.*]] = arith.mulf %[[WIDE]], %[[FACTOR]]
// CHECK-NEXT:        %[[SUM:.*]] = arith.addf %[[SCALED]], %[[SCALED]]
// CHECK-NEXT:        %[[OUT:.*]] = tile.cast %[[SUM]] : f32 to bf16
// CHECK-NEXT:        tile.store %[[OUT]], %[[Y]][%[[ROW]], %[[J]]]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @scale(%x: memref<?x64xbf16, #global>, %y: memref<?x64xbf16, #global>,
                 %s: memref<4xf32, #shared>, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<4x64xf32, #fragment>
    tile.copy %x[%b, 0][4, 64] to %t[0, 0][4, 64]
      : memref<?x64xbf16, #global> to memref<4x64xf32, #fragment>
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : memref<4x64xf32, #fragment>
      %f = memref.load %s[%i] : memref<4xf32, #shared>
      %w = arith.mulf %v, %f : f32
      memref.store %w, %t[%i, %j] : memref<4x64xf32, #fragment>
    }
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : memref<4x64xf32, #fragment>
      %w = arith.addf %v, %v : f32
      memref.store %w, %t[%i, %j] : memref<4x64xf32, #fragment>
    }
    tile.copy %t[0, 0][4, 64] to %y[%b, 0][4, 64]
      : memref<4x64xf32, #fragment> to memref<?x64xbf16, #global>
  }
  return
}

// Dimensions of extent 1 count for nothing: a row of weights joins a loop over [1, 64]. So
// does the reduction; what comes behind it, and reads its result, stays a loop of its own.
// CHECK-LABEL: @row
// CHECK:         %[[T:.*]] = tile.alloc "t"
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (1, 64) {
// CHECK-DAG:       tile.load %{{.*}}[%[[J]]] : memref<64xf32, #tile.space<global>>
// CHECK:           memref.store %[[P:.*]], %[[T]][%[[I]], %[[J]]]
// CHECK-NEXT:      cpu.combine sum %[[P]] into %[[R:.*]][%[[I]]]
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.parallel (%[[I:.*]], %[[J:.*]]) in (1, 64) {
// CHECK-NEXT:      %[[V:.*]] = memref.load %[[T]]
// CHECK-NEXT:      %[[SUM:.*]] = memref.load %[[R]]
// CHECK-NEXT:      %[[NEW:.*]] = arith.mulf %[[V]], %[[SUM]]
// CHECK-NEXT:      %[[ROW:.*]] = arith.addi
// CHECK-NEXT:      tile.store %[[NEW]], %{{.*}}[%[[ROW]], %[[J]]] : memref<?x64xf32, #tile.space<global>>
// CHECK-NEXT:    }
func.func @row(%x: memref<?x64xf32, #global>, %weight: memref<64xf32, #global>,
               %y: memref<?x64xf32, #global>, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<1x64xf32, #fragment>
    %w = tile.alloc "w" : memref<64xf32, #fragment>
    %r = tile.alloc "r" : memref<1xf32, #fragment>
    tile.copy %x[%b, 0][1, 64] to %t[0, 0][1, 64]
      : memref<?x64xf32, #global> to memref<1x64xf32, #fragment>
    tile.copy %weight[0][64] to %w[0][64] : memref<64xf32, #global> to memref<64xf32, #fragment>
    tile.parallel (%i, %j) in (1, 64) {
      %v = memref.load %t[%i, %j] : memref<1x64xf32, #fragment>
      %f = memref.load %w[%j] : memref<64xf32, #fragment>
      %p = arith.mulf %v, %f : f32
      memref.store %p, %t[%i, %j] : memref<1x64xf32, #fragment>
    }
    tile.reduce sum %t into %r dim 1
      : memref<1x64xf32, #fragment> into memref<1xf32, #fragment>
    tile.parallel (%i, %j) in (1, 64) {
      %v = memref.load %t[%i, %j] : memref<1x64xf32, #fragment>
      %f = memref.load %r[%i] : memref<1xf32, #fragment>
      %p = arith.mulf %v, %f : f32
      memref.store %p, %t[%i, %j] : memref<1x64xf32, #fragment>
    }
    tile.copy %t[0, 0][1, 64] to %y[%b, 0][1, 64]
      : memref<1x64xf32, #fragment> to memref<?x64xf32, #global>
  }
  return
}

// In a serial loop too, where the tile is written anew in each step.
// CHECK-LABEL: @steps
// CHECK:         scf.for
// CHECK-NEXT:      tile.parallel
// CHECK:             tile.load {{.*}} : memref<?xf32, #tile.space<global>>
// CHECK:             tile.store {{.*}} : memref<?xf32, #tile.space<global>>
// CHECK-NOT:       tile.copy
// CHECK:         return
func.func @steps(%x: memref<?xf32, #global>, %y: memref<?xf32, #global>, %n: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<64xf32, #fragment>
    scf.for %k = %c0 to %n step %c64 {
      tile.copy %x[%k][64] to %t[0][64] : memref<?xf32, #global> to memref<64xf32, #fragment>
      tile.parallel (%i) in (64) {
        %v = memref.load %t[%i] : memref<64xf32, #fragment>
        %w = arith.addf %v, %v : f32
        memref.store %w, %t[%i] : memref<64xf32, #fragment>
      }
      tile.copy %t[0][64] to %y[%k][64] : memref<64xf32, #fragment> to memref<?xf32, #global>
    }
  }
  return
}

// A tile with a dimension more than the loop has.
// CHECK-LABEL: @unit
// CHECK:         tile.kernel
// CHECK-NEXT:      tile.parallel (%[[I:.*]]) in (64) {
// CHECK-NEXT:        %[[V:.*]] = tile.load %{{.*}}[%{{.*}}, %[[I]]]
// CHECK-NEXT:        %[[W:.*]] = arith.addf %[[V]], %[[V]]
// CHECK-NEXT:        %[[U:.*]] = arith.mulf %[[W]], %[[W]]
// CHECK-NEXT:        tile.store %[[U]], %{{.*}}[%{{.*}}, %[[I]]]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @unit(%x: memref<?x64xf32, #global>, %y: memref<?x64xf32, #global>, %n: index) {
  %c0 = arith.constant 0 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<1x64xf32, #fragment>
    tile.copy %x[%b, 0][1, 64] to %t[0, 0][1, 64]
      : memref<?x64xf32, #global> to memref<1x64xf32, #fragment>
    tile.parallel (%i) in (64) {
      %v = memref.load %t[%c0, %i] : memref<1x64xf32, #fragment>
      %w = arith.addf %v, %v : f32
      memref.store %w, %t[%c0, %i] : memref<1x64xf32, #fragment>
    }
    tile.parallel (%i) in (64) {
      %v = memref.load %t[%c0, %i] : memref<1x64xf32, #fragment>
      %w = arith.mulf %v, %v : f32
      memref.store %w, %t[%c0, %i] : memref<1x64xf32, #fragment>
    }
    tile.copy %t[0, 0][1, 64] to %y[%b, 0][1, 64]
      : memref<1x64xf32, #fragment> to memref<?x64xf32, #global>
  }
  return
}
