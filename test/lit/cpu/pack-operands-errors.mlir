// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --cpu-pack-operands --verify-diagnostics

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
