// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction of each type: its own, or that of a wider one that holds its numbers.
// RUN: tilewright-opt %s --select-atoms=target=cuda:sm_80 --verify-diagnostics

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

func.func @types(%blocks: index, %f64: memref<32x32xf64, #shared>, %sum64: memref<32x32xf64, #fragment>,
                 %i8: memref<32x32xi8, #shared>, %sum: memref<32x32xi32, #fragment>,
                 %f8: memref<32x32xf8E4M3FN, #shared>, %f8z: memref<32x32xf8E5M2FNUZ, #shared>,
                 %f16: memref<32x32xf16, #shared>, %bf16: memref<32x32xbf16, #shared>,
                 %f32: memref<32x32xf32, #shared>, %real: memref<32x32xf32, #fragment>) {
  tile.kernel (%bx) in (%blocks) threads(128) {
    // expected-remark @+1 {{uses #cuda.mma<f64 into f64>}}
    tile.gemm %f64, %f64 into %sum64 : memref<32x32xf64, #shared>, memref<32x32xf64, #shared> into memref<32x32xf64, #fragment>
    // expected-remark @+1 {{uses #cuda.mma<i8 into i32>}}
    tile.gemm %i8, %i8 into %sum : memref<32x32xi8, #shared>, memref<32x32xi8, #shared> into memref<32x32xi32, #fragment>
    // expected-remark @+1 {{uses #cuda.mma<ui8 into i32>}}
    tile.gemm %i8, %i8 into %sum unsigned : memref<32x32xi8, #shared>, memref<32x32xi8, #shared> into memref<32x32xi32, #fragment>
    // Sums of fp8 products by the instruction for them keep 14 bits: it is not used.
    // expected-remark @+1 {{uses #cuda.mma<f16 into f32>}}
    tile.gemm %f8, %f8 into %real : memref<32x32xf8E4M3FN, #shared>, memref<32x32xf8E4M3FN, #shared> into memref<32x32xf32, #fragment>
    // Normal numbers of this type are denormal in f16.
    // expected-remark @+1 {{uses #cuda.mma<bf16 into f32>}}
    tile.gemm %f8z, %f8 into %real : memref<32x32xf8E5M2FNUZ, #shared>, memref<32x32xf8E4M3FN, #shared> into memref<32x32xf32, #fragment>
    // expected-remark @+1 {{uses #cuda.mma<bf16 into f32>}}
    tile.gemm %bf16, %f8 into %real : memref<32x32xbf16, #shared>, memref<32x32xf8E4M3FN, #shared> into memref<32x32xf32, #fragment>
    // expected-remark @+1 {{multiplies bf16 x f16 into f32 by multiply-adds: cuda:sm_80 has no instruction for it}}
    tile.gemm %bf16, %f16 into %real : memref<32x32xbf16, #shared>, memref<32x32xf16, #shared> into memref<32x32xf32, #fragment>
    // expected-remark @+1 {{uses #cuda.mma<tf32 into f32>}}
    tile.gemm %f32, %f32 into %real precision tf32 : memref<32x32xf32, #shared>, memref<32x32xf32, #shared> into memref<32x32xf32, #fragment>
    // expected-remark @+1 {{multiplies f32 x f32 into f32 by multiply-adds}}
    tile.gemm %f32, %f32 into %real : memref<32x32xf32, #shared>, memref<32x32xf32, #shared> into memref<32x32xf32, #fragment>
  }
  return
}
