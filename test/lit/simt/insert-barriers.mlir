// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Barriers stand where threads would meet in memory, and nowhere else.
// RUN: tilewright-opt %s --insert-barriers | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// One barrier between write and read, one between read and the next write.
// CHECK-LABEL: @write_read_write
// CHECK-NOT:     simt.barrier
// CHECK:         tile.parallel
// CHECK:         simt.barrier
// CHECK-NEXT:    memref.load
// CHECK-NEXT:    memref.load
// CHECK:         simt.barrier
// CHECK-NEXT:    tile.parallel
// CHECK-NOT:     simt.barrier
// CHECK:         return
func.func @write_read_write(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %s = tile.alloc "s" at 0 : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
    }
    %a = memref.load %s[%c0] : memref<8xf32, #shared>
    %b = memref.load %s[%c0] : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %b, %s[%i] : memref<8xf32, #shared>
    }
  }
  return
}

// Two tiles in the same bytes meet; tiles beside each other do not.
// CHECK-LABEL: @places
// CHECK:         tile.parallel
// CHECK-NOT:     simt.barrier
// CHECK:         tile.parallel
// CHECK:         simt.barrier
// CHECK-NEXT:    tile.parallel
func.func @places(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %s = tile.alloc "s" at 0 : memref<8xf32, #shared>
    %t = tile.alloc "t" at 32 : memref<8xf32, #shared>
    %u = tile.alloc "u" at 16 : memref<4xi32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
    }
    tile.parallel (%i) in (8) {
      memref.store %f, %t[%i] : memref<8xf32, #shared>
    }
    %one = arith.constant 1 : i32
    tile.parallel (%i) in (4) {
      memref.store %one, %u[%i] : memref<4xi32, #shared>
    }
  }
  return
}

// The end of a loop's body is followed by its start.
// CHECK-LABEL: @loop
// CHECK:         scf.for
// CHECK-NEXT:      simt.barrier
// CHECK-NEXT:      tile.parallel
// CHECK:           simt.barrier
// CHECK-NEXT:      memref.load
// CHECK:         }
// CHECK-NOT:     simt.barrier
func.func @loop(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %s = tile.alloc "s" at 0 : memref<8xf32, #shared>
    scf.for %k = %c0 to %n step %c1 {
      tile.parallel (%i) in (8) {
        memref.store %f, %s[%i] : memref<8xf32, #shared>
      }
      %a = memref.load %s[%c0] : memref<8xf32, #shared>
    }
  }
  return
}

// What one thread does comes in its own order; a branch leaves open what it did.
// CHECK-LABEL: @once
// CHECK:         simt.once
// CHECK-NOT:     simt.barrier
// CHECK:         simt.once
// CHECK-NOT:     simt.barrier
// CHECK:         scf.if
// CHECK-NEXT:      simt.once
// CHECK-NEXT:        tile.store
// CHECK-NEXT:      }
// CHECK-NEXT:    }
// CHECK-NEXT:    simt.barrier
// CHECK-NEXT:    tile.load
func.func @once(%x: memref<8xf32, #global>, %n: index, %f: f32, %c: i1) {
  tile.kernel (%bx) in (%n) {
    simt.once {
      tile.store %f, %x[%bx] : memref<8xf32, #global>
    }
    simt.once {
      tile.store %f, %x[%bx] : memref<8xf32, #global>
    }
    scf.if %c {
      simt.once {
        tile.store %f, %x[%n] : memref<8xf32, #global>
      }
    }
    %a = tile.load %x[%bx] : memref<8xf32, #global>
  }
  return
}
