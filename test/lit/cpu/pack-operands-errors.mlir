// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --cpu-pack-operands --split-input-file --verify-diagnostics

#shared = #tile.space<shared>

func.func @no_atom(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc : memref<16x16xf32, #shared>
    %c = tile.alloc : memref<16x16xf32, #shared>
    // expected-error @+1 {{'tile.gemm' op has no CPU atom; run select-atoms before this pass}}
    tile.gemm %a, %a into %c
      : memref<16x16xf32, #shared>, memref<16x16xf32, #shared> into memref<16x16xf32, #shared>
  }
  return
}

// -----

#shared = #tile.space<shared>

func.func @inner_across(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc : memref<16x16xf32, #shared>
    %c = tile.alloc : memref<16x16xf32, #shared>
    // expected-error @+1 {{'tile.gemm' op has an inner atom, which reads rows of A and of B transposed}}
    tile.gemm %a, %a into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 256>)
      : memref<16x16xf32, #shared>, memref<16x16xf32, #shared> into memref<16x16xf32, #shared>
  }
  return
}
