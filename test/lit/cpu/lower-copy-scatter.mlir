// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows stored where indices say: one check for each row, in the order of the rows, so that
// the last one with an index wins; then vectors as in a copy.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// A negative index is outside whatever the offset, and its row is left out.
// CHECK-LABEL: @rows
// CHECK-SAME:    %[[S:.*]]: memref<8x32xf32, {{.*}}, %[[IDS:.*]]: memref<16xi32, {{.*}}, %[[X:.*]]: memref<?x64xf32, {{.*}}, %[[I0:.*]]: index
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// CHECK:           %[[AT:.*]] = arith.addi %[[I]], %c3
// CHECK:           %[[ID:.*]] = memref.load %[[IDS]][%[[AT]]]
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[ID]]
// CHECK:           %[[POSITIVE:.*]] = arith.cmpi sge, %[[ROW]], %c0
// CHECK:           %[[TO:.*]] = arith.addi %[[I0]], %[[ROW]]
// CHECK:           %[[BELOW:.*]] = arith.cmpi ult, %[[TO]], %{{.*}}
// CHECK:           %[[THERE:.*]] = arith.andi %[[POSITIVE]], %[[BELOW]]
// CHECK:           scf.if %[[THERE]] {
// CHECK:             %[[V:.*]] = vector.load %[[S]][%[[I]], %{{.*}}] : {{.*}}, vector<16xf32>
// CHECK:             vector.store %[[V]], %[[X]][%[[TO]], %{{.*}}]
// CHECK-NOT:       else
// CHECK:         return
func.func @rows(%s: memref<8x32xf32, #shared>, %ids: memref<16xi32, #shared>,
                %x: memref<?x64xf32, #global>, %i: index) {
  tile.scatter %s[0, 0][8, 32] to %x[%i, 16][8, 32] axis 0 by %ids[3]
    : memref<8x32xf32, #shared> to memref<?x64xf32, #global>, memref<16xi32, #shared>
  return
}

// The edge of the other dimension is masked, and elements are cast.
// CHECK-LABEL: @edge
// CHECK:         scf.if
// CHECK:           vector.load {{.*}} vector<16xf32>
// CHECK:           tile.cast {{.*}} : vector<16xf32> to vector<16xbf16>
// CHECK:           vector.store
// CHECK:         else
// CHECK:           vector.maskedstore
func.func @edge(%s: memref<8x32xf32, #shared>, %ids: memref<8xi64, #shared>,
                %x: memref<100x?xbf16, #global>) {
  tile.scatter %s[0, 0][8, 32] to %x[0, 0][8, 32] axis 0 by %ids[0]
    : memref<8x32xf32, #shared> to memref<100x?xbf16, #global>, memref<8xi64, #shared>
  return
}

// One row, which the source has as a vector.
// CHECK-LABEL: @one
// CHECK-SAME:    %[[IDS:[^ ]*]]: memref<8xi32, {{.*}}, %[[I:.*]]: index
// CHECK-NOT:     scf.for
// CHECK:         memref.load %[[IDS]][%[[I]]]
// CHECK-NOT:     scf.for
// CHECK:         scf.if
func.func @one(%s: memref<32xf32, #shared>, %x: memref<100x64xf32, #global>,
               %ids: memref<8xi32, #shared>, %i: index) {
  tile.scatter %s[0][32] to %x[0, 16][1, 32] axis 0 by %ids[%i]
    : memref<32xf32, #shared> to memref<100x64xf32, #global>, memref<8xi32, #shared>
  return
}

// Indices along the last dimension name elements.
// CHECK-LABEL: @columns
// CHECK-SAME:    %[[S:.*]]: memref<4x8xf32, {{.*}}, %[[IDS:.*]]: memref<8xi32, {{.*}}, %[[X:.*]]: memref<4x50xf32
// CHECK-NOT:     vector.
// CHECK:         scf.for %[[I:.*]] = %c0 to %c4 step %c1
// CHECK:           scf.for %[[J:.*]] = %c0 to %c8 step %c1
// CHECK:             memref.load %[[IDS]][%[[J]]]
// CHECK:             %[[COLUMN:.*]] = arith.index_cast
// CHECK:             scf.if
// CHECK:               %[[V:.*]] = memref.load %[[S]][%[[I]], %[[J]]]
// CHECK:               memref.store %[[V]], %[[X]][%[[I]], %[[COLUMN]]]
func.func @columns(%s: memref<4x8xf32, #shared>, %ids: memref<8xi32, #shared>,
                   %x: memref<4x50xf32, #shared>) {
  tile.scatter %s[0, 0][4, 8] to %x[0, 0][4, 8] axis 1 by %ids[0]
    : memref<4x8xf32, #shared> to memref<4x50xf32, #shared>, memref<8xi32, #shared>
  return
}
