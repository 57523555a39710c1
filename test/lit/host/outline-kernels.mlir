// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels become functions over ranges of blocks; public functions take the launch ABI.
// RUN: %tilewright-opt %s --outline-kernels | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#local = #tile.space<local>

// A kernel's function runs blocks `first` to `end`, bx fastest. Tiles are places in the
// arena, variables on the stack, and constants stay constants.
// CHECK-LABEL: func private @grid.kernel0(
// CHECK-SAME:    %[[ENV:.*]]: !llvm.ptr, %[[FIRST:.*]]: index, %[[END:.*]]: index, %[[ARENA:.*]]: !llvm.ptr)
// CHECK:         memref.alloca() : memref<1xf32, #tile.space<local>>
// CHECK:         %[[IN:.*]]:{{[0-9]+}} = tile.captured %[[ENV]] : memref<?x64xf32, {{.*}}>, f32, index, index, index, !llvm.ptr, !llvm.ptr
// CHECK:         scf.for %[[BLOCK:.*]] = %[[FIRST]] to %[[END]] step %{{.*}}
// CHECK:           %[[BX:.*]] = arith.remui %[[BLOCK]], %[[IN]]#2
// CHECK:           %[[REST:.*]] = arith.divui %[[BLOCK]], %[[IN]]#2
// CHECK:           %[[BY:.*]] = arith.remui %[[REST]], %[[IN]]#3
// CHECK:           %[[BZ:.*]] = arith.divui %[[REST]], %[[IN]]#3
// CHECK:           %[[C7:.*]] = arith.constant 7 : index
// CHECK:           %[[TILE:.*]] = tile.from_pointer %[[ARENA]] at 128 : memref<16x16xf32, #tile.space<shared>>
// CHECK:           tile.store %{{.*}}, %[[IN]]#0[%[[BX]], %[[C7]]]
// CHECK:           memref.store %[[IN]]#1, %[[TILE]][%[[BY]], %[[BZ]]]
// CHECK-NOT:     tile.alloc

// The launch function rebuilds its parameters from the words: a tensor is its address,
// extents and strides.
// CHECK-LABEL: func @grid(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[STATE:.*]]: !llvm.ptr, %[[WORDS:.*]]: !llvm.ptr) -> i32 {
// CHECK:         llvm.getelementptr %[[WORDS]][0]
// CHECK:         %[[ADDRESS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
// CHECK:         llvm.getelementptr %[[WORDS]][1]
// CHECK:         %[[ROWS:.*]] = arith.index_cast
// CHECK:         llvm.getelementptr %[[WORDS]][3]
// CHECK:         %[[PITCH:.*]] = arith.index_cast
// CHECK:         %[[X:.*]] = tile.from_pointer %[[ADDRESS]] at 0 sizes(%[[ROWS]]) strides(%[[PITCH]])
// CHECK:         llvm.getelementptr %[[WORDS]][5]
// CHECK:         arith.trunci %{{.*}} : i64 to i32
// CHECK:         %[[V:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK-COUNT-2: arith.mulsi_extended
// CHECK:         %[[FIT:.*]] = arith.select %{{.*}}, %{{.*}}, %c9223372036854775807_i64
// CHECK:         %[[ALL:.*]] = arith.index_cast %[[FIT]] : i64 to index
// CHECK:         %[[TO:.*]] = tile.capture %[[X]], %[[V]], {{.*}}, %[[HOST]], %[[STATE]] :
// CHECK:         tile.launch @grid.kernel0 blocks(%[[ALL]]) arena(1152) env(%[[TO]]) runtime(%[[HOST]], %[[STATE]])
// CHECK:         %[[OK:.*]] = arith.constant 0 : i32
// CHECK:         return %[[OK]] : i32
func.func @grid(%x: memref<?x64xf32, strided<[?, 1]>, #global>, %v: f32, %n: index,
                %m: index, %k: index) {
  %c7 = arith.constant 7 : index
  tile.kernel (%bx, %by, %bz) in (%n, %m, %k) attributes {tile.arena = 1152 : i64} {
    %s = tile.alloc "s" at 128 : memref<16x16xf32, #shared>
    %best = tile.alloc "best" : memref<1xf32, #local>
    %c0 = arith.constant 0 : index
    %w = memref.load %best[%c0] : memref<1xf32, #local>
    tile.store %w, %x[%bx, %c7] : memref<?x64xf32, strided<[?, 1]>, #global>
    memref.store %v, %s[%by, %bz] : memref<16x16xf32, #shared>
  }
  return
}

// Scalars come in the low bits of their words.
// CHECK-LABEL: func @scalars(
// CHECK:         arith.trunci %{{.*}} : i64 to i1
// CHECK:         arith.trunci %{{.*}} : i64 to i8
// CHECK:         %[[H:.*]] = arith.trunci %{{.*}} : i64 to i16
// CHECK:         arith.bitcast %[[H]] : i16 to bf16
// CHECK:         %[[D:.*]] = llvm.load %{{.*}} -> i64
// CHECK-NEXT:    arith.bitcast %[[D]] : i64 to f64
func.func @scalars(%b: i1, %i: i8, %h: bf16, %d: f64) {
  return
}

// Kernels run in order; a workspace is memory of the runtime.
// CHECK-LABEL: func @two(%arg0
// CHECK:         %[[N:.*]] = arith.index_cast
// CHECK:         %[[N64:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK:         %[[ROW:.*]], %{{.*}} = arith.mulsi_extended %c2_i64, %[[N64]]
// CHECK:         %[[ROWS:.*]] = arith.select %{{.*}}, %[[ROW]], %c9223372036854775807_i64
// CHECK:         %[[BYTES:.*]], %{{.*}} = arith.mulsi_extended %[[ROWS]], %c64_i64
// CHECK:         %[[SIZE:.*]] = arith.select %{{.*}}, %[[BYTES]], %c9223372036854775807_i64
// CHECK:         %[[NEGATIVE:.*]] = arith.cmpi slt, %[[N64]], %c0_i64
// CHECK:         %[[ASKED:.*]] = arith.select %[[NEGATIVE]], %c-1_i64, %[[SIZE]]
// CHECK:         llvm.getelementptr %arg0[2] : (!llvm.ptr) -> !llvm.ptr, !llvm.ptr
// CHECK:         %[[P:.*]] = llvm.call %{{.*}}(%arg1, %[[ASKED]])
// CHECK:         %[[W:.*]] = tile.from_pointer %[[P]] at 0 sizes(%[[N]]) : memref<?x64xbf16
// CHECK:         tile.capture %[[W]],
// CHECK:         tile.launch @two.kernel0 blocks(%{{.*}}) arena(0)
// CHECK:         tile.launch @two.kernel1 blocks(%{{.*}}) arena(0)
func.func @two(%n: index) {
  %w = tile.workspace "w" (%n) : memref<?x64xbf16, #global>
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%bx) in (%n) {
    tile.store %zero, %w[%bx, %bx] : memref<?x64xbf16, #global>
  }
  tile.kernel (%bx) in (%n) {
    tile.store %zero, %w[%bx, %bx] : memref<?x64xbf16, #global>
  }
  return
}

// Functions that are no launch functions stay.
// CHECK-LABEL: func private @helper(%arg0: index) {
// CHECK-NEXT:    return
func.func private @helper(%n: index) {
  return
}
// CHECK: func private @outside(f32)
func.func private @outside(f32)

// What is stored past the caches is there for all before the function returns.
// CHECK-LABEL: func private @streams.kernel0(
// CHECK:         scf.for
// CHECK:           vector.store {{.*}}nontemporal
// CHECK:         }
// CHECK:         llvm.fence seq_cst
// CHECK-NEXT:    return
func.func @streams(%x: memref<?x16xf32, #global>, %f: f32, %n: index) {
  %c0 = arith.constant 0 : index
  tile.kernel (%b) in (%n) {
    %v = vector.broadcast %f : f32 to vector<16xf32>
    vector.store %v, %x[%b, %c0] {alignment = 64 : i64, nontemporal = true} : memref<?x16xf32, #global>, vector<16xf32>
  }
  return
}
