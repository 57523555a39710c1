// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --cpu-native-math=avx512dq=true | FileCheck %s
// RUN: %tilewright-opt %s --cpu-native-math | FileCheck %s --check-prefix=AVX2

// The fraction of x, a polynomial of degree 6, and the scale by x less the fraction.
// CHECK-LABEL: @exp2
// CHECK-SAME:    %[[X:.*]]: vector<16xf32>
// CHECK-DAG:     %[[NEAREST:.*]] = arith.constant 8 : i32
// CHECK:         %[[F:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.reduce.ps.512"(%[[X]], %[[NEAREST]]
// CHECK:         %[[N:.*]] = arith.subf %[[X]], %[[F]]
// CHECK-COUNT-6: math.fma
// CHECK:         %[[R:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"(%{{.*}}, %[[N]]
// CHECK-NEXT:    return %[[R]]
// AVX2-LABEL: @exp2
// AVX2-NEXT:    math.exp2
func.func @exp2(%x: vector<16xf32>) -> vector<16xf32> {
  %r = math.exp2 %x : vector<16xf32>
  return %r : vector<16xf32>
}

// Infinities would be their own distance from the nearest multiple of log(2): they are
// limited before.
// CHECK-LABEL: @exp
// CHECK:         arith.constant dense<8.900000e+01> : vector<8xf32>
// CHECK-COUNT-3: math.fma
// CHECK:         "llvm.x86.avx512.mask.scalef.ps.256"
// CHECK-NOT:     reduce.ps
func.func @exp(%x: vector<8xf32>) -> vector<8xf32> {
  %r = math.exp %x : vector<8xf32>
  return %r : vector<8xf32>
}

// What is no register stays.
// CHECK-LABEL: @others
// CHECK:         math.exp2 {{.*}} : f32
// CHECK:         math.exp2 {{.*}} : vector<2xf32>
// CHECK:         math.exp2 {{.*}} : vector<8xf64>
// CHECK:         math.log {{.*}} : vector<16xf32>
func.func @others(%a: f32, %b: vector<2xf32>, %c: vector<8xf64>, %d: vector<16xf32>)
    -> (f32, vector<2xf32>, vector<8xf64>, vector<16xf32>) {
  %0 = math.exp2 %a : f32
  %1 = math.exp2 %b : vector<2xf32>
  %2 = math.exp2 %c : vector<8xf64>
  %3 = math.log %d : vector<16xf32>
  return %0, %1, %2, %3 : f32, vector<2xf32>, vector<8xf64>, vector<16xf32>
}

// AVX2-LABEL: @larger
// AVX2:         llvm.intr.maximum(%{{.*}}, %{{.*}}) {fastmathFlags = #llvm.fastmath<nsz>}
// AVX2:         llvm.intr.minimum(%{{.*}}, %{{.*}}) {fastmathFlags = #llvm.fastmath<nsz>}
// AVX2:         llvm.intr.maxnum(%{{.*}}, %{{.*}}) {fastmathFlags = #llvm.fastmath<nsz>}
func.func @larger(%x: vector<8xf32>, %y: vector<8xf32>, %z: f64)
    -> (vector<8xf32>, f64, f64) {
  %0 = arith.maximumf %x, %y : vector<8xf32>
  %1 = arith.minimumf %z, %z : f64
  %2 = arith.maxnumf %z, %z : f64
  return %0, %1, %2 : vector<8xf32>, f64, f64
}
