// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which products of rows along K ask for memory ahead of them.
//
// RUN: %tilewright-opt %s --cpu-lower-gemm | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#atom = #cpu.atom<dpbf16 inner 2x8x2, bf16 into f32, 512>
!c2 = memref<2x8xf32, #tile.space<fragment>>
!c4 = memref<4x8xf32, #tile.space<fragment>>
!rows = memref<8x2048xbf16, strided<[2048, 1], offset: ?>, #global>
!apart = memref<8x2048xbf16, strided<[4096, 1], offset: ?>, #global>

// Two rows of A, and rows of B without gaps: the machine reads ahead.
// CHECK-LABEL: @few
// CHECK-NOT:     memref.prefetch
// CHECK-LABEL: @more
// CHECK:         memref.prefetch
func.func @few(%a: memref<2x2048xbf16, #shared>, %b: !rows, %c: !c2) {
  cpu.gemm %a, %b into %c atom(#atom) : memref<2x2048xbf16, #shared>, !rows into !c2
  return
}
func.func @more(%a: memref<4x2048xbf16, #shared>, %b: !rows, %c: !c4) {
  cpu.gemm %a, %b into %c atom(#atom) : memref<4x2048xbf16, #shared>, !rows into !c4
  return
}

// Parts of longer rows, and a tile, which is in a cache.
// CHECK-LABEL: @parts
// CHECK:         memref.prefetch
// CHECK-LABEL: @tile
// CHECK-NOT:     memref.prefetch
func.func @parts(%a: memref<2x2048xbf16, #shared>, %b: !apart, %c: !c2) {
  cpu.gemm %a, %b into %c atom(#atom) : memref<2x2048xbf16, #shared>, !apart into !c2
  return
}
func.func @tile(%a: memref<4x2048xbf16, #shared>, %b: memref<8x2048xbf16, #shared>, %c: !c4) {
  cpu.gemm %a, %b into %c atom(#atom)
    : memref<4x2048xbf16, #shared>, memref<8x2048xbf16, #shared> into !c4
  return
}
