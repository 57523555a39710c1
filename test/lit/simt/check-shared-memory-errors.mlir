// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles that do not fit are an error with the table.
// RUN: tilewright-opt %s "--check-shared-memory=limit=1024 target=hip:gfx942" --verify-diagnostics

func.func @too_much(%n: index) {
  // expected-error @+1 {{the tiles of a block take 1088 bytes of shared memory, and hip:gfx942 has 1024; take smaller tiles or fewer stages (T.choose takes the first that fit):}}
  tile.kernel (%bx) in (%n) attributes {tile.arena = 1088 : i64} {
    %a = tile.alloc "a" at 0 : memref<16x16xf32, #tile.space<shared>>
    %b = tile.alloc "b" at 1024 : memref<16xf32, #tile.space<shared>>
  }
  return
}
