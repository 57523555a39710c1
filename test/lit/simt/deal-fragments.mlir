// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fragments stay with the threads that work on them.
// RUN: tilewright-opt %s --deal-fragments | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// Threads take turns at elements that only their own iterations touch; extents of 1 have
// no part in it.
// CHECK-LABEL: @turns
// CHECK:         tile.alloc "a" {simt.dealt} : memref<1x8x16xf32, #tile.space<local>>
// CHECK:         tile.parallel (%{{.*}}, %{{.*}}) in (8, 16) attributes {simt.dealt}
func.func @turns(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %a = tile.alloc "a" : memref<1x8x16xf32, #fragment>
    tile.parallel (%i, %j) in (8, 16) {
      memref.store %f, %a[%c0, %i, %j] : memref<1x8x16xf32, #fragment>
    }
  }
  return
}

// One that is read across, or outside of a nest, is where all threads reach it; so is one
// that meets another shape.
// CHECK-LABEL: @across
// CHECK:         tile.alloc "a" : memref<8x8xf32, #tile.space<shared>>
// CHECK:         tile.alloc "b" : memref<8x8xf32, #tile.space<shared>>
// CHECK:         tile.alloc "c" : memref<8xf32, #tile.space<shared>>
func.func @across(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %a = tile.alloc "a" : memref<8x8xf32, #fragment>
    %b = tile.alloc "b" : memref<8x8xf32, #fragment>
    %c = tile.alloc "c" : memref<8xf32, #fragment>
    tile.parallel (%i, %j) in (8, 8) {
      %x = memref.load %a[%j, %i] : memref<8x8xf32, #fragment>
      %y = memref.load %c[%i] : memref<8xf32, #fragment>
    }
    %z = memref.load %b[%c0, %c0] : memref<8x8xf32, #fragment>
  }
  return
}

// An accumulator is dealt out as the instructions leave it, and what meets it alike: two
// warps side by side, each with two instructions of 16 x 8.
// CHECK-LABEL: @accumulator
// CHECK:         tile.alloc "c" {simt.dealt = #tile.layout<[warp 2:1, vector 2:2, lane 8:4], [vector 2:4, lane 4:1, vector 2:1]>} : memref<32x16xf32, #tile.space<local>>
// CHECK:         tile.alloc "d" {simt.dealt = #tile.layout<[warp 2:1, vector 2:2, lane 8:4], [vector 2:4, lane 4:1, vector 2:1]>} : memref<32x16xf32, #tile.space<local>>
// CHECK:         tile.gemm
// CHECK:         tile.parallel {{.*}} attributes {simt.dealt = #tile.layout<
func.func @accumulator(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<32x16xf16, #shared>
    %b = tile.alloc "b" : memref<16x16xf16, #shared>
    %c = tile.alloc "c" : memref<32x16xf32, #fragment>
    %d = tile.alloc "d" : memref<32x16xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#cuda.mma<f16 into f32>)
      : memref<32x16xf16, #shared>, memref<16x16xf16, #shared> into memref<32x16xf32, #fragment>
    tile.parallel (%i, %j) in (32, 16) {
      %x = memref.load %c[%i, %j] : memref<32x16xf32, #fragment>
      memref.store %x, %d[%i, %j] : memref<32x16xf32, #fragment>
    }
  }
  return
}
