// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products by tiles down to the instructions of AMX.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse --expand-strided-metadata \
// RUN:   --lower-affine --convert-scf-to-cf --cpu-convert-to-llvm --reconcile-unrealized-casts \
// RUN:   | mlir-translate --mlir-to-llvmir | opt -passes='early-cse,loop-mssa(licm),instcombine' -S \
// RUN:   | llc -O2 -mtriple=x86_64 -mcpu=sapphirerapids | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// CHECK-LABEL: bf16:
// CHECK:       ldtilecfg
// CHECK-COUNT-4: tilezero
// CHECK:       [[LOOP:.LBB[0-9_]+]]:
// CHECK-COUNT-2: tileloadd {{.*}}, %tmm{{[67]}}
// CHECK:       tileloadd {{.*}}, %tmm4
// CHECK:       tdpbf16ps %tmm6, %tmm4, %tmm0
// CHECK:       tdpbf16ps %tmm7, %tmm4, %tmm1
// CHECK:       tileloadd {{.*}}, %tmm5
// CHECK:       tdpbf16ps %tmm6, %tmm5, %tmm2
// CHECK:       tdpbf16ps %tmm7, %tmm5, %tmm3
// CHECK:       j{{[a-z]+}} [[LOOP]]
// CHECK-COUNT-4: tilestored
// CHECK:       tilerelease
func.func @bf16(%a: memref<32x256xbf16, #shared>, %b: memref<128x32x2xbf16, #shared>,
                %c: memref<32x32xf32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#cpu.atom<amx_bf16 32x32x32, bf16 into f32, 512>)
    : memref<32x256xbf16, #shared>, memref<128x32x2xbf16, #shared> into memref<32x32xf32, #fragment>
  return
}

// Rows of a tensor may be any number of bytes apart.
// CHECK-LABEL: bytes:
// CHECK:       tdpbssd %tmm2, %tmm1, %tmm0
func.func @bytes(%a: memref<16x64xi8, strided<[?, 1], offset: ?>, #tile.space<global>>,
                 %b: memref<16x16x4xi8, #shared>, %c: memref<16x16xi32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#cpu.atom<amx_int8 16x16x64, i8 into i32, 512>)
    : memref<16x64xi8, strided<[?, 1], offset: ?>, #tile.space<global>>, memref<16x16x4xi8, #shared>
      into memref<16x16xi32, #fragment>
  return
}

// CHECK-LABEL: natural:
// CHECK:       tdpbuud %tmm2, %tmm1, %tmm0
func.func @natural(%a: memref<16x64xi8, #shared>, %b: memref<16x16x4xi8, #shared>,
                   %c: memref<16x16xi32, #fragment>) {
  cpu.gemm %a, %b into %c clear atom(#cpu.atom<amx_uint8 16x16x64, i8 into i32, 512>)
    : memref<16x64xi8, #shared>, memref<16x16x4xi8, #shared> into memref<16x16xi32, #fragment>
  return
}
