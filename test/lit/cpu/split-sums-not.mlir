// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums that one block does to the end.
//
// RUN: %tilewright-opt %s --cpu-split-sums --split-input-file | FileCheck %s --implicit-check-not=tile.workspace

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

// The maximum is that of the last step, not of all.
// CHECK-LABEL: @forgets
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @forgets(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.fill %top, %infinity : !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// What a step adds is scaled with what was there.
// CHECK-LABEL: @scaled_late
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @scaled_late(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.addf %s, %t : f32
        %v = arith.mulf %u, %w : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// Weights of a step are not those by which the sum is scaled.
// CHECK-LABEL: @two_scales
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @two_scales(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %f = arith.mulf %d, %scale : f32
        %w = math.exp2 %f : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// Two functions.
// CHECK-LABEL: @other_base
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @other_base(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// The sum of steps is not scaled when the maximum moves.
// CHECK-LABEL: @not_scaled
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @not_scaled(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.addf %s, %zero : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// The sum is scaled by the square of what its terms are.
// CHECK-LABEL: @scaled_twice
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @scaled_twice(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %q = arith.mulf %s, %w : f32
        %u = arith.mulf %q, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// Each step halves what the steps before it have summed.
// CHECK-LABEL: @halved
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @halved(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %f = math.exp2 %d : f32
        %half = arith.constant 0.5 : f32
        %w = arith.mulf %f, %half : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// A row is scaled by the weight of another one.
// CHECK-LABEL: @other_row
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @other_row(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %c15 = arith.constant 15 : index
        %o = arith.subi %c15, %i : index
        %a = memref.load %before[%o] : !r
        %b = memref.load %top[%o] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// What a step adds depends on what the steps before it have summed.
// CHECK-LABEL: @asks
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @asks(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      tile.reduce max %x into %top dim 1 accumulate : !t into !r
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %g = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %is = arith.cmpf olt, %s, %scale : f32
        %e = arith.select %is, %g, %zero : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}

// -----

// Only some steps keep the maximum.
// CHECK-LABEL: @sometimes
!x = memref<16x131072xf32, #tile.space<global>>
!y = memref<16xf32, #tile.space<global>>
!t = memref<16x64xf32, #tile.space<shared>>
!r = memref<16xf32, #tile.space<fragment>>
func.func @sometimes(%X: !x, %Y: !y, %scale: f32) {
  %zero = arith.constant 0.0 : f32
  %floor = arith.constant -1.0e30 : f32
  %infinity = arith.constant 0xFF800000 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c2048 = arith.constant 2048 : index
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : !t
    %top = tile.alloc "top" : !r
    %before = tile.alloc "before" : !r
    %total = tile.alloc "total" : !r
    %step_total = tile.alloc "step_total" : !r
    tile.fill %top, %floor : !r
    tile.fill %total, %zero : !r
    tile.pipelined %k = %c0 to %c2048 step %c1 stages(2) {
      %at = arith.muli %k, %c64 : index
      tile.copy %X[0, %at][16, 64] to %x[0, 0][16, 64] : !x to !t
      tile.copy %top[0][16] to %before[0][16] : !r to !r
      %is = arith.cmpi slt, %k, %c64 : index
      scf.if %is {
        tile.reduce max %x into %top dim 1 accumulate : !t into !r
      }
      tile.parallel (%i, %j) in (16, 64) {
        %v = memref.load %x[%i, %j] : !t
        %m = memref.load %top[%i] : !r
        %d = arith.subf %v, %m : f32
        %e = math.exp2 %d : f32
        memref.store %e, %x[%i, %j] : !t
      }
      tile.reduce sum %x into %step_total dim 1 : !t into !r
      tile.parallel (%i) in (16) {
        %a = memref.load %before[%i] : !r
        %b = memref.load %top[%i] : !r
        %d = arith.subf %a, %b : f32
        %w = math.exp2 %d : f32
        %s = memref.load %total[%i] : !r
        %t = memref.load %step_total[%i] : !r
        %u = arith.mulf %s, %w : f32
        %v = arith.addf %u, %t : f32
        memref.store %v, %total[%i] : !r
      }
    }
    tile.copy %total[0][16] to %Y[0][16] : !r to !y
  }
  return
}
