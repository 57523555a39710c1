// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Atomics where several threads run a block: what devices have no instruction for becomes an
// exchange of the word that has the element.
// RUN: %tilewright-opt %s --lower-access=shares-tiles=true | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// CHECK-LABEL: @native
// CHECK:         memref.atomic_rmw addi {{.*}} memref<8xi32
// CHECK:         memref.atomic_rmw ori {{.*}} memref<8xi32
// CHECK:         memref.atomic_rmw addf {{.*}} memref<8xf16
// CHECK-NOT:     cmpxchg
func.func @native(%x: memref<8xi32, #shared>, %v: i32, %z: memref<8xf16, #shared>, %u: f16,
                  %i: index) {
  %0 = tile.atomic sum %v, %x[%i] inbounds [true] : memref<8xi32, #shared>
  %1 = tile.atomic bitor %v, %x[%i] inbounds [true] : memref<8xi32, #shared>
  %2 = tile.atomic sum %u, %z[%i] inbounds [true] : memref<8xf16, #shared>
  return
}

// CHECK-LABEL: @half
// CHECK-SAME:    %{{.*}}: memref<{{.*}}>, %[[V:.*]]: f16
// CHECK:         %[[LOW:.*]] = arith.andi %[[ADDRESS:.*]], %[[THREE:.*]] : i64
// CHECK-NEXT:    %[[ALIGNED:.*]] = arith.subi %[[ADDRESS]], %[[LOW]]
// CHECK-NEXT:    %[[BITS:.*]] = arith.shli %[[LOW]], %[[THREE]]
// CHECK-NEXT:    %[[SHIFT:.*]] = arith.trunci %[[BITS]] : i64 to i32
// CHECK-NEXT:    %[[WORD:.*]] = llvm.inttoptr %[[ALIGNED]] : i64 to !llvm.ptr<3>
// CHECK-NEXT:    %[[FIRST:.*]] = llvm.load %[[WORD]] {{.*}} -> i32
// CHECK-NEXT:    %[[LAST:.*]] = scf.while (%[[SEEN:.*]] = %[[FIRST]])
// CHECK-NEXT:      arith.shrui %[[SEEN]], %[[SHIFT]]
// CHECK:           arith.maximumf %{{.*}}, %[[V]]
// CHECK:           llvm.cmpxchg %[[WORD]], %[[SEEN]], %{{.*}} : !llvm.ptr<3>, i32
// CHECK:         %[[HIGH:.*]] = arith.shrui %[[LAST]], %[[SHIFT]]
// CHECK-NEXT:    %[[CODE:.*]] = arith.trunci %[[HIGH]] : i32 to i16
// CHECK-NEXT:    %[[FORMER:.*]] = arith.bitcast %[[CODE]] : i16 to f16
// CHECK-NEXT:    return %[[FORMER]]
func.func @half(%x: memref<8xf16, #shared>, %v: f16, %i: index) -> f16 {
  %0 = tile.atomic max %v, %x[%i] inbounds [true] : memref<8xf16, #shared>
  return %0 : f16
}

// Bits of a part of a word are those of a word that leaves the others alone.
// CHECK-LABEL: @bits
// CHECK-SAME:    %{{.*}}: memref<{{.*}}>, %[[V:.*]]: i8
// CHECK:         %[[SHIFT:.*]] = arith.trunci %{{.*}} : i64 to i32
// CHECK:         %[[MASK:.*]] = arith.shli %{{.*}}, %[[SHIFT]]
// CHECK:         %[[OTHERS:.*]] = arith.andi
// CHECK-NEXT:    %[[WIDE:.*]] = arith.extui %[[V]] : i8 to i32
// CHECK-NEXT:    %[[PLACED:.*]] = arith.shli %[[WIDE]], %[[SHIFT]]
// CHECK-NEXT:    %[[WORD:.*]] = arith.ori %[[OTHERS]], %[[PLACED]]
// CHECK-NEXT:    %[[FORMER:.*]] = llvm.atomicrmw _and %{{.*}}, %[[WORD]] {{.*}} : !llvm.ptr<3>, i32
// CHECK:         arith.shrui %[[FORMER]], %[[SHIFT]]
func.func @bits(%y: memref<8xi8, #shared>, %w: i8, %i: index) -> i8 {
  %0 = tile.atomic bitand %w, %y[%i] inbounds [true] : memref<8xi8, #shared>
  return %0 : i8
}

// CHECK-LABEL: @whole
// CHECK-NOT:     arith.shrui
// CHECK:         llvm.cmpxchg {{.*}} : !llvm.ptr<1>, i32
// CHECK-NOT:     arith.shrui
// CHECK:         return
func.func @whole(%x: memref<8xf32, #global>, %v: f32, %i: index) -> f32 {
  %0 = tile.atomic min %v, %x[%i] inbounds [true] : memref<8xf32, #global>
  return %0 : f32
}

// CHECK-LABEL: @byte
// CHECK:         arith.trunci %{{.*}} : i32 to i8
// CHECK-NEXT:    arith.addi %{{.*}}, %{{.*}} : i8
// CHECK:         llvm.cmpxchg {{.*}} : !llvm.ptr<1>, i32
func.func @byte(%x: memref<8xi8, #global>, %v: i8, %i: index) {
  %0 = tile.atomic sum %v, %x[%i] inbounds [true] : memref<8xi8, #global>
  return
}

// An element of 4 bits has a byte of the tile.
// CHECK-LABEL: @nibble
// CHECK:         %[[BYTE:.*]] = arith.constant 1 : index
// CHECK:         arith.muli %{{.*}}, %[[BYTE]] : index
// CHECK:         llvm.cmpxchg {{.*}} : !llvm.ptr<3>, i32
func.func @nibble(%x: memref<8xf4E2M1FN, #shared>, %v: f4E2M1FN, %i: index) {
  %0 = tile.atomic sum %v, %x[%i] inbounds [true] : memref<8xf4E2M1FN, #shared>
  return
}

// Neighbours: a guard of what is read is an operand, of what is written a branch.
// CHECK-LABEL: @neighbours
// CHECK:         %[[BELOW:.*]] = arith.cmpi ult
// CHECK:         %[[V:.*]] = simt.vector_load %{{.*}} inbounds [true, true] if %[[BELOW]]
// CHECK:         scf.if
// CHECK:           vector.store %[[V]], %{{.*}} {alignment = 16 : i64}
func.func @neighbours(%x: memref<?x64xf32, #tile.space<global>>, %i: index, %j: index) {
  %v = simt.vector_load %x[%i, %j] inbounds [false, true]
    : memref<?x64xf32, #tile.space<global>>, vector<4xf32>
  simt.vector_store %v, %x[%i, %j] inbounds [false, true]
    : vector<4xf32>, memref<?x64xf32, #tile.space<global>>
  return
}
