// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --legalize-accumulators --split-input-file --verify-diagnostics

#shared = #tile.space<shared>

func.func @not_its_own(%a: memref<16x16xf16, #shared>, %c: memref<16x16xf16, #shared>) {
  // expected-error @+1 {{accumulates in 'f16', in a tile that is not allocated in the kernel}}
  tile.gemm %a, %a into %c
    : memref<16x16xf16, #shared>, memref<16x16xf16, #shared> into memref<16x16xf16, #shared>
  return
}

// -----

#shared = #tile.space<shared>

func.func @seen_as_bits(%a: memref<16x16xf16, #shared>, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %c = tile.alloc "c" : memref<16x16xf16, #shared>
    %flat = tile.view %c : memref<16x16xf16, #shared> to memref<256xf16, #shared>
    // expected-note @+1 {{the view is here}}
    %bits = tile.view %flat : memref<256xf16, #shared> to memref<256xi16, #shared>
    // expected-error @+1 {{accumulates in 'f16' in c, whose bits T.view sees as another type; accumulate in a tile of its own, and T.copy the result}}
    tile.gemm %a, %a into %c
      : memref<16x16xf16, #shared>, memref<16x16xf16, #shared> into memref<16x16xf16, #shared>
  }
  return
}

// -----

#shared = #tile.space<shared>

func.func @accumulates_in_a_view(%a: memref<16x16xf16, #shared>, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %c = tile.alloc "c" : memref<16x8xf32, #shared>
    // expected-note @+1 {{the view is here}}
    %h = tile.view %c : memref<16x8xf32, #shared> to memref<16x16xf16, #shared>
    // expected-error @+1 {{accumulates in 'f16' in c, whose bits}}
    tile.gemm %a, %a into %h
      : memref<16x16xf16, #shared>, memref<16x16xf16, #shared> into memref<16x16xf16, #shared>
  }
  return
}
