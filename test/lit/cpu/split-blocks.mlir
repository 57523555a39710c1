// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks of small grids that become several.
//
// RUN: %tilewright-opt %s --cpu-split-blocks --canonicalize --cse --split-input-file | FileCheck %s
// RUN: %tilewright-opt %s --cpu-split-blocks --split-input-file -o /dev/null --verify-diagnostics

// One block of 256 x 128 for eight cores: columns in two parts, then rows in two. Rows of A and
// columns of B are those of the part, K is as it was; the loop's variables are indices of the
// divided tile as they are, and with the part's first say where an element lies.
// CHECK-LABEL: @product
// CHECK:         tile.kernel (%{{.*}}, %[[COLUMNS:.*]], %[[ROWS:.*]]) in (%c1, %c2, %c2)
// CHECK:           %[[R:.*]] = arith.muli %[[ROWS]], %c128
// CHECK:           %[[N:.*]] = arith.muli %[[COLUMNS]], %c64
// CHECK:           tile.alloc "a" : memref<128x32xf32
// CHECK:           tile.alloc "b" : memref<32x64xf32
// CHECK:           tile.alloc "c" : memref<128x64xf32
// CHECK:           tile.alloc "bias" : memref<64xf32
// CHECK:           tile.copy %arg2[%[[N]]][64] to %{{.*}}[0][64]
// CHECK:           tile.pipelined %[[K:.*]] =
// CHECK:             %[[AT:.*]] = arith.muli %[[K]], %c32
// CHECK:             tile.copy %arg0[%[[R]], %[[AT]]][128, 32] to %{{.*}}[0, 0][128, 32]
// CHECK:             tile.copy %arg1[%[[AT]], %[[N]]][32, 64] to %{{.*}}[0, 0][32, 64]
// CHECK:           tile.parallel (%[[I:.*]], %[[J:.*]]) in (128, 64)
// CHECK-DAG:         %[[IROW:.*]] = arith.addi %[[R]], %[[I]]
// CHECK-DAG:         %[[JCOLUMN:.*]] = arith.addi %[[N]], %[[J]]
// CHECK-DAG:         memref.load %{{.*}}[%[[I]], %[[J]]]
// CHECK-DAG:         memref.load %{{.*}}[%[[J]]]
// CHECK-DAG:         arith.cmpi sle, %[[JCOLUMN]], %[[IROW]]
// CHECK:             tile.store %{{.*}}, %arg3[%[[IROW]], %[[JCOLUMN]]]
!x = memref<256x4096xf32, #tile.space<global>>
!w = memref<4096x128xf32, #tile.space<global>>
!v = memref<128xf32, #tile.space<global>>
!y = memref<256x128xf32, #tile.space<global>>
!a = memref<256x32xf32, #tile.space<shared>>
!b = memref<32x128xf32, #tile.space<shared>>
!c = memref<256x128xf32, #tile.space<fragment>>
!n = memref<128xf32, #tile.space<fragment>>
func.func @product(%X: !x, %W: !w, %V: !v, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  // expected-remark @+2 {{has each of its 1 blocks done in 2 parts of 64 of 128 rows or columns}}
  // expected-remark @+1 {{has each of its 2 blocks done in 2 parts of 128 of 256 rows or columns}}
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    %bias = tile.alloc "bias" : !n
    tile.copy %V[0][128] to %bias[0][128] : !v to !n
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c128 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][256, 32] to %a[0, 0][256, 32] : !x to !a
      tile.copy %W[%at, 0][32, 128] to %b[0, 0][32, 128] : !w to !b
      tile.gemm %a, %b into %c : !a, !b into !c
    }
    tile.parallel (%i, %j) in (256, 128) {
      %s = memref.load %c[%i, %j] : !c
      %o = memref.load %bias[%j] : !n
      %t = arith.addf %s, %o : f32
      %below = arith.cmpi sle, %j, %i : index
      %r = arith.select %below, %t, %zero : f32
      tile.store %r, %Y[%i, %j] : !y
    }
  }
  return
}

// -----

// Rows that a tile names, whose maxima are subtracted: the list of rows is divided with them, the
// columns are not. A grid of three dimensions gives the one that has a single block.
// CHECK-LABEL: @rows
// CHECK:         tile.kernel (%[[PART:.*]], %[[B1:.*]], %{{.*}}) in (%c4, %c2, %c1)
// CHECK:           %[[FIRST:.*]] = arith.muli %[[PART]], %c64
// CHECK:           tile.alloc "ids" : memref<64xi32
// CHECK:           tile.alloc "x" : memref<64x1024xf32
// CHECK:           tile.alloc "m" : memref<64xf32
// CHECK:           tile.copy %arg1[%[[B1]], %[[FIRST]]][1, 64] to %{{.*}}[0][64]
// CHECK:           tile.gather %arg0[0, 0][64, 1024] axis 0 by %{{.*}}[0] to %{{.*}}[0, 0][64, 1024]
// CHECK:           tile.reduce max
// CHECK:           tile.parallel {{.*}} in (64, 1024)
// CHECK:           tile.copy %{{.*}}[0, 0][64, 1024] to %arg2[%[[B1]], %[[FIRST]], 0][1, 64, 1024]
!table = memref<1000x1024xf32, #tile.space<global>>
!list = memref<2x256xi32, #tile.space<global>>
!out = memref<2x256x1024xf32, #tile.space<global>>
!ids = memref<256xi32, #tile.space<shared>>
!tile = memref<256x1024xf32, #tile.space<shared>>
!max = memref<256xf32, #tile.space<fragment>>
func.func @rows(%T: !table, %L: !list, %Y: !out) {
  %zero = arith.constant 0.0 : f32
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // expected-remark @+1 {{done in 4 parts of 64 of 256 rows or columns}}
  tile.kernel (%b0, %b1, %b2) in (%c1, %c2, %c1) {
    %ids = tile.alloc "ids" : !ids
    %x = tile.alloc "x" : !tile
    %m = tile.alloc "m" : !max
    tile.copy %L[%b1, 0][1, 256] to %ids[0][256] : !list to !ids
    tile.gather %T[0, 0][256, 1024] axis 0 by %ids[0] to %x[0, 0][256, 1024] fill %zero
      : !table, !ids to !tile
    tile.reduce max %x into %m dim 1 : !tile into !max
    tile.parallel (%i, %j) in (256, 1024) {
      %v = memref.load %x[%i, %j] : !tile
      %o = memref.load %m[%i] : !max
      %d = arith.subf %v, %o : f32
      memref.store %d, %x[%i, %j] : !tile
    }
    tile.copy %x[0, 0][256, 1024] to %Y[%b1, 0, 0][1, 256, 1024] : !tile to !out
  }
  return
}

// -----

// Two halves cannot be divided again, which nobody needs to be told.
// CHECK-LABEL: @halves
// CHECK:         tile.kernel (%{{.*}}, %{{.*}}) in (%c1, %c2)
!x = memref<128x4096xf32, #tile.space<global>>
!a = memref<128x4096xf32, #tile.space<shared>>
!s = memref<128xf32, #tile.space<fragment>>
!y = memref<128xf32, #tile.space<global>>
func.func @halves(%X: !x, %Y: !y) {
  %c1 = arith.constant 1 : index
  // expected-remark @below {{done in 2 parts of 64 of 128 rows or columns}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    %s = tile.alloc "s" : !s
    tile.copy %X[0, 0][128, 4096] to %a[0, 0][128, 4096] : !x to !a
    tile.reduce sum %a into %s dim 1 : !a into !s
    tile.copy %s[0][128] to %Y[0][128] : !s to !y
  }
  return
}
