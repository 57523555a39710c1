// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which scans and selections threads do together, and what becomes of them.
// RUN: tilewright-opt %s --spread-rows | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// The position of the largest key of each row, which a reduction finds.
// CHECK-LABEL: @positions
// CHECK:         %[[KEYS:.*]] = tile.alloc "keys" : memref<4x64xi64, #tile.space<fragment>>
// CHECK:         %[[LARGEST:.*]] = tile.alloc "largest" : memref<4xi64, #tile.space<fragment>>
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 64)
// CHECK:           arith.index_cast %[[J]] : index to i64
// CHECK:           arith.shli
// CHECK:           arith.ori
// CHECK:         tile.reduce max %[[KEYS]] into %[[LARGEST]] dim 1
// CHECK:         tile.parallel (%[[ROW:.*]]) in (4)
// CHECK:           memref.load %[[LARGEST]][%[[ROW]]]
// CHECK:           memref.store %{{.*}}, %{{.*}}[%[[ROW]], %c0
// CHECK-NOT:     argmin
func.func @positions(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<4x64xf16, #shared>
    %at = tile.alloc "at" : memref<4x1xi32, #fragment>
    tile.reduce argmin %x into %at dim 1
      : memref<4x64xf16, #shared> into memref<4x1xi32, #fragment>
  }
  return
}

// One element of the result after the other, each taken off the keys.
// CHECK-LABEL: @few_of_many
// CHECK:         scf.for
// CHECK:           tile.reduce max
// CHECK:           tile.parallel
// CHECK:           tile.parallel
// CHECK:             arith.cmpi eq
// CHECK:             arith.select
// CHECK-NOT:     tile.topk
func.func @few_of_many(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<16x256xf32, #shared>
    %v = tile.alloc "v" : memref<16x8xf32, #fragment>
    %i = tile.alloc "i" : memref<16x8xi32, #fragment>
    tile.topk %x into %v, %i dim 1
      : memref<16x256xf32, #shared> into memref<16x8xf32, #fragment>, memref<16x8xi32, #fragment>
  }
  return
}

// To sort, ranks take less; keys of 64 bits leave no room for positions; and of so many
// elements a thread cannot hold its part.
// CHECK-LABEL: @other_selections
// CHECK-COUNT-2: tile.topk
// CHECK:         tile.reduce argmax
func.func @other_selections(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<1x128xf32, #shared>
    %v = tile.alloc "v" : memref<1x128xf32, #shared>
    %i = tile.alloc "i" : memref<1x128xi32, #shared>
    tile.topk %x into %v, %i dim 1
      : memref<1x128xf32, #shared> into memref<1x128xf32, #shared>, memref<1x128xi32, #shared>
    %wide = tile.alloc "wide" : memref<4x64xf64, #shared>
    %wv = tile.alloc "wv" : memref<4x2xf64, #shared>
    %wi = tile.alloc "wi" : memref<4x2xi32, #shared>
    tile.topk %wide into %wv, %wi dim 1
      : memref<4x64xf64, #shared> into memref<4x2xf64, #shared>, memref<4x2xi32, #shared>
    %long = tile.alloc "long" : memref<8192xi8, #shared>
    %at = tile.alloc "at" : memref<1xi32, #fragment>
    tile.reduce argmax %long into %at dim 0
      : memref<8192xi8, #shared> into memref<1xi32, #fragment>
  }
  return
}

// Narrow floats are added in f32. In reverse, what comes before stands behind.
// CHECK-LABEL: @running_sums
// CHECK:         %[[SUMS:.*]] = tile.alloc "running" : memref<2x100xf32, #tile.space<shared>>
// CHECK:         %[[NEXT:.*]] = tile.alloc "next" : memref<2x100xf32, #tile.space<fragment>>
// CHECK:         arith.addi %{{.*}}, %c64
// CHECK:         arith.minsi
// CHECK:         memref.load %[[SUMS]]
// CHECK:         arith.addf
// CHECK:         memref.store %{{.*}}, %[[NEXT]]
// CHECK-NOT:     %c128
func.func @running_sums(%n: index) {
  tile.kernel (%bx) in (%n) threads(256) {
    %x = tile.alloc "x" : memref<2x100xf16, #shared>
    tile.scan sum %x into %x dim 1 reverse
      : memref<2x100xf16, #shared> into memref<2x100xf16, #shared>
  }
  return
}

// Each thread has a row.
// CHECK-LABEL: @many_rows
// CHECK:         tile.scan
func.func @many_rows(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<128x16xf32, #shared>
    tile.scan sum %x into %x dim 1
      : memref<128x16xf32, #shared> into memref<128x16xf32, #shared>
  }
  return
}

// A tile of one dimension is a row by itself.
// CHECK-LABEL: @one_row
// CHECK:         %[[LARGEST:.*]] = tile.alloc "largest" : memref<1xi64, #tile.space<fragment>>
// CHECK:         memref.load %[[LARGEST]][%c0
// CHECK:         memref.store %{{.*}}, %{{.*}}[%c0
func.func @one_row(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<64xi32, #shared>
    %at = tile.alloc "at" : memref<1xi32, #fragment>
    tile.reduce argmax %x into %at dim 0
      : memref<64xi32, #shared> into memref<1xi32, #fragment>
  }
  return
}

// The sums of integers stand in their result as they are.
// CHECK-LABEL: @in_place
// CHECK:         %[[X:.*]] = tile.alloc "x"
// CHECK-NEXT:    %[[NEXT:.*]] = tile.alloc "next" : memref<512xi32, #tile.space<fragment>>
// CHECK-NEXT:    tile.parallel
// CHECK:           memref.load %[[X]]
// CHECK:           memref.store %{{.*}}, %[[NEXT]]
// CHECK:         tile.parallel
// CHECK:           memref.store %{{.*}}, %[[X]]
func.func @in_place(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<512xi32, #shared>
    tile.scan sum %x into %x dim 0 : memref<512xi32, #shared> into memref<512xi32, #shared>
  }
  return
}

// Memory for as much again may be missing.
// CHECK-LABEL: @large
// CHECK:         tile.scan
func.func @large(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<16384xf16, #shared>
    tile.scan sum %x into %x dim 0
      : memref<16384xf16, #shared> into memref<16384xf16, #shared>
  }
  return
}
