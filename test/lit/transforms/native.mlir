// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a target does itself is left to it: exp2 of f32, but not of f64, and rounding to bf16.
// RUN: tilewright-opt %s --expand-math="native-exp2" | FileCheck %s --check-prefix=EXP2
// RUN: tilewright-opt %s --expand-casts="native-bf16" | FileCheck %s --check-prefix=BF16
// RUN: tilewright-opt %s --expand-casts | FileCheck %s --check-prefix=BITS

// EXP2-LABEL: @exp2
// EXP2:         math.exp2 %{{.*}} : f32
// EXP2-NOT:     math.exp2
// EXP2:         return
func.func @exp2(%x: f32, %y: f64) -> (f32, f64) {
  %a = math.exp2 %x : f32
  %b = math.exp2 %y : f64
  return %a, %b : f32, f64
}

// BF16-LABEL: @round
// BF16:         arith.truncf %{{.*}} : f32 to bf16
// BITS-LABEL: @round
// BITS-NOT:     arith.truncf
// BITS:         arith.trunci %{{.*}} : i32 to i16
// BITS:         arith.bitcast %{{.*}} : i16 to bf16
func.func @round(%x: f32) -> bf16 {
  %a = tile.cast %x : f32 to bf16
  return %a : bf16
}
