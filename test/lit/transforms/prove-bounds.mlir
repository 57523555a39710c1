// RUN: %tilewright-opt %s --prove-bounds | FileCheck %s

#global = #tile.space<global>

// A grid of whole blocks: 4 * 32 rows, 128 of them.
// CHECK-LABEL: @static_grid
func.func @static_grid(%x: memref<128x64xf32, #global>) {
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  tile.kernel (%bx) in (%c4) {
    %base = arith.muli %bx, %c32 : index
    tile.parallel (%i, %j) in (32, 64) {
      %row = arith.addi %base, %i : index
      // CHECK: tile.load {{.*}} inbounds [true, true]
      %v = tile.load %x[%row, %j] : memref<128x64xf32, #global>
      %below = arith.subi %row, %c32 : index
      // CHECK: tile.store {{.*}} inbounds [false, true]
      tile.store %v, %x[%below, %j] : memref<128x64xf32, #global>
    }
  }
  return
}

// Sizes of one symbol are equal: the grid's extent is that of the other tensor.
// CHECK-LABEL: @symbols
func.func @symbols(%x: memref<?x16xf32, #global>, %y: memref<?xf32, #global>,
                   %z: memref<?xf32, #global>) attributes {tile.signature = {
    symbols = [{name = "m", min = 0 : i64, max = -1 : i64, multiple_of = 1 : i64},
               {name = "n", min = 0 : i64, max = -1 : i64, multiple_of = 1 : i64}],
    params = [{kind = "tensor", name = "X", dims = ["m", 16 : i64]},
              {kind = "tensor", name = "Y", dims = ["m"]},
              {kind = "tensor", name = "Z", dims = ["n"]}]}} {
  %c0 = arith.constant 0 : index
  %m = memref.dim %x, %c0 : memref<?x16xf32, #global>
  tile.kernel (%bx) in (%m) {
    tile.parallel (%j) in (16) {
      // CHECK: tile.load %arg0{{.*}} inbounds [true, true]
      %a = tile.load %x[%bx, %j] : memref<?x16xf32, #global>
      // CHECK: tile.load %arg1{{.*}} inbounds [true]
      %b = tile.load %y[%bx] : memref<?xf32, #global>
      // CHECK: tile.load %arg2{{.*}} inbounds [false]
      %c = tile.load %z[%bx] : memref<?xf32, #global>
    }
  }
  return
}

// ceildiv(m, 64) blocks of 64 rows stay inside where m is a multiple of 64 or 128.
// CHECK-LABEL: @multiples
func.func @multiples(%x: memref<?xf32, #global>, %y: memref<?xf32, #global>)
    attributes {tile.signature = {
    symbols = [{name = "m", min = 0 : i64, max = -1 : i64, multiple_of = 128 : i64},
               {name = "n", min = 0 : i64, max = -1 : i64, multiple_of = 32 : i64}],
    params = [{kind = "tensor", name = "X", dims = ["m"]},
              {kind = "tensor", name = "Y", dims = ["n"]}]}} {
  %c0 = arith.constant 0 : index
  %c63 = arith.constant 63 : index
  %c64 = arith.constant 64 : index
  %m = memref.dim %x, %c0 : memref<?xf32, #global>
  %m_up = arith.addi %m, %c63 : index
  %m_blocks = arith.divui %m_up, %c64 : index
  tile.kernel (%bx) in (%m_blocks) {
    %base = arith.muli %bx, %c64 : index
    tile.parallel (%i) in (64) {
      %row = arith.addi %base, %i : index
      // CHECK: tile.load %arg0{{.*}} inbounds [true]
      %v = tile.load %x[%row] : memref<?xf32, #global>
    }
  }
  %n = memref.dim %y, %c0 : memref<?xf32, #global>
  %n_blocks = arith.ceildivsi %n, %c64 : index
  tile.kernel (%bx) in (%n_blocks) {
    %base = arith.muli %bx, %c64 : index
    tile.parallel (%i) in (64) {
      %row = arith.addi %base, %i : index
      // CHECK: tile.load %arg1{{.*}} inbounds [false]
      %v = tile.load %y[%row] : memref<?xf32, #global>
      // The first half of a block always exists.
      %c32 = arith.constant 32 : index
      %half = arith.remui %i, %c32 : index
      %first = arith.addi %base, %half : index
      // CHECK: tile.load %arg1{{.*}} inbounds [true]
      %w = tile.load %y[%first] : memref<?xf32, #global>
    }
  }
  return
}

// Loops, conditions, assumptions, minima.
// CHECK-LABEL: @facts
func.func @facts(%x: memref<?xf32, #global>, %page: i32, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %n = memref.dim %x, %c0 : memref<?xf32, #global>
  tile.kernel (%bx) in (%blocks) {
    scf.for %k = %c0 to %n step %c4 {
      // CHECK: tile.load {{.*}} inbounds [true]
      %a = tile.load %x[%k] : memref<?xf32, #global>
      %next = arith.addi %k, %c1 : index
      // CHECK: tile.load {{.*}} inbounds [false]
      %b = tile.load %x[%next] : memref<?xf32, #global>
    }
    tile.pipelined %k = %c1 to %n step %c1 stages(2) {
      %before = arith.subi %k, %c1 : index
      // CHECK: tile.load {{.*}} inbounds [true]
      %a = tile.load %x[%before] : memref<?xf32, #global>
    }
    %inside = arith.cmpi slt, %bx, %n : index
    scf.if %inside {
      // CHECK: tile.load {{.*}} inbounds [true]
      %a = tile.load %x[%bx] : memref<?xf32, #global>
    } else {
      // CHECK: tile.load {{.*}} inbounds [false]
      %a = tile.load %x[%bx] : memref<?xf32, #global>
    }
    %p = arith.index_cast %page : i32 to index
    // CHECK: tile.load {{.*}} inbounds [false]
    %early = tile.load %x[%p] : memref<?xf32, #global>
    %low = arith.cmpi sge, %p, %c0 : index
    %high = arith.cmpi ult, %p, %n : index
    %both = arith.andi %low, %high : i1
    tile.assume %both
    // CHECK: tile.load {{.*}} inbounds [true]
    %late = tile.load %x[%p] : memref<?xf32, #global>
    %some = arith.cmpi sgt, %n, %c4 : index
    tile.assume %some
    %clamped = arith.minsi %bx, %c4 : index
    // CHECK: tile.load {{.*}} inbounds [true]
    %c = tile.load %x[%clamped] : memref<?xf32, #global>
    %never = arith.maxsi %bx, %c4 : index
    // CHECK: tile.load {{.*}} inbounds [false]
    %d = tile.load %x[%never] : memref<?xf32, #global>
  }
  return
}

// Sums of i32 wrap, so they are trusted only where they fit.
// CHECK-LABEL: @narrow
func.func @narrow(%x: memref<256xf32, #global>, %start: i32) {
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : i32
  %c2 = arith.constant 2 : i32
  %c7 = arith.constant 7 : i32
  tile.kernel (%bx) in (%c1) {
    tile.parallel (%i) in (16) {
      %n = arith.index_cast %i : index to i32
      %s = arith.muli %n, %c16 : i32
      %fits = arith.index_cast %s : i32 to index
      // CHECK: tile.load {{.*}} inbounds [true]
      %a = tile.load %x[%fits] : memref<256xf32, #global>
      %low = arith.andi %start, %c7 : i32
      %pair = arith.divui %n, %c2 : i32
      %sum = arith.addi %low, %pair : i32
      %small = arith.extui %sum : i32 to i64
      %masked = arith.index_cast %small : i64 to index
      // CHECK: tile.load {{.*}} inbounds [true]
      %b = tile.load %x[%masked] : memref<256xf32, #global>
      %wraps = arith.addi %start, %n : i32
      %unknown = arith.index_cast %wraps : i32 to index
      // CHECK: tile.load {{.*}} inbounds [false]
      %c = tile.load %x[%unknown] : memref<256xf32, #global>
    }
  }
  return
}

// Sizes that are expressions, and those of views.
// CHECK-LABEL: @expressions
func.func @expressions(%x: memref<?xf32, #global>, %y: memref<?xf32, #global>,
                       %z: memref<?xf32, #global>) attributes {tile.signature = {
    symbols = [{name = "m", min = 0 : i64, max = -1 : i64, multiple_of = 1 : i64}],
    params = [{kind = "tensor", name = "X", dims = ["m"]},
              {kind = "tensor", name = "Y",
               dims = [{text = "m * 2 + 1", steps = ["size m", 2 : i64, "mul", 1 : i64, "add"]}]},
              {kind = "tensor", name = "Z",
               dims = [{text = "T.ceildiv(m, 4)", steps = ["size m", 4 : i64, "ceildiv"]}]}]}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %m = memref.dim %x, %c0 : memref<?xf32, #global>
  %pairs = arith.muli %m, %c2 : index
  %halves = tile.view %x sizes(%pairs) : memref<?xf32, #global> to memref<?xf16, #global>
  tile.kernel (%i) in (%m) {
    %twice = arith.muli %i, %c2 : index
    %next = arith.addi %twice, %c1 : index
    %after = arith.addi %next, %c2 : index
    %quarter = arith.divui %i, %c4 : index
    // CHECK: tile.load {{.*}} inbounds [true]
    %a = tile.load %y[%next] : memref<?xf32, #global>
    // CHECK: tile.load {{.*}} inbounds [false]
    %b = tile.load %y[%after] : memref<?xf32, #global>
    // CHECK: tile.store {{.*}} inbounds [true]
    tile.store %a, %z[%quarter] : memref<?xf32, #global>
    // CHECK: tile.store {{.*}} inbounds [false]
    tile.store %b, %z[%i] : memref<?xf32, #global>
    // CHECK: tile.load {{.*}} inbounds [true]
    %h = tile.load %halves[%next] : memref<?xf16, #global>
    // CHECK: tile.store {{.*}} inbounds [false]
    tile.store %h, %halves[%after] : memref<?xf16, #global>
  }
  return
}

// A tensor and a grid of one quotient of a size.
// CHECK-LABEL: @rounded_up
func.func @rounded_up(%x: memref<?xf32, #global>, %y: memref<?xf32, #global>)
    attributes {tile.signature = {
    symbols = [{name = "m", min = 0 : i64, max = -1 : i64, multiple_of = 1 : i64}],
    params = [{kind = "tensor", name = "X", dims = ["m"]},
              {kind = "tensor", name = "Y",
               dims = [{text = "T.ceildiv(m, 4) * 4",
                        steps = ["size m", 4 : i64, "ceildiv", 4 : i64, "mul"]}]}]}} {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %m = memref.dim %x, %c0 : memref<?xf32, #global>
  %blocks = arith.ceildivui %m, %c4 : index
  tile.kernel (%bx) in (%blocks) {
    %start = arith.muli %bx, %c4 : index
    tile.parallel (%i) in (4) {
      %at = arith.addi %start, %i : index
      // CHECK: tile.load {{.*}} inbounds [false]
      %v = tile.load %x[%at] : memref<?xf32, #global>
      // CHECK: tile.store {{.*}} inbounds [true]
      tile.store %v, %y[%at] : memref<?xf32, #global>
    }
  }
  return
}
