// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --expand-tiles --verify-diagnostics

// The sum of a product would be rounded before the next one adds to it.
func.func @narrow(%a: memref<16x16xf16, #tile.space<shared>>,
                  %c: memref<16x16xf16, #tile.space<fragment>>) {
  // expected-error @below {{'tile.gemm' op accumulates in 'f16', whose sum is kept in 'f32' from product to product: legalize-accumulators makes it such a tile}}
  tile.gemm %a, %a into %c
    : memref<16x16xf16, #tile.space<shared>>, memref<16x16xf16, #tile.space<shared>>
      into memref<16x16xf16, #tile.space<fragment>>
  return
}
