// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile of narrow floats that a gemm adds to becomes a tile of f32; whatever else reads it
// reads rounded values.
// RUN: %tilewright-opt %s --legalize-accumulators | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// An element is rounded when it is read, and widened when it is written.
// CHECK-LABEL: @elements
// CHECK-SAME:    %[[X:.*]]: bf16
// CHECK:         %[[C:.*]] = tile.alloc "c" : memref<16x16xf32, #tile.space<fragment>>
// CHECK:         %[[FILL:.*]] = tile.cast %[[X]] : bf16 to f32
// CHECK:         tile.fill %[[C]], %[[FILL]] : memref<16x16xf32
// CHECK:         tile.gemm %{{.*}} into %[[C]] {{.*}} into memref<16x16xf32
// CHECK:         %[[V:.*]] = memref.load %[[C]]{{.*}} : memref<16x16xf32
// CHECK:         %[[R:.*]] = tile.cast %[[V]] : f32 to bf16
// CHECK:         %[[N:.*]] = arith.negf %[[R]] : bf16
// CHECK:         %[[W:.*]] = tile.cast %[[N]] : bf16 to f32
// CHECK:         memref.store %[[W]], %[[C]]{{.*}} : memref<16x16xf32
func.func @elements(%x: bf16, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<16x16xbf16, #shared>
    %c = tile.alloc "c" : memref<16x16xbf16, #fragment>
    tile.fill %c, %x : memref<16x16xbf16, #fragment>
    tile.gemm %a, %a into %c
      : memref<16x16xbf16, #shared>, memref<16x16xbf16, #shared>
        into memref<16x16xbf16, #fragment>
    tile.parallel (%i, %j) in (16, 16) {
      %v = memref.load %c[%i, %j] : memref<16x16xbf16, #fragment>
      %n = arith.negf %v : bf16
      memref.store %n, %c[%i, %j] : memref<16x16xbf16, #fragment>
    }
  }
  return
}

// A copy from and to the narrow type converts by itself; to another it goes by way of a
// rounded tile.
// CHECK-LABEL: @copies
// CHECK-SAME:    %[[X:.*]]: memref<16x16xf16, {{.*}}, %[[Y:.*]]: memref<16x16xf32,
// CHECK:         %[[C:.*]] = tile.alloc "c" : memref<16x16xf32
// CHECK-NOT:     tile.alloc
// CHECK:         tile.copy %[[X]][0, 0][16, 16] to %[[C]]
// CHECK:         tile.gemm
// CHECK-NEXT:    tile.copy %[[C]][0, 0][16, 16] to %[[X]]{{.*}} : memref<16x16xf32, {{.*}} to memref<16x16xf16
// CHECK-NEXT:    %[[R:.*]] = tile.alloc "rounded" : memref<16x16xf16, #tile.space<fragment>>
// CHECK-NEXT:    tile.copy %[[C]][0, 0][16, 16] to %[[R]][0, 0][16, 16]
// CHECK-NEXT:    tile.copy %[[R]][0, 0][16, 16] to %[[Y]]
func.func @copies(%x: memref<16x16xf16, #global>, %y: memref<16x16xf32, #global>,
                  %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<16x16xf16, #shared>
    %c = tile.alloc "c" : memref<16x16xf16, #fragment>
    tile.copy %x[0, 0][16, 16] to %c[0, 0][16, 16]
      : memref<16x16xf16, #global> to memref<16x16xf16, #fragment>
    tile.gemm %a, %a into %c
      : memref<16x16xf16, #shared>, memref<16x16xf16, #shared>
        into memref<16x16xf16, #fragment>
    tile.copy %c[0, 0][16, 16] to %x[0, 0][16, 16]
      : memref<16x16xf16, #fragment> to memref<16x16xf16, #global>
    tile.copy %c[0, 0][16, 16] to %y[0, 0][16, 16]
      : memref<16x16xf16, #fragment> to memref<16x16xf32, #global>
  }
  return
}

// Operations on whole tiles, a gemm's operand among them, read a rounded tile; what they
// write there is brought back.
// CHECK-LABEL: @whole_tiles
// CHECK:         %[[C:.*]] = tile.alloc "c" : memref<16x16xf32
// CHECK:         tile.gemm %{{.*}} into %[[C]]
// CHECK-NEXT:    %[[A:.*]] = tile.alloc "rounded" : memref<16x16xbf16, #tile.space<shared>>
// CHECK-NEXT:    tile.copy %[[C]][0, 0][16, 16] to %[[A]][0, 0][16, 16]
// CHECK-NEXT:    tile.gemm %[[A]], %{{.*}} into %{{.*}} clear
// CHECK-NEXT:    %[[D:.*]] = tile.alloc "rounded"
// CHECK-NEXT:    tile.copy %[[C]][0, 0][16, 16] to %[[D]][0, 0][16, 16]
// CHECK-NEXT:    tile.scan sum %{{.*}} into %[[D]] dim 0
// CHECK-NEXT:    tile.copy %[[D]][0, 0][16, 16] to %[[C]][0, 0][16, 16]
// CHECK-NOT:     tile.copy
func.func @whole_tiles(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<16x16xbf16, #shared>
    %c = tile.alloc "c" : memref<16x16xbf16, #shared>
    %d = tile.alloc "d" : memref<16x16xf32, #fragment>
    tile.gemm %a, %a into %c
      : memref<16x16xbf16, #shared>, memref<16x16xbf16, #shared>
        into memref<16x16xbf16, #shared>
    tile.gemm %c, %a into %d clear
      : memref<16x16xbf16, #shared>, memref<16x16xbf16, #shared>
        into memref<16x16xf32, #fragment>
    tile.scan sum %a into %c dim 0
      : memref<16x16xbf16, #shared> into memref<16x16xbf16, #shared>
  }
  return
}

// Accumulators that are wide enough, and tiles that no gemm adds to, stay.
// CHECK-LABEL: @unchanged
// CHECK-COUNT-2: tile.alloc : memref<16x16xbf16
// CHECK:         tile.alloc : memref<16x16xf32
// CHECK:         tile.alloc : memref<16x16xi8
// CHECK:         tile.alloc : memref<16x16xi32
// CHECK-NOT:     tile.alloc
// CHECK-NOT:     tile.cast
func.func @unchanged(%x: bf16, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc : memref<16x16xbf16, #shared>
    %b = tile.alloc : memref<16x16xbf16, #shared>
    %c = tile.alloc : memref<16x16xf32, #fragment>
    %p = tile.alloc : memref<16x16xi8, #shared>
    %q = tile.alloc : memref<16x16xi32, #fragment>
    tile.fill %b, %x : memref<16x16xbf16, #shared>
    tile.gemm %a, %b into %c
      : memref<16x16xbf16, #shared>, memref<16x16xbf16, #shared>
        into memref<16x16xf32, #fragment>
    tile.gemm %p, %p into %q
      : memref<16x16xi8, #shared>, memref<16x16xi8, #shared>
        into memref<16x16xi32, #fragment>
  }
  return
}

// A slice of an accumulator is one too: what reads it rounds what is there at that time.
// CHECK-LABEL: @slices
// CHECK:         %[[C:.*]] = tile.alloc : memref<16x16xf32
// CHECK:         %[[S:.*]] = memref.subview %[[C]]{{.*}} to memref<8x16xf32
// CHECK:         tile.gemm %{{.*}}, %{{.*}} into %[[S]]
// CHECK-COUNT-2: tile.copy %[[S]]{{.*}} : memref<8x16xf32, {{.*}}> to memref<8x16xbf16
func.func @slices(%blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc : memref<8x16xbf16, #shared>
    %w = tile.alloc : memref<16x16xbf16, #shared>
    %d = tile.alloc : memref<8x16xf32, #fragment>
    %c = tile.alloc : memref<16x16xbf16, #shared>
    %s = memref.subview %c[0, 0] [8, 16] [1, 1]
      : memref<16x16xbf16, #shared> to memref<8x16xbf16, strided<[16, 1]>, #shared>
    tile.gemm %a, %w into %s
      : memref<8x16xbf16, #shared>, memref<16x16xbf16, #shared>
        into memref<8x16xbf16, strided<[16, 1]>, #shared>
    tile.gemm %s, %w into %d
      : memref<8x16xbf16, strided<[16, 1]>, #shared>, memref<16x16xbf16, #shared>
        into memref<8x16xf32, #fragment>
    tile.gemm %s, %w into %d
      : memref<8x16xbf16, strided<[16, 1]>, #shared>, memref<16x16xbf16, #shared>
        into memref<8x16xf32, #fragment>
  }
  return
}

// A view in another shape is one of the f32 tile.
// CHECK-LABEL: @reshaped
// CHECK:         %[[C:.*]] = tile.alloc "c" : memref<16x16xf32
// CHECK:         %[[V:.*]] = tile.view %[[C]] : memref<16x16xf32, {{.*}}> to memref<256xf32
// CHECK:         tile.copy %[[V]][0][256] to %{{.*}} : memref<256xf32, {{.*}}> to memref<256xf16
func.func @reshaped(%a: memref<16x16xf16, #tile.space<shared>>,
                    %y: memref<256xf16, #tile.space<global>>, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %c = tile.alloc "c" : memref<16x16xf16, #tile.space<shared>>
    %v = tile.view %c
      : memref<16x16xf16, #tile.space<shared>> to memref<256xf16, #tile.space<shared>>
    tile.gemm %a, %a into %c clear
      : memref<16x16xf16, #tile.space<shared>>, memref<16x16xf16, #tile.space<shared>>
        into memref<16x16xf16, #tile.space<shared>>
    tile.copy %v[0][256] to %y[0][256]
      : memref<256xf16, #tile.space<shared>> to memref<256xf16, #tile.space<global>>
  }
  return
}
