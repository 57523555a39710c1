// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a byte means changed from gfx942 to gfx950; gfx90a has no instruction for fp8, and
// multiplies in a wider type that holds its numbers.
// RUN: %tilewright-opt %s --select-atoms=target=hip:gfx90a 2>&1 | FileCheck %s --check-prefix=GFX90A
// RUN: %tilewright-opt %s --select-atoms=target=hip:gfx942 2>&1 | FileCheck %s --check-prefix=GFX942
// RUN: %tilewright-opt %s --select-atoms=target=hip:gfx950 2>&1 | FileCheck %s --check-prefix=GFX950

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

func.func @types(%blocks: index, %f64: memref<32x64xf64, #shared>, %sum64: memref<32x32xf64, #fragment>,
                 %i8: memref<32x64xi8, #shared>, %sum: memref<32x32xi32, #fragment>,
                 %e4m3: memref<32x64xf8E4M3FN, #shared>, %e4m3z: memref<32x64xf8E4M3FNUZ, #shared>,
                 %f16: memref<32x64xf16, #shared>, %bf16: memref<32x64xbf16, #shared>,
                 %f32: memref<32x64xf32, #shared>, %real: memref<32x32xf32, #fragment>) {
  tile.kernel (%bx) in (%blocks) threads(64) {
    // GFX90A: uses #hip.mfma<16x16x4, f64 into f64>
    // GFX942: uses #hip.mfma<16x16x4, f64 into f64>
    // GFX950: uses #hip.mfma<16x16x4, f64 into f64>
    tile.gemm %f64, %f64 into %sum64 transpose_b : memref<32x64xf64, #shared>, memref<32x64xf64, #shared> into memref<32x32xf64, #fragment>
    // GFX90A: uses #hip.mfma<32x32x8, i8 into i32>
    // GFX942: uses #hip.mfma<32x32x16, i8 into i32>
    // GFX950: uses #hip.mfma<32x32x32, i8 into i32>
    tile.gemm %i8, %i8 into %sum transpose_b : memref<32x64xi8, #shared>, memref<32x64xi8, #shared> into memref<32x32xi32, #fragment>
    // GFX90A: uses #hip.mfma<32x32x8, f16 into f32>
    // GFX942: uses #hip.mfma<32x32x8, f16 into f32>
    // GFX950: uses #hip.mfma<32x32x16, f8E4M3FN into f32>
    tile.gemm %e4m3, %e4m3 into %real transpose_b : memref<32x64xf8E4M3FN, #shared>, memref<32x64xf8E4M3FN, #shared> into memref<32x32xf32, #fragment>
    // GFX90A: uses #hip.mfma<32x32x8, f16 into f32>
    // GFX942: uses #hip.mfma<32x32x16, f8E4M3FNUZ into f32>
    // GFX950: uses #hip.mfma<32x32x16, f16 into f32>
    tile.gemm %e4m3z, %e4m3z into %real transpose_b : memref<32x64xf8E4M3FNUZ, #shared>, memref<32x64xf8E4M3FNUZ, #shared> into memref<32x32xf32, #fragment>
    // GFX90A: uses #hip.mfma<32x32x8, bf16 into f32>
    // GFX942: uses #hip.mfma<32x32x8, bf16 into f32>
    // GFX950: uses #hip.mfma<32x32x16, bf16 into f32>
    tile.gemm %bf16, %e4m3 into %real transpose_b : memref<32x64xbf16, #shared>, memref<32x64xf8E4M3FN, #shared> into memref<32x32xf32, #fragment>
    // GFX90A: uses #hip.mfma<32x32x2, f32 into f32>
    // GFX942: uses #hip.mfma<32x32x2, f32 into f32>
    // GFX950: uses #hip.mfma<32x32x2, f32 into f32>
    tile.gemm %bf16, %f16 into %real transpose_b : memref<32x64xbf16, #shared>, memref<32x64xf16, #shared> into memref<32x32xf32, #fragment>
  }
  return
}
