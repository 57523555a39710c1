//===- TileStructureOps.td - Kernels, loops and allocations -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_STRUCTURE_OPS
#define TILEWRIGHT_TILE_STRUCTURE_OPS

include "dialects/tile/TileAttrs.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/LoopLikeInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ViewLikeInterface.td"

def Tile_KernelOp : Tile_Op<"kernel", [
    SingleBlock, NoTerminator, RecursiveMemoryEffects]> {
  let summary = "a grid of independent blocks";
  let description = [{
    Runs the region once for each point of a grid of one to three dimensions;
    the region's arguments are the block's coordinates, the first one varying
    fastest. Blocks are independent and have no order. `threads` is a hint that
    GPU backends honour where they can and the CPU ignores. A grid with a zero
    extent runs nothing. Kernels of one function run in order: each sees what
    the ones before it wrote.

    Constraints:
    - (C1) There are one to three grid extents, and as many region arguments,
      all of type `index`.
    - (C2) `threads`, where present, is between 1 and 1024.
    - (C3) Kernels do not nest.

    Example:
    ```mlir
    func.func @zero(%x: memref<?xf32, #tile.space<global>>, %blocks: index) {
      tile.kernel (%bx) in (%blocks) threads(128) {
        %zero = arith.constant 0.0 : f32
        tile.store %zero, %x[%bx] : memref<?xf32, #tile.space<global>>
      }
      return
    }
    ```
  }];
  let arguments = (ins Variadic<Index>:$grid, OptionalAttr<I64Attr>:$threads);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_WorkspaceOp : Tile_Op<"workspace", [MemoryEffects<[MemAlloc]>]> {
  let summary = "global memory that lives for one call of the function";
  let description = [{
    Allocates a contiguous global tensor, visible to every kernel of the
    function and freed when the call ends. Its contents are undefined. `sizes`
    gives the dynamic extents in order.

    Constraints:
    - (C1) The result is in the `global` space and has the identity layout.
    - (C2) There is one operand for each dynamic extent.
    - (C3) A workspace is not allocated inside a kernel.

    Example:
    ```mlir
    func.func @partials(%n: index) {
      %w = tile.workspace(%n) : memref<?x64xf32, #tile.space<global>>
      return
    }
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, OptionalAttr<StrAttr>:$name);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    ($name^)? (`(` $sizes^ `)`)? attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def Tile_AllocOp : Tile_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a tile or variable of a block";
  let description = [{
    Allocates a tile of a block. Its contents are undefined. `name` is the
    source's name for it, for plans and messages; `offset` is its place in the
    block's arena once memory was planned. What a `kept` tile holds is still read
    while the thread runs its next block, so no other tile may take its place.

    Constraints:
    - (C1) The type has a static shape and the identity layout.
    - (C2) The space is `shared`, `fragment` or `local`.
    - (C3) It is inside a `tile.kernel` or in a kernel's outlined function. (Not
      checked: such a function does not say that it is one.)

    Example:
    ```mlir
    func.func @one(%blocks: index) {
      tile.kernel (%bx) in (%blocks) {
        %s = tile.alloc "scores" : memref<64x64xf32, #tile.space<fragment>>
        %r = tile.alloc "rows" kept : memref<1x64xf32, #tile.space<fragment>>
      }
      return
    }
    ```
  }];
  let arguments = (ins OptionalAttr<StrAttr>:$name, OptionalAttr<I64Attr>:$offset,
                       UnitAttr:$kept);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "($name^)? (`at` $offset^)? (`kept` $kept^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_ViewOp : Tile_Op<"view", [
    Pure, DeclareOpInterfaceMethods<ViewLikeOpInterface, ["getViewSource"]>]> {
  let summary = "another shape or element type over the same memory";
  let description = [{
    The elements of `source` in row-major order, seen in the result's shape and
    as its element type. Nothing is copied: what is written through one is read
    through the other. `sizes` gives the dynamic extents of the result in order.

    Constraints:
    - (C1) Source and result are in one space.
    - (C2) Both have the identity layout.
    - (C3) There is one operand for each dynamic extent of the result.
    - (C4) Where both shapes are static, both take the same number of bytes.
    - (C5) Element types are integers or floats of whole bytes.

    Example:
    ```mlir
    func.func @flat(%x: memref<?x64xf32, #tile.space<global>>, %n: index,
                    %s: memref<8x16xf32, #tile.space<shared>>) {
      %a = tile.view %x sizes(%n)
        : memref<?x64xf32, #tile.space<global>> to memref<?xf32, #tile.space<global>>
      %b = tile.view %s
        : memref<8x16xf32, #tile.space<shared>> to memref<4x64xbf16, #tile.space<shared>>
      return
    }
    ```
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<Index>:$sizes);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $source (`sizes` `(` $sizes^ `)`)? attr-dict `:` type($source) `to` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_GridSyncOp : Tile_Op<"grid_sync", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "every block waits for all blocks of its grid";
  let description = [{
    What any block wrote to global memory before it is seen by every block after
    it. Where the blocks of a grid do not run at once, `split-grid-sync` makes
    kernels of the parts around it; so no tile, variable or value read from
    memory may live across it.

    Constraints:
    - (C1) It stands in a `tile.kernel`, in its body itself or in loops there
      that count (`scf.for` without results, `tile.pipelined`).

    Example:
    ```mlir
    func.func @two_phases(%x: memref<64xf32, #tile.space<global>>, %n: index) {
      tile.kernel (%bx) in (%n) {
        %zero = arith.constant 0.0 : f32
        tile.store %zero, %x[%bx] : memref<64xf32, #tile.space<global>>
        tile.grid_sync
        %old = tile.atomic sum %zero, %x[%bx] : memref<64xf32, #tile.space<global>>
      }
      return
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
  let hasVerifier = 1;
}

def Tile_ParallelOp : Tile_Op<"parallel", [
    SingleBlock, NoTerminator, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<LoopLikeOpInterface>]> {
  let summary = "elementwise loop nest whose iterations have no order";
  let description = [{
    Runs the region for every point of a static iteration space. No iteration
    may write an element that another iteration reads or writes.

    Constraints:
    - (C1) There is at least one extent, as many region arguments as extents,
      all of type `index`, and no extent is negative.
    - (C2) The region holds no tile operation on whole tiles, no allocation of a
      shared tile or fragment, and no other `tile.parallel`.

    Example:
    ```mlir
    func.func @scale(%s: memref<8x16xf32, #tile.space<shared>>, %by: f32) {
      tile.parallel (%i, %j) in (8, 16) {
        %x = memref.load %s[%i, %j] : memref<8x16xf32, #tile.space<shared>>
        %y = arith.mulf %x, %by : f32
        memref.store %y, %s[%i, %j] : memref<8x16xf32, #tile.space<shared>>
      }
      return
    }
    ```
  }];
  let arguments = (ins DenseI64ArrayAttr:$extents);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_PipelinedOp : Tile_Op<"pipelined", [
    SingleBlock, NoTerminator, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<LoopLikeOpInterface, [
      "getLoopInductionVars", "getLoopLowerBounds", "getLoopUpperBounds", "getLoopSteps",
      "getStaticTripCount"]>]> {
  let summary = "a sequential loop whose iterations may overlap";
  let description = [{
    The same result as `scf.for`, always. `stages` is a hint: how many
    iterations' copies a backend may have in flight.

    Constraints:
    - (C1) `stages` is at least 1.
    - (C2) The region has one argument of type `index`.

    Example:
    ```mlir
    func.func @steps(%n: index) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      tile.pipelined %k = %c0 to %n step %c1 stages(3) {
        tile.print "step" %k : index
      }
      return
    }
    ```
  }];
  let arguments = (ins Index:$lowerBound, Index:$upperBound, Index:$step,
                       I64Attr:$stages);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_TILE_STRUCTURE_OPS
