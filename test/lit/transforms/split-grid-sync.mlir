// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels end at every grid_sync; what both sides use is computed on both.
// RUN: %tilewright-opt %s --split-grid-sync --split-input-file | FileCheck %s

!x = memref<?xf32, #tile.space<global>>

// CHECK-LABEL: func.func @two_parts
// CHECK:      tile.kernel (%[[B:.*]]) in (%{{.*}}) threads(64) {
// CHECK-NEXT:   arith.constant 8
// CHECK-NEXT:   %[[AT:.*]] = arith.muli %[[B]],
// CHECK-NEXT:   tile.store %{{.*}}, %{{.*}}[%[[AT]]]
// CHECK-NEXT: }
// CHECK-NEXT: tile.kernel (%[[B:.*]]) in (%{{.*}}) threads(64) {
// CHECK-NEXT:   arith.constant 8
// CHECK-NEXT:   %[[AT:.*]] = arith.muli %[[B]],
// CHECK-NEXT:   tile.atomic sum %{{.*}}, %{{.*}}[%[[AT]]]
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @two_parts(%x: !x, %n: index, %one: f32) {
  tile.kernel (%b) in (%n) threads(64) {
    %c8 = arith.constant 8 : index
    %at = arith.muli %b, %c8 : index
    tile.store %one, %x[%at] : !x
    tile.grid_sync
    %old = tile.atomic sum %one, %x[%at] : !x
  }
  return
}

// -----

!x = memref<?xf32, #tile.space<global>>

// The loop moves out; its bounds are computed in front of it, its variable is the host's.
// CHECK-LABEL: func.func @loop
// CHECK:      tile.kernel (%[[B:.*]]) in
// CHECK-NEXT:   tile.store %{{.*}}, %{{.*}}[%[[B]]]
// CHECK-NEXT: }
// CHECK-NEXT: %[[N:.*]] = arith.addi
// CHECK-NEXT: scf.for %[[T:.*]] = %{{.*}} to %[[N]]
// CHECK-NEXT:   tile.kernel (%[[B:.*]]) in
// CHECK-NEXT:     %[[I:.*]] = arith.addi %[[B]], %[[T]]
// CHECK-NEXT:     tile.store %{{.*}}, %{{.*}}[%[[I]]]
// CHECK-NEXT:   }
// CHECK-NEXT:   tile.kernel (%[[B:.*]]) in
// CHECK-NEXT:     %[[I:.*]] = arith.addi %[[B]], %[[T]]
// CHECK-NEXT:     tile.atomic sum %{{.*}}, %{{.*}}[%[[I]]]
// CHECK-NEXT:   }
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @loop(%x: !x, %n: index, %one: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) {
    tile.store %one, %x[%b] : !x
    %steps = arith.addi %n, %c1 : index
    tile.pipelined %t = %c0 to %steps step %c1 stages(2) {
      %i = arith.addi %b, %t : index
      tile.store %one, %x[%i] : !x
      tile.grid_sync
      %old = tile.atomic sum %one, %x[%i] : !x
    }
  }
  return
}

// -----

!x = memref<64xf32, #tile.space<global>>
!s = memref<64xf32, #tile.space<shared>>

// Each part that fills the tile first has a tile of its own.
// CHECK-LABEL: func.func @tile_of_each_part
// CHECK: tile.kernel
// CHECK:   tile.alloc "s"
// CHECK: tile.kernel
// CHECK:   tile.alloc "s"
// CHECK:   tile.view
// CHECK:   scf.for
func.func @tile_of_each_part(%x: !x, %n: index, %one: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) {
    %s = tile.alloc "s" : !s
    %v = tile.view %s : !s to memref<8x8xf32, #tile.space<shared>>
    tile.fill %s, %one : !s
    tile.copy %s[0][64] to %x[0][64] : !s to !x
    tile.grid_sync
    scf.for %i = %c0 to %n step %c1 {
      tile.fill %v, %one : memref<8x8xf32, #tile.space<shared>>
      tile.copy %s[0][64] to %x[0][64] : !s to !x
    }
  }
  return
}
