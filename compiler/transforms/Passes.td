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
    than f32 only f16 needs support by the hardware.
  }];
  let dependentDialects = ["::mlir::math::MathDialect"];
}

def ExpandMath : Pass<"expand-math", "::mlir::ModuleOp"> {
  let summary = "Expand math functions to polynomials that vectorise";
  let description = [{
    exp, exp2, log, log2, sin, cos, tanh, erf and rsqrt of f32 become arithmetic
    with the error bounds of docs/semantics.md. Those of f64 call libm for each
    lane, as do sin and cos of huge arguments. What the hardware has stays:
    sqrt, fma, abs, rounding to integers. Maximum and minimum may give a zero of
    either sign. An integer division that would trap, by zero or of the smallest
    integer by -1, divides by one instead.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def SelectAtoms : Pass<"select-atoms"> {
  let summary = "Choose the matrix or vector instruction of each gemm";
  let description = [{
    Sets `atom` on each `tile.gemm`, and `swapped` where computing the transpose
    is cheaper: the choice is the least estimated cost over all atoms of the
    target that serve the types. The cost counts bringing the operands into the
    atom's form, spread over the executions that find them unchanged. A remark
    names the choice and the best of another kind.
  }];
  let options = [Option<"target", "target", "std::string", "\"cpu\"",
                        "Target, as in `cpu` (this machine) or `cpu:znver4`">];
}

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_PASSES
