// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each reason to leave a copy where it is. All functions have the tile `s`, and the pack
// that might have read the tensor, or the gather that might have written one.
// RUN: %tilewright-opt %s --cpu-forward-copies | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
!tensor = memref<64x32xf32, #global>
!tile = memref<64x32xf32, #shared>
!panel = memref<64x32x1xf32, #shared>
!indices = memref<64xi32, #shared>

// The kernel writes the tensor, here through a view.
// CHECK-LABEL: @written
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.copy %{{.*}} to %[[S]]
// CHECK:         tile.pack %[[S]]
func.func @written(%x: !tensor, %v: f32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %p = tile.alloc "p" : !panel
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : !tensor to !tile
    %row = memref.subview %x[%bx, 0] [1, 32] [1, 1]
      : !tensor to memref<1x32xf32, strided<[32, 1], offset: ?>, #global>
    tile.fill %row, %v : memref<1x32xf32, strided<[32, 1], offset: ?>, #global>
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
  }
  return
}

// Another copy fills a part.
// CHECK-LABEL: @filled_twice
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.copy %{{.*}} to %[[S]]
// CHECK:         tile.copy %{{.*}} to %[[S]]
// CHECK:         tile.pack %[[S]]
func.func @filled_twice(%x: !tensor, %y: !tensor, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %p = tile.alloc "p" : !panel
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : !tensor to !tile
    tile.copy %y[0, 0][8, 32] to %s[8, 0][8, 32] : !tensor to !tile
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
  }
  return
}

// The copy fills a part alone, or what is read is a part.
// CHECK-LABEL: @parts
// CHECK:         tile.copy %{{.*}} to %[[S:.*]][0, 0][32, 32]
// CHECK:         tile.pack %[[S]]
// CHECK:         tile.copy %{{.*}} to %[[T:.*]][0, 0][64, 32]
// CHECK:         tile.pack %[[T]]
func.func @parts(%x: !tensor, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %t = tile.alloc "t" : !tile
    %p = tile.alloc "p" : !panel
    %q = tile.alloc "q" : memref<32x32x1xf32, #shared>
    tile.copy %x[0, 0][32, 32] to %s[0, 0][32, 32] : !tensor to !tile
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
    tile.copy %x[0, 0][64, 32] to %t[0, 0][64, 32] : !tensor to !tile
    tile.pack %t[32, 0][32, 32] dims [0, 1] into %q : !tile into memref<32x32x1xf32, #shared>
  }
  return
}

// The copy rounds, or reads another tile.
// CHECK-LABEL: @sources
// CHECK:         tile.copy %{{.*}} to %[[S:.*]][0, 0][64, 32]
// CHECK:         tile.pack %[[S]]
// CHECK:         tile.copy %{{.*}} to %[[T:.*]][0, 0][64, 32]
// CHECK:         tile.pack %[[T]]
func.func @sources(%x: memref<64x32xf64, #global>, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %t = tile.alloc "t" : !tile
    %p = tile.alloc "p" : !panel
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : memref<64x32xf64, #global> to !tile
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
    tile.copy %s[0, 0][64, 32] to %t[0, 0][64, 32] : !tile to !tile
    tile.pack %t[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
  }
  return
}

// Something else reads or writes the tile beside the pack.
// CHECK-LABEL: @other_readers
// CHECK-COUNT-2: tile.copy
func.func @other_readers(%x: !tensor, %v: f32, %blocks: index) {
  %c0 = arith.constant 0 : index
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %t = tile.alloc "t" : !tile
    %p = tile.alloc "p" : !panel
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : !tensor to !tile
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
    %w = memref.load %s[%c0, %c0] : !tile
    tile.copy %x[0, 0][64, 32] to %t[0, 0][64, 32] : !tensor to !tile
    memref.store %w, %t[%c0, %c0] : !tile
    tile.pack %t[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
  }
  return
}

// The pack is in another block than the copy, or before it.
// CHECK-LABEL: @elsewhere
// CHECK-COUNT-2: tile.copy
func.func @elsewhere(%x: !tensor, %n: index, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %t = tile.alloc "t" : !tile
    %p = tile.alloc "p" : !panel
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : !tensor to !tile
    scf.for %i = %c0 to %n step %c1 {
      tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
      tile.pack %t[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
      tile.copy %x[%i, 0][64, 32] to %t[0, 0][64, 32] : !tensor to !tile
    }
  }
  return
}

// The tensor that is written may share memory with the one that is copied.
// CHECK-LABEL: @alias
// CHECK:         tile.copy
// CHECK:         tile.store
// CHECK-NEXT:    tile.pack %{{.*}}[0, 0][64, 32] dims [0, 1] into %{{.*}} : memref<64x32xf32, #tile.space<shared>>
func.func @alias(%x: memref<64x32xf32, #tile.space<global>>,
                 %y: memref<64x32xf32, #tile.space<global>>, %v: f32, %blocks: index)
  attributes {tile.signature = {symbols = [], params = [
    {kind = "tensor", name = "x", dtype = "f32", dims = [64, 32], strides = "contiguous", align = 4 : i64, read},
    {kind = "tensor", name = "y", dtype = "f32", dims = [64, 32], strides = "contiguous", align = 4 : i64, alias = "x", write}]}} {
  %c0 = arith.constant 0 : index
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : memref<64x32xf32, #tile.space<shared>>
    %p = tile.alloc "p" : memref<64x32x1xf32, #tile.space<shared>>
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32]
      : memref<64x32xf32, #tile.space<global>> to memref<64x32xf32, #tile.space<shared>>
    tile.store %v, %y[%c0, %c0] : memref<64x32xf32, #tile.space<global>>
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p
      : memref<64x32xf32, #tile.space<shared>> into memref<64x32x1xf32, #tile.space<shared>>
  }
  return
}

// Something reads the gathered tile beside the copy, or fills a part of it.
// CHECK-LABEL: @gathered_and_read
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.gather {{.*}} to %[[S]]
// CHECK:         tile.copy %[[S]]
// CHECK:       @gathered_and_filled
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.gather {{.*}} to %[[S]]
// CHECK:         tile.copy %[[S]]
func.func @gathered_and_read(%x: !tensor, %y: !tensor, %z: f32, %blocks: index) {
  %c0 = arith.constant 0 : index
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %s[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %s[0, 0][64, 32] to %y[0, 0][64, 32] : !tile to !tensor
    %w = memref.load %s[%c0, %c0] : !tile
    memref.store %w, %y[%c0, %c0] : !tensor
  }
  return
}
func.func @gathered_and_filled(%x: !tensor, %y: !tensor, %z: f32, %blocks: index) {
  %c0 = arith.constant 0 : index
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %s[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    memref.store %z, %s[%c0, %c0] : !tile
    tile.copy %s[0, 0][64, 32] to %y[0, 0][64, 32] : !tile to !tensor
  }
  return
}

// The gather fills a part alone, what is copied is a part, or it is seen with other
// dimensions.
// CHECK-LABEL: @gathered_parts
// CHECK:         tile.gather {{.*}} to %[[S:.*]][0, 0][32, 32]
// CHECK:         tile.copy %[[S]]
// CHECK:         tile.gather {{.*}} to %[[T:.*]][0, 0][64, 32]
// CHECK:         tile.copy %[[T]]
// CHECK:         tile.gather {{.*}} to %[[U:.*]][0, 0][64, 32]
// CHECK:         tile.copy %[[U]]
func.func @gathered_parts(%x: !tensor, %y: !tensor, %w: memref<4x64x32xf32, #global>,
                          %z: f32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %t = tile.alloc "t" : !tile
    %u = tile.alloc "u" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][32, 32] axis 0 by %ids[0] to %s[0, 0][32, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %s[0, 0][64, 32] to %y[0, 0][64, 32] : !tile to !tensor
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %t[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %t[32, 0][32, 32] to %y[0, 0][32, 32] : !tile to !tensor
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %u[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %u[0, 0][64, 32] to %w[%bx, 0, 0][1, 64, 32] : !tile to memref<4x64x32xf32, #global>
  }
  return
}

// At the copy the indices are others.
// CHECK-LABEL: @indices_change
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.gather {{.*}} to %[[S]]
// CHECK:         tile.copy %[[S]]
func.func @indices_change(%x: !tensor, %y: !tensor, %z: f32, %v: i32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%n) {
    %s = tile.alloc "s" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %s[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    scf.for %i = %c0 to %n step %c1 {
      memref.store %v, %ids[%i] : !indices
    }
    tile.copy %s[0, 0][64, 32] to %y[0, 0][64, 32] : !tile to !tensor
  }
  return
}

// The kernel writes the tensor that is gathered from, wherever it does.
// CHECK-LABEL: @gathered_and_written
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.gather {{.*}} to %[[S]]
// CHECK:         tile.copy %[[S]]
// CHECK:       @gathered_in_place
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.gather {{.*}} to %[[S]]
// CHECK:         tile.copy %[[S]]
func.func @gathered_and_written(%x: !tensor, %y: !tensor, %z: f32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %s[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %s[0, 0][64, 32] to %y[0, 0][64, 32] : !tile to !tensor
    tile.store %z, %x[%bx, %bx] : !tensor
  }
  return
}
func.func @gathered_in_place(%x: !tensor, %z: f32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %s[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %s[0, 0][64, 32] to %x[%bx, 0][64, 32] : !tile to !tensor
  }
  return
}

// The copy casts, or goes to another tile.
// CHECK-LABEL: @gathered_for_others
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         %[[T:.*]] = tile.alloc "t"
// CHECK:         tile.gather {{.*}} to %[[S]]
// CHECK:         tile.copy %[[S]]
// CHECK:         tile.gather {{.*}} to %[[T]]
// CHECK:         tile.copy %[[T]]
func.func @gathered_for_others(%x: !tensor, %y: memref<64x32xbf16, #global>, %z: f32,
                               %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %t = tile.alloc "t" : !tile
    %u = tile.alloc "u" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %s[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %s[0, 0][64, 32] to %y[0, 0][64, 32] : !tile to memref<64x32xbf16, #global>
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %t[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    tile.copy %t[0, 0][64, 32] to %u[0, 0][64, 32] : !tile to !tile
  }
  return
}

// The copy is in another block than the gather, or before it.
// CHECK-LABEL: @copied_elsewhere
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         %[[T:.*]] = tile.alloc "t"
// CHECK:         tile.gather {{.*}} to %[[S]]
// CHECK:         tile.copy %[[S]]
// CHECK:         tile.copy %[[T]]
// CHECK:         tile.gather {{.*}} to %[[T]]
func.func @copied_elsewhere(%x: !tensor, %y: !tensor, %z: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%n) {
    %s = tile.alloc "s" : !tile
    %t = tile.alloc "t" : !tile
    %ids = tile.alloc "ids" : !indices
    tile.gather %x[0, 0][64, 32] axis 0 by %ids[0] to %s[0, 0][64, 32] fill %z
      : !tensor, !indices to !tile
    scf.for %i = %c0 to %n step %c1 {
      tile.copy %s[0, 0][64, 32] to %y[%i, 0][64, 32] : !tile to !tensor
      tile.copy %t[0, 0][64, 32] to %y[%i, 0][64, 32] : !tile to !tensor
      tile.gather %x[%i, 0][64, 32] axis 0 by %ids[0] to %t[0, 0][64, 32] fill %z
        : !tensor, !indices to !tile
    }
  }
  return
}

// The copy writes the indices itself, or the tile is its own index.
// CHECK-LABEL: @writes_indices
// CHECK:         tile.gather %{{.*}} to %[[S:.*]][0][8]
// CHECK:         tile.copy %[[S]]
func.func @writes_indices(%x: memref<?xi32, #global>, %t: memref<16xi32, #global>, %z: i32,
                          %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : memref<8xi32, #shared>
    tile.gather %x[0][8] axis 0 by %t[0] to %s[0][8] fill %z
      : memref<?xi32, #global>, memref<16xi32, #global> to memref<8xi32, #shared>
    tile.copy %s[0][8] to %t[1][8] : memref<8xi32, #shared> to memref<16xi32, #global>
  }
  return
}

// CHECK-LABEL: @own_indices
// CHECK:         tile.gather
func.func @own_indices(%x: memref<?xi32, #global>, %z: i32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : memref<8xi32, #shared>
    tile.gather %x[0][8] axis 0 by %s[0] to %s[0][8] fill %z
      : memref<?xi32, #global>, memref<8xi32, #shared> to memref<8xi32, #shared>
  }
  return
}

// A view of the tile is read too, and one of the tensor may be written.
// CHECK-LABEL: @read_through_a_view
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.copy %{{.*}} to %[[S]]
// CHECK:         tile.pack %[[S]]
func.func @read_through_a_view(%x: !tensor, %y: memref<2048xf32, #global>, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %p = tile.alloc "p" : !panel
    %flat = tile.view %s : !tile to memref<2048xf32, #shared>
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : !tensor to !tile
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
    tile.copy %flat[0][2048] to %y[0][2048]
      : memref<2048xf32, #shared> to memref<2048xf32, #global>
  }
  return
}

// CHECK-LABEL: @written_through_a_view
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.copy %{{.*}} to %[[S]]
// CHECK:         tile.pack %[[S]]
func.func @written_through_a_view(%x: !tensor, %v: f16, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %p = tile.alloc "p" : !panel
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : !tensor to !tile
    %halves = tile.view %x : !tensor to memref<4096xf16, #global>
    tile.fill %halves, %v : memref<4096xf16, #global>
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
  }
  return
}

// Two parameters that may be the same memory as a third may be the same memory.
// CHECK-LABEL: @written_by_an_alias
// CHECK:         %[[S:.*]] = tile.alloc "s"
// CHECK:         tile.copy %{{.*}} to %[[S]]
// CHECK:         tile.pack %[[S]]
func.func @written_by_an_alias(%w: !tensor, %x: !tensor, %y: !tensor, %v: f32,
                               %blocks: index) attributes {tile.signature = {symbols = [],
    params = [{kind = "tensor", name = "W", dims = [64 : i64, 32 : i64]},
              {kind = "tensor", name = "X", dims = [64 : i64, 32 : i64], alias = "W"},
              {kind = "tensor", name = "Y", dims = [64 : i64, 32 : i64], alias = "W"}]}} {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !tile
    %p = tile.alloc "p" : !panel
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32] : !tensor to !tile
    tile.fill %y, %v : !tensor
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p : !tile into !panel
  }
  return
}
