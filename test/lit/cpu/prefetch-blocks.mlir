// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block asks for the rows that the next one reads, in the longest of its loops.
//
// RUN: %tilewright-opt %s --cpu-prefetch-blocks --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-prefetch-blocks=budget=4000 | FileCheck %s --check-prefix=SMALL
// SMALL-NOT: memref.prefetch

#global = #tile.space<global>
#fragment = #tile.space<fragment>
!tensor = memref<?x1024xf32, #global>
!tile = memref<4x1024xf32, #fragment>

// What a copy reads, in the second loop, which does more. The last block asks for its own.
// CHECK-LABEL: @copy
// CHECK-SAME:    %[[X:.*]]: memref<?x1024xf32, #tile.space<global>>, %[[Y:.*]]: memref<{{.*}}>, %[[N:.*]]: index
// CHECK:         tile.kernel (%[[B:.*]]) in (%[[N]])
// CHECK:           tile.parallel
// CHECK-NOT:         memref.prefetch
// CHECK:           }
// CHECK-DAG:       %[[LAST:.*]] = arith.subi %[[N]], %c1
// CHECK-DAG:       %[[NEXT:.*]] = arith.addi %[[B]], %c1
// CHECK:           %[[THAT:.*]] = arith.minsi %[[NEXT]], %[[LAST]]
// CHECK-NEXT:      tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 1024) {
// CHECK-NEXT:        %[[ROW:.*]] = arith.muli %[[THAT]], %c4
// CHECK-NEXT:        %[[AT:.*]] = arith.addi %[[ROW]], %[[I]]
// CHECK-NEXT:        memref.prefetch %[[X]][%[[AT]], %[[J]]], read, locality<3>, data
func.func @copy(%x: !tensor, %y: !tensor, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "y"}, {name = "n"}]}} {
  %c4 = arith.constant 4 : index
  tile.kernel (%b) in (%n) threads(128) {
    %t = tile.alloc "t" : !tile
    %row = arith.muli %b, %c4 : index
    tile.copy %x[%row, 0][4, 1024] to %t[0, 0][4, 1024] : !tensor to !tile
    tile.parallel (%i, %j) in (4, 1024) {
      %v = memref.load %t[%i, %j] : !tile
      memref.store %v, %t[%i, %j] : !tile
    }
    tile.parallel (%i, %j) in (4, 1024) {
      %v = memref.load %t[%i, %j] : !tile
      %w = arith.addf %v, %v : f32
      memref.store %w, %t[%i, %j] : !tile
    }
    tile.copy %t[0, 0][4, 1024] to %y[%row, 0][4, 1024] : !tile to !tensor
  }
  return
}

// What a loop reads, with a dimension of extent 1 that the later loop lacks. Of 4 KiB, the
// fourth block from here. What two loops read is asked for once.
// CHECK-LABEL: @load
// CHECK-SAME:    %[[X:.*]]: memref<?x1024xf32
// CHECK:         tile.kernel (%[[B:.*]]) in
// CHECK:           tile.load %[[X]]
// CHECK-NOT:       memref.prefetch
// CHECK:           arith.addi %[[B]], %c4
// CHECK:           tile.parallel (%[[J:.*]]) in (1024) {
// CHECK:             memref.prefetch %[[X]][%{{.*}}, %[[J]]]
// CHECK:           tile.parallel
// CHECK-NOT:         memref.prefetch
// CHECK:           return
func.func @load(%x: !tensor, %t: memref<1024xf32, #fragment>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "t"}, {name = "n"}]}} {
  tile.kernel (%b) in (%n) threads(128) {
    tile.parallel (%i, %j) in (1, 1024) {
      %row = arith.addi %b, %i : index
      %v = tile.load %x[%row, %j] inbounds [true, true] : !tensor
      memref.store %v, %t[%j] : memref<1024xf32, #fragment>
    }
    tile.parallel (%j) in (1024) {
      %u = tile.load %x[%b, %j] inbounds [true, true] : !tensor
      %v = memref.load %t[%j] : memref<1024xf32, #fragment>
      %w = arith.addf %v, %u : f32
      memref.store %w, %t[%j] : memref<1024xf32, #fragment>
    }
    tile.parallel (%j) in (1024) {
      %v = memref.load %t[%j] : memref<1024xf32, #fragment>
      %w = arith.mulf %v, %v : f32
      memref.store %w, %t[%j] : memref<1024xf32, #fragment>
    }
  }
  return
}

// An index that the reader's body computes, though it is the same for all elements, is
// computed anew.
// CHECK-LABEL: @hidden
// CHECK-SAME:    %[[X:.*]]: memref<?x1024xf32
// CHECK:         tile.kernel (%[[B:.*]], %[[G:.*]]) in
// CHECK:           tile.load %[[X]]
// CHECK:           tile.parallel (%[[J:.*]]) in (1024) {
// CHECK:             %[[TWICE:.*]] = arith.addi %[[G]], %[[G]]
// CHECK:             %[[ROW:.*]] = arith.addi %{{.*}}, %[[TWICE]]
// CHECK:             memref.prefetch %[[X]][%[[ROW]], %[[J]]]
func.func @hidden(%x: !tensor, %t: memref<1024xf32, #fragment>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "t"}, {name = "n"}]}} {
  tile.kernel (%b, %g) in (%n, %n) threads(128) {
    tile.parallel (%j) in (1024) {
      %twice = arith.addi %g, %g : index
      %row = arith.addi %b, %twice : index
      %v = tile.load %x[%row, %j] inbounds [true, true] : !tensor
      memref.store %v, %t[%j] : memref<1024xf32, #fragment>
    }
    tile.parallel (%j) in (1024) {
      %v = memref.load %t[%j] : memref<1024xf32, #fragment>
      %w = arith.addf %v, %v : f32
      memref.store %w, %t[%j] : memref<1024xf32, #fragment>
    }
  }
  return
}
