// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a step of K is with the instructions of AArch64.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// Like vdpbf16ps: 32 bits of A, two neighbours along K, meet a vector of such pairs of B.
// CHECK-LABEL: @bfdot
// CHECK:         scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}) -> (vector<4xf32>)
// CHECK:           %[[V:.*]] = vector.load %{{.*}} : {{.*}}, vector<8xbf16>
// CHECK:           %[[ALL:.*]] = vector.broadcast %{{.*}} : i32 to vector<4xi32>
// CHECK:           %[[SPREAD:.*]] = vector.bitcast %[[ALL]] : vector<4xi32> to vector<8xbf16>
// CHECK:           llvm.call_intrinsic "llvm.aarch64.neon.bfdot"(%[[S]], %[[SPREAD]], %[[V]])
func.func @bfdot(%a: memref<1x6xbf16, #shared>, %b: memref<3x4x2xbf16, #shared>,
                 %c: memref<1x4xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<bfdot 1x4x2, bf16 into f32, 128>)
    : memref<1x6xbf16, #shared>, memref<3x4x2xbf16, #shared> into memref<1x4xf32, #fragment>
  return
}

// Signed bytes need no correction. Columns that fill no vector are multiplied as what the
// bytes are: unsigned here.
// CHECK-LABEL: @udot
// CHECK:         llvm.call_intrinsic "llvm.aarch64.neon.udot"({{.*}}) : (vector<4xi32>, vector<16xi8>, vector<16xi8>)
// CHECK:         tile.cast %{{.*}} unsigned_source : vector<4xi8> to vector<4xi32>
// CHECK-LABEL: @sdot
// CHECK:         llvm.call_intrinsic "llvm.aarch64.neon.sdot"
// CHECK-NOT:     arith.subi
func.func @udot(%a: memref<1x8xi8, #shared>, %b: memref<2x5x4xi8, #shared>,
                %c: memref<1x5xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<udot 1x4x4, i8 into i32, 128>)
    : memref<1x8xi8, #shared>, memref<2x5x4xi8, #shared> into memref<1x5xi32, #fragment>
  return
}
func.func @sdot(%a: memref<1x8xi8, #shared>, %b: memref<2x4x4xi8, #shared>,
                %c: memref<1x4xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<sdot 1x4x4, i8 into i32, 128>)
    : memref<1x8xi8, #shared>, memref<2x4x4xi8, #shared> into memref<1x4xi32, #fragment>
  return
}

// Two rows of C become squares of two by two and rows again. A step loads the groups of both
// rows, side by side in a panel, and those of two columns at a time.
// CHECK-LABEL: @bfmmla
// CHECK-SAME:    %[[A:.*]]: memref<3x3x4xbf16, {{.*}}, %[[B:.*]]: memref<3x4x4xbf16
// CHECK:         %[[R0:.*]] = vector.load %[[C:.*]][%c0, %c0]
// CHECK:         %[[R1:.*]] = vector.load %[[C]][%c1, %c0]
// CHECK:         %[[LOW:.*]] = vector.shuffle %[[R0]], %[[R1]] [0, 1, 4, 5]
// CHECK:         %[[HIGH:.*]] = vector.shuffle %[[R0]], %[[R1]] [2, 3, 6, 7]
// CHECK:         %[[SUMS:.*]]:2 = scf.for {{.*}} iter_args(%[[S:.*]] = %[[LOW]], %[[T:.*]] = %[[HIGH]])
// CHECK-DAG:       %[[V:.*]] = vector.load %{{.*}}[%{{.*}}, %c0] : memref<3x16xbf16{{.*}}, vector<8xbf16>
// CHECK-DAG:       %[[W:.*]] = vector.load %{{.*}}[%{{.*}}, %c8] : memref<3x16xbf16{{.*}}, vector<8xbf16>
// CHECK-DAG:       %[[G:.*]] = vector.load %{{.*}}[%{{.*}}, %c0] : memref<3x12xbf16{{.*}}, vector<8xbf16>
// CHECK:           llvm.call_intrinsic "llvm.aarch64.neon.bfmmla"(%[[S]], %[[G]], %[[V]])
// CHECK:           llvm.call_intrinsic "llvm.aarch64.neon.bfmmla"(%[[T]], %[[G]], %[[W]])
// CHECK:         %[[F0:.*]] = vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [0, 1, 4, 5]
// CHECK:         %[[F1:.*]] = vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [2, 3, 6, 7]
// CHECK:         vector.store %[[F0]], %[[C]][%c0, %c0]
// CHECK:         vector.store %[[F1]], %[[C]][%c1, %c0]
// The odd row is loaded twice and stored once; nothing past the panel's end is read.
// CHECK:         scf.for
// CHECK:           %[[ONE:.*]] = vector.load %[[A]][%{{.*}}, %c2, %c0] : {{.*}}, vector<4xbf16>
// CHECK:           vector.shuffle %[[ONE]], %[[ONE]] [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK:         vector.store
// CHECK-NOT:     vector.store
func.func @bfmmla(%a: memref<3x3x4xbf16, #shared>, %b: memref<3x4x4xbf16, #shared>,
                  %c: memref<3x4xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<bfmmla 2x4x4, bf16 into f32, 128>)
    : memref<3x3x4xbf16, #shared>, memref<3x4x4xbf16, #shared> into memref<3x4xf32, #fragment>
  return
}

// Bytes go by groups of eight.
// CHECK-LABEL: @smmla
// CHECK:         vector.load %{{.*}} : memref<2x16xi8{{.*}}, vector<16xi8>
// CHECK:         llvm.call_intrinsic "llvm.aarch64.neon.smmla"({{.*}}) : (vector<4xi32>, vector<16xi8>, vector<16xi8>)
func.func @smmla(%a: memref<2x2x8xi8, #shared>, %b: memref<2x4x8xi8, #shared>,
                 %c: memref<2x4xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<smmla 2x4x8, i8 into i32, 128>)
    : memref<2x2x8xi8, #shared>, memref<2x4x8xi8, #shared> into memref<2x4xi32, #fragment>
  return
}
