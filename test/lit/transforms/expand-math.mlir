// Functions of f32 become polynomials; their errors are tested in test/python/numerics.
// RUN: %tilewright-opt %s -expand-math | FileCheck %s

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

// A huge argument in any lane takes the branch that calls libm.
// CHECK-LABEL: func @sine
// CHECK: %[[HUGE:.*]] = vector.reduction <or>, {{.*}} : vector<4xi1> into i1
// CHECK: scf.if %[[HUGE]] -> (vector<4xf32>)
// CHECK-COUNT-4: call @sin({{.*}}) : (f64) -> f64
// CHECK: else
// CHECK: arith.extf %arg0 : vector<4xf32> to vector<4xf64>
func.func @sine(%x: vector<4xf32>) -> vector<4xf32> {
  %0 = math.sin %x : vector<4xf32>
  return %0 : vector<4xf32>
}

// CHECK-LABEL: func @f64
// CHECK: call @exp(%arg0) : (f64) -> f64
// CHECK: call @exp({{.*}}) : (f64) -> f64
// CHECK: call @exp({{.*}}) : (f64) -> f64
// CHECK: vector.from_elements {{.*}} : vector<2xf64>
// CHECK: call @pow({{.*}}) : (f64, f64) -> f64
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @f64(%x: f64, %y: vector<2xf64>, %z: f32) -> (f64, vector<2xf64>, f32) {
  %0 = math.exp %x : f64
  %1 = math.exp %y : vector<2xf64>
  %2 = math.powf %z, %z : f32
  return %0, %1, %2 : f64, vector<2xf64>, f32
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
