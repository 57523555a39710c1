// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Register blocks down to the instructions of AArch64: one for each product in two steps of K,
// nothing spilled.
// RUN: %tilewright-opt %s --cpu-lower-gemm --canonicalize --cse --expand-strided-metadata \
// RUN:   --lower-affine --convert-scf-to-cf --cpu-convert-to-llvm --reconcile-unrealized-casts \
// RUN:   | mlir-translate --mlir-to-llvmir | opt -passes='early-cse,loop-mssa(licm),instcombine' -S \
// RUN:   | llc -O2 -mtriple=aarch64 -mcpu=neoverse-v2 | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// Elements of A are lanes of the instruction, but for one row whose loads step an address.
// CHECK-LABEL: fma:
// CHECK:       [[LOOP:.LBB[0-9_]+]]:
// CHECK-NOT:   {{dup|\[sp}}
// CHECK-COUNT-42: fmla v{{[0-9]+}}.4s, v{{[0-9]+}}.4s, v{{[0-9]+}}.s[0]
// CHECK-NOT:   [sp
// CHECK:       b.{{[a-z]+}} [[LOOP]]
func.func @fma(%a: memref<8x64xf32, #shared>, %b: memref<64x12xf32, #shared>,
               %c: memref<8x12xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma 8x12x1, f32 into f32, 128>)
    : memref<8x64xf32, #shared>, memref<64x12xf32, #shared> into memref<8x12xf32, #fragment>
  return
}

// Two rows by two columns: half as many instructions as dot products would be.
// CHECK-LABEL: bfmmla:
// CHECK:       [[LOOP:.LBB[0-9_]+]]:
// CHECK-NOT:   {{ld1|zip|trn|\[sp}}
// CHECK-COUNT-48: bfmmla
// CHECK-NOT:   {{bfmmla|\[sp}}
// CHECK:       b.{{[a-z]+}} [[LOOP]]
func.func @bfmmla(%a: memref<16x8x4xbf16, #shared>, %b: memref<16x12x4xbf16, #shared>,
                  %c: memref<8x12xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<bfmmla 8x12x4, bf16 into f32, 128>)
    : memref<16x8x4xbf16, #shared>, memref<16x12x4xbf16, #shared> into memref<8x12xf32, #fragment>
  return
}

// CHECK-LABEL: ummla:
// CHECK-COUNT-48: ummla
func.func @ummla(%a: memref<16x8x8xi8, #shared>, %b: memref<16x12x8xi8, #shared>,
                 %c: memref<8x12xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<ummla 8x12x8, i8 into i32, 128>)
    : memref<16x8x8xi8, #shared>, memref<16x12x8xi8, #shared> into memref<8x12xi32, #fragment>
  return
}

// CHECK-LABEL: bfdot:
// CHECK:       ld1r { [[A:v[0-9]+]].4s }
// CHECK:       bfdot v{{[0-9]+}}.4s, [[A]].8h, v{{[0-9]+}}.8h
// CHECK-LABEL: sdot:
// CHECK:       sdot v{{[0-9]+}}.4s, v{{[0-9]+}}.16b, v{{[0-9]+}}.16b
func.func @bfdot(%a: memref<1x64xbf16, #shared>, %b: memref<32x4x2xbf16, #shared>,
                 %c: memref<1x4xf32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<bfdot 1x4x2, bf16 into f32, 128>)
    : memref<1x64xbf16, #shared>, memref<32x4x2xbf16, #shared> into memref<1x4xf32, #fragment>
  return
}
func.func @sdot(%a: memref<1x64xi8, #shared>, %b: memref<16x4x4xi8, #shared>,
                %c: memref<1x4xi32, #fragment>) {
  cpu.gemm %a, %b into %c atom(#cpu.atom<sdot 1x4x4, i8 into i32, 128>)
    : memref<1x64xi8, #shared>, memref<16x4x4xi8, #shared> into memref<1x4xi32, #fragment>
  return
}

// Masks are predicates of SVE, of which code needs no more than the first 128 bits.
// CHECK-LABEL: masked:
// CHECK:       ptrue {{p[0-9]+}}.s, vl4
// CHECK:       ld1w { z0.s }, {{p[0-9]+}}/z
func.func @masked(%p: memref<64xf32>, %mask: vector<4xi1>) -> vector<4xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : vector<4xf32>
  %v = vector.maskedload %p[%c0], %mask, %zero
    : memref<64xf32>, vector<4xi1>, vector<4xf32> into vector<4xf32>
  return %v : vector<4xf32>
}
