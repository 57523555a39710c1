// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions that stay as they are.
//
// RUN: %tilewright-opt %s --cpu-fuse-loops | FileCheck %s
// CHECK-NOT: cpu.combine

#fragment = #tile.space<fragment>
!tile = memref<4x64xf32, #fragment>
!row = memref<4xf32, #fragment>

// Of columns, of short rows, of positions, by a region.
// CHECK-LABEL: @others
// CHECK-COUNT-4: tile.reduce
func.func @others(%t: !tile, %u: memref<4x32xf32, #fragment>, %c: memref<64xf32, #fragment>,
                  %r: !row, %p: memref<4xi32, #fragment>, %n: index) {
  %one = arith.constant 1.0 : f32
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (4, 64) {
      memref.store %one, %t[%i, %j] : !tile
    }
    tile.reduce sum %t into %c dim 0 : !tile into memref<64xf32, #fragment>
    tile.reduce argmax %t into %p dim 1 : !tile into memref<4xi32, #fragment>
    tile.reduce %t into %r dim 1 : !tile into !row
      combine(%x: f32, %y: f32) identity %one {
        %product = arith.mulf %x, %y : f32
        tile.yield %product : f32
      }
    tile.parallel (%i, %j) in (4, 32) {
      memref.store %one, %u[%i, %j] : memref<4x32xf32, #fragment>
    }
    tile.reduce sum %u into %r dim 1 : memref<4x32xf32, #fragment> into !row
  }
  return
}

// The loop reads what the reduction writes.
// CHECK-LABEL: @former
// CHECK: tile.reduce
func.func @former(%t: !tile, %r: !row, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %r[%i] : !row
      memref.store %v, %t[%i, %j] : !tile
    }
    tile.reduce sum %t into %r dim 1 : !tile into !row
  }
  return
}

// Another operation writes the tile last.
// CHECK-LABEL: @between
// CHECK: tile.reduce
func.func @between(%t: !tile, %r: !row, %n: index) {
  %one = arith.constant 1.0 : f32
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (4, 64) {
      memref.store %one, %t[%i, %j] : !tile
    }
    tile.fill %t, %one : !tile
    tile.reduce sum %t into %r dim 1 : !tile into !row
  }
  return
}

// Between them is what needs the former result, and what changes the loop's operand.
// CHECK-LABEL: @held
// CHECK: tile.reduce
func.func @held(%t: !tile, %r: !row, %s: !row, %u: !tile, %n: index) {
  %one = arith.constant 1.0 : f32
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %u[%i, %j] : !tile
      memref.store %v, %t[%i, %j] : !tile
    }
    tile.copy %r[0][4] to %s[0][4] : !row to !row
    tile.fill %u, %one : !tile
    tile.reduce sum %t into %r dim 1 : !tile into !row
  }
  return
}

// The element that is stored last is another iteration's.
// CHECK-LABEL: @transposed
// CHECK: tile.reduce
func.func @transposed(%t: memref<64x64xf32, #fragment>, %r: memref<64xf32, #fragment>,
                      %n: index) {
  %one = arith.constant 1.0 : f32
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (64, 64) {
      memref.store %one, %t[%j, %i] : memref<64x64xf32, #fragment>
    }
    tile.reduce sum %t into %r dim 1
      : memref<64x64xf32, #fragment> into memref<64xf32, #fragment>
  }
  return
}
