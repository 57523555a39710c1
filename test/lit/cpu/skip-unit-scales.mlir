// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows are not multiplied by one.
//
// RUN: %tilewright-opt %s --cpu-lower-parallel --cpu-skip-unit-scales --split-input-file | FileCheck %s

// CHECK-LABEL: @rescale
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           %[[SCALE:.*]] = memref.load %arg1[%[[I]]]
// CHECK:           %[[ONE:.*]] = arith.constant 1.0
// CHECK:           %[[CHANGES:.*]] = arith.cmpf une, %[[SCALE]], %[[ONE]] : f32
// CHECK:           scf.if %[[CHANGES]] {
// CHECK-NEXT:        scf.for
// CHECK-NEXT:          vector.load %arg0
// CHECK-NEXT:          arith.mulf
// CHECK-NEXT:          vector.store %{{.*}}, %arg0
func.func @rescale(%acc: memref<4x64xf32, #tile.space<fragment>>, %scale: memref<4xf32, #tile.space<fragment>>) {
  tile.parallel (%i, %j) in (4, 64) {
    %x = memref.load %acc[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
    %s = memref.load %scale[%i] : memref<4xf32, #tile.space<fragment>>
    %y = arith.mulf %x, %s : f32
    memref.store %y, %acc[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
  }
  return
}

// -----

// What is stored elsewhere, scaled by other numbers or changed otherwise is no such row.
// CHECK-LABEL: @others
// CHECK-NOT:     scf.if
func.func @others(%acc: memref<4x64xf32, #tile.space<fragment>>, %to: memref<4x64xf32, #tile.space<fragment>>,
                  %scale: memref<4xf32, #tile.space<fragment>>, %scales: memref<64xf32, #tile.space<fragment>>) {
  tile.parallel (%i, %j) in (4, 64) {
    %x = memref.load %acc[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
    %s = memref.load %scale[%i] : memref<4xf32, #tile.space<fragment>>
    %y = arith.mulf %x, %s : f32
    memref.store %y, %to[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
  }
  tile.parallel (%i, %j) in (4, 64) {
    %x = memref.load %acc[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
    %s = memref.load %scales[%j] : memref<64xf32, #tile.space<fragment>>
    %y = arith.mulf %x, %s : f32
    memref.store %y, %acc[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
  }
  tile.parallel (%i, %j) in (4, 64) {
    %x = memref.load %acc[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
    %s = memref.load %scale[%i] : memref<4xf32, #tile.space<fragment>>
    %y = arith.addf %x, %s : f32
    memref.store %y, %acc[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
  }
  return
}
