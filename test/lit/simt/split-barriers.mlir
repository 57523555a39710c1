// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Barriers in two halves, as gfx12 has them (s_barrier_signal, s_barrier_wait), as IR that
// verifies. Nothing lowers it yet.
// RUN: tilewright-opt %s | tilewright-opt | FileCheck %s
// RUN: tilewright-opt %s --canonicalize --cse --loop-invariant-code-motion | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// Two buffers take turns. Each iteration's barrier is hidden behind the load of the next
// item to registers, which it does not order.
// CHECK-LABEL: @double_buffered
// CHECK:         scf.for
// CHECK:           tile.parallel
// CHECK:           %[[P:.*]] = simt.arrive
// CHECK-NEXT:      %[[NEXT:.*]] = tile.load
// CHECK-NEXT:      simt.wait %[[P]] : !simt.pending
// CHECK:           scf.yield %[[NEXT]]
// CHECK:         %[[Q:.*]] = simt.arrive global
// CHECK-NEXT:    simt.wait %[[Q]] : !simt.pending
func.func @double_buffered(%x: memref<?xf32, #global>, %trips: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %s = tile.alloc "s" : memref<2x64xf32, #shared>
  %first = tile.load %x[%c0] : memref<?xf32, #global>
  %last = scf.for %k = %c0 to %trips step %c1 iter_args(%value = %first) -> (f32) {
    %c2 = arith.constant 2 : index
    %stage = arith.remui %k, %c2 : index
    tile.parallel (%i) in (64) {
      memref.store %value, %s[%stage, %i] : memref<2x64xf32, #shared>
    }
    %ahead = arith.addi %k, %c1 : index
    %p = simt.arrive
    %next = tile.load %x[%ahead] : memref<?xf32, #global>
    simt.wait %p : !simt.pending
    scf.yield %next : f32
  }
  %q = simt.arrive global
  simt.wait %q : !simt.pending
  return %last : f32
}
