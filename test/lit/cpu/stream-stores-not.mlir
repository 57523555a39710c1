// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stores that stay as they are.
//
// RUN: %tilewright-opt %s --cpu-stream-stores | FileCheck %s
// CHECK-NOT: nontemporal

#global = #tile.space<global>
#signature = {params = [{name = "y"}, {name = "small"}, {name = "read"}, {name = "short"}, {name = "n"}]}

// A tensor of 16 KiB; one that the function reads; rows of 256 bytes; a loop that adds to a
// tile, and may not run twice for one element.
func.func @stores(%y: memref<?x256xf32, #global>, %small: memref<16x256xf32, #global>,
                  %read: memref<?x256xf32, #global>, %short: memref<?x64xf32, #global>,
                  %n: index) attributes {tile.signature = #signature} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c64 = arith.constant 64 : index
  %c256 = arith.constant 256 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : memref<256xf32, #tile.space<fragment>>
    scf.for %j = %c0 to %c256 step %c16 {
      %v = vector.load %read[%b, %j] : memref<?x256xf32, #global>, vector<16xf32>
      vector.store %v, %small[%b, %j] : memref<16x256xf32, #global>, vector<16xf32>
      vector.store %v, %read[%b, %j] : memref<?x256xf32, #global>, vector<16xf32>
    }
    scf.for %j = %c0 to %c64 step %c16 {
      %v = vector.load %t[%j] : memref<256xf32, #tile.space<fragment>>, vector<16xf32>
      vector.store %v, %short[%b, %j] : memref<?x64xf32, #global>, vector<16xf32>
    }
    scf.for %j = %c0 to %c256 step %c16 {
      %v = vector.load %t[%j] : memref<256xf32, #tile.space<fragment>>, vector<16xf32>
      %w = arith.addf %v, %v : vector<16xf32>
      vector.store %w, %t[%j] : memref<256xf32, #tile.space<fragment>>, vector<16xf32>
      vector.store %w, %y[%b, %j] : memref<?x256xf32, #global>, vector<16xf32>
    }
  }
  return
}
