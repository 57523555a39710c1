// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RUN: %tilewright-opt %s --cpu-native-math=avx512dq=true | FileCheck %s
// RUN: %tilewright-opt %s --cpu-native-math | FileCheck %s --check-prefix=AVX2
// RUN: %tilewright-opt %s --cpu-native-math=orders-zeros=true | FileCheck %s --check-prefix=NEON

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

// The larger is the second operand where neither is larger, and NaN where the first is.
// AVX2-LABEL: @larger
// AVX2-SAME:    %[[X:.*]]: vector<8xf32>, %[[Y:.*]]: vector<8xf32>, %[[Z:.*]]: f64, %[[W:.*]]: f64
// AVX2:         %[[IS:.*]] = arith.cmpf ogt, %[[X]], %[[Y]]
// AVX2:         %[[ONE:.*]] = arith.select %[[IS]], %[[X]], %[[Y]]
// AVX2:         %[[NAN:.*]] = arith.cmpf uno, %[[X]], %[[X]]
// AVX2:         %[[NONE:.*]] = arith.constant dense<0x7FC00000>
// AVX2:         arith.select %[[NAN]], %[[NONE]], %[[ONE]]
// AVX2:         arith.cmpf olt, %[[Z]], %[[W]]
// AVX2:         arith.cmpf uno, %[[Z]], %[[Z]]
// A number where there is one.
// AVX2:         llvm.intr.maxnum(%[[Z]], %[[W]]) {fastmathFlags = #llvm.fastmath<nnan>} : (f64
// NEON-LABEL: @larger
// NEON:         llvm.intr.maximum(%{{.*}}, %{{.*}}) : (vector<8xf32>
// NEON:         llvm.intr.minimum(%{{.*}}, %{{.*}}) : (f64
// NEON:         llvm.intr.maxnum(%{{.*}}, %{{.*}}) {fastmathFlags = #llvm.fastmath<nnan>} : (f64
func.func @larger(%x: vector<8xf32>, %y: vector<8xf32>, %z: f64, %w: f64)
    -> (vector<8xf32>, f64, f64) {
  %0 = arith.maximumf %x, %y : vector<8xf32>
  %1 = arith.minimumf %z, %w : f64
  %2 = arith.maxnumf %z, %w fastmath<nnan> : f64
  return %0, %1, %2 : vector<8xf32>, f64, f64
}
