// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Running combinations, carried in an accumulator.
// RUN: %tilewright-opt %s --cpu-lower-reduce --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: %tilewright-opt %s --cpu-lower-reduce=vector-bits=256 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,NARROW

#shared = #tile.space<shared>

// The running sum is an f32, of which each result is rounded; it starts with the first
// element.
// CHECK-LABEL: @rows
// CHECK-SAME:    %[[X:.*]]: memref<8x20xbf16, {{.*}}, %[[Y:.*]]: memref<8x20xbf16
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// CHECK:           %[[V0:.*]] = memref.load %[[X]][%[[I]], %c0]
// CHECK:           %[[FIRST:.*]] = tile.cast %[[V0]] : bf16 to f32
// CHECK:           memref.store %{{.*}}, %[[Y]][%[[I]], %c0]
// CHECK:           scf.for %[[J:.*]] = %c1 to %c20 step %c1 iter_args(%[[S:.*]] = %[[FIRST]])
// CHECK-NEXT:        %[[V:.*]] = memref.load %[[X]][%[[I]], %[[J]]]
// CHECK-NEXT:        %[[W:.*]] = tile.cast %[[V]] : bf16 to f32
// CHECK-NEXT:        %[[T:.*]] = arith.addf %[[S]], %[[W]]
// CHECK-NEXT:        %[[R:.*]] = tile.cast %[[T]] : f32 to bf16
// CHECK-NEXT:        memref.store %[[R]], %[[Y]][%[[I]], %[[J]]]
// CHECK-NEXT:        scf.yield %[[T]]
func.func @rows(%x: memref<8x20xbf16, #shared>, %y: memref<8x20xbf16, #shared>) {
  tile.scan sum %x into %y dim 1
    : memref<8x20xbf16, #shared> into memref<8x20xbf16, #shared>
  return
}

// Columns side by side, four registers wide, from the last row on, in place; what fills no
// such vector in narrower ones.
// CHECK-LABEL: @columns
// CHECK:         %[[X:.*]] = memref.reinterpret_cast
// NARROW:        scf.for %[[J:.*]] = %c0 to %c64 step %c32
// WIDE:          %[[FIRST:.*]] = vector.load %[[X]][%c0, %c7, %c0] : {{.*}}, vector<64xi32>
// WIDE-NEXT:     vector.store %[[FIRST]], %[[X]][%c0, %c7, %c0]
// WIDE:          scf.for %[[I:.*]] = %c1 to %c8 step %c1 iter_args(%[[M:.*]] = %[[FIRST]])
// WIDE-NEXT:       %[[LINE:.*]] = arith.subi %c7, %[[I]]
// WIDE-NEXT:       %[[V:.*]] = vector.load %[[X]][%c0, %[[LINE]], %c0] : {{.*}}, vector<64xi32>
// WIDE-NEXT:       %[[R:.*]] = arith.maxui %[[M]], %[[V]]
// WIDE-NEXT:       vector.store %[[R]], %[[X]][%c0, %[[LINE]], %c0]
// WIDE-NEXT:       scf.yield %[[R]]
// NARROW:          vector.load %[[X]][%c0, %{{.*}}, %[[J]]] : {{.*}}, vector<32xi32>
// CHECK:         scf.for {{.*}} -> (vector<8xi32>)
// CHECK:           vector.load %[[X]][%c0, %{{.*}}, %c64] : {{.*}}, vector<8xi32>
func.func @columns(%x: memref<8x72xi32, #shared>) {
  tile.scan max %x into %x dim 0 reverse unsigned
    : memref<8x72xi32, #shared> into memref<8x72xi32, #shared>
  return
}

// An exclusive scan starts with what changes nothing, -0 for a sum of floats, and reads an
// element before it writes there.
// CHECK-LABEL: @exclusive
// CHECK-SAME:    %[[X:.*]]: memref<9xi32, {{.*}}, %[[Y:.*]]: memref<9xf32
// CHECK-DAG:     %[[LARGEST:.*]] = arith.constant 2147483647 : i32
// CHECK-DAG:     %[[ONES:.*]] = arith.constant -1 : i32
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant -0.000000e+00 : f32
// CHECK:         scf.for {{.*}} iter_args(%[[FORMER:.*]] = %[[LARGEST]])
// CHECK-NEXT:      %[[V:.*]] = memref.load
// CHECK-NEXT:      memref.store %[[FORMER]]
// CHECK-NEXT:      arith.minsi %[[FORMER]], %[[V]]
// CHECK:         scf.for {{.*}} = %[[ONES]])
// CHECK:           arith.andi
// CHECK:         scf.for {{.*}} = %[[ZERO]])
// CHECK:           arith.addf
func.func @exclusive(%x: memref<9xi32, #shared>, %y: memref<9xf32, #shared>) {
  tile.scan min %x into %x dim 0 exclusive
    : memref<9xi32, #shared> into memref<9xi32, #shared>
  tile.scan bitand %x into %x dim 0 exclusive
    : memref<9xi32, #shared> into memref<9xi32, #shared>
  tile.scan sum %y into %y dim 0 exclusive
    : memref<9xf32, #shared> into memref<9xf32, #shared>
  return
}
