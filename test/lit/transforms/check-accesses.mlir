// RUN: %tilewright-opt %s --check-accesses | FileCheck %s
// RUN: %tilewright-opt %s --check-accesses=values | FileCheck %s --check-prefix=VALUES

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// Memories and loops are numbered from outside in; an access is checked in front of it.
// CHECK-LABEL: @elements
// CHECK-SAME: (%[[X:.*]]: memref
func.func @elements(%x: memref<?xf32, #global>, %n: index) {
  // CHECK: tile.check_memory 0 "a tensor" %[[X]] : memref<?xf32
  // CHECK: tile.check_memory 1 "w" %{{.*}} undefined
  %w = tile.workspace "w"(%n) : memref<?xf32, #global>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%n) {
    // CHECK: tile.check_memory 2 "s" %[[S:.*]] : memref<32xf32
    %s = tile.alloc "s" : memref<32xf32, #shared>
    // CHECK: scf.for %[[K:.*]] =
    scf.for %k = %c0 to %n step %c1 {
      // CHECK-NEXT: tile.check_iteration 0(%[[K]]) ["k"]
      // CHECK-NEXT: tile.parallel (%[[I:.*]]) in (32)
      tile.parallel (%i) in (32) {
        // CHECK-NEXT: tile.check_iteration 1(%[[I]]) ["_"] in 0 parallel [32]
        // CHECK-NEXT: tile.check_access read 0 %[[X]][%[[I]]] [1] "" in 1
        // CHECK-NEXT: tile.load
        %v = tile.load %x[%i] : memref<?xf32, #global>
        // CHECK-NEXT: tile.check_access write 2 %[[S]][%[[I]]] [1] "" in 1
        // CHECK-NEXT: memref.store
        memref.store %v, %s[%i] : memref<32xf32, #shared>
      }
    } loc("k"("file.py":3:4))
    %one = arith.constant 1.0 : f32
    // CHECK: tile.check_access atomic 1 %{{.*}}[%{{.*}}] [1] "T.atomic_add"
    // CHECK-NEXT: tile.atomic
    %old = tile.atomic sum %one, %w[%bx] : memref<?xf32, #global>
  }
  return
}

// Reads come before writes. A view is checked as a part of what was allocated.
// CHECK-LABEL: @tiles
// VALUES-LABEL: @tiles
func.func @tiles(%n: index, %at: index) {
  tile.kernel (%bx) in (%n) {
    %a = tile.alloc "a" : memref<4x64x32xbf16, #shared>
    %b = tile.alloc "b" : memref<32x16xbf16, #shared>
    %c = tile.alloc "c" : memref<16x16xf32, #fragment>
    %part = memref.subview %a[%at, 8, 0] [1, 16, 32] [1, 1, 1]
      : memref<4x64x32xbf16, #shared>
        to memref<16x32xbf16, strided<[32, 1], offset: ?>, #shared>
    // CHECK: tile.check_access read 0 %[[A:.*]][%{{.*}}, 8, 0] [1, 16, 32] "T.gemm"
    // CHECK-NEXT: tile.check_access read 1 %[[B:.*]][0, 0] [32, 16] "T.gemm"
    // CHECK-NEXT: tile.check_access write 2 %[[C:.*]][0, 0] [16, 16] "T.gemm"
    // CHECK-NEXT: tile.gemm
    // VALUES: tile.check_access read 0 {{.*}} "T.gemm" inspect first
    // VALUES: tile.check_access read 1 {{.*}} "T.gemm" inspect :
    // VALUES: tile.gemm
    // VALUES-NEXT: tile.check_access result 2 {{.*}} "T.gemm" :
    tile.gemm %part, %b into %c clear
      : memref<16x32xbf16, strided<[32, 1], offset: ?>, #shared>,
        memref<32x16xbf16, #shared> into memref<16x16xf32, #fragment>
    // CHECK-NEXT: tile.check_access read 0
    // CHECK-NEXT: tile.check_access read 1
    // CHECK-NEXT: tile.check_access read 2
    // CHECK-NEXT: tile.check_access write 2
    // CHECK-NEXT: tile.gemm
    tile.gemm %part, %b into %c
      : memref<16x32xbf16, strided<[32, 1], offset: ?>, #shared>,
        memref<32x16xbf16, #shared> into memref<16x16xf32, #fragment>
  }
  return
}

// A gather reads the indices, then the rows that they name.
// CHECK-LABEL: @rows
func.func @rows(%x: memref<?x64xf32, #global>, %n: index) {
  tile.kernel (%bx) in (%n) {
    %ids = tile.alloc "ids" : memref<32xi32, #shared>
    %s = tile.alloc "s" : memref<16x64xf32, #shared>
    %zero = arith.constant 0.0 : f32
    // CHECK: tile.check_access read 1 %[[IDS:.*]][8] [16] "T.gather"
    // CHECK-NEXT: tile.check_access read 0 %{{.*}}[0, 0] [16, 64] axis 0 with 1 %[[IDS]][8] [16] "T.gather"
    // CHECK-NEXT: tile.check_access write 2 %{{.*}}[0, 0] [16, 64] "T.gather"
    tile.gather %x[0, 0][16, 64] axis 0 by %ids[8] to %s[0, 0][16, 64] fill %zero
      : memref<?x64xf32, #global>, memref<32xi32, #shared> to memref<16x64xf32, #shared>
  }
  return
}

// What a copy would write outside of a tensor is not read.
// CHECK-LABEL: @edge
// CHECK-SAME: (%[[X:.*]]: memref
func.func @edge(%x: memref<?x?xf32, #global>, %n: index) {
  tile.kernel (%bx) in (%n) {
    %s = tile.alloc "s" : memref<16x64xf32, #shared>
    // CHECK: tile.check_access read 1 %[[S:.*]][0, 0] [16, 64] with 0 %[[X]][%{{.*}}, 0] [16, 64] "T.copy"
    // CHECK-NEXT: tile.check_access write 0 %[[X]][%{{.*}}, 0] [16, 64] "T.copy"
    tile.copy %s[0, 0][16, 64] to %x[%bx, 0][16, 64]
      : memref<16x64xf32, #shared> to memref<?x?xf32, #global>
    // CHECK: tile.check_access read 0 %[[X]][%{{.*}}, 0] [16, 64] "T.copy"
    // CHECK-NEXT: tile.check_access write 1 %[[S]][0, 0] [16, 64] "T.copy"
    tile.copy %x[%bx, 0][16, 64] to %s[0, 0][16, 64]
      : memref<?x?xf32, #global> to memref<16x64xf32, #shared>
  }
  return
}

// Arithmetic is looked at, what merely moves values is not.
// CHECK-LABEL: @values
// CHECK-NOT: check_value
// VALUES-LABEL: @values
func.func @values(%n: index, %x: f32, %y: f32, %c: i1) {
  tile.kernel (%bx) in (%n) {
    // VALUES: %[[Q:.*]] = arith.divf %[[X:.*]], %[[Y:.*]] : f32
    // VALUES-NEXT: tile.check_value %[[Q]] from %[[X]], %[[Y]] "/" : f32, f32, f32
    %q = arith.divf %x, %y : f32
    // VALUES-NEXT: %[[H:.*]] = tile.cast %[[Q]]
    // VALUES-NEXT: tile.check_value %[[H]] from %[[Q]] "conversion" : f16, f32
    %h = tile.cast %q : f32 to f16
    // VALUES-NEXT: arith.select
    // VALUES-NEXT: tile.print
    %s = arith.select %c, %q, %x : f32
    tile.print "s" %s : f32
  }
  return
}

// A view's elements are those of its source: a run of them in each group of dimensions that
// hold equally many. An index that leaves its dimension leaves the source.
// CHECK-LABEL: @views
// CHECK-SAME:  %[[AT:[a-z0-9]+]]: index)
func.func @views(%n: index, %at: index) {
  %zero = arith.constant 0.0 : f32
  tile.kernel (%bx) in (%n) {
    %a = tile.alloc "a" : memref<2x384xf32, #shared>
    %h = tile.alloc "h" : memref<4x32xbf16, #shared>
    %g = tile.view %a : memref<2x384xf32, #shared> to memref<2x3x128xf32, #shared>
    // CHECK: tile.check_access write 0 %[[A:.*]][0, 0] [2, 384] "T.fill"
    tile.fill %g, %zero : memref<2x3x128xf32, #shared>
    // CHECK: %[[IN:.*]] = arith.cmpi ult, %[[AT]], %c128
    // CHECK: %[[K:.*]] = arith.select %[[IN]], %[[AT]], %c384
    // CHECK: %[[PLACE:.*]] = arith.addi %c128{{.*}}, %[[K]]
    // CHECK: tile.check_access read 0 %[[A]][1, %[[PLACE]]] [1, 1] ""
    %c1 = arith.constant 1 : index
    %x = memref.load %g[%c1, %c1, %at] : memref<2x3x128xf32, #shared>
    // CHECK: tile.check_access read 0 %[[A]][0, 128] [1, 256] "T.copy"
    // CHECK: tile.check_access write 0 %[[A]][1, 0] [1, 256] "T.copy"
    tile.copy %g[0, 1, 0][1, 2, 128] to %g[1, 0, 0][1, 2, 128]
      : memref<2x3x128xf32, #shared> to memref<2x3x128xf32, #shared>
    // Rows of a taller source, and elements of another size.
    %f = tile.view %a : memref<2x384xf32, #shared> to memref<768xf32, #shared>
    // CHECK: %[[ROW:.*]] = arith.divsi %[[AT]], %c384
    // CHECK: %[[COLUMN:.*]] = arith.remsi %[[AT]], %c384
    // CHECK: tile.check_access write 0 %[[A]][%[[ROW]], %[[COLUMN]]] [1, 1] ""
    memref.store %x, %f[%at] : memref<768xf32, #shared>
    %w = tile.view %h : memref<4x32xbf16, #shared> to memref<4x16xi32, #shared>
    // CHECK: %[[TWICE:.*]] = arith.muli %{{.*}}, %c2
    // CHECK: tile.check_access read 1 %{{.*}}[1, %[[TWICE]]] [1, 2] ""
    %p = memref.load %w[%c1, %at] : memref<4x16xi32, #shared>
  }
  return
}

// A part of rows that are longer in the source is no box there: its elements are, one by
// one. What of them goes outside of a tensor is not accessed.
// CHECK-LABEL: @parts_of_rows
// VALUES-LABEL: @parts_of_rows
func.func @parts_of_rows(%n: index, %t: memref<?x64xbf16, #global>) {
  tile.kernel (%bx) in (%n) {
    %a = tile.alloc "a" : memref<4x96xf32, #shared>
    %v = tile.view %a : memref<4x96xf32, #shared> to memref<6x64xf32, #shared>
    // CHECK: scf.for %[[I:.*]] = %c0{{.*}} to %c2
    // CHECK: scf.for %[[J:.*]] = %c0{{.*}} to %c64
    // CHECK: tile.check_access read 1 %{{.*}}[%{{.*}}, %{{.*}}] [1, 1] with 0 %{{.*}}[%{{.*}}, %{{.*}}] [1, 1] "T.copy"
    // CHECK: tile.check_access write 0 %{{.*}}[%{{.*}}, 0] [2, 64] "T.copy"
    // CHECK: tile.copy
    // VALUES: tile.check_access read 1 {{.*}} "T.copy" inspect first
    // VALUES: scf.for
    // VALUES: tile.check_access read 1 {{.*}} "T.copy" inspect :
    tile.copy %v[1, 0][2, 64] to %t[%bx, 0][2, 64]
      : memref<6x64xf32, #shared> to memref<?x64xbf16, #global>
  }
  return
}
