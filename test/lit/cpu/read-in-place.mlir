// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products broadcast rows of a tensor where they lie.
//
// RUN: %tilewright-opt %s --cpu-read-in-place --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
!cache = memref<?x64x576xbf16, #global>
!tile = memref<64x512xbf16, #shared>
!q = memref<256x16x2xbf16, #shared>
!s = memref<64x16xf32, #shared>
#atom = #cpu.atom<dpbf16 22x16x2, bf16 into f32, 512>

// Rows that are known to exist.
// CHECK-LABEL: @known
// CHECK-NOT:     tile.alloc
// CHECK:         %[[ROWS:.*]] = memref.subview %arg0[3, 0, 0] [1, 64, 512] [1, 1, 1]
// CHECK-NEXT:    cpu.gemm %[[ROWS]], %arg1 into
func.func @known(%cache: memref<8x64x576xbf16, #global>, %q: !q, %s: !s) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %cache[3, 0, 0][1, 64, 512] to %t[0, 0][64, 512] : memref<8x64x576xbf16, #global> to !tile
    cpu.gemm %t, %q into %s clear atom(#atom) : !tile, !q into !s
  }
  return
}

// A page that may not exist, and a branch that clears rows of the tile: where the branch is
// taken the copy is made, and is what all readers read.
// CHECK-LABEL: @page
// CHECK:         %[[T:.*]] = tile.alloc "t"
// CHECK:         %[[LAST:.*]] = arith.cmpi slt, %arg4, %c64
// CHECK:         %[[WHOLE:.*]] = arith.andi
// CHECK:         scf.if %[[WHOLE]] {
// CHECK-NEXT:    } else {
// CHECK-NEXT:      tile.copy %arg0[{{.*}}] to %[[T]]
// CHECK-NEXT:    }
// CHECK:         scf.if %[[LAST]] {
// CHECK:           memref.store %{{.*}}, %[[T]]
// CHECK:         scf.if %[[WHOLE]] {
// CHECK-NEXT:      %[[ROWS:.*]] = memref.subview %arg0[%arg3, 0, 0] [1, 64, 512] [1, 1, 1]
// CHECK-NEXT:      cpu.gemm %[[ROWS]], %arg1 into
// CHECK-NEXT:      tile.pack %arg0[%arg3, 0, 0][1, 64, 512] dims [1, 2] into
// CHECK-NEXT:    } else {
// CHECK-NEXT:      cpu.gemm %[[T]], %arg1 into
// CHECK-NEXT:      tile.pack %[[T]]
func.func @page(%cache: !cache, %q: !q, %s: !s, %page: index, %n: index, %panel: memref<32x512x2xbf16, #shared>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %cache[%page, 0, 0][1, 64, 512] to %t[0, 0][64, 512] : !cache to !tile
    %last = arith.cmpi slt, %n, %c64 : index
    scf.if %last {
      tile.parallel (%i, %j) in (64, 512) {
        %beyond = arith.cmpi sge, %i, %n : index
        scf.if %beyond {
          memref.store %zero, %t[%i, %j] : !tile
        }
      }
    }
    cpu.gemm %t, %q into %s clear atom(#atom) : !tile, !q into !s
    tile.pack %t[0, 0][64, 512] dims [0, 1] into %panel : !tile into memref<32x512x2xbf16, #shared>
  }
  return
}

// Vectors that a product of few rows loads once, where the rows exist.
// CHECK-LABEL: @vectors
// CHECK:         scf.if
// CHECK-NEXT:      %[[ROWS:.*]] = memref.subview %arg0[%arg3, 0] [32, 512] [1, 1]
// CHECK-NEXT:      cpu.gemm %arg1, %[[ROWS]] into
// CHECK-NEXT:    } else {
// CHECK-NEXT:      tile.copy %arg0[%arg3, 0][32, 512] to %[[T:.*]][0, 0]
// CHECK-NEXT:      cpu.gemm %arg1, %[[T]] into
func.func @vectors(%x: memref<?x512xf32, #global>, %a: memref<4x32xf32, #shared>,
                   %c: memref<4x512xf32, #shared>, %k: index) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : memref<32x512xf32, #shared>
    tile.copy %x[%k, 0][32, 512] to %t[0, 0][32, 512] : memref<?x512xf32, #global> to memref<32x512xf32, #shared>
    cpu.gemm %a, %t into %c atom(#cpu.atom<fma 4x96x1, f32 into f32, 512>)
      : memref<4x32xf32, #shared>, memref<32x512xf32, #shared> into memref<4x512xf32, #shared>
  }
  return
}

// Two blocks of rows weave the rows of a tensor.
// CHECK-LABEL: @woven
// CHECK-NOT:     tile.alloc
// CHECK:         %[[ROWS:.*]] = memref.subview %arg0[3, 0, 0] [1, 64, 512] [1, 1, 1]
// CHECK-NEXT:    cpu.gemm %arg1, %[[ROWS]] into
func.func @woven(%cache: memref<8x64x576xbf16, #global>, %p: memref<16x64xbf16, #shared>,
                 %c: memref<16x512xf32, #shared>) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %cache[3, 0, 0][1, 64, 512] to %t[0, 0][64, 512] : memref<8x64x576xbf16, #global> to !tile
    cpu.gemm %p, %t into %c atom(#cpu.atom<dpbf16 woven 8x32x2, bf16 into f32, 512>)
      : memref<16x64xbf16, #shared>, !tile into memref<16x512xf32, #shared>
  }
  return
}
