// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products become the instructions of warps.
// RUN: tilewright-opt %s --deal-fragments --distribute | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// One warp, 16 x 8 x 16: four matrices of A, two of B, transposed, since neighbours in
// memory are columns; four accumulators, which are the thread's own.
// CHECK-LABEL: @one_instruction
// CHECK:         %[[C:.*]] = tile.alloc "c" : memref<4xf32, #tile.space<local>>
// CHECK:         vector.load %[[C]][%{{.*}}] : memref<4xf32, #tile.space<local>>, vector<4xf32>
// CHECK:         simt.load_matrix %{{.*}} : memref<16x16xf16, #tile.space<shared>>, vector<4xi32>
// CHECK:         simt.load_matrix %{{.*}} transpose : memref<16x8xf16, #tile.space<shared>>, vector<2xi32>
// CHECK:         nvvm.mma.sync A[%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] B[%{{.*}}, %{{.*}}] C[
// CHECK:         vector.store %{{.*}}, %[[C]]
func.func @one_instruction(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %a = tile.alloc "a" : memref<16x16xf16, #shared>
    %b = tile.alloc "b" : memref<16x8xf16, #shared>
    %c = tile.alloc "c" : memref<16x8xf32, #fragment>
    tile.gemm %a, %b into %c atom(#cuda.mma<f16 into f32>)
      : memref<16x16xf16, #shared>, memref<16x8xf16, #shared> into memref<16x8xf32, #fragment>
  }
  return
}

// Beyond the tile, 10 x 7 x 12, operands are zero and results are dropped; where C is in
// memory, an element is touched by its own thread alone.
// CHECK-LABEL: @edges
// CHECK:         arith.select
// CHECK:         nvvm.mma.sync
// CHECK:         scf.if
// CHECK:           memref.store %{{.*}} : memref<10x7xf32, #tile.space<shared>>
func.func @edges(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %a = tile.alloc "a" : memref<10x12xf16, #shared>
    %b = tile.alloc "b" : memref<12x7xf16, #shared>
    %c = tile.alloc "c" : memref<10x7xf32, #shared>
    tile.gemm %a, %b into %c clear atom(#cuda.mma<f16 into f32>)
      : memref<10x12xf16, #shared>, memref<12x7xf16, #shared> into memref<10x7xf32, #shared>
  }
  return
}

// Many steps along K are a loop that carries the accumulators. An iteration has two of 66.
// CHECK-LABEL: @long
// CHECK:         scf.for %{{.*}} = %{{.*}} to %c1056 step %c32{{.*}} iter_args(%{{.*}} = %{{.*}}) -> (vector<4xf32>)
// CHECK-COUNT-2:   nvvm.mma.sync
// CHECK-NOT:       nvvm.mma.sync
// CHECK:           scf.yield
func.func @long(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %a = tile.alloc "a" : memref<16x1056xbf16, #shared>
    %b = tile.alloc "b" : memref<8x1056xbf16, #shared>
    %c = tile.alloc "c" : memref<16x8xf32, #fragment>
    tile.gemm %a, %b into %c transpose_b atom(#cuda.mma<bf16 into f32>)
      : memref<16x1056xbf16, #shared>, memref<8x1056xbf16, #shared> into memref<16x8xf32, #fragment>
  }
  return
}

// Where there are no matrices: of K, 16 for two instructions, each lane of a wave gets eight
// neighbours of A, in two halves of the wave. B, whose neighbours are columns, is read
// element by element at the same places.
// CHECK-LABEL: @together
// CHECK:         %[[L:.*]] = vector.load %{{.*}} {alignment = 16 : i64} : memref<32x16xf16, #tile.space<shared>>, vector<8xf16>
// CHECK-COUNT-8: memref.load %{{.*}} : memref<16x32xf16, #tile.space<shared>>
// CHECK-COUNT-2: rocdl.mfma.f32.32x32x8f16
// CHECK-NOT:     rocdl.mfma
func.func @together(%n: index) {
  tile.kernel (%bx) in (%n) threads(64) {
    %a = tile.alloc "a" : memref<32x16xf16, #shared>
    %b = tile.alloc "b" : memref<16x32xf16, #shared>
    %c = tile.alloc "c" : memref<32x32xf32, #fragment>
    tile.gemm %a, %b into %c clear atom(#hip.mfma<32x32x8, f16 into f32>)
      : memref<32x16xf16, #shared>, memref<16x32xf16, #shared> into memref<32x32xf32, #fragment>
  }
  return
}

// Beyond a K that is no multiple of the instruction's, operands are zero.
// CHECK-LABEL: @short
// CHECK:         %[[INSIDE:.*]] = arith.cmpi ult, %{{.*}}, %c20
// CHECK:         vector.load
// CHECK:         arith.select %[[INSIDE]], %{{.*}}, %{{.*}} : vector<2xbf16>
// CHECK:         nvvm.mma.sync
func.func @short(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %a = tile.alloc "a" : memref<16x20xbf16, #shared>
    %b = tile.alloc "b" : memref<8x20xbf16, #shared>
    %c = tile.alloc "c" : memref<16x8xf32, #fragment>
    tile.gemm %a, %b into %c transpose_b atom(#cuda.mma<bf16 into f32>)
      : memref<16x20xbf16, #shared>, memref<8x20xbf16, #shared> into memref<16x8xf32, #fragment>
  }
  return
}

// A part of a tile is read by matrices, or in runs, from where both are aligned.
// CHECK-LABEL: @parts
// CHECK:         simt.load_matrix {{.*}} memref<16x16xf16, strided<[64, 1], offset: 8>, #tile.space<shared>>
// CHECK:         nvvm.mma.sync
// CHECK-NOT:     simt.load_matrix {{.*}} memref<16x16xf16, strided<[64, 1], offset: ?>
// CHECK:         vector.load {{.*}} vector<2xf16>
// CHECK:         nvvm.mma.sync
// CHECK-NOT:     vector.load {{.*}} vector<{{[2-8]}}xf16>
// CHECK:         memref.load {{.*}} memref<16x16xf16, strided<[64, 1], offset: 3>, #tile.space<shared>>
// CHECK:         nvvm.mma.sync
!even = memref<16x16xf16, strided<[64, 1], offset: 8>, #shared>
!some = memref<16x16xf16, strided<[64, 1], offset: ?>, #shared>
!odd = memref<16x16xf16, strided<[64, 1], offset: 3>, #shared>
func.func @parts(%n: index) {
  tile.kernel (%bx) in (%n) threads(32) {
    %c2 = arith.constant 2 : index
    %k = arith.muli %bx, %c2 : index
    %a = tile.alloc "a" : memref<16x64xf16, #shared>
    %b = tile.alloc "b" : memref<16x8xf16, #shared>
    %c = tile.alloc "c" : memref<16x8xf32, #fragment>
    %even = memref.subview %a[0, 8] [16, 16] [1, 1] : memref<16x64xf16, #shared> to !even
    %some = memref.subview %a[0, %k] [16, 16] [1, 1] : memref<16x64xf16, #shared> to !some
    %odd = memref.subview %a[0, 3] [16, 16] [1, 1] : memref<16x64xf16, #shared> to !odd
    tile.gemm %even, %b into %c atom(#cuda.mma<f16 into f32>)
      : !even, memref<16x8xf16, #shared> into memref<16x8xf32, #fragment>
    tile.gemm %some, %b into %c atom(#cuda.mma<f16 into f32>)
      : !some, memref<16x8xf16, #shared> into memref<16x8xf32, #fragment>
    tile.gemm %odd, %b into %c atom(#cuda.mma<f16 into f32>)
      : !odd, memref<16x8xf16, #shared> into memref<16x8xf32, #fragment>
  }
  return
}
