// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A step's products ask for what the next step reads.
//
// RUN: %tilewright-opt %s --cpu-prefetch-steps --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-prefetch-steps --cpu-lower-gemm --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=LOOPS

#global = #tile.space<global>
#shared = #tile.space<shared>
!cache = memref<?x64x128xbf16, #global>
!tile = memref<64x128xbf16, #shared>
!q = memref<64x64x2xbf16, #shared>
!s = memref<64x64xf32, #shared>
#atom = #cpu.atom<dpbf16 4x64x2, bf16 into f32, 512>

// Where the next page lies is in a table, of which the last step reads its own entry again.
// 256 lines are asked for in the 512 iterations of the product's innermost loop.
// CHECK-LABEL: @pages
// CHECK:         scf.for %[[K:.*]] = %c0 to %[[N:.*]] step
// CHECK:           tile.copy
// CHECK:           %[[NEXT:.*]] = arith.addi %[[K]], %c1
// CHECK-NEXT:      %[[EXISTS:.*]] = arith.cmpi slt, %[[NEXT]], %[[N]]
// CHECK-NEXT:      %[[THEN:.*]] = arith.select %[[EXISTS]], %[[NEXT]], %[[K]]
// CHECK-NEXT:      %[[ENTRY:.*]] = tile.load %arg2[%[[THEN]]]
// CHECK-NEXT:      %[[PAGE:.*]] = arith.index_cast %[[ENTRY]]
// CHECK-NEXT:      %[[AHEAD:.*]] = memref.subview %arg1[%[[PAGE]], 0, 0] [1, 64, 128] [1, 1, 1]
// CHECK-NEXT:      cpu.gemm {{.*}} ahead %[[AHEAD]] :
// LOOPS-LABEL: @pages
// LOOPS:         memref.collapse_shape %{{.*}} {{\[}}[0, 1, 2]] : memref<1x64x128xbf16, {{.*}}> into memref<8192xbf16
// LOOPS-COUNT-2: scf.for
// LOOPS-NOT:     scf.for
// LOOPS:         memref.prefetch %{{.*}}[%{{.*}}], read, locality<3>, data
// LOOPS-NOT:     memref.prefetch
// LOOPS:         llvm.call_intrinsic
func.func @pages(%q: !q, %cache: !cache, %table: memref<?xi32, #global>, %s: !s, %n: index)
    attributes {tile.signature = {params = [{name = "q"}, {name = "cache"}, {name = "table"}, {name = "s"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    scf.for %k = %c0 to %n step %c1 {
      %entry = tile.load %table[%k] : memref<?xi32, #global>
      %page = arith.index_cast %entry : i32 to index
      tile.copy %cache[%page, 0, 0][1, 64, 128] to %t[0, 0][64, 128] : !cache to !tile
      cpu.gemm %t, %q into %s clear atom(#atom) : !tile, !q into !s
    }
  }
  return
}

// Rows of a matrix, a part with each product; of what is in a branch, that which it takes.
// CHECK-LABEL: @shares
// CHECK:           memref.subview %arg0[0, %{{.*}}] [42, 128] [1, 1]
// CHECK-NEXT:      cpu.gemm {{.*}} ahead
// CHECK:           scf.if
// CHECK:             memref.subview %arg0[42, %{{.*}}] [22, 128] [1, 1]
// CHECK-NEXT:        cpu.gemm {{.*}} ahead
func.func @shares(%x: memref<64x?xbf16, #global>, %q: !q, %r: memref<64x32x2xbf16, #shared>, %s: !s,
                  %u: memref<64x32xf32, #shared>, %n: index, %flag: i1)
    attributes {tile.signature = {params = [{name = "x"}, {name = "q"}, {name = "r"}, {name = "s"}, {name = "u"}, {name = "n"}, {name = "flag"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    scf.for %k = %c0 to %n step %c1 {
      %at = arith.muli %k, %c128 : index
      tile.copy %x[0, %at][64, 128] to %t[0, 0][64, 128] : memref<64x?xbf16, #global> to !tile
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
      scf.if %flag {
        cpu.gemm %t, %r into %u atom(#cpu.atom<dpbf16 8x32x2, bf16 into f32, 512>)
          : !tile, memref<64x32x2xbf16, #shared> into memref<64x32xf32, #shared>
      }
    }
  }
  return
}

// A step with two forms, as shared panels leave it: the product of each asks for what its own
// form reads, here a tile in the second of them.
// CHECK-LABEL: @forms
// CHECK:           scf.if
// CHECK-NOT:         memref.subview
// CHECK:             cpu.gemm
// CHECK:           } else {
// CHECK:             tile.copy %arg0
// CHECK:             memref.subview %arg0[0, %{{.*}}] [64, 128] [1, 1]
// CHECK-NEXT:        cpu.gemm {{.*}} ahead
func.func @forms(%x: memref<64x?xbf16, #global>, %q: !q, %t: !tile, %s: !s, %n: index, %flag: i1)
    attributes {tile.signature = {params = [{name = "x"}, {name = "q"}, {name = "t"}, {name = "s"}, {name = "n"}, {name = "flag"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %own = tile.alloc "own" : !tile
    scf.for %k = %c0 to %n step %c1 {
      %at = arith.muli %k, %c128 : index
      scf.if %flag {
        cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
      } else {
        tile.copy %x[0, %at][64, 128] to %own[0, 0][64, 128] : memref<64x?xbf16, #global> to !tile
        cpu.gemm %own, %q into %s atom(#atom) : !tile, !q into !s
      }
    }
  }
  return
}

// A product that reads the tensor itself: what two of them read is asked for once.
// CHECK-LABEL: @in_place
// CHECK:           memref.subview {{.*}} [1, 64, 128]
// CHECK:           memref.subview {{.*}} [1, 64, 128]
// CHECK-NOT:       memref.subview
// CHECK:           cpu.gemm {{.*}} ahead
func.func @in_place(%q: !q, %cache: !cache, %s: !s, %n: index)
    attributes {tile.signature = {params = [{name = "q"}, {name = "cache"}, {name = "s"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %p = tile.alloc "p" : memref<32x128x2xbf16, #shared>
    scf.for %k = %c0 to %n step %c1 {
      %rows = memref.subview %cache[%k, 0, 0][1, 64, 128][1, 1, 1]
        : !cache to memref<64x128xbf16, strided<[128, 1], offset: ?>, #global>
      tile.pack %cache[%k, 0, 0][1, 64, 128] dims [1, 2] into %p : !cache into memref<32x128x2xbf16, #shared>
      cpu.gemm %rows, %q into %s clear atom(#atom)
        : memref<64x128xbf16, strided<[128, 1], offset: ?>, #global>, !q into !s
    }
  }
  return
}

// Of pages that are smaller than the tile all there is, and nothing of what lies behind
// their rows' end.
// CHECK-LABEL: @small_pages
// CHECK-COUNT-2:   memref.subview {{.*}} [1, 24, 120]
// CHECK-NOT:       memref.subview
func.func @small_pages(%q: !q, %cache: memref<?x48x120xbf16, #global>, %s: !s, %n: index)
    attributes {tile.signature = {params = [{name = "q"}, {name = "cache"}, {name = "s"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    %u = tile.alloc "u" : !tile
    scf.for %k = %c0 to %n step %c1 {
      tile.copy %cache[%k, 0, 0][1, 64, 128] to %t[0, 0][64, 128] : memref<?x48x120xbf16, #global> to !tile
      tile.copy %cache[%k, 0, 120][1, 64, 128] to %u[0, 0][64, 128] : memref<?x48x120xbf16, #global> to !tile
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
      cpu.gemm %u, %q into %s atom(#atom) : !tile, !q into !s
    }
  }
  return
}

// Rows that are gathered: the list of the next step is made before the step's products.
// CHECK-LABEL: @gathered
// CHECK:           tile.gather
// CHECK-NEXT:      tile.gather
// CHECK:           %[[THEN:.*]] = arith.select
// CHECK-NEXT:      %[[LIST:.*]] = tile.alloc "list.ahead" : memref<64xi32
// CHECK-NEXT:      %[[FIRST:.*]] = arith.muli %[[THEN]], %c64
// CHECK-NEXT:      tile.parallel (%[[I:.*]]) in (64) {
// CHECK-NEXT:        %[[AT:.*]] = arith.addi %[[FIRST]], %[[I]]
// CHECK-NEXT:        %[[ROW:.*]] = tile.load %arg2[%[[AT]]] inbounds [false]
// CHECK-NEXT:        memref.store %[[ROW]], %[[LIST]][%[[I]]]
// CHECK:           %[[MATRIX:.*]] = memref.subview %arg1[0, 0] [%{{.*}}, 256] [1, 1]
// CHECK-NEXT:      %[[ROWS:.*]] = memref.cast %[[LIST]]
// CHECK-NEXT:      cpu.gemm {{.*}} listed %[[MATRIX]] by %[[ROWS]] :
// LOOPS-LABEL: @gathered
// LOOPS:         %[[BY:.*]] = memref.load %{{.*}} : memref<64xi32
// LOOPS-NEXT:    %[[NUMBER:.*]] = arith.index_cast %[[BY]]
// LOOPS:         memref.prefetch %{{.*}}[%[[NUMBER]], %{{.*}}], read
func.func @gathered(%q: !q, %x: memref<?x576xbf16, #global>, %ids: memref<?xi32, #global>, %s: !s, %n: index)
    attributes {tile.signature = {params = [{name = "q"}, {name = "x"}, {name = "ids"}, {name = "s"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%b) in (%c1) threads(128) {
    %list = tile.alloc "list" : memref<64xi32, #shared>
    %t = tile.alloc "t" : !tile
    %u = tile.alloc "u" : !tile
    scf.for %k = %c0 to %n step %c1 {
      %first = arith.muli %k, %c64 : index
      tile.parallel (%i) in (64) {
        %at = arith.addi %first, %i : index
        %row = tile.load %ids[%at] inbounds [false] : memref<?xi32, #global>
        memref.store %row, %list[%i] : memref<64xi32, #shared>
      }
      tile.gather %x[0, 0][64, 128] axis 0 by %list[0] to %t[0, 0][64, 128] fill %zero
        : memref<?x576xbf16, #global>, memref<64xi32, #shared> to !tile
      tile.gather %x[0, 128][64, 128] axis 0 by %list[0] to %u[0, 0][64, 128] fill %zero
        : memref<?x576xbf16, #global>, memref<64xi32, #shared> to !tile
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
    }
  }
  return
}

// Rows of the tile are longer than those of the matrix.
// CHECK-LABEL: @gathered_short_rows
// CHECK:           memref.subview %arg1[0, 128] [%{{.*}}, 92] [1, 1]
// CHECK:           cpu.gemm {{.*}} listed
func.func @gathered_short_rows(%q: !q, %x: memref<?x220xbf16, #global>, %ids: memref<?xi32, #global>, %s: !s, %n: index)
    attributes {tile.signature = {params = [{name = "q"}, {name = "x"}, {name = "ids"}, {name = "s"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%b) in (%c1) threads(128) {
    %list = tile.alloc "list" : memref<64xi32, #shared>
    %t = tile.alloc "t" : !tile
    scf.for %k = %c0 to %n step %c1 {
      %first = arith.muli %k, %c64 : index
      tile.parallel (%i) in (64) {
        %at = arith.addi %first, %i : index
        %row = tile.load %ids[%at] inbounds [false] : memref<?xi32, #global>
        memref.store %row, %list[%i] : memref<64xi32, #shared>
      }
      tile.gather %x[0, 128][64, 128] axis 0 by %list[0] to %t[0, 0][64, 128] fill %zero
        : memref<?x220xbf16, #global>, memref<64xi32, #shared> to !tile
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
    }
  }
  return
}

// Rows that move with the block: the last step asks for the first ones of the next block.
// CHECK-LABEL: @blocks
// CHECK:         tile.kernel (%[[BX:.*]]) in
// CHECK:           scf.for %[[K:.*]] = %c0 to %c4 step %c1
// CHECK:             %[[NEXT:.*]] = arith.addi %[[K]], %c1
// CHECK-NEXT:        %[[EXISTS:.*]] = arith.cmpi slt, %[[NEXT]], %c4
// CHECK-NEXT:        %[[STEP:.*]] = arith.select %[[EXISTS]], %[[NEXT]], %c0
// CHECK-NEXT:        %[[BX1:.*]] = arith.addi %[[BX]], %c1
// CHECK-NEXT:        %[[BLOCK:.*]] = arith.select %[[EXISTS]], %[[BX]], %[[BX1]]
// CHECK-NEXT:        %[[ROW:.*]] = arith.muli %[[BLOCK]], %c64
// CHECK-NEXT:        %[[AT:.*]] = arith.muli %[[STEP]], %c128
// CHECK-NEXT:        memref.subview %arg0[%[[ROW]], %[[AT]]] [64, 128]
func.func @blocks(%x: memref<512x512xbf16, #global>, %q: !q, %s: !s)
    attributes {tile.signature = {params = [{name = "x"}, {name = "q"}, {name = "s"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  %c128 = arith.constant 128 : index
  tile.kernel (%bx) in (%c8) {
    %row = arith.muli %bx, %c64 : index
    %k = tile.alloc "k" : memref<64x128xbf16, #shared>
    scf.for %step = %c0 to %c4 step %c1 {
      %at = arith.muli %step, %c128 : index
      tile.copy %x[%row, %at][64, 128] to %k[0, 0][64, 128]
        : memref<512x512xbf16, #global> to memref<64x128xbf16, #shared>
      cpu.gemm %k, %q into %s atom(#atom)
        : memref<64x128xbf16, #shared>, !q into !s
    }
  }
  return
}

// Where fewer rows of a product count, the lines are spread over those.
// LOOPS-LABEL: @fewer
// LOOPS:         %[[SOME:.*]] = arith.minsi %{{.*}}, %c64
// LOOPS:         %[[ROWS:.*]] = arith.maxsi %[[SOME]], %c1
// LOOPS:         %[[WORK:.*]] = arith.muli %[[ROWS]]
// LOOPS:         arith.divui %{{.*}}, %[[WORK]]
// LOOPS:         memref.prefetch
func.func @fewer(%q: !q, %x: memref<64x128xbf16, #shared>, %next: memref<64x128xbf16, #global>,
                 %s: !s, %rows: index) {
  cpu.gemm %x, %q into %s rows(%rows) atom(#atom) : memref<64x128xbf16, #shared>, !q into !s
    ahead %next : memref<64x128xbf16, #global>
  return
}
