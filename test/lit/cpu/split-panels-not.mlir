// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Panels that stay whole.
//
// RUN: %tilewright-opt %s --cpu-split-panels=budget=24576 > %t
// RUN: %tilewright-opt %s | diff - %t
// RUN: %tilewright-opt %s --cpu-split-panels=budget=8192 > %t.small
// RUN: FileCheck %s < %t.small

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#atom = #cpu.atom<dpbf16 4x64x2, bf16 into f32, 512>
!a = memref<16x64xbf16, #fragment>
!v = memref<64x512xbf16, #shared>
!c = memref<16x512xf32, #fragment>
!panel = memref<32x512x2xbf16, #shared>

// Two products share the panel; it is made in front of a loop; it is the product's other
// operand.
func.func @shared(%a: !a, %v: !v, %c: !c, %d: !c, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : !panel
    tile.pack %v[0, 0][64, 512] dims [0, 1] into %p : !v into !panel
    cpu.gemm %a, %p into %c atom(#atom) : !a, !panel into !c
    cpu.gemm %a, %p into %d atom(#atom) : !a, !panel into !c
  }
  return
}
func.func @hoisted(%a: !a, %v: !v, %c: !c, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : !panel
    tile.pack %v[0, 0][64, 512] dims [0, 1] into %p : !v into !panel
    scf.for %k = %c0 to %n step %c1 {
      cpu.gemm %a, %p into %c atom(#atom) : !a, !panel into !c
    }
  }
  return
}

// Something is done between the two; the product writes what is packed.
func.func @between(%a: !a, %v: !v, %c: !c, %x: bf16, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : !panel
    tile.pack %v[0, 0][64, 512] dims [0, 1] into %p : !v into !panel
    tile.fill %v, %x : !v
    cpu.gemm %a, %p into %c atom(#atom) : !a, !panel into !c
  }
  return
}
func.func @overwritten(%a: memref<64x64xbf16, #fragment>, %c: memref<64x512xf32, #fragment>,
                       %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : !panel
    tile.pack %c[0, 0][64, 512] dims [0, 1] into %p : memref<64x512xf32, #fragment> into !panel
    cpu.gemm %a, %p into %c atom(#atom)
      : memref<64x64xbf16, #fragment>, !panel into memref<64x512xf32, #fragment>
  }
  return
}

// A small one, which a smaller budget splits.
// CHECK-LABEL: @small
// CHECK:         tile.alloc "panel" : memref<32x64x2xbf16
// CHECK:         tile.alloc "panel" : memref<32x64x2xbf16
func.func @small(%a: !a, %v: memref<64x128xbf16, #shared>, %c: memref<16x128xf32, #fragment>,
                 %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : memref<32x128x2xbf16, #shared>
    tile.pack %v[0, 0][64, 128] dims [0, 1] into %p
      : memref<64x128xbf16, #shared> into memref<32x128x2xbf16, #shared>
    cpu.gemm %a, %p into %c atom(#atom)
      : !a, memref<32x128x2xbf16, #shared> into memref<16x128xf32, #fragment>
  }
  return
}
