//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_PASSES
#define TILEWRIGHT_COMPILER_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def PlanMemory : Pass<"plan-memory"> {
  let summary = "Give every tile of a kernel its place in the block's arena";
  let description = [{
    Sets `offset` on each `tile.alloc` of the shared and fragment spaces and
    `tile.arena` (bytes) on each `tile.kernel`. Two tiles share memory when they
    are never live at once; a tile that is live in a loop it was allocated
    outside of is live in the whole loop.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect"];
  let options = [
    Option<"alignment", "alignment", "int64_t", "64", "Alignment of every tile in bytes">];
}

def ProveBounds : Pass<"prove-bounds"> {
  let summary = "Mark element accesses that cannot leave their tensor";
  let description = [{
    Sets `inbounds` on each dimension of `tile.load`, `tile.store` and
    `tile.atomic` whose index is shown to lie between zero and the extent, from
    the ranges of loops, grids and parallel loops, the facts of the signature's
    symbols, `tile.assume` and enclosing conditions.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect"];
  let statistics = [
    Statistic<"numProved", "num-proved", "Number of guards removed">,
    Statistic<"numLeft", "num-left", "Number of guards that stay">];
}

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_PASSES
