// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each constraint of roles, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

func.func @half_a_warp() {
  // expected-error @+1 {{'simt.roles' op (C1) needs two regions or more, and for each a multiple of 32 threads}}
  simt.roles threads [16, 112] {
  }, {
  }
  return
}

// -----

func.func @too_few(%n: index) {
  tile.kernel (%bx) in (%n) threads(256) {
    // expected-error @+1 {{'simt.roles' op (C2) divides 160 threads, and the kernel has 256}}
    simt.roles threads [32, 128] {
    }, {
    }
  }
  return
}

// -----

func.func @roles_in_roles() {
  simt.roles threads [64, 128] {
    // expected-error @+1 {{'simt.roles' op (C3) must stand outside of simt.once, tile.parallel and other simt.roles}}
    simt.roles threads [32, 32] {
    }, {
    }
  }, {
  }
  return
}

// -----

func.func @barrier_of_all() {
  // expected-error @+1 {{'simt.roles' op (C4) has a barrier of all threads of the block in a role}}
  simt.roles threads [32, 128] {
  }, {
    // expected-note @+1 {{here}}
    simt.barrier
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @two_producers(%c: !channel, %n: index) {
  // expected-error @+1 {{'simt.roles' op (C5) has two roles that put items into one channel}}
  simt.roles threads [32, 128] {
    simt.put %c[%n] {
    ^bb0(%s: !tile):
    } : !channel
  }, {
    // expected-note @+1 {{here}}
    simt.put %c[%n] {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @for_itself(%c: !channel, %n: index) {
  // expected-error @+1 {{'simt.roles' op (C5) has a role that takes out what it put in}}
  simt.roles threads [32, 128] {
    simt.put %c[%n] {
    ^bb0(%s: !tile):
    } : !channel
    // expected-note @+1 {{here}}
    %s = simt.get %c[%n] : !channel -> !tile
    simt.release %c[%n] : !channel
  }, {
  }
  return
}

// -----

func.func @odd_registers() {
  // expected-error @+1 {{'simt.roles' op (C6) needs for each region a multiple of 8 from 24 to 256 as its registers}}
  simt.roles threads [32, 128] registers [20, 232] {
  }, {
  }
  return
}

// -----

!tile = !simt.tmem<128x64xf32>

func.func @from_outside(%t: !tile, %i: index) {
  // expected-error @+1 {{'simt.roles' op (C7) has a role that uses what is pending or in tensor memory outside; pass it through a channel}}
  simt.roles threads [128, 32] {
    // expected-note @+1 {{here}}
    %p = simt.tmem_load %t[%i] : !tile -> !simt.pending<vector<128x64xf32>>
    %v = simt.wait %p : !simt.pending<vector<128x64xf32>>
  }, {
  }
  return
}
