// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The k largest: by rounds of a maximum, by their ranks, or by a stable sort.
// RUN: %tilewright-opt %s --cpu-lower-reduce --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>

// Few of many: each round finds the largest key, marks it as the least, and reads the value
// from the source.
// CHECK-LABEL: @rounds
// CHECK-SAME:    %[[X:.*]]: memref<2x20xf32, {{.*}}, %[[V:.*]]: memref<2x3xf32, {{.*}}, %[[I:.*]]: memref<2x3xi32
// CHECK-DAG:     %[[TAKEN:.*]] = arith.constant -2147483648 : i32
// CHECK:         %[[KEYS:.*]] = tile.alloc "topk.scratch" : memref<20xi32, #tile.space<shared>>
// CHECK-NOT:     tile.alloc
// CHECK:         scf.for %[[ROW:.*]] = %c0 to %c2 step %c1
// CHECK:           vector.store %{{.*}}, %[[KEYS]][%c0] : {{.*}}, vector<16xi32>
// CHECK:           vector.store %{{.*}}, %[[KEYS]][%c16] : {{.*}}, vector<4xi32>
// CHECK:           scf.for %[[RANK:.*]] = %c0 to %c3 step %c1
// CHECK:             vector.reduction <maxsi>
// CHECK:             %[[FIRST:.*]] = vector.reduction <minsi>
// CHECK:             %[[AT:.*]] = arith.index_cast %[[FIRST]]
// CHECK:             memref.store %[[TAKEN]], %[[KEYS]][%[[AT]]]
// CHECK:             %[[VALUE:.*]] = memref.load %[[X]][%[[ROW]], %[[AT]]]
// CHECK:             memref.store %[[VALUE]], %[[V]][%[[ROW]], %[[RANK]]]
// CHECK:             memref.store %{{.*}}, %[[I]][%[[ROW]], %[[RANK]]]
func.func @rounds(%x: memref<2x20xf32, #shared>, %v: memref<2x3xf32, #shared>,
                  %i: memref<2x3xi32, #shared>) {
  tile.topk %x into %v, %i dim 1
    : memref<2x20xf32, #shared> into memref<2x3xf32, #shared>, memref<2x3xi32, #shared>
  return
}

// Words may be the least integer themselves, so many are sorted: four passes of a byte,
// forth and back, which keep the order of equals.
// CHECK-LABEL: @sorted
// CHECK-SAME:    %[[X:.*]]: memref<2000xi32, {{.*}}, %[[V:.*]]: memref<3xi32
// CHECK-DAG:     %[[FLIP:.*]] = arith.constant 2147483647 : i32
// CHECK:         %[[K0:.*]] = tile.alloc "topk.scratch" : memref<2000xi32
// CHECK:         %[[P0:.*]] = tile.alloc "topk.scratch" : memref<2000xi32
// CHECK:         %[[K1:.*]] = tile.alloc "topk.scratch" : memref<2000xi32
// CHECK:         %[[P1:.*]] = tile.alloc "topk.scratch" : memref<2000xi32
// CHECK:         %[[COUNTS:.*]] = tile.alloc "topk.scratch" : memref<256xi32
// CHECK:         arith.xori %{{.*}}, %[[FLIP]]
// CHECK:         scf.for %[[D:.*]] = %c0 to %c256 step %c1 iter_args(%[[BEFORE:.*]] = %c0_i32)
// CHECK-NEXT:      %[[N:.*]] = memref.load %[[COUNTS]][%[[D]]]
// CHECK-NEXT:      memref.store %[[BEFORE]], %[[COUNTS]][%[[D]]]
// CHECK-NEXT:      arith.addi %[[N]], %[[BEFORE]]
// CHECK:         scf.for %[[J:.*]] = %c0 to %c2000 step %c1
// CHECK:           %[[KEY:.*]] = memref.load %[[K0]][%[[J]]]
// CHECK:           %[[BYTE:.*]] = arith.andi %[[KEY]], %c255_i32
// CHECK:           %[[DIGIT:.*]] = arith.index_cast %[[BYTE]]
// CHECK:           %[[PLACE:.*]] = memref.load %[[COUNTS]][%[[DIGIT]]]
// CHECK:           %[[ONWARDS:.*]] = arith.addi %[[PLACE]], %c1_i32
// CHECK:           memref.store %[[ONWARDS]], %[[COUNTS]][%[[DIGIT]]]
// CHECK:           %[[TO:.*]] = arith.index_cast %[[PLACE]]
// CHECK:           memref.store %[[KEY]], %[[K1]][%[[TO]]]
// CHECK:           %[[P:.*]] = memref.load %[[P0]][%[[J]]]
// CHECK:           memref.store %[[P]], %[[P1]][%[[TO]]]
// CHECK:         arith.shrui %{{.*}}, %c8_i32
// CHECK:         memref.store %{{.*}}, %[[K0]]
// CHECK:         arith.shrui %{{.*}}, %c16_i32
// CHECK:         memref.store %{{.*}}, %[[K1]]
// CHECK:         arith.shrui %{{.*}}, %c24_i32
// CHECK:         memref.store %{{.*}}, %[[K0]]
// CHECK:         scf.for %[[RANK:.*]] = %c0 to %c3 step %c1
// CHECK:           memref.load %[[P0]][%[[RANK]]]
// CHECK-NOT:     arith.shrui
func.func @sorted(%x: memref<2000xi32, #shared>, %v: memref<3xi32, #shared>,
                  %i: memref<3xi32, #shared>) {
  tile.topk %x into %v, %i dim 0
    : memref<2000xi32, #shared> into memref<3xi32, #shared>, memref<3xi32, #shared>
  return
}

// Few are ranked: an element comes after the larger keys and, among equals, after those in
// front of it.
// CHECK-LABEL: @ranked
// CHECK-DAG:     %[[LAST:.*]] = arith.constant dense<[{{(false, )*}}true]> : vector<16xi1>
// CHECK:         %[[KEYS:.*]] = tile.alloc "topk.scratch" : memref<20xi32
// CHECK:         %[[RANKS:.*]] = tile.alloc "topk.scratch" : memref<20xi32
// CHECK-NOT:     tile.alloc
// CHECK:         %[[OWN:.*]] = vector.load %[[KEYS]][%c0] : {{.*}}, vector<16xi32>
// CHECK:         scf.for %[[J:.*]] = %c16 to %c20 step %c1 iter_args(%[[R:.*]] =
// CHECK:           %[[KEY:.*]] = vector.broadcast %{{.*}} : i32 to vector<16xi32>
// CHECK:           %[[LARGER:.*]] = arith.cmpi sgt, %[[KEY]], %[[OWN]]
// CHECK:           %[[ONE:.*]] = arith.extui %[[LARGER]]
// CHECK:           arith.addi %[[R]], %[[ONE]]
// CHECK:         arith.cmpi eq, %{{.*}}, %[[OWN]]
// CHECK:         arith.andi %{{.*}}, %[[LAST]]
// CHECK:         vector.store %{{.*}}, %[[RANKS]][%c0]
// CHECK:         scf.for %{{.*}} = %c0 to %c16 step %c1 iter_args(%[[R:.*]] = %{{.*}}) -> (vector<4xi32>)
// CHECK:           arith.cmpi sgt
// CHECK:           arith.subi %[[R]]
// CHECK:         vector.store %{{.*}}, %[[RANKS]][%c16]
// CHECK:         scf.for %[[I:.*]] = %c0 to %c20 step %c1
// CHECK:           %[[R:.*]] = memref.load %[[RANKS]][%[[I]]]
// CHECK:           %[[TO:.*]] = arith.index_cast %[[R]]
// CHECK:           %[[VALUE:.*]] = memref.load %{{.*}}[%c0, %[[I]]]
// CHECK:           memref.store %[[VALUE]], %{{.*}}[%c0, %[[TO]]]
// CHECK:           memref.store %{{.*}}, %{{.*}}[%c0, %[[TO]]]
func.func @ranked(%x: memref<20xi32, #shared>, %v: memref<20xi32, #shared>,
                  %p: memref<20xi32, #shared>) {
  tile.topk %x into %v, %p dim 0
    : memref<20xi32, #shared> into memref<20xi32, #shared>, memref<20xi32, #shared>
  return
}

// Ranks past the k-th are left out.
// CHECK-LABEL: @some
// CHECK:         scf.for %[[I:.*]] = %c0 to %c20 step %c1
// CHECK:           %[[AMONG:.*]] = arith.cmpi slt, %{{.*}}, %c9
// CHECK:           scf.if %[[AMONG]] {
func.func @some(%x: memref<20xi32, #shared>, %v: memref<9xi32, #shared>,
                %p: memref<9xi32, #shared>) {
  tile.topk %x into %v, %p dim 0
    : memref<20xi32, #shared> into memref<9xi32, #shared>, memref<9xi32, #shared>
  return
}

// So is much of many, whatever the type. `smallest` turns the order of the keys.
// CHECK-LABEL: @much
// CHECK-DAG:     arith.constant dense<-1> : vector<{{.*}}xi32>
// CHECK:         tile.alloc "topk.scratch" : memref<256xi32
// CHECK-NOT:     vector.reduction
func.func @much(%x: memref<2048xf32, #shared>, %v: memref<2048xf32, #shared>,
                %i: memref<2048xi64, #shared>) {
  tile.topk %x into %v, %i dim 0 smallest
    : memref<2048xf32, #shared> into memref<2048xf32, #shared>, memref<2048xi64, #shared>
  return
}
