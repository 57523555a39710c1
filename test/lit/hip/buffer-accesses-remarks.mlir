// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What 32 bits do not reach keeps its guard, which is told once of all turns at it.
// RUN: tilewright-opt %s --hip-buffer-accesses --verify-diagnostics | FileCheck %s

#global = #tile.space<global>

// 63 rows of 64 MiB. A loop's rows are part of the base, whatever they are.
// CHECK-LABEL: @far
// CHECK:         tile.load
// CHECK:         tile.store
// CHECK:         scf.for
// CHECK-NOT:       tile.load
// CHECK:           rocdl.raw.ptr.buffer.load
func.func @far(%x: memref<?x16777216xf32, #global>, %y: memref<64xf32, #global>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%c1) threads(64) {
    %t = simt.thread_id
    // expected-remark @+1 {{guards what it reads of a tensor by itself: what threads of a block access is not shown to be within 2 GiB}}
    %v = tile.load %x[%t, %c0] inbounds [false, true] : memref<?x16777216xf32, #global>
    // expected-remark @+1 {{guards what it writes of a tensor by itself}}
    tile.store %v, %x[%t, %c1] inbounds [false, true] : memref<?x16777216xf32, #global>
    scf.for %k = %c0 to %n step %c1 {
      %w = tile.load %x[%k, %t] inbounds [false, true] : memref<?x16777216xf32, #global>
      memref.store %w, %y[%t] : memref<64xf32, #global>
    }
  }
  return
}

// Rows that are as long as a launch says.
func.func @open(%x: memref<?x?xf32, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%c1) threads(64) {
    %t = simt.thread_id
    // expected-remark @+1 {{guards what it reads of a tensor by itself}}
    %v = tile.load %x[%t, %bx] : memref<?x?xf32, #global>
    // expected-remark @+1 {{guards what it writes of a tensor by itself}}
    tile.store %v, %x[%t, %c1] : memref<?x?xf32, #global>
  }
  return
}
