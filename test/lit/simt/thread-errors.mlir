// Each constraint of the operations on threads, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

func.func @once_in_once() {
  simt.once {
    // expected-error @+1 {{'simt.once' op (C1) must stand in a kernel or device function, outside of simt.once and tile.parallel}}
    simt.once {
    }
  }
  return
}

// -----

func.func @barrier_in_once() {
  simt.once {
    // expected-error @+1 {{'simt.barrier' op (C1) must stand where all threads come by, outside of simt.once and tile.parallel}}
    simt.barrier
  }
  return
}

// -----

func.func @thread_in_parallel() {
  tile.parallel (%i) in (8) {
    // expected-error @+1 {{'simt.thread_id' op (C1) must stand outside of tile.parallel, whose iterations are not threads}}
    %t = simt.thread_id
  }
  return
}

// -----

func.func @block_in_kernel(%n: index) {
  tile.kernel (%bx) in (%n) {
    // expected-error @+1 {{'simt.block_id' op (C1) must stand outside of tile.kernel, whose arguments say which block it is}}
    %b = simt.block_id
  }
  return
}
