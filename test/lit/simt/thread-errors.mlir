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
