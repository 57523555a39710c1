// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Register blocks down to the instructions of AVX-512: one for each product in two steps of K,
// nothing spilled.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse --expand-strided-metadata \
// RUN:   --lower-affine --convert-scf-to-cf --cpu-convert-to-llvm --reconcile-unrealized-casts \
// RUN:   | mlir-translate --mlir-to-llvmir | opt -passes='early-cse,loop-mssa(licm),instcombine' -S \
// RUN:   | llc -O2 -mtriple=x86_64 -mcpu=znver4 | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// CHECK-LABEL: dpbf16:
// CHECK:       [[LOOP:.LBB[0-9_]+]]:
// CHECK-NOT:   (%rsp)
// CHECK-COUNT-48: vdpbf16ps {{.*}}, %zmm{{[0-9]+}}, %zmm
// CHECK-NOT:   {{vdpbf16ps|\(%rsp\)}}
// CHECK:       j{{[a-z]+}} [[LOOP]]
func.func @dpbf16(%a: memref<8x64xbf16, #shared>, %b: memref<32x48x2xbf16, #shared>,
                  %c: memref<8x48xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 8x48x2, bf16 into f32, 512>)
    : memref<8x64xbf16, #shared>, memref<32x48x2xbf16, #shared> into memref<8x48xf32, #fragment>
  return
}

// The excess of raising A is added up in a loop of its own, and is taken off behind the
// products'.
// CHECK-LABEL: dpbusd:
// CHECK:       [[SUMS:.LBB[0-9_]+]]:
// CHECK-COUNT-12: vpdpbusd
// CHECK-NOT:   vpdpbusd
// CHECK:       j{{[a-z]+}} [[SUMS]]
// CHECK:       vpdpbusd
// CHECK-NOT:   (%rsp)
// CHECK-COUNT-47: vpdpbusd
// CHECK-NOT:   {{vpdpbusd|vpsubd|\(%rsp\)}}
// CHECK:       j{{[a-z]+}} .LBB
// CHECK-COUNT-24: vpsubd
func.func @dpbusd(%a: memref<8x64xi8, #shared>, %b: memref<16x48x4xi8, #shared>,
                  %c: memref<8x48xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbusd 8x48x4, i8 into i32, 512>)
    : memref<8x64xi8, #shared>, memref<16x48x4xi8, #shared> into memref<8x48xi32, #fragment>
  return
}

// VNNI also adds products of words, which LLVM makes of a product and an addition.
// CHECK-LABEL: maddwd:
// CHECK-COUNT-48: vpdpwssd
func.func @maddwd(%a: memref<8x64xi16, #shared>, %b: memref<32x48x2xi16, #shared>,
                  %c: memref<8x48xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<maddwd 8x48x2, i16 into i32, 512>)
    : memref<8x64xi16, #shared>, memref<32x48x2xi16, #shared> into memref<8x48xi32, #fragment>
  return
}
