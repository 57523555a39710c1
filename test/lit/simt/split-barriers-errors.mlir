// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each constraint of barriers in two halves and in memory, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

func.func @arrive_by_one() {
  simt.once {
    // expected-error @+1 {{'simt.arrive' op (C1) must stand where all threads of the block come by, outside of simt.once, tile.parallel and simt.roles}}
    %p = simt.arrive
    simt.wait %p : !simt.pending
  }
  return
}

// -----

func.func @arrive_for_nobody() {
  // expected-error @+1 {{'simt.arrive' op (C2) needs a simt.wait in its block as its one consumer}}
  %p = simt.arrive
  return
}

// -----

func.func @two_at_once() {
  // expected-error @+1 {{'simt.arrive' op (C2) has another barrier in front of its simt.wait}}
  %p = simt.arrive
  // expected-note @+1 {{here}}
  simt.barrier
  simt.wait %p : !simt.pending
  return
}

// -----

func.func @barrier_of_no_role() {
  // expected-error @+1 {{'simt.barrier' op (C2) of a role must stand in a simt.roles}}
  simt.barrier role
  return
}

// -----

func.func @of_nobody() {
  // expected-error @+1 {{'simt.mbarrier' op (C1) waits for 1 to 1048575 arrivals, not 0}}
  %m = simt.mbarrier arrivals 0 : !simt.mbarrier<2>
  return
}

// -----

func.func @made_in_a_branch(%has: i1) {
  scf.if %has {
    // expected-error @+1 {{'simt.mbarrier' op (C2) must stand in a kernel or function itself}}
    %m = simt.mbarrier arrivals 1 : !simt.mbarrier<2>
  }
  return
}

// -----

func.func @mbarrier_arrive_of_iterations(%m: !simt.mbarrier<2>, %f: i1) {
  tile.parallel (%i) in (2) {
    // expected-error @+1 {{'simt.mbarrier_arrive' op (C1) must stand outside of tile.parallel, whose iterations are not threads}}
    simt.mbarrier_arrive %m[%i] : !simt.mbarrier<2>
  }
  return
}

// -----

func.func @mbarrier_arrive_third(%m: !simt.mbarrier<2>, %f: i1) {
  %c2 = arith.constant 2 : index
  // expected-error @+1 {{'simt.mbarrier_arrive' op (C2) names barrier 2 of 2}}
  simt.mbarrier_arrive %m[%c2] : !simt.mbarrier<2>
  return
}

// -----

func.func @mbarrier_wait_of_iterations(%m: !simt.mbarrier<2>, %f: i1) {
  tile.parallel (%i) in (2) {
    // expected-error @+1 {{'simt.mbarrier_wait' op (C1) must stand outside of tile.parallel, whose iterations are not threads}}
    simt.mbarrier_wait %m[%i] parity %f : !simt.mbarrier<2>
  }
  return
}

// -----

func.func @mbarrier_wait_third(%m: !simt.mbarrier<2>, %f: i1) {
  %c2 = arith.constant 2 : index
  // expected-error @+1 {{'simt.mbarrier_wait' op (C2) names barrier 2 of 2}}
  simt.mbarrier_wait %m[%c2] parity %f : !simt.mbarrier<2>
  return
}

// -----

func.func @too_many_bytes(%m: !simt.mbarrier<2>, %i: index) {
  // expected-error @+1 {{'simt.mbarrier_arrive' op (C3) expects 1 to 1048575 bytes, not 1048576}}
  simt.mbarrier_arrive %m[%i] expect 1048576 : !simt.mbarrier<2>
  return
}

// -----

// expected-error @+1 {{(C1) needs at least one barrier, not 0}}
func.func private @none(!simt.mbarrier<0>)

// -----

// expected-error @+1 {{(C1) is pending already}}
func.func private @twice(!simt.pending<!simt.pending<f32>>)
