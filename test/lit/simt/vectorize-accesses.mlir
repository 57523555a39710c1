// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How many neighbours a thread takes at once, and why not more.
// RUN: tilewright-opt %s --vectorize-accesses --verify-diagnostics | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#local = #tile.space<local>

// Eight elements of 16 bits; launches refuse memory that is not aligned to 16 bytes.
// CHECK-LABEL: func.func @copy
// CHECK-SAME:    align = 16
// CHECK:         tile.parallel {{.*}} attributes {simt.width = 8 : i64}
// CHECK:           tile.load {{.*}} {simt.contiguous}
// CHECK:           memref.store {{.*}} {simt.contiguous}
func.func @copy(%x: memref<?x96xf16, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}, {name = "k", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", "k"]}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %c64 = arith.constant 64 : index
    %k = arith.muli %bx, %c64 : index
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    tile.parallel (%i, %j) in (64, 32) {
      %column = arith.addi %k, %j : index
      %v = tile.load %x[%i, %column] : memref<?x96xf16, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}

// Rows of 90 elements start at multiples of two.
// CHECK-LABEL: func.func @rows_of_90
// CHECK-SAME:    align = 4
// CHECK:         tile.parallel {{.*}} attributes {simt.width = 2 : i64}
func.func @rows_of_90(%x: memref<?x90xf16, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}, {name = "k", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", 90], align = 2 : i64}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    tile.parallel (%i, %j) in (64, 32) {
      // expected-remark @+1 {{moves 4 bytes of x at a time}}
      %v = tile.load %x[%i, %j] : memref<?x90xf16, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}

// They do so too where no guard hangs on their length.
// CHECK-LABEL: func.func @inside_rows_of_90
// CHECK:         tile.parallel {{.*}} attributes {simt.width = 2 : i64}
func.func @inside_rows_of_90(%x: memref<?x90xf16, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", 90], align = 2 : i64}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    tile.parallel (%i, %j) in (64, 32) {
      // expected-remark @+1 {{moves 4 bytes of x at a time}}
      %v = tile.load %x[%i, %j] inbounds [true, true] : memref<?x90xf16, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}

// Rows that begin at multiples of 16 and end in the middle of eight neighbours: of two,
// both are inside or none is.
// CHECK-LABEL: func.func @padded_rows_of_90
// CHECK:         tile.parallel {{.*}} attributes {simt.width = 2 : i64}
func.func @padded_rows_of_90(%x: memref<?x90xf16, strided<[96, 1]>, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", 90], align = 2 : i64}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x96xf16, #shared>
    tile.parallel (%i, %j) in (64, 96) {
      // expected-remark @+1 {{moves 4 bytes of x at a time}}
      %v = tile.load %x[%i, %j] : memref<?x90xf16, strided<[96, 1]>, #global>
      memref.store %v, %s[%i, %j] : memref<64x96xf16, #shared>
    }
  }
  return
}

// Every other element: what lies between is nobody's.
// CHECK-LABEL: func.func @every_other
// CHECK-NOT:     simt.width
func.func @every_other(%x: memref<?x90xf16, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", 90], align = 2 : i64}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %c2 = arith.constant 2 : index
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    // expected-remark @+1 {{one element at a time: neighbours are not side by side in x}}
    tile.parallel (%i, %j) in (64, 32) {
      %column = arith.muli %j, %c2 : index
      %v = tile.load %x[%i, %column] : memref<?x90xf16, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}

// Nothing is known of a tensor's row, which is as long as a launch says.
// CHECK-LABEL: func.func @open_rows
// CHECK-NOT:     simt.width
func.func @open_rows(%x: memref<?x?xf16, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}, {name = "k", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", "k"]}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    // expected-remark @+1 {{one element at a time: the rows of x, or where they are read from, are not shown to be multiples of two elements; multiple_of of T.dynamic can show it}}
    tile.parallel (%i, %j) in (64, 32) {
      %v = tile.load %x[%i, %j] : memref<?x?xf16, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}

// Transposed: neighbours lie rows apart.
// CHECK-LABEL: func.func @transposed
// CHECK-NOT:     simt.width
func.func @transposed(%x: memref<64x64xf16, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}, {name = "k", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", "k"]}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x64xf16, #shared>
    // expected-remark @+1 {{one element at a time: neighbours are not side by side in x}}
    tile.parallel (%i, %j) in (64, 64) {
      %v = tile.load %x[%j, %i] : memref<64x64xf16, #global>
      memref.store %v, %s[%i, %j] : memref<64x64xf16, #shared>
    }
  }
  return
}

// Two nests over one dealt fragment take the same steps, those of the narrower; one with
// a layout goes as far as its registers are neighbours.
// CHECK-LABEL: func.func @fragments
// CHECK-COUNT-2: tile.parallel (%{{.*}}, %{{.*}}) in (64, 32) attributes {simt.dealt, simt.width = 4 : i64}
// CHECK:         tile.parallel {{.*}} simt.width = 2 : i64
func.func @fragments(%n: index, %f: f32) {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    %t = tile.alloc "t" : memref<64x32xf32, #shared>
    %a = tile.alloc "a" {simt.dealt} : memref<64x32xf32, #local>
    tile.parallel (%i, %j) in (64, 32) attributes {simt.dealt} {
      %v = memref.load %s[%i, %j] : memref<64x32xf16, #shared>
      %w = arith.extf %v : f16 to f32
      memref.store %w, %a[%i, %j] : memref<64x32xf32, #local>
    }
    tile.parallel (%i, %j) in (64, 32) attributes {simt.dealt} {
      %v = memref.load %a[%i, %j] : memref<64x32xf32, #local>
      memref.store %v, %t[%i, %j] : memref<64x32xf32, #shared>
    }
    %d = tile.alloc "d" {simt.dealt = #tile.layout<[vector 2:2, lane 8:4], [vector 4:4, lane 4:1, vector 2:1]>} : memref<16x32xf32, #local>
    tile.parallel (%i, %j) in (16, 32) attributes {simt.dealt = #tile.layout<[vector 2:2, lane 8:4], [vector 4:4, lane 4:1, vector 2:1]>} {
      %v = memref.load %d[%i, %j] : memref<16x32xf32, #local>
      memref.store %v, %t[%i, %j] : memref<64x32xf32, #shared>
    }
  }
  return
}

// All threads have work first; a branch that differs between neighbours keeps them apart.
// CHECK-LABEL: func.func @small
// CHECK:         tile.parallel {{.*}} attributes {simt.width = 2 : i64}
// CHECK:         tile.parallel (%{{.*}}, %{{.*}}) in (64, 32) {
func.func @small(%n: index, %f: f16) {
  tile.kernel (%bx) in (%n) threads(64) {
    %c7 = arith.constant 7 : index
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    tile.parallel (%i, %j) in (4, 32) {
      memref.store %f, %s[%i, %j] : memref<64x32xf16, #shared>
    }
    tile.parallel (%i, %j) in (64, 32) {
      %c = arith.cmpi ult, %j, %c7 : index
      scf.if %c {
        memref.store %f, %s[%i, %j] : memref<64x32xf16, #shared>
      }
    }
  }
  return
}

// Rows lie as far apart as the signature says of their distance.
// CHECK-LABEL: func.func @aligned_rows
// CHECK-SAME:    align = 16
// CHECK:         tile.parallel {{.*}} attributes {simt.width = 8 : i64}
func.func @aligned_rows(%x: memref<?x32xf16, strided<[?, 1]>, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}, {name = "step", multiple_of = 24, min = 0, max = -1}], params = [{name = "x", dims = ["m", 32], strides = ["step", 1]}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    tile.parallel (%i, %j) in (64, 32) {
      %v = tile.load %x[%i, %j] : memref<?x32xf16, strided<[?, 1]>, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}

// The distance may be an expression of sizes.
// CHECK-LABEL: func.func @rows_by_an_expression
// CHECK:         tile.parallel {{.*}} attributes {simt.width = 8 : i64}
func.func @rows_by_an_expression(%x: memref<?x32xf16, strided<[?, 1]>, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", 32], strides = [{text = "m * 8", steps = ["size m", 8, "mul"]}, 1]}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    tile.parallel (%i, %j) in (64, 32) {
      %v = tile.load %x[%i, %j] : memref<?x32xf16, strided<[?, 1]>, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}

// Of any distance nothing is known.
// CHECK-LABEL: func.func @any_rows
// CHECK-NOT:     simt.width
// CHECK:         return
func.func @any_rows(%x: memref<?x32xf16, strided<[?, 1]>, #global>, %n: index) attributes {
    tile.signature = {symbols = [{name = "m", multiple_of = 1, min = 1, max = -1}], params = [{name = "x", dims = ["m", 32], strides = ["any", 1]}, {name = "n"}]}} {
  tile.kernel (%bx) in (%n) threads(64) {
    %s = tile.alloc "s" : memref<64x32xf16, #shared>
    // expected-remark @+1 {{one element at a time: the rows of x, or where they are read from, are not shown to be multiples of two elements}}
    tile.parallel (%i, %j) in (64, 32) {
      %v = tile.load %x[%i, %j] : memref<?x32xf16, strided<[?, 1]>, #global>
      memref.store %v, %s[%i, %j] : memref<64x32xf16, #shared>
    }
  }
  return
}
