// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each constraint of tensor memory, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

func.func @in_a_branch(%has: i1) {
  scf.if %has {
    // expected-error @+1 {{'simt.tmem_alloc' op (C1) must stand in a kernel or function itself}}
    %t = simt.tmem_alloc : !simt.tmem<128x64xf32>
  }
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @other_rows(%t: !tile, %i: index) {
  // expected-error @+1 {{'simt.tmem_load' op (C1) gives a pending vector of columns of '!simt.tmem<128x64xf32>', not '!simt.pending<vector<64x64xf32>>'}}
  %p = simt.tmem_load %t[%i] : !tile -> !simt.pending<vector<64x64xf32>>
  %v = simt.wait %p : !simt.pending<vector<64x64xf32>>
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @by_one_warp(%t: !simt.channel<2, !tile>, %n: index) {
  simt.roles threads [32, 96] {
    %d = simt.get %t[%n] : !simt.channel<2, !tile> -> !tile
    // expected-error @+1 {{'simt.tmem_load' op (C2) needs a role of a multiple of 128 threads to reach all rows, not of 32}}
    %p = simt.tmem_load %d[%n] : !tile -> !simt.pending<vector<128x64xf32>>
    %v = simt.wait %p : !simt.pending<vector<128x64xf32>>
    simt.release %t[%n] : !simt.channel<2, !tile>
  }, {
  }
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @for_nobody(%t: !tile, %i: index) {
  // expected-error @+1 {{'simt.tmem_load' op (C3) gives a pending value, which nothing waits for}}
  %p = simt.tmem_load %t[%i] : !tile -> !simt.pending<vector<128x64xf32>>
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @too_wide(%v: vector<128x128xf32>, %t: !tile, %i: index) {
  // expected-error @+1 {{'simt.tmem_store' op (C1) writes a vector of columns of '!simt.tmem<128x64xf32>', not 'vector<128x128xf32>'}}
  %p = simt.tmem_store %v, %t[%i] : vector<128x128xf32>, !tile -> !simt.pending<!tile>
  %u = simt.wait %p : !simt.pending<!tile>
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @other_tile(%v: vector<128x64xf32>, %t: !tile, %i: index) {
  // expected-error @+1 {{'simt.tmem_store' op (C1) gives a pending '!simt.tmem<128x64xf32>', not '!simt.pending'}}
  %p = simt.tmem_store %v, %t[%i] : vector<128x64xf32>, !tile -> !simt.pending
  simt.wait %p : !simt.pending
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @store_by_one(%v: vector<128x64xf32>, %t: !tile, %i: index) {
  simt.once {
    // expected-error @+1 {{'simt.tmem_store' op (C2) must stand where all threads come by, outside of simt.once and tile.parallel}}
    %p = simt.tmem_store %v, %t[%i] : vector<128x64xf32>, !tile -> !simt.pending<!tile>
    %u = simt.wait %p : !simt.pending<!tile>
  }
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @store_for_nobody(%v: vector<128x64xf32>, %t: !tile, %i: index) {
  // expected-error @+1 {{'simt.tmem_store' op (C3) gives a pending value, which nothing waits for}}
  %p = simt.tmem_store %v, %t[%i] : vector<128x64xf32>, !tile -> !simt.pending<!tile>
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @former_value(%v: vector<128x64xf32>, %t: !tile, %i: index) {
  // expected-error @+1 {{'simt.tmem_store' op (C4) consumes a tile of tensor memory that has another use}}
  %p = simt.tmem_store %v, %t[%i] : vector<128x64xf32>, !tile -> !simt.pending<!tile>
  %u = simt.wait %p : !simt.pending<!tile>
  // expected-note @+1 {{here}}
  %q = simt.tmem_load %t[%i] : !tile -> !simt.pending<vector<128x64xf32>>
  %w = simt.wait %q : !simt.pending<vector<128x64xf32>>
  return
}

// -----

// expected-error @+1 {{(C1) has 128 rows, not 96}}
func.func private @rows(!simt.tmem<96x64xf32>)

// -----

// expected-error @+1 {{(C2) has rows of whole words, at most 512 in all stages, not 3 times 256 'f32'}}
func.func private @columns(!simt.tmem<3x128x256xf32>)

// -----

// expected-error @+1 {{(C2) has elements of 8, 16 or 32 bits, not 'f64'}}
func.func private @elements(!simt.tmem<128x64xf64>)
