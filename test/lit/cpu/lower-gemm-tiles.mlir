// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products by the tiles of AMX.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#bf16 = #cpu.atom<amx_bf16 32x32x32, bf16 into f32, 512>
#row = #cpu.atom<amx_bf16 16x16x32, bf16 into f32, 512>
#bytes = #cpu.atom<amx_int8 16x16x64, i8 into i32, 512>

// Of 40 x 48 sums there are whole blocks, columns and rows that are left, and a corner, each
// with its shapes. K = 48 is 24 groups of two, in tiles of 12: all tiles have equally many.
// CHECK-LABEL: @edges
// CHECK-SAME:    %[[A:.*]]: memref<40x48xbf16, {{.*}}, %[[B:.*]]: memref<24x48x2xbf16
// CHECK:         %[[ROWS:.*]] = memref.collapse_shape %[[B]] {{\[}}[0], [1, 2]] {{.*}} into memref<24x96xbf16
// CHECK:         cpu.tile_shapes [16, 16, 16, 16, 16, 16, 12, 12] by [64, 64, 64, 64, 48, 48, 64, 64]
// CHECK-NEXT:    cpu.tile_load 0, %{{.*}}[%c0, %c0]
// CHECK-NEXT:    cpu.tile_load 1, %{{.*}}[%c0, %c16]
// CHECK-NEXT:    cpu.tile_load 2, %{{.*}}[%c16, %c0]
// CHECK-NEXT:    cpu.tile_load 3, %{{.*}}[%c16, %c16]
// CHECK-NEXT:    scf.for %[[G:.*]] = %c0 to %c24 step %c12 {
// CHECK-NEXT:      cpu.tile_load 6, %[[ROWS]][%[[G]], %c0]
// CHECK-NEXT:      cpu.tile_load 7, %[[ROWS]][%[[G]], %c32]
// CHECK-NEXT:      %[[K:.*]] = arith.muli %[[G]], %c2
// CHECK-NEXT:      cpu.tile_load 4, %[[A]][%c0, %[[K]]]
// CHECK-NEXT:      cpu.tile_multiply amx_bf16 4, 6 into 0
// CHECK-NEXT:      cpu.tile_multiply amx_bf16 4, 7 into 1
// CHECK-NEXT:      cpu.tile_load 5, %[[A]][%c16, %[[K]]]
// CHECK-NEXT:      cpu.tile_multiply amx_bf16 5, 6 into 2
// CHECK-NEXT:      cpu.tile_multiply amx_bf16 5, 7 into 3
// CHECK-NEXT:    }
// CHECK-NEXT:    cpu.tile_store 0, %{{.*}}[%c0, %c0]
// CHECK-COUNT-3: cpu.tile_store
// CHECK:         cpu.tile_shapes [16, 16, 16, 16, 12] by [64, 64, 48, 48, 64]
// CHECK:         cpu.tile_shapes [8, 8, 8, 12, 12] by [64, 64, 48, 64, 64]
// CHECK:         cpu.tile_shapes [8, 8, 12] by [64, 48, 64]
// CHECK:         cpu.tile_shapes [] by []
// CHECK-NEXT:    return
func.func @edges(%a: memref<40x48xbf16, #shared>, %b: memref<24x48x2xbf16, #shared>,
                 %c: memref<40x48xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#bf16)
    : memref<40x48xbf16, #shared>, memref<24x48x2xbf16, #shared> into memref<40x48xf32, #fragment>
  return
}

// Sums that begin with zeros are not read. Rows that do not count may be left out.
// CHECK-LABEL: @cleared
// CHECK-SAME:    %[[N:[a-z0-9]*]]: index
// CHECK:         cpu.tile_shapes
// CHECK:         %[[END:.*]] = arith.minsi %[[N]], %c32
// CHECK:         scf.for %[[R:.*]] = %c0 to %[[END]] step %c16 {
// CHECK-NEXT:      cpu.tile_zero 0
// CHECK-NEXT:      cpu.tile_load 2, %{{.*}}[%c0, %c0]
// CHECK-NEXT:      cpu.tile_load 1, %{{.*}}[%[[R]], %c0]
// CHECK-NEXT:      cpu.tile_multiply amx_int8 1, 2 into 0
// CHECK-NEXT:      cpu.tile_store 0, %{{.*}}[%[[R]], %c0]
func.func @cleared(%n: index, %a: memref<32x64xi8, #shared>, %b: memref<16x16x4xi8, #shared>,
                   %c: memref<32x16xi32, #fragment>) {
  cpu.gemm %a, %b into %c rows(%n) clear atom(#bytes)
    : memref<32x64xi8, #shared>, memref<16x16x4xi8, #shared> into memref<32x16xi32, #fragment>
  return
}

// The first step of a longer product begins with zeros, the last one converts its sums from
// where they were stored.
// CHECK-LABEL: @steps
// CHECK-SAME:    %[[FIRST:[a-z0-9]*]]: i1, %[[LAST:[a-z0-9]*]]: i1
// CHECK:         scf.if %[[FIRST]] {
// CHECK-NEXT:      cpu.tile_zero 0
// CHECK-NEXT:    } else {
// CHECK-NEXT:      cpu.tile_load 0, %[[C:.*]][%c0, %c0]
// CHECK:         cpu.tile_store 0, %[[C]][%c0, %c0]
// CHECK-NEXT:    scf.if %[[LAST]] {
// CHECK-NEXT:      scf.for %[[R:.*]] = %c0 to %c16 step %c1
// CHECK-NEXT:        %[[SUMS:.*]] = vector.load %[[C]][%[[R]], %c0] : {{.*}}, vector<16xf32>
// CHECK-NEXT:        %[[CAST:.*]] = tile.cast %[[SUMS]] : vector<16xf32> to vector<16xbf16>
// CHECK-NEXT:        vector.store %[[CAST]], %{{.*}}[%[[R]], %c0]
func.func @steps(%first: i1, %last: i1, %a: memref<16x32xbf16, #shared>,
                 %b: memref<16x16x2xbf16, #shared>, %c: memref<16x16xf32, #fragment>,
                 %y: memref<16x16xbf16, #tile.space<global>>) {
  cpu.gemm %a, %b into %c first(%first) last(%last) atom(#row)
    : memref<16x32xbf16, #shared>, memref<16x16x2xbf16, #shared> into memref<16x16xf32, #fragment>
      out %y : memref<16x16xbf16, #tile.space<global>>
  return
}

// Shapes stay from one product to the next and from one iteration to the next, but not where
// code of others may run between them, nor where other shapes follow.
// CHECK-LABEL: @kept
// CHECK:         cpu.tile_shapes [16, 16, 16] by [64, 64, 64]
// CHECK-NEXT:    scf.for
// CHECK-NOT:     cpu.tile_shapes
// CHECK:         cpu.tile_multiply
// CHECK-NOT:     cpu.tile_shapes
// CHECK:         cpu.tile_multiply
// CHECK:         cpu.tile_shapes [] by []
// CHECK-NEXT:    tile.print
// CHECK:         cpu.tile_shapes [16, 16, 16] by [64, 64, 64]
// CHECK:         cpu.tile_multiply
// CHECK:         cpu.tile_shapes [] by []
// CHECK-NEXT:    return
func.func @kept(%n: index, %x: i32, %a: memref<16x32xbf16, #shared>,
                %b: memref<16x16x2xbf16, #shared>, %c: memref<16x16xf32, #fragment>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    cpu.gemm %a, %b into %c atom(#row)
      : memref<16x32xbf16, #shared>, memref<16x16x2xbf16, #shared> into memref<16x16xf32, #fragment>
  }
  cpu.gemm %a, %b into %c atom(#row)
    : memref<16x32xbf16, #shared>, memref<16x16x2xbf16, #shared> into memref<16x16xf32, #fragment>
  tile.print "x" %x : i32
  cpu.gemm %a, %b into %c atom(#row)
    : memref<16x32xbf16, #shared>, memref<16x16x2xbf16, #shared> into memref<16x16xf32, #fragment>
  return
}
