// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that have forms for few rows, and one for any number.
//
// RUN: %tilewright-opt %s --cpu-specialize-sizes --canonicalize --cse --split-input-file | FileCheck %s
// RUN: %tilewright-opt %s --cpu-specialize-sizes --cpu-fit-tiles --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=FIT
// RUN: %tilewright-opt %s --cpu-specialize-sizes --split-input-file -o /dev/null --verify-diagnostics

// Rows of a product. For few of them the grid has one block of rows, and tiles have eight.
// CHECK-LABEL: @rows
// CHECK:         %[[M:.*]] = memref.dim %arg2, %c0
// CHECK:         %[[SOME:.*]] = arith.cmpi sge, %[[M]], %c1
// CHECK:         %[[NOT_MANY:.*]] = arith.cmpi sle, %[[M]], %c8
// CHECK:         %[[FEW:.*]] = arith.andi %[[SOME]], %[[NOT_MANY]]
// CHECK:         scf.if %[[FEW]] {
// CHECK-NEXT:      tile.kernel (%{{.*}}, %{{.*}}) in (%c2, %c1) threads(128)
// CHECK:         } else {
// CHECK:           scf.if
// CHECK-NEXT:        tile.kernel (%{{.*}}, %{{.*}}) in (%c2, %c1) threads(128)
// CHECK:           } else {
// CHECK-NEXT:        tile.kernel (%{{.*}}, %{{.*}}) in (%c2, %[[BLOCKS:.*]]) threads(128)
// FIT-LABEL:   @rows
// FIT:           tile.alloc "a" : memref<8x32xf32
// FIT:           tile.alloc "b" : memref<32x64xf32
// FIT:           tile.alloc "c" : memref<8x64xf32
// FIT:         } else {
// FIT:           tile.alloc "a" : memref<16x32xf32
// FIT:         } else {
// FIT:           tile.alloc "a" : memref<128x32xf32
!x = memref<?x32xf32, #tile.space<global>>
!w = memref<32x128xf32, #tile.space<global>>
!y = memref<?x128xf32, #tile.space<global>>
!a = memref<128x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<128x64xf32, #tile.space<fragment>>
func.func @rows(%X: !x, %W: !w, %Y: !y) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  %c127 = arith.constant 127 : index
  %c128 = arith.constant 128 : index
  %m = memref.dim %Y, %c0 : !y
  %padded = arith.addi %m, %c127 : index
  %blocks = arith.divui %padded, %c128 : index
  // expected-remark @+2 {{has a form of its own for 1 to 8 of a tile's 128 rows or columns}}
  // expected-remark @+1 {{has a form of its own for 1 to 16 of a tile's 128 rows or columns}}
  tile.kernel (%bx, %by) in (%c2, %blocks) threads(128) {
    %column = arith.muli %bx, %c64 : index
    %row = arith.muli %by, %c128 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][128, 32] to %a[0, 0][128, 32] : !x to !a
    tile.copy %W[0, %column][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.copy %c[0, 0][128, 64] to %Y[%row, %column][128, 64] : !c to !y
  }
  return
}

// -----

// Two tensors, both of which have to be few. That the grid is one block is not known.
// CHECK-LABEL: @both
// CHECK-DAG:     memref.dim %arg2, %c0
// CHECK-DAG:     memref.dim %arg3, %c0
// CHECK:         scf.if
// CHECK-NEXT:      tile.kernel (%{{.*}}) in (%arg4)
// CHECK:         } else {
// CHECK:           scf.if
// CHECK-NEXT:        tile.kernel (%{{.*}}) in (%arg4)
// CHECK:           } else {
// CHECK-NEXT:        tile.kernel (%{{.*}}) in (%arg4)
!x = memref<?x32xf32, #tile.space<global>>
!w = memref<32x64xf32, #tile.space<global>>
!y = memref<?x64xf32, #tile.space<global>>
!s = memref<?xf32, #tile.space<global>>
!a = memref<32x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<32x64xf32, #tile.space<fragment>>
!sum = memref<32xf32, #tile.space<fragment>>
func.func @both(%X: !x, %W: !w, %Y: !y, %S: !s, %blocks: index) {
  %c32 = arith.constant 32 : index
  // expected-remark @+2 {{for 1 to 8 of a tile's 32}}
  // expected-remark @+1 {{for 1 to 16 of a tile's 32}}
  tile.kernel (%by) in (%blocks) {
    %row = arith.muli %by, %c32 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    %s = tile.alloc "s" : !sum
    tile.copy %X[%row, 0][32, 32] to %a[0, 0][32, 32] : !x to !a
    tile.copy %W[0, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.reduce sum %c into %s dim 1 : !c into !sum
    tile.copy %c[0, 0][32, 64] to %Y[%row, 0][32, 64] : !c to !y
    tile.copy %s[0][32] to %S[%row][32] : !sum to !s
  }
  return
}
