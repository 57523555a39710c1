// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products become the instructions of waves: each element type as its intrinsic takes it.
// RUN: tilewright-opt %s --deal-fragments=lanes=64 --distribute=lanes=64 | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// CHECK-LABEL: @types
// CHECK:         rocdl.mfma.f32.32x32x8f16 %{{.*}} : (vector<4xf16>, vector<4xf16>, vector<16xf32>, i32, i32, i32) -> vector<16xf32>
// CHECK:         rocdl.mfma.f32.16x16x16bf16.1k %{{.*}} : (vector<4xi16>, vector<4xi16>, vector<4xf32>, i32, i32, i32) -> vector<4xf32>
// CHECK:         rocdl.mfma.i32.16x16x32.i8 %{{.*}} : (i64, i64, vector<4xi32>, i32, i32, i32) -> vector<4xi32>
// CHECK:         rocdl.mfma.f32.16x16x4f32 %{{.*}} : (f32, f32, vector<4xf32>, i32, i32, i32) -> vector<4xf32>
func.func @types(%n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<32x8xf16, #shared>
    %b = tile.alloc "b" : memref<8x32xf16, #shared>
    %c = tile.alloc "c" : memref<32x32xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#hip.mfma<32x32x8, f16 into f32>)
      : memref<32x8xf16, #shared>, memref<8x32xf16, #shared> into memref<32x32xf32, #fragment>
    %d = tile.alloc "d" : memref<16x16xbf16, #shared>
    %e = tile.alloc "e" : memref<16x16xf32, #fragment>
    tile.gemm %d, %d into %e clear atom(#hip.mfma<16x16x16, bf16 into f32>)
      : memref<16x16xbf16, #shared>, memref<16x16xbf16, #shared> into memref<16x16xf32, #fragment>
    %f = tile.alloc "f" : memref<16x32xi8, #shared>
    %g = tile.alloc "g" : memref<16x16xi32, #fragment>
    tile.gemm %f, %f into %g transpose_b clear atom(#hip.mfma<16x16x32, i8 into i32>)
      : memref<16x32xi8, #shared>, memref<16x32xi8, #shared> into memref<16x16xi32, #fragment>
    %h = tile.alloc "h" : memref<16x4xf32, #shared>
    %i = tile.alloc "i" : memref<16x16xf32, #fragment>
    tile.gemm %h, %h into %i transpose_b clear atom(#hip.mfma<16x16x4, f32 into f32>)
      : memref<16x4xf32, #shared>, memref<16x4xf32, #shared> into memref<16x16xf32, #fragment>
  }
  return
}

// A row-major B: the three instructions of 32 columns take every third one, and a lane
// reads all three one after the other (of two or four it would be one load).
// Swapped, B is what the instruction takes first.
// CHECK-LABEL: @interleaved
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         tile.alloc "c" : memref<48xf32, #tile.space<local>>
// CHECK:         vector.load
// CHECK:         %[[COLUMN:.*]] = arith.muli %{{.*}}, %c3
// CHECK:         memref.load %[[B]][%{{.*}}, %[[COLUMN]]]
// CHECK:         rocdl.mfma.f32.32x32x8f16
func.func @interleaved(%n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<32x8xf16, #shared>
    %b = tile.alloc "b" : memref<8x96xf16, #shared>
    %c = tile.alloc "c" : memref<32x96xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#hip.mfma<32x32x8, f16 into f32>) swapped
      : memref<32x8xf16, #shared>, memref<8x96xf16, #shared> into memref<32x96xf32, #fragment>
  }
  return
}

// What a swapped product leaves in a lane is what the next one takes of its operand A.
// Not swapped, it lies with other lanes.
// CHECK-LABEL: @held
// CHECK:         %[[P:.*]] = tile.alloc "p" : memref<16xf16, #tile.space<local>>
// CHECK:         memref.load %[[P]]
// CHECK:         vector.from_elements {{.*}} : vector<4xf16>
// CHECK-LABEL: @elsewhere
// CHECK:         tile.alloc "p" : memref<32x32xf16, #tile.space<shared>>
func.func @held(%n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<32x32xf16, #shared>
    %s = tile.alloc "s" : memref<32x32xf32, #fragment>
    %p = tile.alloc "p" : memref<32x32xf16, #fragment>
    %c = tile.alloc "c" : memref<32x32xf32, #fragment>
    tile.gemm %a, %a into %s transpose_b clear atom(#hip.mfma<32x32x8, f16 into f32>) swapped
      : memref<32x32xf16, #shared>, memref<32x32xf16, #shared> into memref<32x32xf32, #fragment>
    tile.parallel (%i, %j) in (32, 32) {
      %v = memref.load %s[%i, %j] : memref<32x32xf32, #fragment>
      %w = tile.cast %v : f32 to f16
      memref.store %w, %p[%i, %j] : memref<32x32xf16, #fragment>
    }
    tile.gemm %p, %a into %c transpose_b clear atom(#hip.mfma<32x32x8, f16 into f32>) swapped
      : memref<32x32xf16, #fragment>, memref<32x32xf16, #shared> into memref<32x32xf32, #fragment>
  }
  return
}
func.func @elsewhere(%n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<32x32xf16, #shared>
    %s = tile.alloc "s" : memref<32x32xf32, #fragment>
    %p = tile.alloc "p" : memref<32x32xf16, #fragment>
    %c = tile.alloc "c" : memref<32x32xf32, #fragment>
    tile.gemm %a, %a into %s transpose_b clear atom(#hip.mfma<32x32x8, f16 into f32>)
      : memref<32x32xf16, #shared>, memref<32x32xf16, #shared> into memref<32x32xf32, #fragment>
    tile.parallel (%i, %j) in (32, 32) {
      %v = memref.load %s[%i, %j] : memref<32x32xf32, #fragment>
      %w = tile.cast %v : f32 to f16
      memref.store %w, %p[%i, %j] : memref<32x32xf16, #fragment>
    }
    tile.gemm %p, %a into %c transpose_b clear atom(#hip.mfma<32x32x8, f16 into f32>)
      : memref<32x32xf16, #fragment>, memref<32x32xf16, #shared> into memref<32x32xf32, #fragment>
  }
  return
}
