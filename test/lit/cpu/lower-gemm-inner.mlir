// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of a gemm whose vectors run along K on both sides: each sum is spread over the
// lanes of a register, and lanes are added up after K.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#fma = #cpu.atom<fma inner 2x4x1, f32 into f32, 256>

// Two rows and four columns: eight sums, for which a step loads two vectors of A and four
// of B, each once.
// CHECK-LABEL: @blocks
// CHECK-SAME:    %[[A:.*]]: memref<4x24xf32, {{.*}}, %[[B:.*]]: memref<8x24xf32, {{.*}}, %[[C:.*]]: memref<4x8xf32
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<8xf32>
// CHECK:         scf.for %[[J:.*]] = %c0 to %c8 step %c4 {
// CHECK-NEXT:      scf.for %[[I:.*]] = %c0 to %c4 step %c2 {
// CHECK-NEXT:        %[[R:.*]]:8 = scf.for %[[K:.*]] = %c0 to %c24 step %c8 iter_args(%[[S00:[^ ]*]] = %[[ZERO]], %[[S01:[^ ]*]] = %[[ZERO]], %[[S02:[^ ]*]] = %[[ZERO]], %[[S03:[^ ]*]] = %[[ZERO]], %[[S10:[^ ]*]] = %[[ZERO]], %[[S11:[^ ]*]] = %[[ZERO]], %[[S12:[^ ]*]] = %[[ZERO]], %[[S13:[^ ]*]] = %[[ZERO]])
// CHECK-NEXT:          %[[A0:.*]] = vector.load %[[A]][%[[I]], %[[K]]] : {{.*}}, vector<8xf32>
// CHECK-NEXT:          %[[I1:.*]] = arith.addi %[[I]], %c1
// CHECK-NEXT:          %[[A1:.*]] = vector.load %[[A]][%[[I1]], %[[K]]] : {{.*}}, vector<8xf32>
// CHECK-NEXT:          %[[B0:.*]] = vector.load %[[B]][%[[J]], %[[K]]] : {{.*}}, vector<8xf32>
// CHECK-NEXT:          %[[T00:.*]] = vector.fma %[[A0]], %[[B0]], %[[S00]]
// CHECK-NEXT:          %[[T10:.*]] = vector.fma %[[A1]], %[[B0]], %[[S10]]
// CHECK-NEXT:          %[[J1:.*]] = arith.addi %[[J]], %c1
// CHECK-NEXT:          %[[B1:.*]] = vector.load %[[B]][%[[J1]], %[[K]]]
// CHECK-NEXT:          %[[T01:.*]] = vector.fma %[[A0]], %[[B1]], %[[S01]]
// CHECK-NEXT:          %[[T11:.*]] = vector.fma %[[A1]], %[[B1]], %[[S11]]
// CHECK-NEXT:          %[[J2:.*]] = arith.addi %[[J]], %c2
// CHECK-NEXT:          %[[B2:.*]] = vector.load %[[B]][%[[J2]], %[[K]]]
// CHECK-NEXT:          %[[T02:.*]] = vector.fma %[[A0]], %[[B2]], %[[S02]]
// CHECK-NEXT:          %[[T12:.*]] = vector.fma %[[A1]], %[[B2]], %[[S12]]
// CHECK-NEXT:          %[[J3:.*]] = arith.addi %[[J]], %c3
// CHECK-NEXT:          %[[B3:.*]] = vector.load %[[B]][%[[J3]], %[[K]]]
// CHECK-NEXT:          %[[T03:.*]] = vector.fma %[[A0]], %[[B3]], %[[S03]]
// CHECK-NEXT:          %[[T13:.*]] = vector.fma %[[A1]], %[[B3]], %[[S13]]
// CHECK-NEXT:          scf.yield %[[T00]], %[[T01]], %[[T02]], %[[T03]], %[[T10]], %[[T11]], %[[T12]], %[[T13]]
// Neighbours are added within 128 bits until a lane is a sum, then the halves.
// CHECK-DAG:         %[[E01:.*]] = vector.shuffle %[[R]]#0, %[[R]]#1 [0, 2, 8, 10, 4, 6, 12, 14]
// CHECK-DAG:         %[[O01:.*]] = vector.shuffle %[[R]]#0, %[[R]]#1 [1, 3, 9, 11, 5, 7, 13, 15]
// CHECK-DAG:         %[[P01:.*]] = arith.addf %[[E01]], %[[O01]]
// CHECK-DAG:         %[[E23:.*]] = vector.shuffle %[[R]]#2, %[[R]]#3 [0, 2, 8, 10, 4, 6, 12, 14]
// CHECK-DAG:         %[[O23:.*]] = vector.shuffle %[[R]]#2, %[[R]]#3 [1, 3, 9, 11, 5, 7, 13, 15]
// CHECK-DAG:         %[[P23:.*]] = arith.addf %[[E23]], %[[O23]]
// CHECK-DAG:         %[[E:.*]] = vector.shuffle %[[P01]], %[[P23]] [0, 2, 8, 10, 4, 6, 12, 14]
// CHECK-DAG:         %[[O:.*]] = vector.shuffle %[[P01]], %[[P23]] [1, 3, 9, 11, 5, 7, 13, 15]
// CHECK-DAG:         %[[P:.*]] = arith.addf %[[E]], %[[O]]
// CHECK-DAG:         %[[LOW:.*]] = vector.extract_strided_slice %[[P]] {offsets = [0], sizes = [4]
// CHECK-DAG:         %[[HIGH:.*]] = vector.extract_strided_slice %[[P]] {offsets = [4], sizes = [4]
// CHECK:             %[[SUM:.*]] = arith.addf %[[LOW]], %[[HIGH]] : vector<4xf32>
// CHECK-NEXT:        %[[OLD:.*]] = vector.load %[[C]][%[[I]], %[[J]]] : {{.*}}, vector<4xf32>
// CHECK-NEXT:        %[[NEW:.*]] = arith.addf %[[OLD]], %[[SUM]]
// CHECK-NEXT:        vector.store %[[NEW]], %[[C]][%[[I]], %[[J]]] : {{.*}}, vector<4xf32>
// CHECK:             vector.shuffle %[[R]]#4, %[[R]]#5
// CHECK:             vector.shuffle %[[R]]#6, %[[R]]#7
// CHECK:             %[[I1:.*]] = arith.addi %[[I]], %c1
// CHECK:             vector.store %{{.*}}, %[[C]][%[[I1]], %[[J]]] : {{.*}}, vector<4xf32>
// CHECK-NOT:         vector.store
// CHECK:           return
func.func @blocks(%a: memref<4x24xf32, #shared>, %b: memref<8x24xf32, #shared>,
                  %c: memref<4x8xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#fma)
    : memref<4x24xf32, #shared>, memref<8x24xf32, #shared> into memref<4x8xf32, #fragment>
  return
}

// With `clear` C is not read.
// CHECK-LABEL: @clear
// CHECK-SAME:    %[[C:[^ ]*]]: memref<2x4xf32
// CHECK-NOT:     vector.load %[[C]]
// CHECK:         vector.store %{{.*}}, %[[C]][%c0, %c0]
// CHECK-NOT:     vector.load %[[C]]
// CHECK:         vector.store %{{.*}}, %[[C]][%c1, %c0]
func.func @clear(%a: memref<2x16xf32, #shared>, %b: memref<4x16xf32, #shared>,
                 %c: memref<2x4xf32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#fma)
    : memref<2x16xf32, #shared>, memref<4x16xf32, #shared> into memref<2x4xf32, #fragment>
  return
}

// Three rows and seven columns: a block of one row, and blocks of three columns, for which
// the last vector stands in for the fourth.
// CHECK-LABEL: @rest
// CHECK-SAME:    %[[A:.*]]: memref<3x16xf32, {{.*}}, %[[B:.*]]: memref<7x16xf32, {{.*}}, %[[C:.*]]: memref<3x7xf32
// CHECK:         %{{.*}}:8 = scf.for
// CHECK:         vector.store %{{.*}}, %[[C]][%c0, %c0] : {{.*}}, vector<4xf32>
// CHECK:         vector.store %{{.*}}, %[[C]][%c1, %c0] : {{.*}}, vector<4xf32>
// CHECK:         %{{.*}}:4 = scf.for
// CHECK-NEXT:      vector.load %[[A]][%c2,
// CHECK:         vector.store %{{.*}}, %[[C]][%c2, %c0] : {{.*}}, vector<4xf32>
// CHECK:         %[[R:.*]]:6 = scf.for
// CHECK-COUNT-2:   vector.load %[[A]]
// CHECK:           vector.load %[[B]][%c4,
// CHECK:           vector.load %[[B]][%c5,
// CHECK:           vector.load %[[B]][%c6,
// CHECK-NOT:       vector.load
// CHECK:           scf.yield
// CHECK:         vector.shuffle %[[R]]#0, %[[R]]#1
// CHECK:         vector.shuffle %[[R]]#2, %[[R]]#2
// CHECK:         vector.store %{{.*}}, %[[C]][%c0, %c4] : {{.*}}, vector<3xf32>
// CHECK:         vector.shuffle %[[R]]#3, %[[R]]#4
// CHECK:         vector.shuffle %[[R]]#5, %[[R]]#5
// CHECK:         %[[THREE:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [3], {{.*}} : vector<4xf32> to vector<3xf32>
// CHECK:         vector.store %[[THREE]], %[[C]][%c1, %c4] : {{.*}}, vector<3xf32>
// CHECK:         %{{.*}}:3 = scf.for
// CHECK:         vector.store %{{.*}}, %[[C]][%c2, %c4] : {{.*}}, vector<3xf32>
// CHECK-NOT:     vector.store
// CHECK:         return
func.func @rest(%a: memref<3x16xf32, #shared>, %b: memref<7x16xf32, #shared>,
                %c: memref<3x7xf32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#fma)
    : memref<3x16xf32, #shared>, memref<7x16xf32, #shared> into memref<3x7xf32, #fragment>
  return
}

// Two registers of f32 come from one of bf16: those at even places by a shift, those at odd
// ones by a mask. Their products go to one sum.
// CHECK-LABEL: @pairs
// CHECK-SAME:    %[[A:.*]]: memref<1x32xbf16, {{.*}}, %[[B:.*]]: memref<1x32xbf16
// CHECK-DAG:     %[[ODD:.*]] = arith.constant dense<-65536> : vector<8xi32>
// CHECK-DAG:     %[[HALF:.*]] = arith.constant dense<16> : vector<8xi32>
// CHECK:         scf.for %[[K:.*]] = %c0 to %c32 step %c16 iter_args(%[[S:.*]] = %{{.*}})
// CHECK-NEXT:      %[[VA:.*]] = vector.load %[[A]][%c0, %[[K]]] : {{.*}}, vector<16xbf16>
// CHECK-NEXT:      %[[WA:.*]] = vector.bitcast %[[VA]] : vector<16xbf16> to vector<8xi32>
// CHECK-NEXT:      %[[SA:.*]] = arith.shli %[[WA]], %[[HALF]]
// CHECK-NEXT:      %[[MA:.*]] = arith.andi %[[WA]], %[[ODD]]
// CHECK-DAG:       %[[EA:.*]] = vector.bitcast %[[SA]] : vector<8xi32> to vector<8xf32>
// CHECK-DAG:       %[[OA:.*]] = vector.bitcast %[[MA]] : vector<8xi32> to vector<8xf32>
// CHECK:           %[[VB:.*]] = vector.load %[[B]][%c0, %[[K]]] : {{.*}}, vector<16xbf16>
// CHECK-NEXT:      %[[WB:.*]] = vector.bitcast %[[VB]]
// CHECK-NEXT:      %[[SB:.*]] = arith.shli %[[WB]], %[[HALF]]
// CHECK-NEXT:      %[[MB:.*]] = arith.andi %[[WB]], %[[ODD]]
// CHECK-DAG:       %[[EB:.*]] = vector.bitcast %[[SB]]
// CHECK-DAG:       %[[OB:.*]] = vector.bitcast %[[MB]]
// CHECK:           %[[EVENS:.*]] = vector.fma %[[EA]], %[[EB]], %[[S]]
// CHECK-NEXT:      %[[BOTH:.*]] = vector.fma %[[OA]], %[[OB]], %[[EVENS]]
// CHECK-NEXT:      scf.yield %[[BOTH]]
func.func @pairs(%a: memref<1x32xbf16, #shared>, %b: memref<1x32xbf16, #shared>,
                 %c: memref<1x1xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 1x1x1, f32 into f32, 256>)
    : memref<1x32xbf16, #shared>, memref<1x32xbf16, #shared> into memref<1x1xf32, #fragment>
  return
}

// Other narrow floats, and bf16 beside another type, are widened in order.
// CHECK-LABEL: @widened
// CHECK:         scf.for %{{.*}} = %c0 to %c16 step %c8 iter_args(%[[S:.*]] = %{{.*}})
// CHECK:           %[[A:.*]] = tile.cast %{{.*}} : vector<8xf16> to vector<8xf32>
// CHECK:           %[[B:.*]] = tile.cast %{{.*}} : vector<8xf16> to vector<8xf32>
// CHECK-NEXT:      vector.fma %[[A]], %[[B]], %[[S]]
// CHECK:         scf.for %{{.*}} = %c0 to %c16 step %c8 iter_args(%[[T:.*]] = %{{.*}})
// CHECK:           %[[P:.*]] = vector.load %{{.*}}, vector<8xf32>
// CHECK:           %[[Q:.*]] = tile.cast %{{.*}} : vector<8xbf16> to vector<8xf32>
// CHECK-NEXT:      vector.fma %[[P]], %[[Q]], %[[T]]
func.func @widened(%a: memref<1x16xf16, #shared>, %b: memref<1x16xf16, #shared>,
                   %p: memref<1x16xf32, #shared>, %q: memref<1x16xbf16, #shared>,
                   %c: memref<1x1xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 1x1x1, f32 into f32, 256>)
    : memref<1x16xf16, #shared>, memref<1x16xf16, #shared> into memref<1x1xf32, #fragment>
  cpu.gemm %p, %q into %c atom(#cpu.atom<fma inner 1x1x1, f32 into f32, 256>)
    : memref<1x16xf32, #shared>, memref<1x16xbf16, #shared> into memref<1x1xf32, #fragment>
  return
}

// A dot product takes whole registers of bf16 as they are, and f8 as bf16. Four parts
// of 128 bits are added in two steps.
// CHECK-LABEL: @dpbf16
// CHECK-SAME:    %[[A:.*]]: memref<1x64xbf16, {{.*}}, %[[B:.*]]: memref<1x64xf8E4M3FN
// CHECK:         %[[R:.*]] = scf.for %[[K:.*]] = %c0 to %c64 step %c32 iter_args(%[[S:.*]] = %{{.*}})
// CHECK-NEXT:      %[[VA:.*]] = vector.load %[[A]][%c0, %[[K]]] : {{.*}}, vector<32xbf16>
// CHECK-NEXT:      %[[VB:.*]] = vector.load %[[B]][%c0, %[[K]]] : {{.*}}, vector<32xf8E4M3FN>
// CHECK-NEXT:      %[[WB:.*]] = tile.cast %[[VB]] : vector<32xf8E4M3FN> to vector<32xbf16>
// CHECK-NEXT:      llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[S]], %[[VA]], %[[WB]])
// CHECK-DAG:     vector.shuffle %[[R]], %[[R]] [0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30]
// CHECK-DAG:     vector.shuffle %[[R]], %[[R]] [1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31]
// CHECK:         arith.addf %{{.*}} : vector<8xf32>
// CHECK:         arith.addf %{{.*}} : vector<4xf32>
// CHECK:         vector.store %{{.*}}, vector<1xf32>
func.func @dpbf16(%a: memref<1x64xbf16, #shared>, %b: memref<1x64xf8E4M3FN, #shared>,
                  %c: memref<1x1xf32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#cpu.atom<dpbf16 inner 1x1x2, bf16 into f32, 512>)
    : memref<1x64xbf16, #shared>, memref<1x64xf8E4M3FN, #shared> into memref<1x1xf32, #fragment>
  return
}

// Integers are added as integers.
// CHECK-LABEL: @muladd
// CHECK-NOT:     addf
// CHECK:         scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}})
// CHECK:           %[[PRODUCT:.*]] = arith.muli %{{.*}} : vector<8xi32>
// CHECK-NEXT:      arith.addi %[[S]], %[[PRODUCT]]
// CHECK-NOT:     addf
// CHECK:         arith.addi %{{.*}} : vector<8xi32>
// CHECK:         arith.addi %{{.*}} : vector<8xi32>
// CHECK:         %[[SUM:.*]] = arith.addi %{{.*}} : vector<4xi32>
// CHECK:         %[[ONE:.*]] = vector.extract_strided_slice %[[SUM]] {offsets = [0], sizes = [1]
// CHECK:         %[[NEW:.*]] = arith.addi %{{.*}}, %[[ONE]] : vector<1xi32>
// CHECK-NEXT:    vector.store %[[NEW]]
func.func @muladd(%a: memref<1x16xi32, #shared>, %b: memref<1x16xi32, #shared>,
                  %c: memref<1x1xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<muladd inner 1x1x1, i32 into i32, 256>)
    : memref<1x16xi32, #shared>, memref<1x16xi32, #shared> into memref<1x1xi32, #fragment>
  return
}

// Two f64 make 128 bits: sums are added up by twos.
// CHECK-LABEL: @f64
// CHECK-SAME:    %[[C:[^ ]*]]: memref<1x3xf64
// CHECK:         %[[R:.*]]:3 = scf.for %{{.*}} = %c0 to %c8 step %c4
// CHECK-COUNT-3:   vector.fma %{{.*}} : vector<4xf64>
// CHECK-DAG:     %[[E:.*]] = vector.shuffle %[[R]]#0, %[[R]]#1 [0, 4, 2, 6]
// CHECK-DAG:     %[[O:.*]] = vector.shuffle %[[R]]#0, %[[R]]#1 [1, 5, 3, 7]
// CHECK:         %[[P:.*]] = arith.addf %[[E]], %[[O]]
// CHECK-DAG:     %[[LOW:.*]] = vector.extract_strided_slice %[[P]] {offsets = [0], sizes = [2]
// CHECK-DAG:     %[[HIGH:.*]] = vector.extract_strided_slice %[[P]] {offsets = [2], sizes = [2]
// CHECK:         %[[SUM:.*]] = arith.addf %[[LOW]], %[[HIGH]] : vector<2xf64>
// CHECK-NEXT:    vector.store %[[SUM]], %[[C]][%c0, %c0] : {{.*}}, vector<2xf64>
// CHECK-DAG:     vector.shuffle %[[R]]#2, %[[R]]#2 [0, 4, 2, 6]
// CHECK-DAG:     vector.shuffle %[[R]]#2, %[[R]]#2 [1, 5, 3, 7]
// CHECK:         vector.store %{{.*}}, %[[C]][%c0, %c2] : {{.*}}, vector<1xf64>
func.func @f64(%a: memref<1x8xf64, #shared>, %b: memref<3x8xf64, #shared>,
               %c: memref<1x3xf64, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#cpu.atom<fma inner 1x4x1, f64 into f64, 256>)
    : memref<1x8xf64, #shared>, memref<3x8xf64, #shared> into memref<1x3xf64, #fragment>
  return
}

// Of two operands of f8 a step reads whole registers, each of which becomes two; rows of
// an odd number of halves are read by halves.
// CHECK-LABEL: @bytes
// CHECK:         scf.for %[[K:.*]] = %c0 to %c128 step %c64
// CHECK:           vector.load %arg0[%c0, %[[K]]] : {{.*}}, vector<64xf8E4M3FN>
// CHECK-NEXT:      %[[WA:.*]] = tile.cast {{.*}} : vector<64xf8E4M3FN> to vector<64xbf16>
// CHECK-NEXT:      vector.extract_strided_slice %[[WA]] {offsets = [0], sizes = [32]
// CHECK-NEXT:      vector.extract_strided_slice %[[WA]] {offsets = [32], sizes = [32]
// CHECK-COUNT-2:   dpbf16ps
// CHECK:         scf.for %{{.*}} = %c0 to %c96 step %c32
func.func @bytes(%a: memref<1x128xf8E4M3FN, #shared>, %b: memref<1x128xf8E4M3FN, #shared>,
                 %c: memref<1x1xf32, #fragment>,
                 %d: memref<1x96xf8E4M3FN, #shared>, %e: memref<1x96xf8E4M3FN, #shared>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 inner 1x1x2, bf16 into f32, 512>)
    : memref<1x128xf8E4M3FN, #shared>, memref<1x128xf8E4M3FN, #shared> into memref<1x1xf32, #fragment>
  cpu.gemm %d, %e into %c atom(#cpu.atom<dpbf16 inner 1x1x2, bf16 into f32, 512>)
    : memref<1x96xf8E4M3FN, #shared>, memref<1x96xf8E4M3FN, #shared> into memref<1x1xf32, #fragment>
  return
}
