// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What should have been lowered before is not left behind.
// RUN: %tilewright-opt %s --cpu-convert-to-llvm --verify-diagnostics

func.func @left(%p: !llvm.ptr, %v: f32) {
  %x = tile.from_pointer %p at 0 : memref<64xf32, #tile.space<shared>>
  // expected-error @+1 {{failed to legalize operation 'tile.fill'}}
  tile.fill %x, %v : memref<64xf32, #tile.space<shared>>
  return
}
