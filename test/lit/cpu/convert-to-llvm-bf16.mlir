// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// bf16 is 16 bits of integer everywhere but in the operands of its instructions, so that
// moving one keeps a NaN as it is.
// RUN: %tilewright-opt %s --cpu-convert-to-llvm --reconcile-unrealized-casts \
// RUN:   --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>

// CHECK-LABEL: llvm.func @moves(
// CHECK-SAME:    %[[P:.*]]: !llvm.ptr, %[[I:.*]]: i64, %[[V:.*]]: i16, %[[C:.*]]: i1) -> i16
// CHECK-NOT:     bf16
// CHECK:         %[[AT:.*]] = llvm.getelementptr {{.*}} : (!llvm.ptr, i64) -> !llvm.ptr, i16
// CHECK:         %[[OLD:.*]] = llvm.load %[[AT]] : !llvm.ptr -> i16
// CHECK:         %[[NEW:.*]] = llvm.select %[[C]], %[[V]], %[[OLD]] : i1, i16
// CHECK:         llvm.store %[[NEW]], %{{.*}} : i16, !llvm.ptr
// CHECK:         %[[W:.*]] = llvm.load %{{.*}} -> vector<16xi16>
// CHECK:         llvm.store %[[W]], %{{.*}} : vector<16xi16>, !llvm.ptr
// CHECK-NOT:     {{bitcast|bf16}}
// CHECK:         llvm.return %[[OLD]] : i16
func.func @moves(%p: !llvm.ptr, %i: index, %v: bf16, %c: i1) -> i16 {
  %c0 = arith.constant 0 : index
  %x = tile.from_pointer %p at 0 : memref<64xbf16, #shared>
  %old = memref.load %x[%i] : memref<64xbf16, #shared>
  %new = arith.select %c, %v, %old : bf16
  memref.store %new, %x[%i] : memref<64xbf16, #shared>
  %w = vector.load %x[%i] : memref<64xbf16, #shared>, vector<16xbf16>
  vector.store %w, %x[%c0] : memref<64xbf16, #shared>, vector<16xbf16>
  %bits = arith.bitcast %old : bf16 to i16
  return %bits : i16
}

// Constants have the integer's type, and masked moves its vectors.
// CHECK-LABEL: llvm.func @constants(
// CHECK-DAG:     %[[ONE:.*]] = llvm.mlir.constant(1.000000e+00 : bf16) : i16
// CHECK-DAG:     %[[TWOS:.*]] = llvm.mlir.constant(dense<2.000000e+00> : vector<16xbf16>) : vector<16xi16>
// CHECK:         llvm.store %[[ONE]], %{{.*}} : i16
// CHECK:         %[[V:.*]] = llvm.intr.masked.load %{{.*}}, %{{.*}}, %[[TWOS]] {{.*}} -> vector<16xi16>
// CHECK:         llvm.intr.masked.store %[[V]], {{.*}} : vector<16xi16>
func.func @constants(%p: !llvm.ptr, %i: index, %mask: vector<16xi1>) {
  %x = tile.from_pointer %p at 0 : memref<64xbf16, #shared>
  %one = arith.constant 1.0 : bf16
  memref.store %one, %x[%i] : memref<64xbf16, #shared>
  %twos = arith.constant dense<2.0> : vector<16xbf16>
  %v = vector.maskedload %x[%i], %mask, %twos
    : memref<64xbf16, #shared>, vector<16xi1>, vector<16xbf16> into vector<16xbf16>
  vector.maskedstore %x[%i], %mask, %v
    : memref<64xbf16, #shared>, vector<16xi1>, vector<16xbf16>
  return
}

// A dot product's operands are cast where they enter it.
// CHECK-LABEL: llvm.func @dot(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[WORDS:.*]]: vector<16xi32>, %[[SUM:.*]]: vector<16xf32>)
// CHECK-DAG:     %[[LOADED:.*]] = llvm.load %{{.*}} -> vector<32xi16>
// CHECK-DAG:     %[[B:.*]] = llvm.bitcast %[[LOADED]] : vector<32xi16> to vector<32xbf16>
// CHECK-DAG:     %[[A:.*]] = llvm.bitcast %{{.*}} : vector<{{.*}}> to vector<32xbf16>
// CHECK:         %[[R:.*]] = llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[SUM]], %[[A]], %[[B]]) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
// CHECK-NOT:     builtin.unrealized_conversion_cast
// CHECK:         llvm.return %[[R]]
func.func @dot(%p: !llvm.ptr, %words: vector<16xi32>, %sum: vector<16xf32>) -> vector<16xf32> {
  %c0 = arith.constant 0 : index
  %x = tile.from_pointer %p at 0 : memref<64xbf16, #shared>
  %b = vector.load %x[%c0] : memref<64xbf16, #shared>, vector<32xbf16>
  %a = vector.bitcast %words : vector<16xi32> to vector<32xbf16>
  %r = llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%sum, %a, %b)
    : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>) -> vector<16xf32>
  return %r : vector<16xf32>
}
