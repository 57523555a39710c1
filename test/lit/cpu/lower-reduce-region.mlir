// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A combiner that is a region is copied to where two accumulators meet, on vectors.
// RUN: %tilewright-opt %s --cpu-lower-reduce --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>

// Narrow floats meet in f32. A value from outside is the same in all lanes. What fills no
// vector of a row is the identity.
// CHECK-LABEL: @rows
// CHECK-SAME:    %[[X:.*]]: memref<2x20xbf16, {{.*}}, %[[Y:.*]]: memref<2xbf16, {{.*}}, %[[BY:.*]]: f32
// CHECK-DAG:     %[[ONES:.*]] = arith.constant dense<1.000000e+00> : vector<16xf32>
// CHECK-DAG:     %[[ALL:.*]] = vector.broadcast %[[BY]] : f32 to vector<16xf32>
// CHECK:         vector.load %[[X]]{{.*}} vector<16xbf16>
// CHECK:         %[[REST:.*]] = vector.insert_strided_slice %{{.*}}, %[[ONES]]
// CHECK:         %[[P:.*]] = arith.mulf %{{.*}}, %[[REST]] : vector<16xf32>
// CHECK:         arith.minimumf %[[P]], %[[ALL]] : vector<16xf32>
// CHECK:         vector.shuffle
// CHECK:         arith.mulf
// CHECK:         arith.minimumf
// CHECK:         tile.cast {{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK-NOT:     tile.reduce
func.func @rows(%x: memref<2x20xbf16, #shared>, %y: memref<2xbf16, #shared>, %by: f32) {
  %one = arith.constant 1.0 : f32
  tile.reduce %x into %y dim 1 : memref<2x20xbf16, #shared> into memref<2xbf16, #shared>
    combine(%a: f32, %b: f32) identity %one {
      %p = arith.mulf %a, %b : f32
      %q = arith.minimumf %p, %by : f32
      tile.yield %q : f32
    }
  return
}

// A comparison makes truth values, which have no type of their own in the region.
// CHECK-LABEL: @columns
// CHECK:         %[[C:.*]] = arith.cmpi sgt, %{{.*}}, %{{.*}} : vector<16xi32>
// CHECK-NEXT:    arith.select %[[C]], %{{.*}}, %{{.*}} : vector<16xi1>, vector<16xi32>
// CHECK-NOT:     tile.reduce
func.func @columns(%x: memref<2x16xi32, #shared>, %y: memref<16xi32, #shared>) {
  %least = arith.constant -2147483648 : i32
  tile.reduce %x into %y dim 0 accumulate
    : memref<2x16xi32, #shared> into memref<16xi32, #shared>
    combine(%a: i32, %b: i32) identity %least {
      %c = arith.cmpi sgt, %a, %b : i32
      %d = arith.select %c, %a, %b : i32
      tile.yield %d : i32
    }
  return
}

// Scans of rows combine scalars, the running one first.
// CHECK-LABEL: @scan
// CHECK:         %[[TWO:.*]] = arith.constant 2 : i32
// CHECK:         scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}) -> (i32)
// CHECK:           %[[V:.*]] = memref.load
// CHECK:           %[[D:.*]] = arith.muli %[[V]], %[[TWO]]
// CHECK:           arith.subi %[[S]], %[[D]]
func.func @scan(%x: memref<3x9xi32, #shared>) {
  tile.scan %x into %x dim 1 : memref<3x9xi32, #shared> into memref<3x9xi32, #shared>
    combine(%a: i32, %b: i32) {
      %two = arith.constant 2 : i32
      %c = arith.muli %b, %two : i32
      %d = arith.subi %a, %c : i32
      tile.yield %d : i32
    }
  return
}
