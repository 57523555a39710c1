// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What no target lowers yet is refused, by each pass that would take it for something else.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics --insert-barriers=target=cuda:sm_90a
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics --lower-channels=target=cuda:sm_90a
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics "--distribute=lanes=32 target=cuda:sm_90a"

#global = #tile.space<global>
#shared = #tile.space<shared>

func.func @copy(%n: index, %x: memref<?xf32, #global>, %s: memref<64xf32, #shared>) {
  tile.kernel (%bx) in (%n) threads(128) {
    // expected-error @+1 {{simt.copy_bulk has no lowering for cuda:sm_90a yet}}
    %p = simt.copy_bulk %x[%bx] to %s : memref<?xf32, #global>, memref<64xf32, #shared> -> !simt.pending
    simt.wait %p : !simt.pending
  }
  return
}

// -----

func.func @roles(%n: index) {
  tile.kernel (%bx) in (%n) threads(160) {
    // expected-error @+1 {{simt.roles has no lowering for cuda:sm_90a yet}}
    simt.roles threads [32, 128] {
    }, {
    }
  }
  return
}

// -----

func.func @barrier(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    // expected-error @+1 {{simt.arrive has no lowering for cuda:sm_90a yet}}
    %p = simt.arrive
    simt.wait %p : !simt.pending
  }
  return
}

// -----

func.func @barrier_in_memory(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    // expected-error @+1 {{simt.mbarrier has no lowering for cuda:sm_90a yet}}
    %m = simt.mbarrier arrivals 1 : !simt.mbarrier<2>
  }
  return
}

// -----

func.func @tensor_memory(%n: index) {
  tile.kernel (%bx) in (%n) threads(128) {
    // expected-error @+1 {{simt.tmem_alloc has no lowering for cuda:sm_90a yet}}
    %t = simt.tmem_alloc : !simt.tmem<2x128x64xf32>
    %c = simt.channel %t : !simt.tmem<2x128x64xf32> -> !simt.channel<2, !simt.tmem<128x64xf32>>
  }
  return
}
