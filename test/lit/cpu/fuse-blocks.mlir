// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks with small tiles that become one.
//
// RUN: %tilewright-opt %s --cpu-fuse-blocks --canonicalize --cse --split-input-file | FileCheck %s
// RUN: %tilewright-opt %s --cpu-fuse-blocks --split-input-file -o /dev/null --verify-diagnostics

// Four blocks of 16 rows, of any number, and two of 32 columns. A row's number is used in a
// loop as well. Where there are no more than 16 rows they are one block as they are.
// CHECK-LABEL: @both
// CHECK:         arith.cmpi sle, %{{.*}}, %c16
// CHECK:         scf.if
// CHECK-NEXT:      tile.kernel (%{{.*}}, %{{.*}}) in (%c16, %c1)
// CHECK:             tile.alloc "a" : memref<16x32xf32
// CHECK:             tile.alloc "c" : memref<16x64xf32
// CHECK:         } else {
// CHECK:         %[[PADDED:.*]] = arith.addi %{{.*}}, %c3
// CHECK:         %[[ROWS:.*]] = arith.divui %[[PADDED]], %c4
// CHECK:         tile.kernel (%[[X:.*]], %[[Y:.*]]) in (%c16, %[[ROWS]])
// CHECK-DAG:       %[[ROW:.*]] = arith.muli %[[Y]], %c64
// CHECK-DAG:       %[[COLUMN:.*]] = arith.muli %[[X]], %c64
// CHECK-DAG:       tile.alloc "a" : memref<64x32xf32
// CHECK-DAG:       tile.alloc "b" : memref<32x64xf32
// CHECK-DAG:       tile.alloc "c" : memref<64x64xf32
// CHECK:           tile.copy %arg0[%[[ROW]], 0][64, 32]
// CHECK:           tile.copy %arg1[0, %[[COLUMN]]][32, 64]
// CHECK:           tile.parallel (%[[I:.*]], %[[J:.*]]) in (64, 64)
// CHECK:             arith.addi %[[ROW]], %[[I]]
// CHECK:           tile.copy %{{.*}}[0, 0][64, 64] to %arg2[%[[ROW]], %[[COLUMN]]][64, 64]
!x = memref<?x32xf32, #tile.space<global>>
!w = memref<32x1024xf32, #tile.space<global>>
!y = memref<?x1024xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x32xf32, #tile.space<shared>>
!c = memref<16x32xf32, #tile.space<fragment>>
func.func @both(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c15 = arith.constant 15 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %m = memref.dim %Y, %c0 : !y
  %padded = arith.addi %m, %c15 : index
  %blocks = arith.divui %padded, %c16 : index
  // expected-remark @+2 {{does 4 blocks of 16 rows or columns as one}}
  // expected-remark @+1 {{does 2 blocks of 32 rows or columns as one}}
  tile.kernel (%bx, %by) in (%c32, %blocks) {
    %column = arith.muli %bx, %c32 : index
    %row = arith.muli %by, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[0, %column][32, 32] to %b[0, 0][32, 32] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.parallel (%i, %j) in (16, 32) {
      %at = arith.addi %row, %i : index
      %diagonal = arith.addi %column, %j : index
      %above = arith.cmpi ult, %at, %diagonal : index
      %v = memref.load %c[%i, %j] : !c
      %masked = arith.select %above, %zero, %v : f32
      memref.store %masked, %c[%i, %j] : !c
    }
    tile.copy %c[0, 0][16, 32] to %Y[%row, %column][16, 32] : !c to !y
  }
  return
}

// -----

// Few rows read pieces of B's rows: longer ones, as long as there are blocks enough.
// CHECK-LABEL: @few_rows
// CHECK:         tile.kernel (%{{.*}}) in (%c16)
// CHECK:           tile.alloc "b" : memref<32x256xf32
!x = memref<8x32xf32, #tile.space<global>>
!w = memref<32x4096xf32, #tile.space<global>>
!y = memref<8x4096xf32, #tile.space<global>>
!a = memref<8x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<8x64xf32, #tile.space<fragment>>
func.func @few_rows(%X: !x, %W: !w, %Y: !y) {
  %c64 = arith.constant 64 : index
  // expected-remark @below {{does 4 blocks of 64 rows or columns as one}}
  tile.kernel (%bx) in (%c64) {
    %column = arith.muli %bx, %c64 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[0, 0][8, 32] to %a[0, 0][8, 32] : !x to !a
    tile.copy %W[0, %column][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.copy %c[0, 0][8, 64] to %Y[0, %column][8, 64] : !c to !y
  }
  return
}
