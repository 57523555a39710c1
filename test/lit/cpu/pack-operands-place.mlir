// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A panel is made as early as its tile has its contents, and once for all that read it.
// RUN: %tilewright-opt %s --cpu-pack-operands | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#fma = #cpu.atom<fma 8x32x1, f32 into f32, 512>

// The outer loop writes one operand and neither loop the other. Both gemms read one panel.
// CHECK-LABEL: @loops
// CHECK:         %[[STAYS:.*]] = tile.alloc "stays" :
// CHECK:         %[[CHANGES:.*]] = tile.alloc "changes" :
// CHECK:         %[[P:.*]] = tile.alloc "stays.panel"
// CHECK-NEXT:    tile.pack %[[STAYS]]{{.*}} into %[[P]] transpose
// CHECK-NEXT:    scf.for
// CHECK-NEXT:      tile.fill %[[CHANGES]]
// CHECK-NEXT:      %[[Q:.*]] = tile.alloc "changes.panel"
// CHECK-NEXT:      tile.pack %[[CHANGES]]{{.*}} into %[[Q]] transpose
// CHECK-NEXT:      tile.pipelined
// CHECK-NEXT:        cpu.gemm %{{.*}}, %[[P]] into
// CHECK-NEXT:        cpu.gemm %{{.*}}, %[[P]] into
// CHECK-NEXT:        cpu.gemm %{{.*}}, %[[Q]] into
func.func @loops(%x: f32, %n: index, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<8x16xf32, #shared>
    %stays = tile.alloc "stays" : memref<32x16xf32, #shared>
    %changes = tile.alloc "changes" : memref<32x16xf32, #shared>
    %c = tile.alloc "c" : memref<8x32xf32, #fragment>
    %d = tile.alloc "d" : memref<8x32xf32, #fragment>
    scf.for %i = %c0 to %n step %c1 {
      tile.fill %changes, %x : memref<32x16xf32, #shared>
      tile.pipelined %j = %c0 to %n step %c1 stages(2) {
        tile.gemm %a, %stays into %c transpose_b atom(#fma)
          : memref<8x16xf32, #shared>, memref<32x16xf32, #shared> into memref<8x32xf32, #fragment>
        tile.gemm %a, %stays into %d transpose_b atom(#fma)
          : memref<8x16xf32, #shared>, memref<32x16xf32, #shared> into memref<8x32xf32, #fragment>
        tile.gemm %a, %changes into %c transpose_b atom(#fma)
          : memref<8x16xf32, #shared>, memref<32x16xf32, #shared> into memref<8x32xf32, #fragment>
      }
    }
  }
  return
}

// What another gemm of the loop writes changes in it.
// CHECK-LABEL: @chained
// CHECK:         scf.for
// CHECK-NEXT:      cpu.gemm {{.*}} into %[[S:[0-9]+]]
// CHECK-NEXT:      %[[P:.*]] = tile.alloc "s.panel"
// CHECK-NEXT:      tile.pack %[[S]]{{.*}} into %[[P]]
// CHECK-NEXT:      cpu.gemm %{{.*}}, %[[P]] into
func.func @chained(%n: index, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<32x32xf32, #shared>
    %s = tile.alloc "s" : memref<32x32xf32, #shared>
    %c = tile.alloc "c" : memref<32x32xf32, #fragment>
    scf.for %i = %c0 to %n step %c1 {
      tile.gemm %a, %a into %s clear atom(#fma)
        : memref<32x32xf32, #shared>, memref<32x32xf32, #shared> into memref<32x32xf32, #shared>
      tile.gemm %a, %s into %c transpose_b atom(#fma)
        : memref<32x32xf32, #shared>, memref<32x32xf32, #shared> into memref<32x32xf32, #fragment>
    }
  }
  return
}

// A write through a view is a write; a slice is taken where the loop takes it; and what
// only some iterations read is packed by these.
// CHECK-LABEL: @stay_inside
// CHECK:         scf.for
// CHECK:           memref.subview
// CHECK-NEXT:      tile.fill
// CHECK-NEXT:      tile.alloc "b.panel"
// CHECK-NEXT:      tile.pack
// CHECK-NEXT:      cpu.gemm
// CHECK:         scf.for
// CHECK:           %[[PART:.*]] = memref.subview
// CHECK-NEXT:      tile.alloc "both.panel"
// CHECK-NEXT:      tile.pack %[[PART]]
// CHECK-NEXT:      cpu.gemm
// CHECK:         scf.for
// CHECK-NEXT:      scf.if
// CHECK-NEXT:        tile.alloc "b.panel"
// CHECK-NEXT:        tile.pack
// CHECK-NEXT:        cpu.gemm
func.func @stay_inside(%x: f32, %on: i1, %n: index, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : memref<8x16xf32, #shared>
    %b = tile.alloc "b" : memref<32x16xf32, #shared>
    %both = tile.alloc "both" : memref<64x16xf32, #shared>
    %c = tile.alloc "c" : memref<8x32xf32, #fragment>
    scf.for %i = %c0 to %n step %c1 {
      %row = memref.subview %b[%i, 0] [1, 16] [1, 1]
        : memref<32x16xf32, #shared> to memref<1x16xf32, strided<[16, 1], offset: ?>, #shared>
      tile.fill %row, %x : memref<1x16xf32, strided<[16, 1], offset: ?>, #shared>
      tile.gemm %a, %b into %c transpose_b atom(#fma)
        : memref<8x16xf32, #shared>, memref<32x16xf32, #shared> into memref<8x32xf32, #fragment>
    }
    scf.for %i = %c0 to %n step %c1 {
      %part = memref.subview %both[%i, 0] [32, 16] [1, 1]
        : memref<64x16xf32, #shared> to memref<32x16xf32, strided<[16, 1], offset: ?>, #shared>
      tile.gemm %a, %part into %c transpose_b atom(#fma)
        : memref<8x16xf32, #shared>, memref<32x16xf32, strided<[16, 1], offset: ?>, #shared>
          into memref<8x32xf32, #fragment>
    }
    scf.for %i = %c0 to %n step %c1 {
      scf.if %on {
        tile.gemm %a, %b into %c transpose_b atom(#fma)
          : memref<8x16xf32, #shared>, memref<32x16xf32, #shared> into memref<8x32xf32, #fragment>
      }
    }
  }
  return
}
