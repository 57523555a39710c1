// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products: a loop over K for each element of C, and ranks: a loop over the row for each
// element.
// RUN: %tilewright-opt %s --expand-tiles --canonicalize | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// CHECK-LABEL: @gemm(
// CHECK-SAME:    %[[A:[^ :]+]]: {{.*}}%[[B:[^ :]+]]: {{.*}}%[[C:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (16, 8) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[C]][%[[I]], %[[J]]]
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c32 step %c1 iter_args(%[[ACC:.*]] = %[[E]]) -> (f32) {
// CHECK-NEXT:        %[[E2:.*]] = memref.load %[[A]][%[[K]], %[[I]]]
// CHECK-NEXT:        %[[C2:.*]] = tile.cast %[[E2]] : bf16 to f32
// CHECK-NEXT:        %[[E3:.*]] = memref.load %[[B]][%[[J]], %[[K]]]
// CHECK-NEXT:        %[[SUM:.*]] = math.fma %[[C2]], %[[E3]], %[[ACC]]
// CHECK-NEXT:        scf.yield %[[SUM]]
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[LAST]], %[[C]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
func.func @gemm(%a: memref<32x16xbf16, #shared>, %b: memref<8x32xf32, #shared>,
                %c: memref<16x8xf32, #fragment>) {
  tile.gemm %a, %b into %c transpose_a transpose_b
    : memref<32x16xbf16, #shared>, memref<8x32xf32, #shared> into memref<16x8xf32, #fragment>
  return
}

// CHECK-LABEL: @gemm_of_integers(
// CHECK-SAME:    %[[A:[^ :]+]]: {{.*}}%[[B:[^ :]+]]: {{.*}}%[[C:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (16, 8) {
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c32 step %c1 iter_args(%[[ACC:.*]] = %c0_i32) -> (i32) {
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[A]][%[[I]], %[[K]]]
// CHECK-NEXT:        %[[C2:.*]] = tile.cast %[[E]] unsigned_source unsigned_result : i8 to i32
// CHECK-NEXT:        %[[E2:.*]] = memref.load %[[B]][%[[K]], %[[J]]]
// CHECK-NEXT:        %[[C3:.*]] = tile.cast %[[E2]] unsigned_source unsigned_result : i8 to i32
// CHECK-NEXT:        %[[V:.*]] = arith.muli %[[C2]], %[[C3]]
// CHECK-NEXT:        %[[V2:.*]] = arith.addi %[[ACC]], %[[V]]
// CHECK-NEXT:        scf.yield %[[V2]]
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[LAST]], %[[C]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
func.func @gemm_of_integers(%a: memref<16x32xi8, #shared>, %b: memref<32x8xi8, #shared>,
                            %c: memref<16x8xi32, #fragment>) {
  tile.gemm %a, %b into %c clear unsigned
    : memref<16x32xi8, #shared>, memref<32x8xi8, #shared> into memref<16x8xi32, #fragment>
  return
}

// An element goes where its rank says: how many come before it.
// CHECK-LABEL: @topk(
// CHECK-SAME:    %[[X:[^ :]+]]: {{.*}}%[[V:[^ :]+]]: {{.*}}%[[I:[^ :]+]]:
// CHECK:         tile.parallel (%[[I2:.*]], %[[J:.*]]) in (4, 64) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[X]][%[[I2]], %[[J]]]
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[E]] unsigned_source unsigned_result : i8 to i32
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c64 step %c1 iter_args(%[[ACC:.*]] = %c0_i32) -> (i32) {
// CHECK-NEXT:        %[[E2:.*]] = memref.load %[[X]][%[[I2]], %[[K]]]
// CHECK-NEXT:        %[[C2:.*]] = tile.cast %[[E2]] unsigned_source unsigned_result : i8 to i32
// CHECK-NEXT:        %[[IS:.*]] = arith.cmpi slt, %[[K]], %[[J]]
// CHECK-NEXT:        %[[IS2:.*]] = arith.cmpi eq, %[[C2]], %[[C]]
// CHECK-NEXT:        %[[V2:.*]] = arith.andi %[[IS2]], %[[IS]]
// CHECK-NEXT:        %[[IS3:.*]] = arith.cmpi sgt, %[[C2]], %[[C]]
// CHECK-NEXT:        %[[V3:.*]] = arith.ori %[[IS3]], %[[V2]]
// CHECK-NEXT:        %[[V4:.*]] = arith.extui %[[V3]] : i1 to i32
// CHECK-NEXT:        %[[V5:.*]] = arith.addi %[[ACC]], %[[V4]]
// CHECK-NEXT:        scf.yield %[[V5]]
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[IS4:.*]] = arith.cmpi slt, %[[LAST]], %c6_i32
// CHECK-NEXT:      scf.if %[[IS4]] {
// CHECK-NEXT:        %[[N:.*]] = arith.index_cast %[[LAST]] : i32 to index
// CHECK-NEXT:        memref.store %[[E]], %[[V]][%[[I2]], %[[N]]]
// CHECK-NEXT:        %[[C3:.*]] = tile.cast %[[J]] : index to i32
// CHECK-NEXT:        memref.store %[[C3]], %[[I]][%[[I2]], %[[N]]]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @topk(%x: memref<4x64xi8, #shared>, %v: memref<4x6xi8, #shared>,
                %i: memref<4x6xi32, #shared>) {
  tile.topk %x into %v, %i dim 1 unsigned
    : memref<4x64xi8, #shared> into memref<4x6xi8, #shared>, memref<4x6xi32, #shared>
  return
}
