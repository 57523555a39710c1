// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of which there is one form.
//
// RUN: %tilewright-opt %s --cpu-specialize-sizes --split-input-file --verify-diagnostics | FileCheck %s

// Rows that may not depend on how many there are.
// CHECK-LABEL: @invariant
// CHECK-NOT:     scf.if
!x = memref<?x32xf32, #tile.space<global>>
!a = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @invariant(%X: !x, %W: !a, %Y: !x, %blocks: index) attributes {tile.batch_invariant} {
  %c32 = arith.constant 32 : index
  tile.kernel (%by) in (%blocks) {
    %row = arith.muli %by, %c32 : index
    %a = tile.alloc "a" : !a
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][32, 32] to %a[0, 0][32, 32] : !x to !a
    tile.gemm %a, %W into %c clear : !a, !a into !c
    tile.copy %c[0, 0][32, 32] to %Y[%row, 0][32, 32] : !c to !x
  }
  return
}

// -----

// Rows of no product.
// CHECK-LABEL: @no_product
// CHECK-NOT:     scf.if
!x = memref<?x32xf32, #tile.space<global>>
!a = memref<32x32xf32, #tile.space<shared>>
func.func @no_product(%X: !x, %Y: !x, %blocks: index) {
  %c32 = arith.constant 32 : index
  tile.kernel (%by) in (%blocks) {
    %row = arith.muli %by, %c32 : index
    %a = tile.alloc "a" : !a
    tile.copy %X[%row, 0][32, 32] to %a[0, 0][32, 32] : !x to !a
    tile.copy %a[0, 0][32, 32] to %Y[%row, 0][32, 32] : !a to !x
  }
  return
}

// -----

// More rows than a few, as the signature says.
// CHECK-LABEL: @many
// CHECK-NOT:     scf.if
!x = memref<?x32xf32, #tile.space<global>>
!w = memref<32x32xf32, #tile.space<global>>
!a = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @many(%X: !x, %W: !w, %Y: !x, %blocks: index) attributes {tile.signature = {params = [
    {align = 4 : i64, dims = ["m", 32], dtype = "f32", kind = "tensor", name = "X", read, strides = "contiguous"},
    {align = 4 : i64, dims = [32, 32], dtype = "f32", kind = "tensor", name = "W", read, strides = "contiguous"},
    {align = 4 : i64, dims = ["m", 32], dtype = "f32", kind = "tensor", name = "Y", strides = "contiguous", write},
    {kind = "size", name = "blocks"}],
    symbols = [{max = -1 : i64, min = 17 : i64, multiple_of = 1 : i64, name = "m"}]}} {
  %c32 = arith.constant 32 : index
  tile.kernel (%by) in (%blocks) {
    %row = arith.muli %by, %c32 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !a
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][32, 32] to %a[0, 0][32, 32] : !x to !a
    tile.copy %W[0, 0][32, 32] to %b[0, 0][32, 32] : !w to !a
    tile.gemm %a, %b into %c clear : !a, !a into !c
    tile.copy %c[0, 0][32, 32] to %Y[%row, 0][32, 32] : !c to !x
  }
  return
}

// -----

// As many rows as a multiple of 32: none, or more than a few.
// CHECK-LABEL: @multiple
// CHECK-NOT:     scf.if
!x = memref<?x32xf32, #tile.space<global>>
!w = memref<32x32xf32, #tile.space<global>>
!a = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @multiple(%X: !x, %W: !w, %Y: !x, %blocks: index) attributes {tile.signature = {params = [
    {align = 4 : i64, dims = ["m", 32], dtype = "f32", kind = "tensor", name = "X", read, strides = "contiguous"},
    {align = 4 : i64, dims = [32, 32], dtype = "f32", kind = "tensor", name = "W", read, strides = "contiguous"},
    {align = 4 : i64, dims = ["m", 32], dtype = "f32", kind = "tensor", name = "Y", strides = "contiguous", write},
    {kind = "size", name = "blocks"}],
    symbols = [{max = -1 : i64, min = 0 : i64, multiple_of = 32 : i64, name = "m"}]}} {
  %c32 = arith.constant 32 : index
  tile.kernel (%by) in (%blocks) {
    %row = arith.muli %by, %c32 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !a
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][32, 32] to %a[0, 0][32, 32] : !x to !a
    tile.copy %W[0, 0][32, 32] to %b[0, 0][32, 32] : !w to !a
    tile.gemm %a, %b into %c clear : !a, !a into !c
    tile.copy %c[0, 0][32, 32] to %Y[%row, 0][32, 32] : !c to !x
  }
  return
}
