// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Under tile.batch_invariant, how a row is summed depends neither on how many rows there are
// nor on its place among them.
// RUN: %tilewright-opt %s --select-atoms=target=cpu:znver4 2>/dev/null | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
!a = memref<24x64xbf16, #shared>
!b = memref<64x40xbf16, #shared>
!c = memref<24x40xf32, #fragment>

// 24 rows, as 40 columns, fill registers of 16 lanes and leave 8, which would be rounded
// otherwise.
// CHECK-LABEL: @any
// CHECK:         tile.gemm {{.*}} atom(#cpu.atom<dpbf16
// CHECK-LABEL: @invariant
// CHECK:         tile.gemm {{.*}} atom(#cpu.atom<fma
func.func @any(%a: !a, %b: !b, %c: !c) {
  tile.gemm %a, %b into %c : !a, !b into !c
  return
}
func.func @invariant(%a: !a, %b: !b, %c: !c) attributes {tile.batch_invariant} {
  tile.gemm %a, %b into %c : !a, !b into !c
  return
}

// The whole 48 columns of a tile are summed alike by dot products.
// CHECK-LABEL: @whole_registers
// CHECK:         tile.gemm {{.*}} atom(#cpu.atom<dpbf16
func.func @whole_registers(%a: !a, %b: memref<64x48xbf16, #shared>,
                           %c: memref<24x48xf32, #fragment>)
    attributes {tile.batch_invariant} {
  tile.gemm %a, %b into %c : !a, memref<64x48xbf16, #shared>
    into memref<24x48xf32, #fragment>
  return
}
