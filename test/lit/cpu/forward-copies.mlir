// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile that is only a stop between a tensor and panels, or between tensors, goes away.
// RUN: %tilewright-opt %s --cpu-forward-copies | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// The pack reads the tensor where the copy did, zero outside its shape alike.
// CHECK-LABEL: @pack
// CHECK-SAME:    %[[X:.*]]: memref<?x?xbf16{{.*}}, %[[I:.*]]: index, %{{.*}}: index
// CHECK-NOT:     tile.alloc "s"
// CHECK-NOT:     tile.copy
// CHECK:         tile.pack %[[X]][%[[I]], 8][64, 32] dims [0, 1] into %{{.*}} transpose : memref<?x?xbf16
func.func @pack(%x: memref<?x?xbf16, #global>, %i: index, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : memref<64x32xbf16, #shared>
    %p = tile.alloc "p" : memref<16x64x2xbf16, #shared>
    tile.copy %x[%i, 8][64, 32] to %s[0, 0][64, 32]
      : memref<?x?xbf16, #global> to memref<64x32xbf16, #shared>
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p transpose
      : memref<64x32xbf16, #shared> into memref<16x64x2xbf16, #shared>
  }
  return
}

// All its readers do, in the dimensions that they span. Casts stay with them.
// CHECK-LABEL: @readers
// CHECK-SAME:    %[[X:.*]]: memref<?x8x64x4xi8
// CHECK-NOT:     tile.alloc "s"
// CHECK:         tile.pack %[[X]][%[[I:.*]], 0, %[[I]], 3][1, 8, 16, 1] dims [1, 2] into %{{.*}} unsigned : memref<?x8x64x4xi8, {{.*}} into memref<4x16x2xi16
// CHECK-NEXT:    tile.copy %[[X]][%[[I]], 0, %[[I]], 3][1, 8, 16, 1] to %{{.*}}[2, 0, 0][1, 8, 16] unsigned : memref<?x8x64x4xi8, {{.*}} to memref<4x8x16xi32
func.func @readers(%x: memref<?x8x64x4xi8, #global>, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : memref<8x16xi8, #shared>
    %p = tile.alloc "p" : memref<4x16x2xi16, #shared>
    %w = tile.alloc "w" : memref<4x8x16xi32, #shared>
    tile.copy %x[%bx, 0, %bx, 3][1, 8, 16, 1] to %s[0, 0][8, 16]
      : memref<?x8x64x4xi8, #global> to memref<8x16xi8, #shared>
    tile.pack %s[0, 0][8, 16] dims [0, 1] into %p unsigned
      : memref<8x16xi8, #shared> into memref<4x16x2xi16, #shared>
    tile.copy %s[0, 0][8, 16] to %w[2, 0, 0][1, 8, 16] unsigned
      : memref<8x16xi8, #shared> to memref<4x8x16xi32, #shared>
  }
  return
}

// A loop that fills the tile anew each time is one copy. Another kernel, and other tensors,
// may be written.
// CHECK-LABEL: @others_write
// CHECK-SAME:    %[[X:.*]]: memref<64x32xf32, {{.*}}>, %[[Y:.*]]: memref<64x32xf32
// CHECK:         tile.fill %[[X]]
// CHECK:         scf.for
// CHECK-NOT:       tile.copy
// CHECK:           tile.pack %[[X]]
// CHECK-NEXT:      tile.store %{{.*}}, %[[Y]]
func.func @others_write(%x: memref<64x32xf32, #global>, %y: memref<64x32xf32, #global>,
                        %v: f32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%n) {
    tile.fill %x, %v : memref<64x32xf32, #global>
  }
  tile.kernel (%bx) in (%n) {
    %s = tile.alloc : memref<64x32xf32, #shared>
    %p = tile.alloc : memref<64x32x1xf32, #shared>
    scf.for %i = %c0 to %n step %c1 {
      tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32]
        : memref<64x32xf32, #global> to memref<64x32xf32, #shared>
      tile.pack %s[0, 0][64, 32] dims [0, 1] into %p
        : memref<64x32xf32, #shared> into memref<64x32x1xf32, #shared>
      tile.store %v, %y[%i, %bx] : memref<64x32xf32, #global>
    }
  }
  return
}

// Rows that are gathered and only stored go from tensor to tensor, at the place of the
// copy. The gather casts, and the fill is that of the tile's type.
// CHECK-LABEL: @gather
// CHECK-SAME:    %[[X:.*]]: memref<?x64xbf16{{.*}}, %[[Y:.*]]: memref<?x128xf32{{.*}}, %[[I:.*]]: index, %[[Z:.*]]: f32
// CHECK:         tile.kernel (%[[BX:.*]]) in
// CHECK-NOT:     tile.alloc "s"
// CHECK:         %[[IDS:.*]] = tile.alloc "ids"
// CHECK-NOT:     tile.alloc "s"
// CHECK:         tile.fill %[[IDS]]
// CHECK-NEXT:    tile.fill %[[Y]]
// CHECK-NEXT:    tile.gather %[[X]][%[[I]], 16][8, 32] axis 0 by %[[IDS]][%[[I]]] to %[[Y]][%[[BX]], 64][8, 32] fill %[[Z]] : memref<?x64xbf16, {{.*}} to memref<?x128xf32
// CHECK-NEXT:  }
func.func @gather(%x: memref<?x64xbf16, #global>, %y: memref<?x128xf32, #global>, %i: index,
                  %z: f32, %v: i32, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : memref<8x32xf32, #shared>
    %ids = tile.alloc "ids" : memref<16xi32, #shared>
    tile.fill %ids, %v : memref<16xi32, #shared>
    tile.gather %x[%i, 16][8, 32] axis 0 by %ids[%i] to %s[0, 0][8, 32] fill %z
      : memref<?x64xbf16, #global>, memref<16xi32, #shared> to memref<8x32xf32, #shared>
    tile.fill %y, %z : memref<?x128xf32, #global>
    tile.copy %s[0, 0][8, 32] to %y[%bx, 64][8, 32]
      : memref<8x32xf32, #shared> to memref<?x128xf32, #global>
  }
  return
}

// A parameter that may be the same memory as another one is apart from all else.
// CHECK-LABEL: @alias_of_another
// CHECK-NOT:     tile.alloc "s"
// CHECK:         tile.pack %{{.*}}[0, 0][64, 32]
func.func @alias_of_another(%w: memref<64x32xf32, #tile.space<global>>,
                            %x: memref<64x32xf32, #tile.space<global>>,
                            %y: memref<64x32xf32, #tile.space<global>>, %v: f32,
                            %blocks: index) attributes {tile.signature = {symbols = [],
    params = [{kind = "tensor", name = "W", dims = [64 : i64, 32 : i64]},
              {kind = "tensor", name = "X", dims = [64 : i64, 32 : i64]},
              {kind = "tensor", name = "Y", dims = [64 : i64, 32 : i64], alias = "W"}]}} {
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : memref<64x32xf32, #tile.space<shared>>
    %p = tile.alloc "p" : memref<64x32x1xf32, #tile.space<shared>>
    tile.copy %x[0, 0][64, 32] to %s[0, 0][64, 32]
      : memref<64x32xf32, #tile.space<global>> to memref<64x32xf32, #tile.space<shared>>
    tile.fill %y, %v : memref<64x32xf32, #tile.space<global>>
    tile.pack %s[0, 0][64, 32] dims [0, 1] into %p
      : memref<64x32xf32, #tile.space<shared>> into memref<64x32x1xf32, #tile.space<shared>>
  }
  return
}
