// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles that products go on reading.
//
// RUN: %tilewright-opt %s --cpu-read-in-place | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<128x512xbf16, #global>
!tile = memref<64x512xbf16, #shared>
!q = memref<256x16x2xbf16, #shared>
!s = memref<64x16xf32, #shared>
#atom = #cpu.atom<dpbf16 22x16x2, bf16 into f32, 512>

// 22 rows that lie 4 KiB apart.
// CHECK-LABEL: @same_sets
// CHECK:         cpu.gemm %{{.*}}, %{{.*}} into {{.*}} : memref<64x512xbf16, #tile.space<shared>>
func.func @same_sets(%x: memref<128x2048xbf16, #global>, %q: !q, %s: !s) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %x[0, 0][64, 512] to %t[0, 0][64, 512] : memref<128x2048xbf16, #global> to !tile
    cpu.gemm %t, %q into %s clear atom(#atom) : !tile, !q into !s
  }
  return
}

// The kernel writes the tensor.
// CHECK-LABEL: @written
// CHECK:         cpu.gemm %{{.*}}, %{{.*}} into {{.*}} : memref<64x512xbf16, #tile.space<shared>>
func.func @written(%x: !x, %q: !q, %s: !s) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %x[0, 0][64, 512] to %t[0, 0][64, 512] : !x to !tile
    tile.store %zero, %x[%c0, %c0] : !x
    cpu.gemm %t, %q into %s clear atom(#atom) : !tile, !q into !s
  }
  return
}

// The tile is changed in any case, or where nobody can tell before.
// CHECK-LABEL: @changed
// CHECK:         cpu.gemm %{{.*}}, %{{.*}} into {{.*}} : memref<64x512xbf16, #tile.space<shared>>
func.func @changed(%x: !x, %q: !q, %s: !s) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %x[0, 0][64, 512] to %t[0, 0][64, 512] : !x to !tile
    memref.store %zero, %t[%c0, %c0] : !tile
    cpu.gemm %t, %q into %s clear atom(#atom) : !tile, !q into !s
  }
  return
}

// CHECK-LABEL: @found_late
// CHECK:         cpu.gemm %{{.*}}, %{{.*}} into {{.*}} : memref<64x512xbf16, #tile.space<shared>>
func.func @found_late(%x: !x, %q: !q, %s: !s) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %x[0, 0][64, 512] to %t[0, 0][64, 512] : !x to !tile
    %v = memref.load %t[%c0, %c0] : !tile
    %positive = arith.cmpf ogt, %v, %zero : bf16
    scf.if %positive {
      memref.store %zero, %t[%c0, %c0] : !tile
    }
    cpu.gemm %t, %q into %s clear atom(#atom) : !tile, !q into !s
  }
  return
}

// The steps of an inner loop read a tile of the loop around it: it is copied once.
// CHECK-LABEL: @outside
// CHECK:         cpu.gemm %{{.*}}, %{{.*}} into {{.*}} : memref<64x512xbf16, #tile.space<shared>>
func.func @outside(%x: !x, %q: !q, %s: !s, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %x[0, 0][64, 512] to %t[0, 0][64, 512] : !x to !tile
    scf.for %k = %c0 to %n step %c1 {
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
    }
  }
  return
}

// Vectors that each block of rows loads again: they are closer together in a tile.
// CHECK-LABEL: @again
// CHECK:         tile.copy %arg0
// CHECK-NEXT:    cpu.gemm %arg1, %{{.*}} into
// CHECK-NOT:     scf.if
func.func @again(%w: memref<32x512xf32, #global>, %a: memref<8x32xf32, #shared>,
                 %c: memref<8x512xf32, #shared>) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : memref<32x512xf32, #shared>
    tile.copy %w[0, 0][32, 512] to %t[0, 0][32, 512] : memref<32x512xf32, #global> to memref<32x512xf32, #shared>
    cpu.gemm %a, %t into %c atom(#cpu.atom<fma 4x96x1, f32 into f32, 512>)
      : memref<8x32xf32, #shared>, memref<32x512xf32, #shared> into memref<8x512xf32, #shared>
  }
  return
}

// Elements of a row that lie apart make no vectors.
// CHECK-LABEL: @apart
// CHECK:         tile.copy %arg0
// CHECK-NEXT:    cpu.gemm %arg1, %{{.*}} into
// CHECK-NOT:     scf.if
func.func @apart(%w: memref<32x512xf32, strided<[?, ?]>, #global>, %a: memref<4x32xf32, #shared>,
                 %c: memref<4x512xf32, #shared>) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : memref<32x512xf32, #shared>
    tile.copy %w[0, 0][32, 512] to %t[0, 0][32, 512] : memref<32x512xf32, strided<[?, ?]>, #global> to memref<32x512xf32, #shared>
    cpu.gemm %a, %t into %c atom(#cpu.atom<fma 4x96x1, f32 into f32, 512>)
      : memref<4x32xf32, #shared>, memref<32x512xf32, #shared> into memref<4x512xf32, #shared>
  }
  return
}
