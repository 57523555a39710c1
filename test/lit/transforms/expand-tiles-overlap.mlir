// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the result may lie in memory that other iterations read, the operand is copied
// first.
// RUN: %tilewright-opt %s --expand-tiles --canonicalize | FileCheck %s

#shared = #tile.space<shared>

// No iteration may write what another reads: the source is kept first.
// CHECK-LABEL: @parts_that_overlap(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[I:[^ :]+]]:
// CHECK:         %[[KEPT:.*]] = tile.alloc "kept" : memref<8xf32, #tile.space<shared>>
// CHECK-NEXT:    tile.parallel (%[[I2:.*]]) in (8) {
// CHECK-NEXT:      %[[V:.*]] = arith.addi %[[I]], %[[I2]]
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[S]][%[[V]]]
// CHECK-NEXT:      memref.store %[[E]], %[[KEPT]][%[[I2]]]
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.parallel (%[[I3:.*]]) in (8) {
// CHECK-NEXT:      %[[E2:.*]] = memref.load %[[KEPT]][%[[I3]]]
// CHECK-NEXT:      memref.store %[[E2]], %[[S]][%[[I3]]]
// CHECK-NEXT:    }
func.func @parts_that_overlap(%s: memref<9xf32, #shared>, %i: index) {
  tile.copy %s[%i][8] to %s[0][8] : memref<9xf32, #shared> to memref<9xf32, #shared>
  return
}

// CHECK-LABEL: @view(
// CHECK-SAME:    %[[S:[^ :]+]]:
// CHECK:         %[[VIEW:.*]] = tile.view %[[S]] : memref<4x8xf32, #tile.space<shared>> to memref<8x4xi32, #tile.space<shared>>
// CHECK-NEXT:    %[[KEPT:.*]] = tile.alloc "kept" : memref<2x4xf32, #tile.space<shared>>
// CHECK-NEXT:    tile.parallel (%[[I:.*]], %[[J:.*]]) in (2, 4) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[S]][%[[I]], %[[J]]]
// CHECK-NEXT:      memref.store %[[E]], %[[KEPT]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.parallel (%[[I2:.*]], %[[J2:.*]]) in (2, 4) {
// CHECK-NEXT:      %[[E2:.*]] = memref.load %[[KEPT]][%[[I2]], %[[J2]]]
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[E2]] : f32 to i32
// CHECK-NEXT:      memref.store %[[C]], %[[VIEW]][%[[I2]], %[[J2]]]
// CHECK-NEXT:    }
func.func @view(%s: memref<4x8xf32, #shared>) {
  %v = tile.view %s : memref<4x8xf32, #shared> to memref<8x4xi32, #shared>
  tile.copy %s[0, 0][2, 4] to %v[0, 0][2, 4]
    : memref<4x8xf32, #shared> to memref<8x4xi32, #shared>
  return
}

// CHECK-LABEL: @gather_in_place(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[IDS:[^ :]+]]: {{.*}}%[[FILL:[^ :]+]]:
// CHECK:         %[[KEPT:.*]] = tile.alloc "kept" : memref<8x4xf32, #tile.space<shared>>
// CHECK-NEXT:    tile.parallel (%[[I:.*]], %[[J:.*]]) in (8, 4) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[IDS]][%[[I]]]
// CHECK-NEXT:      %[[N:.*]] = arith.index_cast %[[E]] : i32 to index
// CHECK-NEXT:      %[[IS:.*]] = arith.cmpi ult, %[[N]], %c8
// CHECK-NEXT:      %[[CHOSEN:.*]] = scf.if %[[IS]] -> (f32) {
// CHECK-NEXT:        %[[E2:.*]] = memref.load %[[S]][%[[N]], %[[J]]]
// CHECK-NEXT:        scf.yield %[[E2]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %[[FILL]]
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[CHOSEN]], %[[KEPT]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.parallel (%[[I2:.*]], %[[J2:.*]]) in (8, 4) {
// CHECK-NEXT:      %[[E3:.*]] = memref.load %[[KEPT]][%[[I2]], %[[J2]]]
// CHECK-NEXT:      memref.store %[[E3]], %[[S]][%[[I2]], %[[J2]]]
// CHECK-NEXT:    }
func.func @gather_in_place(%s: memref<8x4xf32, #shared>, %ids: memref<8xi32, #shared>, %fill: f32) {
  tile.gather %s[0, 0][8, 4] axis 0 by %ids[0] to %s[0, 0][8, 4] fill %fill
    : memref<8x4xf32, #shared>, memref<8xi32, #shared> to memref<8x4xf32, #shared>
  return
}

// CHECK-LABEL: @sort(
// CHECK-SAME:    %[[X:[^ :]+]]: {{.*}}%[[I:[^ :]+]]:
// CHECK:         %[[KEPT:.*]] = tile.alloc "kept" : memref<8xi32, #tile.space<shared>>
// CHECK-NEXT:    tile.parallel (%[[I2:.*]]) in (8) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[X]][%[[I2]]]
// CHECK-NEXT:      memref.store %[[E]], %[[KEPT]][%[[I2]]]
// CHECK-NEXT:    }
// CHECK-NEXT:    tile.parallel (%[[I3:.*]]) in (8) {
// CHECK-NEXT:      %[[E2:.*]] = memref.load %[[KEPT]][%[[I3]]]
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c8 step %c1 iter_args(%[[ACC:.*]] = %c0_i32) -> (i32) {
// CHECK-NEXT:        %[[E3:.*]] = memref.load %[[KEPT]][%[[K]]]
// CHECK-NEXT:        %[[IS:.*]] = arith.cmpi slt, %[[K]], %[[I3]]
// CHECK-NEXT:        %[[IS2:.*]] = arith.cmpi eq, %[[E3]], %[[E2]]
// CHECK-NEXT:        %[[V:.*]] = arith.andi %[[IS2]], %[[IS]]
// CHECK-NEXT:        %[[IS3:.*]] = arith.cmpi sgt, %[[E3]], %[[E2]]
// CHECK-NEXT:        %[[V2:.*]] = arith.ori %[[IS3]], %[[V]]
// CHECK-NEXT:        %[[V3:.*]] = arith.extui %[[V2]] : i1 to i32
// CHECK-NEXT:        %[[V4:.*]] = arith.addi %[[ACC]], %[[V3]]
// CHECK-NEXT:        scf.yield %[[V4]]
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[N:.*]] = arith.index_cast %[[LAST]] : i32 to index
// CHECK-NEXT:      memref.store %[[E2]], %[[X]][%[[N]]]
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[I3]] : index to i32
// CHECK-NEXT:      memref.store %[[C]], %[[I]][%[[N]]]
// CHECK-NEXT:    }
func.func @sort(%x: memref<8xi32, #shared>, %i: memref<8xi32, #shared>) {
  tile.topk %x into %x, %i dim 0
    : memref<8xi32, #shared> into memref<8xi32, #shared>, memref<8xi32, #shared>
  return
}
