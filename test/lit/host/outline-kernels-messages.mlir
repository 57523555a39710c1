// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints and assertions of an outlined kernel are calls of the runtime, with the number of
// the block.
// RUN: %tilewright-opt %s --outline-kernels | FileCheck %s

// CHECK-DAG: constant @[[WHERE:.*]]("kernel.py:12:5\00")
// CHECK-DAG: constant @[[BAD:.*]]("out of range\00")
// CHECK-DAG: constant @[[HERE:.*]]("here\00")
// CHECK-DAG: constant @[[X:.*]]("x\00")

// The fourth field of the host table prints. Values are 64 bits with a kind: 0 none,
// 1 signed, 2 unsigned, 3 float.
// CHECK-LABEL: func private @prints.kernel0(
// CHECK:         %[[IN:.*]]:6 = tile.captured %{{.*}} : f16, i8, i1, index, !llvm.ptr, !llvm.ptr
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[BLOCK:.*]] = arith.index_cast %[[I]] : index to i64
// CHECK:           %[[WIDE:.*]] = tile.cast %[[IN]]#0 : f16 to f64
// CHECK:           %[[BITS:.*]] = arith.bitcast %[[WIDE]] : f64 to i64
// CHECK:           %[[TEXT:.*]] = llvm.mlir.addressof @[[X]]
// CHECK:           %[[FLOAT:.*]] = arith.constant 3 : i32
// CHECK:           %[[SLOT:.*]] = llvm.getelementptr %[[IN]]#4[3] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK:           %[[PRINT:.*]] = llvm.load %[[SLOT]]
// CHECK:           llvm.call %[[PRINT]](%[[IN]]#5, %[[TEXT]], %[[FLOAT]], %[[BITS]], %[[BLOCK]])
// CHECK:           %[[SIGNED:.*]] = tile.cast %[[IN]]#1 : i8 to i64
// CHECK:           %[[ONE:.*]] = arith.constant 1 : i32
// CHECK:           llvm.call %{{.*}}(%[[IN]]#5, %{{.*}}, %[[ONE]], %[[SIGNED]], %[[BLOCK]])
// CHECK:           %[[UNSIGNED:.*]] = tile.cast %[[IN]]#1 unsigned_source : i8 to i64
// CHECK:           %[[TWO:.*]] = arith.constant 2 : i32
// CHECK:           llvm.call %{{.*}}(%[[IN]]#5, %{{.*}}, %[[TWO]], %[[UNSIGNED]], %[[BLOCK]])
// CHECK:           %[[NOTHING:.*]] = arith.constant 0 : i64
// CHECK:           %[[MESSAGE:.*]] = llvm.mlir.addressof @[[HERE]]
// CHECK:           %[[NONE:.*]] = arith.constant 0 : i32
// CHECK:           llvm.call %{{.*}}(%[[IN]]#5, %[[MESSAGE]], %[[NONE]], %[[NOTHING]], %[[BLOCK]])

// The fifth reports a fault, where the condition does not hold.
// CHECK:           %[[FAILS:.*]] = arith.xori %[[IN]]#2, %true
// CHECK:           scf.if %[[FAILS]] {
// CHECK:             %[[WHAT:.*]] = llvm.mlir.addressof @[[BAD]]
// CHECK:             %[[PLACE:.*]] = llvm.mlir.addressof @[[WHERE]]
// CHECK:             llvm.getelementptr %[[IN]]#4[4] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK:             llvm.call %{{.*}}(%[[IN]]#5, %[[WHAT]], %[[PLACE]], %[[BLOCK]])
// CHECK:           }
// CHECK-NOT:     tile.print
// CHECK-NOT:     tile.assert
func.func @prints(%x: f16, %i: i8, %ok: i1, %n: index) {
  tile.kernel (%bx) in (%n) {
    tile.print "x" %x : f16
    tile.print "i" %i : i8
    tile.print "i" %i : i8 unsigned
    tile.print "here"
    tile.assert %ok, "out of range" loc("kernel.py":12:5)
  }
  return
}
