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

// Iterations that store to different elements need no barrier, whoever makes them; nor do
// two stores of one iteration.
// CHECK-LABEL: @different_elements
// CHECK-NOT:     simt.barrier
// CHECK:         return
func.func @different_elements(%x: memref<?xf32, #global>, %y: memref<?x4xf32, #global>,
                              %n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    scf.for %k = %c0 to %n step %c16 {
      tile.parallel (%i) in (8) {
        %j = arith.addi %k, %i : index
        tile.store %f, %x[%j] : memref<?xf32, #global>
      }
      tile.parallel (%i) in (8) {
        %o = arith.addi %k, %c8 : index
        %j = arith.addi %o, %i : index
        tile.store %f, %x[%j] : memref<?xf32, #global>
      }
    }
    scf.for %k = %c0 to %n step %c1 {
      %down = arith.subi %n, %k : index
      tile.store %f, %y[%down, %c0] : memref<?x4xf32, #global>
      tile.store %f, %y[%down, %c1] : memref<?x4xf32, #global>
    }
  }
  return
}

// A tile that is one element wider than the step.
// CHECK-LABEL: @neighbouring_iterations
// CHECK:         scf.for
// CHECK-NEXT:      simt.barrier global
// CHECK-NEXT:      tile.parallel
func.func @neighbouring_iterations(%x: memref<?xf32, #global>, %n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    scf.for %k = %c0 to %n step %c8 {
      tile.parallel (%i) in (9) {
        %j = arith.addi %k, %i : index
        tile.store %f, %x[%j] : memref<?xf32, #global>
      }
    }
  }
  return
}

// What one iteration stores the next one reads, though the two are apart in each.
// CHECK-LABEL: @next_iteration
// CHECK:         scf.for
// CHECK-NEXT:      arith.addi
// CHECK-NEXT:      simt.barrier global
// CHECK-NEXT:      tile.load
// CHECK-NEXT:      tile.store
func.func @next_iteration(%x: memref<?xf32, #global>, %n: index) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.for %k = %c0 to %n step %c1 {
      %next = arith.addi %k, %c1 : index
      %a = tile.load %x[%k] : memref<?xf32, #global>
      tile.store %a, %x[%next] : memref<?xf32, #global>
    }
  }
  return
}

// An index that comes from memory, one that another loop gives anew, and one that has
// nothing to do with the loop.
// CHECK-LABEL: @unknown_elements
// CHECK:         scf.for
// CHECK:           simt.barrier global
// CHECK-NEXT:      tile.store
// CHECK:         scf.for
// CHECK-NEXT:      simt.barrier global
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        tile.store
// CHECK:         scf.for
// CHECK-NEXT:      simt.barrier global
// CHECK-NEXT:      tile.parallel
func.func @unknown_elements(%p: memref<?xindex, #global>, %x: memref<?xf32, #global>,
                            %y: memref<?xf32, #global>, %z: memref<?xf32, #global>,
                            %n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.for %k = %c0 to %n step %c1 {
      %place = tile.load %p[%k] : memref<?xindex, #global>
      %j = arith.addi %place, %k : index
      tile.store %f, %x[%j] : memref<?xf32, #global>
    }
    scf.for %k = %c0 to %n step %c1 {
      scf.for %l = %c0 to %n step %c1 {
        tile.store %f, %y[%l] : memref<?xf32, #global>
      }
    }
    scf.for %k = %c0 to %n step %c1 {
      tile.parallel (%i) in (8) {
        tile.store %f, %z[%i] : memref<?xf32, #global>
      }
    }
  }
  return
}

// In the inner of two loops alone iterations are apart: the outer one begins again.
// CHECK-LABEL: @rows
// CHECK-NOT:     simt.barrier
// CHECK:         scf.for
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        tile.parallel
// CHECK:         scf.for
// CHECK-NEXT:      simt.barrier global
// CHECK-NEXT:      scf.for
// CHECK-NEXT:        tile.parallel
// CHECK-NOT:     simt.barrier
// CHECK:         return
func.func @rows(%x: memref<?x?xf32, #global>, %y: memref<?xf32, #global>, %n: index,
                %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    scf.for %r = %c0 to %n step %c1 {
      scf.for %k = %c0 to %n step %c8 {
        tile.parallel (%i) in (8) {
          %j = arith.addi %k, %i : index
          tile.store %f, %x[%r, %j] : memref<?x?xf32, #global>
        }
      }
    }
    scf.for %r = %c0 to %n step %c1 {
      scf.for %k = %c0 to %n step %c8 {
        tile.parallel (%i) in (8) {
          %j = arith.addi %k, %i : index
          tile.store %f, %y[%j] : memref<?xf32, #global>
        }
      }
    }
  }
  return
}

// What meets only accesses from in front of a loop has its barrier there.
// CHECK-LABEL: @in_front_of_a_loop
// CHECK:         tile.parallel
// CHECK:         simt.barrier{{$}}
// CHECK-NEXT:    scf.for
// CHECK-NOT:     simt.barrier
// CHECK:         return
func.func @in_front_of_a_loop(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %s = tile.alloc "s" at 0 : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
    }
    scf.for %k = %c0 to %n step %c1 {
      %a = memref.load %s[%c0] : memref<8xf32, #shared>
    }
  }
  return
}

// A barrier of a loop that always runs orders what is in front of it; of one that may have
// no iteration it does not.
// CHECK-LABEL: @loop_that_runs
// CHECK:         scf.for
// CHECK:           tile.parallel
// CHECK:           simt.barrier
// CHECK-NEXT:      memref.load
// CHECK-NEXT:    }
// CHECK-NEXT:    memref.load
// CHECK:         scf.for
// CHECK:           tile.parallel
// CHECK:           simt.barrier
// CHECK-NEXT:      memref.load
// CHECK-NEXT:    }
// CHECK-NEXT:    simt.barrier
// CHECK-NEXT:    memref.load
func.func @loop_that_runs(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %s = tile.alloc "s" at 0 : memref<8xf32, #shared>
    %t = tile.alloc "t" at 32 : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
    }
    scf.for %k = %c0 to %c4 step %c1 {
      tile.parallel (%i) in (8) {
        memref.store %f, %t[%i] : memref<8xf32, #shared>
      }
      %a = memref.load %t[%c1] : memref<8xf32, #shared>
    }
    %b = memref.load %s[%c0] : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %b, %s[%i] : memref<8xf32, #shared>
    }
    scf.for %k = %c0 to %n step %c1 {
      tile.parallel (%i) in (8) {
        memref.store %f, %t[%i] : memref<8xf32, #shared>
      }
      %a = memref.load %t[%c1] : memref<8xf32, #shared>
    }
    %c = memref.load %s[%c1] : memref<8xf32, #shared>
  }
  return
}

// A number that a loop only reads is one for all its iterations; one that it writes is not.
// Two barriers in one place are one.
// CHECK-LABEL: @number_of_a_block
// CHECK:         scf.for
// CHECK-NOT:     simt.barrier
// CHECK:         scf.for
// CHECK-NEXT:      simt.barrier global
// CHECK-NEXT:      tile.parallel
func.func @number_of_a_block(%x: memref<?xf32, #global>, %y: memref<?xf32, #global>,
                             %n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c8 = arith.constant 8 : index
    %place = tile.alloc "place" : memref<1xindex, #tile.space<local>>
    memref.store %bx, %place[%c0] : memref<1xindex, #tile.space<local>>
    scf.for %k = %c0 to %n step %c8 {
      tile.parallel (%i) in (8) {
        %p = memref.load %place[%c0] : memref<1xindex, #tile.space<local>>
        %o = arith.addi %p, %k : index
        %j = arith.addi %o, %i : index
        tile.store %f, %x[%j] : memref<?xf32, #global>
      }
    }
    scf.for %k = %c0 to %n step %c8 {
      tile.parallel (%i) in (8) {
        %p = memref.load %place[%c0] : memref<1xindex, #tile.space<local>>
        %o = arith.addi %p, %k : index
        %j = arith.addi %o, %i : index
        tile.store %f, %y[%j] : memref<?xf32, #global>
      }
      %p = memref.load %place[%c0] : memref<1xindex, #tile.space<local>>
      %less = arith.subi %p, %c8 : index
      memref.store %less, %place[%c0] : memref<1xindex, #tile.space<local>>
    }
  }
  return
}

// What the first thread alone uses it loads alone. The only iteration of a nest is its own
// too, unless another thread has its element.
// CHECK-LABEL: @first_thread
// CHECK:         tile.parallel
// CHECK-NOT:     simt.barrier
// CHECK:         simt.once {
// CHECK-NEXT:      memref.load
// CHECK-NEXT:      tile.store
// CHECK-NEXT:    }
// CHECK-NEXT:    simt.barrier
// CHECK-NEXT:    memref.load
// CHECK:         tile.parallel
// CHECK:         simt.barrier
// CHECK-NEXT:    simt.once
func.func @first_thread(%x: memref<8xf32, #global>, %y: memref<8xf32, #global>, %n: index,
                        %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %s = tile.alloc "s" at 0 : memref<1xf32, #shared>
    %t = tile.alloc "t" at 4 : memref<1xf32, #shared>
    tile.parallel (%i) in (1) {
      memref.store %f, %s[%i] : memref<1xf32, #shared>
    }
    %a = memref.load %s[%c0] : memref<1xf32, #shared>
    simt.once {
      tile.store %a, %x[%bx] : memref<8xf32, #global>
    }
    %b = memref.load %s[%c0] : memref<1xf32, #shared>
    tile.parallel (%i) in (1) attributes {simt.dealt} {
      memref.store %b, %t[%i] : memref<1xf32, #shared>
    }
    %c = memref.load %t[%c0] : memref<1xf32, #shared>
    simt.once {
      tile.store %c, %y[%bx] : memref<8xf32, #global>
    }
  }
  return
}

// A barrier that is there for a tile orders global memory too, where nothing behind it is
// met; what comes between the two is still open. So it is in front of a loop.
// CHECK-LABEL: @one_barrier_for_both
// CHECK:         tile.parallel
// CHECK:         simt.barrier global
// CHECK-NEXT:    memref.load
// CHECK-NEXT:    tile.parallel
// CHECK:         }
// CHECK-NEXT:    tile.load
// CHECK-NEXT:    simt.barrier global
// CHECK-NEXT:    tile.load
// CHECK:         tile.parallel
// CHECK:         simt.barrier global
// CHECK-NEXT:    memref.load
// CHECK-NEXT:    scf.for
// CHECK-NOT:     simt.barrier
// CHECK:         return
func.func @one_barrier_for_both(%x: memref<8xf32, #global>, %y: memref<8xf32, #global>,
                                %n: index, %f: f32) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %s = tile.alloc "s" at 0 : memref<8xf32, #shared>
    %t = tile.alloc "t" at 32 : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
      tile.store %f, %x[%i] : memref<8xf32, #global>
    }
    %a = memref.load %s[%c0] : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      tile.store %f, %y[%i] : memref<8xf32, #global>
    }
    %b = tile.load %x[%c0] : memref<8xf32, #global>
    %c = tile.load %y[%c0] : memref<8xf32, #global>
    tile.parallel (%i) in (8) {
      memref.store %f, %t[%i] : memref<8xf32, #shared>
      tile.store %f, %x[%i] : memref<8xf32, #global>
    }
    %d = memref.load %t[%c0] : memref<8xf32, #shared>
    scf.for %k = %c0 to %n step %c1 {
      %e = tile.load %x[%k] : memref<8xf32, #global>
    }
  }
  return
}

// A barrier that some threads' way passes by orders nothing for the others, and one whose
// tile is written again behind it does not do for that.
// CHECK-LABEL: @no_barrier_for_both
// CHECK:         scf.if
// CHECK:           simt.barrier{{$}}
// CHECK-NEXT:      memref.load
// CHECK-NEXT:    }
// CHECK-NEXT:    simt.barrier global
// CHECK-NEXT:    tile.load
// CHECK:         simt.barrier{{$}}
// CHECK-NEXT:    memref.load
// CHECK-NEXT:    tile.store
// CHECK-NEXT:    simt.barrier global
// CHECK-NEXT:    tile.parallel
// CHECK-NOT:     simt.barrier
// CHECK:         return
func.func @no_barrier_for_both(%x: memref<8xf32, #global>, %y: memref<8xf32, #global>,
                               %n: index, %f: f32, %c: i1) {
  tile.kernel (%bx) in (%n) {
    %c0 = arith.constant 0 : index
    %s = tile.alloc "s" at 0 : memref<8xf32, #shared>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
      tile.store %f, %x[%i] : memref<8xf32, #global>
    }
    scf.if %c {
      %a = memref.load %s[%c0] : memref<8xf32, #shared>
    }
    %b = tile.load %x[%c0] : memref<8xf32, #global>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
    }
    %d = memref.load %s[%c0] : memref<8xf32, #shared>
    tile.store %f, %y[%c0] : memref<8xf32, #global>
    tile.parallel (%i) in (8) {
      memref.store %f, %s[%i] : memref<8xf32, #shared>
      tile.store %f, %y[%i] : memref<8xf32, #global>
    }
  }
  return
}
