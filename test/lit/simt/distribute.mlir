// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads take turns at the iterations of parallel loops.
// RUN: tilewright-opt %s --distribute | FileCheck %s
// RUN: tilewright-opt %s --distribute=packed-floats | FileCheck %s --check-prefix=PAIRS

#global = #tile.space<global>
#shared = #tile.space<shared>
#local = #tile.space<local>

// Six turns of 64 threads are written out. 24 columns do not divide 64, so each turn finds
// its place anew.
// CHECK-LABEL: @nest
// CHECK:         tile.kernel
// CHECK-NEXT:      %[[T:.*]] = simt.thread_id
// CHECK-NOT:       scf.for
// CHECK:           %[[J:.*]] = arith.remui %[[T]], %c24
// CHECK-NEXT:      %[[I:.*]] = arith.divui %[[T]], %c24
// CHECK:           memref.store %{{.*}}, %{{.*}}[%[[I]], %[[J]]]
// CHECK:           %[[P:.*]] = arith.addi %[[T]], %c320
// CHECK:           %[[J:.*]] = arith.remui %[[P]], %c24
// CHECK-NEXT:      %[[I:.*]] = arith.divui %[[P]], %c24
// CHECK:           memref.store %{{.*}}, %{{.*}}[%[[I]], %[[J]]]
// CHECK:           simt.barrier
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %[[T]], %c0
// CHECK-NEXT:      scf.if %[[FIRST]] {
// CHECK-NEXT:        memref.store
func.func @nest(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %s = tile.alloc "s" at 0 : memref<16x24xf32, #shared>
    tile.parallel (%i, %j) in (16, 24) {
      memref.store %f, %s[%i, %j] : memref<16x24xf32, #shared>
    }
    simt.barrier
    simt.once {
      memref.store %f, %s[%c0, %c0] : memref<16x24xf32, #shared>
    }
  }
  return
}

// Of more there is a loop over positions.
// CHECK-LABEL: @loop
// CHECK:           %[[T:.*]] = simt.thread_id
// CHECK:           scf.for %[[P:.*]] = %[[T]] to %c38400 step %c64 {
// CHECK:             %[[J:.*]] = arith.remui %[[P]], %c24
// CHECK-NEXT:        %[[I:.*]] = arith.divui %[[P]], %c24
// CHECK-NEXT:        memref.store %{{.*}}, %{{.*}}[%[[I]], %[[J]]]
func.func @loop(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" at 0 : memref<1600x24xf32, #shared>
    tile.parallel (%i, %j) in (1600, 24) {
      memref.store %f, %s[%i, %j] : memref<1600x24xf32, #shared>
    }
  }
  return
}

// Four neighbours at once: 96 turns of 64 threads, of which half have a second one. Rows
// of eight divide 64, so that the second turn is eight rows on.
// CHECK-LABEL: @neighbours
// CHECK-SAME:    %[[N:[a-z0-9]+]]: index, %[[X:[a-z0-9]+]]: memref
// CHECK:           %[[T:.*]] = simt.thread_id
// CHECK:           %[[F:.*]] = tile.alloc "f" : memref<8xf32, #tile.space<local>>
// CHECK:           %[[C:.*]] = arith.remui %[[T]], %c8
// CHECK:           %[[R:.*]] = arith.divui %[[T]], %c8
// CHECK:           %[[J:.*]] = arith.muli %[[C]], %c4
// CHECK:           %[[V:.*]] = simt.vector_load %[[X]][%[[R]], %[[J]]] : {{.*}}, vector<4xf32>
// CHECK:           %[[E:.*]] = vector.extract %[[V]][3] : f32 from vector<4xf32>
// CHECK:           %[[S:.*]] = arith.addf %[[E]], %{{.*}} : f32
// CHECK:           memref.store %[[S]], %[[F]][%{{.*}}] : memref<8xf32, #tile.space<local>>
// CHECK:           %[[W:.*]] = vector.from_elements {{.*}}, %[[S]] : vector<4xf32>
// CHECK:           vector.store %[[W]], %{{.*}}[%[[R]], %[[J]]] {alignment = 16 : i64}
// CHECK:           %[[HAS:.*]] = arith.cmpi ult, %[[T]], %c32
// CHECK:           scf.if %[[HAS]] {
// CHECK:             %[[R2:.*]] = arith.addi %[[R]], %c8
// CHECK:             simt.vector_load %[[X]][%[[R2]], %
func.func @neighbours(%n: index, %x: memref<?x32xf32, #global>, %g: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" at 0 : memref<12x32xf32, #shared>
    %f = tile.alloc "f" {simt.dealt} : memref<12x32xf32, #local>
    tile.parallel (%i, %j) in (12, 32) attributes {simt.dealt, simt.width = 4} {
      %v = tile.load %x[%i, %j] {simt.contiguous} : memref<?x32xf32, #global>
      %w = arith.addf %v, %g : f32
      memref.store %w, %f[%i, %j] : memref<12x32xf32, #local>
      memref.store %w, %s[%i, %j] {simt.contiguous} : memref<12x32xf32, #shared>
    }
  }
  return
}

// A branch that neighbours take together gives a value for each of them; what is the same
// for all is read once.
// CHECK-LABEL: @branch
// CHECK:           %[[V:.*]]:2 = scf.if %{{.*}} -> (f16, f16) {
// CHECK:             %[[L:.*]] = vector.load %{{.*}} {alignment = 4 : i64} : {{.*}}, vector<2xf16>
// CHECK:             %[[A:.*]] = vector.extract %[[L]][0]
// CHECK:             %[[B:.*]] = vector.extract %[[L]][1]
// CHECK:             scf.yield %[[A]], %[[B]] : f16, f16
// CHECK:           } else {
// CHECK:             scf.yield %[[D:.*]], %[[D]] : f16, f16
// CHECK:           %[[ROW:.*]] = memref.load %{{.*}} : memref<8xf16, #tile.space<shared>>
// CHECK:           arith.mulf %[[V]]#0, %[[ROW]]
// CHECK:           arith.mulf %[[V]]#1, %[[ROW]]
func.func @branch(%n: index, %c: i1, %f: f16) {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" at 0 : memref<8x16xf16, #shared>
    %rows = tile.alloc "rows" at 512 : memref<8xf16, #shared>
    %d = tile.alloc "d" at 1024 : memref<8x16xf16, #shared>
    tile.parallel (%i, %j) in (8, 16) attributes {simt.width = 2} {
      %v = scf.if %c -> f16 {
        %l = memref.load %s[%i, %j] {simt.contiguous} : memref<8x16xf16, #shared>
        scf.yield %l : f16
      } else {
        scf.yield %f : f16
      }
      %row = memref.load %rows[%i] : memref<8xf16, #shared>
      %p = arith.mulf %v, %row : f16
      memref.store %p, %d[%i, %j] {simt.contiguous} : memref<8x16xf16, #shared>
    }
  }
  return
}

// Eight columns by four lanes: a thread combines its pair, lanes exchange, and all four
// go on with the sum. Beyond column 6 there is nothing.
// CHECK-LABEL: @sum
// CHECK:         %[[S:.*]] = tile.alloc "s" : memref<2xf32, #tile.space<local>>
// CHECK:         memref.load %[[S]][%{{.*}}]
// CHECK:         %[[INSIDE:.*]] = arith.cmpi ult, %{{.*}}, %c6
// CHECK:         arith.select %[[INSIDE]]
// CHECK:         %[[PAIR:.*]] = arith.addf
// CHECK:         arith.bitcast %[[PAIR]] : f32 to i32
// CHECK:         simt.shuffle_xor %{{.*}}, 1
// CHECK:         %[[FOUR:.*]] = arith.addf %[[PAIR]]
// CHECK:         simt.shuffle_xor %{{.*}}, 2
// CHECK:         %[[EIGHT:.*]] = arith.addf %[[FOUR]]
// CHECK:         memref.store %[[EIGHT]], %{{.*}} : memref<1xf32, #tile.space<local>>
func.func @sum(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %s = tile.alloc "s" {simt.dealt = #tile.layout<[lane 8:4], [lane 4:1, vector 2:1]>} : memref<8x6xf32, #local>
    %l = tile.alloc "l" {simt.dealt = #tile.layout<[lane 8:4], replicate [lane 4:1]>} : memref<8xf32, #local>
    simt.warp_reduce sum %s into %l dim 1 : memref<8x6xf32, #local> into memref<8xf32, #local>
  }
  return
}

// One of the threads that hold a row's value stores it; elements of a row's tile are
// numbered by the row alone.
// CHECK-LABEL: @replicas
// CHECK:         %[[FIRST:.*]] = arith.cmpi eq
// CHECK:         scf.if %[[FIRST]] {
// CHECK-NEXT:      tile.store
// CHECK:         memref.load %{{.*}}[%{{.*}}] : memref<2xf32, #tile.space<local>>
func.func @replicas(%n: index, %x: memref<16xf32, #global>) {
  tile.kernel (%bx) in (%n) threads(32) {
    %l = tile.alloc "l" {simt.dealt = #tile.layout<[vector 2:1, lane 8:4], replicate [lane 4:1]>} : memref<16xf32, #local>
    %s = tile.alloc "s" {simt.dealt = #tile.layout<[vector 2:2, lane 8:4], [lane 4:1, vector 2:1]>} : memref<16x8xf32, #local>
    tile.parallel (%i) in (16) attributes {simt.dealt = #tile.layout<[vector 2:1, lane 8:4], replicate [lane 4:1]>} {
      %v = memref.load %l[%i] : memref<16xf32, #local>
      tile.store %v, %x[%i] : memref<16xf32, #global>
    }
    tile.parallel (%i, %j) in (16, 8) attributes {simt.dealt = #tile.layout<[vector 2:2, lane 8:4], [lane 4:1, vector 2:1]>} {
      %v = memref.load %l[%i] : memref<16xf32, #local>
      memref.store %v, %s[%i, %j] : memref<16x8xf32, #local>
    }
  }
  return
}

// Neighbours that three instructions and four registers make: the fifth column is the
// second register of the second instruction.
// CHECK-LABEL: @threes
// CHECK:         %[[S:.*]] = tile.alloc "s" : memref<12xf32, #tile.space<local>>
// CHECK:         vector.store
// CHECK:         memref.load %[[S]][%c5]
// CHECK:         memref.load %[[S]][%c9]
// CHECK:         memref.load %[[S]][%c2_{{.*}}]
// CHECK:         memref.load %[[S]][%c6]
// CHECK:         vector.from_elements
func.func @threes(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %s = tile.alloc "s" {simt.dealt = #tile.layout<[lane 32:1], [vector 4:1, vector 3:4]>} : memref<32x12xf32, #local>
    %d = tile.alloc "d" at 0 : memref<32x12xf32, #shared>
    tile.parallel (%i, %j) in (32, 12) attributes {simt.dealt = #tile.layout<[lane 32:1], [vector 4:1, vector 3:4]>, simt.width = 4} {
      %v = memref.load %s[%i, %j] : memref<32x12xf32, #local>
      memref.store %v, %d[%i, %j] {simt.contiguous} : memref<32x12xf32, #shared>
    }
  }
  return
}

// Two registers at once: their f32 are multiplied and rounded in pairs.
// PAIRS-LABEL: @pairs
// PAIRS:         %[[TWO:.*]] = vector.from_elements %{{.*}}, %{{.*}} : vector<2xf32>
// PAIRS:         %[[PRODUCT:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<2xf32>
// PAIRS-NEXT:    %[[ROUNDED:.*]] = tile.cast %[[PRODUCT]] : vector<2xf32> to vector<2xbf16>
// PAIRS-NEXT:    vector.extract %[[ROUNDED]][0]
// PAIRS:         memref.store
// PAIRS-NEXT:    vector.extract %[[ROUNDED]][1]
// CHECK-LABEL: @pairs
// CHECK-COUNT-4: arith.mulf %{{.*}}, %{{.*}} : f32
func.func @pairs(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(32) {
    %s = tile.alloc "s" {simt.dealt = #tile.layout<[lane 32:1], [vector 4:1]>} : memref<32x4xf32, #local>
    %p = tile.alloc "p" {simt.dealt = #tile.layout<[lane 32:1], [vector 4:1]>} : memref<32x4xbf16, #local>
    tile.parallel (%i, %j) in (32, 4) attributes {simt.dealt = #tile.layout<[lane 32:1], [vector 4:1]>} {
      %v = memref.load %s[%i, %j] : memref<32x4xf32, #local>
      %w = arith.mulf %v, %f : f32
      %r = tile.cast %w : f32 to bf16
      memref.store %r, %p[%i, %j] : memref<32x4xbf16, #local>
    }
  }
  return
}

// Of threads that repeat an iteration each has the iteration's variable; one stores.
// CHECK-LABEL: @variable_of_replicas
// CHECK:         %[[FIRST:.*]] = arith.cmpi eq
// CHECK-NOT:     scf.if
// CHECK:         %[[VARIABLE:.*]] = tile.alloc "v"
// CHECK-NOT:     scf.if
// CHECK:         memref.store %{{.*}}, %[[VARIABLE]]
// CHECK-NEXT:    memref.load %[[VARIABLE]]
// CHECK-NEXT:    scf.if %[[FIRST]] {
// CHECK-NEXT:      tile.store
func.func @variable_of_replicas(%n: index, %x: memref<8xf32, #global>) {
  tile.kernel (%bx) in (%n) threads(32) {
    %c0 = arith.constant 0 : index
    tile.parallel (%i) in (8) attributes {simt.dealt = #tile.layout<[lane 8:4], replicate [lane 4:1]>} {
      %l = tile.alloc "v" : memref<1xf32, #local>
      %f = arith.constant 1.0 : f32
      memref.store %f, %l[%c0] : memref<1xf32, #local>
      %v = memref.load %l[%c0] : memref<1xf32, #local>
      tile.store %v, %x[%i] : memref<8xf32, #global>
    }
  }
  return
}
