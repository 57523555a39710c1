// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --cpu-lower-gemm --verify-diagnostics

func.func @matrix(%a: memref<16x64xi8, #tile.space<shared>>,
                  %b: memref<1x16x64xi8, #tile.space<shared>>,
                  %c: memref<16x16xi32, #tile.space<shared>>) {
  // expected-error @+1 {{which nothing emits yet}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<amx_int8 16x16x64, i8 into i32, 512>)
    : memref<16x64xi8, #tile.space<shared>>, memref<1x16x64xi8, #tile.space<shared>>
      into memref<16x16xi32, #tile.space<shared>>
  return
}
