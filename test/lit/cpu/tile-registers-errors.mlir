// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each constraint of the operations on tiles of AMX, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

func.func @entries() {
  // expected-error @+1 {{'cpu.tile_shapes' op (C1) needs rows and bytes of at most eight tiles}}
  cpu.tile_shapes [16, 16] by [64]
  return
}

// -----

func.func @rows() {
  // expected-error @+1 {{'cpu.tile_shapes' op (C2) a tile has no 17 rows of 64 bytes}}
  cpu.tile_shapes [17] by [64]
  return
}

// -----

func.func @bytes() {
  // expected-error @+1 {{'cpu.tile_shapes' op (C2) a tile has no 16 rows of 62 bytes}}
  cpu.tile_shapes [16] by [62]
  return
}

// -----

func.func @zero() {
  // expected-error @+1 {{'cpu.tile_zero' op (C1) tiles are 0 to 7, and no two the same}}
  cpu.tile_zero 8
  return
}

// -----

func.func @load(%m: memref<16x16xf32>, %i: index) {
  // expected-error @+1 {{'cpu.tile_load' op (C1) tiles are 0 to 7, and no two the same}}
  cpu.tile_load 9, %m[%i, %i] : memref<16x16xf32>
  return
}

// -----

func.func @load_of_columns(%m: memref<16x16xf32, strided<[1, 16]>>, %i: index) {
  // expected-error @+1 {{'cpu.tile_load' op (C2) needs a matrix with rows without gaps}}
  cpu.tile_load 0, %m[%i, %i] : memref<16x16xf32, strided<[1, 16]>>
  return
}

// -----

func.func @store(%m: memref<16x16xf32>, %i: index) {
  // expected-error @+1 {{'cpu.tile_store' op (C1) tiles are 0 to 7, and no two the same}}
  cpu.tile_store 9, %m[%i, %i] : memref<16x16xf32>
  return
}

// -----

func.func @store_to_vector(%m: memref<16x16x2xf32>, %i: index) {
  // expected-error @+1 {{'cpu.tile_store' op (C2) needs a matrix with rows without gaps}}
  cpu.tile_store 0, %m[%i, %i] : memref<16x16x2xf32>
  return
}

// -----

func.func @same() {
  // expected-error @+1 {{'cpu.tile_multiply' op (C1) tiles are 0 to 7, and no two the same}}
  cpu.tile_multiply amx_bf16 1, 1 into 0
  return
}

// -----

func.func @vectors() {
  // expected-error @+1 {{'cpu.tile_multiply' op (C2) fma multiplies no tiles}}
  cpu.tile_multiply fma 1, 2 into 0
  return
}
