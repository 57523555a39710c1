// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: tilewright-opt %s --cpu-share-panels --split-input-file -verify-diagnostics | FileCheck %s

// CHECK-NOT: tile.workspace

// Two blocks copy each tile of B twice.

!b = memref<64x128xf32, #tile.space<global>>
!t = memref<32x64xf32, #tile.space<shared>>
!a = memref<64x32xf32, #tile.space<shared>>
!c = memref<64x64xf32, #tile.space<fragment>>
func.func @seldom(%B: !b) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%bx, %by) in (%c2, %c2) {
    %column = arith.muli %bx, %c64 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    scf.for %k = %c0 to %c2 step %c1 {
      %at = arith.muli %k, %c32 : index
      // expected-remark @+1 {{every block fills "b" anew: it is used too seldom, or its tensor is too large}}
      tile.copy %B[%at, %column][32, 64] to %b[0, 0][32, 64] : !b to !t
      cpu.gemm %a, %b into %c atom(#cpu.atom<fma 4x16x1, f32 into f32, 256>) : !a, !t into !c
    }
  }
  return
}

// -----

// Pages of a cache lie where a table says; offsets that are no multiple; a loop that each
// block runs as often as it likes; a tensor that is written.

!b = memref<64x128xf32, #tile.space<global>>
!i = memref<64xindex, #tile.space<global>>
!t = memref<32x64xf32, #tile.space<shared>>
!a = memref<64x32xf32, #tile.space<shared>>
!c = memref<64x64xf32, #tile.space<fragment>>
func.func @unknown(%B: !b, %D: !b, %table: !i) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx, %by) in (%c2, %c8) {
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !t
    %d = tile.alloc "d" : !t
    %e = tile.alloc "e" : !t
    %f = tile.alloc "f" : !t
    %c = tile.alloc "c" : !c
    %page = tile.load %table[%bx] : !i
    %at = arith.muli %page, %c32 : index
    // expected-remark @+1 {{every block fills "b" anew: where it lies is read from memory}}
    tile.copy %B[%at, 0][32, 64] to %b[0, 0][32, 64] : !b to !t
    cpu.gemm %a, %b into %c atom(#cpu.atom<fma 4x16x1, f32 into f32, 256>) : !a, !t into !c
    // expected-remark @+1 {{every block fills "d" anew: it is not a tile of its tensor}}
    tile.copy %B[%bx, 0][32, 64] to %d[0, 0][32, 64] : !b to !t
    cpu.gemm %a, %d into %c atom(#cpu.atom<fma 4x16x1, f32 into f32, 256>) : !a, !t into !c
    scf.for %k = %c0 to %by step %c1 {
      // expected-remark @+1 {{every block fills "e" anew: how often it is copied is known in the kernel alone}}
      tile.copy %B[0, 0][32, 64] to %e[0, 0][32, 64] : !b to !t
      cpu.gemm %a, %e into %c atom(#cpu.atom<fma 4x16x1, f32 into f32, 256>) : !a, !t into !c
    }
    // expected-remark @+1 {{every block fills "f" anew: something may write its tensor}}
    tile.copy %D[0, 0][32, 64] to %f[0, 0][32, 64] : !b to !t
    cpu.gemm %a, %f into %c atom(#cpu.atom<fma 4x16x1, f32 into f32, 256>) : !a, !t into !c
    tile.store %zero, %D[%bx, %by] : !b
  }
  return
}

// -----

// What is copied from outside of the tensor is zero, and no tile of it.

!b = memref<64x128xf32, #tile.space<global>>
!t = memref<32x64xf32, #tile.space<shared>>
!a = memref<64x32xf32, #tile.space<shared>>
!c = memref<64x64xf32, #tile.space<fragment>>
func.func @outside(%B: !b) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%by) in (%c8) {
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    scf.for %k = %c0 to %c3 step %c1 {
      %at = arith.muli %k, %c32 : index
      // expected-remark @+1 {{every block fills "b" anew: it is not shown to begin inside its tensor}}
      tile.copy %B[%at, 0][32, 64] to %b[0, 0][32, 64] : !b to !t
      cpu.gemm %a, %b into %c atom(#cpu.atom<fma 4x16x1, f32 into f32, 256>) : !a, !t into !c
    }
  }
  return
}
