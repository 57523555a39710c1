// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Single accesses: guards become branches, atomics become atomics.
// RUN: %tilewright-opt %s --lower-access | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// Each index that may be outside is compared, as unsigned, so that a negative one is too
// large. Outside is zero, and memory is not touched.
// CHECK-LABEL: @guarded
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32, {{.*}}, %[[I:.*]]: index, %[[J:.*]]: index
// CHECK:         %[[M:.*]] = memref.dim %[[X]], %c0
// CHECK:         %[[ROW:.*]] = arith.cmpi ult, %[[I]], %[[M]]
// CHECK:         %[[N:.*]] = memref.dim %[[X]], %c1
// CHECK:         %[[COLUMN:.*]] = arith.cmpi ult, %[[J]], %[[N]]
// CHECK:         %[[IN:.*]] = arith.andi %[[ROW]], %[[COLUMN]]
// CHECK:         %[[V:.*]] = scf.if %[[IN]] -> (f32) {
// CHECK-NEXT:      %[[READ:.*]] = memref.load %[[X]][%[[I]], %[[J]]]
// CHECK-NEXT:      scf.yield %[[READ]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:      scf.yield %[[ZERO]]
// CHECK:         %[[M2:.*]] = memref.dim %[[X]], %{{.*}}
// CHECK-NEXT:    %[[IN2:.*]] = arith.cmpi ult, %[[J]], %[[M2]]
// CHECK-NEXT:    scf.if %[[IN2]] {
// CHECK-NEXT:      memref.store %[[V]], %[[X]][%[[J]], %[[I]]]
// CHECK-NEXT:    }
func.func @guarded(%x: memref<?x64xf32, #global>, %i: index, %j: index) {
  %v = tile.load %x[%i, %j] : memref<?x64xf32, #global>
  tile.store %v, %x[%j, %i] inbounds [false, true] : memref<?x64xf32, #global>
  return
}

// An element of 4 bits is read from its half of a byte. It is written by clearing that half
// and setting it, each indivisibly: another thread may be writing the other one.
// CHECK-LABEL: @pairs
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf4E2M1FN, {{.*}}, %[[I:.*]]: index, %[[J:.*]]: index
// CHECK:         %[[BYTE:.*]] = arith.shrui %[[J]], %c1
// CHECK:         %[[BYTES:.*]] = tile.pairs %[[X]]
// CHECK:         %[[PAIR:.*]] = memref.load %[[BYTES]][%[[I]], %[[BYTE]]]
// CHECK:         %[[HALF:.*]] = arith.shrui %[[PAIR]], %{{.*}} : i8
// CHECK:         %[[CODE:.*]] = arith.trunci %[[HALF]] : i8 to i4
// CHECK:         arith.bitcast %[[CODE]] : i4 to f4E2M1FN
// CHECK:         memref.atomic_rmw andi %{{.*}}, %{{.*}}[%[[J]], %{{.*}}]
// CHECK:         memref.atomic_rmw ori %{{.*}}, %{{.*}}[%[[J]], %{{.*}}]
func.func @pairs(%x: memref<?x64xf4E2M1FN, #global>, %i: index, %j: index) {
  %v = tile.load %x[%i, %j] inbounds [true, true] : memref<?x64xf4E2M1FN, #global>
  tile.store %v, %x[%j, %i] inbounds [true, true] : memref<?x64xf4E2M1FN, #global>
  return
}

// CHECK-LABEL: @inside
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32, {{.*}}, %[[I:.*]]: index, %[[J:.*]]: index
// CHECK-NEXT:    %[[V:.*]] = memref.load %[[X]][%[[I]], %[[J]]]
// CHECK-NEXT:    memref.store %[[V]], %[[X]][%[[J]], %[[I]]]
// CHECK-NEXT:    return
func.func @inside(%x: memref<?x64xf32, #global>, %i: index, %j: index) {
  %v = tile.load %x[%i, %j] inbounds [true, true] : memref<?x64xf32, #global>
  tile.store %v, %x[%j, %i] inbounds [true, true] : memref<?x64xf32, #global>
  return
}

// CHECK-LABEL: @atomics
// CHECK:         memref.atomic_rmw addi %{{.*}} : (i32, memref<?xi32
// CHECK:         memref.atomic_rmw maxs
// CHECK:         memref.atomic_rmw maxu
// CHECK:         memref.atomic_rmw mins
// CHECK:         memref.atomic_rmw minu
// CHECK:         memref.atomic_rmw andi
// CHECK:         memref.atomic_rmw ori
// CHECK:         memref.atomic_rmw xori
// CHECK:         memref.atomic_rmw addf %{{.*}} : (f32, memref<?xf32
// CHECK:         memref.atomic_rmw maximumf
// CHECK:         memref.atomic_rmw minimumf
func.func @atomics(%x: memref<?xi32, #global>, %v: i32, %y: memref<?xf32, #global>, %w: f32,
                   %i: index) {
  %0 = tile.atomic sum %v, %x[%i] inbounds [true] : memref<?xi32, #global>
  %1 = tile.atomic max %v, %x[%i] inbounds [true] : memref<?xi32, #global>
  %2 = tile.atomic max %v, %x[%i] inbounds [true] unsigned : memref<?xi32, #global>
  %3 = tile.atomic min %v, %x[%i] inbounds [true] : memref<?xi32, #global>
  %4 = tile.atomic min %v, %x[%i] inbounds [true] unsigned : memref<?xi32, #global>
  %5 = tile.atomic bitand %v, %x[%i] inbounds [true] : memref<?xi32, #global>
  %6 = tile.atomic bitor %v, %x[%i] inbounds [true] : memref<?xi32, #global>
  %7 = tile.atomic bitxor %v, %x[%i] inbounds [true] : memref<?xi32, #global>
  %8 = tile.atomic sum %w, %y[%i] inbounds [true] : memref<?xf32, #global>
  %9 = tile.atomic max %w, %y[%i] inbounds [true] : memref<?xf32, #global>
  %10 = tile.atomic min %w, %y[%i] inbounds [true] : memref<?xf32, #global>
  return
}

// Outside the shape nothing is written and the former value is zero.
// CHECK-LABEL: @guarded_atomic
// CHECK:         %[[IN:.*]] = arith.cmpi ult
// CHECK:         %[[FORMER:.*]] = scf.if %[[IN]] -> (i32) {
// CHECK-NEXT:      %[[R:.*]] = memref.atomic_rmw addi
// CHECK-NEXT:      scf.yield %[[R]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-NEXT:      scf.yield %[[ZERO]]
// CHECK:         return %[[FORMER]]
func.func @guarded_atomic(%x: memref<?xi32, #global>, %v: i32, %i: index) -> i32 {
  %former = tile.atomic sum %v, %x[%i] : memref<?xi32, #global>
  return %former : i32
}

// A block's own tile is seen by its one thread alone. Bytes of float combine in f32.
// CHECK-LABEL: @shared
// CHECK-SAME:    %[[X:.*]]: memref<16xi32, {{.*}}, %[[V:.*]]: i32, %[[Y:.*]]: memref<16xf8E4M3FN, {{.*}}, %[[W:.*]]: f8E4M3FN, %[[I:.*]]: index
// CHECK-NEXT:    %[[FORMER:.*]] = memref.load %[[X]][%[[I]]]
// CHECK-NEXT:    %[[SUM:.*]] = arith.addi %[[FORMER]], %[[V]]
// CHECK-NEXT:    memref.store %[[SUM]], %[[X]][%[[I]]]
// CHECK:         %[[BYTE:.*]] = memref.load %[[Y]]
// CHECK-DAG:     %[[A:.*]] = tile.cast %[[BYTE]] : f8E4M3FN to f32
// CHECK-DAG:     %[[B:.*]] = tile.cast %[[W]] : f8E4M3FN to f32
// CHECK:         %[[MAX:.*]] = arith.maximumf %[[A]], %[[B]] : f32
// CHECK:         %[[R:.*]] = tile.cast %[[MAX]] keep_infinity : f32 to f8E4M3FN
// CHECK:         memref.store %[[R]], %[[Y]]
// CHECK:         return %[[FORMER]]
func.func @shared(%x: memref<16xi32, #shared>, %v: i32, %y: memref<16xf8E4M3FN, #shared>,
                  %w: f8E4M3FN, %i: index) -> i32 {
  %former = tile.atomic sum %v, %x[%i] inbounds [true] : memref<16xi32, #shared>
  %other = tile.atomic max %w, %y[%i] inbounds [true] : memref<16xf8E4M3FN, #shared>
  return %former : i32
}
