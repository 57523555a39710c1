// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing is asked for that every step reads, or that is not known before the step.
//
// RUN: %tilewright-opt %s --cpu-prefetch-steps | FileCheck %s
// CHECK-NOT: ahead

#global = #tile.space<global>
#shared = #tile.space<shared>
!cache = memref<?x64x128xbf16, #global>
!tile = memref<64x128xbf16, #shared>
!q = memref<64x64x2xbf16, #shared>
!s = memref<64x64xf32, #shared>
#atom = #cpu.atom<dpbf16 4x64x2, bf16 into f32, 512>

// The same rows in all steps; rows that overlap; rows of a workspace; rows where something
// that the kernel writes, or that only this step may read, says they are; a few bytes.
func.func @step(%q: !q, %cache: !cache, %table: memref<?xi32, #global>, %s: !s, %n: index, %flag: i1)
    attributes {tile.signature = {params = [{name = "q"}, {name = "cache"}, {name = "table"}, {name = "s"}, {name = "n"}, {name = "flag"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1 : i32
  %w = tile.workspace "w"(%n) : memref<?x64x128xbf16, #global>
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    %few = tile.alloc "few" : memref<4x16xbf16, #shared>
    scf.for %k = %c0 to %n step %c1 {
      tile.copy %cache[%b, 0, 0][1, 64, 128] to %t[0, 0][64, 128] : !cache to !tile
      tile.copy %cache[0, %k, 0][1, 64, 128] to %t[0, 0][64, 128] : !cache to !tile
      tile.copy %w[%k, 0, 0][1, 64, 128] to %t[0, 0][64, 128] : !cache to !tile
      tile.copy %cache[%k, 0, 0][1, 4, 16] to %few[0, 0][4, 16] : !cache to memref<4x16xbf16, #shared>
      %entry = tile.load %table[%k] : memref<?xi32, #global>
      %page = arith.index_cast %entry : i32 to index
      tile.copy %cache[%page, 0, 0][1, 64, 128] to %t[0, 0][64, 128] : !cache to !tile
      tile.store %one, %table[%k] : memref<?xi32, #global>
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
    }
  }
  return
}

func.func @branch(%q: !q, %cache: !cache, %table: memref<?xi32, #global>, %s: !s, %n: index, %flag: i1)
    attributes {tile.signature = {params = [{name = "q"}, {name = "cache"}, {name = "table"}, {name = "s"}, {name = "n"}, {name = "flag"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : !tile
    scf.for %k = %c0 to %n step %c1 {
      scf.if %flag {
        %entry = tile.load %table[%k] : memref<?xi32, #global>
        %page = arith.index_cast %entry : i32 to index
        tile.copy %cache[%page, 0, 0][1, 64, 128] to %t[0, 0][64, 128] : !cache to !tile
      }
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
    }
  }
  return
}

// An inner atom asks for its own rows.
func.func @inner(%a: memref<4x256xbf16, #shared>, %w: memref<?x8x256xbf16, #global>, %c: memref<4x8xf32, #shared>, %n: index)
    attributes {tile.signature = {params = [{name = "a"}, {name = "w"}, {name = "c"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) threads(128) {
    %t = tile.alloc "t" : memref<8x256xbf16, #shared>
    scf.for %k = %c0 to %n step %c1 {
      tile.copy %w[%k, 0, 0][1, 8, 256] to %t[0, 0][8, 256] : memref<?x8x256xbf16, #global> to memref<8x256xbf16, #shared>
      cpu.gemm %a, %t into %c atom(#cpu.atom<dpbf16 inner 4x4x2, bf16 into f32, 512>)
        : memref<4x256xbf16, #shared>, memref<8x256xbf16, #shared> into memref<4x8xf32, #shared>
    }
  }
  return
}

// Lists that two loops make, that depend on a tile, or that have been changed since.
// CHECK-NOT: listed
func.func @lists(%q: !q, %x: memref<?x576xbf16, #global>, %ids: memref<?xi32, #global>, %s: !s, %n: index)
    attributes {tile.signature = {params = [{name = "q"}, {name = "x"}, {name = "ids"}, {name = "s"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %one = arith.constant 1 : i32
  %zero = arith.constant 0.0 : bf16
  tile.kernel (%b) in (%c1) threads(128) {
    %two = tile.alloc "two" : memref<64xi32, #shared>
    %held = tile.alloc "held" : memref<64xi32, #shared>
    %changed = tile.alloc "changed" : memref<64xi32, #shared>
    %t = tile.alloc "t" : !tile
    scf.for %k = %c0 to %n step %c1 {
      tile.parallel (%i) in (64) {
        %row = tile.load %ids[%i] inbounds [false] : memref<?xi32, #global>
        memref.store %row, %two[%i] : memref<64xi32, #shared>
        memref.store %row, %changed[%i] : memref<64xi32, #shared>
      }
      tile.parallel (%i) in (64) {
        memref.store %one, %two[%i] : memref<64xi32, #shared>
        %row = memref.load %two[%i] : memref<64xi32, #shared>
        memref.store %row, %held[%i] : memref<64xi32, #shared>
      }
      memref.store %one, %changed[%c0] : memref<64xi32, #shared>
      tile.gather %x[0, 0][64, 128] axis 0 by %two[0] to %t[0, 0][64, 128] fill %zero
        : memref<?x576xbf16, #global>, memref<64xi32, #shared> to !tile
      tile.gather %x[0, 0][64, 128] axis 0 by %held[0] to %t[0, 0][64, 128] fill %zero
        : memref<?x576xbf16, #global>, memref<64xi32, #shared> to !tile
      tile.gather %x[0, 0][64, 128] axis 0 by %changed[0] to %t[0, 0][64, 128] fill %zero
        : memref<?x576xbf16, #global>, memref<64xi32, #shared> to !tile
      cpu.gemm %t, %q into %s atom(#atom) : !tile, !q into !s
    }
  }
  return
}

// Vectors that a product in place loads for one row.
func.func @one_row(%x: memref<?x512xf32, #global>, %a: memref<1x32xf32, #shared>,
                   %c: memref<1x512xf32, #shared>, %n: index)
    attributes {tile.signature = {params = [{name = "x"}, {name = "a"}, {name = "c"}, {name = "n"}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%b) in (%c1) threads(128) {
    scf.for %k = %c0 to %n step %c1 {
      %at = arith.muli %k, %c32 : index
      %rows = memref.subview %x[%at, 0][32, 512][1, 1]
        : memref<?x512xf32, #global> to memref<32x512xf32, strided<[512, 1], offset: ?>, #global>
      cpu.gemm %a, %rows into %c atom(#cpu.atom<fma 1x96x1, f32 into f32, 512>)
        : memref<1x32xf32, #shared>, memref<32x512xf32, strided<[512, 1], offset: ?>, #global>
          into memref<1x512xf32, #shared>
    }
  }
  return
}
