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
// CHECK:           tile.copy %[[SUMS]][%c0, %[[NUMBER:.*]], 0, 0][1, 1, 32, 32] to %[[C]][0, 0][32, 32]
// CHECK:           scf.for %[[P:.*]] = %c1 to %c4 step %c1
// CHECK:             tile.copy %[[SUMS]][%[[P]], %[[NUMBER]], 0, 0][1, 1, 32, 32] to %[[TILE]][0, 0][32, 32]
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

// -----

// What is there before the loop is taken in once, by the first part. Nobody knows how many steps
// there are: a part has a certain number at least, and there is a block for each that has any.
// CHECK-LABEL: @begins_with_one
// CHECK-SAME:    %[[N:[a-z0-9]*]]: index)
// CHECK:         %[[SHARE:.*]] = arith.maxsi %{{.*}}, %c20
// CHECK:         %[[PARTS:.*]] = arith.ceildivsi %{{.*}}, %[[SHARE]]
// CHECK:         %[[USED:.*]] = arith.maxsi %[[PARTS]], %c1
// CHECK:         tile.kernel (%[[B0:.*]], %[[PART:.*]]) in (%c1, %[[USED]])
// CHECK:           tile.fill %[[C:.*]], %cst_0
// CHECK:           %[[LATER:.*]] = arith.cmpi ne, %[[PART]], %c0
// CHECK:           scf.if %[[LATER]] {
// CHECK-NEXT:        tile.fill %[[C]], %cst
// CHECK:           tile.pipelined
// CHECK-NOT:       scf.if
// CHECK:         tile.kernel
// CHECK:           scf.for %{{.*}} = %c1 to
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @begins_with_one(%X: !x, %W: !w, %Y: !y, %n: index) {
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  // expected-remark @below {{has the steps of a sum of its 1 blocks done in 8 parts}}
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %one : !c
    tile.pipelined %k = %c0 to %n step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// An online softmax whose scores have keys as rows: its values are summed with the transpose of the
// weights, and its total in a loop of its own. Where the number of steps is read by the block, a part
// without any writes nothing. Infinities have no difference: later parts begin with another maximum.
// CHECK-LABEL: @softmax
// CHECK-SAME:    %[[SCALE:[a-z0-9]*]]: f32)
// CHECK-DAG:     %[[TOPS:.*]] = tile.workspace "sums" : memref<8x1x16xf32
// CHECK-DAG:     %[[TOTALS:.*]] = tile.workspace "sums" : memref<8x1x16xf32
// CHECK-DAG:     %[[ACCS:.*]] = tile.workspace "sums" : memref<8x1x16x128xf32
// CHECK:         tile.kernel (%{{.*}}, %[[PART:.*]]) in (%c1, %c8)
// CHECK:           %[[TOP:.*]] = tile.alloc "top"
// CHECK:           tile.fill %[[TOP]], %[[INFINITY:.*]] :
// CHECK:           scf.if
// CHECK-NEXT:        tile.parallel
// CHECK-NEXT:          %[[BEGIN:.*]] = memref.load %[[TOP]]
// CHECK-NEXT:          %[[FINITE:.*]] = arith.maxnumf %[[BEGIN]], %[[LOWEST:.*]] : f32
// CHECK-NEXT:          memref.store %[[FINITE]], %[[TOP]]
// CHECK:           tile.pipelined
// CHECK:           %[[HAS_STEPS:.*]] = arith.cmpi slt, %[[PART]]
// CHECK:           scf.if %[[HAS_STEPS]] {
// CHECK-NEXT:        tile.copy %{{.*}}[0][16] to
// CHECK-NEXT:        tile.copy %{{.*}}[0][16] to
// CHECK-NEXT:        tile.copy %{{.*}}[0, 0][16, 128] to %[[ACCS]][%[[PART]], %{{.*}}, 0, 0]
// CHECK:         tile.kernel
// CHECK:           %[[ACC:.*]] = tile.alloc "acc"
// CHECK:           %[[TOP:.*]] = tile.alloc "top"
// CHECK:           %[[TOTAL:.*]] = tile.alloc "total"
// CHECK:           %[[OLD_WEIGHT:.*]] = tile.alloc "weight"
// CHECK:           %[[WEIGHT:.*]] = tile.alloc "part_weight"
// CHECK:           scf.for
// CHECK:             tile.parallel (%[[I:.*]]) in (16)
// CHECK:               %[[OLD:.*]] = memref.load %[[TOP]][%[[I]]]
// CHECK:               %[[OTHER:.*]] = memref.load %[[OTHER_TOP:.*]][%[[I]]]
// CHECK:               %[[NEW:.*]] = arith.maxnumf %[[OLD]], %[[OTHER]]
// CHECK:               memref.store %[[NEW]], %[[TOP]][%[[I]]]
// CHECK:               %[[D:.*]] = arith.subf %[[OLD]], %[[NEW]]
// CHECK:               %[[S:.*]] = arith.mulf %[[D]], %[[SCALE]]
// CHECK:               %[[E:.*]] = math.exp %[[S]]
// CHECK:               memref.store %[[E]], %[[OLD_WEIGHT]][%[[I]]]
// CHECK:               arith.subf %[[OTHER]], %[[NEW]]
// CHECK:               memref.store %{{.*}}, %[[WEIGHT]][%[[I]]]
// CHECK:             tile.parallel (%[[I:.*]]) in (16)
// CHECK:               memref.load %[[TOTAL]][%[[I]]]
// CHECK:             tile.parallel (%[[I:.*]], %[[J:.*]]) in (16, 128)
// CHECK:               %[[A:.*]] = memref.load %[[ACC]][%[[I]], %[[J]]]
// CHECK:               %[[W:.*]] = memref.load %[[OLD_WEIGHT]][%[[I]]]
// CHECK:               arith.mulf %[[A]], %[[W]]
// CHECK:               memref.load %[[WEIGHT]][%[[I]]]
// CHECK:               arith.addf
// CHECK:               memref.store %{{.*}}, %[[ACC]][%[[I]], %[[J]]]
!q = memref<16x64xbf16, #tile.space<global>>
!k = memref<?x64xbf16, #tile.space<global>>
!v = memref<?x128xbf16, #tile.space<global>>
!l = memref<1xi32, #tile.space<global>>
!y = memref<16x128xf32, #tile.space<global>>
!qt = memref<16x64xbf16, #tile.space<shared>>
!kt = memref<64x64xbf16, #tile.space<shared>>
!vt = memref<64x128xbf16, #tile.space<shared>>
!s = memref<64x16xf32, #tile.space<fragment>>
!p = memref<64x16xbf16, #tile.space<shared>>
!a = memref<16x128xf32, #tile.space<fragment>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @softmax(%Q: !q, %K: !k, %V: !v, %Lengths: !l, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  // expected-remark @below {{has the steps of a sum of its 1 blocks done in 8 parts}}
  tile.kernel (%bx) in (%c1) {
    %q = tile.alloc "q" : !qt
    %k = tile.alloc "k" : !kt
    %v = tile.alloc "v" : !vt
    %score = tile.alloc "score" : !s
    %prob = tile.alloc "prob" : !p
    %acc = tile.alloc "acc" : !a
    %top = tile.alloc "top" : !r
    %step_top = tile.alloc "step_top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %length = tile.load %Lengths[%c0] : !l
    %keys = arith.index_cast %length : i32 to index
    %steps = arith.ceildivsi %keys, %c64 : index
    tile.copy %Q[0, 0][16, 64] to %q[0, 0][16, 64] : !q to !qt
    tile.fill %acc, %zero : !a
    tile.fill %total, %zero : !r
    tile.fill %top, %infinity : !r
    tile.pipelined %step = %c0 to %steps step %c1 stages(2) {
      %at = arith.muli %step, %c64 : index
      tile.copy %K[%at, 0][64, 64] to %k[0, 0][64, 64] : !k to !kt
      tile.copy %V[%at, 0][64, 128] to %v[0, 0][64, 128] : !v to !vt
      tile.gemm %k, %q into %score transpose_b clear : !kt, !qt into !s
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce maxnum %score into %step_top dim 0 : !s into !r
      tile.parallel (%i) in (16) {
        %old = memref.load %before[%i] : !r
        %x = memref.load %step_top[%i] : !r
        %new = arith.maxnumf %x, %old : f32
        memref.store %new, %top[%i] : !r
        %moved = arith.subf %old, %new : f32
        %scaled = arith.mulf %moved, %scale : f32
        %w = math.exp %scaled : f32
        memref.store %w, %before[%i] : !r
        %t = memref.load %total[%i] : !r
        %u = arith.mulf %w, %t : f32
        memref.store %u, %total[%i] : !r
      }
      tile.parallel (%j, %i) in (64, 16) {
        %n = arith.addi %at, %j : index
        %is_key = arith.cmpi slt, %n, %keys : index
        %x = memref.load %score[%j, %i] : !s
        %m = memref.load %top[%i] : !r
        %y = arith.mulf %x, %scale : f32
        %o = arith.mulf %m, %scale : f32
        %d = arith.subf %y, %o : f32
        %e = math.exp %d : f32
        %w = arith.select %is_key, %e, %zero : f32
        memref.store %w, %score[%j, %i] : !s
      }
      tile.reduce sum %score into %total dim 0 accumulate : !s into !r
      tile.copy %score[0, 0][64, 16] to %prob[0, 0][64, 16] : !s to !p
      tile.parallel (%i, %j) in (16, 128) {
        %w = memref.load %before[%i] : !r
        %x = memref.load %acc[%i, %j] : !a
        %y = arith.mulf %x, %w : f32
        memref.store %y, %acc[%i, %j] : !a
      }
      tile.gemm %prob, %v into %acc transpose_a : !p, !vt into !a
    }
    tile.parallel (%i, %j) in (16, 128) {
      %x = memref.load %acc[%i, %j] : !a
      %t = memref.load %total[%i] : !r
      %y = arith.divf %x, %t : f32
      tile.store %y, %Y[%i, %j] : !y
    }
  }
  return
}

// -----

// Of a softmax of few rows there is a form for up to three blocks, and one for more.
// CHECK-LABEL: @of_any_grid
// CHECK-SAME:    %[[BLOCKS:[a-z0-9]*]]: index)
// CHECK:         %[[FEW:.*]] = arith.cmpi sle, %[[BLOCKS]], %c3
// CHECK:         scf.if %[[FEW]] {
// CHECK:           tile.workspace "sums" : memref<8x3x16xf32
// CHECK:           tile.kernel (%{{.*}}, %{{.*}}) in (%[[BLOCKS]], %c8)
// CHECK:           tile.kernel (%{{.*}}) in (%[[BLOCKS]])
// CHECK:         } else {
// CHECK-NOT:       tile.workspace
// CHECK:           tile.kernel (%{{.*}}) in (%[[BLOCKS]])
// CHECK:             tile.pipelined %{{.*}} = %c0 to %c2048
!x = memref<?x16x131072xf32, #tile.space<global>>
!y = memref<?x16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @of_any_grid(%X: !x, %Y: !y, %blocks: index) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  // expected-remark @below {{has the 2048 steps of a sum of its at most 3 blocks done in 8 parts}}
  tile.kernel (%bx) in (%blocks) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[%bx, 0, %at][1, 16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[%bx, 0][1, 16] : !r to !y
  }
  return
}
