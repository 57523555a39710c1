// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An element of 4 bits has a byte of its own in tiles and in vectors; the bytes of a global
// tensor hold two, so that its rows are half as long.
// RUN: %tilewright-opt %s --cpu-convert-to-llvm --reconcile-unrealized-casts \
// RUN:   --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// CHECK-LABEL: llvm.func @tile(
// CHECK-DAG:     %[[FOURS:.*]] = llvm.mlir.constant(dense<6> : vector<16xi8>) : vector<16xi8>
// CHECK-DAG:     %[[THREE:.*]] = llvm.mlir.constant(5 : i8) : i8
// CHECK:         llvm.store %[[THREE]], %{{.*}} : i8, !llvm.ptr
// CHECK:         %[[V:.*]] = llvm.load %{{.*}} -> vector<16xi8>
// CHECK:         llvm.select %{{.*}}, %[[V]], %[[FOURS]] : i1, vector<16xi8>
// CHECK:         llvm.trunc %{{.*}} : vector<16xi8> to vector<16xi4>
func.func @tile(%p: !llvm.ptr, %i: index, %c: i1) -> vector<16xi4> {
  %x = tile.from_pointer %p at 0 : memref<64xf4E2M1FN, #shared>
  %three = arith.constant 3.0 : f4E2M1FN
  memref.store %three, %x[%i] : memref<64xf4E2M1FN, #shared>
  %fours = arith.constant dense<4.0> : vector<16xf4E2M1FN>
  %v = vector.load %x[%i] : memref<64xf4E2M1FN, #shared>, vector<16xf4E2M1FN>
  %w = arith.select %c, %v, %fours : vector<16xf4E2M1FN>
  %codes = arith.bitcast %w : vector<16xf4E2M1FN> to vector<16xi4>
  return %codes : vector<16xi4>
}

// CHECK-LABEL: llvm.func @element_of_bits(
// CHECK-SAME:    %[[CODE:.*]]: i4)
// CHECK:         %[[BYTE:.*]] = llvm.zext %[[CODE]] : i4 to i8
// CHECK:         llvm.return %[[BYTE]] : i8
func.func @element_of_bits(%code: i4) -> f4E2M1FN {
  %x = arith.bitcast %code : i4 to f4E2M1FN
  return %x : f4E2M1FN
}

// Row i starts at byte i * (n / 2).
// CHECK-LABEL: llvm.func @pairs(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[N:.*]]: i64, %[[I:.*]]: i64, %[[J:.*]]: i64)
// CHECK:         %[[STRIDE:.*]] = llvm.mul %[[N]], %{{.*}} : i64
// CHECK:         %[[HALF:.*]] = llvm.lshr %[[STRIDE]], %{{.*}} : i64
// CHECK:         %[[ROW:.*]] = llvm.mul %[[I]], %[[HALF]]
// CHECK:         %[[AT:.*]] = llvm.add %[[ROW]], %[[J]]
// CHECK:         llvm.getelementptr {{.*}}[%[[AT]]] : (!llvm.ptr, i64) -> !llvm.ptr, i8
func.func @pairs(%p: !llvm.ptr, %n: index, %i: index, %j: index) -> i8 {
  %x = tile.from_pointer %p at 0 sizes(%n) : memref<8x?xf4E2M1FN, #global>
  %b = tile.pairs %x : memref<8x?xf4E2M1FN, #global> to memref<8x?xi8, #global>
  %v = memref.load %b[%i, %j] : memref<8x?xi8, #global>
  return %v : i8
}
