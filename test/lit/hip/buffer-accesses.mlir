// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Guarded accesses through buffers, whose sizes and offsets are the guards.
// RUN: tilewright-opt %s --split-input-file --hip-buffer-accesses --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// Rows behind the last one are outside of a buffer that begins at the block's first row;
// only a column's guard is looked at.
// CHECK-LABEL: @rows_and_columns
// CHECK-SAME:    %[[X:[a-z0-9]+]]: memref<?x1000xf16
// CHECK-DAG:     %[[ROW:.*]] = arith.constant 2000 : index
// CHECK-DAG:     %[[MOST:.*]] = arith.constant 1073741 : index
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[OUTSIDE:.*]] = arith.constant -2147483648 : i32
// CHECK:         tile.kernel (%[[BX:.*]], %[[BY:.*]]) in
// CHECK:           %[[FIRST:.*]] = arith.muli %[[BY]], %{{.*}} : index
// CHECK:           %[[N:.*]] = memref.dim %[[X]]
// CHECK-NEXT:      %[[LEFT:.*]] = arith.subi %[[N]], %[[FIRST]]
// CHECK-NEXT:      %[[SOME:.*]] = arith.maxsi %[[LEFT]], %[[ZERO]]
// CHECK-NEXT:      %[[FEW:.*]] = arith.minsi %[[SOME]], %[[MOST]]
// CHECK-NEXT:      %[[SIZE:.*]] = arith.muli %[[FEW]], %[[ROW]]
// CHECK-NEXT:      %[[RECORDS:.*]] = arith.index_cast %[[SIZE]] : index to i64
// CHECK-NEXT:      %[[BUFFER:.*]] = rocdl.make.buffer.rsrc %{{.*}}, %{{.*}}, %[[RECORDS]], %{{.*}} : !llvm.ptr<1> to <8>
// CHECK:           %[[INSIDE:.*]] = arith.cmpi ult
// CHECK-NEXT:      %[[OFFSET:.*]] = arith.select %[[INSIDE]], %{{.*}}, %[[OUTSIDE]] : i32
// CHECK-NEXT:      %[[WORDS:.*]] = rocdl.raw.ptr.buffer.load %[[BUFFER]], %[[OFFSET]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:      %[[V:.*]] = vector.bitcast %[[WORDS]] : vector<4xi32> to vector<8xf16>
// CHECK-NEXT:      %[[AGAIN:.*]] = vector.bitcast %[[V]] : vector<8xf16> to vector<4xi32>
// CHECK-NOT:       scf.if
// CHECK:           rocdl.raw.ptr.buffer.store %[[WORDS]], %{{.*}}, %[[OFFSET]]
func.func @rows_and_columns(%x: memref<?x1000xf16, #global>, %y: memref<?x1000xf16, #global>,
                            %blocks: index) {
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c128 = arith.constant 128 : index
  tile.kernel (%bx, %by) in (%c8, %blocks) threads(256) {
    %t = simt.thread_id
    %row0 = arith.muli %by, %c128 : index
    %column0 = arith.muli %bx, %c128 : index
    %r = arith.divui %t, %c16 : index
    %q = arith.remui %t, %c16 : index
    %c = arith.muli %q, %c8 : index
    %row = arith.addi %row0, %r : index
    %column = arith.addi %column0, %c : index
    %v = simt.vector_load %x[%row, %column] : memref<?x1000xf16, #global>, vector<8xf16>
    simt.vector_store %v, %y[%row, %column] : vector<8xf16>, memref<?x1000xf16, #global>
  }
  return
}
