// Each constraint of the operations on threads, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

func.func @once_in_once() {
  simt.once {
    // expected-error @+1 {{'simt.once' op (C1) must stand in a kernel or device function, outside of simt.once and tile.parallel}}
    simt.once {
    }
  }
  return
}

// -----

func.func @barrier_in_once() {
  simt.once {
    // expected-error @+1 {{'simt.barrier' op (C1) must stand where all threads come by, outside of simt.once and tile.parallel}}
    simt.barrier
  }
  return
}

// -----

func.func @thread_in_parallel() {
  tile.parallel (%i) in (8) {
    // expected-error @+1 {{'simt.thread_id' op (C1) must stand outside of tile.parallel, whose iterations are not threads}}
    %t = simt.thread_id
  }
  return
}

// -----

func.func @block_in_kernel(%n: index) {
  tile.kernel (%bx) in (%n) {
    // expected-error @+1 {{'simt.block_id' op (C1) must stand outside of tile.kernel, whose arguments say which block it is}}
    %b = simt.block_id
  }
  return
}

// -----

func.func @indices(%x: memref<8x8xf32, #tile.space<global>>, %i: index) {
  // expected-error @+1 {{'simt.vector_load' op (C1) needs one index for each of the 2 dimensions, and as many entries of inbounds or none}}
  %v = simt.vector_load %x[%i] : memref<8x8xf32, #tile.space<global>>, vector<4xf32>
  return
}

// -----

func.func @tile(%x: memref<8x8xf32, #tile.space<shared>>, %i: index) {
  // expected-error @+1 {{'simt.vector_load' op (C2) needs a global tensor of elements of whole bytes that are neighbours in the last dimension, not 'memref<8x8xf32, #tile.space<shared>>'}}
  %v = simt.vector_load %x[%i, %i] : memref<8x8xf32, #tile.space<shared>>, vector<4xf32>
  return
}

// -----

func.func @elements(%x: memref<8x8xf32, #tile.space<global>>, %i: index) {
  // expected-error @+1 {{'simt.vector_load' op (C3) needs a vector of rank 1 of 'f32', not 'vector<4xf16>'}}
  %v = simt.vector_load %x[%i, %i] : memref<8x8xf32, #tile.space<global>>, vector<4xf16>
  return
}

// -----

func.func @store_indices(%v: vector<4xf32>, %x: memref<8x8xf32, #tile.space<global>>, %i: index) {
  // expected-error @+1 {{'simt.vector_store' op (C1) needs one index for each of the 2 dimensions, and as many entries of inbounds or none}}
  simt.vector_store %v, %x[%i] : vector<4xf32>, memref<8x8xf32, #tile.space<global>>
  return
}

// -----

func.func @store_columns(%v: vector<4xf32>, %x: memref<8x8xf32, strided<[1, 8]>, #tile.space<global>>, %i: index) {
  // expected-error @+1 {{'simt.vector_store' op (C2) needs a global tensor of elements of whole bytes that are neighbours in the last dimension, not 'memref<8x8xf32, strided<[1, 8]>, #tile.space<global>>'}}
  simt.vector_store %v, %x[%i, %i] : vector<4xf32>, memref<8x8xf32, strided<[1, 8]>, #tile.space<global>>
  return
}

// -----

func.func @store_elements(%v: vector<2x2xf32>, %x: memref<8x8xf32, #tile.space<global>>, %i: index) {
  // expected-error @+1 {{'simt.vector_store' op (C3) needs a vector of rank 1 of 'f32', not 'vector<2x2xf32>'}}
  simt.vector_store %v, %x[%i, %i] : vector<2x2xf32>, memref<8x8xf32, #tile.space<global>>
  return
}

// -----

func.func @shuffle_far(%x: i32) {
  // expected-error @+1 {{'simt.shuffle_xor' op (C1) mask must be from 1 to 63, not 64}}
  %y = simt.shuffle_xor %x, 64
  return
}

// -----

func.func @reduce_shared(%s: memref<8x4xf32, #tile.space<shared>>,
                         %m: memref<8xf32, #tile.space<local>>) {
  // expected-error @+1 {{'simt.warp_reduce' op (C1) takes a local tile with a static shape and one of its dimensions, not dimension 1 of 'memref<8x4xf32, #tile.space<shared>>'}}
  simt.warp_reduce max %s into %m dim 1
    : memref<8x4xf32, #tile.space<shared>> into memref<8xf32, #tile.space<local>>
  return
}

// -----

func.func @reduce_shape(%s: memref<8x4xf32, #tile.space<local>>,
                        %m: memref<4xf32, #tile.space<local>>) {
  // expected-error @+1 {{'simt.warp_reduce' op (C2) dst must have src's shape with dimension 1 dropped or 1}}
  simt.warp_reduce max %s into %m dim 1
    : memref<8x4xf32, #tile.space<local>> into memref<4xf32, #tile.space<local>>
  return
}

// -----

func.func @reduce_parts(%s: memref<8x4xf32, #tile.space<local>>,
                        %m: memref<8x2xf32, #tile.space<local>>) {
  // expected-error @+1 {{'simt.warp_reduce' op (C2) dst must be a shared tile with src's shape, dimension 1 dropped and one more at the end}}
  simt.warp_reduce max %s into %m dim 1 partial
    : memref<8x4xf32, #tile.space<local>> into memref<8x2xf32, #tile.space<local>>
  return
}

// -----

func.func @reduce_positions(%s: memref<8x4xf32, #tile.space<local>>,
                            %m: memref<8xi32, #tile.space<local>>) {
  // expected-error @+1 {{'simt.warp_reduce' op (C3) lanes combine elements, not their positions}}
  simt.warp_reduce argmax %s into %m dim 1
    : memref<8x4xf32, #tile.space<local>> into memref<8xi32, #tile.space<local>>
  return
}

// -----

func.func @reduce_by_nothing(%s: memref<8x4xf32, #tile.space<local>>,
                             %m: memref<8xf32, #tile.space<local>>) {
  // expected-error @+1 {{'simt.warp_reduce' op (C3) takes a combiner, or else a region and an identity}}
  simt.warp_reduce %s into %m dim 1
    : memref<8x4xf32, #tile.space<local>> into memref<8xf32, #tile.space<local>>
  return
}

// -----

func.func @reduce_parts_and_more(%s: memref<8x4xf32, #tile.space<local>>,
                                 %m: memref<8x2xf32, #tile.space<shared>>) {
  // expected-error @+1 {{'simt.warp_reduce' op (C4) the former value is no part of one warp's result}}
  simt.warp_reduce max %s into %m dim 1 accumulate partial
    : memref<8x4xf32, #tile.space<local>> into memref<8x2xf32, #tile.space<shared>>
  return
}

// -----

// simt.yield (C1): by its parent
func.func @yield_elsewhere(%x: f32) {
  // expected-error @+1 {{'simt.yield' op expects parent op to be one of 'simt.put, simt.warp_reduce'}}
  simt.yield %x : f32
}

// -----

func.func @narrow_ballot(%x: i1) {
  // expected-error @+1 {{'simt.vote' op (C1) gives an i64}}
  %b = simt.vote ballot %x : i1
  return
}
