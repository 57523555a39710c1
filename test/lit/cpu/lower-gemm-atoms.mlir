// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a step of K is for each instruction and form of the operands.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// 32 bits of A, two neighbours along K, meet a vector of such pairs of B. Vectors narrower
// than the instruction's multiply in f32, one of the pair after the other.
// CHECK-LABEL: @dpbf16
// CHECK-SAME:    %[[A:.*]]: memref<1x6xbf16, {{.*}}, %[[B:.*]]: memref<3x20x2xbf16
// CHECK:         %[[ROWS:.*]] = memref.collapse_shape %[[B]] {{\[}}[0], [1, 2]] {{.*}} into memref<3x40xbf16
// CHECK:         scf.for %[[K:.*]] = %c0 to %c3 step %c1 iter_args(%[[S:.*]] = %{{.*}})
// CHECK-NEXT:      %[[V:.*]] = vector.load %[[ROWS]][%[[K]], %c0] : {{.*}}, vector<32xbf16>
// CHECK-NEXT:      %[[AT:.*]] = arith.muli %[[K]], %c2
// CHECK-NEXT:      %[[PAIR:.*]] = vector.load %[[A]][%c0, %[[AT]]] : {{.*}}, vector<2xbf16>
// CHECK-NEXT:      %[[WORD:.*]] = vector.bitcast %[[PAIR]] : vector<2xbf16> to vector<1xi32>
// CHECK-NEXT:      %[[ONE:.*]] = vector.extract %[[WORD]][0]
// CHECK-NEXT:      %[[ALL:.*]] = vector.broadcast %[[ONE]] : i32 to vector<16xi32>
// CHECK-NEXT:      %[[SPREAD:.*]] = vector.bitcast %[[ALL]] : vector<16xi32> to vector<32xbf16>
// CHECK-NEXT:      llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"(%[[S]], %[[SPREAD]], %[[V]])
// CHECK:         scf.for %[[L:.*]] = %c0 to %c3 step %c1 iter_args(%[[T:.*]] = %{{.*}}) -> (vector<4xf32>)
// CHECK-NEXT:      %[[N:.*]] = vector.load %[[ROWS]][%[[L]], %c32] : {{.*}}, vector<8xbf16>
// CHECK:           %[[WIDEA:.*]] = tile.cast %{{.*}} : vector<2xbf16> to vector<2xf32>
// CHECK:           %[[WIDE:.*]] = tile.cast %[[N]] : vector<8xbf16> to vector<8xf32>
// CHECK:           %[[EVEN:.*]] = vector.shuffle %[[WIDE]], %[[WIDE]] [0, 2, 4, 6]
// CHECK:           %[[FIRST:.*]] = vector.extract %[[WIDEA]][0]
// CHECK:           %[[F:.*]] = vector.broadcast %[[FIRST]] : f32 to vector<4xf32>
// CHECK:           %[[HALF:.*]] = vector.fma %[[F]], %[[EVEN]], %[[T]]
// CHECK:           %[[ODD:.*]] = vector.shuffle %[[WIDE]], %[[WIDE]] [1, 3, 5, 7]
// CHECK:           vector.fma %{{.*}}, %[[ODD]], %[[HALF]]
func.func @dpbf16(%a: memref<1x6xbf16, #shared>, %b: memref<3x20x2xbf16, #shared>,
                  %c: memref<1x20xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 1x16x2, bf16 into f32, 512>)
    : memref<1x6xbf16, #shared>, memref<3x20x2xbf16, #shared> into memref<1x20xf32, #fragment>
  return
}

// The instruction takes unsigned by signed bytes: A is raised by 128. 128 times the sum of B's
// groups is summed once for all rows, and comes off behind each block's loop.
// CHECK-LABEL: @dpbusd
// CHECK-DAG:     %[[FLIP:.*]] = arith.constant dense<-128> : vector<64xi8>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0> : vector<16xi32>
// CHECK:         %[[EXCESS:.*]] = scf.for {{.*}} iter_args(%[[E:.*]] = %[[ZERO]])
// CHECK:           %[[B:.*]] = vector.load %{{.*}} : {{.*}}, vector<64xi8>
// CHECK:           llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[E]], %[[FLIP]], %[[B]])
// CHECK:         %[[SUMS:.*]] = scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}})
// CHECK:           %[[V:.*]] = vector.load %{{.*}} : {{.*}}, vector<64xi8>
// CHECK:           vector.load %{{.*}} : {{.*}}, vector<4xi8>
// CHECK:           %[[SPREAD:.*]] = vector.bitcast %{{.*}} : vector<16xi32> to vector<64xi8>
// CHECK:           %[[RAISED:.*]] = arith.xori %[[SPREAD]], %[[FLIP]]
// CHECK:           %[[SUM:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[S]], %[[RAISED]], %[[V]])
// CHECK:           scf.yield %[[SUM]]
// CHECK:         %[[EXACT:.*]] = arith.subi %[[SUMS]], %[[EXCESS]]
// CHECK:         vector.store %[[EXACT]]
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"({{.*}}) : (vector<8xi32>, vector<32xi8>, vector<32xi8>)
func.func @dpbusd(%a: memref<1x12xi8, #shared>, %b: memref<3x16x4xi8, #shared>,
                  %c: memref<1x16xi32, #fragment>, %d: memref<3x8x4xi8, #shared>,
                  %e: memref<1x8xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbusd 1x16x4, i8 into i32, 512>)
    : memref<1x12xi8, #shared>, memref<3x16x4xi8, #shared> into memref<1x16xi32, #fragment>
  cpu.gemm %a, %d into %e atom(#cpu.atom<dpbusd 1x8x4, i8 into i32, 256>)
    : memref<1x12xi8, #shared>, memref<3x8x4xi8, #shared> into memref<1x8xi32, #fragment>
  return
}

// Groups of a panel A lie side by side; those of a transposed A of depth 1 are elements of
// one column.
// CHECK-LABEL: @other_integers
// CHECK-SAME:    %[[P:.*]]: memref<3x1x2xi16, {{.*}}, %{{.*}}: memref<3x16x2xi16, {{.*}}, %[[T:.*]]: memref<3x1xi32
// CHECK:         scf.for %[[K:.*]] = {{.*}} iter_args(%[[S:.*]] = %{{.*}})
// CHECK:           vector.load %[[P]][%[[K]], %c0, %c0] : {{.*}}, vector<2xi16>
// CHECK:           %[[DOT:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
// CHECK:           arith.addi %[[S]], %[[DOT]] : vector<16xi32>
// CHECK:         scf.for %[[L:.*]] = {{.*}} iter_args(%[[R:.*]] = %{{.*}})
// CHECK:           memref.load %[[T]][%[[L]], %c0]
// CHECK:           %[[PRODUCT:.*]] = arith.muli %{{.*}} : vector<16xi32>
// CHECK:           arith.addi %[[R]], %[[PRODUCT]]
// CHECK:         llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"({{.*}}) : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
func.func @other_integers(%p: memref<3x1x2xi16, #shared>, %b: memref<3x16x2xi16, #shared>,
                          %t: memref<3x1xi32, #shared>, %d: memref<3x16xi32, #shared>,
                          %c: memref<1x16xi32, #fragment>) {
  cpu.gemm %p, %b into %c atom(#cpu.atom<maddwd 1x16x2, i16 into i32, 512>)
    : memref<3x1x2xi16, #shared>, memref<3x16x2xi16, #shared> into memref<1x16xi32, #fragment>
  cpu.gemm %t, %d into %c transpose_a atom(#cpu.atom<muladd 1x16x1, i32 into i32, 512>)
    : memref<3x1xi32, #shared>, memref<3x16xi32, #shared> into memref<1x16xi32, #fragment>
  cpu.gemm %p, %b into %c atom(#cpu.atom<maddwd 1x8x2, i16 into i32, 256>)
    : memref<3x1x2xi16, #shared>, memref<3x16x2xi16, #shared> into memref<1x16xi32, #fragment>
  return
}

// Two rows of B, of 32 columns, become two vectors of pairs; each serves all rows of A. Columns
// that fill no block of two such vectors go by blocks of one.
// CHECK-LABEL: @woven
// CHECK-SAME:    %[[A:.*]]: memref<5x8xbf16, {{.*}}, %[[B:.*]]: memref<8x96xbf16
// CHECK:         scf.for %[[GROUP:.*]] = %c0 to %c4 step
// CHECK:             %[[K:.*]] = arith.muli %[[GROUP]], %c2
// CHECK:             %[[EVEN:.*]] = vector.load %[[B]][%[[K]], %c0] : {{.*}}, vector<32xbf16>
// CHECK:             %[[NEXT:.*]] = arith.addi %[[K]], %c1
// CHECK:             %[[ODD:.*]] = vector.load %[[B]][%[[NEXT]], %c0] : {{.*}}, vector<32xbf16>
// CHECK:             vector.shuffle %[[EVEN]], %[[ODD]] [0, 32, 1, 33, 2, 34, {{.*}}, 15, 47] : vector<32xbf16>
// CHECK:             vector.shuffle %[[EVEN]], %[[ODD]] [16, 48, 17, 49, {{.*}}, 31, 63] : vector<32xbf16>
// CHECK:             vector.load %[[B]][%[[K]], %c32]
// CHECK:         vector.load %[[B]][%{{.*}}, %c64] : {{.*}}, vector<32xbf16>
func.func @woven(%a: memref<5x8xbf16, #shared>, %b: memref<8x96xbf16, #shared>,
                 %c: memref<5x96xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 woven 5x64x2, bf16 into f32, 512>)
    : memref<5x8xbf16, #shared>, memref<8x96xbf16, #shared> into memref<5x96xf32, #fragment>
  return
}
