// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --legalize-accumulators --verify-diagnostics

#shared = #tile.space<shared>

func.func @not_its_own(%a: memref<16x16xf16, #shared>, %c: memref<16x16xf16, #shared>) {
  // expected-error @+1 {{accumulates in 'f16', in a tile that is not allocated in the kernel}}
  tile.gemm %a, %a into %c
    : memref<16x16xf16, #shared>, memref<16x16xf16, #shared> into memref<16x16xf16, #shared>
  return
}
