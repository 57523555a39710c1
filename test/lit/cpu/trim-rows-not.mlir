// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products all of whose rows may count.
//
// RUN: %tilewright-opt %s --cpu-trim-rows | FileCheck %s
// CHECK-COUNT-7: cpu.gemm
// CHECK-NOT: rows(

#global = #tile.space<global>
#shared = #tile.space<shared>
!a = memref<64x32xf32, #shared>
!b = memref<32x64x1xf32, #shared>
!c = memref<64x64xf32, #tile.space<fragment>>
!out = memref<?x64xf32, #global>
#atom = #cpu.atom<fma 6x64x1, f32 into f32, 512>

// A tensor that is known to have the rows; a reduction; a tile of somebody else's; columns
// that are limited; a condition on something else; a limit that comes after the product; an
// element that another iteration's place is computed from.
func.func @all(%fits: memref<64x64xf32, #global>, %out: !out, %a: !a, %b: !b, %mine: !c,
               %rows: memref<64xf32, #shared>, %limits: memref<1xindex, #shared>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%k) in (%n) threads(128) {
    %c = tile.alloc "c" : !c
    cpu.gemm %a, %b into %c clear atom(#atom) : !a, !b into !c
    tile.copy %c[0, 0][64, 64] to %fits[%c0, 0][64, 64] : !c to memref<64x64xf32, #global>
    %d = tile.alloc "d" : !c
    cpu.gemm %a, %b into %d clear atom(#atom) : !a, !b into !c
    tile.reduce sum %d into %rows dim 1 : !c into memref<64xf32, #shared>
    cpu.gemm %a, %b into %mine clear atom(#atom) : !a, !b into !c
    %e = tile.alloc "e" : !c
    cpu.gemm %a, %b into %e clear atom(#atom) : !a, !b into !c
    tile.parallel (%i, %j) in (64, 64) {
      %counts = arith.cmpi slt, %j, %n : index
      scf.if %counts {
        %v = memref.load %e[%i, %j] : !c
        tile.store %v, %out[%i, %j] inbounds [true, true] : !out
      }
    }
    %f = tile.alloc "f" : !c
    cpu.gemm %a, %b into %f clear atom(#atom) : !a, !b into !c
    tile.parallel (%i, %j) in (64, 64) {
      %counts = arith.cmpi ne, %i, %n : index
      scf.if %counts {
        %v = memref.load %f[%i, %j] : !c
        tile.store %v, %out[%i, %j] inbounds [true, true] : !out
      }
    }
    %g = tile.alloc "g" : !c
    cpu.gemm %a, %b into %g clear atom(#atom) : !a, !b into !c
    %limit = memref.load %limits[%c0] : memref<1xindex, #shared>
    tile.parallel (%i, %j) in (64, 64) {
      %counts = arith.cmpi slt, %i, %limit : index
      scf.if %counts {
        %v = memref.load %g[%i, %j] : !c
        tile.store %v, %out[%i, %j] inbounds [true, true] : !out
      }
    }
    %h = tile.alloc "h" : !c
    cpu.gemm %a, %b into %h clear atom(#atom) : !a, !b into !c
    tile.parallel (%i, %j) in (64, 64) {
      %v = memref.load %h[%i, %j] : !c
      %at = arith.addi %i, %c1 : index
      memref.store %v, %mine[%i, %j] : !c
      tile.store %v, %out[%at, %j] inbounds [false, true] : !out
    }
  }
  return
}
