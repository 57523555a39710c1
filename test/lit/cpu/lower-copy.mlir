// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A copy is loops over rows of vectors; only rows that meet an edge pay for masks.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: %tilewright-opt %s --cpu-lower-copy=vector-bits=256 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,NARROW

#global = #tile.space<global>
#shared = #tile.space<shared>

// A region that is seen to lie inside has no masks, and ends in narrower vectors.
// CHECK-LABEL: @inside
// CHECK-SAME:    %[[X:.*]]: memref<64x128xf32, {{.*}}, %[[S:.*]]: memref<8x44xf32
// CHECK-NOT:     scf.if
// CHECK-NOT:     mask
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// WIDE:            scf.for %[[J:.*]] = %c0 to %c32 step %c16
// NARROW:          scf.for %[[J:.*]] = %c0 to %c40 step %c8
// CHECK-DAG:         %[[ROW:.*]] = arith.addi %[[I]], %c8
// CHECK-DAG:         %[[COLUMN:.*]] = arith.addi %[[J]], %c16
// WIDE:              %[[V:.*]] = vector.load %[[X]][%[[ROW]], %[[COLUMN]]] : {{.*}}, vector<16xf32>
// NARROW:            %[[V:.*]] = vector.load %[[X]][%[[ROW]], %[[COLUMN]]] : {{.*}}, vector<8xf32>
// CHECK-NEXT:        vector.store %[[V]], %[[S]][%[[I]], %[[J]]]
// WIDE:            vector.load %[[X]][%{{.*}}, %c48] : {{.*}}, vector<8xf32>
// WIDE-NEXT:       vector.store %{{.*}}, %[[S]][%[[I]], %c32] : {{.*}}, vector<8xf32>
// CHECK:           vector.load %[[X]][%{{.*}}, %c56] : {{.*}}, vector<4xf32>
// CHECK-NEXT:      vector.store %{{.*}}, %[[S]][%[[I]], %c40] : {{.*}}, vector<4xf32>
// CHECK-NOT:       vector.load
func.func @inside(%x: memref<64x128xf32, #global>, %s: memref<8x44xf32, #shared>) {
  tile.copy %x[8, 16][8, 44] to %s[0, 0][8, 44]
    : memref<64x128xf32, #global> to memref<8x44xf32, #shared>
  return
}

// The edge is found before the loop. A row is whole where its number and all its columns
// exist; of another row, the lanes that exist are read and all of the tile is written.
// CHECK-LABEL: @read
// CHECK-SAME:    %[[X:.*]]: memref<?x?xf32, {{.*}}, %[[I0:.*]]: index, %[[J0:.*]]: index, %[[S:.*]]: memref<8x40xf32
// CHECK:         %[[M:.*]] = memref.dim %[[X]], %c0
// CHECK:         arith.subi %[[M]], %[[I0]]
// CHECK:         %[[N:.*]] = memref.dim %[[X]], %c1
// CHECK:         %[[BEFORE:.*]] = arith.subi %c0, %[[J0]]
// CHECK:         %[[OUT:.*]] = arith.maxsi %[[BEFORE]], %c0
// CHECK:         %[[LOWER:.*]] = arith.minsi %[[OUT]], %c40
// CHECK:         %[[LEFT:.*]] = arith.subi %[[N]], %[[J0]]
// CHECK:         %[[UPTO:.*]] = arith.minsi %[[LEFT]], %c40
// CHECK:         %[[UPPER:.*]] = arith.maxsi %[[UPTO]], %[[LOWER]]
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// CHECK:           %[[VALID:.*]] = arith.andi
// CHECK-DAG:       %[[STARTS:.*]] = arith.cmpi eq, %[[LOWER]], %c0
// CHECK-DAG:       %[[ENDS:.*]] = arith.cmpi eq, %[[UPPER]], %c40
// CHECK:           %[[FULL:.*]] = arith.andi %[[STARTS]], %[[ENDS]]
// CHECK:           %[[WHOLE:.*]] = arith.andi %[[VALID]], %[[FULL]]
// CHECK:           scf.if %[[WHOLE]] {
// CHECK:             vector.load %[[X]]
// CHECK-NOT:         mask
// CHECK:           } else {
// CHECK:             scf.if %[[VALID]] {
// CHECK:             scf.for %[[J:.*]] = %c0 to %c40
// CHECK:               %[[N1:.*]] = arith.subi %[[UPPER]], %[[J]]
// CHECK:               %[[BELOW:.*]] = vector.create_mask %[[N1]]
// CHECK:               %[[N2:.*]] = arith.subi %[[LOWER]], %[[J]]
// CHECK:               %[[NOTYET:.*]] = vector.create_mask %[[N2]]
// CHECK:               %[[LANES:.*]] = arith.cmpi ugt, %[[BELOW]], %[[NOTYET]]
// CHECK:               %[[V:.*]] = vector.maskedload %[[X]][{{.*}}], %[[LANES]], %cst
// WIDE:                %[[N3:.*]] = arith.subi %c40, %[[J]]
// WIDE:                %[[TILE:.*]] = vector.create_mask %[[N3]]
// WIDE:                vector.maskedstore %[[S]][%[[I]], %[[J]]], %[[TILE]], %[[V]]
// NARROW:              vector.store %[[V]], %[[S]][%[[I]], %[[J]]]
// CHECK:             } else {
// CHECK-NOT:           load
// WIDE:                vector.maskedstore %[[S]][%[[I]], {{.*}}, %cst
// NARROW:              vector.store %cst, %[[S]][%[[I]], {{.*}}
func.func @read(%x: memref<?x?xf32, #global>, %i: index, %j: index,
                %s: memref<8x40xf32, #shared>) {
  tile.copy %x[%i, %j][8, 40] to %s[0, 0][8, 40]
    : memref<?x?xf32, #global> to memref<8x40xf32, #shared>
  return
}

// Of a row that begins inside and is cut: vectors of elements that exist, one with a mask
// for those that fill none, and zeros.
// CHECK-LABEL: @cut
// CHECK-SAME:    %[[X:.*]]: memref<8x100xf32, {{.*}}, %[[S:.*]]: memref<8x64xf32
// CHECK:         %[[UPPER:.*]] = arith.maxsi
// CHECK:         %[[REST:.*]] = arith.remui %[[UPPER]], %c{{16|8}}
// CHECK:         %[[WHOLE:.*]] = arith.subi %[[UPPER]], %[[REST]]
// CHECK:         scf.for %[[J:.*]] = %c0 to %[[WHOLE]] step
// CHECK:           %[[V:.*]] = vector.load %[[X]]
// CHECK:           vector.store %[[V]], %[[S]][%{{.*}}, %[[J]]]
// CHECK:         %[[ISCUT:.*]] = arith.cmpi ne, %[[REST]], %c0
// CHECK:         scf.if %[[ISCUT]] {
// CHECK:           %[[PART:.*]] = vector.maskedload %[[X]]
// CHECK:           vector.store %[[PART]], %[[S]][%{{.*}}, %[[WHOLE]]]
// CHECK:         %[[BEHIND:.*]] = arith.addi %[[WHOLE]], %{{.*}}
// CHECK:         scf.for %[[J2:.*]] = %[[BEHIND]] to %c64 step
// CHECK-NOT:       load
// CHECK:           vector.store %cst, %[[S]][%{{.*}}, %[[J2]]]
func.func @cut(%x: memref<8x100xf32, #global>, %s: memref<8x64xf32, #shared>) {
  %c2 = arith.constant 2 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%b) in (%c2) {
    %j = arith.muli %b, %c64 : index
    tile.copy %x[0, %j][8, 64] to %s[0, 0][8, 64]
      : memref<8x100xf32, #global> to memref<8x64xf32, #shared>
  }
  return
}

// Rows that do not exist in the destination are no iterations, and lanes are not written.
// CHECK-LABEL: @write
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32
// CHECK:         scf.for %[[I:.*]] = %[[FIRST:.*]] to %[[END:.*]] step %c1
// CHECK-NOT:       scf.if
// CHECK-NOT:       mask
// CHECK:           vector.store %{{.*}}, %[[X]]
func.func @write(%x: memref<?x64xf32, #global>, %i: index, %s: memref<8x64xf32, #shared>) {
  tile.copy %s[0, 0][8, 64] to %x[%i, 0][8, 64]
    : memref<8x64xf32, #shared> to memref<?x64xf32, #global>
  return
}

// A row in dimensions of extent 1 exists or not as a whole.
// CHECK-LABEL: @one_row
// CHECK-SAME:    %[[X:.*]]: memref<?x?x64xf32, {{.*}}, %[[I:.*]]: index
// CHECK:         %[[IN:.*]] = arith.cmpi ult, %[[I]], %{{.*}}
// CHECK:         %[[EXISTS:.*]] = arith.andi %[[IN]], %{{.*}}
// CHECK:         scf.if %[[EXISTS]]
// CHECK:           vector.load %[[X]][%[[I]], %c3, %{{.*}}]
// CHECK-NOT:     scf.if
// CHECK:       @one_row_out
// CHECK:         scf.if
// CHECK:           vector.store %{{.*}}, %[[X]][%[[I]], %c3, %{{.*}}]
// CHECK-NOT:     else
func.func @one_row(%x: memref<?x?x64xf32, #global>, %i: index, %s: memref<64xf32, #shared>) {
  tile.copy %x[%i, 3, 0][1, 1, 64] to %s[0][64]
    : memref<?x?x64xf32, #global> to memref<64xf32, #shared>
  return
}
func.func @one_row_out(%x: memref<?x?x64xf32, #global>, %i: index,
                       %s: memref<64xf32, #shared>) {
  tile.copy %s[0][64] to %x[%i, 3, 0][1, 1, 64]
    : memref<64xf32, #shared> to memref<?x?x64xf32, #global>
  return
}
