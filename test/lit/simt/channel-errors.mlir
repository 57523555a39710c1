// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each constraint of channels and of copies that run ahead, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

#shared = #tile.space<shared>

func.func @other_stages() {
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  // expected-error @+1 {{'simt.channel' op (C1) needs shared buffers with 3 stages, not 'memref<2x8xf32, #tile.space<shared>>'}}
  %c = simt.channel %a : memref<2x8xf32, #shared>
    -> !simt.channel<3, memref<8xf32, strided<[1], offset: ?>, #shared>>
  return
}

// -----

#shared = #tile.space<shared>

func.func @used_beside(%i: index) -> f32 {
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  // expected-error @+1 {{'simt.channel' op (C2) must be the only use of its buffers}}
  %c = simt.channel %a : memref<2x8xf32, #shared>
    -> !simt.channel<2, memref<8xf32, strided<[1], offset: ?>, #shared>>
  %v = memref.load %a[%i, %i] : memref<2x8xf32, #shared>
  return %v : f32
}

// -----

#shared = #tile.space<shared>
!channel = !simt.channel<2, memref<8xf32, strided<[1], offset: ?>, #shared>>

func.func @put_other_tile(%c: !channel, %n: index) {
  // expected-error @+1 {{'simt.put' op (C1) fills the tiles}}
  simt.put %c[%n] {
  ^bb0(%s: memref<8xf32, #shared>):
  } : !channel
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @put_by_one(%c: !channel, %n: index) {
  simt.once {
    // expected-error @+1 {{'simt.put' op (C2) must stand where all threads come by, outside of simt.once and tile.parallel}}
    simt.put %c[%n] {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!channel = !simt.channel<2, memref<8xf32, strided<[1], offset: ?>, #shared>>

func.func @get_other_tile(%c: !channel, %n: index) {
  // expected-error @+1 {{'simt.get' op (C1) gives the tiles}}
  %s = simt.get %c[%n] : !channel -> memref<8xf32, #shared>
  simt.release %c[%n] : !channel
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @get_by_one(%c: !channel, %n: index) {
  simt.once {
    // expected-error @+1 {{'simt.get' op (C2) must stand where all threads come by, outside of simt.once and tile.parallel}}
    %s = simt.get %c[%n] : !channel -> !tile
    simt.release %c[%n] : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @kept(%c: !channel, %n: index) {
  // expected-error @+1 {{'simt.get' op (C3) needs one simt.release of its item behind it in its block}}
  %s = simt.get %c[%n] : !channel -> !tile
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @used_after(%c: !channel, %n: index) -> f32 {
  // expected-error @+1 {{'simt.get' op (C3) is released before a use of its tiles}}
  %s = simt.get %c[%n] : !channel -> !tile
  simt.release %c[%n] : !channel
  // expected-note @+1 {{the use}}
  %v = memref.load %s[%n] : !tile
  return %v : f32
}

// -----

#shared = #tile.space<shared>
!channel = !simt.channel<2, memref<8xf32, strided<[1], offset: ?>, #shared>>

func.func @nothing_taken(%c: !channel, %n: index) {
  // expected-error @+1 {{'simt.release' op (C1) needs a simt.get of its item in front of it in its block}}
  simt.release %c[%n] : !channel
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>

func.func @indices(%x: memref<8x8xf32, #global>, %s: memref<8x8xf32, #shared>, %i: index) {
  // expected-error @+1 {{'simt.copy_async' op (C1) needs one index for each dimension, and as many entries of inbounds as the source has, or none}}
  simt.copy_async 4 of %x[%i] to %s[%i, %i] : memref<8x8xf32, #global>, memref<8x8xf32, #shared>
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>

func.func @converted(%x: memref<8x8xf32, #global>, %s: memref<8x8xf16, #shared>, %i: index) {
  // expected-error @+1 {{'simt.copy_async' op (C2) copies elements of whole bytes from global to shared memory, along a stride of 1, not from 'memref<8x8xf32, #tile.space<global>>' to 'memref<8x8xf16, #tile.space<shared>>'}}
  simt.copy_async 4 of %x[%i, %i] to %s[%i, %i] : memref<8x8xf32, #global>, memref<8x8xf16, #shared>
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>

func.func @too_much(%x: memref<8x8xf32, #global>, %s: memref<8x8xf32, #shared>, %i: index) {
  // expected-error @+1 {{'simt.copy_async' op (C3) copies 4, 8 or 16 bytes, not 32}}
  simt.copy_async 8 of %x[%i, %i] to %s[%i, %i] : memref<8x8xf32, #global>, memref<8x8xf32, #shared>
  return
}

// -----

func.func @commit_by_one() {
  simt.once {
    // expected-error @+1 {{'simt.commit_copies' op (C1) must stand where all threads come by, outside of simt.once and tile.parallel}}
    simt.commit_copies
  }
  return
}

// -----

func.func @wait_by_one() {
  simt.once {
    // expected-error @+1 {{'simt.wait_copies' op (C1) must stand where all threads come by, outside of simt.once and tile.parallel}}
    simt.wait_copies pending 0
  }
  return
}

// -----

func.func @wait_for_less() {
  // expected-error @+1 {{'simt.wait_copies' op (C2) cannot wait until -1 groups are pending}}
  simt.wait_copies pending -1
  return
}

// -----

#global = #tile.space<global>

func.func @matrix_of_global(%x: memref<8x8xf16, #global>, %i: index) {
  // expected-error @+1 {{'simt.load_matrix' op (C1) reads a shared tile whose last stride is 1, with one index for each dimension, not 'memref<8x8xf16, #tile.space<global>>'}}
  %v = simt.load_matrix %x[%i, %i] : memref<8x8xf16, #global>, vector<4xi32>
  return
}

// -----

#shared = #tile.space<shared>

func.func @three_matrices(%s: memref<8x8xf16, #shared>, %i: index) {
  // expected-error @+1 {{'simt.load_matrix' op (C2) gives one, two or four 32-bit integers, not 'vector<3xi32>'}}
  %v = simt.load_matrix %s[%i, %i] : memref<8x8xf16, #shared>, vector<3xi32>
  return
}

// -----

#shared = #tile.space<shared>

func.func @transposed_words(%s: memref<8x8xf32, #shared>, %i: index) {
  // expected-error @+1 {{'simt.load_matrix' op (C3) transposes elements of 16 bits, not 'f32'}}
  %v = simt.load_matrix %s[%i, %i] transpose : memref<8x8xf32, #shared>, vector<4xi32>
  return
}

// -----

// expected-error @+1 {{(C1) needs powers of two as chunk and rows, not 6 and 1}}
func.func private @chunk() attributes {a = #simt.swizzle<chunk = 6, bits = 1, rows = 1>}

// -----

// expected-error @+1 {{(C2) needs from 1 to 5 bits, not 0}}
func.func private @bits() attributes {a = #simt.swizzle<chunk = 8, bits = 0, rows = 1>}

// -----

// expected-error @+1 {{(C1) needs at least one stage, not 0}}
func.func private @stages(!simt.channel<0, memref<8xf32, #tile.space<shared>>>)

// -----

// expected-error @+1 {{(C2) holds shared tiles of static shape, or tiles of rank 2 in tensor memory, not 'memref<?xf32, #tile.space<shared>>'}}
func.func private @open(!simt.channel<2, memref<?xf32, #tile.space<shared>>>)

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @waited_by_nobody(%c: !channel, %n: index, %x: memref<?xf32, #tile.space<global>>) {
  // expected-error @+1 {{'simt.put' op (C3) yields pending values, and with async alone}}
  simt.put %c[%n] {
  ^bb0(%s: !tile):
    %p = simt.copy_bulk %x[%n] to %s : memref<?xf32, #tile.space<global>>, !tile -> !simt.pending
    simt.yield %p : !simt.pending
  } : !channel
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<64x128xbf16, strided<[128, 1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @read_on(%c: !channel, %n: index, %a: vector<64x64xbf16>, %acc: vector<64x128xf32>) {
  // expected-error @+1 {{'simt.get' op (C4) is released while something may still read its tiles; wait for it, or release `after` it}}
  %b = simt.get %c[%n] : !channel -> !tile
  // expected-note @+1 {{here}}
  %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32> %a, %b, %acc
    : vector<64x64xbf16>, !tile, vector<64x128xf32>
  simt.release %c[%n] : !channel
  %d = simt.wait %p : !simt.pending<vector<64x128xf32>>
  return
}

// -----

// simt.release (C2): by the type of its operands
#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @released_after_a_number(%c: !channel, %n: index, %f: f32) {
  %s = simt.get %c[%n] : !channel -> !tile
  // expected-error @+1 {{'simt.release' op operand #2 must be variadic of values that an operation under way will give, but got 'f32'}}
  simt.release %c[%n] after %f : !channel, f32
  return
}
