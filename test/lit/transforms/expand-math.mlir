// Functions become arithmetic without calls; their errors are tested in
// test/python/language/test_maths.py.
// RUN: %tilewright-opt %s -expand-math | FileCheck %s

// CHECK-NOT: func.func private
// CHECK-NOT: call @

// CHECK-LABEL: func @f32
// CHECK-NOT: math.{{exp|log|tanh|erf|rsqrt}}
// CHECK: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: math.{{exp|log|tanh|erf|rsqrt}}
// CHECK: return
func.func @f32(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  %1 = math.exp2 %0 : vector<16xf32>
  %2 = math.log %1 : vector<16xf32>
  %3 = math.log2 %2 : vector<16xf32>
  %4 = math.tanh %3 : vector<16xf32>
  %5 = math.erf %4 : vector<16xf32>
  %6 = math.rsqrt %5 : vector<16xf32>
  return %6 : vector<16xf32>
}

// 128 and -160 give infinity and zero; nothing is converted to an integer.
// CHECK-LABEL: func @exp2
// CHECK-DAG: arith.constant 1.280000e+02 : f32
// CHECK-DAG: arith.constant -1.600000e+02 : f32
// CHECK-NOT: fptosi
// CHECK-COUNT-6: math.fma {{.*}} : f32
func.func @exp2(%x: f32) -> f32 {
  %0 = math.exp2 %x : f32
  return %0 : f32
}

// A huge argument in any lane takes the branch that multiplies by the bits of 2/pi; each
// lane keeps the result that is its own.
// CHECK-LABEL: func @sine
// CHECK: arith.extf %arg0 : vector<4xf32> to vector<4xf64>
// CHECK: %[[HUGE:.*]] = arith.cmpf oge, {{.*}} : vector<4xf32>
// CHECK: %[[ANY:.*]] = vector.reduction <or>, %[[HUGE]] : vector<4xi1> into i1
// CHECK: scf.if %[[ANY]] -> (vector<4xi32>, vector<4xf64>, vector<4xf64>)
// CHECK-COUNT-2: arith.mului_extended {{.*}} : vector<4xi64>
// CHECK: arith.select %[[HUGE]]
// CHECK: else
func.func @sine(%x: vector<4xf32>) -> vector<4xf32> {
  %0 = math.sin %x : vector<4xf32>
  return %0 : vector<4xf32>
}

// CHECK-LABEL: func @f64
// CHECK-NOT: math.{{exp|log|sin|cos|tan|a|erf|powf}}
// CHECK: math.fma {{.*}} : vector<2xf64>
// CHECK: return
func.func @f64(%x: vector<2xf64>) -> vector<2xf64> {
  %0 = math.exp %x : vector<2xf64>
  %1 = math.exp2 %0 : vector<2xf64>
  %2 = math.expm1 %1 : vector<2xf64>
  %3 = math.log %2 : vector<2xf64>
  %4 = math.log2 %3 : vector<2xf64>
  %5 = math.log10 %4 : vector<2xf64>
  %6 = math.log1p %5 : vector<2xf64>
  %7 = math.erf %6 : vector<2xf64>
  %8 = math.powf %7, %x : vector<2xf64>
  %9 = math.rsqrt %8 : vector<2xf64>
  return %9 : vector<2xf64>
}

// CHECK-LABEL: func @hyperbolic
// CHECK-NOT: math.{{sinh|cosh|tanh|asinh|acosh|atanh}}
// CHECK: return
func.func @hyperbolic(%x: f64) -> f64 {
  %0 = math.sinh %x : f64
  %1 = math.cosh %0 : f64
  %2 = math.tanh %1 : f64
  %3 = math.asinh %2 : f64
  %4 = math.acosh %3 : f64
  %5 = math.atanh %4 : f64
  return %5 : f64
}

// CHECK-LABEL: func @angles
// CHECK-NOT: math.{{sin|cos|tan|asin|acos|atan|atan2}}
// CHECK: return
func.func @angles(%x: f64) -> f64 {
  %0 = math.sin %x : f64
  %1 = math.cos %0 : f64
  %2 = math.tan %1 : f64
  %3 = math.asin %2 : f64
  %4 = math.acos %3 : f64
  %5 = math.atan %4 : f64
  %6 = math.atan2 %5, %x : f64
  return %6 : f64
}

// f32 without code of its own is computed in f64.
// CHECK-LABEL: func @power
// CHECK-COUNT-2: arith.extf {{.*}} : f32 to f64
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @power(%x: f32, %y: f32) -> f32 {
  %0 = math.powf %x, %y : f32
  return %0 : f32
}

// Steps of a division, each exact, until the rest of every lane is less than y.
// CHECK-LABEL: func @remainder
// CHECK: scf.while
// CHECK: %[[MORE:.*]] = arith.cmpf oge, {{.*}} : vector<4xf64>
// CHECK: vector.reduction <or>, %[[MORE]]
// CHECK: math.trunc
// CHECK: math.fma
// CHECK: arith.truncf {{.*}} : vector<4xf64> to vector<4xf32>
func.func @remainder(%x: vector<4xf32>, %y: vector<4xf32>) -> vector<4xf32> {
  %0 = arith.remf %x, %y : vector<4xf32>
  return %0 : vector<4xf32>
}

// What the hardware has stays; max and min need no order of zeros.
// CHECK-LABEL: func @hardware
// CHECK: math.sqrt
// CHECK: math.floor
// CHECK: math.roundeven
// CHECK: arith.maximumf {{.*}} fastmath<nsz>
// CHECK: arith.minimumf {{.*}} fastmath<nsz>
func.func @hardware(%x: f32) -> f32 {
  %0 = math.sqrt %x : f32
  %1 = math.floor %0 : f32
  %2 = math.roundeven %1 : f32
  %3 = arith.maximumf %2, %x : f32
  %4 = arith.minimumf %3, %0 : f32
  return %4 : f32
}
