// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies of pipelined loops run ahead, past registers or through them.
// RUN: tilewright-opt %s --pipeline-loops="async-copies budget=163840" --verify-channels | FileCheck %s --check-prefix=ASYNC
// RUN: tilewright-opt %s --pipeline-loops="budget=163840" --verify-channels | FileCheck %s --check-prefix=STAGED
// RUN: tilewright-opt %s --pipeline-loops="async-copies budget=5000" 2>&1 | FileCheck %s --check-prefix=SMALL
// RUN: tilewright-opt %s --pipeline-loops="async-copies budget=163840" --plan-memory --insert-barriers --lower-channels | FileCheck %s --check-prefix=WAITS

#global = #tile.space<global>
#shared = #tile.space<shared>

// Three stages: two items are put in front of the loop, each where there is one.
// ASYNC-LABEL: @copies
// ASYNC:         %[[BUFFER:.*]] = tile.alloc "s" : memref<3x16x64xf16, #tile.space<shared>>
// ASYNC:         %[[C:.*]] = simt.channel %[[BUFFER]]
// ASYNC:         %[[HAS0:.*]] = arith.cmpi slt, %c0{{.*}}, %[[TRIPS:.*]] : index
// ASYNC:         simt.put %[[C]][%c0{{.*}}] if %[[HAS0]] async {
// ASYNC:         simt.put %[[C]][%c1{{.*}}] if %{{.*}} async {
// ASYNC:         scf.for %[[J:.*]] = %{{.*}} to %[[TRIPS]] step
// ASYNC:           %[[TILE:.*]] = simt.get %[[C]][%[[J]]]
// ASYNC:           %[[AHEAD:.*]] = arith.addi %[[J]], %c2
// ASYNC:           %[[HAS:.*]] = arith.cmpi slt, %[[AHEAD]], %[[TRIPS]]
// ASYNC:           simt.put %[[C]][%[[AHEAD]]] if %[[HAS]] async {
// ASYNC:           memref.load %[[TILE]]
// ASYNC:           simt.release %[[C]][%[[J]]]
//
// Through registers: the next item, or the last one again, is loaded before the iteration
// computes and put when it is done.
// STAGED-LABEL: @copies
// STAGED:         tile.alloc "s" : memref<2x16x64xf16, #tile.space<shared>>
// STAGED:         simt.put %[[C:.*]][%c0{{.*}}] if %{{.*}} {
// STAGED:         scf.for %[[J:.*]] = %
// STAGED:           %[[TILE:.*]] = simt.get %[[C]][%[[J]]]
// STAGED:           %[[AHEAD:.*]] = arith.addi %[[J]], %c1
// STAGED:           arith.minui %[[AHEAD]], %
// STAGED:           %[[HELD:.*]] = tile.alloc "s" {simt.dealt} : memref<16x64xf16, #tile.space<local>>
// STAGED:           tile.load
// STAGED:           memref.store %{{.*}}, %[[HELD]]
// STAGED:           memref.load %[[TILE]]
// STAGED:           simt.release %[[C]][%[[J]]]
// STAGED:           simt.put %[[C]][%[[AHEAD]]] {
// STAGED:             memref.load %[[HELD]]
// STAGED:             memref.store
//
// Of two stages one is the registers.
// STAGED-LABEL: @through_registers
// STAGED:         tile.alloc "s" : memref<1x16x64xf16, #tile.space<shared>>
// STAGED:         simt.channel {{.*}} -> <1, 
// STAGED:         simt.put %{{.*}}[%c0{{.*}}] if %{{.*}} {
// STAGED:         scf.for
// STAGED:           simt.get
// STAGED:           tile.alloc "s" {simt.dealt}
// STAGED:           simt.release
// STAGED:           simt.put
//
// Two items have room beside the other tile. (The second remark is @two_groups'.)
// SMALL:       remark: has memory for 2 of 3 stages of s
// SMALL:       remark: has memory for 1 of 2 stages of half
// SMALL-LABEL: @copies
// SMALL:         tile.alloc "s" : memref<2x16x64xf16, #tile.space<shared>>
//
// An item has arrived when all groups but the one behind it have; one barrier an iteration
// does for the channel, the other is for %y. A group ends where there is no item, too.
// WAITS-LABEL: @copies
// WAITS-COUNT-2: simt.commit_copies
// WAITS:         scf.for
// WAITS-NEXT:      simt.wait_copies pending 1
// WAITS-NEXT:      simt.barrier
// WAITS-NOT:       simt.barrier{{$}}
// WAITS:           scf.if
// WAITS:             tile.parallel {{.*}}simt.async
// WAITS:           simt.commit_copies
// WAITS-NOT:       simt.barrier{{$}}
// WAITS:           memref.load
// WAITS:           arith.cmpi uge, %{{.*}}, %c3
// WAITS:           scf.yield
// WAITS:         return
func.func @copies(%n: index, %x: memref<?x64xf16, #global>, %y: memref<16x64xf16, #global>) {
  tile.kernel (%bx) in (%n) threads(128) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %s = tile.alloc "s" : memref<16x64xf16, #shared>
    tile.pipelined %i = %c0 to %n step %c16 stages(3) {
      tile.parallel (%r, %c) in (16, 64) attributes {simt.width = 8 : i64} {
        %row = arith.addi %i, %r : index
        %v = tile.load %x[%row, %c] {simt.contiguous} : memref<?x64xf16, #global>
        memref.store %v, %s[%r, %c] {simt.contiguous} : memref<16x64xf16, #shared>
      }
      tile.parallel (%r, %c) in (16, 64) {
        %v = memref.load %s[%r, %c] : memref<16x64xf16, #shared>
        tile.store %v, %y[%r, %c] : memref<16x64xf16, #global>
      }
    }
  }
  return
}

// What the loop itself writes cannot be read ahead, nor can a tile that outlives its
// iteration, or is not filled as a whole.
// WAITS-LABEL: @bound_to_its_iteration
// ASYNC-LABEL: @bound_to_its_iteration
// ASYNC-NOT:     simt.channel
// ASYNC:         scf.for
// ASYNC:         return
func.func @bound_to_its_iteration(%n: index, %x: memref<?x64xf16, #global>) {
  tile.kernel (%bx) in (%n) threads(128) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %s = tile.alloc "written" : memref<16x64xf16, #shared>
    %t = tile.alloc "read before" : memref<16x64xf16, #shared>
    %u = tile.alloc "part" : memref<32x64xf16, #shared>
    tile.pipelined %i = %c0 to %n step %c1 stages(3) {
      tile.parallel (%r, %c) in (16, 64) {
        %v = memref.load %t[%r, %c] : memref<16x64xf16, #shared>
        tile.store %v, %x[%r, %c] : memref<?x64xf16, #global>
      }
      tile.parallel (%r, %c) in (16, 64) {
        %row = arith.addi %i, %r : index
        %v = tile.load %x[%row, %c] : memref<?x64xf16, #global>
        memref.store %v, %s[%r, %c] : memref<16x64xf16, #shared>
      }
      tile.parallel (%r, %c) in (16, 64) {
        %v = memref.load %s[%r, %c] : memref<16x64xf16, #shared>
        memref.store %v, %t[%r, %c] : memref<16x64xf16, #shared>
        memref.store %v, %u[%r, %c] : memref<32x64xf16, #shared>
      }
    }
  }
  return
}

// Neither can one that is used in front of what fills it: what is read there is the item of
// the iteration before, in another stage, and what is written there would be in the item
// that is there already.
// ASYNC-LABEL: @used_in_front
// ASYNC-NOT:     simt.channel
// ASYNC:         scf.for
// ASYNC:         return
func.func @used_in_front(%n: index, %x: memref<?x64xf16, #global>, %y: memref<16x64xf16, #global>) {
  tile.kernel (%bx) in (%n) threads(128) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant 0.0 : f16
    %s = tile.alloc "read" : memref<16x64xf16, #shared>
    %t = tile.alloc "written" : memref<16x64xf16, #shared>
    tile.pipelined %i = %c0 to %n step %c16 stages(3) {
      tile.parallel (%r, %c) in (16, 64) {
        %v = memref.load %s[%r, %c] : memref<16x64xf16, #shared>
        tile.store %v, %y[%r, %c] : memref<16x64xf16, #global>
        memref.store %zero, %t[%r, %c] : memref<16x64xf16, #shared>
      }
      tile.parallel (%r, %c) in (16, 64) attributes {simt.width = 8 : i64} {
        %row = arith.addi %i, %r : index
        %v = tile.load %x[%row, %c] {simt.contiguous} : memref<?x64xf16, #global>
        memref.store %v, %s[%r, %c] {simt.contiguous} : memref<16x64xf16, #shared>
      }
      tile.parallel (%r, %c) in (16, 64) attributes {simt.width = 8 : i64} {
        %row = arith.addi %i, %r : index
        %v = tile.load %x[%row, %c] {simt.contiguous} : memref<?x64xf16, #global>
        memref.store %v, %t[%r, %c] {simt.contiguous} : memref<16x64xf16, #shared>
      }
    }
  }
  return
}

// Of two groups, one that is copied and one that goes through registers, the second has
// what the first one's further stages leave.
// SMALL-LABEL: @two_groups
// SMALL:         tile.alloc "whole" : memref<3x16x32xf16, #tile.space<shared>>
func.func @two_groups(%n: index, %x: memref<?x32xf16, #global>, %z: memref<?x32xf32, #global>,
                      %y: memref<16x32xf16, #global>) {
  tile.kernel (%bx) in (%n) threads(128) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %s = tile.alloc "whole" : memref<16x32xf16, #shared>
    %t = tile.alloc "half" : memref<16x32xf16, #shared>
    tile.pipelined %i = %c0 to %n step %c16 stages(3) {
      tile.parallel (%r, %c) in (16, 32) attributes {simt.width = 4 : i64} {
        %row = arith.addi %i, %r : index
        %v = tile.load %x[%row, %c] {simt.contiguous} : memref<?x32xf16, #global>
        memref.store %v, %s[%r, %c] {simt.contiguous} : memref<16x32xf16, #shared>
      }
      tile.parallel (%r, %c) in (16, 32) {
        %row = arith.addi %i, %r : index
        %v = tile.load %z[%row, %c] : memref<?x32xf32, #global>
        %w = tile.cast %v : f32 to f16
        memref.store %w, %t[%r, %c] : memref<16x32xf16, #shared>
      }
      tile.parallel (%r, %c) in (16, 32) {
        %v = memref.load %s[%r, %c] : memref<16x32xf16, #shared>
        %w = memref.load %t[%r, %c] : memref<16x32xf16, #shared>
        %u = arith.addf %v, %w : f16
        tile.store %u, %y[%r, %c] : memref<16x32xf16, #global>
      }
    }
  }
  return
}

func.func @through_registers(%n: index, %x: memref<?x64xf16, #global>,
                             %y: memref<16x64xf16, #global>) {
  tile.kernel (%bx) in (%n) threads(128) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %s = tile.alloc "s" : memref<16x64xf16, #shared>
    tile.pipelined %i = %c0 to %n step %c16 stages(2) {
      tile.parallel (%r, %c) in (16, 64) attributes {simt.width = 8 : i64} {
        %row = arith.addi %i, %r : index
        %v = tile.load %x[%row, %c] {simt.contiguous} : memref<?x64xf16, #global>
        memref.store %v, %s[%r, %c] {simt.contiguous} : memref<16x64xf16, #shared>
      }
      tile.parallel (%r, %c) in (16, 64) {
        %v = memref.load %s[%r, %c] : memref<16x64xf16, #shared>
        tile.store %v, %y[%r, %c] : memref<16x64xf16, #global>
      }
    }
  }
  return
}

// The iteration may change its item, after it has come; other iterations have other stages.
// Between that and what others read of it stands a barrier.
// ASYNC-LABEL: @changed_in_place
// ASYNC:         tile.alloc "s" : memref<3x16x64xf16, #tile.space<shared>>
// ASYNC:         scf.for
// ASYNC:           %[[TILE:.*]] = simt.get
// ASYNC:           memref.store %{{.*}}, %[[TILE]]
// ASYNC:           memref.load %[[TILE]]
// ASYNC:           simt.release
//
// WAITS-LABEL: @changed_in_place
// WAITS:         scf.for
// WAITS:           simt.wait_copies
// WAITS-NEXT:      simt.barrier
// WAITS:           memref.store %{{.*}}, %[[TILE:.*]][%{{.*}}, %{{.*}}] : memref<16x64xf16,
// WAITS:           simt.barrier
// WAITS:           memref.load %[[TILE]][
func.func @changed_in_place(%x: memref<1024x64xf16, #global>, %y: memref<1024x64xf16, #global>, %n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c15 = arith.constant 15 : index
    %c16 = arith.constant 16 : index
    tile.pipelined %step = %c0 to %n step %c1 stages(3) {
      %s = tile.alloc "s" : memref<16x64xf16, #shared>
      %row = arith.muli %step, %c16 : index
      tile.parallel (%i, %j) in (16, 64) attributes {simt.width = 8 : i64} {
        %at = arith.addi %row, %i : index
        %v = tile.load %x[%at, %j] {simt.contiguous} : memref<1024x64xf16, #global>
        memref.store %v, %s[%i, %j] {simt.contiguous} : memref<16x64xf16, #shared>
      }
      tile.parallel (%i, %j) in (8, 64) {
        %zero = arith.constant 0.0 : f16
        memref.store %zero, %s[%i, %j] : memref<16x64xf16, #shared>
      }
      tile.parallel (%i, %j) in (16, 64) {
        %from = arith.subi %c15, %i : index
        %v = memref.load %s[%from, %j] : memref<16x64xf16, #shared>
        %at = arith.addi %row, %i : index
        tile.store %v, %y[%at, %j] : memref<1024x64xf16, #global>
      }
    }
  }
  return
}

// Rows that a tile names are copied ahead: their numbers are read again. The tile itself is
// put by iterations that read it.
// ASYNC-LABEL: @named_rows
// ASYNC:         simt.put %{{.*}} async {
// ASYNC-NOT:     simt.put
// ASYNC:           tile.parallel (%[[I:.*]], %[[J:.*]]) in (16, 64)
// ASYNC:             %[[AT:.*]] = arith.addi %{{.*}}, %[[I]]
// ASYNC:             %[[N:.*]] = tile.load %{{.*}}[%[[AT]]] : memref<?xi32
// ASYNC:             %[[ROW:.*]] = arith.index_cast %[[N]]
// ASYNC:             tile.load %{{.*}}[%[[ROW]], %[[J]]] {simt.contiguous}
// ASYNC:         scf.for
// ASYNC:           simt.put %{{.*}} async {
//
// STAGED-LABEL: @named_rows
// STAGED-NOT:     "chosen"
// STAGED:         return
func.func @named_rows(%x: memref<?x64xf16, #global>, %numbers: memref<?xi32, #global>, %y: memref<1024x64xf16, #global>, %n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    tile.pipelined %step = %c0 to %n step %c1 stages(2) {
      %s = tile.alloc "s" : memref<16x64xf16, #shared>
      %chosen = tile.alloc "chosen" : memref<16xi32, #shared>
      %start = arith.muli %step, %c16 : index
      tile.parallel (%i) in (16) {
        %at = arith.addi %start, %i : index
        %number = tile.load %numbers[%at] : memref<?xi32, #global>
        memref.store %number, %chosen[%i] : memref<16xi32, #shared>
      }
      tile.parallel (%i, %j) in (16, 64) attributes {simt.width = 8 : i64} {
        %number = memref.load %chosen[%i] : memref<16xi32, #shared>
        %row = arith.index_cast %number : i32 to index
        %v = tile.load %x[%row, %j] {simt.contiguous} : memref<?x64xf16, #global>
        memref.store %v, %s[%i, %j] {simt.contiguous} : memref<16x64xf16, #shared>
      }
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %s[%i, %j] : memref<16x64xf16, #shared>
        %at = arith.addi %start, %i : index
        tile.store %v, %y[%at, %j] : memref<1024x64xf16, #global>
      }
    }
  }
  return
}

// What is stored may be made in the loop, in front of the nest: it goes with it.
// STAGED-LABEL: @made_value
// STAGED:         simt.put
// STAGED:           %[[ZERO:.*]] = tile.cast
// STAGED:           memref.store %[[ZERO]]
func.func @made_value(%zero: f16, %y: memref<1024x64xf32, #global>, %n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    tile.pipelined %step = %c0 to %n step %c1 stages(2) {
      %s = tile.alloc "s" : memref<16x64xf32, #shared>
      %wide = tile.cast %zero : f16 to f32
      tile.parallel (%i, %j) in (16, 64) {
        memref.store %wide, %s[%i, %j] : memref<16x64xf32, #shared>
      }
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %s[%i, %j] : memref<16x64xf32, #shared>
        tile.store %v, %y[%i, %j] : memref<1024x64xf32, #global>
      }
    }
  }
  return
}
