// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops that stay apart.
//
// RUN: %tilewright-opt %s --cpu-fuse-loops --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// The second loop reads what other iterations of the first write.
// CHECK-LABEL: @neighbours
// CHECK-COUNT-2: tile.parallel
func.func @neighbours(%t: memref<64xf32, #shared>, %u: memref<64xf32, #shared>) {
  %c63 = arith.constant 63 : index
  tile.parallel (%i) in (64) {
    %v = memref.load %u[%i] : memref<64xf32, #shared>
    memref.store %v, %t[%i] : memref<64xf32, #shared>
  }
  tile.parallel (%i) in (64) {
    %j = arith.subi %c63, %i : index
    %v = memref.load %t[%j] : memref<64xf32, #shared>
    memref.store %v, %u[%i] : memref<64xf32, #shared>
  }
  return
}

// Rows of one loop are columns of the other: no order of elements is good for both.
// CHECK-LABEL: @transposed
// CHECK:         tile.kernel
// CHECK-COUNT-2:   tile.parallel
func.func @transposed(%t: memref<64x64xf32, #shared>, %u: memref<64x64xf32, #shared>,
                      %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (64, 64) {
      %v = memref.load %t[%j, %i] : memref<64x64xf32, #shared>
      memref.store %v, %u[%i, %j] : memref<64x64xf32, #shared>
    }
    tile.parallel (%i, %j) in (64, 64) {
      %v = memref.load %u[%i, %j] : memref<64x64xf32, #shared>
      %w = arith.addf %v, %v : f32
      memref.store %w, %u[%i, %j] : memref<64x64xf32, #shared>
    }
  }
  return
}

// One element for all iterations, which the first loop changes.
// CHECK-LABEL: @one_for_all
// CHECK:         tile.kernel
// CHECK-COUNT-2:   tile.parallel
func.func @one_for_all(%r: memref<4xf32, #shared>, %t: memref<4x64xf32, #shared>,
                       %n: index) {
  %c0 = arith.constant 0 : index
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : memref<4x64xf32, #shared>
      memref.store %v, %r[%c0] : memref<4xf32, #shared>
    }
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %r[%c0] : memref<4xf32, #shared>
      memref.store %v, %t[%i, %j] : memref<4x64xf32, #shared>
    }
  }
  return
}

// What stands between needs the first loop's result and makes the second one's operand.
// CHECK-LABEL: @between
// CHECK:         tile.parallel
// CHECK:         tile.scan
// CHECK:         tile.parallel
func.func @between(%t: memref<4x64xf32, #shared>, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %u = tile.alloc "u" : memref<4x64xf32, #shared>
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %t[%i, %j] : memref<4x64xf32, #shared>
      %w = arith.addf %v, %v : f32
      memref.store %w, %t[%i, %j] : memref<4x64xf32, #shared>
    }
    tile.scan sum %t into %u dim 1 : memref<4x64xf32, #shared> into memref<4x64xf32, #shared>
    tile.parallel (%i, %j) in (4, 64) {
      %v = memref.load %u[%i, %j] : memref<4x64xf32, #shared>
      memref.store %v, %t[%i, %j] : memref<4x64xf32, #shared>
    }
  }
  return
}

// A copy alone stays a copy, and so does one that brings an operand of a product.
// CHECK-LABEL: @operand
// CHECK:         tile.copy
// CHECK:         tile.parallel
// CHECK:         tile.gemm
func.func @operand(%x: memref<64x64xf32, #global>, %c: memref<64x64xf32, #fragment>,
                   %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<64x64xf32, #shared>
    tile.copy %x[%b, 0][64, 64] to %t[0, 0][64, 64]
      : memref<64x64xf32, #global> to memref<64x64xf32, #shared>
    tile.parallel (%i, %j) in (64, 64) {
      %v = memref.load %t[%i, %j] : memref<64x64xf32, #shared>
      %w = arith.addf %v, %v : f32
      memref.store %w, %t[%i, %j] : memref<64x64xf32, #shared>
    }
    tile.gemm %t, %t into %c
      : memref<64x64xf32, #shared>, memref<64x64xf32, #shared> into memref<64x64xf32, #fragment>
  }
  return
}

// Two parameters that may be the same memory, used at different elements.
// CHECK-LABEL: @aliases
// CHECK:         tile.kernel
// CHECK-COUNT-2:   tile.parallel
func.func @aliases(%x: memref<65xf32, #global>, %y: memref<65xf32, #global>, %n: index)
    attributes {tile.signature = {params = [{name = "X"}, {name = "Y", alias = "X"}]}} {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<64xf32, #fragment>
    tile.parallel (%i) in (64) {
      %v = memref.load %t[%i] : memref<64xf32, #fragment>
      tile.store %v, %y[%i] : memref<65xf32, #global>
    }
    tile.parallel (%i) in (64) {
      %j = arith.addi %i, %c1 : index
      %v = tile.load %x[%j] : memref<65xf32, #global>
      memref.store %v, %t[%i] : memref<64xf32, #fragment>
    }
    tile.print "t" %c1 : index
  }
  return
}
