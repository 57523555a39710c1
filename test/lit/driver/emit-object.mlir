// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The LLVM part of the compiler as a pass: the module stays as it is, and what LLVM cannot
// do is said.
// RUN: %tilewright-opt %s --emit-object=target=cpu:znver4 | FileCheck %s
// RUN: not %tilewright-opt %s --emit-object=target=nonsense 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: no backend for target 'nonsense'

// CHECK: llvm.func @twice
llvm.func @twice(%x: f32) -> f32 {
  %y = llvm.fadd %x, %x : f32
  llvm.return %y : f32
}
