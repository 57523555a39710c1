// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What form the operands of a gemm take for its atom.
// RUN: %tilewright-opt %s --cpu-pack-operands | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#fma = #cpu.atom<fma 8x32x1, f32 into f32, 512>
#dot = #cpu.atom<dpbf16 8x32x2, bf16 into f32, 512>
#bytes = #cpu.atom<dpbusd 8x32x4, i8 into i32, 512>
#words = #cpu.atom<maddwd 8x32x2, i16 into i32, 512>
#tiles = #cpu.atom<amx_bf16 32x32x32, bf16 into f32, 512>

// Tiles of AMX are loaded from rows of A along K, where they lie or turned, and from panels
// of B that have pairs along K side by side.
// CHECK-LABEL: @for_tiles
// CHECK:         %[[A:.*]] = tile.alloc "a"
// CHECK:         %[[T:.*]] = tile.alloc "t"
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         %[[C:.*]] = tile.alloc "c"
// CHECK-NEXT:    %[[P:.*]] = tile.alloc "b.panel" : memref<32x48x2xbf16
// CHECK-NEXT:    tile.pack %[[B]][0, 0][64, 48] dims [0, 1] into %[[P]]
// CHECK-NEXT:    cpu.gemm %[[A]], %[[P]] into %[[C]] atom(<amx_bf16
// CHECK-NEXT:    %[[M:.*]] = tile.alloc "t.turned" : memref<24x64xbf16
// CHECK-NEXT:    %[[E:.*]] = memref.expand_shape %[[M]] {{\[}}[0], [1, 2]] output_shape [24, 64, 1]
// CHECK-NEXT:    tile.pack %[[T]][0, 0][64, 24] dims [0, 1] into %[[E]] transpose
// CHECK-NEXT:    cpu.gemm %[[M]], %[[P]] into %[[C]] atom(<amx_bf16
// CHECK-NEXT:    cpu.gemm %[[M]], %[[P]] into %[[C]] atom(<amx_bf16
func.func @for_tiles(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<24x64xbf16, #shared>
    %t = tile.alloc "t" : memref<64x24xbf16, #shared>
    %b = tile.alloc "b" : memref<64x48xbf16, #shared>
    %c = tile.alloc "c" : memref<24x48xf32, #fragment>
    tile.gemm %a, %b into %c atom(#tiles)
      : memref<24x64xbf16, #shared>, memref<64x48xbf16, #shared> into memref<24x48xf32, #fragment>
    tile.gemm %t, %b into %c transpose_a atom(#tiles)
      : memref<64x24xbf16, #shared>, memref<64x48xbf16, #shared> into memref<24x48xf32, #fragment>
    tile.gemm %t, %b into %c transpose_a atom(#tiles)
      : memref<64x24xbf16, #shared>, memref<64x48xbf16, #shared> into memref<24x48xf32, #fragment>
  }
  return
}

// Vectors of B and single elements of A, transposed or not, are read where they lie.
// CHECK-LABEL: @in_place
// CHECK:         %[[A:.*]] = tile.alloc "a"
// CHECK:         %[[T:.*]] = tile.alloc "t"
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         %[[C:.*]] = tile.alloc "c"
// CHECK-NEXT:    cpu.gemm %[[A]], %[[B]] into %[[C]] clear atom(<fma 8x32x1
// CHECK-NEXT:    cpu.gemm %[[T]], %[[B]] into %[[C]] transpose_a atom(<fma
func.func @in_place(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<16x24xf32, #shared>
    %t = tile.alloc "t" : memref<24x16xf32, #shared>
    %b = tile.alloc "b" : memref<24x32xf32, #shared>
    %c = tile.alloc "c" : memref<16x32xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#fma)
      : memref<16x24xf32, #shared>, memref<24x32xf32, #shared> into memref<16x32xf32, #fragment>
    tile.gemm %t, %b into %c transpose_a atom(#fma)
      : memref<24x16xf32, #shared>, memref<24x32xf32, #shared> into memref<16x32xf32, #fragment>
  }
  return
}

// Dot products want pairs along K side by side: B becomes a panel, A has them already.
// CHECK-LABEL: @pairs
// CHECK:         %[[A:.*]] = tile.alloc "a"
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         %[[P:.*]] = tile.alloc "b.panel" : memref<12x32x2xbf16, #tile.space<shared>>
// CHECK-NEXT:    tile.pack %[[B]][0, 0][24, 32] dims [0, 1] into %[[P]] : memref<24x32xbf16
// CHECK-NEXT:    cpu.gemm %[[A]], %[[P]] into %{{.*}} atom(<dpbf16
func.func @pairs(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<16x24xbf16, #shared>
    %b = tile.alloc "b" : memref<24x32xbf16, #shared>
    %c = tile.alloc "c" : memref<16x32xf32, #fragment>
    tile.gemm %a, %b into %c atom(#dot)
      : memref<16x24xbf16, #shared>, memref<24x32xbf16, #shared>
        into memref<16x32xf32, #fragment>
  }
  return
}

// So does an A whose rows hold no whole groups, or which is transposed. What lies past K
// in the last group is the panel's.
// CHECK-LABEL: @groups_of_a
// CHECK:         %[[P:.*]] = tile.alloc "b.panel" : memref<5x32x4xi8
// CHECK-NEXT:    tile.pack %{{.*}}[0, 0][18, 32] dims [0, 1] into %[[P]] : memref<18x32xi8
// CHECK-NEXT:    %[[A:.*]] = tile.alloc "a.panel" : memref<5x16x4xi8
// CHECK-NEXT:    tile.pack %{{.*}}[0, 0][16, 18] dims [0, 1] into %[[A]] transpose : memref<16x18xi8
// CHECK-NEXT:    cpu.gemm %[[A]], %[[P]] into %{{.*}} atom(<dpbusd
// CHECK:         %[[T:.*]] = tile.alloc "t.panel" : memref<8x16x4xi8
// CHECK-NEXT:    tile.pack %{{.*}}[0, 0][32, 16] dims [0, 1] into %[[T]] : memref<32x16xi8
// CHECK-NEXT:    cpu.gemm %[[T]], %{{.*}} into %{{.*}} atom(<dpbusd
func.func @groups_of_a(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<16x18xi8, #shared>
    %b = tile.alloc "b" : memref<18x32xi8, #shared>
    %t = tile.alloc "t" : memref<32x16xi8, #shared>
    %d = tile.alloc "d" : memref<32x32xi8, #shared>
    %c = tile.alloc "c" : memref<16x32xi32, #fragment>
    tile.gemm %a, %b into %c atom(#bytes)
      : memref<16x18xi8, #shared>, memref<18x32xi8, #shared> into memref<16x32xi32, #fragment>
    tile.gemm %t, %d into %c transpose_a atom(#bytes)
      : memref<32x16xi8, #shared>, memref<32x32xi8, #shared> into memref<16x32xi32, #fragment>
  }
  return
}

// A transposed B is turned on its way into a panel, whatever the atom's depth. Operands of
// another type are converted, on the way into a panel where there is one.
// CHECK-LABEL: @converted
// CHECK:         %[[P:.*]] = tile.alloc "b.panel" : memref<24x32x1xf32
// CHECK-NEXT:    tile.pack %{{.*}}[0, 0][32, 24] dims [0, 1] into %[[P]] transpose : memref<32x24xbf16, {{.*}} into memref<24x32x1xf32
// CHECK-NEXT:    %[[A:.*]] = tile.alloc "a.wide" : memref<16x24xf32
// CHECK-NEXT:    tile.copy %{{.*}}[0, 0][16, 24] to %[[A]][0, 0][16, 24] : memref<16x24xbf16, {{.*}} to memref<16x24xf32
// CHECK-NEXT:    cpu.gemm %[[A]], %[[P]] into
// CHECK:         tile.pack {{.*}} unsigned : memref<24x32xi8, {{.*}} into memref<12x32x2xi16
// CHECK:         tile.copy {{.*}} unsigned : memref<16x24xi8, {{.*}} to memref<16x24xi16
// CHECK-NEXT:    cpu.gemm {{.*}} atom(<maddwd
func.func @converted(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<16x24xbf16, #shared>
    %b = tile.alloc "b" : memref<32x24xbf16, #shared>
    %c = tile.alloc "c" : memref<16x32xf32, #fragment>
    %p = tile.alloc "p" : memref<16x24xi8, #shared>
    %q = tile.alloc "q" : memref<24x32xi8, #shared>
    %d = tile.alloc "d" : memref<16x32xi32, #fragment>
    tile.gemm %a, %b into %c transpose_b atom(#fma)
      : memref<16x24xbf16, #shared>, memref<32x24xbf16, #shared>
        into memref<16x32xf32, #fragment>
    tile.gemm %p, %q into %d unsigned atom(#words)
      : memref<16x24xi8, #shared>, memref<24x32xi8, #shared> into memref<16x32xi32, #fragment>
  }
  return
}

// C^T += B^T A^T in a tile of its own, turned back into C. C comes in only where it counts.
// CHECK-LABEL: @swapped
// CHECK:         %[[A:.*]] = tile.alloc "a"
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         %[[C:.*]] = tile.alloc "c"
// CHECK:         %[[T:.*]] = tile.alloc "c.t" : memref<16x32xf32, #tile.space<shared>>
// CHECK:         %[[IN:.*]] = memref.expand_shape %[[T]] {{\[}}[0], [1, 2]] {{.*}} into memref<16x32x1xf32
// CHECK-NEXT:    tile.pack %[[C]][0, 0][32, 16] dims [0, 1] into %[[IN]] transpose
// CHECK-NEXT:    %[[P:.*]] = tile.alloc "a.panel" : memref<24x32x1xf32
// CHECK-NEXT:    tile.pack %[[A]][0, 0][32, 24] dims [0, 1] into %[[P]] transpose
// CHECK-NEXT:    cpu.gemm %[[B]], %[[P]] into %[[T]] transpose_a atom
// CHECK-NEXT:    %[[OUT:.*]] = memref.expand_shape %[[C]]
// CHECK-NEXT:    tile.pack %[[T]][0, 0][16, 32] dims [0, 1] into %[[OUT]] transpose
// CHECK:         %[[U:.*]] = tile.alloc "c.t"
// CHECK-NOT:     tile.pack %[[C]]
// CHECK:         cpu.gemm %[[B]], %{{.*}} into %[[U]] transpose_a clear atom
// CHECK:         tile.pack %[[U]][0, 0][16, 32]
func.func @swapped(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<32x24xf32, #shared>
    %b = tile.alloc "b" : memref<24x16xf32, #shared>
    %c = tile.alloc "c" : memref<32x16xf32, #fragment>
    tile.gemm %a, %b into %c atom(#fma) swapped
      : memref<32x24xf32, #shared>, memref<24x16xf32, #shared> into memref<32x16xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#fma) swapped
      : memref<32x24xf32, #shared>, memref<24x16xf32, #shared> into memref<32x16xf32, #fragment>
  }
  return
}

// An inner atom reads rows along K of both operands where they lie. Narrow floats are
// widened on the way to registers, integers before.
// CHECK-LABEL: @inner
// CHECK:         %[[A:.*]] = tile.alloc "a"
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         %[[C:.*]] = tile.alloc "c"
// CHECK:         %[[P:.*]] = tile.alloc "p"
// CHECK:         %[[Q:.*]] = tile.alloc "q"
// CHECK:         %[[D:.*]] = tile.alloc "d"
// CHECK-NEXT:    cpu.gemm %[[A]], %[[B]] into %[[C]] clear atom(<fma inner 1x8x1
// CHECK-NEXT:    %[[QW:.*]] = tile.alloc "q.wide" : memref<32x64xi16
// CHECK-NEXT:    tile.copy %[[Q]][0, 0][32, 64] to %[[QW]][0, 0][32, 64] unsigned : memref<32x64xi8
// CHECK-NEXT:    %[[PW:.*]] = tile.alloc "p.wide" : memref<2x64xi16
// CHECK-NEXT:    tile.copy %[[P]][0, 0][2, 64] to %[[PW]][0, 0][2, 64] unsigned : memref<2x64xi8
// CHECK-NEXT:    cpu.gemm %[[PW]], %[[QW]] into %[[D]] atom(<maddwd inner 1x8x2
func.func @inner(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<2x64xbf16, #shared>
    %b = tile.alloc "b" : memref<32x64xf8E4M3FN, #shared>
    %c = tile.alloc "c" : memref<2x32xf32, #fragment>
    %p = tile.alloc "p" : memref<2x64xi8, #shared>
    %q = tile.alloc "q" : memref<32x64xi8, #shared>
    %d = tile.alloc "d" : memref<2x32xi32, #fragment>
    tile.gemm %a, %b into %c transpose_b clear atom(#cpu.atom<fma inner 1x8x1, f32 into f32, 512>)
      : memref<2x64xbf16, #shared>, memref<32x64xf8E4M3FN, #shared>
        into memref<2x32xf32, #fragment>
    tile.gemm %p, %q into %d transpose_b unsigned atom(#cpu.atom<maddwd inner 1x8x2, i16 into i32, 512>)
      : memref<2x64xi8, #shared>, memref<32x64xi8, #shared> into memref<2x32xi32, #fragment>
  }
  return
}

// Its C is turned as that of another atom; the operands change places.
// CHECK-LABEL: @inner_swapped
// CHECK:         %[[A:.*]] = tile.alloc "a"
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         %[[C:.*]] = tile.alloc "c"
// CHECK-NEXT:    %[[T:.*]] = tile.alloc "c.t" : memref<32x2xf32
// CHECK-NEXT:    cpu.gemm %[[B]], %[[A]] into %[[T]] clear atom(<fma inner
// CHECK-NEXT:    %[[OUT:.*]] = memref.expand_shape %[[C]]
// CHECK-NEXT:    tile.pack %[[T]][0, 0][32, 2] dims [0, 1] into %[[OUT]] transpose
func.func @inner_swapped(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<2x64xf32, #shared>
    %b = tile.alloc "b" : memref<32x64xf32, #shared>
    %c = tile.alloc "c" : memref<2x32xf32, #fragment>
    tile.gemm %a, %b into %c transpose_b clear atom(#cpu.atom<fma inner 8x1x1, f32 into f32, 512>) swapped
      : memref<2x64xf32, #shared>, memref<32x64xf32, #shared> into memref<2x32xf32, #fragment>
  }
  return
}
