// RUN: %tilewright-opt %s --check-initialization | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#local = #tile.space<local>

// What may have been written before it is read stays as it is.

// A later step of the loop reads what an earlier one wrote; the first step may not read.
// CHECK-LABEL: @guarded_by_the_step
func.func @guarded_by_the_step(%x: memref<64x16xf32, #global>, %y: memref<64x16xf32, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.kernel (%bx) in (%c1) {
    %s = tile.alloc "s" : memref<16x16xf32, #shared>
    scf.for %k = %c0 to %c4 step %c1 {
      %later = arith.cmpi sgt, %k, %c0 : index
      scf.if %later {
        tile.copy %s[0, 0] [16, 16] to %y[%k, 0] [16, 16] : memref<16x16xf32, #shared> to memref<64x16xf32, #global>
      }
      tile.copy %x[%k, 0] [16, 16] to %s[0, 0] [16, 16] : memref<64x16xf32, #global> to memref<16x16xf32, #shared>
    }
  }
  return
}

// The loop around the read may make no step where the loop around both makes its first.
// CHECK-LABEL: @in_a_loop_of_unknown_length
func.func @in_a_loop_of_unknown_length(%x: memref<64x16xf32, #global>, %y: memref<64x16xf32, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.kernel (%bx) in (%c1) {
    %s = tile.alloc "s" : memref<16x16xf32, #shared>
    scf.for %k = %c0 to %c4 step %c1 {
      scf.for %j = %c0 to %k step %c1 {
        tile.copy %s[0, 0] [16, 16] to %y[%k, 0] [16, 16] : memref<16x16xf32, #shared> to memref<64x16xf32, #global>
      }
      tile.copy %x[%k, 0] [16, 16] to %s[0, 0] [16, 16] : memref<64x16xf32, #global> to memref<16x16xf32, #shared>
    }
  }
  return
}

// Both sides of a selection are read where that does no harm.
// CHECK-LABEL: @a_side_not_chosen
func.func @a_side_not_chosen(%y: memref<16xf32, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  tile.kernel (%bx) in (%c1) {
    %r = tile.alloc "r" : memref<16xf32, #fragment>
    scf.for %k = %c0 to %c4 step %c1 {
      tile.parallel (%i) in (16) {
        %first = arith.cmpi eq, %k, %c0 : index
        %old = memref.load %r[%i] : memref<16xf32, #fragment>
        %new = arith.addf %old, %one : f32
        %chosen = arith.select %first, %zero, %new : f32
        memref.store %chosen, %r[%i] : memref<16xf32, #fragment>
      }
    }
    tile.copy %r[0] [16] to %y[0] [16] : memref<16xf32, #fragment> to memref<16xf32, #global>
  }
  return
}

// Through a view, in part, or in a branch: a write is a write.
// CHECK-LABEL: @writes_that_count
func.func @writes_that_count(%y: memref<16xf32, #global>, %flag: i1) {
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  tile.kernel (%bx) in (%c1) {
    %r = tile.alloc "r" : memref<16xf32, #shared>
    scf.if %flag {
      %view = tile.view %r : memref<16xf32, #shared> to memref<4x4xf32, #shared>
      memref.store %zero, %view[%bx, %bx] : memref<4x4xf32, #shared>
    }
    tile.copy %r[0] [16] to %y[0] [16] : memref<16xf32, #shared> to memref<16xf32, #global>
  }
  return
}

// Blocks have no order: one may read what another wrote.
// CHECK-LABEL: @blocks
func.func @blocks(%y: memref<16xf32, #global>, %n: index) {
  %c0 = arith.constant 0 : index
  %w = tile.workspace "w"(%n) : memref<?xf32, #global>
  tile.kernel (%bx) in (%n) {
    %v = tile.load %w[%bx] : memref<?xf32, #global>
    tile.store %v, %w[%c0] : memref<?xf32, #global>
  }
  return
}

// A loop of no steps reads nothing.
// CHECK-LABEL: @no_steps
func.func @no_steps(%y: memref<16xf32, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%c1) {
    %r = tile.alloc "r" : memref<16xf32, #shared>
    scf.for %k = %c1 to %c0 step %c1 {
      tile.copy %r[0] [16] to %y[0] [16] : memref<16xf32, #shared> to memref<16xf32, #global>
    }
  }
  return
}
