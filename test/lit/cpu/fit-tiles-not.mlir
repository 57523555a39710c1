// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles that stay as they are.
//
// RUN: %tilewright-opt %s --cpu-fit-tiles --canonicalize --cse --split-input-file -o - \
// RUN:   --verify-diagnostics | FileCheck %s

// A sum over what the tensor does not have: these elements are zero, or what else the tile
// was filled with.
// CHECK-LABEL: @sums
// CHECK:         tile.alloc "x" : memref<16x128xf32
!x = memref<16x30xf32, #tile.space<global>>
!s = memref<16xf32, #tile.space<global>>
!tile = memref<16x128xf32, #tile.space<shared>>
!sum = memref<16xf32, #tile.space<fragment>>
func.func @sums(%X: !x, %S: !s) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) {
    %x = tile.alloc "x" : !tile
    %s = tile.alloc "s" : !sum
    tile.copy %X[0, 0][16, 128] to %x[0, 0][16, 128] : !x to !tile
    tile.reduce sum %x into %s dim 1 : !tile into !sum
    tile.copy %s[0][16] to %S[0][16] : !sum to !s
  }
  return
}

// -----

// Where a region begins in front of its tensor, its last elements exist.
// CHECK-LABEL: @in_front
// CHECK:         tile.alloc "x" : memref<64xf32
!x = memref<30xf32, #tile.space<global>>
!tile = memref<64xf32, #tile.space<shared>>
func.func @in_front(%X: !x, %Y: !x, %from: index) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) {
    %x = tile.alloc "x" : !tile
    tile.copy %X[%from][64] to %x[0][64] : !x to !tile
    tile.copy %x[0][64] to %Y[%from][64] : !tile to !x
  }
  return
}

// -----

// The smaller of two tensors says nothing of the larger one.
// CHECK-LABEL: @another
// CHECK:         tile.alloc "x" : memref<64xf32
!x = memref<64xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!tile = memref<64xf32, #tile.space<shared>>
func.func @another(%X: !x, %Y: !y, %Z: !x) {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) {
    %x = tile.alloc "x" : !tile
    tile.copy %X[0][64] to %x[0][64] : !x to !tile
    tile.copy %x[0][64] to %Y[0][64] : !tile to !y
    tile.copy %x[0][64] to %Z[0][64] : !tile to !x
  }
  return
}

// -----

// Elements in the order of the loop backwards: the first ones do not exist.
// CHECK-LABEL: @backwards
// CHECK:         tile.parallel (%{{.*}}) in (64)
!x = memref<30xf32, #tile.space<global>>
!tile = memref<64xf32, #tile.space<shared>>
func.func @backwards(%X: !x, %Y: !x) {
  %c1 = arith.constant 1 : index
  %c63 = arith.constant 63 : index
  tile.kernel (%b) in (%c1) {
    %x = tile.alloc "x" : !tile
    tile.copy %X[0][64] to %x[0][64] : !x to !tile
    tile.parallel (%i) in (64) {
      %v = memref.load %x[%i] : !tile
      %at = arith.subi %c63, %i : index
      tile.store %v, %Y[%at] : !x
    }
  }
  return
}

// -----

// An element does not depend on sizes, however it is multiplied.
// CHECK-LABEL: @invariant
// CHECK:         tile.alloc "x" : memref<64xf32
!x = memref<30xf32, #tile.space<global>>
!tile = memref<64xf32, #tile.space<shared>>
func.func @invariant(%X: !x, %Y: !x) attributes {tile.batch_invariant} {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) {
    %x = tile.alloc "x" : !tile
    tile.copy %X[0][64] to %x[0][64] : !x to !tile
    tile.copy %x[0][64] to %Y[0][64] : !tile to !x
  }
  return
}
