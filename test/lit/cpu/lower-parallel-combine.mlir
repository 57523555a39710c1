// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows that a parallel loop combines.
//
// RUN: %tilewright-opt %s --cpu-lower-parallel --canonicalize --cse | FileCheck %s

#fragment = #tile.space<fragment>

// A light body: four vectors in flight, from nothing (-0 for a sum), then those left of a
// row one by one, and the last with what is not there as nothing.
// CHECK-LABEL: @light
// CHECK-SAME:    %[[X:.*]]: memref<4x213xf32, {{.*}}, %[[R:.*]]: memref<4xf32
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<-0.000000e+00> : vector<16xf32>
// CHECK-DAG:     %[[MASK:.*]] = vector.constant_mask [5] : vector<16xi1>
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[FOUR:.*]]:4 = scf.for %[[J:.*]] = %c0 to %c192 step %c64 iter_args(%{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]])
// CHECK-COUNT-4:     vector.load %[[X]]
// CHECK:           scf.yield
// CHECK:           %[[LEFT:.*]] = vector.load %[[X]][%[[I]], %c192]
// CHECK:           %[[FIRST:.*]] = arith.addf %[[FOUR]]#0, %{{.*}} : vector<16xf32>
// CHECK:           vector.maskedload %[[X]][%[[I]], %c208], %[[MASK]]
// CHECK:           %[[SOME:.*]] = arith.select %[[MASK]], %{{.*}}, %[[ZERO]]
// CHECK:           %[[WITH:.*]] = arith.addf %[[FIRST]], %[[SOME]]
// CHECK:           arith.addf %[[WITH]], %[[FOUR]]#1
// CHECK:           arith.addf %[[FOUR]]#2, %[[FOUR]]#3
// CHECK-COUNT-4:   arith.addf
// CHECK:           vector.store %{{.*}}, %[[R]][%[[I]]] : {{.*}}, vector<1xf32>
func.func @light(%x: memref<4x213xf32, #fragment>, %r: memref<4xf32, #fragment>) {
  tile.parallel (%i, %j) in (4, 213) {
    %v = memref.load %x[%i, %j] : memref<4x213xf32, #fragment>
    %s = arith.mulf %v, %v : f32
    cpu.combine sum %s into %r[%i] : f32 into memref<4xf32, #fragment>
  }
  return
}

// A function keeps a core busy with one vector. What it combines it also stores, and the
// former result is the last that joins. Narrow floats are combined as f32.
// CHECK-LABEL: @heavy
// CHECK-SAME:    %[[X:.*]]: memref<4x64xf16, {{.*}}, %[[R:.*]]: memref<4x1xf16
// CHECK:           %[[MOST:.*]] = scf.for %[[J:.*]] = %c0 to %c64 step %c16 iter_args(%[[FORMER:.*]] = %{{.*}}) -> (vector<16xf32>)
// CHECK:             %[[E:.*]] = math.exp2 {{.*}} : vector<16xf16>
// CHECK:             vector.store %[[E]], %[[X]]
// CHECK:             %[[WIDE:.*]] = tile.cast %[[E]] : vector<16xf16> to vector<16xf32>
// CHECK:             arith.maximumf %[[FORMER]], %[[WIDE]] : vector<16xf32>
// CHECK:           %[[OLD:.*]] = vector.load %[[R]][%{{.*}}, %c0] : {{.*}}, vector<1xf16>
// CHECK:           %[[WIDER:.*]] = tile.cast %[[OLD]]
// CHECK:           %[[NEW:.*]] = arith.maximumf %[[WIDER]], %{{.*}} : vector<1xf32>
// CHECK:           tile.cast %[[NEW]]
// CHECK:           vector.store
func.func @heavy(%x: memref<4x64xf16, #fragment>, %r: memref<4x1xf16, #fragment>) {
  %c0 = arith.constant 0 : index
  tile.parallel (%i, %j) in (4, 64) {
    %v = memref.load %x[%i, %j] : memref<4x64xf16, #fragment>
    %e = math.exp2 %v : f16
    memref.store %e, %x[%i, %j] : memref<4x64xf16, #fragment>
    cpu.combine max %e into %r[%i, %c0] accumulate : f16 into memref<4x1xf16, #fragment>
  }
  return
}

// A loop without a form on vectors combines one element after the other.
// CHECK-LABEL: @scalar
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[ALL:.*]] = scf.for %[[J:.*]] = %c0 to %c64 step %c1 iter_args(%[[FORMER:.*]] = %c-2147483648_i32) -> (i32)
// CHECK:             tile.print
// CHECK:             %[[V:.*]] = memref.load
// CHECK:             arith.maxsi %[[FORMER]], %[[V]] : i32
// CHECK:           vector.store
func.func @scalar(%x: memref<4x64xi32, #fragment>, %r: memref<4xi32, #fragment>) {
  tile.parallel (%i, %j) in (4, 64) {
    tile.print "j" %j : index
    %v = memref.load %x[%i, %j] : memref<4x64xi32, #fragment>
    cpu.combine max %v into %r[%i] : i32 into memref<4xi32, #fragment>
  }
  return
}

// Short rows leave a vector each, of which as many as there are lanes are combined together
// when all rows are done, by a tree of shuffles; those left over by a smaller one.
// CHECK-LABEL: @short
// CHECK-SAME:    %[[X:.*]]: memref<20x32xf32
// CHECK:         %[[R:.*]] = tile.alloc "sum"
// CHECK:         %[[ROWS:.*]] = tile.alloc "rows" : memref<20x16xf32, #tile.space<shared>>
// CHECK:         scf.for %[[I:.*]] = %c0 to %c20 step %c1
// CHECK:           vector.store %{{.*}}, %[[ROWS]][%[[I]], %c0] : {{.*}}, vector<16xf32>
// CHECK-NEXT:    }
// CHECK-COUNT-16: vector.load %[[ROWS]]
// CHECK-COUNT-15: arith.addf
// CHECK-NOT:     arith.addf
// CHECK:         vector.store %{{.*}}, %[[R]][%c0] : {{.*}}, vector<16xf32>
// CHECK-COUNT-4: vector.load %[[ROWS]]
// CHECK-COUNT-5: arith.addf
// CHECK-NOT:     arith.addf
// CHECK:         vector.store %{{.*}}, %[[R]][%c16] : {{.*}}, vector<4xf32>
func.func @short(%x: memref<20x32xf32, #fragment>) -> memref<20xf32, #fragment> {
  %r = tile.alloc "sum" : memref<20xf32, #fragment>
  tile.parallel (%i, %j) in (20, 32) {
    %v = memref.load %x[%i, %j] : memref<20x32xf32, #fragment>
    cpu.combine sum %v into %r[%i] : f32 into memref<20xf32, #fragment>
  }
  return %r : memref<20xf32, #fragment>
}

// Not where the loop reads the results of rows before.
// CHECK-LABEL: @running
// CHECK-NOT:     tile.alloc "rows"
// CHECK:         vector.store %{{.*}} : {{.*}}, vector<1xf32>
func.func @running(%x: memref<20x32xf32, #fragment>) -> memref<20xf32, #fragment> {
  %r = tile.alloc "sum" : memref<20xf32, #fragment>
  %c0 = arith.constant 0 : index
  tile.parallel (%i, %j) in (20, 32) {
    %v = memref.load %x[%i, %j] : memref<20x32xf32, #fragment>
    %f = memref.load %r[%c0] : memref<20xf32, #fragment>
    %s = arith.mulf %v, %f : f32
    cpu.combine sum %s into %r[%i] : f32 into memref<20xf32, #fragment>
  }
  return %r : memref<20xf32, #fragment>
}
