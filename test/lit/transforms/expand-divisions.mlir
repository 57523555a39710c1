// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Divisions that round up become those towards zero; what a GPU has stays.
// RUN: tilewright-opt %s --expand-divisions | FileCheck %s

// CHECK-LABEL: @blocks
// CHECK-NOT:     arith.ceildivsi
// CHECK:         arith.divsi
// CHECK-NOT:     arith.floordivsi
// CHECK:         arith.divsi
// CHECK:         arith.maximumf
func.func @blocks(%n: index, %m: index, %x: f32, %y: f32) -> (index, index, f32) {
  %a = arith.ceildivsi %n, %m : index
  %b = arith.floordivsi %n, %m : index
  %c = arith.maximumf %x, %y : f32
  return %a, %b, %c : index, index, f32
}
