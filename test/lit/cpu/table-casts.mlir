// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers of f8 and f4 are widened by tables where AVX-512 looks them up.
//
// RUN: %tilewright-opt %s --cpu-native-casts="avx512bw avx512vbmi" | FileCheck %s
// RUN: %tilewright-opt %s --cpu-native-casts=avx512bw | FileCheck %s --check-prefix=WORDS
// RUN: %tilewright-opt %s --cpu-native-casts | FileCheck %s --check-prefix=WITHOUT
// WITHOUT-NOT: llvm.call_intrinsic

// Codes of two registers are spread so that interleaving them within 128 bits ends in
// order: 1.0 is 0x38 and becomes 0x3f80.
// CHECK-LABEL: @e4m3_to_bf16
// CHECK:         %[[QUADS:.*]] = vector.bitcast {{.*}} : vector<64xi8> to vector<8xi64>
// CHECK:         %[[SPREAD:.*]] = vector.shuffle %[[QUADS]], %[[QUADS]] [0, 4, 1, 5, 2, 6, 3, 7]
// CHECK:         %[[CODES:.*]] = vector.bitcast %[[SPREAD]] : vector<8xi64> to vector<64xi8>
// CHECK:         %[[FIRST:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"({{.*}}, %[[CODES]], {{.*}})
// CHECK:         %[[SIGN:.*]] = arith.andi %[[CODES]], {{.*}} : vector<64xi8>
// CHECK:         %[[SECOND:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"({{.*}}, %[[CODES]], {{.*}})
// CHECK:         %[[HIGH:.*]] = arith.ori %[[SECOND]], %[[SIGN]]
// CHECK:         vector.shuffle %[[FIRST]], %[[HIGH]] [0, 64, 1, 65,
// CHECK:         vector.shuffle %[[FIRST]], %[[HIGH]] [8, 72, 9, 73,
// CHECK:         vector.bitcast {{.*}} : vector<128xi8> to vector<64xbf16>
// WORDS-LABEL: @e4m3_to_bf16
// WORDS-NEXT:    tile.cast
func.func @e4m3_to_bf16(%x: vector<64xf8E4M3FN>) -> vector<64xbf16> {
  %y = tile.cast %x : vector<64xf8E4M3FN> to vector<64xbf16>
  return %y : vector<64xbf16>
}

// Half a register needs one interleaving.
// CHECK-LABEL: @half
// CHECK:         vector.shuffle {{.*}} [0, -1, 1, -1, 2, -1, 3, -1]
// CHECK-COUNT-2: vpermi2var
// CHECK-NOT:     [8, 72,
// CHECK:         vector.bitcast {{.*}} : vector<64xi8> to vector<32xf16>
func.func @half(%x: vector<32xf8E4M3FN>) -> vector<32xf16> {
  %y = tile.cast %x : vector<32xf8E4M3FN> to vector<32xf16>
  return %y : vector<32xf16>
}

// CHECK-LABEL: @e5m2_to_bf16
// CHECK-COUNT-4: vpermi2var
func.func @e5m2_to_bf16(%x: vector<128xf8E5M2>) -> vector<128xbf16> {
  %y = tile.cast %x : vector<128xf8E5M2> to vector<128xbf16>
  return %y : vector<128xbf16>
}

// All 16 numbers of e2m1, 0.5 to 6 and their negatives, are words of one register.
// CHECK-LABEL: @e2m1_to_bf16
// CHECK:         %[[TABLE:.*]] = arith.constant dense<[0, 16128, 16256, 16320, 16384, 16448, 16512, 16576, -32768, -16640, -16512, -16448, -16384, -16320, -16256, -16192, 0, {{.*}}]> : vector<32xi16>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.permvar.hi.512"(%[[TABLE]], {{.*}})
// WORDS-LABEL: @e2m1_to_bf16
// WORDS-COUNT-2: permvar.hi.512
func.func @e2m1_to_bf16(%x: vector<64xf4E2M1FN>) -> vector<64xbf16> {
  %y = tile.cast %x : vector<64xf4E2M1FN> to vector<64xbf16>
  return %y : vector<64xbf16>
}

// CHECK-LABEL: @e2m1_to_f32
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.permvar.si.512"({{.*}}) : (vector<16xi32>, vector<16xi32>) -> vector<16xi32>
func.func @e2m1_to_f32(%x: vector<16xf4E2M1FN>) -> vector<16xf32> {
  %y = tile.cast %x : vector<16xf4E2M1FN> to vector<16xf32>
  return %y : vector<16xf32>
}

// Left to expand-casts: fewer lanes; f32, whose upper half bf16 is; half of an f16; types
// whose highest bit is no sign; roundings.
// CHECK-LABEL: @others
// CHECK-NOT:     llvm.call_intrinsic
func.func @others(%a: vector<16xf8E4M3FN>, %b: vector<64xf8E4M3FN>, %c: vector<64xf8E5M2>,
                  %d: vector<64xf8E4M3FNUZ>, %e: vector<64xf8E8M0FNU>, %f: vector<64xbf16>,
                  %g: vector<16xf4E2M1FN>, %h: f8E4M3FN)
    -> (vector<16xbf16>, vector<64xf32>, vector<64xf16>, vector<64xbf16>, vector<64xbf16>,
        vector<64xf8E4M3FN>, vector<16xbf16>, bf16) {
  %0 = tile.cast %a : vector<16xf8E4M3FN> to vector<16xbf16>
  %1 = tile.cast %b : vector<64xf8E4M3FN> to vector<64xf32>
  %2 = tile.cast %c : vector<64xf8E5M2> to vector<64xf16>
  %3 = tile.cast %d : vector<64xf8E4M3FNUZ> to vector<64xbf16>
  %4 = tile.cast %e : vector<64xf8E8M0FNU> to vector<64xbf16>
  %5 = tile.cast %f : vector<64xbf16> to vector<64xf8E4M3FN>
  %6 = tile.cast %g : vector<16xf4E2M1FN> to vector<16xbf16>
  %7 = tile.cast %h : f8E4M3FN to bf16
  return %0, %1, %2, %3, %4, %5, %6, %7 : vector<16xbf16>, vector<64xf32>, vector<64xf16>,
      vector<64xbf16>, vector<64xbf16>, vector<64xf8E4M3FN>, vector<16xbf16>, bf16
}
