// Numeric conversions become arithmetic; their values are tested in test/python/numerics.
// RUN: %tilewright-opt %s -expand-casts | FileCheck %s

// bf16 is the upper half of an f32, in both directions by integer operations.
// CHECK-LABEL: func @bf16_to_f32
// CHECK: %[[BITS:.*]] = arith.bitcast %arg0 : vector<16xbf16> to vector<16xi16>
// CHECK: %[[WIDE:.*]] = arith.extui %[[BITS]] : vector<16xi16> to vector<16xi32>
// CHECK: %[[HIGH:.*]] = arith.shli %[[WIDE]]
// CHECK: arith.bitcast %[[HIGH]] : vector<16xi32> to vector<16xf32>
func.func @bf16_to_f32(%x: vector<16xbf16>) -> vector<16xf32> {
  %y = tile.cast %x : vector<16xbf16> to vector<16xf32>
  return %y : vector<16xf32>
}

// CHECK-LABEL: func @f32_to_bf16
// CHECK-NOT: truncf
// CHECK: arith.cmpf uno, %arg0, %arg0
// CHECK: arith.trunci {{.*}} : i32 to i16
// CHECK: arith.bitcast {{.*}} : i16 to bf16
func.func @f32_to_bf16(%x: f32) -> bf16 {
  %y = tile.cast %x : f32 to bf16
  return %y : bf16
}

// f16 has instructions, but not from f64, where rounding to f32 first would round twice.
// CHECK-LABEL: func @to_f16
// CHECK: arith.truncf %arg0 : f32 to f16
// CHECK: %[[NEAR:.*]] = arith.truncf %arg1 : f64 to f32
// CHECK: arith.extf %[[NEAR]] : f32 to f64
// CHECK: %[[ODD:.*]] = arith.bitcast {{.*}} : i32 to f32
// CHECK: arith.truncf %[[ODD]] : f32 to f16
func.func @to_f16(%x: f32, %y: f64) -> (f16, f16) {
  %a = tile.cast %x : f32 to f16
  %b = tile.cast %y : f64 to f16
  return %a, %b : f16, f16
}

// f8 saturates: the magnitude is limited to that of 448 before it is rounded.
// CHECK-LABEL: func @f32_to_f8
// CHECK: %[[MOST:.*]] = arith.constant dense<1138753536> : vector<8xi32>
// CHECK: arith.cmpi ult, %{{.*}}, %[[MOST]]
// CHECK: arith.bitcast {{.*}} : vector<8xi8> to vector<8xf8E4M3FN>
func.func @f32_to_f8(%x: vector<8xf32>) -> vector<8xf8E4M3FN> {
  %y = tile.cast %x : vector<8xf32> to vector<8xf8E4M3FN>
  return %y : vector<8xf8E4M3FN>
}

// The bits of an f16 that is too small by a power of two. With all ones a carry reaches the
// highest bit of the exponent: a NaN of f16.
// CHECK-LABEL: func @f8_to_f16
// CHECK: %[[HALF:.*]] = arith.andi {{.*}} : i16
// CHECK: %[[SIZE:.*]] = arith.andi %[[HALF]], %c16256_i16 : i16
// CHECK: %[[MORE:.*]] = arith.addi %[[SIZE]], %c128_i16 : i16
// CHECK: %[[CARRY:.*]] = arith.andi %[[MORE]], %c16384_i16 : i16
// CHECK: %[[BITS:.*]] = arith.ori %[[HALF]], %[[CARRY]] : i16
// CHECK: %[[SMALL:.*]] = arith.bitcast %[[BITS]] : i16 to f16
// CHECK: %[[SCALE:.*]] = arith.constant 2.560000e+02 : f16
// CHECK: arith.mulf %[[SMALL]], %[[SCALE]] : f16
// CHECK-NOT: f32
func.func @f8_to_f16(%x: f8E4M3FN) -> f16 {
  %y = tile.cast %x : f8E4M3FN to f16
  return %y : f16
}

// An e5m2 is the upper half of an f16.
// CHECK-LABEL: func @e5m2_to_f16
// CHECK: arith.shli %{{.*}} : i16
// CHECK-NEXT: arith.bitcast %{{.*}} : i16 to f16
// CHECK-NEXT: return
func.func @e5m2_to_f16(%x: f8E5M2) -> f16 {
  %y = tile.cast %x : f8E5M2 to f16
  return %y : f16
}

// e8m0 is the exponent of an f32; its least power is denormal there.
// CHECK-LABEL: func @e8m0_to_f32
// CHECK: %[[CODE:.*]] = arith.extui {{.*}} : i8 to i32
// CHECK: arith.cmpi eq
// CHECK: arith.shli
// CHECK: arith.ori {{.*}} : i32
// CHECK: arith.bitcast {{.*}} : i32 to f32
func.func @e8m0_to_f32(%x: f8E8M0FNU) -> f32 {
  %y = tile.cast %x : f8E8M0FNU to f32
  return %y : f32
}

// f4 is 4 bits of an integer on both ends.
// CHECK-LABEL: func @f4_to_f32_and_back
// CHECK: arith.bitcast %arg0 : vector<8xf4E2M1FN> to vector<8xi4>
// CHECK: arith.extsi {{.*}} : vector<8xi4> to vector<8xi16>
// CHECK: arith.extf {{.*}} : vector<8xf16> to vector<8xf32>
// CHECK: arith.trunci {{.*}} : vector<8xi32> to vector<8xi4>
// CHECK: arith.bitcast {{.*}} : vector<8xi4> to vector<8xf4E2M1FN>
func.func @f4_to_f32_and_back(%x: vector<8xf4E2M1FN>) -> (vector<8xf32>, vector<8xf4E2M1FN>) {
  %y = tile.cast %x : vector<8xf4E2M1FN> to vector<8xf32>
  %z = tile.cast %y : vector<8xf32> to vector<8xf4E2M1FN>
  return %y, %z : vector<8xf32>, vector<8xf4E2M1FN>
}

// An infinity that is to be kept gets e5m2's code, 0x7c.
// CHECK-LABEL: func @kept_infinity
// CHECK: %[[INFINITY:.*]] = arith.constant 2139095040 : i32
// CHECK: %[[IS:.*]] = arith.cmpi eq, %{{.*}}, %[[INFINITY]]
// CHECK: %[[CODE:.*]] = arith.constant 124 : i32
// CHECK: arith.select %[[IS]], %[[CODE]], %{{.*}} : i32
func.func @kept_infinity(%x: f32) -> f8E5M2 {
  %y = tile.cast %x keep_infinity : f32 to f8E5M2
  return %y : f8E5M2
}

// Nothing that is out of range, and no NaN, reaches the conversion.
// CHECK-LABEL: func @to_int
// CHECK-DAG: %[[LOW:.*]] = arith.constant -1.280000e+02 : f32
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 1.280000e+02 : f32
// CHECK: %[[IN:.*]] = arith.andi
// CHECK: %[[SAFE:.*]] = arith.select %[[IN]], %arg0
// CHECK: %[[WHOLE:.*]] = arith.fptosi %[[SAFE]] : f32 to i8
// CHECK: %[[ABOVE:.*]] = arith.cmpf oge, %arg0, %[[HIGH]]
// CHECK: arith.select %[[ABOVE]], %c127_i8, %[[WHOLE]]
func.func @to_int(%x: f32) -> i8 {
  %y = tile.cast %x : f32 to i8
  return %y : i8
}

// CHECK-LABEL: func @truth
// CHECK: arith.cmpf une, %arg0
// CHECK: arith.cmpi ne, %arg1
// CHECK: arith.uitofp %arg2 : i1 to f32
func.func @truth(%x: f32, %n: i32, %p: i1) -> (i1, i1, f32) {
  %a = tile.cast %x : f32 to i1
  %b = tile.cast %n : i32 to i1
  %c = tile.cast %p : i1 to f32
  return %a, %b, %c : i1, i1, f32
}

// Integers that f32 may not hold go through f64 on their way to a narrow float.
// CHECK-LABEL: func @from_int
// CHECK: arith.sitofp %arg0 : i32 to f32
// CHECK: arith.sitofp %arg0 : i32 to f64
// CHECK: arith.uitofp %arg1 : i8 to f32
func.func @from_int(%n: i32, %m: i8) -> (f32, bf16, f16) {
  %a = tile.cast %n : i32 to f32
  %b = tile.cast %n : i32 to bf16
  %c = tile.cast %m unsigned_source : i8 to f16
  return %a, %b, %c : f32, bf16, f16
}

// CHECK-LABEL: func @integers
// CHECK: arith.extsi %arg0 : i8 to i32
// CHECK: arith.extui %arg0 : i8 to i32
// CHECK: arith.trunci %arg1 : i64 to i16
// CHECK: %[[I:.*]] = arith.index_cast %arg2 : index to i64
// CHECK: arith.sitofp %[[I]] : i64 to f32
// CHECK: arith.index_cast
func.func @integers(%a: i8, %b: i64, %i: index) -> (i32, i32, i16, f32, index) {
  %r = tile.cast %a : i8 to i32
  %s = tile.cast %a unsigned_source : i8 to i32
  %t = tile.cast %b : i64 to i16
  %u = tile.cast %i : index to f32
  %v = tile.cast %r : i32 to index
  return %r, %s, %t, %u, %v : i32, i32, i16, f32, index
}
