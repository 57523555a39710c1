// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles that become as small as the tensors they go to.
//
// RUN: %tilewright-opt %s --cpu-fit-tiles --canonicalize --cse --split-input-file | FileCheck %s
// RUN: %tilewright-opt %s --cpu-fit-tiles --split-input-file -o /dev/null --verify-diagnostics

// Of 128 columns 30 exist, of which 32 are made; rows are of any number.
// CHECK-LABEL: @columns
// CHECK:         tile.alloc "a" : memref<128x32xf32
// CHECK:         tile.alloc "b" : memref<32x32xf32
// CHECK:         tile.alloc "c" : memref<128x32xf32
// CHECK:         tile.copy %arg0[%{{.*}}, %{{.*}}][128, 32]
// CHECK:         tile.copy %arg1[%[[K:.*]], %[[N:.*]]][32, 32] to
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (128, 32)
// CHECK:         tile.copy %{{.*}}[0, 0][128, 32] to %arg2[%{{.*}}, %[[N]]][128, 32]
!x = memref<?x4096xf32, #tile.space<global>>
!w = memref<4096x30xf32, #tile.space<global>>
!y = memref<?x30xf32, #tile.space<global>>
!a = memref<128x32xf32, #tile.space<shared>>
!b = memref<32x128xf32, #tile.space<shared>>
!c = memref<128x128xf32, #tile.space<fragment>>
func.func @columns(%X: !x, %W: !w, %Y: !y, %blocks: index) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  // expected-remark @below {{computes 32 of a tile's 128 rows or columns: its tensors have no more}}
  tile.kernel (%bx, %by) in (%c1, %blocks) {
    %column = arith.muli %bx, %c128 : index
    %row = arith.muli %by, %c128 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c128 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[%row, %at][128, 32] to %a[0, 0][128, 32] : !x to !a
      tile.copy %W[%at, %column][32, 128] to %b[0, 0][32, 128] : !w to !b
      tile.gemm %a, %b into %c : !a, !b into !c
    }
    tile.parallel (%i, %j) in (128, 128) {
      %v = memref.load %c[%i, %j] : !c
      %d = arith.addf %v, %v : f32
      memref.store %d, %c[%i, %j] : !c
    }
    tile.copy %c[0, 0][128, 128] to %Y[%row, %column][128, 128] : !c to !y
  }
  return
}

// -----

// Elements that a loop stores, at its variables and behind them: few rows, a power of two;
// columns a multiple of sixteen.
// CHECK-LABEL: @elements
// CHECK:         tile.alloc "c" : memref<4x48xf32
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 48)
// CHECK:           %[[COLUMN:.*]] = arith.addi %[[J]], %{{.*}}
// CHECK:           tile.store %{{.*}}, %arg1[%[[I]], %[[COLUMN]]]
!x = memref<3x40xf32, #tile.space<global>>
!c = memref<64x128xf32, #tile.space<fragment>>
func.func @elements(%X: !x, %Y: !x) {
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  // expected-remark @+2 {{computes 4 of a tile's 64 rows or columns: its tensors have no more}}
  // expected-remark @+1 {{computes 48 of a tile's 128 rows or columns: its tensors have no more}}
  tile.kernel (%bx) in (%c1) {
    %first = arith.muli %bx, %c128 : index
    %c = tile.alloc "c" : !c
    tile.copy %X[0, %first][64, 128] to %c[0, 0][64, 128] : !x to !c
    tile.parallel (%i, %j) in (64, 128) {
      %column = arith.addi %j, %first : index
      %v = memref.load %c[%i, %j] : !c
      tile.store %v, %Y[%i, %column] : !x
    }
  }
  return
}
