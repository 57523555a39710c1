// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers of f32 are rounded to bf16 by the CPU's instruction where it is right.
//
// RUN: %tilewright-opt %s --cpu-native-casts=avx512bf16 | FileCheck %s
// RUN: %tilewright-opt %s --cpu-native-casts | FileCheck %s --check-prefix=WITHOUT
// WITHOUT-NOT: llvm.call_intrinsic

// Quiet NaNs, denormals and signalling NaNs (1, 32 and 128) are what it is wrong for.
// CHECK-LABEL: @register
// CHECK:         %[[ODD:.*]] = arith.constant 161 : i32
// CHECK:         %[[LANES:.*]] = llvm.call_intrinsic "llvm.x86.avx512.fpclass.ps.512"(%arg0, %[[ODD]]) : (vector<16xf32>, i32) -> vector<16xi1>
// CHECK:         %[[MASK:.*]] = llvm.bitcast %[[LANES]] : vector<16xi1> to i16
// CHECK:         %[[ANY:.*]] = arith.cmpi ne, %[[MASK]], %c0_i16
// CHECK:         scf.if %[[ANY]] -> (vector<16xbf16>) {
// CHECK-NEXT:      %[[EXACT:.*]] = tile.cast %arg0
// CHECK-NEXT:      scf.yield %[[EXACT]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[FAST:.*]] = llvm.call_intrinsic "llvm.x86.avx512bf16.cvtneps2bf16.512"(%arg0)
// CHECK-NEXT:      scf.yield %[[FAST]]
func.func @register(%x: vector<16xf32>) -> vector<16xbf16> {
  %y = tile.cast %x : vector<16xf32> to vector<16xbf16>
  return %y : vector<16xbf16>
}

// CHECK-LABEL: @half
// CHECK:         fpclass.ps.256
// CHECK:         cvtneps2bf16.256
func.func @half(%x: vector<8xf32>) -> vector<8xbf16> {
  %y = tile.cast %x : vector<8xf32> to vector<8xbf16>
  return %y : vector<8xbf16>
}

// Other types, and fewer lanes, are left to expand-casts.
// CHECK-LABEL: @others
// CHECK-NOT:     llvm.call_intrinsic
func.func @others(%x: vector<4xf32>, %y: f32, %z: vector<16xf32>) -> (vector<4xbf16>, bf16, vector<16xf16>) {
  %a = tile.cast %x : vector<4xf32> to vector<4xbf16>
  %b = tile.cast %y : f32 to bf16
  %c = tile.cast %z : vector<16xf32> to vector<16xf16>
  return %a, %b, %c : vector<4xbf16>, bf16, vector<16xf16>
}
