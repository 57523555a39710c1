//===- CpuOps.td - Operations of the CPU backend ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_OPS
#define TILEWRIGHT_BACKENDS_CPU_OPS

include "backends/cpu/CpuDialect.td"
include "backends/cpu/CpuTileOps.td"
include "dialects/tile/TileAttrs.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Cpu_GemmOp : Op<Cpu_Dialect, "gemm", [AttrSizedOperandSegments]> {
  let summary = "C += A B with operands in the form the atom reads";
  let description = [{
    A `tile.gemm` whose operands were packed. The micro-kernel broadcasts groups
    of `depth` elements of A and loads vectors of B, so neighbours along K lie
    side by side in A's groups, and neighbours along N in B's vectors. `a` is a
    matrix M x K (K x M with `transpose_a`) or a panel; `b` is a matrix K x N or
    a panel. A panel is `[ceil(K / depth), X, depth]`, zero past K, as
    `tile.pack` makes it. An atom of tiles reads a matrix M x K, and for `b` a panel of
    groups of 32 bits. With an inner atom `a` is a matrix M x K and `b` a
    matrix N x K, both read by vectors along K. Rows of C from `rows` on, where that is
    given, may be left as they are: nothing reads them.

    Of the steps of a longer product one is the first, where `first` holds: C counts as
    zeros, and is not read. One is the last, where `last` holds: C is written to `out`,
    cast as by `tile.cast`, and `c` may be left as it is.

    While it multiplies it asks for memory that something else reads later, a line in
    every few turns of its innermost loop: that of `ahead`, and the rows of `listed` that
    lists name.

    Constraints:
    - (C1) `a`, `b` and `c` have static shapes; `c` is a tile of rank 2, the others
      have rank 2 or, as panels, 3, and may be parts of a workspace or a tensor.
    - (C2) Shapes agree on M, N and the number of groups along K.
    - (C3) `a` and `b` have the atom's element type and `c` its accumulator; what
      an inner atom of floats reads may be narrower floats.
    - (C4) A matrix `b` of an atom that is not woven, and a transposed matrix `a`, need an atom of depth 1; a
      matrix `a` needs K to be a multiple of the depth, of tiles of a group, and an atom
      that does not multiply squares; an atom of tiles needs one.
    - (C5) An inner atom needs matrices whose K is a multiple of what a step reads:
      a register of the atom's elements, or of bf16 where both operands are bf16
      and the atom's elements f32.
    - (C6) `first` and `last` need an atom that is not inner, and stand in the place of
      `clear`. `out` has the shape of `c` and a last dimension that is contiguous.
    - (C7) `ahead` and `listed` need an atom that is not inner. `ahead` has static shapes,
      and last dimensions that are contiguous. `listed` are matrices with rows of static
      length without gaps, and each has a list of static length in `rows_ahead`.
    - (C8) A woven atom reads a matrix `b` with rows without gaps, of which K is a multiple
      of the depth and N of twice the lanes.

    Example:
    ```mlir
    func.func @block(%a: memref<64x32xf32, #tile.space<shared>>,
                     %b: memref<32x64x1xf32, #tile.space<shared>>,
                     %c: memref<64x64xf32, #tile.space<fragment>>) {
      cpu.gemm %a, %b into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
        : memref<64x32xf32, #tile.space<shared>>, memref<32x64x1xf32, #tile.space<shared>>
          into memref<64x64xf32, #tile.space<fragment>>
      return
    }
    ```

    Example:
    ```mlir
    func.func @rest(%a: memref<64x32xf32, #tile.space<shared>>,
                    %b: memref<32x64x1xf32, #tile.space<shared>>,
                    %c: memref<64x64xf32, #tile.space<fragment>>, %left: index) {
      cpu.gemm %a, %b into %c rows(%left) atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
        : memref<64x32xf32, #tile.space<shared>>, memref<32x64x1xf32, #tile.space<shared>>
          into memref<64x64xf32, #tile.space<fragment>>
      return
    }
    ```

    Example:
    ```mlir
    func.func @step(%a: memref<64x32xf32, #tile.space<shared>>,
                    %b: memref<32x64x1xf32, #tile.space<shared>>,
                    %c: memref<64x64xf32, #tile.space<fragment>>,
                    %y: memref<64x64xbf16, #tile.space<global>>, %f: i1, %l: i1) {
      cpu.gemm %a, %b into %c first(%f) last(%l) atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
        : memref<64x32xf32, #tile.space<shared>>, memref<32x64x1xf32, #tile.space<shared>>
          into memref<64x64xf32, #tile.space<fragment>>
          out %y : memref<64x64xbf16, #tile.space<global>>
      return
    }
    ```

    Example:
    ```mlir
    func.func @asks(%a: memref<64x32xf32, #tile.space<shared>>,
                    %b: memref<32x64x1xf32, #tile.space<shared>>,
                    %c: memref<64x64xf32, #tile.space<fragment>>,
                    %next: memref<64x32xf32, strided<[?, 1], offset: ?>, #tile.space<global>>) {
      cpu.gemm %a, %b into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
        : memref<64x32xf32, #tile.space<shared>>, memref<32x64x1xf32, #tile.space<shared>>
          into memref<64x64xf32, #tile.space<fragment>>
          ahead %next : memref<64x32xf32, strided<[?, 1], offset: ?>, #tile.space<global>>
      return
    }
    ```
  }];
  let arguments = (ins
      Arg<AnyMemRef, "", [MemRead]>:$a, Arg<AnyMemRef, "", [MemRead]>:$b,
      Arg<AnyMemRef, "", [MemRead, MemWrite]>:$c, Optional<Index>:$rows,
      Optional<I1>:$first, Optional<I1>:$last,
      Arg<Optional<AnyMemRef>, "", [MemWrite]>:$out, Variadic<AnyMemRef>:$ahead,
      Variadic<AnyMemRef>:$listed, Arg<Variadic<AnyMemRef>, "", [MemRead]>:$rowsAhead,
      UnitAttr:$transposeA, UnitAttr:$clear, Cpu_AtomAttr:$atom);
  let assemblyFormat = [{
    $a `,` $b `into` $c (`rows` `(` $rows^ `)`)? (`first` `(` $first^ `)`)?
    (`last` `(` $last^ `)`)? (`transpose_a` $transposeA^)? (`clear` $clear^)?
    `atom` `(` $atom `)` attr-dict `:` type($a) `,` type($b) `into` type($c)
    (`out` $out^ `:` type($out))? (`ahead` $ahead^ `:` type($ahead))?
    (`listed` $listed^ `by` $rowsAhead `:` type($listed) `by` type($rowsAhead))?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getM();
    int64_t getN();
    /// Groups of `depth` elements along K.
    int64_t getGroups();
    bool isPanelA();
    bool isPanelB();
  }];
}

def Cpu_CombineOp : Op<Cpu_Dialect, "combine"> {
  let summary = "combine the values of a row of a parallel loop";
  let description = [{
    In a `tile.parallel`, combines `value` over the iterations that differ in the
    last variable alone, into `row[indices]`; with `accumulate` the former value
    there takes part. It is a `tile.reduce` whose elements need not be in a tile,
    and accumulates and rounds as that does.

    Constraints:
    - (C1) It lies in the body of a `tile.parallel`, whose last variable `indices`
      do not use.
    - (C2) `row` is a tile with one index for each dimension.
    - (C3) `value` has the element type of `row`, but for `any` and `all`, where
      that is i8; `argmax` and `argmin` are not combined this way.

    Example:
    ```mlir
    func.func @squares(%x: memref<4x64xf32, #tile.space<fragment>>,
                       %sum: memref<4xf32, #tile.space<fragment>>) {
      tile.parallel (%i, %j) in (4, 64) {
        %v = memref.load %x[%i, %j] : memref<4x64xf32, #tile.space<fragment>>
        %s = arith.mulf %v, %v : f32
        cpu.combine sum %s into %sum[%i] : f32 into memref<4xf32, #tile.space<fragment>>
      }
      return
    }
    ```
  }];
  let arguments = (ins Tile_CombinerAttr:$combiner, AnyType:$value,
                       Arg<AnyMemRef, "", [MemRead, MemWrite]>:$row,
                       Variadic<Index>:$indices, UnitAttr:$accumulate,
                       UnitAttr:$isUnsigned);
  let assemblyFormat = [{
    $combiner $value `into` $row `[` $indices `]` (`accumulate` $accumulate^)?
    (`unsigned` $isUnsigned^)? attr-dict `:` type($value) `into` type($row)
  }];
  let hasVerifier = 1;
}

#endif // TILEWRIGHT_BACKENDS_CPU_OPS
