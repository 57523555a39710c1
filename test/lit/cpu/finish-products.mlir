// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The steps of a product begin with zeros and end in memory.
//
// RUN: %tilewright-opt %s --cpu-finish-products --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-finish-products --cpu-lower-gemm --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=LOOPS

#global = #tile.space<global>
#shared = #tile.space<shared>
!a = memref<64x32xf32, #shared>
!b = memref<32x64x1xf32, #shared>
!c = memref<64x64xf32, #tile.space<fragment>>
#atom = #cpu.atom<fma 6x64x1, f32 into f32, 512>

// The last step writes bf16, where all rows exist; the columns are shown to.
// CHECK-LABEL: @rounded
// CHECK-SAME:    %[[OUT:[a-z0-9]+]]: memref<?x64xbf16
// CHECK:         tile.kernel (%[[B:.*]]) in
// CHECK-NOT:       tile.fill
// CHECK:           %[[ROW:.*]] = arith.muli %[[B]], %c64
// CHECK:           %[[END:.*]] = arith.subi %{{.*}}, %c64
// CHECK:           %[[WHOLE:.*]] = arith.cmpi sle, %[[ROW]], %[[END]]
// CHECK:           %[[PART:.*]] = memref.subview %[[OUT]][%[[ROW]], 0] [64, 64] [1, 1]
// CHECK:           scf.for %[[K:.*]] = %c0 to %c8 step %c2 {
// CHECK-DAG:         %[[NEXT:.*]] = arith.addi %[[K]], %c2
// CHECK-DAG:         %[[FIRST:.*]] = arith.cmpi eq, %[[K]], %c0
// CHECK-DAG:         %[[ENDS:.*]] = arith.cmpi sge, %[[NEXT]], %c8
// CHECK:             %[[LAST:.*]] = arith.andi %[[ENDS]], %[[WHOLE]]
// CHECK:             cpu.gemm %{{.*}} into %{{.*}} first(%[[FIRST]]) last(%[[LAST]]) atom({{.*}}) {{.*}} out %[[PART]]
// CHECK:           scf.if %[[WHOLE]] {
// CHECK-NEXT:      } else {
// CHECK-NEXT:        tile.copy
// LOOPS-LABEL: @rounded
// LOOPS:           %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// LOOPS:           %{{.*}}:24 = scf.if %[[FIRST:.*]] -> (vector<16xf32>
// LOOPS-NEXT:        scf.yield %[[ZERO]], %[[ZERO]],
// LOOPS-NEXT:      } else {
// LOOPS-COUNT-24:    vector.load
// LOOPS:           scf.if %{{.*}} {
// LOOPS-NEXT:        tile.cast %{{.*}} : vector<16xf32> to vector<16xbf16>
// LOOPS-NEXT:        vector.store %{{.*}}, vector<16xbf16>
// LOOPS:           } else {
// LOOPS-NEXT:        vector.store %{{.*}} memref<64x64xf32
func.func @rounded(%out: memref<?x64xbf16, #global>, %a: !a, %b: !b, %n: index) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%i) in (%n) threads(128) {
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    scf.for %k = %c0 to %c8 step %c2 {
      cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    }
    %row = arith.muli %i, %c64 : index
    tile.copy %c[0, 0][64, 64] to %out[%row, 0][64, 64] : !c to memref<?x64xbf16, #global>
  }
  return
}

// Of a tensor with a dimension more, all of which exists: nothing is left to copy.
// CHECK-LABEL: @whole
// CHECK-NOT:     tile.copy
// CHECK:         return
func.func @whole(%out: memref<4x64x64xf32, #global>, %a: !a, %b: !b) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.kernel (%i) in (%c4) threads(128) {
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    scf.for %k = %c0 to %c4 step %c1 {
      cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    }
    tile.copy %c[0, 0][64, 64] to %out[%i, 0, 0][1, 64, 64] : !c to memref<4x64x64xf32, #global>
  }
  return
}
