// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Channels become buffers, a wait and a barrier for each item.
// RUN: tilewright-opt %s --verify-channels --lower-channels | FileCheck %s

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

// What is put at once needs no wait but the barrier; the item's stage is its number
// modulo two.
// CHECK-LABEL: @at_once
// CHECK:         %[[A:.*]] = tile.alloc "a" : memref<2x8xf32, #tile.space<shared>>
// CHECK:         %[[HAS:.*]] = arith.cmpi slt, %c0, %{{.*}} : index
// CHECK:         scf.if %[[HAS]] {
// CHECK:           memref.subview %[[A]]
// CHECK:           tile.parallel
// CHECK:         scf.for %{{.*}} = {{.*}} iter_args(%[[STAGE:.*]] = %{{.*}}) -> (i32) {
// CHECK-NEXT:      simt.barrier
// CHECK:           %[[OWN:.*]] = arith.index_castui %[[STAGE]] : i32 to index
// CHECK:           %[[T:.*]] = memref.subview %[[A]][%[[OWN]], 0] [1, 8] [1, 1]
// CHECK:           memref.load %[[T]]
// CHECK:           %[[NEXT:.*]] = arith.subi %{{.*}}, %[[STAGE]]
// CHECK:           %[[OTHER:.*]] = arith.index_castui %[[NEXT]] : i32 to index
// CHECK:           %[[U:.*]] = memref.subview %[[A]][%[[OTHER]], 0] [1, 8] [1, 1]
// CHECK:           memref.store %{{.*}}, %[[U]]
// CHECK-NOT:     simt.wait_copies
// CHECK-NOT:     simt.channel
func.func @at_once(%trips: index, %f: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  %has = arith.cmpi slt, %c0, %trips : index
  simt.put %c[%c0] if %has {
  ^bb0(%s: !tile):
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : !tile
    }
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !channel -> !tile
    tile.parallel (%i) in (8) {
      %v = memref.load %t[%i] : !tile
    }
    simt.release %c[%j] : !channel
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
      tile.parallel (%i) in (8) {
        memref.store %f, %s[%i] : !tile
      }
    } : !channel
  }
  return
}

// With one stage the item is put where that of its own iteration was, once all threads are
// done with it.
!narrow = !simt.channel<1, !tile>
// CHECK-LABEL: @one_stage
// CHECK:         scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{[^ ]*}} {
// CHECK:           simt.barrier
// CHECK:           memref.load
// CHECK:           simt.barrier
// CHECK:           memref.store
// CHECK-NOT:       simt.barrier
// CHECK:         return
func.func @one_stage(%trips: index, %f: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<1x8xf32, #shared>
  %c = simt.channel %a : memref<1x8xf32, #shared> -> !narrow
  %has = arith.cmpi slt, %c0, %trips : index
  simt.put %c[%c0] if %has {
  ^bb0(%s: !tile):
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : !tile
    }
  } : !narrow
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !narrow -> !tile
    tile.parallel (%i) in (8) {
      %v = memref.load %t[%i] : !tile
    }
    simt.release %c[%j] : !narrow
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
      tile.parallel (%i) in (8) {
        memref.store %f, %s[%i] : !tile
      }
    } : !narrow
  }
  return
}

// A barrier that is there for other memory does as well, where it comes behind all reads:
// also those that a branch makes.
// CHECK-LABEL: @one_stage_behind_a_barrier
// CHECK:         scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{[^ ]*}} {
// CHECK:           simt.barrier
// CHECK:           scf.if
// CHECK:             memref.load
// CHECK:           simt.barrier
// CHECK:           tile.parallel
// CHECK-NOT:       simt.barrier
// CHECK:           memref.subview
// CHECK:           memref.store
// CHECK:         return
func.func @one_stage_behind_a_barrier(%trips: index, %f: f32, %is_odd: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<1x8xf32, #shared>
  %b = tile.alloc "b" : memref<8xf32, #shared>
  %c = simt.channel %a : memref<1x8xf32, #shared> -> !narrow
  %has = arith.cmpi slt, %c0, %trips : index
  simt.put %c[%c0] if %has {
  ^bb0(%s: !tile):
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : !tile
    }
  } : !narrow
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !narrow -> !tile
    scf.if %is_odd {
      tile.parallel (%i) in (8) {
        %v = memref.load %t[%i] : !tile
      }
    }
    simt.barrier
    tile.parallel (%i) in (8) {
      memref.store %f, %b[%i] : memref<8xf32, #shared>
    }
    simt.release %c[%j] : !narrow
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
      tile.parallel (%i) in (8) {
        memref.store %f, %s[%i] : !tile
      }
    } : !narrow
  }
  return
}

// One that hangs on a condition does not, and neither does one in front of a read.
// CHECK-LABEL: @one_stage_needs_its_own
// CHECK:         scf.for
// CHECK:           simt.barrier
// CHECK:           scf.if
// CHECK:             simt.barrier
// CHECK:           }
// CHECK:           simt.barrier
// CHECK:           memref.store
// CHECK:         scf.for
// CHECK:           simt.barrier
// CHECK:           simt.barrier
// CHECK:           memref.load
// CHECK:           simt.barrier
// CHECK:           memref.store
// CHECK:         return
func.func @one_stage_needs_its_own(%trips: index, %f: f32, %is_odd: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<1x8xf32, #shared>
  %b = tile.alloc "b" : memref<1x8xf32, #shared>
  %c = simt.channel %a : memref<1x8xf32, #shared> -> !narrow
  %has = arith.cmpi slt, %c0, %trips : index
  simt.put %c[%c0] if %has {
  ^bb0(%s: !tile):
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : !tile
    }
  } : !narrow
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !narrow -> !tile
    tile.parallel (%i) in (8) {
      %v = memref.load %t[%i] : !tile
    }
    scf.if %is_odd {
      simt.barrier
    }
    simt.release %c[%j] : !narrow
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
      tile.parallel (%i) in (8) {
        memref.store %f, %s[%i] : !tile
      }
    } : !narrow
  }
  %d = simt.channel %b : memref<1x8xf32, #shared> -> !narrow
  simt.put %d[%c0] if %has {
  ^bb0(%s: !tile):
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : !tile
    }
  } : !narrow
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %d[%j] : !narrow -> !tile
    simt.barrier
    tile.parallel (%i) in (8) {
      %v = memref.load %t[%i] : !tile
    }
    simt.release %d[%j] : !narrow
    %ahead = arith.addi %j, %c1 : index
    simt.put %d[%ahead] {
    ^bb0(%s: !tile):
      tile.parallel (%i) in (8) {
        memref.store %f, %s[%i] : !tile
      }
    } : !narrow
  }
  return
}

// Two items that are taken out together have one barrier, unless the second one is waited
// for.
// CHECK-LABEL: @together
// CHECK:         scf.for
// CHECK:           simt.barrier
// CHECK-NOT:       simt.barrier
// CHECK:           memref.load
// CHECK:           simt.wait_copies
// CHECK-NEXT:      simt.barrier
// CHECK-NOT:       simt.barrier
// CHECK:         return
func.func @together(%trips: index, %f: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %b = tile.alloc "b" : memref<2x8xf32, #shared>
  %d = tile.alloc "d" : memref<2x8xf32, #shared>
  %has = arith.cmpi slt, %c0, %trips : index
  %first = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  %second = simt.channel %b : memref<2x8xf32, #shared> -> !channel
  %third = simt.channel %d : memref<2x8xf32, #shared> -> !channel
  simt.put %first[%c0] if %has {
  ^bb0(%s: !tile):
  } : !channel
  simt.put %second[%c0] if %has {
  ^bb0(%s: !tile):
  } : !channel
  simt.put %third[%c0] if %has async {
  ^bb0(%s: !tile):
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    %ahead = arith.addi %j, %c1 : index
    %more = arith.cmpi slt, %ahead, %trips : index
    %t = simt.get %first[%j] : !channel -> !tile
    %u = simt.get %second[%j] : !channel -> !tile
    tile.parallel (%i) in (8) {
      %v = memref.load %u[%i] : !tile
    }
    %w = simt.get %third[%j] : !channel -> !tile
    simt.put %third[%ahead] if %more async {
    ^bb0(%s: !tile):
    } : !channel
    simt.release %first[%j] : !channel
    simt.release %second[%j] : !channel
    simt.release %third[%j] : !channel
    simt.put %first[%ahead] if %more {
    ^bb0(%s: !tile):
    } : !channel
    simt.put %second[%ahead] if %more {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}
