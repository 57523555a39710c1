// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: tilewright-opt %s --cpu-merge-steps=budget=262144 --split-input-file | FileCheck %s

// What an iteration makes of its product cannot wait for the next one.

// CHECK-LABEL: func.func @clears
// CHECK: tile.pipelined {{.*}} step %c1
// CHECK: tile.gemm {{.*}} clear
!x = memref<64x1024xf32, #tile.space<global>>
!t = memref<64x32xf32, #tile.space<shared>>
!c = memref<64x64xf32, #tile.space<fragment>>
func.func @clears(%A: !x, %B: !x) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.pipelined %k = %c0 to %c32 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[0, %at][64, 32] to %a[0, 0][64, 32] : !x to !t
      tile.copy %B[0, %at][64, 32] to %b[0, 0][64, 32] : !x to !t
      tile.gemm %a, %b into %c transpose_b clear : !t, !t into !c
    }
  }
  return
}

// -----

// Sums of f16 are rounded after every step.

// CHECK-LABEL: func.func @rounds
// CHECK: tile.pipelined {{.*}} step %c1
!x = memref<64x1024xf16, #tile.space<global>>
!t = memref<64x32xf16, #tile.space<shared>>
!c = memref<64x64xf16, #tile.space<fragment>>
func.func @rounds(%A: !x, %B: !x) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.pipelined %k = %c0 to %c32 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[0, %at][64, 32] to %a[0, 0][64, 32] : !x to !t
      tile.copy %B[0, %at][64, 32] to %b[0, 0][64, 32] : !x to !t
      tile.gemm %a, %b into %c transpose_b : !t, !t into !c
    }
  }
  return
}

// -----

// B moves along rows of its own, not along K; and a copy that skips every other tile.

// CHECK-LABEL: func.func @elsewhere
// CHECK: tile.pipelined {{.*}} step %c1
// CHECK: tile.pipelined {{.*}} step %c1
!x = memref<1024x1024xf32, #tile.space<global>>
!t = memref<64x32xf32, #tile.space<shared>>
!c = memref<64x64xf32, #tile.space<fragment>>
func.func @elsewhere(%A: !x, %B: !x) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.pipelined %k = %c0 to %c16 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[0, %at][64, 32] to %a[0, 0][64, 32] : !x to !t
      tile.copy %B[%at, 0][64, 32] to %b[0, 0][64, 32] : !x to !t
      tile.gemm %a, %b into %c transpose_b : !t, !t into !c
    }
    %d = tile.alloc "d" : !t
    %e = tile.alloc "e" : !t
    tile.pipelined %k = %c0 to %c16 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %A[0, %at][64, 32] to %d[0, 0][64, 32] : !x to !t
      tile.copy %B[0, %at][64, 32] to %e[0, 0][64, 32] : !x to !t
      tile.gemm %d, %e into %c transpose_b : !t, !t into !c
    }
  }
  return
}

// -----

// The tile of the last iteration is read after the loop.

// CHECK-LABEL: func.func @read_later
// CHECK: tile.pipelined {{.*}} step %c1
!x = memref<64x1024xf32, #tile.space<global>>
!t = memref<64x32xf32, #tile.space<shared>>
!c = memref<64x64xf32, #tile.space<fragment>>
func.func @read_later(%A: !x, %B: !x, %C: !x) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.pipelined %k = %c0 to %c32 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[0, %at][64, 32] to %a[0, 0][64, 32] : !x to !t
      tile.copy %B[0, %at][64, 32] to %b[0, 0][64, 32] : !x to !t
      tile.gemm %a, %b into %c transpose_b : !t, !t into !c
    }
    tile.copy %a[0, 0][64, 32] to %C[0, 0][64, 32] : !t to !x
  }
  return
}
