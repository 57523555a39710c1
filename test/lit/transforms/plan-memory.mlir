// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles that are never live at once share memory; the arena is as large as those that are.
// RUN: %tilewright-opt %s --plan-memory | FileCheck %s
// RUN: %tilewright-opt %s --plan-memory=alignment=128 | FileCheck %s --check-prefix=WIDE

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#local = #tile.space<local>

// The largest goes first; sizes are rounded up to the alignment. What lives in registers
// takes no place.
// CHECK-LABEL: @placed
// CHECK:         tile.kernel {{.*}} attributes {tile.arena = 640 : i64}
// CHECK:           tile.alloc "small" at 512 : memref<3xf32
// CHECK:           tile.alloc "large" at 0 : memref<256xbf16
// CHECK:           tile.alloc "bits" at 576 : memref<5xi1
// CHECK:           tile.alloc "variable" : memref<1xf32
// WIDE-LABEL:  @placed
// WIDE:          tile.kernel {{.*}} attributes {tile.arena = 768 : i64}
// WIDE:            tile.alloc "small" at 512
// WIDE:            tile.alloc "bits" at 640
func.func @placed(%x: f32, %h: bf16, %b: i1, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %small = tile.alloc "small" : memref<3xf32, #shared>
    %large = tile.alloc "large" : memref<256xbf16, #fragment>
    %bits = tile.alloc "bits" : memref<5xi1, #shared>
    %variable = tile.alloc "variable" : memref<1xf32, #local>
    tile.fill %bits, %b : memref<5xi1, #shared>
    tile.fill %small, %x : memref<3xf32, #shared>
    tile.fill %large, %h : memref<256xbf16, #fragment>
    tile.fill %variable, %x : memref<1xf32, #local>
    tile.fill %small, %x : memref<3xf32, #shared>
    tile.fill %bits, %b : memref<5xi1, #shared>
  }
  return
}

// Two stages of a computation share what is free in the other; `kept` lives through both.
// CHECK-LABEL: @shared
// CHECK:         tile.kernel {{.*}} attributes {tile.arena = 768 : i64}
// CHECK:           tile.alloc "kept" at 512 : memref<64xf32
// CHECK:           tile.alloc "first" at 0 : memref<128xf32
// CHECK:           tile.alloc "second" at 0 : memref<128xf32
func.func @shared(%x: f32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %kept = tile.alloc "kept" : memref<64xf32, #shared>
    tile.fill %kept, %x : memref<64xf32, #shared>
    %first = tile.alloc "first" : memref<128xf32, #shared>
    tile.fill %first, %x : memref<128xf32, #shared>
    %second = tile.alloc "second" : memref<128xf32, #shared>
    tile.fill %second, %x : memref<128xf32, #shared>
    tile.fill %kept, %x : memref<64xf32, #shared>
  }
  return
}

// What a loop reads again in its next iteration is live in all of it; a tile of the
// iteration is live in the iteration only.
// CHECK-LABEL: @loops
// CHECK:         tile.kernel {{.*}} attributes {tile.arena = 768 : i64}
// CHECK:           tile.alloc "carried" at 0 :
// CHECK:           scf.for
// CHECK:             tile.alloc "one" at 512 :
// CHECK:             tile.alloc "other" at 512 :
// CHECK:           tile.alloc "after" at 0 :
func.func @loops(%x: f32, %n: index, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%blocks) {
    %carried = tile.alloc "carried" : memref<128xf32, #shared>
    tile.fill %carried, %x : memref<128xf32, #shared>
    scf.for %i = %c0 to %n step %c1 {
      %v = memref.load %carried[%i] : memref<128xf32, #shared>
      %one = tile.alloc "one" : memref<64xf32, #shared>
      tile.fill %one, %v : memref<64xf32, #shared>
      %other = tile.alloc "other" : memref<64xf32, #shared>
      tile.fill %other, %v : memref<64xf32, #shared>
    }
    %after = tile.alloc "after" : memref<192xf32, #shared>
    tile.fill %after, %x : memref<192xf32, #shared>
  }
  return
}

// A use through a view is a use. A plan made before is made anew.
// CHECK-LABEL: @views
// CHECK:         tile.kernel {{.*}} attributes {tile.arena = 512 : i64}
// CHECK:           tile.alloc "whole" at 0
// CHECK:           tile.alloc "other" at 256
func.func @views(%x: f32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %whole = tile.alloc "whole" : memref<8x8xf32, #shared>
    %part = memref.subview %whole[4, 0] [4, 8] [1, 1]
      : memref<8x8xf32, #shared> to memref<4x8xf32, strided<[8, 1], offset: 32>, #shared>
    %row = memref.subview %part[0, 0] [1, 8] [1, 1]
      : memref<4x8xf32, strided<[8, 1], offset: 32>, #shared>
        to memref<1x8xf32, strided<[8, 1], offset: 32>, #shared>
    %other = tile.alloc "other" at 4096 : memref<64xf32, #shared>
    tile.fill %other, %x : memref<64xf32, #shared>
    tile.fill %row, %x : memref<1x8xf32, strided<[8, 1], offset: 32>, #shared>
  }
  return
}

// A tile that is used last where the next one starts gives its place to it.
// CHECK-LABEL: @adjacent
// CHECK:         attributes {tile.arena = 256 : i64}
// CHECK:           tile.alloc "a" at 0
// CHECK:           tile.alloc "b" at 0
func.func @adjacent(%x: f32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<64xf32, #shared>
    %b = tile.alloc "b" : memref<64xf32, #shared>
    tile.fill %a, %x : memref<64xf32, #shared>
    tile.fill %b, %x : memref<64xf32, #shared>
  }
  return
}

// A tile lives as long as a view of a view of it, whatever its elements are seen as.
// CHECK-LABEL: @reshaped
// CHECK:           tile.alloc "whole" at 0
// CHECK:           tile.alloc "other" at 256
func.func @reshaped(%x: f32, %y: f16, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %whole = tile.alloc "whole" : memref<8x8xf32, #shared>
    %flat = tile.view %whole : memref<8x8xf32, #shared> to memref<64xf32, #shared>
    %halves = tile.view %flat : memref<64xf32, #shared> to memref<128xf16, #shared>
    %other = tile.alloc "other" : memref<64xf32, #shared>
    tile.fill %other, %x : memref<64xf32, #shared>
    tile.fill %halves, %y : memref<128xf16, #shared>
  }
  return
}

// What a kept tile holds is still read when the next block begins: nothing else is put there.
// CHECK-LABEL: @kept
// CHECK:           tile.alloc "first" at 64 : memref<1xf32
// CHECK:           tile.alloc "rows" at 0 kept : memref<16xf32
func.func @kept(%x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %first = tile.alloc "first" : memref<1xf32, #tile.space<fragment>>
    %rows = tile.alloc "rows" kept : memref<16xf32, #tile.space<fragment>>
    memref.store %x, %first[%c0] : memref<1xf32, #tile.space<fragment>>
    %v = memref.load %first[%c0] : memref<1xf32, #tile.space<fragment>>
    memref.store %v, %rows[%c0] : memref<16xf32, #tile.space<fragment>>
  }
  return
}
