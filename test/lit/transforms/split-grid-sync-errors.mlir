// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What would have to live across a grid_sync, and loops that blocks run differently.
// RUN: %tilewright-opt %s --split-grid-sync --split-input-file --verify-diagnostics

!x = memref<64xf32, #tile.space<global>>
!s = memref<64xf32, #tile.space<shared>>

func.func @tile_lives_on(%x: !x, %n: index, %one: f32) {
  tile.kernel (%b) in (%n) {
    // expected-note @+1 {{it is made here}}
    %s = tile.alloc "s" : !s
    tile.fill %s, %one : !s
    // expected-note @+1 {{the T.grid_sync is here}}
    tile.grid_sync
    // expected-error @+1 {{s lives across T.grid_sync, where each block ends its part; keep it in a global tensor, such as one of T.alloc_global, and read it back}}
    tile.copy %s[0][64] to %x[0][64] : !s to !x
  }
  return
}

// -----

!x = memref<64xf32, #tile.space<global>>
!s = memref<1xf32, #tile.space<local>>

// A variable that a step of the loop changes for the next.
func.func @variable_of_a_loop(%x: !x, %n: index, %one: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) {
    // expected-note @+1 {{it is made here}}
    %s = tile.alloc "count" : !s
    memref.store %one, %s[%c0] : !s
    scf.for %t = %c0 to %n step %c1 {
      // expected-error @+1 {{count lives across T.grid_sync}}
      %old = memref.load %s[%c0] : !s
      %new = arith.addf %old, %one : f32
      memref.store %new, %s[%c0] : !s
      // expected-note @+1 {{the T.grid_sync is here}}
      tile.grid_sync
    }
  }
  return
}

// -----

!x = memref<64xf32, #tile.space<global>>
!s = memref<8x8xf32, #tile.space<shared>>

// Half of a tile is written anew, through a view.
func.func @partly_overwritten(%x: !x, %n: index, %one: f32) {
  tile.kernel (%b) in (%n) {
    // expected-note @+1 {{it is made here}}
    %s = tile.alloc "s" : !s
    %v = tile.view %s : !s to memref<64xf32, #tile.space<shared>>
    tile.fill %s, %one : !s
    // expected-note @+1 {{the T.grid_sync is here}}
    tile.grid_sync
    // expected-error @+1 {{s lives across T.grid_sync}}
    tile.copy %x[0][32] to %v[0][32] : !x to memref<64xf32, #tile.space<shared>>
    tile.copy %v[0][64] to %x[0][64] : memref<64xf32, #tile.space<shared>> to !x
  }
  return
}

// -----

!x = memref<64xf32, #tile.space<global>>

func.func @value_read_before(%x: !x, %n: index) {
  tile.kernel (%b) in (%n) {
    // expected-note @+1 {{it is made here}}
    %v = tile.load %x[%b] : !x
    // expected-note @+1 {{the T.grid_sync is here}}
    tile.grid_sync
    // expected-error @+1 {{a value that is read from memory lives across T.grid_sync}}
    tile.store %v, %x[%b] : !x
  }
  return
}

// -----

func.func @bounds_of_a_block(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) {
    // expected-error @+1 {{T.grid_sync stands in a loop whose bounds are not the same for all blocks}}
    scf.for %t = %c0 to %b step %c1 {
      tile.grid_sync
      tile.print "step" %t : index
    }
  }
  return
}

// -----

// With an empty grid no block would divide by zero.
func.func @bounds_that_may_divide_by_zero(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) {
    %steps = arith.divui %c1, %n : index
    // expected-error @+1 {{or compute them in front of T.Kernel}}
    scf.for %t = %c0 to %steps step %c1 {
      tile.grid_sync
      tile.print "step" %t : index
    }
  }
  return
}
