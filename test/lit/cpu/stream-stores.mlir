// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops that write a large tensor have a form that stores past the caches.
//
// RUN: %tilewright-opt %s --cpu-stream-stores --canonicalize --cse --split-input-file \
// RUN:   | FileCheck %s

#global = #tile.space<global>

// What is in front of a row's first line, and behind its last one, is stored as before, and
// nothing of a line that is stored past the caches; first, since stores wait for such.
// CHECK-LABEL: @rows
// CHECK-SAME:    %[[Y:.*]]: memref<?x256xbf16
// CHECK:         tile.kernel (%[[B:.*]]) in
// CHECK:           %[[ROWS:.*]] = memref.dim %[[Y]], %c0
// CHECK:           %[[BYTES:.*]] = arith.muli %[[ROWS]], %c512
// CHECK:           %[[LARGE:.*]] = arith.cmpi sge, %[[BYTES]], %c33554432
// CHECK:           %[[BASE:.*]] = memref.extract_aligned_pointer_as_index %[[Y]]
// CHECK:           %[[REST:.*]] = arith.andi %{{.*}}, %c63
// CHECK:           %[[FIRST:.*]] = arith.divui %[[REST]], %c2
// CHECK:           scf.if %[[LARGE]] {
// CHECK:             %[[BEHIND:.*]] = arith.remui %{{.*}}, %c32
// CHECK:             %[[LAST:.*]] = arith.subi %c256, %[[BEHIND]]
// CHECK:             scf.for %[[J:.*]] = %c0 to %[[FIRST]] step %c16 {
// CHECK:               %[[AT:.*]] = arith.minsi %[[J]], %c240
// CHECK:               %[[AHEAD:.*]] = arith.subi %[[FIRST]], %[[AT]]
// CHECK:               %[[MASK:.*]] = vector.create_mask %[[AHEAD]] : vector<16xi1>
// CHECK:               vector.maskedstore %[[Y]][%[[B]], %[[AT]]], %[[MASK]], %{{.*}} : memref
// CHECK:             scf.for %[[L:.*]] = %[[LAST]] to %c256 step %c16 {
// CHECK:               %[[TO:.*]] = arith.minsi %[[L]], %c240
// CHECK:               %[[LEFT:.*]] = arith.subi %[[LAST]], %[[TO]]
// CHECK:               %[[INSIDE:.*]] = vector.create_mask %[[LEFT]] : vector<16xi1>
// CHECK:               %[[OUTSIDE:.*]] = arith.xori %[[INSIDE]], %cst
// CHECK:               vector.maskedstore %[[Y]][%[[B]], %[[TO]]], %[[OUTSIDE]], %{{.*}} : memref
// CHECK:             scf.for %[[K:.*]] = %[[FIRST]] to %[[LAST]] step %c16 {
// CHECK:               vector.store %{{.*}}, %[[Y]][%[[B]], %[[K]]] {alignment = 32 : i64, nontemporal = true}
// CHECK:           } else {
// CHECK:             scf.for %{{.*}} = %c0 to %c256 step %c16 {
// CHECK-NEXT:          memref.prefetch
// CHECK-NEXT:          vector.load
// CHECK-NEXT:          vector.store %{{.*}}, %[[Y]][%[[B]], %{{.*}}] : memref
func.func @rows(%y: memref<?x256xbf16, #global>, %t: memref<256xbf16, #tile.space<fragment>>,
                %n: index)
    attributes {tile.signature = {params = [{name = "Y"}, {name = "t"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c256 = arith.constant 256 : index
  tile.kernel (%b) in (%n) threads(128) {
    scf.for %j = %c0 to %c256 step %c16 {
      memref.prefetch %t[%j], read, locality<3>, data : memref<256xbf16, #tile.space<fragment>>
      %v = vector.load %t[%j] : memref<256xbf16, #tile.space<fragment>>, vector<16xbf16>
      vector.store %v, %y[%b, %j] : memref<?x256xbf16, #global>, vector<16xbf16>
    }
  }
  return
}
