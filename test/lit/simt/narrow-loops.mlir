// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops between constants count in 32 bits; what they count is an index all the same.
// RUN: tilewright-opt %s --narrow-loops | FileCheck %s

// CHECK-LABEL: @short
// CHECK-DAG:     %[[FIRST:.*]] = arith.constant 2 : i32
// CHECK-DAG:     %[[END:.*]] = arith.constant 100 : i32
// CHECK-DAG:     %[[STEP:.*]] = arith.constant 3 : i32
// CHECK:         scf.for %[[I:.*]] = %[[FIRST]] to %[[END]] step %[[STEP]] {{.*}} : i32 {
// CHECK-NEXT:      %[[WIDE:.*]] = arith.index_castui %[[I]] : i32 to index
// CHECK-NEXT:      arith.addi %{{.*}}, %[[WIDE]] : index
func.func @short(%start: index) -> index {
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c100 = arith.constant 100 : index
  %sum = scf.for %i = %c2 to %c100 step %c3 iter_args(%s = %start) -> (index) {
    %next = arith.addi %s, %i : index
    scf.yield %next : index
  }
  return %sum : index
}

// One step behind the end is too far; an end that is not known may be.
// CHECK-LABEL: @long
// CHECK-COUNT-2: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{[a-z0-9_]*}} {
// CHECK-NOT:     index_cast
func.func @long(%x: memref<1xindex>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %limit = arith.constant 2147483647 : index
  scf.for %i = %c0 to %limit step %c1 {
    memref.store %i, %x[%c0] : memref<1xindex>
  }
  scf.for %i = %c0 to %n step %c1 {
    memref.store %i, %x[%c0] : memref<1xindex>
  }
  return
}
