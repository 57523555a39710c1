// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows named by indices: one check for each row, then vectors as in a copy.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-lower-copy=vector-bits=256 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=NARROW

#global = #tile.space<global>
#shared = #tile.space<shared>

// A negative index is outside whatever the offset, and the fill takes the row's place.
// CHECK-LABEL: @rows
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32, {{.*}}, %[[IDS:.*]]: memref<16xi32, {{.*}}, %[[S:.*]]: memref<8x32xf32, {{.*}}, %[[FILL:.*]]: f32, %[[I0:.*]]: index
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// CHECK:           %[[AT:.*]] = arith.addi %[[I]], %c3
// CHECK:           %[[ID:.*]] = memref.load %[[IDS]][%[[AT]]]
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[ID]]
// CHECK:           %[[POSITIVE:.*]] = arith.cmpi sge, %[[ROW]], %c0
// CHECK:           %[[FROM:.*]] = arith.addi %[[I0]], %[[ROW]]
// CHECK:           %[[BELOW:.*]] = arith.cmpi ult, %[[FROM]], %{{.*}}
// CHECK:           %[[THERE:.*]] = arith.andi %[[POSITIVE]], %[[BELOW]]
// CHECK:           scf.if %[[THERE]] {
// CHECK:             %[[V:.*]] = vector.load %[[X]][%[[FROM]], %{{.*}}] : {{.*}}, vector<16xf32>
// CHECK:             vector.store %[[V]], %[[S]][%[[I]], %{{.*}}]
// CHECK:           } else {
// CHECK:             %[[INSTEAD:.*]] = vector.broadcast %[[FILL]] : f32 to vector<16xf32>
// CHECK-NOT:         load
// CHECK:             vector.store %[[INSTEAD]], %[[S]][%[[I]], %{{.*}}]
// NARROW-LABEL: @rows
// NARROW:         vector.load {{.*}}, vector<8xf32>
func.func @rows(%x: memref<?x64xf32, #global>, %ids: memref<16xi32, #shared>,
                %s: memref<8x32xf32, #shared>, %fill: f32, %i: index) {
  tile.gather %x[%i, 16][8, 32] axis 0 by %ids[3] to %s[0, 0][8, 32] fill %fill
    : memref<?x64xf32, #global>, memref<16xi32, #shared> to memref<8x32xf32, #shared>
  return
}

// The fill has the destination's type: it takes the place of what was cast. Without masks of
// 16 bits, elements are copied.
// CHECK-LABEL: @cast
// CHECK-SAME:    %[[FILL:[^ ]*]]: f32
// CHECK:         tile.cast %{{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK:         else
// CHECK:         %[[INSTEAD:.*]] = vector.broadcast %[[FILL]] : f32 to vector<16xf32>
// CHECK:         vector.store %[[INSTEAD]]
// NARROW-LABEL: @cast
// NARROW-SAME:    %[[FILL:[^ ]*]]: f32
// NARROW-NOT:     mask
// NARROW:         else
// NARROW-NEXT:      scf.for %[[J:.*]] = %c0 to %c32 step %c1
// NARROW-NEXT:        memref.store %[[FILL]], %{{.*}}[%{{.*}}, %[[J]]]
// NARROW-LABEL: @one
func.func @cast(%x: memref<?x64xbf16, #global>, %ids: memref<8xi64, #shared>, %fill: f32,
                %s: memref<8x32xf32, #shared>) {
  tile.gather %x[0, 16][8, 32] axis 0 by %ids[0] to %s[0, 0][8, 32] fill %fill
    : memref<?x64xbf16, #global>, memref<8xi64, #shared> to memref<8x32xf32, #shared>
  return
}

// One row by a run-time index: no loop over rows.
// CHECK-LABEL: @one
// CHECK-SAME:    %[[IDS:[^ ]*]]: memref<8xi32, {{.*}}, %[[I:.*]]: index
// CHECK-NOT:     scf.for
// CHECK:         memref.load %[[IDS]][%[[I]]]
// CHECK-NOT:     scf.for
// CHECK:         scf.if
func.func @one(%x: memref<?x64xf32, #global>, %s: memref<32xf32, #shared>, %fill: f32,
               %ids: memref<8xi32, #shared>, %i: index) {
  tile.gather %x[0, 16][1, 32] axis 0 by %ids[%i] to %s[0][32] fill %fill
    : memref<?x64xf32, #global>, memref<8xi32, #shared> to memref<32xf32, #shared>
  return
}

// Indices along the last dimension name elements.
// CHECK-LABEL: @columns
// CHECK-SAME:    %[[X:.*]]: memref<4x?xf32, {{.*}}, %[[IDS:.*]]: memref<8xi32, {{.*}}, %[[S:.*]]: memref<4x8xf32, {{.*}}, %[[FILL:.*]]: f32
// CHECK-NOT:     vector.
// CHECK:         scf.for %[[I:.*]] = %c0 to %c4 step %c1
// CHECK:           scf.for %[[J:.*]] = %c0 to %c8 step %c1
// CHECK:             memref.load %[[IDS]][%[[J]]]
// CHECK:             %[[COLUMN:.*]] = arith.index_cast
// CHECK:             %[[V:.*]] = scf.if %{{.*}} -> (f32) {
// CHECK:               memref.load %[[X]][%[[I]], %[[COLUMN]]]
// CHECK:             else
// CHECK-NEXT:          scf.yield %[[FILL]]
// CHECK:             memref.store %[[V]], %[[S]][%[[I]], %[[J]]]
func.func @columns(%x: memref<4x?xf32, #global>, %ids: memref<8xi32, #shared>,
                   %s: memref<4x8xf32, #shared>, %fill: f32) {
  tile.gather %x[0, 0][4, 8] axis 1 by %ids[0] to %s[0, 0][4, 8] fill %fill
    : memref<4x?xf32, #global>, memref<8xi32, #shared> to memref<4x8xf32, #shared>
  return
}
