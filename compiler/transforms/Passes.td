//===- Passes.td --------------------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_PASSES
#define TILEWRIGHT_COMPILER_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def CheckAccesses : Pass<"check-accesses", "::mlir::func::FuncOp"> {
  let summary = "Put a check beside every access of a kernel's memory";
  let description = [{
    Checking mode (docs/checking.md): makes each tensor, tile and loop known to the
    runtime's checker, and puts a `tile.check_access` in front of every access.
    With `values`, results of arithmetic on floats are looked at as well. An
    operation that does not say what it accesses is refused.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect",
                           "::mlir::arith::ArithDialect"];
  let options = [
    Option<"values", "values", "bool", "false", "Look for the origin of NaN and infinities">];
}

def CheckInitialization : Pass<"check-initialization", "::mlir::func::FuncOp"> {
  let summary = "Refuse reads of memory that nothing can have written";
  let description = [{
    An error where the first access of a tile, a variable or a workspace, in the
    order of the source, reads it: a `tile.gemm` that accumulates in a tile nobody
    cleared, a copy of a tile that nothing fills. Where a branch or a loop that may
    make no step stands around the read, and a loop around both brings it after a
    write, that is no error: the first step need not come to the read. Only what is
    certain is refused; `check-accesses` finds the rest when the kernel runs.
  }];
}

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

def SplitGridSync : Pass<"split-grid-sync", "::mlir::func::FuncOp"> {
  let summary = "Split kernels at grid_sync, on targets that run blocks in turns";
  let description = [{
    The parts of a kernel between `tile.grid_sync` become kernels of the same
    grid, which run in order; a loop that holds one moves out, around the
    kernels of its body. What is computed from block coordinates, sizes and
    loop variables is computed again in each part that uses it. A tile is
    allocated anew in each part that writes it before reading it; where one, or
    a value read from memory, would have to live on, that is an error.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect", "::mlir::scf::SCFDialect"];
}

def SequentializeLoops : Pass<"sequentialize-loops"> {
  let summary = "Turn pipelined loops into plain ones, on targets without channels";
}

def LegalizeAccumulators : Pass<"legalize-accumulators"> {
  let summary = "Accumulate gemms into narrow float tiles in f32";
  let description = [{
    A tile of f16, bf16 or f8 that a gemm accumulates in becomes a tile of f32;
    whatever else reads it rounds what it reads.
  }];
}

def ProveBounds : Pass<"prove-bounds", "::mlir::func::FuncOp"> {
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

def LowerAccess : Pass<"lower-access"> {
  let summary = "Lower single loads, stores and atomics on global tensors";
  let description = [{
    A guard becomes an `scf.if`. An atomic becomes a `memref.atomic_rmw`, or, on
    elements that there is no atomic instruction for, a loop of compare and
    exchange, on devices of the word that has the element; on a tile of the
    block's own it is a plain update, unless several threads share the block's
    tiles. Facts that `tile.assume` stated have served and go.
  }];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::vector::VectorDialect"];
  let options = [Option<"sharesTiles", "shares-tiles", "bool", "false",
                        "Several threads run a block">];
}

def WidenFloats : Pass<"widen-floats"> {
  let summary = "Compute with narrow floats in f32, rounded after each operation";
  let description = [{
    Arithmetic, comparisons and math functions on f16, bf16 and f8 take operands
    cast to f32 and give a result cast back. Loads, stores, selections and
    bitcasts keep the narrow type.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect"];
}

def ExpandCasts : Pass<"expand-casts"> {
  let summary = "Expand numeric conversions to arithmetic on scalars and vectors";
  let description = [{
    Every `tile.cast` becomes `arith` operations with its semantics at NaN,
    infinity, denormals and both ends of the integers. Of the floats narrower
    than f32 only f16 needs support by the hardware; with `native-bf16`, bf16 too.
  }];
  let dependentDialects = ["::mlir::math::MathDialect"];
  let options = [Option<"nativeBF16", "native-bf16", "bool", "false",
                        "The target rounds f32 to bf16, denormals included">];
}

def ExpandDivisions : Pass<"expand-divisions"> {
  let summary = "Expand integer divisions that round up or down";
  let description = [{
    `arith.ceildivsi`, `ceildivui` and `floordivsi` become divisions towards zero with
    a correction. Everything else of `arith` is left to the target: a GPU has maximum
    and minimum that propagate NaN.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def ExpandMath : Pass<"expand-math", "::mlir::ModuleOp"> {
  let summary = "Expand math functions to arithmetic that vectorises";
  let description = [{
    Every math function on f32 and f64, and `arith.remf`, becomes arithmetic with
    the error bounds of docs/semantics.md, without calls. What the hardware has
    stays: sqrt, fma, abs, rounding to integers, and with `native-exp2` exp2 of f32.
    Maximum and minimum may give a zero of either sign.
  }];
  let options = [Option<"nativeExp2", "native-exp2", "bool", "false",
                        "The target has exp2 of f32">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def ExpandTiles : Pass<"expand-tiles"> {
  let summary = "Expand operations on whole tiles to parallel loops over their elements";
  let description = [{
    `tile.fill`, `copy`, `gather`, `scatter`, `pack`, `reduce`, `scan`, `topk` and
    `gemm` become `tile.parallel` over scalar code: what they mean, written as IR.
    A backend runs it on what it has nothing better for. An iteration writes
    elements of its own, and sums, runs and ranks are loops inside it. A guard
    stays on each access of a tensor that constants do not show to be inside
    (`prove-bounds` may show more). An operand that the result may overlap is
    copied first. A `gemm` whose atom was chosen stays, and with `keep-reductions`
    a `reduce` of a fragment or shared tile. Comes after `legalize-accumulators`.

    Example:
    ```mlir
    func.func @rowsum(%x: memref<8x16xf16, #tile.space<shared>>,
                      %s: memref<8xf16, #tile.space<shared>>) {
      tile.reduce sum %x into %s dim 1
        : memref<8x16xf16, #tile.space<shared>> into memref<8xf16, #tile.space<shared>>
      return
    }
    ```
    ```mlir
    // tilewright-opt --expand-tiles --canonicalize
    func.func @rowsum(%x: memref<8x16xf16, #tile.space<shared>>,
                      %s: memref<8xf16, #tile.space<shared>>) {
      %c0 = arith.constant 0 : index
      %c16 = arith.constant 16 : index
      %c1 = arith.constant 1 : index
      %zero = arith.constant -0.0 : f32
      tile.parallel (%i) in (8) {
        %sum = scf.for %k = %c0 to %c16 step %c1 iter_args(%before = %zero) -> (f32) {
          %element = memref.load %x[%i, %k] : memref<8x16xf16, #tile.space<shared>>
          %wide = tile.cast %element : f16 to f32
          %after = arith.addf %before, %wide : f32
          scf.yield %after : f32
        }
        %rounded = tile.cast %sum : f32 to f16
        memref.store %rounded, %s[%i] : memref<8xf16, #tile.space<shared>>
      }
      return
    }
    ```
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
  let options = [Option<"keepReductions", "keep-reductions", "bool", "false",
                        "Leave reductions of tiles to deal-fragments">];
}

def SelectAtoms : Pass<"select-atoms"> {
  let summary = "Choose the matrix or vector instruction of each gemm";
  let description = [{
    Sets `atom` on each `tile.gemm`, and `swapped` where computing the transpose
    is cheaper: the choice is the least estimated cost over all atoms of the
    target that serve the types. The cost counts bringing the operands into the
    atom's form, spread over the executions that find them unchanged. A remark
    names the choice and the best of another kind.

    In a function with `tile.batch_invariant` neither the loops around a gemm nor
    the place of an element in C have a part in how it is summed: operands count
    as used once, and atoms with another way for the last columns are left out.
  }];
  let options = [Option<"target", "target", "std::string", "\"cpu\"",
                        "Target, as in `cpu` (this machine) or `cpu:znver4`">];
}

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_PASSES
