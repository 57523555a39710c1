// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks that stay as they are.
//
// RUN: %tilewright-opt %s --cpu-fuse-blocks --split-input-file -o - --verify-diagnostics | FileCheck %s
// CHECK-NOT: memref<64x32xf32, #tile.space<shared>>

// What a block reads of its number is more than which rows it has.
!x = memref<4096x32xf32, #tile.space<global>>
!list = memref<256xindex, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!w = memref<8x32x64xf32, #tile.space<global>>
!y = memref<4096x64xf32, #tile.space<global>>
func.func @table(%X: !x, %W: !w, %Y: !y, %List: !list) {
  %c16 = arith.constant 16 : index
  %c256 = arith.constant 256 : index
  // expected-remark @below {{blocks keep their 16 rows or columns: the block's number is used for something else}}
  tile.kernel (%by) in (%c256) {
    %row = arith.muli %by, %c16 : index
    %group = tile.load %List[%by] : !list
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[%group, 0, 0][1, 32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}

// -----

// A loop that is longer for later rows, as in causal attention.
!x = memref<4096x32xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!w = memref<4096x64xf32, #tile.space<global>>
!y = memref<4096x64xf32, #tile.space<global>>
func.func @causal(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  // expected-remark @below {{the block's number is used for something else}}
  tile.kernel (%by) in (%c256) {
    %row = arith.muli %by, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    scf.for %k = %c0 to %row step %c32 {
      tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
      tile.copy %W[%k, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
      tile.gemm %a, %b into %c : !a, !b into !c
    }
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}

// -----

// A grid that ends before the tensor does: 250 blocks are no multiple of four, and what is
// behind them is not theirs.
!x = memref<4096x32xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!w = memref<32x64xf32, #tile.space<global>>
!y = memref<4096x64xf32, #tile.space<global>>
func.func @part(%X: !x, %W: !w, %Y: !y) {
  %c16 = arith.constant 16 : index
  %c250 = arith.constant 250 : index
  // expected-remark @below {{the last of them may end before their tensors do}}
  tile.kernel (%by) in (%c250) {
    %row = arith.muli %by, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[0, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}

// -----

// Rows that begin behind where the block's number says: those of the next block would be
// behind the last one's end.
!x = memref<4096x32xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!w = memref<32x64xf32, #tile.space<global>>
!y = memref<4096x64xf32, #tile.space<global>>
func.func @behind(%X: !x, %W: !w, %Y: !y) {
  %c16 = arith.constant 16 : index
  %c256 = arith.constant 256 : index
  tile.kernel (%by) in (%c256) {
    %first = arith.muli %by, %c16 : index
    %row = arith.addi %first, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[0, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}

// -----

// Too few blocks for the cores that there may be.
!x = memref<256x32xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!w = memref<32x64xf32, #tile.space<global>>
!y = memref<256x64xf32, #tile.space<global>>
func.func @few(%X: !x, %W: !w, %Y: !y) {
  %c16 = arith.constant 16 : index
  // expected-remark @below {{too few would be left}}
  tile.kernel (%by) in (%c16) {
    %row = arith.muli %by, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[0, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}

// -----

// Tiles that would have too much memory together.
!x = memref<4096x8192xf32, #tile.space<global>>
!a = memref<16x8192xf32, #tile.space<shared>>
!b = memref<8192x8xf32, #tile.space<shared>>
!c = memref<16x8xf32, #tile.space<fragment>>
!w = memref<8192x8xf32, #tile.space<global>>
!y = memref<4096x8xf32, #tile.space<global>>
func.func @large(%X: !x, %W: !w, %Y: !y) {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c256 = arith.constant 256 : index
  // expected-remark @below {{blocks keep their 16 rows or columns: their tiles have too much memory together}}
  tile.kernel (%bx, %by) in (%c1, %c256) {
    %row = arith.muli %by, %c16 : index
    %column = arith.muli %bx, %c8 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 8192] to %a[0, 0][16, 8192] : !x to !a
    tile.copy %W[0, %column][8192, 8] to %b[0, 0][8192, 8] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.copy %c[0, 0][16, 8] to %Y[%row, %column][16, 8] : !c to !y
  }
  return
}

// -----

// A factor for the rows of every block, by their number within it.
!x = memref<4096x32xf32, #tile.space<global>>
!s = memref<16xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!scale = memref<16xf32, #tile.space<fragment>>
!w = memref<32x64xf32, #tile.space<global>>
!y = memref<4096x64xf32, #tile.space<global>>
func.func @row_in_block(%X: !x, %W: !w, %Y: !y, %S: !s) {
  %c16 = arith.constant 16 : index
  %c256 = arith.constant 256 : index
  // expected-remark @below {{blocks keep their 16 rows or columns: the block's number is used for something else}}
  tile.kernel (%by) in (%c256) {
    %row = arith.muli %by, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[0, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.parallel (%i, %j) in (16, 64) {
      %v = memref.load %c[%i, %j] : !c
      %f = tile.load %S[%i] : !s
      %product = arith.mulf %v, %f : f32
      memref.store %product, %c[%i, %j] : !c
    }
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}

// -----

// The same factors, as a tile that each block copies from the same place.
!x = memref<4096x32xf32, #tile.space<global>>
!s = memref<16xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!scale = memref<16xf32, #tile.space<fragment>>
!w = memref<32x64xf32, #tile.space<global>>
!y = memref<4096x64xf32, #tile.space<global>>
func.func @same_for_all(%X: !x, %W: !w, %Y: !y, %S: !s) {
  %c16 = arith.constant 16 : index
  %c256 = arith.constant 256 : index
  // expected-remark @below {{blocks keep their 16 rows or columns: the block's number is used for something else}}
  tile.kernel (%by) in (%c256) {
    %row = arith.muli %by, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    %scale = tile.alloc "scale" : !scale
    tile.copy %S[0][16] to %scale[0][16] : !s to !scale
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[0, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.parallel (%i, %j) in (16, 64) {
      %v = memref.load %c[%i, %j] : !c
      %f = memref.load %scale[%i] : !scale
      %product = arith.mulf %v, %f : f32
      memref.store %product, %c[%i, %j] : !c
    }
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}

// -----

// The number of a row's block, which is what is left of the row's own divided by 16: not the
// same for a row of a larger block.
!x = memref<4096x32xf32, #tile.space<global>>
!s = memref<16xf32, #tile.space<global>>
!a = memref<16x32xf32, #tile.space<shared>>
!b = memref<32x64xf32, #tile.space<shared>>
!c = memref<16x64xf32, #tile.space<fragment>>
!scale = memref<16xf32, #tile.space<fragment>>
!w = memref<32x64xf32, #tile.space<global>>
!y = memref<4096x64xf32, #tile.space<global>>
func.func @difference(%X: !x, %W: !w, %Y: !y, %S: !s) {
  %c16 = arith.constant 16 : index
  %c256 = arith.constant 256 : index
  // expected-remark @below {{blocks keep their 16 rows or columns: the block's number is used for something else}}
  tile.kernel (%by) in (%c256) {
    %row = arith.muli %by, %c16 : index
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    tile.copy %X[%row, 0][16, 32] to %a[0, 0][16, 32] : !x to !a
    tile.copy %W[0, 0][32, 64] to %b[0, 0][32, 64] : !w to !b
    tile.gemm %a, %b into %c clear : !a, !b into !c
    tile.parallel (%i, %j) in (16, 64) {
      %v = memref.load %c[%i, %j] : !c
      %at = arith.addi %row, %i : index
      %block = arith.divui %at, %c16 : index
      %none = arith.subi %block, %by : index
      %f = tile.load %S[%none] : !s
      %product = arith.mulf %v, %f : f32
      memref.store %product, %c[%i, %j] : !c
    }
    tile.copy %c[0, 0][16, 64] to %Y[%row, 0][16, 64] : !c to !y
  }
  return
}
