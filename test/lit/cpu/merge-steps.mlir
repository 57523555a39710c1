// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: tilewright-opt %s --cpu-merge-steps=budget=262144 --canonicalize --split-input-file | FileCheck %s

// Eight steps of 32 become one of 256.

// CHECK-LABEL: func.func @product
// CHECK-DAG: %[[STEP:.+]] = arith.constant 8 : index
// CHECK: %[[A:.+]] = tile.alloc "a" : memref<64x256xf32
// CHECK: %[[B:.+]] = tile.alloc "b" : memref<256x64xf32
// CHECK: tile.pipelined %[[K:.+]] = %{{.+}} to %{{.+}} step %[[STEP]] stages(3)
// CHECK: tile.copy %{{.+}}[%{{.+}}, %{{.+}}][64, 256] to %[[A]][0, 0][64, 256]
// CHECK: tile.copy %{{.+}}[%{{.+}}, %{{.+}}][256, 64] to %[[B]][0, 0][256, 64]
// CHECK: tile.gemm %[[A]], %[[B]] into
// CHECK-NOT: tile.pipelined
!a = memref<128x1024xf32, #tile.space<global>>
!b = memref<1024x128xf32, #tile.space<global>>
!c = memref<128x128xf32, #tile.space<global>>
func.func @product(%A: !a, %B: !b, %C: !c) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%bx, %by) in (%c2, %c2) {
    %row = arith.muli %by, %c64 : index
    %column = arith.muli %bx, %c64 : index
    %a = tile.alloc "a" : memref<64x32xf32, #tile.space<shared>>
    %b = tile.alloc "b" : memref<32x64xf32, #tile.space<shared>>
    %c = tile.alloc "c" : memref<64x64xf32, #tile.space<fragment>>
    tile.fill %c, %zero : memref<64x64xf32, #tile.space<fragment>>
    tile.pipelined %k = %c0 to %c32 step %c1 stages(3) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[%row, %at][64, 32] to %a[0, 0][64, 32] : !a to memref<64x32xf32, #tile.space<shared>>
      tile.copy %B[%at, %column][32, 64] to %b[0, 0][32, 64] : !b to memref<32x64xf32, #tile.space<shared>>
      tile.gemm %a, %b into %c : memref<64x32xf32, #tile.space<shared>>, memref<32x64xf32, #tile.space<shared>> into memref<64x64xf32, #tile.space<fragment>>
    }
    tile.copy %c[0, 0][64, 64] to %C[%row, %column][64, 64] : memref<64x64xf32, #tile.space<fragment>> to !c
  }
  return
}

// -----

// 11 steps are one of 8, and three that are left; B lies transposed.

// CHECK-LABEL: func.func @rest
// CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[ONE:.+]] = arith.constant 1 : index
// CHECK-DAG: %[[EIGHT:.+]] = arith.constant 8 : index
// CHECK-DAG: %[[ALL:.+]] = arith.constant 11 : index
// CHECK: tile.pipelined %{{.+}} = %[[ZERO]] to %[[EIGHT]] step %[[EIGHT]]
// CHECK: tile.gemm {{.*}} : memref<64x256xf32, {{.+}}>, memref<64x256xf32,
// CHECK: tile.pipelined %{{.+}} = %[[EIGHT]] to %[[ALL]] step %[[ONE]]
// CHECK: tile.gemm {{.*}} : memref<64x32xf32, {{.+}}>, memref<64x32xf32,
!x = memref<64x352xf32, #tile.space<global>>
func.func @rest(%A: !x, %B: !x) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c11 = arith.constant 11 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : memref<64x32xf32, #tile.space<shared>>
    %b = tile.alloc "b" : memref<64x32xf32, #tile.space<shared>>
    %c = tile.alloc "c" : memref<64x64xf32, #tile.space<fragment>>
    tile.pipelined %k = %c0 to %c11 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[0, %at][64, 32] to %a[0, 0][64, 32] : !x to memref<64x32xf32, #tile.space<shared>>
      tile.copy %B[0, %at][64, 32] to %b[0, 0][64, 32] : !x to memref<64x32xf32, #tile.space<shared>>
      tile.gemm %a, %b into %c transpose_b : memref<64x32xf32, #tile.space<shared>>, memref<64x32xf32, #tile.space<shared>> into memref<64x64xf32, #tile.space<fragment>>
    }
  }
  return
}

// -----

// A number of steps that launches decide: whole long steps, then the others.

// CHECK-LABEL: func.func @dynamic
// CHECK-SAME: %[[STEPS:[^:]+]]: index
// CHECK: %[[WHOLE:.+]] = arith.divui
// CHECK: %[[MIDDLE:.+]] = arith.muli %[[WHOLE]]
// CHECK: tile.pipelined %{{.+}} = %{{.+}} to %[[MIDDLE]] step %c8
// CHECK: tile.pipelined %{{.+}} = %[[MIDDLE]] to %[[STEPS]] step %c1
!x = memref<64x?xf32, #tile.space<global>>
func.func @dynamic(%A: !x, %B: !x, %steps: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : memref<64x32xf32, #tile.space<shared>>
    %b = tile.alloc "b" : memref<64x32xf32, #tile.space<shared>>
    %c = tile.alloc "c" : memref<64x64xf32, #tile.space<fragment>>
    tile.pipelined %k = %c0 to %steps step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[0, %at][64, 32] to %a[0, 0][64, 32] : !x to memref<64x32xf32, #tile.space<shared>>
      tile.copy %B[0, %at][64, 32] to %b[0, 0][64, 32] : !x to memref<64x32xf32, #tile.space<shared>>
      tile.gemm %a, %b into %c transpose_b : memref<64x32xf32, #tile.space<shared>>, memref<64x32xf32, #tile.space<shared>> into memref<64x64xf32, #tile.space<fragment>>
    }
  }
  return
}

// -----

// Products of bytes are done so soon that a step is twice as long.

// CHECK-LABEL: func.func @bytes
// CHECK: tile.pipelined %{{.+}} = %{{.+}} to %{{.+}} step %c16
// CHECK: tile.copy %{{.+}}[64, 512] to %{{.+}}[64, 512]
!bytes = memref<64x2048xi8, #tile.space<global>>
func.func @bytes(%A: !bytes, %B: !bytes) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : memref<64x32xi8, #tile.space<shared>>
    %b = tile.alloc "b" : memref<64x32xi8, #tile.space<shared>>
    %c = tile.alloc "c" : memref<64x64xi32, #tile.space<fragment>>
    tile.pipelined %k = %c0 to %c64 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[0, %at][64, 32] to %a[0, 0][64, 32] : !bytes to memref<64x32xi8, #tile.space<shared>>
      tile.copy %B[0, %at][64, 32] to %b[0, 0][64, 32] : !bytes to memref<64x32xi8, #tile.space<shared>>
      tile.gemm %a, %b into %c transpose_b : memref<64x32xi8, #tile.space<shared>>, memref<64x32xi8, #tile.space<shared>> into memref<64x64xi32, #tile.space<fragment>>
    }
  }
  return
}

// -----

// Four rows wait for rows of B: a step has so many of these as 128 KiB take with
// A's, and here as divide the loop.

// CHECK-LABEL: func.func @streamed
// CHECK: tile.alloc "b" : memref<48x512xf32
!a = memref<4x1536xf32, #tile.space<global>>
!b = memref<1536x512xf32, #tile.space<global>>
!c = memref<4x512xf32, #tile.space<global>>
func.func @streamed(%A: !a, %B: !b, %C: !c) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c96 = arith.constant 96 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : memref<4x16xf32, #tile.space<shared>>
    %b = tile.alloc "b" : memref<16x512xf32, #tile.space<shared>>
    %c = tile.alloc "c" : memref<4x512xf32, #tile.space<fragment>>
    tile.fill %c, %zero : memref<4x512xf32, #tile.space<fragment>>
    tile.pipelined %k = %c0 to %c96 step %c1 stages(3) {
      %at = arith.muli %k, %c16 : index
      tile.copy %A[0, %at][4, 16] to %a[0, 0][4, 16] : !a to memref<4x16xf32, #tile.space<shared>>
      tile.copy %B[%at, 0][16, 512] to %b[0, 0][16, 512] : !b to memref<16x512xf32, #tile.space<shared>>
      tile.gemm %a, %b into %c : memref<4x16xf32, #tile.space<shared>>, memref<16x512xf32, #tile.space<shared>> into memref<4x512xf32, #tile.space<fragment>>
    }
    tile.copy %c[0, 0][4, 512] to %C[0, 0][4, 512] : memref<4x512xf32, #tile.space<fragment>> to !c
  }
  return
}
