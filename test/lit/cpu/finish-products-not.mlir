// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products that do not begin with zeros, or that something looks at before they are copied.
//
// RUN: %tilewright-opt %s --cpu-finish-products | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
!a = memref<64x32xf32, #shared>
!b = memref<32x64x1xf32, #shared>
!c = memref<64x64xf32, #tile.space<fragment>>
!out = memref<64x64xf32, #global>
#atom = #cpu.atom<fma 6x64x1, f32 into f32, 512>

// CHECK-NOT: first(

// The sum begins with ones.
// CHECK-LABEL: @ones
func.func @ones(%out: !out, %a: !a, %b: !b, %c0: index, %c1: index) {
  %one = arith.constant 1.0 : f32
  %lower = arith.constant 0 : index
  %step = arith.constant 1 : index
  %upper = arith.constant 4 : index
  tile.kernel (%i) in (%c1) threads(128) {
    %c = tile.alloc "c" : !c
    tile.fill %c, %one : !c
    scf.for %k = %lower to %upper step %step {
      cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    }
    tile.copy %c[0, 0][64, 64] to %out[0, 0][64, 64] : !c to !out
  }
  return
}

// There may be no step at all.
// CHECK-LABEL: @none
func.func @none(%out: !out, %a: !a, %b: !b, %upper: index, %c1: index) {
  %zero = arith.constant 0.0 : f32
  %lower = arith.constant 0 : index
  %step = arith.constant 1 : index
  tile.kernel (%i) in (%c1) threads(128) {
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    scf.for %k = %lower to %upper step %step {
      cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    }
    tile.copy %c[0, 0][64, 64] to %out[0, 0][64, 64] : !c to !out
  }
  return
}

// A step reads the tensor that the product goes to.
// CHECK-LABEL: @read
func.func @read(%out: !out, %a: !a, %b: !b, %c1: index) {
  %zero = arith.constant 0.0 : f32
  %lower = arith.constant 0 : index
  %step = arith.constant 1 : index
  %upper = arith.constant 4 : index
  tile.kernel (%i) in (%c1) threads(128) {
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    scf.for %k = %lower to %upper step %step {
      tile.copy %out[0, 0][64, 32] to %a[0, 0][64, 32] : !out to !a
      cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    }
    tile.copy %c[0, 0][64, 64] to %out[0, 0][64, 64] : !c to !out
  }
  return
}

// The accumulator is wanted for something else as well.
// CHECK-LABEL: @reduced
func.func @reduced(%out: !out, %a: !a, %b: !b, %c1: index) {
  %zero = arith.constant 0.0 : f32
  %lower = arith.constant 0 : index
  %step = arith.constant 1 : index
  %upper = arith.constant 4 : index
  tile.kernel (%i) in (%c1) threads(128) {
    %c = tile.alloc "c" : !c
    %s = tile.alloc "s" : memref<64xf32, #tile.space<fragment>>
    tile.fill %c, %zero : !c
    scf.for %k = %lower to %upper step %step {
      cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    }
    tile.copy %c[0, 0][64, 64] to %out[0, 0][64, 64] : !c to !out
    tile.reduce sum %c into %s dim 1 : !c into memref<64xf32, #tile.space<fragment>>
  }
  return
}

// No tile lies inside the tensor.
// CHECK-LABEL: @small
func.func @small(%out: memref<40x64xf32, #global>, %a: !a, %b: !b, %c1: index) {
  %zero = arith.constant 0.0 : f32
  %lower = arith.constant 0 : index
  %step = arith.constant 1 : index
  %upper = arith.constant 4 : index
  tile.kernel (%i) in (%c1) threads(128) {
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    scf.for %k = %lower to %upper step %step {
      cpu.gemm %a, %b into %c atom(#atom) : !a, !b into !c
    }
    tile.copy %c[0, 0][64, 64] to %out[0, 0][64, 64] : !c to memref<40x64xf32, #global>
  }
  return
}
