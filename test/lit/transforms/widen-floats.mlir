// Arithmetic on floats narrower than f32 is done in f32 and rounded after each operation.
// RUN: %tilewright-opt %s -widen-floats | FileCheck %s

// CHECK-LABEL: func @sum
// CHECK: %[[A:.*]] = tile.cast %arg0 : bf16 to f32
// CHECK: %[[B:.*]] = tile.cast %arg1 : bf16 to f32
// CHECK: %[[S:.*]] = arith.addf %[[A]], %[[B]] : f32
// CHECK: %[[R:.*]] = tile.cast %[[S]] : f32 to bf16
// CHECK: return %[[R]]
func.func @sum(%x: bf16, %y: bf16) -> bf16 {
  %z = arith.addf %x, %y : bf16
  return %z : bf16
}

// Each result is rounded before the next operation widens it again.
// CHECK-LABEL: func @chain
// CHECK: arith.mulf {{.*}} : vector<16xf32>
// CHECK-NEXT: %[[R:.*]] = tile.cast {{.*}} : vector<16xf32> to vector<16xf16>
// CHECK-NEXT: tile.cast %[[R]] : vector<16xf16> to vector<16xf32>
// CHECK: math.exp {{.*}} : vector<16xf32>
func.func @chain(%x: vector<16xf16>) -> vector<16xf16> {
  %y = arith.mulf %x, %x : vector<16xf16>
  %z = math.exp %y : vector<16xf16>
  return %z : vector<16xf16>
}

// A comparison has no result to round; constants are widened in place.
// CHECK-LABEL: func @positive
// CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<5.000000e-01> : vector<8xf32>
// CHECK-DAG: %[[A:.*]] = tile.cast %arg0 : vector<8xf8E4M3FN> to vector<8xf32>
// CHECK: arith.cmpf ogt, %[[A]], %[[ZERO]] : vector<8xf32>
func.func @positive(%x: vector<8xf8E4M3FN>) -> vector<8xi1> {
  %zero = arith.constant dense<0.5> : vector<8xf8E4M3FN>
  %p = arith.cmpf ogt, %x, %zero : vector<8xf8E4M3FN>
  return %p : vector<8xi1>
}

// Moving and reinterpreting is no arithmetic; f32 and f64 are wide enough.
// CHECK-LABEL: func @unchanged
// CHECK-NOT: tile.cast
// CHECK: arith.select {{.*}} : bf16
// CHECK: arith.bitcast {{.*}} : bf16 to i16
// CHECK: arith.addf {{.*}} : f32
// CHECK: arith.addf {{.*}} : f64
func.func @unchanged(%c: i1, %x: bf16, %y: bf16, %s: f32, %d: f64) -> (i16, f32, f64) {
  %z = arith.select %c, %x, %y : bf16
  %i = arith.bitcast %z : bf16 to i16
  %t = arith.addf %s, %s : f32
  %e = arith.addf %d, %d : f64
  return %i, %t, %e : i16, f32, f64
}

// What is computed is converted as by a cast, and saturates; the extremum of two numbers is
// one of them, and an infinity stays.
// CHECK-LABEL: @infinities
// CHECK:         %[[SUM:.*]] = arith.addf
// CHECK:         tile.cast %[[SUM]] : f32 to f8E5M2
// CHECK:         %[[MAX:.*]] = arith.maximumf
// CHECK:         tile.cast %[[MAX]] keep_infinity : f32 to f8E5M2
// CHECK:         %[[NEGATIVE:.*]] = arith.negf
// CHECK:         tile.cast %[[NEGATIVE]] keep_infinity : f32 to f8E5M2
func.func @infinities(%x: f8E5M2, %y: f8E5M2) -> (f8E5M2, f8E5M2, f8E5M2) {
  %sum = arith.addf %x, %y : f8E5M2
  %max = arith.maximumf %x, %y : f8E5M2
  %negative = arith.negf %x : f8E5M2
  return %sum, %max, %negative : f8E5M2, f8E5M2, f8E5M2
}
