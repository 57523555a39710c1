// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of few rows read rows of a tensor where they lie.
//
// RUN: %tilewright-opt %s --cpu-forward-copies --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-forward-copies --cpu-lower-gemm | FileCheck %s --check-prefix=LOOPS

#global = #tile.space<global>
#shared = #tile.space<shared>
!w = memref<?x1024xbf16, #global>
!tile = memref<8x256xbf16, #shared>
!a = memref<4x256xbf16, #shared>
!c = memref<4x8xf32, #tile.space<fragment>>
#atom = #cpu.atom<dpbf16 inner 4x4x2, bf16 into f32, 512>

// Rows that are known to exist. The next block's rows are asked for.
// CHECK-LABEL: @known
// CHECK-NOT:     tile.alloc
// CHECK:         %[[ROWS:.*]] = memref.subview %{{.*}}[%{{.*}}, 256] [8, 256] [1, 1]
// CHECK-NEXT:    cpu.gemm %{{.*}}, %[[ROWS]] into
// LOOPS-LABEL: @known
// LOOPS:         vector.load %[[V:.*]][%{{.*}}, %[[K:.*]]] : memref<8x256xbf16, strided<[1024, 1], offset: ?>, {{.*}}, vector<32xbf16>
// LOOPS:         %[[NEXT:.*]] = arith.addi %{{.*}}, %c8
// LOOPS:         memref.prefetch %[[V]][%[[NEXT]], %[[K]]], read, locality<3>, data
func.func @known(%w: memref<64x1024xbf16, #global>, %a: !a, %c: !c) {
  %c8 = arith.constant 8 : index
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c8 : index
    tile.copy %w[%row, 256][8, 256] to %t[0, 0][8, 256] : memref<64x1024xbf16, #global> to !tile
    cpu.gemm %a, %t into %c atom(#atom) : !a, !tile into !c
  }
  return
}

// The next block reads other rows: what lies 1024 bytes ahead is asked for.
// LOOPS-LABEL: @backwards
// LOOPS:         vector.load %[[V:.*]][%{{.*}}, %[[K:.*]]] : memref<8x256xbf16, strided<[1024, 1], offset: ?>, {{.*}}, vector<32xbf16>
// LOOPS:         %[[FAR:.*]] = arith.addi %[[K]], %c512
// LOOPS:         memref.prefetch %[[V]][%{{.*}}, %[[FAR]]], read, locality<3>, data
func.func @backwards(%w: memref<64x1024xbf16, #global>, %a: !a, %c: !c) {
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : !tile
    %last = arith.subi %c7, %b : index
    %row = arith.muli %last, %c8 : index
    tile.copy %w[%row, 256][8, 256] to %t[0, 0][8, 256] : memref<64x1024xbf16, #global> to !tile
    cpu.gemm %a, %t into %c atom(#atom) : !a, !tile into !c
  }
  return
}

// Rows that may not exist are copied, and are zero.
// CHECK-LABEL: @asked
// CHECK:         %[[T:.*]] = tile.alloc "t"
// CHECK:         %[[DIM:.*]] = memref.dim
// CHECK:         %[[END:.*]] = arith.subi %[[DIM]], %c8
// CHECK:         %[[INSIDE:.*]] = arith.cmpi sle, %[[ROW:.*]], %[[END]]
// CHECK:         scf.if %[[INSIDE]] {
// CHECK:           memref.subview
// CHECK-NEXT:      cpu.gemm
// CHECK-NEXT:    } else {
// CHECK-NEXT:      tile.copy
// CHECK-NEXT:      cpu.gemm %{{.*}}, %[[T]] into
func.func @asked(%w: !w, %a: !a, %c: !c, %n: index) {
  %c8 = arith.constant 8 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c8 : index
    tile.copy %w[%row, 0][8, 256] to %t[0, 0][8, 256] : !w to !tile
    cpu.gemm %a, %t into %c atom(#atom) : !a, !tile into !c
  }
  return
}

// More rows of A, since four rows of B stay in L1.
// CHECK-LABEL: @more_rows
// CHECK:         memref.subview
// CHECK-NEXT:    cpu.gemm
func.func @more_rows(%w: memref<64x1024xbf16, #global>, %a: memref<16x256xbf16, #shared>,
                     %c: memref<16x8xf32, #tile.space<fragment>>) {
  %c8 = arith.constant 8 : index
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c8 : index
    tile.copy %w[%row, 256][8, 256] to %t[0, 0][8, 256] : memref<64x1024xbf16, #global> to !tile
    cpu.gemm %a, %t into %c atom(#atom)
      : memref<16x256xbf16, #shared>, !tile into memref<16x8xf32, #tile.space<fragment>>
  }
  return
}

// A product of one column, as one row is that was swapped, reads rows of A once.
// CHECK-LABEL: @one_column
// CHECK-NOT:     tile.alloc
// CHECK:         %[[ROWS:.*]] = memref.subview %{{.*}}[%{{.*}}, 256] [60, 256] [1, 1]
// CHECK-NEXT:    cpu.gemm %[[ROWS]], %{{.*}} into
func.func @one_column(%w: memref<480x1024xbf16, #global>, %x: memref<1x256xbf16, #shared>,
                      %c: memref<60x1xf32, #shared>) {
  %c8 = arith.constant 8 : index
  %c60 = arith.constant 60 : index
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : memref<60x256xbf16, #shared>
    %row = arith.muli %b, %c60 : index
    tile.copy %w[%row, 256][60, 256] to %t[0, 0][60, 256]
      : memref<480x1024xbf16, #global> to memref<60x256xbf16, #shared>
    cpu.gemm %t, %x into %c atom(<dpbf16 inner 15x1x2, bf16 into f32, 512>)
      : memref<60x256xbf16, #shared>, memref<1x256xbf16, #shared> into memref<60x1xf32, #shared>
  }
  return
}
