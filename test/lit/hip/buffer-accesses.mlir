// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Guarded accesses through buffers, whose sizes and offsets are the guards.
// RUN: tilewright-opt %s --hip-buffer-accesses --canonicalize --cse | FileCheck %s

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
// CHECK:           %[[N:.*]] = memref.dim %[[X]]
// CHECK-NEXT:      %[[FIRST:.*]] = arith.muli %[[BY]], %{{.*}} : index
// CHECK-NEXT:      %[[LEFT:.*]] = arith.subi %[[N]], %[[FIRST]]
// CHECK-NEXT:      %[[SOME:.*]] = arith.maxsi %[[LEFT]], %[[ZERO]]
// CHECK-NEXT:      %[[FEW:.*]] = arith.minsi %[[SOME]], %[[MOST]]
// CHECK-NEXT:      %[[SIZE:.*]] = arith.muli %[[FEW]], %[[ROW]]
// CHECK-NEXT:      %[[RECORDS:.*]] = arith.index_cast %[[SIZE]] : index to i64
// CHECK-NEXT:      %[[BUFFER:.*]] = rocdl.make.buffer.rsrc %{{.*}}, %{{.*}}, %[[RECORDS]], %{{.*}} : <1> to <8>
// CHECK:           %[[INSIDE:.*]] = arith.cmpi ult
// CHECK-NEXT:      %[[OFFSET:.*]] = arith.select %[[INSIDE]], %{{.*}}, %[[OUTSIDE]] : i32
// CHECK-NEXT:      %[[WORDS:.*]] = rocdl.raw.ptr.buffer.load %[[BUFFER]], %[[OFFSET]], %{{.*}} : vector<4xi32>
// CHECK-NEXT:      rocdl.raw.ptr.buffer.store %[[WORDS]], %[[BUFFER]], %[[OFFSET]], %{{.*}} : vector<4xi32>
func.func @rows_and_columns(%x: memref<?x1000xf16, #global>, %blocks: index) {
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
    simt.vector_store %v, %x[%row, %column] : vector<8xf16>, memref<?x1000xf16, #global>
  }
  return
}

// Of a tensor of known size what a loop adds is in the offset, behind what guards choose
// that do not depend on it; the buffer is the same in all iterations.
// CHECK-LABEL: @loop
// CHECK-DAG:     %[[SIZE:.*]] = arith.constant 2000000 : i64
// CHECK:           %[[BUFFER:.*]] = rocdl.make.buffer.rsrc %{{.*}}, %{{.*}}, %[[SIZE]]
// CHECK:           scf.for %[[K:.*]] =
// CHECK:             %[[INSIDE:.*]] = arith.cmpi ult
// CHECK-NEXT:        %[[LANE:.*]] = arith.select %[[INSIDE]]
// CHECK-NEXT:        %[[STEP:.*]] = arith.index_cast %[[K]] : index to i32
// CHECK-NEXT:        %[[BYTES:.*]] = arith.muli %[[STEP]], %{{.*}} : i32
// CHECK-NEXT:        %[[OFFSET:.*]] = arith.addi %[[LANE]], %[[BYTES]] : i32
// CHECK-NEXT:        rocdl.raw.ptr.buffer.load %[[BUFFER]], %[[OFFSET]]
func.func @loop(%x: memref<1000x1000xf16, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c128 = arith.constant 128 : index
  %s = tile.alloc "s" : memref<32x128xf16, #shared>
  tile.kernel (%bx) in (%c8) threads(256) {
    %t = simt.thread_id
    %r = arith.divui %t, %c16 : index
    %q = arith.remui %t, %c16 : index
    %c = arith.muli %q, %c8 : index
    %column0 = arith.muli %bx, %c128 : index
    %column = arith.addi %column0, %c : index
    scf.for %k = %c0 to %c32 step %c1 {
      %row0 = arith.muli %k, %c32 : index
      %row = arith.addi %row0, %r : index
      %v = simt.vector_load %x[%row, %column] : memref<1000x1000xf16, #global>, vector<8xf16>
      vector.store %v, %s[%r, %c] : memref<32x128xf16, #shared>, vector<8xf16>
    }
  }
  return
}

// 16 GiB: no buffer is greater than 131071 rows of 16 KiB, and what a block has in common is
// added in 64 bits.
// CHECK-LABEL: @large
// CHECK-DAG:     arith.constant 131071 : index
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 1073741824 : index
// CHECK:           arith.muli %{{.*}}, %[[SCALE]] : index
// CHECK:           rocdl.make.buffer.rsrc
// CHECK:           rocdl.raw.ptr.buffer.load {{.*}} : i32
// CHECK:           rocdl.raw.ptr.buffer.store {{.*}} : i32
func.func @large(%x: memref<1048576x4096xf32, #global>) {
  %c16 = arith.constant 16 : index
  %c65536 = arith.constant 65536 : index
  tile.kernel (%bx) in (%c16) threads(256) {
    %t = simt.thread_id
    %row0 = arith.muli %bx, %c65536 : index
    %row = arith.addi %row0, %t : index
    %v = tile.load %x[%row, %bx] : memref<1048576x4096xf32, #global>
    tile.store %v, %x[%row, %bx] : memref<1048576x4096xf32, #global>
  }
  return
}

// Where the first row may be in front of the tensor, the guard of rows chooses as well.
// Two instructions move 32 bytes.
// CHECK-LABEL: @shifted
// CHECK-DAG:     %[[ANY:.*]] = arith.constant 2147483647 : i64
// CHECK:           rocdl.make.buffer.rsrc %{{.*}}, %{{.*}}, %[[ANY]]
// CHECK:           %[[ROW:.*]] = arith.cmpi ult
// CHECK:           %[[OFFSET:.*]] = arith.select %[[ROW]]
// CHECK:           %[[LOW:.*]] = rocdl.raw.ptr.buffer.load %{{.*}}, %[[OFFSET]], {{.*}} : vector<4xi32>
// CHECK-NEXT:      %[[NEXT:.*]] = arith.addi %[[OFFSET]], %{{.*}} : i32
// CHECK-NEXT:      %[[HIGH:.*]] = rocdl.raw.ptr.buffer.load %{{.*}}, %[[NEXT]], {{.*}} : vector<4xi32>
// CHECK-NEXT:      vector.shuffle %[[LOW]], %[[HIGH]] [0, 1, 2, 3, 4, 5, 6, 7]
func.func @shifted(%x: memref<?x32xf32, #global>, %blocks: index) {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %c16 = arith.constant 16 : index
  tile.kernel (%bx) in (%blocks) threads(64) {
    %t = simt.thread_id
    %r = arith.divui %t, %c4 : index
    %q = arith.remui %t, %c4 : index
    %c = arith.muli %q, %c8 : index
    %row0 = arith.muli %bx, %c16 : index
    %row1 = arith.addi %row0, %r : index
    %row = arith.subi %row1, %c1 : index
    %v = simt.vector_load %x[%row, %c] inbounds [false, true]
      : memref<?x32xf32, #global>, vector<8xf32>
    simt.vector_store %v, %x[%row, %c] inbounds [false, true]
      : vector<8xf32>, memref<?x32xf32, #global>
  }
  return
}

// A guard of the whole block is the size of the buffer; what a block has in common leaves
// the branch that its threads take apart, and the descriptor is in front of it.
// CHECK-LABEL: @block
// CHECK:         tile.kernel
// CHECK:           %[[N:.*]] = memref.dim
// CHECK-NEXT:      %[[INSIDE:.*]] = arith.cmpi ult, %{{.*}}, %[[N]]
// CHECK-NEXT:      %[[SIZE:.*]] = arith.select %[[INSIDE]], %{{.*}}, %{{.*}} : index
// CHECK:           %[[RECORDS:.*]] = arith.index_cast %[[SIZE]]
// CHECK:           rocdl.make.buffer.rsrc %{{.*}}, %{{.*}}, %[[RECORDS]]
// CHECK:           scf.if
// CHECK-NOT:         rocdl.make.buffer.rsrc
// CHECK:             rocdl.raw.ptr.buffer.store
// CHECK:             rocdl.raw.ptr.buffer.store
func.func @block(%x: memref<?x64xf16, #global>, %v: f16, %blocks: index) {
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx) in (%blocks) threads(64) {
    %t = simt.thread_id
    %some = arith.cmpi ult, %t, %c32 : index
    scf.if %some {
      %row = arith.subi %bx, %c1 : index
      tile.store %v, %x[%row, %t] inbounds [false, true] : memref<?x64xf16, #global>
      %c = arith.addi %t, %c32 : index
      tile.store %v, %x[%row, %c] inbounds [false, true] : memref<?x64xf16, #global>
    }
  }
  return
}

// As they are: an access without a guard, one that all threads make alike, the only one of
// a tensor, atomics, tiles.
// CHECK-LABEL: @left
// CHECK-NOT:     rocdl
func.func @left(%x: memref<?xi32, #global>, %y: memref<?xi32, #global>, %i: index) {
  %c4 = arith.constant 4 : index
  tile.kernel (%bx) in (%c4) threads(64) {
    %t = simt.thread_id
    %0 = tile.load %x[%t] inbounds [true] : memref<?xi32, #global>
    %1 = tile.load %x[%bx] : memref<?xi32, #global>
    tile.store %1, %x[%i] : memref<?xi32, #global>
    %2 = tile.atomic sum %0, %x[%t] : memref<?xi32, #global>
    tile.store %2, %y[%t] : memref<?xi32, #global>
  }
  return
}
