// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of 2 KiB and more go from tensor to tensor as a whole. No other copy is emitted
// than those below.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse \
// RUN:   | FileCheck %s --implicit-check-not=memref.copy

#global = #tile.space<global>
#shared = #tile.space<shared>

// CHECK-LABEL: @rows
// CHECK-SAME:    %[[X:.*]]: memref<64x1024xf32, {{.*}}, %[[Y:.*]]: memref<4x8x512xf32
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// CHECK-NOT:       vector.load
// CHECK-DAG:       %[[ROW:.*]] = arith.addi %[[I]], %c16
// CHECK-DAG:       %[[FROM:.*]] = memref.subview %[[X]][%[[ROW]], 256] [1, 512] [1, 1] : {{.*}} to memref<512xf32, strided<[1], offset: ?>
// CHECK-DAG:       %[[TO:.*]] = memref.subview %[[Y]][2, %[[I]], 0] [1, 1, 512] [1, 1, 1] : {{.*}} to memref<512xf32, strided<[1], offset: ?>
// CHECK:           memref.copy %[[FROM]], %[[TO]]
// CHECK-NOT:       vector.store
// CHECK:         return
func.func @rows(%x: memref<64x1024xf32, #global>, %y: memref<4x8x512xf32, #global>) {
  tile.copy %x[16, 256][8, 512] to %y[2, 0, 0][1, 8, 512]
    : memref<64x1024xf32, #global> to memref<4x8x512xf32, #global>
  return
}

// Bytes count, not elements. A row that meets an edge is not whole.
// CHECK-LABEL: @edge
// CHECK-SAME:    %[[X:.*]]: memref<64x?xi8, {{.*}}, %[[Y:.*]]: memref<8x2048xi8
// CHECK:         scf.if
// CHECK:           %[[FROM:.*]] = memref.subview %[[X]]{{.*}} to memref<2048xi8, strided<[1], offset: ?>
// CHECK:           memref.copy %[[FROM]], %{{.*}}
// CHECK:         } else {
// CHECK:           vector.maskedload %[[X]]
func.func @edge(%x: memref<64x?xi8, #global>, %y: memref<8x2048xi8, #global>, %j: index) {
  tile.copy %x[0, %j][8, 2048] to %y[0, 0][8, 2048]
    : memref<64x?xi8, #global> to memref<8x2048xi8, #global>
  return
}

// Gathered rows too; those that are out of range are filled.
// CHECK-LABEL: @gather
// CHECK-SAME:    %[[X:.*]]: memref<?x512xf32, {{.*}}, %[[IDS:.*]]: memref<8xi32, {{.*}}, %[[Y:.*]]: memref<8x512xf32
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// CHECK:           %[[ID:.*]] = memref.load %[[IDS]][%[[I]]]
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[ID]]
// CHECK:           scf.if
// CHECK-DAG:         %[[FROM:.*]] = memref.subview %[[X]][%[[ROW]], 0] [1, 512] [1, 1]
// CHECK-DAG:         %[[TO:.*]] = memref.subview %[[Y]][%[[I]], 0] [1, 512] [1, 1]
// CHECK:             memref.copy %[[FROM]], %[[TO]]
// CHECK:           } else {
// CHECK:             vector.maskedstore %[[Y]]
func.func @gather(%x: memref<?x512xf32, #global>, %ids: memref<8xi32, #shared>,
                  %y: memref<8x512xf32, #global>, %fill: f32) {
  tile.gather %x[0, 0][8, 512] axis 0 by %ids[0] to %y[0, 0][8, 512] fill %fill
    : memref<?x512xf32, #global>, memref<8xi32, #shared> to memref<8x512xf32, #global>
  return
}

// Shorter rows, rows that are cast, and those of tiles go by vectors; rows whose elements
// lie apart by elements.
// CHECK-LABEL: @others
// CHECK:         vector.store %{{.*}}, vector<16xf32>
// CHECK:         tile.cast
// CHECK:         vector.store %{{.*}}, vector<16xbf16>
// CHECK:         vector.store %{{.*}}, vector<16xf32>
// CHECK:         vector.store %{{.*}}, vector<16xf32>
// CHECK:         memref.store
func.func @others(%x: memref<64x1024xf32, #global>, %y: memref<64x1024xf32, #global>,
                  %z: memref<64x1024xbf16, #global>, %s: memref<8x1024xf32, #shared>,
                  %w: memref<64x1024xf32, strided<[2048, 2]>, #global>) {
  tile.copy %x[0, 0][8, 511] to %y[0, 0][8, 511]
    : memref<64x1024xf32, #global> to memref<64x1024xf32, #global>
  tile.copy %x[0, 0][8, 1024] to %z[0, 0][8, 1024]
    : memref<64x1024xf32, #global> to memref<64x1024xbf16, #global>
  tile.copy %x[0, 0][8, 1024] to %s[0, 0][8, 1024]
    : memref<64x1024xf32, #global> to memref<8x1024xf32, #shared>
  tile.copy %s[0, 0][8, 1024] to %y[0, 0][8, 1024]
    : memref<8x1024xf32, #shared> to memref<64x1024xf32, #global>
  tile.copy %x[0, 0][8, 1024] to %w[0, 0][8, 1024]
    : memref<64x1024xf32, #global> to memref<64x1024xf32, strided<[2048, 2]>, #global>
  return
}
