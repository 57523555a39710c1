// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Panels are filled by interleaving rows, or by transposing squares in registers.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: %tilewright-opt %s --cpu-lower-copy=vector-bits=128 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,SMALL

#global = #tile.space<global>
#shared = #tile.space<shared>

// Two rows of K make a row of the panel; columns that fill no vector go one by one.
// CHECK-LABEL: @pairs
// CHECK-SAME:    %[[X:.*]]: memref<8x20xbf16, {{.*}}, %[[P:.*]]: memref<4x20x2xbf16
// CHECK:         %[[ROWS:.*]] = memref.collapse_shape %[[P]] {{\[}}[0], [1, 2]] {{.*}} into memref<4x40xbf16
// WIDE:          scf.for %[[U:.*]] = %c0 to %c4 step %c1
// WIDE:            %[[K:.*]] = arith.muli %[[U]], %c2
// WIDE:            %[[EVEN:.*]] = vector.load %[[X]][%[[K]], %c0] : {{.*}}, vector<16xbf16>
// WIDE:            %[[K1:.*]] = arith.addi %[[K]], %c1
// WIDE:            %[[ODD:.*]] = vector.load %[[X]][%[[K1]], %c0] : {{.*}}, vector<16xbf16>
// WIDE:            %[[BOTH:.*]] = vector.interleave %[[EVEN]], %[[ODD]]
// WIDE:            vector.store %[[BOTH]], %[[ROWS]][%[[U]], %c0] : {{.*}}, vector<32xbf16>
// WIDE:            scf.for %[[N:.*]] = %c16 to %c20 step %c1
// WIDE:              memref.load %[[X]][%{{.*}}, %[[N]]]
// SMALL:         vector.interleave {{.*}} -> vector<8xbf16>
func.func @pairs(%x: memref<8x20xbf16, #shared>, %p: memref<4x20x2xbf16, #shared>) {
  tile.pack %x[0, 0][8, 20] dims [0, 1] into %p
    : memref<8x20xbf16, #shared> into memref<4x20x2xbf16, #shared>
  return
}

// Four rows: those an even distance apart first.
// CHECK-LABEL: @fours
// WIDE:          %[[R0:.*]] = vector.load %{{.*}}[%c0, %c0]
// WIDE:          %[[R1:.*]] = vector.load %{{.*}}[%c1, %c0]
// WIDE:          %[[R2:.*]] = vector.load %{{.*}}[%c2, %c0]
// WIDE:          %[[R3:.*]] = vector.load %{{.*}}[%c3, %c0]
// WIDE:          %[[A:.*]] = vector.interleave %[[R0]], %[[R2]]
// WIDE:          %[[B:.*]] = vector.interleave %[[R1]], %[[R3]]
// WIDE:          %[[C:.*]] = vector.interleave %[[A]], %[[B]]
// WIDE:          vector.store %[[C]], %{{.*}} : {{.*}}, vector<64xi8>
func.func @fours(%x: memref<4x16xi8, #shared>, %p: memref<1x16x4xi8, #shared>) {
  tile.pack %x[0, 0][4, 16] dims [0, 1] into %p
    : memref<4x16xi8, #shared> into memref<1x16x4xi8, #shared>
  return
}

// Past K the panel is zero.
// CHECK-LABEL: @padded
// CHECK-SAME:    %[[X:.*]]: memref<3x16xbf16
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.000000e+00 : bf16
// CHECK:         vector.interleave
// CHECK:         scf.for %[[N:.*]] = %c0 to %c16 step %c1
// CHECK:           %[[V:.*]] = memref.load %[[X]][%c2, %[[N]]]
// CHECK:           %[[AT:.*]] = arith.muli %[[N]], %c2
// CHECK:           memref.store %[[V]], %{{.*}}[%c1, %[[AT]]]
// CHECK:           %[[NEXT:.*]] = arith.addi %[[AT]], %c1
// CHECK:           memref.store %[[ZERO]], %{{.*}}[%c1, %[[NEXT]]]
func.func @padded(%x: memref<3x16xbf16, #shared>, %p: memref<2x16x2xbf16, #shared>) {
  tile.pack %x[0, 0][3, 16] dims [0, 1] into %p
    : memref<3x16xbf16, #shared> into memref<2x16x2xbf16, #shared>
  return
}

// A square: halves interleaved twice turn rows into columns. Elements are cast on the way.
// CHECK-LABEL: @square
// SMALL-SAME:    %[[X:.*]]: memref<4x4xbf16
// SMALL:         %[[P:.*]] = memref.collapse_shape
// SMALL:         %[[L0:.*]] = vector.load %[[X]][%c0, %c0] : {{.*}}, vector<4xbf16>
// SMALL:         %[[W0:.*]] = tile.cast %[[L0]] : vector<4xbf16> to vector<4xf32>
// SMALL:         %[[R0:.*]] = vector.bitcast %[[W0]] : vector<4xf32> to vector<4xi32>
// SMALL:         %[[R1:.*]] = vector.bitcast
// SMALL:         %[[R2:.*]] = vector.bitcast
// SMALL:         %[[R3:.*]] = vector.bitcast
// SMALL:         %[[A:.*]] = vector.shuffle %[[R0]], %[[R2]] [0, 4, 1, 5]
// SMALL:         %[[B:.*]] = vector.shuffle %[[R0]], %[[R2]] [2, 6, 3, 7]
// SMALL:         %[[C:.*]] = vector.shuffle %[[R1]], %[[R3]] [0, 4, 1, 5]
// SMALL:         %[[D:.*]] = vector.shuffle %[[R1]], %[[R3]] [2, 6, 3, 7]
// SMALL:         %[[C0:.*]] = vector.shuffle %[[A]], %[[C]] [0, 4, 1, 5]
// SMALL:         %[[C1:.*]] = vector.shuffle %[[A]], %[[C]] [2, 6, 3, 7]
// SMALL:         %[[C2:.*]] = vector.shuffle %[[B]], %[[D]] [0, 4, 1, 5]
// SMALL:         %[[C3:.*]] = vector.shuffle %[[B]], %[[D]] [2, 6, 3, 7]
// SMALL:         %[[S0:.*]] = vector.bitcast %[[C0]] : vector<4xi32> to vector<4xf32>
// SMALL:         vector.store %[[S0]], %[[P]][%c0, %c0]
// SMALL:         %[[S1:.*]] = vector.bitcast %[[C1]]
// SMALL:         vector.store %[[S1]], %[[P]][%c1, %c0]
// SMALL:         %[[S2:.*]] = vector.bitcast %[[C2]]
// SMALL:         vector.store %[[S2]], %[[P]][%c2, %c0]
// SMALL:         %[[S3:.*]] = vector.bitcast %[[C3]]
// SMALL:         vector.store %[[S3]], %[[P]][%c3, %c0]
// WIDE-NOT:      vector.shuffle
func.func @square(%x: memref<4x4xbf16, #shared>, %p: memref<4x4x1xf32, #shared>) {
  tile.pack %x[0, 0][4, 4] dims [0, 1] into %p transpose
    : memref<4x4xbf16, #shared> into memref<4x4x1xf32, #shared>
  return
}

// A square of units of 32 bits for vectors of four blocks of 128 bits. A load brings half a
// row, so that a vector has that of two rows: 0 and 4, 1 and 5, and so on. Within blocks
// columns are made by two steps of shuffles; every second block of two vectors is a column.
// CHECK-LABEL: @halves
// WIDE-SAME:     %[[X:.*]]: memref<16x32xbf16, {{.*}}, %[[P:.*]]: memref<16x16x2xbf16
// WIDE:          %[[R0:.*]] = vector.load %[[X]][%c0, %c0] : {{.*}}, vector<16xbf16>
// WIDE:          vector.insert_strided_slice %[[R0]], %{{.*}} {offsets = [0], strides = [1]} : vector<16xbf16> into vector<32xbf16>
// WIDE:          %[[R4:.*]] = vector.load %[[X]][%c4, %c0]
// WIDE:          vector.insert_strided_slice %[[R4]], %{{.*}} {offsets = [16], strides = [1]}
// WIDE:          vector.load %[[X]][%c1, %c0]
// WIDE:          vector.load %[[X]][%c5, %c0]
// WIDE:          %[[LOW:.*]] = vector.shuffle %[[A:.*]], %[[B:.*]] [0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29]
// WIDE:          vector.shuffle %[[A]], %[[B]] [2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31]
// WIDE:          %[[C0:.*]] = vector.shuffle %[[V:.*]], %[[W:.*]] [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
// WIDE:          %[[S0:.*]] = vector.bitcast %[[C0]] : vector<16xi32> to vector<32xbf16>
// WIDE:          vector.store %[[S0]], %{{.*}}[%c0, %c0]
// WIDE:          %[[C4:.*]] = vector.shuffle %[[V]], %[[W]] [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]
// WIDE:          vector.store %{{.*}}, %{{.*}}[%c4, %c0]
// WIDE:          vector.load %[[X]][%c0, %c16]
// WIDE:          vector.load %[[X]][%c4, %c16]
func.func @halves(%x: memref<16x32xbf16, #shared>, %p: memref<16x16x2xbf16, #shared>) {
  tile.pack %x[0, 0][16, 32] dims [0, 1] into %p transpose
    : memref<16x32xbf16, #shared> into memref<16x16x2xbf16, #shared>
  return
}

// At a tensor's edge, rows that exist are loaded, and zeros take the place of the others. A
// square that the edge cuts looks at each row.
// CHECK-LABEL: @edge
// CHECK-SAME:    %[[X:.*]]: memref<?x16xf32, {{.*}}, %[[I0:.*]]: index
// CHECK:         %[[M:.*]] = memref.dim %[[X]], %c0
// CHECK:         %[[LEFT:.*]] = arith.subi %[[M]], %[[I0]]
// WIDE:          scf.for %[[K:.*]] = %c0 to %c8 step %c1
// WIDE:            %[[FROM:.*]] = arith.cmpi sge, %[[K]], %{{.*}}
// WIDE:            %[[TO:.*]] = arith.cmpi slt, %[[K]], %{{.*}}
// WIDE:            %[[IN:.*]] = arith.andi %[[FROM]], %[[TO]]
// WIDE:            scf.if %[[IN]] {
// WIDE:              vector.load %[[X]]{{.*}}, vector<16xf32>
// WIDE:            } else {
// WIDE:              %[[ROW:.*]] = scf.if %[[IN]] -> (vector<16xf32>)
// WIDE:                vector.load %[[X]]
// WIDE:              else
// WIDE:                scf.yield %cst{{.*}} : vector<16xf32>
// WIDE:              vector.store %[[ROW]]
// SMALL:         scf.for %[[N:.*]] = %c0 to %c8 step %c4
// SMALL:           %[[LAST:.*]] = arith.addi %[[N]], %c3
// SMALL:           arith.cmpi slt, %[[LAST]], %{{.*}}
// SMALL:           scf.if %{{.*}} {
// SMALL:             vector.shuffle
// SMALL:           } else {
// SMALL:             %[[R0:.*]] = scf.if %{{.*}} -> (vector<4xf32>)
// SMALL:               vector.load %[[X]]
// SMALL:             %[[B0:.*]] = vector.bitcast %[[R0]]
// SMALL:             %[[R1:.*]] = scf.if %{{.*}} -> (vector<4xf32>)
// SMALL:             vector.shuffle %[[B0]]
// SMALL-NOT:         memref.load
func.func @edge(%x: memref<?x16xf32, #global>, %i: index, %p: memref<8x16x1xf32, #shared>,
                %q: memref<16x8x1xf32, #shared>) {
  tile.pack %x[%i, 0][8, 16] dims [0, 1] into %p
    : memref<?x16xf32, #global> into memref<8x16x1xf32, #shared>
  tile.pack %x[%i, 0][8, 16] dims [0, 1] into %q transpose
    : memref<?x16xf32, #global> into memref<16x8x1xf32, #shared>
  return
}

// Columns that end inside of a vector are loaded by masks, where there are masks for their
// bits; else elements are.
// CHECK-LABEL: @cut
// CHECK-SAME:    %[[X:.*]]: memref<32x50xbf16
// CHECK:         %[[END:.*]] = arith.maxsi
// WIDE:          scf.if %{{.*}} {
// WIDE:            vector.load
// WIDE:          } else {
// WIDE:            scf.for %[[N:.*]] = %c0 to %c32 step %c16
// WIDE:              %[[SOME:.*]] = arith.cmpi slt, %[[N]], %[[END]]
// WIDE:              %[[EVEN:.*]] = scf.if %[[SOME]] -> (vector<16xbf16>)
// WIDE:                %[[LEFT:.*]] = arith.subi %[[END]], %[[N]]
// WIDE:                %[[MASK:.*]] = vector.create_mask %[[LEFT]]
// WIDE:                vector.maskedload %[[X]]{{.*}}, %[[MASK]]
// WIDE:              %[[ODD:.*]] = scf.if %[[SOME]]
// WIDE:              vector.interleave %[[EVEN]], %[[ODD]]
// SMALL:         } else {
// SMALL:           scf.if
// SMALL:             vector.interleave
// SMALL:           } else {
// SMALL:             memref.load %[[X]]
func.func @cut(%x: memref<32x50xbf16, #global>, %p: memref<16x32x2xbf16, #shared>) {
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%b) in (%c2) {
    %j = arith.muli %b, %c32 : index
    tile.pack %x[0, %j][32, 32] dims [0, 1] into %p
      : memref<32x50xbf16, #global> into memref<16x32x2xbf16, #shared>
  }
  return
}

// Bytes that become pairs of 16 bits are transposed first: 16 rows of 64 bytes, four bytes
// to a unit, and then widened, two units of the panel at a time. What is left of the rows
// is widened first.
// CHECK-LABEL: @bytes
// WIDE:          %[[ROW:.*]] = vector.load %arg0[%c0, %c0] : {{.*}}, vector<64xf8E4M3FN>
// WIDE:          vector.bitcast %[[ROW]] : vector<64xf8E4M3FN> to vector<16xi32>
// WIDE:          vector.shuffle {{.*}} : vector<16xi32>, vector<16xi32>
// WIDE:          %[[QUADS:.*]] = vector.bitcast {{.*}} : vector<16xi32> to vector<64xf8E4M3FN>
// WIDE:          %[[PAIRS:.*]] = vector.shuffle %[[QUADS]], %[[QUADS]] [0, 1, 4, 5, {{.*}}, 60, 61, 2, 3, {{.*}}, 62, 63]
// WIDE:          %[[BOTH:.*]] = tile.cast %[[PAIRS]] : vector<64xf8E4M3FN> to vector<64xbf16>
// WIDE:          %[[FIRST:.*]] = vector.extract_strided_slice %[[BOTH]] {offsets = [0], sizes = [32]
// WIDE:          vector.store %[[FIRST]], %[[P:.*]][%c0, %c0]
// WIDE:          %[[SECOND:.*]] = vector.extract_strided_slice %[[BOTH]] {offsets = [32], sizes = [32]
// WIDE:          vector.store %[[SECOND]], %[[P]][%c1, %c0]
// WIDE:          vector.load %arg0[%c0, %c64] : {{.*}}, vector<32xf8E4M3FN>
// WIDE:          tile.cast {{.*}} : vector<32xf8E4M3FN> to vector<32xbf16>
// SMALL:         vector.load {{.*}} vector<16xf8E4M3FN>
func.func @bytes(%x: memref<16x96xf8E4M3FN, #shared>, %p: memref<48x16x2xbf16, #shared>) {
  tile.pack %x[0, 0][16, 96] dims [0, 1] into %p transpose
    : memref<16x96xf8E4M3FN, #shared> into memref<48x16x2xbf16, #shared>
  return
}
