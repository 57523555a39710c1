// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A panel serves later gemms for as long as its tile is not written.
// RUN: %tilewright-opt %s --cpu-pack-operands | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#fma = #cpu.atom<fma 8x32x1, f32 into f32, 512>
!a = memref<8x16xf32, #shared>
!b = memref<32x16xf32, #shared>
!c = memref<8x32xf32, #fragment>

// The second gemm, and one in a branch, read the first panel; the one after the write and
// the one behind a loop that writes do not.
// CHECK-LABEL: @straight
// CHECK:         %[[B:.*]] = tile.alloc "b"
// CHECK:         tile.pack %[[B]]{{.*}} into %[[P:.*]] transpose
// CHECK:         cpu.gemm %{{.*}}, %[[P]] into
// CHECK-NEXT:    cpu.gemm %{{.*}}, %[[P]] into
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      cpu.gemm %{{.*}}, %[[P]] into
// CHECK:         tile.fill %[[B]]
// CHECK:         tile.pack %[[B]]{{.*}} into %[[Q:.*]] transpose
// CHECK:         cpu.gemm %{{.*}}, %[[Q]] into
// CHECK:         scf.for
// CHECK:           tile.pack %[[B]]{{.*}} into %[[R:.*]] transpose
// CHECK:           cpu.gemm %{{.*}}, %[[R]] into
// CHECK:           tile.fill %[[B]]
func.func @straight(%x: f32, %n: index, %yes: i1, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    %d = tile.alloc "d" : !c
    tile.gemm %a, %b into %c transpose_b atom(#fma) : !a, !b into !c
    tile.gemm %a, %b into %d transpose_b atom(#fma) : !a, !b into !c
    scf.if %yes {
      tile.gemm %a, %b into %d transpose_b atom(#fma) : !a, !b into !c
    }
    tile.fill %b, %x : !b
    tile.gemm %a, %b into %d transpose_b atom(#fma) : !a, !b into !c
    scf.for %i = %c0 to %n step %c1 {
      tile.gemm %a, %b into %c transpose_b atom(#fma) : !a, !b into !c
      tile.fill %b, %x : !b
    }
  }
  return
}

// A panel made in a branch is there in the branch alone.
// CHECK-LABEL: @branch
// CHECK:         scf.if
// CHECK:           tile.pack
// CHECK:         tile.pack
// CHECK:         cpu.gemm
func.func @branch(%yes: i1, %blocks: index) {
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc "a" : !a
    %b = tile.alloc "b" : !b
    %c = tile.alloc "c" : !c
    scf.if %yes {
      tile.gemm %a, %b into %c transpose_b atom(#fma) : !a, !b into !c
    }
    tile.gemm %a, %b into %c transpose_b atom(#fma) : !a, !b into !c
  }
  return
}
