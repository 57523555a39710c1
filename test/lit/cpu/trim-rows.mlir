// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products compute no more rows than something reads.
//
// RUN: %tilewright-opt %s --cpu-trim-rows --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-trim-rows --cpu-lower-gemm --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=LOOPS

#global = #tile.space<global>
#shared = #tile.space<shared>
!a = memref<64x32xf32, #shared>
!b = memref<32x64x1xf32, #shared>
!c = memref<64x64xf32, #tile.space<fragment>>
#atom = #cpu.atom<fma 6x64x1, f32 into f32, 512>

// A copy to a tensor stores the rows that there are. Blocks of six rows begin below them;
// the last block has four.
// CHECK-LABEL: @copy
// CHECK-SAME:    %[[OUT:[a-z0-9]+]]: memref<?x64xf32, #tile.space<global>>
// CHECK:         tile.kernel (%[[B:.*]]) in
// CHECK:           %[[EXTENT:.*]] = memref.dim %[[OUT]], %c0
// CHECK:           %[[ROW:.*]] = arith.muli %[[B]], %c64
// CHECK:           %[[LEFT:.*]] = arith.subi %[[EXTENT]], %[[ROW]]
// CHECK:           cpu.gemm %{{.*}} into %{{.*}} rows(%[[LEFT]])
// LOOPS-LABEL: @copy
// LOOPS:           %[[LEFT:.*]] = arith.subi
// LOOPS:           %[[SIXES:.*]] = arith.minsi %[[LEFT]], %c60
// LOOPS:           scf.for %{{.*}} = %c0 to %[[SIXES]] step %c6
// LOOPS:           %[[ALL:.*]] = arith.minsi %[[LEFT]], %c64
// LOOPS:           scf.for %{{.*}} = %c60 to %[[ALL]] step %c4
func.func @copy(%out: memref<?x64xf32, #global>, %a: !a, %b: !b, %n: index) {
  %c64 = arith.constant 64 : index
  tile.kernel (%i) in (%n) threads(128) {
    %c = tile.alloc "c" : !c
    cpu.gemm %a, %b into %c clear atom(#atom) : !a, !b into !c
    %row = arith.muli %i, %c64 : index
    tile.copy %c[0, 0][64, 64] to %out[%row, 0][64, 64] : !c to memref<?x64xf32, #global>
  }
  return
}

// A condition on the rows. Its limit, converted in the loop, is computed in front of the
// product; another product into the same tile has it too.
// CHECK-LABEL: @condition
// CHECK-SAME:    %[[ROW:[a-z0-9]+]]: index, %[[END:[a-z0-9]+]]: i32
// CHECK:           %[[LIMIT:.*]] = arith.index_cast %[[END]] : i32 to index
// CHECK:           %[[LEFT:.*]] = arith.subi %[[LIMIT]], %[[ROW]]
// CHECK:           cpu.gemm %{{.*}} into %{{.*}} rows(%[[LEFT]]) clear
// CHECK:           cpu.gemm %{{.*}} into %{{.*}} rows(%[[LEFT]]) atom
func.func @condition(%out: memref<?x64xf32, #global>, %a: !a, %b: !b, %row: index, %end: i32,
                     %n: index) {
  tile.kernel (%k) in (%n) threads(128) {
    %c = tile.alloc "c" : !c
    cpu.gemm %a, %b into %c clear atom(#atom) : !a, !b into !c
    cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    tile.parallel (%i, %j) in (64, 64) {
      %at = arith.addi %row, %i : index
      %limit = arith.index_cast %end : i32 to index
      %counts = arith.cmpi slt, %at, %limit : index
      scf.if %counts {
        %v = memref.load %c[%i, %j] : !c
        tile.store %v, %out[%at, %j] inbounds [false, true] : memref<?x64xf32, #global>
      }
    }
  }
  return
}

// An element that is stored where a tensor ends; the larger of two limits.
// CHECK-LABEL: @store
// CHECK:           %[[MOST:.*]] = arith.maxsi
// CHECK:           cpu.gemm %{{.*}} into %{{.*}} rows(%[[MOST]])
func.func @store(%out: memref<?x64xf32, #global>, %other: memref<?x64xf32, #global>, %a: !a,
                 %b: !b, %row: index, %n: index) {
  tile.kernel (%k) in (%n) threads(128) {
    %c = tile.alloc "c" : !c
    cpu.gemm %a, %b into %c clear atom(#atom) : !a, !b into !c
    tile.parallel (%i, %j) in (64, 64) {
      %at = arith.addi %i, %row : index
      %v = memref.load %c[%i, %j] : !c
      %w = arith.addf %v, %v : f32
      tile.store %w, %out[%at, %j] inbounds [false, true] : memref<?x64xf32, #global>
      tile.store %v, %other[%i, %j] : memref<?x64xf32, #global>
    }
  }
  return
}
