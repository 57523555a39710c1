// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products that read a tile.
//
// RUN: %tilewright-opt %s --cpu-forward-copies | FileCheck %s
// CHECK-NOT: memref.subview

#global = #tile.space<global>
#shared = #tile.space<shared>
!w = memref<64x8192xbf16, #global>
!tile = memref<8x256xbf16, #shared>
!a = memref<4x256xbf16, #shared>
!c = memref<4x8xf32, #tile.space<fragment>>
#atom = #cpu.atom<dpbf16 inner 4x4x2, bf16 into f32, 512>

// The tile is read again; the tensor is written; the copy converts; too many rows of A for
// rows of B that do not stay in L1.
func.func @tiles(%w: !w, %a: !a, %c: !c, %u: memref<256xbf16, #shared>, %f: memref<64x8192xf32, #global>,
                 %long: memref<16x4096xbf16, #shared>,
                 %d: memref<16x8xf32, #tile.space<fragment>>) {
  %c8 = arith.constant 8 : index
  %one = arith.constant 1.0 : bf16
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c8 : index
    tile.copy %w[%row, 0][8, 256] to %t[0, 0][8, 256] : !w to !tile
    cpu.gemm %a, %t into %c atom(#atom) : !a, !tile into !c
    tile.reduce sum %t into %u dim 0 : !tile into memref<256xbf16, #shared>
  }
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c8 : index
    tile.copy %w[%row, 0][8, 256] to %t[0, 0][8, 256] : !w to !tile
    cpu.gemm %a, %t into %c atom(#atom) : !a, !tile into !c
    tile.store %one, %w[%b, %b] : !w
  }
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c8 : index
    tile.copy %f[%row, 0][8, 256] to %t[0, 0][8, 256] : memref<64x8192xf32, #global> to !tile
    cpu.gemm %a, %t into %c atom(#atom) : !a, !tile into !c
  }
  tile.kernel (%b) in (%c8) threads(128) {
    %t = tile.alloc "t" : memref<8x4096xbf16, #shared>
    %row = arith.muli %b, %c8 : index
    tile.copy %w[%row, 0][8, 4096] to %t[0, 0][8, 4096] : !w to memref<8x4096xbf16, #shared>
    cpu.gemm %long, %t into %d atom(#atom)
      : memref<16x4096xbf16, #shared>, memref<8x4096xbf16, #shared>
        into memref<16x8xf32, #tile.space<fragment>>
  }
  return
}
