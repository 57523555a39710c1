// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// argmax and argmin: integer keys of the elements' order, and the first of equals.
// RUN: %tilewright-opt %s --cpu-lower-reduce --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-lower-reduce=vector-bits=256 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=NARROW

#shared = #tile.space<shared>

// A later vector takes a lane only with a larger key. Of the lanes that hold the largest,
// the lowest position counts.
// CHECK-LABEL: @largest
// CHECK-SAME:    %[[X:.*]]: memref<2x20xi32, {{.*}}, %[[Y:.*]]: memref<2xi32
// CHECK-DAG:     %[[LANES:.*]] = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]>
// CHECK-DAG:     %[[LEAST:.*]] = arith.constant dense<-2147483648>
// CHECK-DAG:     %[[FAR:.*]] = arith.constant dense<2147483647>
// CHECK-DAG:     %[[AT0:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK-DAG:     %[[AT16:.*]] = arith.constant dense<16> : vector<16xi32>
// CHECK:         scf.for %[[I:.*]] = %c0 to %c2 step %c1
// CHECK:           %[[A:.*]] = vector.load %[[X]][%[[I]], %c0] : {{.*}}, vector<16xi32>
// CHECK:           %[[B:.*]] = vector.load %[[X]][%[[I]], %c16] : {{.*}}, vector<4xi32>
// CHECK:           %[[PADDED:.*]] = vector.insert_strided_slice %[[B]], %[[LEAST]]
// CHECK:           %[[LARGER:.*]] = arith.cmpi sgt, %[[PADDED]], %[[A]]
// CHECK:           %[[KEYS:.*]] = arith.select %[[LARGER]], %[[PADDED]], %[[A]]
// CHECK:           %[[STARTS:.*]] = arith.select %[[LARGER]], %[[AT16]], %[[AT0]]
// CHECK:           %[[MAX:.*]] = vector.reduction <maxsi>, %[[KEYS]]
// CHECK:           %[[ALL:.*]] = vector.broadcast %[[MAX]]
// CHECK:           %[[WHERE:.*]] = arith.addi %[[STARTS]], %[[LANES]]
// CHECK:           %[[HOLDS:.*]] = arith.cmpi eq, %[[KEYS]], %[[ALL]]
// CHECK:           %[[PLACES:.*]] = arith.select %[[HOLDS]], %[[WHERE]], %[[FAR]]
// CHECK:           %[[FIRST:.*]] = vector.reduction <minsi>, %[[PLACES]]
// CHECK:           memref.store %[[FIRST]], %[[Y]][%[[I]]]
// NARROW-LABEL: @largest
// NARROW:         vector.load {{.*}}, vector<8xi32>
// NARROW:         vector.load {{.*}}, vector<8xi32>
// NARROW:         vector.load {{.*}}, vector<4xi32>
func.func @largest(%x: memref<2x20xi32, #shared>, %y: memref<2xi32, #shared>) {
  tile.reduce argmax %x into %y dim 1 : memref<2x20xi32, #shared> into memref<2xi32, #shared>
  return
}

// Floats: -0 becomes 0, negative ones are turned round, argmin turns all; a NaN is the
// extreme of both.
// CHECK-LABEL: @smallest
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00>
// CHECK-DAG:     %[[C31:.*]] = arith.constant dense<31>
// CHECK-DAG:     %[[MOST:.*]] = arith.constant dense<2147483647>
// CHECK-DAG:     %[[MINUS1:.*]] = arith.constant dense<-1>
// CHECK:         %[[X:.*]] = vector.load {{.*}}, vector<4xf32>
// CHECK:         %[[PLUS0:.*]] = arith.addf %[[X]], %[[ZERO]]
// CHECK:         %[[BITS:.*]] = arith.bitcast %[[PLUS0]]
// CHECK:         %[[SIGN:.*]] = arith.shrsi %[[BITS]], %[[C31]]
// CHECK:         %[[FLIP:.*]] = arith.andi %[[SIGN]], %[[MOST]]
// CHECK:         %[[ORDER:.*]] = arith.xori %[[BITS]], %[[FLIP]]
// CHECK:         %[[TURNED:.*]] = arith.xori %[[ORDER]], %[[MINUS1]]
// CHECK:         %[[NAN:.*]] = arith.cmpf uno, %[[X]], %[[X]]
// CHECK:         arith.select %[[NAN]], %[[MOST]], %[[TURNED]]
// CHECK:         %[[P:.*]] = tile.cast %{{.*}} : i32 to i64
// CHECK:         memref.store %[[P]]
func.func @smallest(%x: memref<4xf32, #shared>, %y: memref<1xi64, #shared>) {
  tile.reduce argmin %x into %y dim 0 : memref<4xf32, #shared> into memref<1xi64, #shared>
  return
}

// Unsigned words have their sign bit turned; bytes fit the key as they are.
// CHECK-LABEL: @unsigned
// CHECK:         arith.constant dense<-2147483648> : vector<4xi32>
// CHECK:         %[[X:.*]] = vector.load {{.*}}, vector<4xi32>
// CHECK:         arith.xori %[[X]], %{{.*}}
// CHECK:         %[[B:.*]] = vector.load {{.*}}, vector<4xi8>
// CHECK:         %[[K:.*]] = tile.cast %[[B]] unsigned_source {{.*}} to vector<4xi32>
// CHECK:         vector.reduction <maxsi>, %[[K]]
func.func @unsigned(%x: memref<4xi32, #shared>, %b: memref<4xi8, #shared>,
                    %y: memref<1xi32, #shared>) {
  tile.reduce argmax %x into %y dim 0 unsigned
    : memref<4xi32, #shared> into memref<1xi32, #shared>
  tile.reduce argmax %b into %y dim 0 unsigned
    : memref<4xi8, #shared> into memref<1xi32, #shared>
  return
}

// Each lane is a column; a row takes it only with a larger key.
// CHECK-LABEL: @columns
// CHECK-NOT:     vector.reduction
// CHECK:         %[[BEST:.*]]:2 = scf.for %[[I:.*]] = %c1 to %c8 step %c1 iter_args(%[[KEY:.*]] = %{{.*}}, %[[AT:.*]] = %{{.*}})
// CHECK:           %[[NEXT:.*]] = vector.load {{.*}}, vector<16xi32>
// CHECK:           %[[LARGER:.*]] = arith.cmpi sgt, %[[NEXT]], %[[KEY]]
// CHECK:           arith.select %[[LARGER]], %[[NEXT]], %[[KEY]]
// CHECK:           %[[NUMBER:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK:           %[[ROW:.*]] = vector.broadcast %[[NUMBER]]
// CHECK:           arith.select %[[LARGER]], %[[ROW]], %[[AT]]
// CHECK:         vector.store %[[BEST]]#1
// CHECK:         scf.for {{.*}} -> (vector<4xi32>, vector<4xi32>)
func.func @columns(%x: memref<8x20xi32, #shared>, %y: memref<20xi32, #shared>) {
  tile.reduce argmax %x into %y dim 0
    : memref<8x20xi32, #shared> into memref<20xi32, #shared>
  return
}
