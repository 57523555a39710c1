// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of small grids that several blocks do.
//
// RUN: %tilewright-opt %s --cpu-split-sums --canonicalize --cse --split-input-file | FileCheck %s
// RUN: %tilewright-opt %s --cpu-split-sums --split-input-file -o /dev/null --verify-diagnostics

// Two blocks for eight cores: 515 steps become four parts of 129 steps, of which the last has 128.
// Each part counts from 2 in steps of 3, as the loop did. What stands before the loop is in both
// kernels, what stands behind it in the second one.
// CHECK-LABEL: @product
// CHECK:         %[[SUMS:.*]] = tile.workspace "sums" : memref<4x2x32x32xf32
// CHECK:         tile.kernel (%[[B0:.*]], %[[B1:.*]], %[[PART:.*]]) in (%c2, %c1, %c4)
// CHECK:           tile.copy %arg2[%{{.*}}][32] to
// CHECK:           tile.fill %[[C:.*]], %cst
// CHECK:           %[[FIRST:.*]] = arith.muli %[[PART]], %c387
// CHECK:           %[[LEFT:.*]] = arith.subi %c1547, %[[FIRST]]
// CHECK:           %[[END:.*]] = arith.minsi %[[LEFT]], %c389
// CHECK:           tile.pipelined %[[K:.*]] = %c2 to %[[END]] step %c3
// CHECK:             %[[STEP:.*]] = arith.addi %[[K]], %[[FIRST]]
// CHECK:             %[[AT:.*]] = arith.muli %[[STEP]], %c32
// CHECK:             tile.copy %arg0[0, %[[AT]]]
// CHECK:             tile.gemm
// CHECK:           tile.copy %[[C]][0, 0][32, 32] to %[[SUMS]][%[[PART]], %[[NUMBER:.*]], 0, 0][1, 1, 32, 32]
// CHECK-NOT:       arg3
// CHECK:         tile.kernel (%[[B0:.*]], %[[B1:.*]]) in (%c2, %c1)
// CHECK:           %[[BIAS:.*]] = tile.alloc "bias"
// CHECK:           tile.copy %arg2[%{{.*}}][32] to %[[BIAS]]
// CHECK:           tile.fill %[[C:.*]], %cst
// CHECK:           %[[TILE:.*]] = tile.alloc "part" : memref<32x32xf32
// CHECK:           scf.for %[[P:.*]] = %c0 to %c4 step %c1
// CHECK:             tile.copy %[[SUMS]][%[[P]], %{{.*}}, 0, 0][1, 1, 32, 32] to %[[TILE]][0, 0][32, 32]
// CHECK:             tile.parallel
// CHECK:               %[[OLD:.*]] = memref.load %[[C]]
// CHECK:               %[[MORE:.*]] = memref.load %[[TILE]]
// CHECK:               arith.addf %[[OLD]], %[[MORE]]
// CHECK:               memref.store %{{.*}}, %[[C]]
// CHECK-NOT:       tile.gemm
// CHECK:           tile.store %{{.*}}, %arg3
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x64xf32, #tile.space<global>>
!v = memref<64xf32, #tile.space<global>>
!y = memref<32x64xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
!n = memref<32xf32, #tile.space<fragment>>
func.func @product(%X: !x, %W: !w, %V: !v, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c32 = arith.constant 32 : index
  %c1546 = arith.constant 1546 : index
  // expected-remark @below {{has the 515 steps of a sum of its 2 blocks done in 4 parts}}
  tile.kernel (%bx, %by) in (%c2, %c1) {
    %column = arith.muli %bx, %c32 : index
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    %bias = tile.alloc "bias" : !n
    tile.copy %V[%column][32] to %bias[0][32] : !v to !n
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c2 to %c1546 step %c3 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, %column][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.parallel (%i, %j) in (32, 32) {
      %s = memref.load %c[%i, %j] : !c
      %o = memref.load %bias[%j] : !n
      %t = arith.addf %s, %o : f32
      %n = arith.addi %column, %j : index
      tile.store %t, %Y[%i, %n] : !y
    }
  }
  return
}

// -----

// Two sums of bytes, of which one is scaled on the way; both have a workspace.
// CHECK-LABEL: @two
// CHECK-DAG:     %[[C:.*]] = tile.workspace "sums" : memref<8x1x16x32xi32
// CHECK-DAG:     %[[D:.*]] = tile.workspace "sums" : memref<8x1x16x64xi32
// CHECK:         tile.kernel
// CHECK:           scf.for %{{.*}} = %c0 to %c256 step %c1
// CHECK:             tile.parallel
// CHECK:             tile.gemm
// CHECK:             tile.gemm
// CHECK:           tile.copy %{{.*}} to %[[C]]
// CHECK:           tile.copy %{{.*}} to %[[D]]
// CHECK:         tile.kernel
// CHECK:           scf.for
// CHECK:             arith.addi %{{.*}}, %{{.*}} : i32
// CHECK:             arith.addi %{{.*}}, %{{.*}} : i32
!x = memref<16x131072xi8, #tile.space<global>>
!w = memref<131072x96xi8, #tile.space<global>>
!y = memref<16x96xi32, #tile.space<global>>
!a = memref<16x64xi8, #tile.space<shared>>
!b = memref<64x32xi8, #tile.space<shared>>
!b2 = memref<64x64xi8, #tile.space<shared>>
!c = memref<16x32xi32, #tile.space<fragment>>
!d = memref<16x64xi32, #tile.space<fragment>>
func.func @two(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0 : i32
  %seven = arith.constant 7 : i8
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  // expected-remark @below {{has the 2048 steps of a sum of its 1 blocks done in 8 parts}}
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !a
    %s = tile.alloc "s" : !a
    %b = tile.alloc "b" : !b
    %b2 = tile.alloc "b2" : !b2
    %c = tile.alloc "c" : !c
    %d = tile.alloc "d" : !d
    tile.fill %c, %zero : !c
    tile.fill %d, %zero : !d
    scf.for %k = %c0 to %c2048 step %c1 {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %a[0, 0][16, 64] : !x to !a
      tile.copy %W[%at, 0][64, 32] to %b[0, 0][64, 32] : !w to !b
      tile.copy %W[%at, 32][64, 64] to %b2[0, 0][64, 64] : !w to !b2
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %a[%i, %j] : !a
        %t = arith.muli %v, %seven : i8
        memref.store %t, %s[%i, %j] : !a
      }
      tile.gemm %a, %b into %c : !a, !b into !c
      tile.gemm %s, %b2 into %d : !a, !b2 into !d
    }
    tile.copy %c[0, 0][16, 32] to %Y[0, 0][16, 32] : !c to !y
    tile.copy %d[0, 0][16, 64] to %Y[0, 32][16, 64] : !d to !y
  }
  return
}
