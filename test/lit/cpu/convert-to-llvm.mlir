// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches, memory and masks in the LLVM dialect; bf16 is in convert-to-llvm-bf16.mlir.
// RUN: %tilewright-opt %s --cpu-convert-to-llvm --reconcile-unrealized-casts \
// RUN:   --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// A kernel finds the captured values in a struct, and its tiles behind the arena's start.
// CHECK-LABEL: llvm.func @k.kernel0(
// CHECK-SAME:    %[[ENV:.*]]: !llvm.ptr, %[[FIRST:.*]]: i64, %{{.*}}: i64, %[[ARENA:.*]]: !llvm.ptr)
// CHECK-DAG:     %[[SLOT0:.*]] = llvm.getelementptr %[[ENV]][0, 0] : (!llvm.ptr) -> !llvm.ptr, !llvm.struct<(struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, f32)>
// CHECK-DAG:     %[[X:.*]] = llvm.load %[[SLOT0]] : !llvm.ptr -> !llvm.struct<(ptr, ptr, i64,
// CHECK-DAG:     %[[SLOT1:.*]] = llvm.getelementptr %[[ENV]][0, 1]
// CHECK-DAG:     %[[V:.*]] = llvm.load %[[SLOT1]] : !llvm.ptr -> f32
// CHECK-DAG:     %[[TILE:.*]] = llvm.getelementptr %[[ARENA]][128] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK-DAG:     %[[DATA:.*]] = llvm.extractvalue %[[X]][1]
// CHECK-DAG:     %[[E:.*]] = llvm.getelementptr {{.*}}%[[DATA]][%[[FIRST]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK:         llvm.store %[[V]], %[[E]]
// CHECK:         %[[S:.*]] = llvm.getelementptr {{.*}}%[[TILE]][%[[FIRST]]]
// CHECK:         llvm.store %[[V]], %[[S]]
func.func private @k.kernel0(%env: !llvm.ptr, %first: index, %end: index, %arena: !llvm.ptr) {
  %0:2 = tile.captured %env : memref<?xf32, #global>, f32
  %tile = tile.from_pointer %arena at 128 : memref<16xf32, #shared>
  memref.store %0#1, %0#0[%first] : memref<?xf32, #global>
  memref.store %0#1, %tile[%first] : memref<16xf32, #shared>
  return
}

// The launch stores them and calls parallel_for, the second field of the host table.
// CHECK-LABEL: llvm.func @k(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[STATE:.*]]: !llvm.ptr, %[[P:.*]]: !llvm.ptr, %[[N:.*]]: i64, %[[V:.*]]: f32) -> i32
// CHECK-DAG:     %[[BYTES:.*]] = llvm.mlir.constant(4096 : i64)
// CHECK-DAG:     %[[KERNEL:.*]] = llvm.mlir.addressof @k.kernel0
// CHECK:         %[[ENV:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>, f32)>
// CHECK:         %[[TENSOR:.*]] = llvm.getelementptr %[[ENV]][0, 0]
// CHECK:         llvm.store %{{.*}}, %[[TENSOR]] : !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
// CHECK:         %[[SLOT:.*]] = llvm.getelementptr %[[ENV]][0, 1]
// CHECK:         llvm.store %[[V]], %[[SLOT]]
// CHECK:         %[[FIELD:.*]] = llvm.getelementptr %[[HOST]][1] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK:         %[[FOR_ALL:.*]] = llvm.load %[[FIELD]]
// CHECK:         llvm.call %[[FOR_ALL]](%[[STATE]], %[[N]], %[[KERNEL]], %[[ENV]], %[[BYTES]]) : {{.*}} -> i32
func.func @k(%host: !llvm.ptr, %state: !llvm.ptr, %p: !llvm.ptr, %n: index, %v: f32) -> i32 {
  %x = tile.from_pointer %p at 0 sizes(%n) : memref<?xf32, #global>
  %env = tile.capture %x, %v : memref<?xf32, #global>, f32
  tile.launch @k.kernel0 blocks(%n) arena(4096) env(%env) runtime(%host, %state)
  %ok = arith.constant 0 : i32
  return %ok : i32
}

// Without a layout of its own a tensor's strides are products of its sizes.
// CHECK-LABEL: llvm.func @strides(
// CHECK-SAME:    %[[P:.*]]: !llvm.ptr, %[[M:.*]]: i64, %[[N:.*]]: i64, %[[LD:.*]]: i64)
// CHECK-DAG:     %[[EIGHT:.*]] = llvm.mlir.constant(8 : index)
// CHECK-DAG:     %[[BLOCK:.*]] = llvm.mul %[[N]], %[[EIGHT]]
// CHECK:         %[[A:.*]] = llvm.mul %[[M]], %[[BLOCK]]
// CHECK:         %[[B:.*]] = llvm.mul %[[N]], %[[EIGHT]]
// CHECK:         %[[AB:.*]] = llvm.add %[[A]], %[[B]]
// CHECK:         llvm.getelementptr {{.*}}%[[P]][
// CHECK:         %[[ROW:.*]] = llvm.mul %[[M]], %[[LD]]
// CHECK:         llvm.add %[[ROW]], %[[N]]
func.func @strides(%p: !llvm.ptr, %m: index, %n: index, %ld: index) -> (f32, f32) {
  %c0 = arith.constant 0 : index
  %x = tile.from_pointer %p at 0 sizes(%m, %n) : memref<?x?x8xf32, #global>
  %v = memref.load %x[%m, %n, %c0] : memref<?x?x8xf32, #global>
  %y = tile.from_pointer %p at 0 sizes(%m) strides(%ld)
    : memref<?x16xf32, strided<[?, 1]>, #global>
  %w = memref.load %y[%m, %n] : memref<?x16xf32, strided<[?, 1]>, #global>
  return %v, %w : f32, f32
}

// Masks are vectors of bits, and slices of vectors shuffles.
// CHECK-LABEL: llvm.func @vectors(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %{{.*}}: i64, %[[N:.*]]: i64)
// CHECK-DAG:     %[[LANES:.*]] = llvm.mlir.constant(dense<[0, 1, 2, 3, 4, 5, 6, 7]>
// CHECK-DAG:     %[[FIVE:.*]] = llvm.mlir.constant(dense<[true, true, true, true, true, false, false, false]>
// CHECK-DAG:     %[[ALL:.*]] = llvm.shufflevector %{{.*}} [0, 0, 0, 0, 0, 0, 0, 0]
// CHECK:         %[[MASK:.*]] = llvm.icmp "sgt" %[[ALL]], %[[LANES]]
// CHECK:         %[[V:.*]] = llvm.intr.masked.load %{{.*}}, %[[MASK]]
// CHECK:         llvm.intr.masked.store %[[V]], %{{.*}}, %[[FIVE]]
// CHECK:         llvm.shufflevector %[[V]], %[[V]] [2, 3, 4, 5]
func.func @vectors(%p: !llvm.ptr, %i: index, %n: index) -> vector<4xf32> {
  %x = tile.from_pointer %p at 0 : memref<64xf32, #shared>
  %zero = arith.constant dense<0.0> : vector<8xf32>
  %mask = vector.create_mask %n : vector<8xi1>
  %five = vector.constant_mask [5] : vector<8xi1>
  %v = vector.maskedload %x[%i], %mask, %zero
    : memref<64xf32, #shared>, vector<8xi1>, vector<8xf32> into vector<8xf32>
  vector.maskedstore %x[%i], %five, %v : memref<64xf32, #shared>, vector<8xi1>, vector<8xf32>
  %part = vector.extract_strided_slice %v {offsets = [2], sizes = [4], strides = [1]}
    : vector<8xf32> to vector<4xf32>
  return %part : vector<4xf32>
}

// A row of constant length is moved inline, all its bytes.
// CHECK-LABEL: llvm.func @move(
// CHECK-SAME:    %[[P:.*]]: !llvm.ptr, %[[Q:.*]]: !llvm.ptr, %[[I:.*]]: i64)
// CHECK-DAG:     %[[FROM:.*]] = llvm.getelementptr {{.*}}%[[P]][%[[I]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK-DAG:     %[[TO:.*]] = llvm.getelementptr {{.*}}%[[Q]][1024] : (!llvm.ptr) -> !llvm.ptr, f32
// CHECK:         "llvm.intr.memcpy.inline"(%[[TO]], %[[FROM]]) <{isVolatile = false, len = 4096 : i64}>
// CHECK-NEXT:    "llvm.intr.memcpy.inline"(%[[Q]], %[[P]]) <{isVolatile = false, len = 2048 : i64}>
func.func @move(%p: !llvm.ptr, %q: !llvm.ptr, %i: index) {
  %x = tile.from_pointer %p at 0 : memref<8x1024xf32, #global>
  %y = tile.from_pointer %q at 0 : memref<8x1024xf32, #global>
  %from = memref.reinterpret_cast %x to offset: [%i], sizes: [1024], strides: [1]
    : memref<8x1024xf32, #global> to memref<1024xf32, strided<[1], offset: ?>, #global>
  %to = memref.reinterpret_cast %y to offset: [1024], sizes: [1024], strides: [1]
    : memref<8x1024xf32, #global> to memref<1024xf32, strided<[1], offset: 1024>, #global>
  memref.copy %from, %to : memref<1024xf32, strided<[1], offset: ?>, #global>
    to memref<1024xf32, strided<[1], offset: 1024>, #global>
  %v = tile.from_pointer %p at 0 : memref<1024xf16, #global>
  %w = tile.from_pointer %q at 0 : memref<1024xf16, #global>
  memref.copy %v, %w : memref<1024xf16, #global> to memref<1024xf16, #global>
  return
}

// A view is a descriptor of its own at the same address, and a capture in a loop takes its
// memory once, at the start of the function.
// CHECK-LABEL: llvm.func @view(
// CHECK-SAME:    %[[P:.*]]: !llvm.ptr, %[[N:.*]]: i64)
// CHECK:         %[[ENV:.*]] = llvm.alloca
// CHECK-NOT:     llvm.alloca
// CHECK-DAG:     %[[AT:.*]] = llvm.mul %[[N]], %{{.*}}
// CHECK-DAG:     llvm.getelementptr {{.*}}%[[P]][{{.*}}] : (!llvm.ptr, i64) -> !llvm.ptr, f16
func.func @view(%p: !llvm.ptr, %n: index) -> f16 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %x = tile.from_pointer %p at 0 sizes(%n) : memref<?x8xf32, #global>
  %y = tile.view %x sizes(%n) : memref<?x8xf32, #global> to memref<?x16xf16, #global>
  %v = memref.load %y[%n, %c1] : memref<?x16xf16, #global>
  cf.br ^loop(%c0 : index)
^loop(%i: index):
  %env = tile.capture %i : index
  %next = arith.addi %i, %c1 : index
  %again = arith.cmpi slt, %next, %n : index
  cf.cond_br %again, ^loop(%next : index), ^end
^end:
  return %v : f16
}
