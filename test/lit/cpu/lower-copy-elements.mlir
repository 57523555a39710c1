// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Copies between element types, and those that go element by element.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: %tilewright-opt %s --cpu-lower-copy=vector-bits=256 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,NARROW

#global = #tile.space<global>
#shared = #tile.space<shared>

// The wider type fills the vector. Before AVX-512 no instruction masks lanes of 16 bits.
// CHECK-LABEL: @cast
// CHECK-SAME:    %[[X:.*]]: memref<?xbf16, {{.*}}, %[[S:.*]]: memref<40xf32
// CHECK:         scf.if
// WIDE:            %[[V:.*]] = vector.load %[[X]]{{.*}}, vector<16xbf16>
// NARROW:          %[[V:.*]] = vector.load %[[X]]{{.*}}, vector<8xbf16>
// CHECK:           %[[W:.*]] = tile.cast %[[V]]
// CHECK:           vector.store %[[W]], %[[S]]
// CHECK:         else
// WIDE:            %[[M:.*]] = vector.maskedload %[[X]]{{.*}} into vector<16xbf16>
// WIDE:            %[[N:.*]] = tile.cast %[[M]] : vector<16xbf16> to vector<16xf32>
// WIDE:            vector.maskedstore %[[S]]{{.*}}, %[[N]]
// NARROW-NOT:      mask
// NARROW:          %[[E:.*]] = scf.if %{{.*}} -> (f32) {
// NARROW:            %[[L:.*]] = memref.load %[[X]]
// NARROW:            %[[C:.*]] = tile.cast %[[L]] : bf16 to f32
// NARROW:            scf.yield %[[C]]
// NARROW:          } else {
// NARROW:            %[[ZERO:.*]] = tile.cast %cst : bf16 to f32
// NARROW:            scf.yield %[[ZERO]]
// NARROW:          memref.store %[[E]], %[[S]]
func.func @cast(%x: memref<?xbf16, #global>, %i: index, %s: memref<40xf32, #shared>) {
  tile.copy %x[%i][40] to %s[0][40] : memref<?xbf16, #global> to memref<40xf32, #shared>
  return
}

// Whether integers are unsigned is said of those alone.
// CHECK-LABEL: @unsigned
// CHECK:         tile.cast %{{.*}} unsigned_source unsigned_result : vector<{{.*}}xi8> to vector<{{.*}}xi32>
// CHECK:         tile.cast %{{.*}} unsigned_source : vector<{{.*}}xi8> to vector<{{.*}}xf32>
// CHECK:         tile.cast %{{.*}} : vector<{{.*}}xi8> to vector<{{.*}}xi32>
func.func @unsigned(%b: memref<64xi8, #shared>, %w: memref<64xi32, #shared>,
                    %f: memref<64xf32, #shared>) {
  tile.copy %b[0][64] to %w[0][64] unsigned : memref<64xi8, #shared> to memref<64xi32, #shared>
  tile.copy %b[0][64] to %f[0][64] unsigned : memref<64xi8, #shared> to memref<64xf32, #shared>
  tile.copy %b[0][64] to %w[0][64] : memref<64xi8, #shared> to memref<64xi32, #shared>
  return
}

// Elements that are apart in memory, and one alone, are no vectors.
// CHECK-LABEL: @apart
// CHECK-SAME:    %[[X:.*]]: memref<64x32xf32, strided<[?, 2]>, {{.*}}, %[[T:.*]]: memref<16xf32
// CHECK-NOT:     vector.
// CHECK:         scf.for %[[I:.*]] = %c0 to %c16 step %c1
// CHECK:           scf.for %[[J:.*]] = %c0 to %c32 step %c1
// CHECK:             memref.load %[[X]][%[[I]], %[[J]]]
// CHECK-NOT:     vector.
// CHECK:         scf.for %[[K:.*]] = %c0 to %c16 step %c1
// CHECK:           %[[V:.*]] = memref.load %[[X]][%[[K]], %c5]
// CHECK:           memref.store %[[V]], %[[T]][%[[K]]]
// CHECK:         %[[W:.*]] = memref.load %[[X]][%c1, %c2]
// CHECK-NEXT:    memref.store %[[W]], %[[T]][%c3]
// CHECK-NOT:     vector.
func.func @apart(%x: memref<64x32xf32, strided<[?, 2]>, #global>,
                 %s: memref<16x32xf32, #shared>, %t: memref<16xf32, #shared>) {
  tile.copy %x[0, 0][16, 32] to %s[0, 0][16, 32]
    : memref<64x32xf32, strided<[?, 2]>, #global> to memref<16x32xf32, #shared>
  tile.copy %x[0, 5][16, 1] to %t[0][16]
    : memref<64x32xf32, strided<[?, 2]>, #global> to memref<16xf32, #shared>
  tile.copy %x[1, 2][1, 1] to %t[3][1]
    : memref<64x32xf32, strided<[?, 2]>, #global> to memref<16xf32, #shared>
  return
}

// A tile is one run of memory, whatever its shape; a tensor is filled row by row.
// CHECK-LABEL: @fill
// CHECK-SAME:    %[[S:.*]]: memref<3x15xbf16, {{.*}}, %[[X:.*]]: memref<?x?xf32, strided<[?, 1]>, {{.*}}, %[[Y:.*]]: memref<4x?xf32, strided<[?, 2]>
// CHECK:         %[[FLAT:.*]] = memref.collapse_shape %[[S]] {{.*}} into memref<45xbf16
// WIDE:          vector.store %{{.*}}, %[[FLAT]][%c0] : {{.*}}, vector<32xbf16>
// NARROW:        vector.store %{{.*}}, %[[FLAT]][%{{.*}}] : {{.*}}, vector<16xbf16>
// CHECK:         vector.store %{{.*}}, %[[FLAT]][%c32] : {{.*}}, vector<8xbf16>
// CHECK:         vector.store %{{.*}}, %[[FLAT]][%c40] : {{.*}}, vector<4xbf16>
// CHECK:         vector.store %{{.*}}, %[[FLAT]][%c44] : {{.*}}, vector<1xbf16>
// CHECK:         scf.for %[[I:.*]] = %c0 to %{{.*}} step %c1
// CHECK:           %[[N:.*]] = memref.dim %[[X]], %c1
// WIDE:            %[[REST:.*]] = arith.remui %[[N]], %c16
// NARROW:          %[[REST:.*]] = arith.remui %[[N]], %c8
// CHECK:           %[[MAIN:.*]] = arith.subi %[[N]], %[[REST]]
// CHECK:           scf.for %[[J:.*]] = %c0 to %[[MAIN]]
// CHECK:             vector.store %{{.*}}, %[[X]][%[[I]], %[[J]]]
// CHECK:           scf.for %[[K:.*]] = %[[MAIN]] to %[[N]] step %c1
// CHECK:             memref.store %{{.*}}, %[[X]][%[[I]], %[[K]]]
// CHECK-NOT:     vector.store
// CHECK:         memref.store %{{.*}}, %[[Y]]
func.func @fill(%s: memref<3x15xbf16, #shared>, %x: memref<?x?xf32, strided<[?, 1]>, #global>,
                %y: memref<4x?xf32, strided<[?, 2]>, #global>, %v: f32, %h: bf16) {
  tile.fill %s, %h : memref<3x15xbf16, #shared>
  tile.fill %x, %v : memref<?x?xf32, strided<[?, 1]>, #global>
  tile.fill %y, %v : memref<4x?xf32, strided<[?, 2]>, #global>
  return
}
