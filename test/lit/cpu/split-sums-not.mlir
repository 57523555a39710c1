// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums that one block does to the end.
//
// RUN: %tilewright-opt %s --cpu-split-sums --split-input-file | FileCheck %s --implicit-check-not=tile.workspace

// What is there before the loop would be added once for each part.
// CHECK-LABEL: @begins_with_one
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @begins_with_one(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %one : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// The result is that of the last step alone.
// CHECK-LABEL: @clears
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @clears(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c clear : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// Sums of f16 are rounded to what other operations read.
// CHECK-LABEL: @narrow
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf16, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf16, #tile.space<fragment>>
func.func @narrow(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f16
  %one = arith.constant 1.0 : f16
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// A step reads what the steps before it have summed.
// CHECK-LABEL: @reads_sums
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @reads_sums(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.parallel (%i, %j) in (32, 32) {
        %v = memref.load %c[%i, %j] : !c
        %h = arith.mulf %v, %one : f32
        memref.store %h, %b[%i, %j] : !t
      }
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// A tile goes from one step to the next.
// CHECK-LABEL: @carries
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @carries(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    %d = tile.alloc "d" : !t
    tile.fill %d, %zero : !t
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.parallel (%i, %j) in (32, 32) {
        %v = memref.load %a[%i, %j] : !t
        %o = memref.load %d[%i, %j] : !t
        %s = arith.addf %v, %o : f32
        memref.store %s, %d[%i, %j] : !t
        memref.store %s, %a[%i, %j] : !t
      }
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// Steps write to a tensor.
// CHECK-LABEL: @writes
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @writes(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.copy %b[0, 0][32, 32] to %Y[0, 0][32, 32] : !t to !y
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// How many steps there are is not known.
// CHECK-LABEL: @dynamic
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @dynamic(%X: !x, %W: !w, %Y: !y, %n: index) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %n step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// Of a sum of 1024 products no part would be long enough.
// CHECK-LABEL: @short
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @short(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c32 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// The grid is large enough.
// CHECK-LABEL: @enough
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @enough(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c8) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----

// The tile is written before the loop in more than one way.
// CHECK-LABEL: @filled_twice
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @filled_twice(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

// -----


// The order of products must not depend on how many rows a call has.
// CHECK-LABEL: @invariant
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @invariant(%X: !x, %W: !w, %Y: !y) attributes {tile.batch_invariant} {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}


// -----


// There are no steps.
// CHECK-LABEL: @no_steps
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @no_steps(%X: !x, %W: !w, %Y: !y) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    tile.pipelined %k = %c0 to %c0 step %c1 stages(2) {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}


// -----


// The first step is not known, only how many there are.
// CHECK-LABEL: @begins_anywhere
!x = memref<32x65536xf32, #tile.space<global>>
!w = memref<65536x32xf32, #tile.space<global>>
!y = memref<32x32xf32, #tile.space<global>>
!t = memref<32x32xf32, #tile.space<shared>>
!c = memref<32x32xf32, #tile.space<fragment>>
func.func @begins_anywhere(%X: !x, %W: !w, %Y: !y, %n: index) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %c2048 = arith.constant 2048 : index
  %end = arith.addi %n, %c2048 overflow<nsw> : index
  tile.kernel (%bx) in (%c1) {
    %a = tile.alloc "a" : !t
    %b = tile.alloc "b" : !t
    %c = tile.alloc "c" : !c
    tile.fill %c, %zero : !c
    scf.for %k = %n to %end step %c1 {
      %at = arith.muli %k, %c32 : index
      tile.copy %X[0, %at][32, 32] to %a[0, 0][32, 32] : !x to !t
      tile.copy %W[%at, 0][32, 32] to %b[0, 0][32, 32] : !w to !t
      tile.gemm %a, %b into %c : !t, !t into !c
    }
    tile.copy %c[0, 0][32, 32] to %Y[0, 0][32, 32] : !c to !y
  }
  return
}

