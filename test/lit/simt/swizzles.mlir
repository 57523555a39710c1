// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operands' tiles get a swizzle, which is computed when work was dealt out.
// RUN: tilewright-opt %s --swizzle-tiles | FileCheck %s --check-prefix=TILES
// RUN: tilewright-opt %s --apply-swizzles --canonicalize | FileCheck %s --check-prefix=PLACES

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// Rows of 8 chunks: all eight rows differ. Rows of 6 = 2 * 3 chunks: rows 0 and 4 are in
// the same banks, so one bit of the chunk hangs on row / 4. Rows of 3 chunks need none, and
// those of 2 1/2 have no whole ones. A tile that is seen in another way keeps its rows.
// TILES-LABEL: @operands
// TILES:         tile.alloc "a" {simt.swizzle = #simt.swizzle<chunk = 8, bits = 3, rows = 1>}
// TILES:         tile.alloc "b" {simt.swizzle = #simt.swizzle<chunk = 8, bits = 1, rows = 4>}
// TILES:         tile.alloc "odd" : memref
// TILES:         tile.alloc "part" : memref
// TILES:         tile.alloc "viewed" : memref
func.func @operands(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %a = tile.alloc "a" : memref<16x64xf16, #shared>
    %b = tile.alloc "b" : memref<64x48xf16, #shared>
    %odd = tile.alloc "odd" : memref<64x24xf16, #shared>
    %part = tile.alloc "part" : memref<64x20xf16, #shared>
    %viewed = tile.alloc "viewed" : memref<64x64xf16, #shared>
    %flat = tile.view %viewed : memref<64x64xf16, #shared> to memref<4096xf16, #shared>
    %c = tile.alloc "c" : memref<16x48xf32, #fragment>
    %d = tile.alloc "d" : memref<16x24xf32, #fragment>
    %e = tile.alloc "e" : memref<16x20xf32, #fragment>
    %f = tile.alloc "f" : memref<16x64xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#cuda.mma<f16 into f32>)
      : memref<16x64xf16, #shared>, memref<64x48xf16, #shared> into memref<16x48xf32, #fragment>
    tile.gemm %a, %odd into %d clear atom(#cuda.mma<f16 into f32>)
      : memref<16x64xf16, #shared>, memref<64x24xf16, #shared> into memref<16x24xf32, #fragment>
    tile.gemm %a, %part into %e clear atom(#cuda.mma<f16 into f32>)
      : memref<16x64xf16, #shared>, memref<64x20xf16, #shared> into memref<16x20xf32, #fragment>
    tile.gemm %a, %viewed into %f clear atom(#cuda.mma<f16 into f32>)
      : memref<16x64xf16, #shared>, memref<64x64xf16, #shared> into memref<16x64xf32, #fragment>
  }
  return
}

// Of rows 16 apart, and of columns 64 apart, the swizzle is the same: the constants stay
// outside of it.
// PLACES-LABEL: @places
// PLACES-SAME:    %[[R:[a-z0-9]+]]: index, %[[C:[a-z0-9]+]]: index
// PLACES:         %[[S:.*]] = tile.alloc "s" : memref
// PLACES:         %[[D:.*]] = arith.divui %[[R]], %c2
// PLACES:         %[[M:.*]] = arith.remui %[[D]], %c4
// PLACES:         %[[X:.*]] = arith.muli %[[M]], %c8
// PLACES:         %[[AT:.*]] = arith.xori %[[C]], %[[X]]
// PLACES:         memref.load %[[S]][%[[R]], %[[AT]]]
// PLACES:         %[[FAR:.*]] = arith.addi %[[R]], %c16
// PLACES:         arith.remui
// PLACES:         %[[AGAIN:.*]] = arith.xori %[[C]], %
// PLACES:         vector.load %[[S]][%[[FAR]], %[[AGAIN]]]
// PLACES:         arith.addi %[[R]], %c1
// PLACES:         arith.xori
// PLACES:         simt.load_matrix
func.func @places(%r: index, %c: index) -> (f16, vector<8xf16>, vector<4xi32>) {
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %s = tile.alloc "s" {simt.swizzle = #simt.swizzle<chunk = 8, bits = 2, rows = 2>} : memref<64x32xf16, #shared>
  %v = memref.load %s[%r, %c] : memref<64x32xf16, #shared>
  %far = arith.addi %r, %c16 : index
  %w = vector.load %s[%far, %c] : memref<64x32xf16, #shared>, vector<8xf16>
  %next = arith.addi %r, %c1 : index
  %m = simt.load_matrix %s[%next, %c] : memref<64x32xf16, #shared>, vector<4xi32>
  return %v, %w, %m : f16, vector<8xf16>, vector<4xi32>
}
