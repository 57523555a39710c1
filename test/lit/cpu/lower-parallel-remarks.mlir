// RUN: %tilewright-opt %s --cpu-lower-parallel --verify-diagnostics -o %t
// RUN: FileCheck %s < %t

#shared = #tile.space<shared>

// CHECK-LABEL: @atomic
// CHECK:         scf.for
// CHECK:           tile.atomic
func.func @atomic(%x: memref<64xi32, #shared>, %h: memref<256xi32, #shared>) {
  %one = arith.constant 1 : i32
  // expected-remark @+1 {{T.Parallel runs one element at a time: it holds an atomic}}
  tile.parallel (%i) in (64) {
    %v = memref.load %x[%i] : memref<64xi32, #shared>
    %bin = arith.index_cast %v : i32 to index
    %old = tile.atomic sum %one, %h[%bin] : memref<256xi32, #shared>
  }
  return
}

// CHECK-LABEL: @print
// CHECK:         tile.print
func.func @print(%x: memref<64xi32, #shared>) {
  // expected-remark @+1 {{it prints}}
  tile.parallel (%i) in (64) {
    %v = memref.load %x[%i] : memref<64xi32, #shared>
    tile.print "v" %v : i32
  }
  return
}

// CHECK-LABEL: @assertion
// CHECK:         tile.assert
func.func @assertion(%x: memref<64xi1, #shared>) {
  // expected-remark @+1 {{it holds an assertion}}
  tile.parallel (%i) in (64) {
    %v = memref.load %x[%i] : memref<64xi1, #shared>
    tile.assert %v, "x"
  }
  return
}

// CHECK-LABEL: @trip_count
// CHECK:         scf.for %[[I:.*]] =
// CHECK:           scf.for %{{.*}} = %{{.*}} to %[[I]]
func.func @trip_count(%x: memref<64xf32, #shared>, %y: memref<64xf32, #shared>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark @+1 {{a loop in it has a trip count that differs between its elements}}
  tile.parallel (%i) in (64) {
    scf.for %k = %c0 to %i step %c1 {
      %v = memref.load %x[%k] : memref<64xf32, #shared>
      memref.store %v, %y[%i] : memref<64xf32, #shared>
    }
  }
  return
}

// The other dimension has one trip count for all its elements.
// CHECK-LABEL: @trip_count_of_rows
// CHECK:         vector.store
func.func @trip_count_of_rows(%x: memref<64x16xf32, #shared>, %y: memref<64x16xf32, #shared>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  tile.parallel (%i, %j) in (64, 16) {
    scf.for %k = %c0 to %i step %c1 {
      %v = memref.load %x[%k, %j] : memref<64x16xf32, #shared>
      memref.store %v, %y[%i, %j] : memref<64x16xf32, #shared>
    }
  }
  return
}

// CHECK-LABEL: @while
// CHECK:         scf.while
func.func @while(%x: memref<64xi32, #shared>) {
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  // expected-remark @+1 {{it holds a while loop or a break}}
  tile.parallel (%i) in (64) {
    %v = memref.load %x[%i] : memref<64xi32, #shared>
    %r = scf.while (%n = %v) : (i32) -> i32 {
      %go = arith.cmpi sgt, %n, %zero : i32
      scf.condition(%go) %n : i32
    } do {
    ^bb0(%n: i32):
      %m = arith.shrsi %n, %one : i32
      scf.yield %m : i32
    }
    memref.store %r, %x[%i] : memref<64xi32, #shared>
  }
  return
}

// One element is no loop, and nothing to remark.
// CHECK-LABEL: @one
// CHECK-NOT:     scf.for
func.func @one(%x: memref<1xf32, #shared>) {
  tile.parallel (%i) in (1) {
    %v = memref.load %x[%i] : memref<1xf32, #shared>
    %n = arith.negf %v : f32
    memref.store %n, %x[%i] : memref<1xf32, #shared>
  }
  return
}
