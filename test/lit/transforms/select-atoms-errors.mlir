// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --select-atoms=target=cpu:znver4 --verify-diagnostics
// RUN: not %tilewright-opt %s --select-atoms=target=cpu:x86-64-v3 2>&1 \
// RUN:   | FileCheck %s --check-prefix=V3
// RUN: not %tilewright-opt %s --select-atoms=target=cpu:znver9 2>&1 \
// RUN:   | FileCheck %s --check-prefix=MODEL
// RUN: not %tilewright-opt %s --select-atoms=target=abacus 2>&1 \
// RUN:   | FileCheck %s --check-prefix=FAMILY
// RUN: not %tilewright-opt %s --select-atoms=target=cpu:znver4,-sse2 2>&1 \
// RUN:   | FileCheck %s --check-prefix=FEATURE
// RUN: not %tilewright-opt %s --select-atoms=target=cpu:znver4,-avx2 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TOOLITTLE

// MODEL:     unknown CPU model 'znver9'; known are x86-64-v3, {{.*}}znver4
// FAMILY:    unknown target 'abacus'; this compiler has {{.*}}cpu
// FEATURE:   target 'cpu:znver4,-sse2': 'sse2' takes no feature away; write '-' and one of avx2,
// TOOLITTLE: target 'cpu:znver4,-avx2' {{.*}} lacks AVX2 or FMA

#shared = #tile.space<shared>

func.func @quad(%a: memref<16x16xf128, #shared>, %c: memref<16x16xf64, #shared>) {
  // V3: multiplies f128 x f128 into f64, for which cpu:x86-64-v3 has no instruction
  // expected-error @+1 {{multiplies f128 x f128 into f64, for which cpu:znver4 has no instruction; convert the operands to a type that it has}}
  tile.gemm %a, %a into %c
    : memref<16x16xf128, #shared>, memref<16x16xf128, #shared> into memref<16x16xf64, #shared>
  return
}
