// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of sizes and offsets decides which sides of a region are looked at.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
!x = memref<?x32xf32, #global>
!s = memref<64x32xf32, #shared>

// A grid of whole tiles: nothing is checked.
// CHECK-LABEL: @multiple
// CHECK-NOT:     scf.if
// CHECK-NOT:     mask
// CHECK:         vector.load
func.func @multiple(%x: !x) attributes {tile.signature = {
    symbols = [{name = "m", min = 0 : i64, max = -1 : i64, multiple_of = 64 : i64}],
    params = [{kind = "tensor", name = "X", dims = ["m", 32 : i64]}]}} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %m = memref.dim %x, %c0 : !x
  %blocks = arith.divui %m, %c64 : index
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !s
    %row = arith.muli %bx, %c64 : index
    tile.copy %x[%row, 0][64, 32] to %s[0, 0][64, 32] : !x to !s
    tile.copy %s[0, 0][64, 32] to %x[%row, 0][64, 32] : !s to !x
  }
  return
}

// Any size: the last block's rows end early, and none starts before the first. Of a row that
// does not exist nothing is loaded, not even without an active lane.
// CHECK-LABEL: @any
// CHECK:         %[[LEFT:.*]] = arith.subi
// CHECK:         %[[ROWS:.*]] = arith.minsi %[[LEFT]], %c64
// CHECK-NOT:     arith.minsi
// CHECK:         scf.for
// CHECK:           vector.load
// CHECK:           else
// CHECK-NOT:       load
// CHECK:           vector.store %cst
func.func @any(%x: !x) attributes {tile.signature = {
    symbols = [{name = "m", min = 0 : i64, max = -1 : i64, multiple_of = 1 : i64}],
    params = [{kind = "tensor", name = "X", dims = ["m", 32 : i64]}]}} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %m = memref.dim %x, %c0 : !x
  %blocks = arith.ceildivui %m, %c64 : index
  tile.kernel (%bx) in (%blocks) {
    %s = tile.alloc "s" : !s
    %row = arith.muli %bx, %c64 : index
    tile.copy %x[%row, 0][64, 32] to %s[0, 0][64, 32] : !x to !s
  }
  return
}
