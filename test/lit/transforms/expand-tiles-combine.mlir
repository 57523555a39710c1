// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions and scans: a loop over the dimension for each result.
// RUN: %tilewright-opt %s --expand-tiles --canonicalize | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// Narrow floats are added in f32 and rounded once.
// CHECK-LABEL: @reduce(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[M:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 16) {
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c8 step %c1 iter_args(%[[ACC:.*]] = %cst) -> (f32) {
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[S]][%[[I]], %[[K]], %[[J]]]
// CHECK-NEXT:        %[[C:.*]] = tile.cast %[[E]] : f16 to f32
// CHECK-NEXT:        %[[SUM:.*]] = arith.addf %[[ACC]], %[[C]]
// CHECK-NEXT:        scf.yield %[[SUM]]
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[C2:.*]] = tile.cast %[[LAST]] : f32 to f16
// CHECK-NEXT:      memref.store %[[C2]], %[[M]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
func.func @reduce(%s: memref<4x8x16xf16, #fragment>, %m: memref<4x16xf16, #fragment>) {
  tile.reduce sum %s into %m dim 1
    : memref<4x8x16xf16, #fragment> into memref<4x16xf16, #fragment>
  return
}

// The former value takes part; an extremum that is infinite stays so.
// CHECK-LABEL: @reduce_on(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[M:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (1) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[M]][%c0]
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[E]] : f8E4M3FN to f32
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c16 step %c1 iter_args(%[[ACC:.*]] = %[[C]]) -> (f32) {
// CHECK-NEXT:        %[[E2:.*]] = memref.load %[[S]][%[[K]]]
// CHECK-NEXT:        %[[C2:.*]] = tile.cast %[[E2]] : f8E4M3FN to f32
// CHECK-NEXT:        %[[MAX:.*]] = arith.maximumf %[[ACC]], %[[C2]]
// CHECK-NEXT:        scf.yield %[[MAX]]
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[C3:.*]] = tile.cast %[[LAST]] keep_infinity : f32 to f8E4M3FN
// CHECK-NEXT:      memref.store %[[C3]], %[[M]][%c0]
// CHECK-NEXT:    }
func.func @reduce_on(%s: memref<16xf8E4M3FN, #fragment>, %m: memref<1xf8E4M3FN, #fragment>) {
  tile.reduce max %s into %m dim 0 accumulate
    : memref<16xf8E4M3FN, #fragment> into memref<1xf8E4M3FN, #fragment>
  return
}

// CHECK-LABEL: @reduce_any(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[M:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (4) {
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c8 step %c1 iter_args(%[[ACC:.*]] = %c0_i8) -> (i8) {
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[S]][%[[I]], %[[K]]]
// CHECK-NEXT:        %[[C:.*]] = tile.cast %[[E]] : f32 to i1
// CHECK-NEXT:        %[[C2:.*]] = tile.cast %[[C]] : i1 to i8
// CHECK-NEXT:        %[[V:.*]] = arith.ori %[[ACC]], %[[C2]]
// CHECK-NEXT:        scf.yield %[[V]]
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[LAST]], %[[M]][%[[I]], %c0]
// CHECK-NEXT:    }
func.func @reduce_any(%s: memref<4x8xf32, #fragment>, %m: memref<4x1xi8, #fragment>) {
  tile.reduce any %s into %m dim 1
    : memref<4x8xf32, #fragment> into memref<4x1xi8, #fragment>
  return
}

// CHECK-LABEL: @reduce_by(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[M:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (4) {
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c8 step %c1 iter_args(%[[ACC:.*]] = %c1_i32) -> (i32) {
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[S]][%[[I]], %[[K]]]
// CHECK-NEXT:        %[[V:.*]] = arith.muli %[[ACC]], %[[E]]
// CHECK-NEXT:        scf.yield %[[V]]
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[LAST]], %[[M]][%[[I]]]
// CHECK-NEXT:    }
func.func @reduce_by(%s: memref<4x8xi32, #fragment>, %m: memref<4xi32, #fragment>) {
  %one = arith.constant 1 : i32
  tile.reduce %s into %m dim 1
    : memref<4x8xi32, #fragment> into memref<4xi32, #fragment>
    combine(%x: i32, %y: i32) identity %one {
      %product = arith.muli %x, %y : i32
      tile.yield %product : i32
    }
  return
}

// Keys are integers in the order of the elements, NaN above all; the first of equals stays.
// CHECK-LABEL: @argmin(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[M:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (4) {
// CHECK-NEXT:      %[[LAST:.*]]:2 = scf.for %[[K:.*]] = %c0 to %c8 step %c1 iter_args(%[[ACC:.*]] = %c-2147483648_i32, %[[ACC2:.*]] = %c0_i32) -> (i32, i32) {
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[S]][%[[I]], %[[K]]]
// CHECK-NEXT:        %[[SUM:.*]] = arith.addf %[[E]], %cst
// CHECK-NEXT:        %[[V:.*]] = arith.bitcast %[[SUM]] : f32 to i32
// CHECK-NEXT:        %[[V2:.*]] = arith.shrsi %[[V]], %c31_i32
// CHECK-NEXT:        %[[V3:.*]] = arith.andi %[[V2]], %c2147483647_i32
// CHECK-NEXT:        %[[V4:.*]] = arith.xori %[[V]], %[[V3]]
// CHECK-NEXT:        %[[V5:.*]] = arith.xori %[[V4]], %c-1_i32
// CHECK-NEXT:        %[[IS:.*]] = arith.cmpf uno, %[[E]], %[[E]]
// CHECK-NEXT:        %[[V6:.*]] = arith.select %[[IS]], %c2147483647_i32, %[[V5]]
// CHECK-NEXT:        %[[IS2:.*]] = arith.cmpi sgt, %[[V6]], %[[ACC]]
// CHECK-NEXT:        %[[N:.*]] = arith.index_cast %[[K]] : index to i32
// CHECK-NEXT:        %[[V7:.*]] = arith.select %[[IS2]], %[[V6]], %[[ACC]]
// CHECK-NEXT:        %[[V8:.*]] = arith.select %[[IS2]], %[[N]], %[[ACC2]]
// CHECK-NEXT:        scf.yield %[[V7]], %[[V8]]
// CHECK-NEXT:      }
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[LAST]]#1 : i32 to i64
// CHECK-NEXT:      memref.store %[[C]], %[[M]][%[[I]]]
// CHECK-NEXT:    }
func.func @argmin(%s: memref<4x8xf32, #fragment>, %m: memref<4xi64, #fragment>) {
  tile.reduce argmin %s into %m dim 1
    : memref<4x8xf32, #fragment> into memref<4xi64, #fragment>
  return
}

// In place: an element is read before it is written, and the sum goes on in f32.
// CHECK-LABEL: @scan(
// CHECK-SAME:    %[[X:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (4) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[X]][%[[I]], %c0]
// CHECK-NEXT:      %[[C:.*]] = tile.cast %[[E]] : f16 to f32
// CHECK-NEXT:      memref.store %[[E]], %[[X]][%[[I]], %c0]
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c1 to %c64 step %c1 iter_args(%[[ACC:.*]] = %[[C]]) -> (f32) {
// CHECK-NEXT:        %[[E2:.*]] = memref.load %[[X]][%[[I]], %[[K]]]
// CHECK-NEXT:        %[[C3:.*]] = tile.cast %[[E2]] : f16 to f32
// CHECK-NEXT:        %[[SUM:.*]] = arith.addf %[[ACC]], %[[C3]]
// CHECK-NEXT:        %[[C4:.*]] = tile.cast %[[SUM]] : f32 to f16
// CHECK-NEXT:        memref.store %[[C4]], %[[X]][%[[I]], %[[K]]]
// CHECK-NEXT:        scf.yield %[[SUM]]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @scan(%x: memref<4x64xf16, #shared>) {
  tile.scan sum %x into %x dim 1
    : memref<4x64xf16, #shared> into memref<4x64xf16, #shared>
  return
}

// CHECK-LABEL: @scan_back(
// CHECK-SAME:    %[[X:[^ :]+]]: {{.*}}%[[Y:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (1) {
// CHECK-NEXT:      %[[LAST:.*]] = scf.for %[[K:.*]] = %c0 to %c64 step %c1 iter_args(%[[ACC:.*]] = %c0_i32) -> (i32) {
// CHECK-NEXT:        %[[V:.*]] = arith.subi %c63, %[[K]]
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[X]][%[[V]]]
// CHECK-NEXT:        memref.store %[[ACC]], %[[Y]][%[[V]]]
// CHECK-NEXT:        %[[MAX:.*]] = arith.maxui %[[ACC]], %[[E]]
// CHECK-NEXT:        scf.yield %[[MAX]]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @scan_back(%x: memref<64xi32, #shared>, %y: memref<64xi32, #shared>) {
  tile.scan max %x into %y dim 0 reverse exclusive unsigned
    : memref<64xi32, #shared> into memref<64xi32, #shared>
  return
}
