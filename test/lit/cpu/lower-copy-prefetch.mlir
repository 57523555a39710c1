// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows that lie apart in global memory are asked for some 4 KiB ahead. No other prefetch
// than those below is emitted.
// RUN: %tilewright-opt %s --cpu-lower-copy --canonicalize --cse \
// RUN:   | FileCheck %s --implicit-check-not=memref.prefetch

#global = #tile.space<global>
#shared = #tile.space<shared>

// 22 rows of 192 bytes are 4 KiB. Each line of the row is asked for, at the end those of
// the last row again.
// CHECK-LABEL: @rows
// CHECK-SAME:    %[[X:.*]]: memref<256x128xf32
// CHECK:         scf.for %[[I:.*]] = %c0 to %c100 step %c1
// CHECK:           %[[LATER:.*]] = arith.addi %[[I]], %c22
// CHECK:           %[[LAST:.*]] = arith.minsi %[[LATER]], %c99
// CHECK:           scf.for %[[J:.*]] = %c0 to %c48 step %c16
// CHECK-DAG:         %[[ROW:.*]] = arith.addi %[[LAST]], %c64
// CHECK-DAG:         %[[COLUMN:.*]] = arith.addi %[[J]], %c32
// CHECK:             memref.prefetch %[[X]][%[[ROW]], %[[COLUMN]]], read, locality<3>, data
// CHECK:           vector.load %[[X]]
func.func @rows(%x: memref<256x128xf32, #global>, %s: memref<100x48xf32, #shared>) {
  tile.copy %x[64, 32][100, 48] to %s[0, 0][100, 48]
    : memref<256x128xf32, #global> to memref<100x48xf32, #shared>
  return
}

// At an edge, rows that exist ask for rows that do.
// CHECK-LABEL: @edge
// CHECK-SAME:    %[[X:.*]]: memref<64x?x?xbf16, {{.*}}, %[[Y:.*]]: memref<?x32xbf16
// CHECK:         scf.for %[[I:.*]] = %[[FIRST:.*]] to %[[END:.*]] step %c1
// CHECK:           scf.if
// CHECK-DAG:         %[[LATER:.*]] = arith.addi %[[I]], %c64
// CHECK-DAG:         %[[BEFORE:.*]] = arith.subi %[[END]], %c1
// CHECK:             %[[ROW:.*]] = arith.minsi %[[LATER]], %[[BEFORE]]
// CHECK:             memref.prefetch %[[X]][%c3, %{{.*}}, %{{.*}}], read
// CHECK:             vector.load %[[X]]
// CHECK:           } else {
// CHECK:             vector.maskedload %[[X]]
func.func @edge(%x: memref<64x?x?xbf16, #global>, %y: memref<?x32xbf16, #global>, %i: index) {
  tile.copy %x[3, 0, 0][1, 128, 32] to %y[%i, 0][128, 32]
    : memref<64x?x?xbf16, #global> to memref<?x32xbf16, #global>
  return
}

// Which row it is the indices say. Rows that are filled ask for none.
// CHECK-LABEL: @gather
// CHECK-SAME:    %[[X:.*]]: memref<?x64xf32, {{.*}}, %[[IDS:.*]]: memref<136xi32, {{.*}}, %[[S:.*]]: memref<128x32xf32, {{.*}}, %[[I0:.*]]: index
// CHECK:         scf.for %[[I:.*]] = %c0 to %c128 step %c1
// CHECK:           scf.if
// CHECK:             %[[LATER:.*]] = arith.addi %[[I]], %c32
// CHECK:             %[[LAST:.*]] = arith.minsi %[[LATER]], %c127
// CHECK:             %[[AT:.*]] = arith.addi %[[LAST]], %c8
// CHECK:             %[[ID:.*]] = memref.load %[[IDS]][%[[AT]]]
// CHECK:             %[[NUMBER:.*]] = arith.index_cast %[[ID]]
// CHECK:             scf.for %[[J:.*]] = %c0 to %c32 step %c16
// CHECK:               %[[ROW:.*]] = arith.addi %[[I0]], %[[NUMBER]]
// CHECK:               memref.prefetch %[[X]][%[[ROW]], %{{.*}}], read
// CHECK:           } else {
func.func @gather(%x: memref<?x64xf32, #global>, %ids: memref<136xi32, #shared>,
                  %s: memref<128x32xf32, #shared>, %i: index, %fill: f32) {
  tile.gather %x[%i, 16][128, 32] axis 0 by %ids[8] to %s[0, 0][128, 32] fill %fill
    : memref<?x64xf32, #global>, memref<136xi32, #shared> to memref<128x32xf32, #shared>
  return
}

// A transposing pack asks for all rows of a later square.
// CHECK-LABEL: @pack
// CHECK-SAME:    %[[X:.*]]: memref<256x64xf32
// CHECK:         scf.for %[[N:.*]] = %c0 to %c128 step %c16
// CHECK-NEXT:      scf.for %[[I:.*]] = %c0 to %c16 step %c1
// CHECK-NEXT:        %[[SQUARE:.*]] = arith.addi %[[N]], %c32
// CHECK-NEXT:        %[[LATER:.*]] = arith.addi %[[SQUARE]], %[[I]]
// CHECK-NEXT:        %[[ROW:.*]] = arith.minsi %[[LATER]], %c127
// CHECK-NEXT:        scf.for %[[K:.*]] = %c0 to %c48 step %c16
// CHECK-NEXT:          memref.prefetch %[[X]][%[[ROW]], %[[K]]], read
// CHECK:           vector.shuffle
func.func @pack(%x: memref<256x64xf32, #global>, %p: memref<48x128x1xf32, #shared>) {
  tile.pack %x[0, 0][128, 48] dims [0, 1] into %p transpose
    : memref<256x64xf32, #global> into memref<48x128x1xf32, #shared>
  return
}

// A row of one line is worth it; shorter ones are not.
// CHECK-LABEL: @lines
// CHECK:         memref.prefetch %{{.*}}[%{{.*}}, %c0]
// CHECK:         vector.load %{{.*}}, vector<16xf32>
// CHECK:         vector.load %{{.*}}, vector<8xf32>
func.func @lines(%x: memref<256x64xf32, #global>, %s: memref<128x16xf32, #shared>,
                 %t: memref<128x15xf32, #shared>) {
  tile.copy %x[0, 0][128, 16] to %s[0, 0][128, 16]
    : memref<256x64xf32, #global> to memref<128x16xf32, #shared>
  tile.copy %x[0, 0][128, 15] to %t[0, 0][128, 15]
    : memref<256x64xf32, #global> to memref<128x15xf32, #shared>
  return
}

// So are not rows that follow each other, fewer rows than are in flight, a single row, rows
// whose elements lie apart, and squares fewer than are in flight.
// CHECK-LABEL: @none
// CHECK:         vector.store
// CHECK:         vector.store
// CHECK:         vector.store
// CHECK:         memref.store
// CHECK:         vector.shuffle
func.func @none(%x: memref<256x32xf32, #global>, %y: memref<256x64xf32, #global>,
                %z: memref<256x32xf32, strided<[64, 2]>, #global>,
                %s: memref<128x32xf32, #shared>, %p: memref<48x32x1xf32, #shared>) {
  tile.copy %x[0, 0][128, 32] to %s[0, 0][128, 32]
    : memref<256x32xf32, #global> to memref<128x32xf32, #shared>
  tile.copy %y[0, 0][32, 32] to %s[0, 0][32, 32]
    : memref<256x64xf32, #global> to memref<128x32xf32, #shared>
  tile.copy %y[0, 0][1, 32] to %s[0, 0][1, 32]
    : memref<256x64xf32, #global> to memref<128x32xf32, #shared>
  tile.copy %z[0, 0][128, 32] to %s[0, 0][128, 32]
    : memref<256x32xf32, strided<[64, 2]>, #global> to memref<128x32xf32, #shared>
  tile.pack %y[0, 0][32, 48] dims [0, 1] into %p transpose
    : memref<256x64xf32, #global> into memref<48x32x1xf32, #shared>
  return
}

// Steps of a loop read parts of few rows: those of the next block are asked for, unless
// it reads others.
// CHECK-LABEL: @parts
// CHECK-SAME:    %[[X:.*]]: memref<64x512xf32
// CHECK:         %[[FIRST:.*]] = arith.muli %{{.*}}, %c8
// CHECK:         scf.for %[[I:.*]] = %c0 to %c8 step %c1
// CHECK:           %[[NEXT:.*]] = arith.addi %[[I]], %c8
// CHECK:           %[[ROW:.*]] = arith.addi %[[FIRST]], %[[NEXT]]
// CHECK:           memref.prefetch %[[X]][%[[ROW]], %{{.*}}], read, locality<3>, data
func.func @parts(%x: memref<64x512xf32, #global>) {
  %c4 = arith.constant 4 : index
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  tile.kernel (%b, %d) in (%c8, %c4) threads(128) {
    %s = tile.alloc "s" : memref<8x32xf32, #shared>
    %row = arith.muli %b, %c8 : index
    tile.copy %x[%row, 64][8, 32] to %s[0, 0][8, 32]
      : memref<64x512xf32, #global> to memref<8x32xf32, #shared>
    %second = arith.muli %d, %c8 : index
    tile.copy %x[%second, 64][8, 32] to %s[0, 0][8, 32]
      : memref<64x512xf32, #global> to memref<8x32xf32, #shared>
    %last = arith.subi %c7, %b : index
    %backwards = arith.muli %last, %c8 : index
    tile.copy %x[%backwards, 64][8, 32] to %s[0, 0][8, 32]
      : memref<64x512xf32, #global> to memref<8x32xf32, #shared>
  }
  return
}

// Tiles are in a cache.
// CHECK-LABEL: @tiles
// CHECK:         vector.store
// CHECK:         vector.store
// CHECK:         vector.shuffle
func.func @tiles(%s: memref<256x64xf32, #shared>, %t: memref<128x32xf32, #shared>,
                 %y: memref<256x64xf32, #global>, %p: memref<32x128x1xf32, #shared>) {
  tile.copy %s[0, 0][128, 32] to %t[0, 0][128, 32]
    : memref<256x64xf32, #shared> to memref<128x32xf32, #shared>
  tile.copy %s[0, 0][128, 32] to %y[0, 0][128, 32]
    : memref<256x64xf32, #shared> to memref<256x64xf32, #global>
  tile.pack %s[0, 0][128, 32] dims [0, 1] into %p transpose
    : memref<256x64xf32, #shared> into memref<32x128x1xf32, #shared>
  return
}
