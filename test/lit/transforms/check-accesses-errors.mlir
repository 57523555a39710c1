// What checking mode refuses, since it would not see all of it.
// RUN: tilewright-opt %s --check-accesses --split-input-file --verify-diagnostics

// An operation that accesses memory and does not say which elements.
func.func @unknown(%n: index) {
  tile.kernel (%bx) in (%n) {
    %a = tile.alloc "a" : memref<64x64xf32, #tile.space<shared>>
    %p = tile.alloc "p" : memref<64x64x1xf32, #tile.space<shared>>
    // expected-error @+1 {{'tile.pack' op is not covered by checking mode, as it does not say which elements it accesses}}
    tile.pack %a[0, 0][64, 64] dims [0, 1] into %p
      : memref<64x64xf32, #tile.space<shared>> into memref<64x64x1xf32, #tile.space<shared>>
  }
  return
}

// -----

func.func @view(%n: index) {
  tile.kernel (%bx) in (%n) {
    %a = tile.alloc "a" : memref<64x64xf32, #tile.space<shared>>
    %v = memref.expand_shape %a [[0, 1], [2]] output_shape [8, 8, 64]
      : memref<64x64xf32, #tile.space<shared>> into memref<8x8x64xf32, #tile.space<shared>>
    %zero = arith.constant 0.0 : f32
    // expected-error @+1 {{checking mode cannot follow this view of a}}
    tile.fill %v, %zero : memref<8x8x64xf32, #tile.space<shared>>
  }
  return
}
