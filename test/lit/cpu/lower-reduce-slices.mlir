// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles that are slices of others: only a unit stride is vectors.
// RUN: %tilewright-opt %s --cpu-lower-reduce --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>
#block = strided<[32, 1], offset: 8>
#column = strided<[32], offset: 8>

// Contiguous tiles lose the dimensions that are not walked; slices keep theirs.
// CHECK-LABEL: @merged
// CHECK-SAME:    %[[X:.*]]: memref<2x3x4x5xf32, {{.*}}, %[[S:.*]]: memref<4x16xf32, strided
// CHECK:         %[[V:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [2, 3, 20], strides: [60, 20, 1]
// CHECK:         scf.for %[[I:.*]] = %c0 to %c2 step %c1
// CHECK:           vector.load %[[V]][%[[I]], %c0, %c0] : {{.*}}, vector<16xf32>
// CHECK:           vector.load %[[V]][%[[I]], %c0, %c16] : {{.*}}, vector<4xf32>
// CHECK-NOT:     memref.reinterpret_cast %[[S]]
// CHECK:         vector.load %[[S]][%c0, %c0] : {{.*}}, vector<16xf32>
func.func @merged(%x: memref<2x3x4x5xf32, #shared>, %s: memref<4x16xf32, #block, #shared>,
                  %y: memref<2x4x5xf32, #shared>, %z: memref<1x16xf32, #shared>) {
  tile.reduce sum %x into %y dim 1
    : memref<2x3x4x5xf32, #shared> into memref<2x4x5xf32, #shared>
  tile.reduce sum %s into %z dim 0
    : memref<4x16xf32, #block, #shared> into memref<1x16xf32, #shared>
  return
}

// A column is read, and written, element by element.
// CHECK-LABEL: @column
// CHECK-SAME:    %[[X:.*]]: memref<4xf32, strided{{.*}}, %[[Y:.*]]: memref<1xf32, {{.*}}, %[[Z:.*]]: memref<4x4xf32
// CHECK:         %[[ROW:.*]] = memref.expand_shape %[[X]] {{.*}} into memref<1x4xf32, strided<[128, 32], offset: 8>
// CHECK:         %[[E0:.*]] = memref.load %[[ROW]][%c0, %c0]
// CHECK:         %[[E1:.*]] = memref.load %[[ROW]][%c0, %c1]
// CHECK:         %[[E2:.*]] = memref.load %[[ROW]][%c0, %c2]
// CHECK:         %[[E3:.*]] = memref.load %[[ROW]][%c0, %c3]
// CHECK:         %[[V:.*]] = vector.from_elements %[[E0]], %[[E1]], %[[E2]], %[[E3]]
// CHECK:         vector.shuffle %[[V]], %[[V]]
// CHECK:         vector.load %[[Z]]
// CHECK:         %[[R0:.*]] = vector.extract %[[R:.*]][0] : f32 from vector<4xf32>
// CHECK:         memref.store %[[R0]], %[[X]][%c0]
// CHECK:         %[[R3:.*]] = vector.extract %[[R]][3]
// CHECK:         memref.store %[[R3]], %[[X]][%c3]
func.func @column(%x: memref<4xf32, #column, #shared>, %y: memref<1xf32, #shared>,
                  %z: memref<4x4xf32, #shared>) {
  tile.reduce max %x into %y dim 0
    : memref<4xf32, #column, #shared> into memref<1xf32, #shared>
  tile.reduce max %z into %x dim 1
    : memref<4x4xf32, #shared> into memref<4xf32, #column, #shared>
  return
}

// A slice that keeps the reduced dimension is seen without it.
// CHECK-LABEL: @kept
// CHECK-SAME:    %{{.*}}: memref<3x8xf32, {{.*}}, %[[Y:.*]]: memref<3x1xi32
// CHECK:         %[[Z:.*]] = memref.subview %[[Y]][0, 0] [3, 1] [1, 1] : {{.*}} to memref<3xi32, strided<[32], offset: 8>
// CHECK:         scf.for %[[I:.*]] = %c0 to %c3 step %c1
// CHECK:           memref.store %{{.*}}, %[[Z]][%[[I]]]
func.func @kept(%x: memref<3x8xf32, #shared>, %y: memref<3x1xi32, #block, #shared>) {
  tile.reduce argmin %x into %y dim 1
    : memref<3x8xf32, #shared> into memref<3x1xi32, #block, #shared>
  return
}
