// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops of a gemm: blocks of C stay in registers for all of K.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#fma = #cpu.atom<fma 2x32x1, f32 into f32, 512>

// A block of two rows and two vectors: one load of C before the loop over K, one store
// after it, and in each step two vectors of B and two elements of A for four products.
// CHECK-LABEL: @blocks
// CHECK-SAME:    %[[A:.*]]: memref<4x7xf32, {{.*}}, %[[B:.*]]: memref<7x64xf32, {{.*}}, %[[C:.*]]: memref<4x64xf32
// CHECK:         scf.for %[[J:.*]] = %c0 to %c64 step %c32 {
// CHECK-NEXT:      scf.for %[[I:.*]] = %c0 to %c4 step %c2 {
// CHECK-NEXT:        %[[C00:.*]] = vector.load %[[C]][%[[I]], %[[J]]]
// CHECK-NEXT:        %[[J1:.*]] = arith.addi %[[J]], %c16
// CHECK-NEXT:        %[[C01:.*]] = vector.load %[[C]][%[[I]], %[[J1]]]
// CHECK-NEXT:        %[[I1:.*]] = arith.addi %[[I]], %c1
// CHECK-NEXT:        %[[C10:.*]] = vector.load %[[C]][%[[I1]], %[[J]]]
// CHECK-NEXT:        %[[C11:.*]] = vector.load %[[C]][%[[I1]], %[[J1]]]
// CHECK-NEXT:        %[[R:.*]]:4 = scf.for %[[K:.*]] = %c0 to %c7 step %c1 iter_args(%[[S00:.*]] = %[[C00]], %[[S01:.*]] = %[[C01]], %[[S10:.*]] = %[[C10]], %[[S11:.*]] = %[[C11]])
// CHECK-NEXT:          %[[B0:.*]] = vector.load %[[B]][%[[K]], %[[J]]] : {{.*}}, vector<16xf32>
// CHECK-NEXT:          %[[B1:.*]] = vector.load %[[B]][%[[K]], %[[J1]]] : {{.*}}, vector<16xf32>
// CHECK-NEXT:          %[[A0:.*]] = memref.load %[[A]][%[[I]], %[[K]]]
// CHECK-NEXT:          %[[V0:.*]] = vector.broadcast %[[A0]] : f32 to vector<16xf32>
// CHECK-NEXT:          %[[T00:.*]] = vector.fma %[[V0]], %[[B0]], %[[S00]]
// CHECK-NEXT:          %[[T01:.*]] = vector.fma %[[V0]], %[[B1]], %[[S01]]
// CHECK-NEXT:          %[[A1:.*]] = memref.load %[[A]][%[[I1]], %[[K]]]
// CHECK-NEXT:          %[[V1:.*]] = vector.broadcast %[[A1]]
// CHECK-NEXT:          %[[T10:.*]] = vector.fma %[[V1]], %[[B0]], %[[S10]]
// CHECK-NEXT:          %[[T11:.*]] = vector.fma %[[V1]], %[[B1]], %[[S11]]
// CHECK-NEXT:          scf.yield %[[T00]], %[[T01]], %[[T10]], %[[T11]]
// CHECK-NEXT:        }
// CHECK-NEXT:        vector.store %[[R]]#0, %[[C]][%[[I]], %[[J]]]
// CHECK-NEXT:        vector.store %[[R]]#1, %[[C]][%[[I]], %[[J1]]]
// CHECK-NEXT:        vector.store %[[R]]#2, %[[C]][%[[I1]], %[[J]]]
// CHECK-NEXT:        vector.store %[[R]]#3, %[[C]][%[[I1]], %[[J1]]]
func.func @blocks(%a: memref<4x7xf32, #shared>, %b: memref<7x64xf32, #shared>,
                  %c: memref<4x64xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#fma)
    : memref<4x7xf32, #shared>, memref<7x64xf32, #shared> into memref<4x64xf32, #fragment>
  return
}

// With `clear` the sums start at zero, and C is not read.
// CHECK-LABEL: @clear
// CHECK-SAME:    %{{.*}}: memref<2x7xf32, {{.*}}, %{{.*}}: memref<7x32xf32, {{.*}}, %[[C:.*]]: memref<2x32xf32
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NOT:     vector.load %[[C]]
// CHECK:         scf.for {{.*}} iter_args(%{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]], %{{.*}} = %[[ZERO]])
// CHECK-NOT:     vector.load %[[C]]
// CHECK-COUNT-4: vector.store %{{.*}}, %[[C]]
func.func @clear(%a: memref<2x7xf32, #shared>, %b: memref<7x32xf32, #shared>,
                 %c: memref<2x32xf32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#fma)
    : memref<2x7xf32, #shared>, memref<7x32xf32, #shared> into memref<2x32xf32, #fragment>
  return
}

// Few products per step: steps are unrolled, by what divides K.
// CHECK-LABEL: @unrolled
// CHECK:         scf.for %[[K:.*]] = %c0 to %c24 step %c4
// CHECK-COUNT-4:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:           scf.yield
// CHECK:         scf.for %{{.*}} = %c0 to %c6 step %c2
// CHECK-COUNT-2:   vector.fma
// CHECK-NOT:       vector.fma
// CHECK:           scf.yield
func.func @unrolled(%a: memref<1x24xf32, #shared>, %b: memref<24x16xf32, #shared>,
                    %d: memref<1x6xf32, #shared>, %e: memref<6x16xf32, #shared>,
                    %c: memref<1x16xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma 1x16x1, f32 into f32, 512>)
    : memref<1x24xf32, #shared>, memref<24x16xf32, #shared> into memref<1x16xf32, #fragment>
  cpu.gemm %d, %e into %c atom(#cpu.atom<fma 1x16x1, f32 into f32, 512>)
    : memref<1x6xf32, #shared>, memref<6x16xf32, #shared> into memref<1x16xf32, #fragment>
  return
}

// Three rows and 38 columns: a block of one row, then columns by vectors of 4 and 2, so
// that nothing past C is touched.
// CHECK-LABEL: @rest
// CHECK-SAME:    %[[A:.*]]: memref<3x7xf32, {{.*}}, %[[B:.*]]: memref<7x38xf32, {{.*}}, %[[C:.*]]: memref<3x38xf32
// CHECK:         vector.store %{{.*}}, %[[C]][%c0, %c0] : {{.*}}, vector<16xf32>
// CHECK-NEXT:    vector.store %{{.*}}, %[[C]][%c0, %c16] : {{.*}}, vector<16xf32>
// CHECK-NEXT:    vector.store %{{.*}}, %[[C]][%c1, %c0] : {{.*}}, vector<16xf32>
// CHECK-NEXT:    vector.store %{{.*}}, %[[C]][%c1, %c16] : {{.*}}, vector<16xf32>
// CHECK:         vector.store %{{.*}}, %[[C]][%c2, %c0] : {{.*}}, vector<16xf32>
// CHECK-NEXT:    vector.store %{{.*}}, %[[C]][%c2, %c16] : {{.*}}, vector<16xf32>
// CHECK:         vector.load %[[B]][%{{.*}}, %c32] : {{.*}}, vector<4xf32>
// CHECK:         vector.store %{{.*}}, %[[C]][%c0, %c32] : {{.*}}, vector<4xf32>
// CHECK-NEXT:    vector.store %{{.*}}, %[[C]][%c1, %c32] : {{.*}}, vector<4xf32>
// CHECK:         vector.store %{{.*}}, %[[C]][%c2, %c32] : {{.*}}, vector<4xf32>
// CHECK:         vector.store %{{.*}}, %[[C]][%c0, %c36] : {{.*}}, vector<2xf32>
// CHECK-NEXT:    vector.store %{{.*}}, %[[C]][%c1, %c36] : {{.*}}, vector<2xf32>
// CHECK:         vector.load %[[B]][%{{.*}}, %c36] : {{.*}}, vector<2xf32>
// CHECK:         vector.store %{{.*}}, %[[C]][%c2, %c36] : {{.*}}, vector<2xf32>
// CHECK-NOT:     vector.store
// CHECK:         return
func.func @rest(%a: memref<3x7xf32, #shared>, %b: memref<7x38xf32, #shared>,
                %c: memref<3x38xf32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#fma)
    : memref<3x7xf32, #shared>, memref<7x38xf32, #shared> into memref<3x38xf32, #fragment>
  return
}

// Two rows that are left would wait for their own sums: with the last block's they are two
// blocks of four. Three and six are five and four.
// CHECK-LABEL: @few_rows_left
// CHECK:         %{{[0-9]+}}:12 = scf.for {{.*}} = %c0 to %c7 step %c1
// CHECK:         scf.for %[[ROW:.*]] = %c6 to %c14 step %c4
// CHECK:           %{{[0-9]+}}:8 = scf.for {{.*}} = %c0 to %c7 step %c1
// CHECK:         %{{[0-9]+}}:10 = scf.for {{.*}} = %c0 to %c7 step %c1
// CHECK:         %{{[0-9]+}}:8 = scf.for {{.*}} = %c0 to %c7 step %c1
// CHECK-NOT:     scf.for
// CHECK:         return
func.func @few_rows_left(%a: memref<14x7xf32, #shared>, %b: memref<7x16xf32, #shared>,
                         %c: memref<14x16xf32, #fragment>, %d: memref<9x7xf32, #shared>,
                         %e: memref<9x16xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(<fma 6x16x1, f32 into f32, 256>)
    : memref<14x7xf32, #shared>, memref<7x16xf32, #shared> into memref<14x16xf32, #fragment>
  cpu.gemm %d, %b into %e atom(<fma 6x16x1, f32 into f32, 256>)
    : memref<9x7xf32, #shared>, memref<7x16xf32, #shared> into memref<9x16xf32, #fragment>
  return
}
