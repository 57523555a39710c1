// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing is asked for that the next block reads anyway, or finds in a cache.
//
// RUN: %tilewright-opt %s --cpu-prefetch-blocks | FileCheck %s
// CHECK-NOT: memref.prefetch

#global = #tile.space<global>
#fragment = #tile.space<fragment>
!tensor = memref<?x1024xf32, #global>
!tile = memref<4x1024xf32, #fragment>

// All blocks read the same rows; neighbours read rows that overlap; the rows of the next
// block are not known yet.
func.func @shared(%x: !tensor, %rows: memref<?xi32, #global>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "rows"}, {name = "n"}]}} {
  %c2 = arith.constant 2 : index
  tile.kernel (%bx, %by) in (%n, %n) threads(128) {
    %t = tile.alloc "t" : !tile
    tile.copy %x[%by, 0][4, 1024] to %t[0, 0][4, 1024] : !tensor to !tile
    %row = arith.muli %bx, %c2 : index
    tile.copy %x[%row, 0][4, 1024] to %t[0, 0][4, 1024] : !tensor to !tile
    %there = tile.load %rows[%bx] : memref<?xi32, #global>
    %at = arith.index_cast %there : i32 to index
    tile.copy %x[%at, 0][4, 1024] to %t[0, 0][4, 1024] : !tensor to !tile
    tile.parallel (%i, %j) in (4, 1024) {
      %v = memref.load %t[%i, %j] : !tile
      memref.store %v, %t[%i, %j] : !tile
    }
  }
  return
}

// The only loop has other extents.
func.func @other_loop(%x: !tensor, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "n"}]}} {
  %c4 = arith.constant 4 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c4 : index
    tile.copy %x[%row, 0][4, 1024] to %t[0, 0][4, 1024] : !tensor to !tile
    tile.parallel (%i, %j) in (4, 512) {
      %v = memref.load %t[%i, %j] : !tile
      memref.store %v, %t[%i, %j] : !tile
    }
  }
  return
}
