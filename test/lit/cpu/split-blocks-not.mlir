// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks that stay as they are.
//
// RUN: %tilewright-opt %s --cpu-split-blocks --split-input-file -o - --verify-diagnostics | FileCheck %s

// There is no part of the columns whose sums are known without the others.
// CHECK-LABEL: @sums
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<16x65536xf32, #tile.space<global>>
!s = memref<16xf32, #tile.space<global>>
!tile = memref<16x65536xf32, #tile.space<shared>>
!sum = memref<16xf32, #tile.space<fragment>>
func.func @sums(%X: !x, %S: !s) {
  %c1 = arith.constant 1 : index
  // expected-remark @below {{stays a grid of 1 blocks: no rows of them are worth a block}}
  tile.kernel (%b) in (%c1) {
    %x = tile.alloc "x" : !tile
    %s = tile.alloc "s" : !sum
    tile.copy %X[0, 0][16, 65536] to %x[0, 0][16, 65536] : !x to !tile
    tile.reduce sum %x into %s dim 1 : !tile into !sum
    tile.copy %s[0][16] to %S[0][16] : !sum to !s
  }
  return
}

// -----

// Rows of a against rows of a: parts would compute blocks of the diagonal.
// CHECK-LABEL: @diagonal
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x256xf32, #tile.space<global>>
!a = memref<256x256xf32, #tile.space<shared>>
!c = memref<256x256xf32, #tile.space<fragment>>
func.func @diagonal(%X: !x, %Y: !x) {
  %c1 = arith.constant 1 : index
  // expected-remark @below {{no rows of them are worth a block}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    %c = tile.alloc "c" : !c
    tile.copy %X[0, 0][256, 256] to %a[0, 0][256, 256] : !x to !a
    tile.gemm %a, %a into %c transpose_b clear : !a, !a into !c
    tile.copy %c[0, 0][256, 256] to %Y[0, 0][256, 256] : !c to !x
  }
  return
}

// -----

// Each part would need all rows of a, since it reads them beside its own.
// CHECK-LABEL: @neighbours
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
func.func @neighbours(%X: !x, %Y: !x) {
  %c1 = arith.constant 1 : index
  // expected-remark @below {{no rows of them are worth a block}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    %d = tile.alloc "d" : !a
    tile.copy %X[0, 0][256, 2048] to %a[0, 0][256, 2048] : !x to !a
    tile.copy %X[0, 2048][256, 2048] to %a[0, 2048][256, 2048] : !x to !a
    tile.parallel (%i, %j) in (256, 4096) {
      %above = arith.subi %i, %c1 : index
      %v = memref.load %a[%above, %j] : !a
      memref.store %v, %d[%i, %j] : !a
    }
    tile.copy %d[0, 0][256, 4096] to %Y[0, 0][256, 4096] : !a to !x
  }
  return
}

// -----

// What one iteration writes for others, each part would have to write.
// CHECK-LABEL: @first
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
!m = memref<1xf32, #tile.space<shared>>
func.func @first(%X: !x, %Y: !x) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark @below {{no rows of them are worth a block}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    %m = tile.alloc "m" : !m
    tile.parallel (%i, %j) in (256, 4096) {
      %v = tile.load %X[%i, %j] : !x
      memref.store %v, %a[%i, %j] : !a
      %sum = arith.addi %i, %j : index
      %is = arith.cmpi eq, %sum, %c0 : index
      scf.if %is {
        memref.store %v, %m[%c0] : !m
      }
    }
    tile.parallel (%i, %j) in (256, 4096) {
      %v = memref.load %a[%i, %j] : !a
      %o = memref.load %m[%c0] : !m
      %d = arith.subf %v, %o : f32
      tile.store %d, %Y[%i, %j] : !x
    }
  }
  return
}

// -----

// A part would read what another one has written.
// CHECK-LABEL: @in_place
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
func.func @in_place(%X: !x) {
  %c1 = arith.constant 1 : index
  // expected-remark @below {{stays a grid of 1 blocks: it reads a tensor that it writes}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    tile.copy %X[0, 0][256, 4096] to %a[0, 0][256, 4096] : !x to !a
    tile.copy %a[0, 0][256, 4096] to %X[0, 0][256, 4096] : !a to !x
  }
  return
}

// -----

// A counter of blocks counts each once.
// CHECK-LABEL: @counter
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!n = memref<1xi32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
func.func @counter(%X: !x, %Y: !x, %N: !n) {
  %one = arith.constant 1 : i32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark @below {{it writes single elements outside of loops}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    tile.copy %X[0, 0][256, 4096] to %a[0, 0][256, 4096] : !x to !a
    tile.copy %a[0, 0][256, 4096] to %Y[0, 0][256, 4096] : !a to !x
    %old = tile.atomic sum %one, %N[%c0] : !n
  }
  return
}

// -----

// One result of the block has no rows.
// CHECK-LABEL: @whole
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!v = memref<4096xf32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
!s = memref<4096xf32, #tile.space<shared>>
func.func @whole(%X: !x, %V: !v, %W: !v, %Y: !x) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // expected-remark @below {{no rows of them are worth a block}}
  tile.kernel (%b) in (%c2) {
    %a = tile.alloc "a" : !a
    %s = tile.alloc "s" : !s
    tile.copy %X[0, 0][256, 4096] to %a[0, 0][256, 4096] : !x to !a
    tile.copy %V[0][4096] to %s[0][4096] : !v to !s
    tile.copy %s[0][4096] to %W[0][4096] : !s to !v
    tile.copy %a[0, 0][256, 4096] to %Y[0, 0][256, 4096] : !a to !x
  }
  return
}

// -----

// A grid that is large enough or of any size, and work that is done before others have begun.
// CHECK-LABEL: @enough
// CHECK-COUNT-3: tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<?x4096xf32, #tile.space<global>>
!a = memref<64x4096xf32, #tile.space<shared>>
!b = memref<64x64xf32, #tile.space<shared>>
func.func @enough(%X: !x, %Y: !x, %n: index) {
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%b) in (%c8) {
    %a = tile.alloc "a" : !a
    %at = arith.muli %b, %c64 : index
    tile.copy %X[%at, 0][64, 4096] to %a[0, 0][64, 4096] : !x to !a
    tile.copy %a[0, 0][64, 4096] to %Y[%at, 0][64, 4096] : !a to !x
  }
  tile.kernel (%b) in (%n) {
    %a = tile.alloc "a" : !a
    %at = arith.muli %b, %c64 : index
    tile.copy %X[%at, 0][64, 4096] to %a[0, 0][64, 4096] : !x to !a
    tile.copy %a[0, 0][64, 4096] to %Y[%at, 0][64, 4096] : !a to !x
  }
  // expected-remark @below {{no rows of them are worth a block}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !b
    tile.copy %X[0, 0][64, 64] to %a[0, 0][64, 64] : !x to !b
    tile.copy %a[0, 0][64, 64] to %Y[0, 0][64, 64] : !b to !x
  }
  return
}

// -----

// Parts would write in another order where both copies do; a loop writes a window that moves.
// CHECK-LABEL: @twice
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
// CHECK-LABEL: @window
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
func.func @twice(%X: !x, %Y: !x) {
  %c1 = arith.constant 1 : index
  // expected-remark @below {{it writes a tensor more than once}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    tile.copy %X[0, 0][256, 4096] to %a[0, 0][256, 4096] : !x to !a
    tile.copy %a[0, 0][256, 4096] to %Y[0, 0][256, 4096] : !a to !x
    tile.copy %a[0, 0][256, 4096] to %Y[1, 0][256, 4096] : !a to !x
  }
  return
}
func.func @window(%X: !x, %Y: !x) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  // expected-remark @below {{it writes a tensor more than once}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    tile.copy %X[0, 0][256, 4096] to %a[0, 0][256, 4096] : !x to !a
    scf.for %s = %c0 to %c3 step %c1 {
      tile.copy %a[0, 0][256, 4096] to %Y[%s, 0][256, 4096] : !a to !x
    }
  }
  return
}

// -----

// All iterations combine their values into one element of a tile, or ask what they find.
// CHECK-LABEL: @reducer
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
// CHECK-LABEL: @former
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
!m = memref<1xf32, #tile.space<shared>>
!n = memref<4096xf32, #tile.space<global>>
func.func @reducer(%X: !x, %Y: !x) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark @below {{no rows of them are worth a block}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    %m = tile.alloc "m" : !m
    tile.fill %m, %zero : !m
    tile.parallel (%i, %j) in (256, 4096) {
      %v = tile.load %X[%i, %j] : !x
      %old = tile.atomic max %v, %m[%c0] : !m
      memref.store %v, %a[%i, %j] : !a
    }
    tile.parallel (%i, %j) in (256, 4096) {
      %v = memref.load %a[%i, %j] : !a
      %o = memref.load %m[%c0] : !m
      %d = arith.subf %v, %o : f32
      tile.store %d, %Y[%i, %j] : !x
    }
  }
  return
}
func.func @former(%X: !x, %N: !n, %Y: !x) {
  %c1 = arith.constant 1 : index
  // expected-remark @below {{it uses what atomics find in a tensor}}
  tile.kernel (%b) in (%c1) {
    tile.parallel (%i, %j) in (256, 4096) {
      %v = tile.load %X[%i, %j] : !x
      %old = tile.atomic sum %v, %N[%j] : !n
      tile.store %old, %Y[%i, %j] : !x
    }
  }
  return
}

// -----

// The order of products must not depend on how many rows a call has, constant or not.
// CHECK-LABEL: @invariant
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<256x4096xf32, #tile.space<global>>
!a = memref<256x4096xf32, #tile.space<shared>>
func.func @invariant(%X: !x, %Y: !x) attributes {tile.batch_invariant} {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    tile.copy %X[0, 0][256, 4096] to %a[0, 0][256, 4096] : !x to !a
    tile.copy %a[0, 0][256, 4096] to %Y[0, 0][256, 4096] : !a to !x
  }
  return
}

// -----

// All of a tile is summed that a loop writes through a view of its own.
// CHECK-LABEL: @view
// CHECK:         tile.kernel (%{{[a-z0-9]*}}) in
!x = memref<128x4096xf32, #tile.space<global>>
!a = memref<128x4096xf32, #tile.space<shared>>
!c = memref<128x1xf32, #tile.space<shared>>
!w = memref<128xf32, #tile.space<shared>>
!s = memref<1xf32, #tile.space<fragment>>
func.func @view(%X: !x, %Y: !x) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // expected-remark @below {{no rows of them are worth a block}}
  tile.kernel (%b) in (%c1) {
    %a = tile.alloc "a" : !a
    %c = tile.alloc "c" : !c
    %s = tile.alloc "s" : !s
    %w = tile.view %c : !c to !w
    tile.copy %X[0, 0][128, 4096] to %a[0, 0][128, 4096] : !x to !a
    tile.fill %c, %zero : !c
    tile.parallel (%i) in (128) {
      %v = tile.view %c : !c to !w
      %e = memref.load %a[%i, %c0] : !a
      memref.store %e, %v[%i] : !w
    }
    tile.reduce sum %w into %s dim 0 : !w into !s
    tile.parallel (%i, %j) in (128, 4096) {
      %e = memref.load %a[%i, %j] : !a
      %t = memref.load %s[%c0] : !s
      %d = arith.addf %e, %t : f32
      tile.store %d, %Y[%i, %j] : !x
    }
  }
  return
}
