// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each constraint of what is pending, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

// simt.wait (C1): by what it infers
func.func @other_values(%c: vector<64x128xf32>) {
  %p = simt.ready %c : vector<64x128xf32>
  // expected-error @+2 {{failed to infer returned types}}
  // expected-error @+1 {{'simt.wait' op inferred type(s) 'vector<64x128xf32>' are incompatible with return type(s) of operation 'f32'}}
  %v = "simt.wait"(%p) : (!simt.pending<vector<64x128xf32>>) -> f32
  return
}

// -----

func.func @wait_by_one(%c: f32) {
  simt.once {
    %p = simt.ready %c : f32
    // expected-error @+1 {{'simt.wait' op (C2) must stand where all threads come by, outside of simt.once and tile.parallel}}
    %v = simt.wait %p : !simt.pending<f32>
  }
  return
}

// -----

func.func @ready_for_nobody(%c: f32) {
  // expected-error @+1 {{'simt.ready' op (C1) gives a pending value, which nothing waits for}}
  %p = simt.ready %c : f32
  return
}

// -----

func.func @ready_on_one_path(%c: f32, %has: i1) {
  // expected-error @+1 {{'simt.ready' op (C1) gives a pending value, which is not consumed on every path}}
  %p = simt.ready %c : f32
  scf.if %has {
    // expected-note @+1 {{here}}
    %v = simt.wait %p : !simt.pending<f32>
  }
  return
}

// -----

func.func @read_unwaited(%c: f32) -> !simt.pending<f32> {
  // expected-error @+1 {{'simt.ready' op (C1) gives a pending value, which func.return cannot use before a simt.wait}}
  %p = simt.ready %c : f32
  // expected-note @+1 {{here}}
  return %p : !simt.pending<f32>
}

// -----

// What a loop carries is waited for behind it too.
func.func @carried_for_nobody(%c: f32, %trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{'simt.ready' op (C1) gives a pending value, which nothing waits for}}
  %p = simt.ready %c : f32
  %q = scf.for %i = %c0 to %trips step %c1 iter_args(%r = %p) -> (!simt.pending<f32>) {
    scf.yield %r : !simt.pending<f32>
  }
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @ready_and_read(%t: !tile, %c0: index) {
  // expected-error @+1 {{'simt.ready' op (C2) consumes a tile of tensor memory that has another use}}
  %p = simt.ready %t : !tile
  // expected-note @+1 {{here}}
  %q = simt.tmem_load %t[%c0] : !tile -> !simt.pending<vector<128x64xf32>>
  %v = simt.wait %q : !simt.pending<vector<128x64xf32>>
  %u = simt.wait %p : !simt.pending<!tile>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @product_of_one(%a: !a, %b: !b, %c: !d) {
  simt.once {
    // expected-error @+1 {{'simt.mma_async' op (C1) must stand where all threads come by, outside of simt.once and tile.parallel}}
    %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32, shared_a = true> %a, %b, %c : !a, !b, !d
    %w = simt.wait %p : !simt.pending<!d>
  }
  return
}

// -----

func.func @at_once(%a: vector<16x16xf16>, %b: vector<16x8xf16>, %c: vector<16x8xf32>) {
  // expected-error @+1 {{'simt.mma_async' op (C2) needs an atom that completes later, and #cuda.mma<f16 into f32> completes at once}}
  %p = simt.mma_async #cuda.mma<f16 into f32> %a, %b, %c : vector<16x16xf16>, vector<16x8xf16>, vector<16x8xf32>
  %w = simt.wait %p : !simt.pending<vector<16x8xf32>>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @in_registers(%a: vector<64x64xbf16>, %b: !b, %c: !d) {
  // expected-error @+1 {{'simt.mma_async' op (C3) needs a shared tile of rank 2 of 'bf16' as A, not 'vector<64x64xbf16>'}}
  %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32, shared_a = true> %a, %b, %c : vector<64x64xbf16>, !b, !d
  %w = simt.wait %p : !simt.pending<!d>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @other_elements(%a: !a, %b: memref<64x128xf16, #shared>, %c: !d) {
  // expected-error @+1 {{'simt.mma_async' op (C3) needs a shared tile of rank 2 of 'bf16' as B, not 'memref<64x128xf16, #tile.space<shared>>'}}
  %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32, shared_a = true> %a, %b, %c : !a, memref<64x128xf16, #shared>, !d
  %w = simt.wait %p : !simt.pending<!d>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<128x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<128x128xf32>

func.func @accumulator_in_registers(%a: !a, %b: !b, %c: !d) {
  // expected-error @+1 {{'simt.mma_async' op (C3) needs a tile of rank 2 in tensor memory of 'f32' as C, not 'vector<128x128xf32>'}}
  %p = simt.mma_async #cuda.tcgen05<n = 128, bf16 into f32> %a, %b, %c : !a, !b, !d
  %w = simt.wait %p : !simt.pending<!d>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @extents(%a: !a, %b: memref<32x128xbf16, #shared>, %c: !d) {
  // expected-error @+1 {{'simt.mma_async' op (C4) multiplies M x K by K x N to M x N, not 'memref<64x64xbf16, #tile.space<shared>>' by 'memref<32x128xbf16, #tile.space<shared>>' to 'vector<64x128xf32>'}}
  %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32, shared_a = true> %a, %b, %c : !a, memref<32x128xbf16, #shared>, !d
  %w = simt.wait %p : !simt.pending<!d>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @narrow(%a: !a, %b: !b, %c: !d) {
  // expected-error @+1 {{'simt.mma_async' op (C4) needs multiples of 64 x 256 x 16 as M x N x K, not 64 x 128 x 64}}
  %p = simt.mma_async #cuda.wgmma<n = 256, bf16 into f32, shared_a = true> %a, %b, %c : !a, !b, !d
  %w = simt.wait %p : !simt.pending<!d>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @columns(%a: memref<64x64xf8E4M3FN, #shared>, %b: memref<64x128xf8E4M3FN, #shared>, %c: !d) {
  // expected-error @+1 {{'simt.mma_async' op (C5) reads B along a stride of 1, which 'memref<64x128xf8E4M3FN, #tile.space<shared>>' does not have where #cuda.wgmma<n = 128, f8E4M3FN into f32, shared_a = true> wants it}}
  %p = simt.mma_async #cuda.wgmma<n = 128, f8E4M3FN into f32, shared_a = true> %a, %b, %c : memref<64x64xf8E4M3FN, #shared>, memref<64x128xf8E4M3FN, #shared>, !d
  %w = simt.wait %p : !simt.pending<!d>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @misplaced_role(%a: !a, %b: !b, %c: !d) {
  simt.roles threads [32, 128] {
  }, {
    // expected-error @+1 {{'simt.mma_async' op (C6) is issued by 128 threads, and its role has 128 from thread 32 on}}
    %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32, shared_a = true> %a, %b, %c : !a, !b, !d
    %w = simt.wait %p : !simt.pending<!d>
  }
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<128x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = !simt.tmem<128x128xf32>

func.func @still_read(%a: !a, %b: !b, %c: !d, %c0: index) {
  // expected-note @+1 {{here}}
  %q = simt.tmem_load %c[%c0] : !d -> !simt.pending<vector<128x128xf32>>
  // expected-error @+1 {{'simt.mma_async' op (C7) consumes a tile of tensor memory that may still be read}}
  %p = simt.mma_async #cuda.tcgen05<n = 128, bf16 into f32> %a, %b, %c : !a, !b, !d
  %w = simt.wait %p : !simt.pending<!d>
  %v = simt.wait %q : !simt.pending<vector<128x128xf32>>
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<128x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = !simt.tmem<128x128xf32>

func.func @in_a_loop(%a: !a, %b: !b, %c: !d, %trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %trips step %c1 {
    // expected-error @+1 {{'simt.mma_async' op (C7) consumes a tile of tensor memory that was there outside of its block}}
    %p = simt.mma_async #cuda.tcgen05<n = 128, bf16 into f32> %a, %b, %c : !a, !b, !d
    %w = simt.wait %p : !simt.pending<!d>
  }
  return
}

// -----

#shared = #tile.space<shared>
!a = memref<64x64xbf16, #shared>
!b = memref<64x128xbf16, #shared>
!d = vector<64x128xf32>

func.func @two_consumers(%a: !a, %b: !b, %c: !d) {
  // expected-error @+1 {{'simt.mma_async' op (C8) gives a pending value, which has a second consumer}}
  %p = simt.mma_async #cuda.wgmma<n = 128, bf16 into f32, shared_a = true> %a, %b, %c : !a, !b, !d
  // expected-note @+1 {{here}}
  %w = simt.wait %p : !simt.pending<!d>
  %x = simt.wait %p : !simt.pending<!d>
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @shared_to_shared(%s: !s, %t: !s, %i: index) {
  // expected-error @+1 {{'simt.copy_bulk' op (C1) copies between a box of a global tensor, with one index for each dimension, and a shared tile of static shape, without, not from 'memref<64x64xf32, #tile.space<shared>>' to 'memref<64x64xf32, #tile.space<shared>>'}}
  %p = simt.copy_bulk %s to %t[%i, %i] : !s, !s -> !simt.pending
  simt.wait %p : !simt.pending
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @converted(%x: !x, %s: memref<64x64xf16, #shared>, %i: index) {
  // expected-error @+1 {{'simt.copy_bulk' op (C2) copies boxes of 1 to 5 dimensions, with contiguous rows of the same elements of whole bytes, not from 'memref<?x?xf32, #tile.space<global>>' to 'memref<64x64xf16, #tile.space<shared>>'}}
  %p = simt.copy_bulk %x[%i, %i] to %s : !x, memref<64x64xf16, #shared> -> !simt.pending
  simt.wait %p : !simt.pending
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @short_rows(%x: !x, %s: memref<64x6xf32, #shared>, %i: index) {
  // expected-error @+1 {{'simt.copy_bulk' op (C3) copies up to 256 elements along a dimension, in rows of a multiple of 16 bytes on both sides, not from 'memref<?x?xf32, #tile.space<global>>' to 'memref<64x6xf32, #tile.space<shared>>'}}
  %p = simt.copy_bulk %x[%i, %i] to %s : !x, memref<64x6xf32, #shared> -> !simt.pending
  simt.wait %p : !simt.pending
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @given_nothing(%x: !x, %s: !s, %i: index) {
  // expected-error @+1 {{'simt.copy_bulk' op (C4) gives one pending value, of no types, or writes a shared tile on a barrier and gives nothing}}
  simt.copy_bulk %x[%i, %i] to %s : !x, !s
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @stored_on(%x: !x, %s: !s, %i: index, %m: !simt.mbarrier<2>) {
  // expected-error @+1 {{'simt.copy_bulk' op (C4) gives one pending value, of no types, or writes a shared tile on a barrier and gives nothing}}
  simt.copy_bulk %s to %x[%i, %i] on %m[%i] : !s, !x, !simt.mbarrier<2>
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @third_of_two(%x: !x, %s: !s, %i: index, %m: !simt.mbarrier<2>) {
  %c2 = arith.constant 2 : index
  // expected-error @+1 {{'simt.copy_bulk' op (C4) names barrier 2 of 2}}
  simt.copy_bulk %x[%i, %i] to %s on %m[%c2] : !x, !s, !simt.mbarrier<2>
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @by_one(%x: !x, %s: !s, %i: index) {
  simt.once {
    // expected-error @+1 {{'simt.copy_bulk' op (C5) must stand where all threads come by, outside of simt.once and tile.parallel}}
    %p = simt.copy_bulk %x[%i, %i] to %s : !x, !s -> !simt.pending
    simt.wait %p : !simt.pending
  }
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @by_iterations(%x: !x, %s: !s, %i: index, %m: !simt.mbarrier<2>) {
  tile.parallel (%j) in (4) {
    // expected-error @+1 {{'simt.copy_bulk' op (C5) must stand outside of tile.parallel, whose iterations are not threads}}
    simt.copy_bulk %x[%i, %i] to %s on %m[%i] : !x, !s, !simt.mbarrier<2>
  }
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @for_nobody(%x: !x, %s: !s, %i: index) {
  // expected-error @+1 {{'simt.copy_bulk' op (C6) gives a pending value, which nothing waits for}}
  %p = simt.copy_bulk %x[%i, %i] to %s : !x, !s -> !simt.pending
  return
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x?xf32, #global>
!s = memref<64x64xf32, #shared>

func.func @read_early(%x: !x, %s: !s, %i: index) {
  // expected-error @+1 {{'simt.copy_bulk' op (C6) may still be under way where its tile is named}}
  %p = simt.copy_bulk %x[%i, %i] to %s : !x, !s -> !simt.pending
  // expected-note @+1 {{here}}
  %v = memref.load %s[%i, %i] : !s
  simt.wait %p : !simt.pending
  return
}
