// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies and fills become parallel loops over their elements.
// RUN: %tilewright-opt %s --expand-tiles --canonicalize | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// CHECK-LABEL: @fill(
// CHECK-SAME:    %[[C:[^ :]+]]: {{.*}}%[[X:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 8) {
// CHECK-NEXT:      memref.store %[[X]], %[[C]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
func.func @fill(%c: memref<4x8xf32, #fragment>, %x: f32) {
  tile.fill %c, %x : memref<4x8xf32, #fragment>
  return
}

// Of unknown extents the last is walked in runs, the others one by one.
// CHECK-LABEL: @fill_of_unknown_size(
// CHECK-SAME:    %[[X:[^ :]+]]: {{.*}}%[[V:[^ :]+]]:
// CHECK:         %[[EXTENT:.*]] = memref.dim %[[X]], %c0
// CHECK-NEXT:    scf.for %[[K:.*]] = %c0 to %[[EXTENT]] step %c1 {
// CHECK-NEXT:      %[[EXTENT2:.*]] = memref.dim %[[X]], %c2
// CHECK-NEXT:      scf.for %[[K2:.*]] = %c0 to %[[EXTENT2]] step %c256 {
// CHECK-NEXT:        tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 256) {
// CHECK-NEXT:          %[[V2:.*]] = arith.addi %[[K2]], %[[J]]
// CHECK-NEXT:          tile.store %[[V]], %[[X]][%[[K]], %[[I]], %[[V2]]] inbounds [false, true, false]
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @fill_of_unknown_size(%x: memref<?x4x?xf32, #global>, %v: f32) {
  tile.fill %x, %v : memref<?x4x?xf32, #global>
  return
}

// A guard stays where constants do not show that the region lies inside.
// CHECK-LABEL: @copy_in(
// CHECK-SAME:    %[[A:[^ :]+]]: {{.*}}%[[I:[^ :]+]]: {{.*}}%[[S:[^ :]+]]:
// CHECK:         tile.parallel (%[[I2:.*]], %[[J:.*]]) in (64, 32) {
// CHECK-NEXT:      %[[V:.*]] = arith.addi %[[I]], %[[I2]]
// CHECK-NEXT:      %[[V2:.*]] = arith.addi %[[J]], %c32
// CHECK-NEXT:      %[[E:.*]] = tile.load %[[A]][%[[V]], %[[V2]]] inbounds [false, true]
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[E]] : f32 to bf16
// CHECK-NEXT:      memref.store %[[C]], %[[S]][%[[I2]], %[[J]]]
// CHECK-NEXT:    }
func.func @copy_in(%a: memref<?x64xf32, #global>, %i: index,
                   %s: memref<64x32xbf16, #shared>) {
  tile.copy %a[%i, 32][64, 32] to %s[0, 0][64, 32]
    : memref<?x64xf32, #global> to memref<64x32xbf16, #shared>
  return
}

// Dimensions of extent 1 are not walked.
// CHECK-LABEL: @copy_out(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[I:[^ :]+]]: {{.*}}%[[A:[^ :]+]]:
// CHECK:         tile.parallel (%[[I2:.*]]) in (32) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[S]][%[[I]], %c0, %[[I2]]]
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[E]] unsigned_source : i8 to f32
// CHECK-NEXT:      %[[V:.*]] = arith.addi %[[I2]], %c990
// CHECK-NEXT:      tile.store %[[C]], %[[A]][%[[I]], %[[V]]]
// CHECK-NEXT:    }
func.func @copy_out(%s: memref<2x1x32xi8, #shared>, %i: index, %a: memref<?x1000xf32, #global>) {
  tile.copy %s[%i, 0, 0][1, 1, 32] to %a[%i, 990][1, 32] unsigned
    : memref<2x1x32xi8, #shared> to memref<?x1000xf32, #global>
  return
}

// CHECK-LABEL: @copy_of_one(
// CHECK-SAME:    %[[A:[^ :]+]]: {{.*}}%[[S:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (1) {
// CHECK-NEXT:      %[[E:.*]] = tile.load %[[A]][%c3] inbounds [true]
// CHECK-NEXT:      memref.store %[[E]], %[[S]][%c2]
// CHECK-NEXT:    }
func.func @copy_of_one(%a: memref<8xf32, #global>, %s: memref<4xf32, #shared>) {
  tile.copy %a[3][1] to %s[2][1] : memref<8xf32, #global> to memref<4xf32, #shared>
  return
}

// CHECK-LABEL: @parts_apart(
// CHECK-SAME:    %[[S:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (8) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[S]][%c0, %[[I]]]
// CHECK-NEXT:      memref.store %[[E]], %[[S]][%c1, %[[I]]]
// CHECK-NEXT:    }
func.func @parts_apart(%s: memref<2x8xf32, #shared>) {
  tile.copy %s[0, 0][1, 8] to %s[1, 0][1, 8]
    : memref<2x8xf32, #shared> to memref<2x8xf32, #shared>
  return
}
