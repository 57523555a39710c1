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

// One that is read across, or outside of a nest, is where all threads reach it.
// CHECK-LABEL: @across
// CHECK:         tile.alloc "a" : memref<8x8xf32, #tile.space<shared>>
// CHECK:         tile.alloc "b" : memref<8x8xf32, #tile.space<shared>>
func.func @across(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c0 = arith.constant 0 : index
    %a = tile.alloc "a" : memref<8x8xf32, #fragment>
    %b = tile.alloc "b" : memref<8x8xf32, #fragment>
    tile.parallel (%i, %j) in (8, 8) {
      %x = memref.load %a[%j, %i] : memref<8x8xf32, #fragment>
    }
    %z = memref.load %b[%c0, %c0] : memref<8x8xf32, #fragment>
  }
  return
}

// So is a diagonal, where an iteration takes what another one's position holds.
// CHECK-LABEL: @diagonal
// CHECK:         tile.alloc "a" : memref<8x8xf32, #tile.space<shared>>
func.func @diagonal(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<8x8xf32, #fragment>
    tile.parallel (%i, %j) in (8, 8) {
      %x = memref.load %a[%j, %j] : memref<8x8xf32, #fragment>
    }
  }
  return
}

// Both operands of a product may be fragments: each is dealt out as the instructions read
// it, or, where those read past its end, is where all threads reach it.
// CHECK-LABEL: @operands
// CHECK:         tile.alloc "a" {simt.dealt = #tile.layout<{{.*}} : memref<16x16xf16, #tile.space<local>>
// CHECK:         tile.alloc "b" {simt.dealt = #tile.layout<{{.*}} : memref<16x8xf16, #tile.space<local>>
// CHECK:         tile.alloc "narrow" : memref<16x4xf16, #tile.space<shared>>
func.func @operands(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %a = tile.alloc "a" : memref<16x16xf16, #fragment>
    %b = tile.alloc "b" : memref<16x8xf16, #fragment>
    %narrow = tile.alloc "narrow" : memref<16x4xf16, #fragment>
    %c = tile.alloc "c" : memref<16x8xf32, #fragment>
    %d = tile.alloc "d" : memref<16x4xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#cuda.mma<f16 into f32>)
      : memref<16x16xf16, #fragment>, memref<16x8xf16, #fragment> into memref<16x8xf32, #fragment>
    tile.gemm %a, %narrow into %d clear atom(#cuda.mma<f16 into f32>)
      : memref<16x16xf16, #fragment>, memref<16x4xf16, #fragment> into memref<16x4xf32, #fragment>
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

// Rows: all threads with a part of a row hold its maximum, here four lanes. What meets the
// rows alone is done by all of them.
// CHECK-LABEL: @rows
// CHECK:         tile.alloc "s" {simt.dealt = #tile.layout<[warp 4:1, vector 2:2, lane 8:4], [vector 4:4, lane 4:1, vector 2:1]>} : memref<64x32xf32, #tile.space<local>>
// CHECK:         tile.alloc "m" {simt.dealt = #tile.layout<[warp 4:1, vector 2:1, lane 8:4], replicate [lane 4:1]>} : memref<64xf32, #tile.space<local>>
// CHECK:         tile.gemm {{.*}} policy "full_row"
// CHECK:         simt.warp_reduce max %{{.*}} into %{{.*}} dim 1 accumulate : memref<64x32xf32, #tile.space<local>> into memref<64xf32, #tile.space<local>>
// CHECK:         tile.parallel (%{{.*}}, %{{.*}}) in (64, 32) attributes {simt.dealt = #tile.layout<[warp 4:1, vector 2:2, lane 8:4], [vector 4:4, lane 4:1, vector 2:1]>}
// CHECK:         tile.parallel (%{{.*}}) in (64) attributes {simt.dealt = #tile.layout<[warp 4:1, vector 2:1, lane 8:4], replicate [lane 4:1]>}
func.func @rows(%n: index, %f: f32, %x: memref<64xf32, #global>) {
  tile.kernel (%bx) in (%n) threads(128) {
    %a = tile.alloc "a" : memref<64x16xf16, #shared>
    %b = tile.alloc "b" : memref<16x32xf16, #shared>
    %s = tile.alloc "s" : memref<64x32xf32, #fragment>
    %m = tile.alloc "m" : memref<64xf32, #fragment>
    tile.gemm %a, %b into %s clear atom(#cuda.mma<f16 into f32>)
      : memref<64x16xf16, #shared>, memref<16x32xf16, #shared> into memref<64x32xf32, #fragment>
    tile.reduce max %s into %m dim 1 accumulate
      : memref<64x32xf32, #fragment> into memref<64xf32, #fragment>
    tile.parallel (%i, %j) in (64, 32) {
      %p = memref.load %s[%i, %j] : memref<64x32xf32, #fragment>
      %q = memref.load %m[%i] : memref<64xf32, #fragment>
      %r = arith.subf %p, %q : f32
      memref.store %r, %s[%i, %j] : memref<64x32xf32, #fragment>
    }
    tile.parallel (%i) in (64) {
      %q = memref.load %m[%i] : memref<64xf32, #fragment>
      tile.store %q, %x[%i] : memref<64xf32, #global>
    }
  }
  return
}

// Where no product is, neighbouring lanes have neighbouring columns. Parts of a row that
// warps have meet in shared memory.
// CHECK-LABEL: @parts
// CHECK:         tile.alloc "s" {simt.dealt = #tile.layout<[vector 2:4, warp 2:1, lane 32:1, vector 4:1]>}
// CHECK:         %[[PARTS:.*]] = tile.alloc "partial" : memref<1x2xf32, #tile.space<shared>>
// CHECK:         simt.warp_reduce sum %{{.*}} into %[[PARTS]] dim 1 partial
// CHECK:         tile.parallel (%{{.*}}) in (1) attributes {simt.dealt = #tile.layout<replicate [lane 32:1, warp 2:1]>}
// CHECK-COUNT-2:   memref.load %[[PARTS]]
func.func @parts(%n: index, %x: memref<1x512xf32, #global>) {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<1x512xf32, #fragment>
    %l = tile.alloc "l" : memref<1xf32, #fragment>
    tile.parallel (%i, %j) in (1, 512) {
      %v = tile.load %x[%i, %j] : memref<1x512xf32, #global>
      memref.store %v, %s[%i, %j] : memref<1x512xf32, #fragment>
    }
    tile.reduce sum %s into %l dim 1
      : memref<1x512xf32, #fragment> into memref<1xf32, #fragment>
    tile.parallel (%i) in (1) {
      %t = memref.load %l[%i] : memref<1xf32, #fragment>
      memref.store %t, %l[%i] : memref<1xf32, #fragment>
    }
  }
  return
}

// A row's value that two products hold differently lies where all reach it.
// CHECK-LABEL: @differently
// CHECK:         tile.alloc "m" : memref<32xf32, #tile.space<shared>>
func.func @differently(%n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<32x16xf16, #shared>
    %b = tile.alloc "b" : memref<16x32xf16, #shared>
    %s = tile.alloc "s" : memref<32x32xf32, #fragment>
    %o = tile.alloc "o" : memref<32x32xf32, #fragment>
    %m = tile.alloc "m" : memref<32xf32, #fragment>
    tile.gemm %a, %b into %s clear policy "full_row" atom(#cuda.mma<f16 into f32>)
      : memref<32x16xf16, #shared>, memref<16x32xf16, #shared> into memref<32x32xf32, #fragment>
    tile.gemm %a, %b into %o clear policy "full_col" atom(#cuda.mma<f16 into f32>)
      : memref<32x16xf16, #shared>, memref<16x32xf16, #shared> into memref<32x32xf32, #fragment>
    tile.reduce max %s into %m dim 1
      : memref<32x32xf32, #fragment> into memref<32xf32, #fragment>
    tile.parallel (%i, %j) in (32, 32) {
      %p = memref.load %o[%i, %j] : memref<32x32xf32, #fragment>
      %q = memref.load %m[%i] : memref<32xf32, #fragment>
      %r = arith.subf %p, %q : f32
      memref.store %r, %o[%i, %j] : memref<32x32xf32, #fragment>
    }
  }
  return
}

// Two warps share each row of %s, which is reduced. Then what is not reduced is better off
// with the tiling by which its product reads least: a warp has half of the rows of %o.
// CHECK-LABEL: @shared_rows
// CHECK:         tile.alloc "s" {simt.dealt = #tile.layout<[warp 4:2, {{.*}}], [vector 2:4, warp 2:1, {{.*}}]>}
// CHECK:         tile.alloc "o" {simt.dealt = #tile.layout<[vector 2:8, warp 2:4, {{.*}}], [vector 2:4, warp 4:1, {{.*}}]>}
func.func @shared_rows(%n: index) {
  tile.kernel (%bx) in (%n) threads(256) {
    %a = tile.alloc "a" : memref<64x16xf16, #shared>
    %b = tile.alloc "b" : memref<16x32xf16, #shared>
    %v = tile.alloc "v" : memref<16x64xf16, #shared>
    %s = tile.alloc "s" : memref<64x32xf32, #fragment>
    %o = tile.alloc "o" : memref<64x64xf32, #fragment>
    %m = tile.alloc "m" : memref<64xf32, #fragment>
    tile.gemm %a, %b into %s clear atom(#cuda.mma<f16 into f32>)
      : memref<64x16xf16, #shared>, memref<16x32xf16, #shared> into memref<64x32xf32, #fragment>
    tile.gemm %a, %v into %o clear atom(#cuda.mma<f16 into f32>)
      : memref<64x16xf16, #shared>, memref<16x64xf16, #shared> into memref<64x64xf32, #fragment>
    tile.reduce max %s into %m dim 1
      : memref<64x32xf32, #fragment> into memref<64xf32, #fragment>
    tile.parallel (%i, %j) in (64, 64) {
      %p = memref.load %o[%i, %j] : memref<64x64xf32, #fragment>
      %q = memref.load %m[%i] : memref<64xf32, #fragment>
      %r = arith.subf %p, %q : f32
      memref.store %r, %o[%i, %j] : memref<64x64xf32, #fragment>
    }
  }
  return
}

// An element that several iterations may write is not dealt out: who writes it is not who
// reads it.
// CHECK-LABEL: @written_by_some
// CHECK:         tile.alloc "first" : memref<4xi32, #tile.space<shared>>
func.func @written_by_some(%n: index, %x: memref<16x4xi32, #global>, %y: memref<4xi32, #global>) {
  tile.kernel (%bx) in (%n) threads(32) {
    %f = tile.alloc "first" : memref<4xi32, #fragment>
    tile.parallel (%i, %j) in (16, 4) {
      %v = tile.load %x[%i, %j] : memref<16x4xi32, #global>
      %c0 = arith.constant 0 : i32
      %is = arith.cmpi eq, %v, %c0 : i32
      scf.if %is {
        %at = arith.index_cast %i : index to i32
        memref.store %at, %f[%j] : memref<4xi32, #fragment>
      }
    }
    tile.parallel (%j) in (4) {
      %v = memref.load %f[%j] : memref<4xi32, #fragment>
      tile.store %v, %y[%j] : memref<4xi32, #global>
    }
  }
  return
}
