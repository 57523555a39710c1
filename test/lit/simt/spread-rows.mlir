// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which scans and selections threads do together, and what becomes of them.
// RUN: tilewright-opt %s --spread-rows | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// The position of the largest key of each row, which a reduction finds. The smallest element
// has the largest key, and of equal ones the first.
// CHECK-LABEL: @positions
// CHECK:         %[[KEYS:.*]] = tile.alloc "keys" : memref<4x64xi64, #tile.space<fragment>>
// CHECK:         %[[LARGEST:.*]] = tile.alloc "largest" : memref<4xi64, #tile.space<fragment>>
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 64)
// CHECK:           %[[SUM:.*]] = arith.addf %{{.*}}, %cst
// CHECK-NEXT:      %[[BITS:.*]] = arith.bitcast %[[SUM]] : f32 to i32
// CHECK:           %[[SIGN:.*]] = arith.shrsi %[[BITS]], %c31
// CHECK-NEXT:      %[[TURNED:.*]] = arith.andi %[[SIGN]], %c2147483647
// CHECK-NEXT:      %[[KEY:.*]] = arith.xori %[[BITS]], %[[TURNED]]
// CHECK:           arith.xori %[[KEY]], %c-1
// CHECK:           %[[AT:.*]] = arith.index_cast %[[J]] : index to i64
// CHECK:           %[[EARLINESS:.*]] = arith.subi %c2147483647_i64, %[[AT]]
// CHECK:           %[[HIGH:.*]] = arith.shli %{{.*}}, %c32
// CHECK-NEXT:      arith.ori %[[HIGH]], %[[EARLINESS]]
// CHECK:         tile.reduce max %[[KEYS]] into %[[LARGEST]] dim 1
// CHECK:         tile.parallel (%[[ROW:.*]]) in (4)
// CHECK:           memref.load %[[LARGEST]][%[[ROW]]]
// CHECK:           %[[LOW:.*]] = arith.trunci
// CHECK:           %[[POSITION:.*]] = arith.subi %c2147483647_i32, %[[LOW]]
// CHECK:           memref.store %[[POSITION]], %{{.*}}[%[[ROW]], %c0
// CHECK-NOT:     argmin
func.func @positions(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<4x64xf16, #shared>
    %at = tile.alloc "at" : memref<4x1xi32, #fragment>
    tile.reduce argmin %x into %at dim 1
      : memref<4x64xf16, #shared> into memref<4x1xi32, #fragment>
  }
  return
}

// One element of the result after the other, each taken off the keys.
// CHECK-LABEL: @few_of_many
// CHECK:         scf.for
// CHECK:           tile.reduce max
// CHECK:           tile.parallel
// CHECK:           tile.parallel
// CHECK:             %[[KEY:.*]] = memref.load %{{.*}} : memref<16x256xi64
// CHECK:             %[[LARGEST:.*]] = memref.load %{{.*}} : memref<16xi64
// CHECK:             %[[IS_IT:.*]] = arith.cmpi eq, %[[KEY]], %[[LARGEST]]
// CHECK-NEXT:        arith.select %[[IS_IT]], %c-9223372036854775808{{.*}}, %[[KEY]]
// CHECK-NOT:     tile.topk
func.func @few_of_many(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<16x256xf32, #shared>
    %v = tile.alloc "v" : memref<16x8xf32, #fragment>
    %i = tile.alloc "i" : memref<16x8xi32, #fragment>
    tile.topk %x into %v, %i dim 1
      : memref<16x256xf32, #shared> into memref<16x8xf32, #fragment>, memref<16x8xi32, #fragment>
  }
  return
}

// To sort, ranks take less; keys of 64 bits leave no room for positions; and of so many
// elements a thread cannot hold its part.
// CHECK-LABEL: @other_selections
// CHECK-COUNT-2: tile.topk
// CHECK:         tile.reduce argmax
func.func @other_selections(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<1x128xf32, #shared>
    %v = tile.alloc "v" : memref<1x128xf32, #shared>
    %i = tile.alloc "i" : memref<1x128xi32, #shared>
    tile.topk %x into %v, %i dim 1
      : memref<1x128xf32, #shared> into memref<1x128xf32, #shared>, memref<1x128xi32, #shared>
    %wide = tile.alloc "wide" : memref<4x64xf64, #shared>
    %wv = tile.alloc "wv" : memref<4x2xf64, #shared>
    %wi = tile.alloc "wi" : memref<4x2xi32, #shared>
    tile.topk %wide into %wv, %wi dim 1
      : memref<4x64xf64, #shared> into memref<4x2xf64, #shared>, memref<4x2xi32, #shared>
    %long = tile.alloc "long" : memref<8192xi8, #shared>
    %at = tile.alloc "at" : memref<1xi32, #fragment>
    tile.reduce argmax %long into %at dim 0
      : memref<8192xi8, #shared> into memref<1xi32, #fragment>
  }
  return
}

// Narrow floats are added in f32. In reverse, what comes before stands behind.
// CHECK-LABEL: @running_sums
// CHECK:         %[[SUMS:.*]] = tile.alloc "running" : memref<2x100xf32, #tile.space<shared>>
// CHECK:         %[[NEXT:.*]] = tile.alloc "next" : memref<2x100xf32, #tile.space<shared>>
// CHECK:         arith.addi %{{.*}}, %c1
// CHECK:         memref.store %{{.*}}, %[[NEXT]]
// CHECK-NOT:     memref.load %[[SUMS]]
// CHECK:         arith.addi %{{.*}}, %c2
// CHECK:         memref.load %[[NEXT]]
// CHECK:         memref.load %[[NEXT]]
// CHECK:         memref.store %{{.*}}, %[[SUMS]]
// CHECK:         arith.addi %{{.*}}, %c4
// CHECK:         arith.addi %{{.*}}, %c64
// CHECK:         arith.cmpi sle, %{{.*}}, %c99
// CHECK:         arith.minsi
// CHECK:         %[[EARLIER:.*]] = memref.load %[[SUMS]]
// CHECK:         %[[OWN:.*]] = memref.load %[[SUMS]]
// CHECK:         %[[SUM:.*]] = arith.addf %[[EARLIER]], %[[OWN]]
// CHECK:         memref.store %{{.*}}, %[[NEXT]]
// CHECK-NOT:     %c128
func.func @running_sums(%n: index) {
  tile.kernel (%bx) in (%n) threads(256) {
    %x = tile.alloc "x" : memref<2x100xf16, #shared>
    tile.scan sum %x into %x dim 1 reverse
      : memref<2x100xf16, #shared> into memref<2x100xf16, #shared>
  }
  return
}

// Each result is what stands before the last of the running sums, or nothing, which is -0.
// CHECK-LABEL: @exclusive
// CHECK:         %[[SUMS:.*]] = tile.alloc "next"
// CHECK:         arith.subi %{{.*}}, %c64
// CHECK:         memref.store %{{.*}}, %[[SUMS]]
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]]) in
// CHECK:           %[[BEFORE:.*]] = arith.subi %[[J]], %c1
// CHECK:           %[[EXISTS:.*]] = arith.cmpi sge, %[[BEFORE]], %c0
// CHECK:           %[[PLACE:.*]] = arith.maxsi %[[BEFORE]], %c0
// CHECK:           %[[EARLIER:.*]] = memref.load %[[SUMS]][%[[I]], %[[PLACE]]]
// CHECK:           %[[NOTHING:.*]] = arith.constant -0.0
// CHECK:           arith.select %[[EXISTS]], %[[EARLIER]], %[[NOTHING]]
func.func @exclusive(%n: index) {
  tile.kernel (%bx) in (%n) threads(256) {
    %x = tile.alloc "x" : memref<2x100xf32, #shared>
    tile.scan sum %x into %x dim 1 exclusive
      : memref<2x100xf32, #shared> into memref<2x100xf32, #shared>
  }
  return
}

// Each thread has a row.
// CHECK-LABEL: @many_rows
// CHECK:         tile.scan
func.func @many_rows(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<128x16xf32, #shared>
    tile.scan sum %x into %x dim 1
      : memref<128x16xf32, #shared> into memref<128x16xf32, #shared>
  }
  return
}

// A tile of one dimension is a row by itself.
// CHECK-LABEL: @one_row
// CHECK:         %[[LARGEST:.*]] = tile.alloc "largest" : memref<1xi64, #tile.space<fragment>>
// CHECK:         memref.load %[[LARGEST]][%c0
// CHECK:         memref.store %{{.*}}, %{{.*}}[%c0
func.func @one_row(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<64xi32, #shared>
    %at = tile.alloc "at" : memref<1xi32, #fragment>
    tile.reduce argmax %x into %at dim 0
      : memref<64xi32, #shared> into memref<1xi32, #fragment>
  }
  return
}

// The sums of integers stand in their result as they are. Of an odd number of steps the
// last one ends in the other tile.
// CHECK-LABEL: @in_place
// CHECK:         %[[X:.*]] = tile.alloc "x"
// CHECK-NEXT:    %[[NEXT:.*]] = tile.alloc "next" : memref<512xi32, #tile.space<shared>>
// CHECK-NEXT:    tile.parallel
// CHECK:           memref.load %[[X]]
// CHECK:           memref.store %{{.*}}, %[[NEXT]]
// CHECK:         arith.subi %{{.*}}, %c128
// CHECK:         memref.store %{{.*}}, %[[X]]
// CHECK:         arith.subi %{{.*}}, %c256
// CHECK:         memref.store %{{.*}}, %[[NEXT]]
// CHECK:         tile.parallel (%[[I:.*]]) in (512)
// CHECK-NEXT:      %[[SUM:.*]] = memref.load %[[NEXT]][%[[I]]]
// CHECK-NEXT:      memref.store %[[SUM]], %[[X]][%[[I]]]
func.func @in_place(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<512xi32, #shared>
    tile.scan sum %x into %x dim 0 : memref<512xi32, #shared> into memref<512xi32, #shared>
  }
  return
}

// Memory for as much again may be missing.
// CHECK-LABEL: @large
// CHECK:         tile.scan
func.func @large(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<16384xf16, #shared>
    tile.scan sum %x into %x dim 0
      : memref<16384xf16, #shared> into memref<16384xf16, #shared>
  }
  return
}

// Elements of another tile are put where an odd number of steps ends in the result.
// CHECK-LABEL: @into_another
// CHECK:         %[[X:.*]] = tile.alloc "x"
// CHECK-NEXT:    %[[Y:.*]] = tile.alloc "y"
// CHECK-NEXT:    %[[NEXT:.*]] = tile.alloc "next"
// CHECK-NEXT:    tile.parallel
// CHECK-NEXT:      memref.load %[[X]]
// CHECK-NEXT:      memref.store %{{.*}}, %[[NEXT]]
// CHECK:         memref.store %{{.*}}, %[[Y]]
// CHECK:         arith.subi %{{.*}}, %c64
// CHECK:         memref.store %{{.*}}, %[[Y]]
// CHECK-NOT:     memref.store
// CHECK:         return
func.func @into_another(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<128xi32, #shared>
    %y = tile.alloc "y" : memref<128xi32, #shared>
    tile.scan sum %x into %y dim 0
      : memref<128xi32, #shared> into memref<128xi32, #shared>
  }
  return
}

// There is no room for another tile: a step goes through registers.
// CHECK-LABEL: @through_registers
// CHECK:         %[[X:.*]] = tile.alloc "x"
// CHECK-NEXT:    %[[NEXT:.*]] = tile.alloc "next" : memref<8192xi32, #tile.space<fragment>>
// CHECK-NEXT:    tile.parallel
// CHECK:           memref.load %[[X]]
// CHECK:           memref.store %{{.*}}, %[[NEXT]]
// CHECK:         tile.parallel
// CHECK-NEXT:      memref.load %[[NEXT]]
// CHECK-NEXT:      memref.store %{{.*}}, %[[X]]
func.func @through_registers(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    %x = tile.alloc "x" : memref<8192xi32, #shared>
    tile.scan sum %x into %x dim 0
      : memref<8192xi32, #shared> into memref<8192xi32, #shared>
  }
  return
}
