// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many threads blocks have that do not say so.
// RUN: tilewright-opt %s --choose-threads | FileCheck %s
// RUN: tilewright-opt %s --choose-threads="lanes=64" | FileCheck %s --check-prefix=WAVES

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// 64 KiB of fragments are 512 bytes of each of 128 threads.
// CHECK-LABEL: @product
// CHECK:         tile.kernel {{.*}} threads(128)
// WAVES-LABEL: @product
// WAVES:         tile.kernel {{.*}} threads(256)
func.func @product(%n: index) {
  tile.kernel (%bx) in (%n) {
    %a = tile.alloc "a" : memref<128x32xf16, #shared>
    %b = tile.alloc "b" : memref<32x128xf16, #shared>
    %c = tile.alloc "c" : memref<128x128xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#cuda.mma<f16 into f32>)
      : memref<128x32xf16, #shared>, memref<32x128xf16, #shared> into memref<128x128xf32, #fragment>
  }
  return
}

// 128 KiB are more than 128 of them have registers for.
// CHECK-LABEL: @large_product
// CHECK:         tile.kernel {{.*}} threads(256)
// WAVES-LABEL: @large_product
// WAVES:         tile.kernel {{.*}} threads(256)
func.func @large_product(%n: index) {
  tile.kernel (%bx) in (%n) {
    %a = tile.alloc "a" : memref<128x32xf16, #shared>
    %b = tile.alloc "b" : memref<32x256xf16, #shared>
    %c = tile.alloc "c" : memref<128x256xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#cuda.mma<f16 into f32>)
      : memref<128x32xf16, #shared>, memref<32x256xf16, #shared> into memref<128x256xf32, #fragment>
  }
  return
}

// Nothing is multiplied: 128 bytes are enough for a thread.
// CHECK-LABEL: @rows
// CHECK:         tile.kernel {{.*}} threads(512)
// WAVES-LABEL: @rows
// WAVES:         tile.kernel {{.*}} threads(512)
func.func @rows(%n: index) {
  tile.kernel (%bx) in (%n) {
    %c = tile.alloc "c" : memref<2x8192xf32, #fragment>
    %m = tile.alloc "m" : memref<2xf32, #fragment>
    tile.reduce max %c into %m dim 1 : memref<2x8192xf32, #fragment> into memref<2xf32, #fragment>
  }
  return
}

// CHECK-LABEL: @said
// CHECK:         tile.kernel {{.*}} threads(64)
func.func @said(%n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c = tile.alloc "c" : memref<128x128xf32, #fragment>
  }
  return
}
