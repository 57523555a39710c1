// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --legalize-accumulators --verify-diagnostics

#shared = #tile.space<shared>
#part = strided<[32, 1], offset: 16>

func.func @part(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc : memref<16x16xf16, #shared>
    %c = tile.alloc : memref<16x32xf16, #shared>
    %right = memref.subview %c[0, 16] [16, 16] [1, 1]
      : memref<16x32xf16, #shared> to memref<16x16xf16, #part, #shared>
    // expected-error @+1 {{accumulates in a part of a tile of 'f16'; accumulate in a whole tile, or in one of f32}}
    tile.gemm %a, %a into %right
      : memref<16x16xf16, #shared>, memref<16x16xf16, #shared>
        into memref<16x16xf16, #part, #shared>
  }
  return
}
