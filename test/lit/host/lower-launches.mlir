// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arguments are laid out as docs/abi.md says, and nothing is started without blocks.
// RUN: tilewright-opt %s --lower-launches | FileCheck %s

#global = #tile.space<global>

// A tensor is its address and what its type leaves open; a number is as wide as it is, an
// index has 64 bits, a truth value 8.
// CHECK-LABEL: func.func @host(
// CHECK-SAME:    %[[HOST:[a-z0-9]+]]: !llvm.ptr, %[[STATE:[a-z0-9]+]]: !llvm.ptr)
// CHECK:         %[[GRID:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(i64, ptr, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, ptr, ptr, i64)>
// CHECK:         %[[WORDS:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(i64, i64, i64, i64, f32, i16, i64, i8)>
// CHECK:         %[[ANY:.*]] = arith.cmpi sgt, %[[N:.*]], %c0
// CHECK:         scf.if %[[ANY]]
// CHECK:           memref.extract_aligned_pointer_as_index
// CHECK-COUNT-8:   llvm.store %{{.*}}, %{{.*}} : {{.*}}, !llvm.ptr
// CHECK:           llvm.mlir.addressof @[[NAME:tw.string[0-9]+]]
// CHECK:           llvm.mlir.constant(128 : i32)
// CHECK:           llvm.mlir.constant(4096 : i32)
// CHECK:           llvm.mlir.constant(49 : i64)
// CHECK:           llvm.getelementptr %[[HOST]][5]
// CHECK:           llvm.call %{{.*}}(%[[STATE]], %[[GRID]])
module {
  module @device {
    func.func @kernel(%x: memref<?x?xf32, strided<[?, 1]>, #global>, %f: f32, %h: bf16,
                      %i: index, %c: i1) attributes {simt.shared_bytes = 4096 : i64} {
      return
    }
  }
  func.func @host(%x: memref<?x?xf32, strided<[?, 1]>, #global>, %f: f32, %h: bf16,
                  %i: index, %c: i1, %n: index, %host: !llvm.ptr, %state: !llvm.ptr) {
    tile.launch_grid @device::@kernel blocks(%n) threads(128) runtime(%host, %state)
      (%x, %f, %h, %i, %c) : memref<?x?xf32, strided<[?, 1]>, #global>, f32, bf16, index, i1
    return
  }
}
