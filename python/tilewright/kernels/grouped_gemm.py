# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Grouped GEMM: each contiguous group of rows is multiplied by a matrix of its own.

The m-grouped contiguous GEMM of DeepGEMM, with group ends instead of a group per row and
no alignment of groups: any counts, 0 included.

    c[m, :] = a[m, :] @ b[g]^T      for offsets[g] <= m < offsets[g + 1]

    a       [rows, k]        bf16, f16 or f32
    b       [groups, n, k]   of a's dtype (the "NT" form)
    offsets [groups + 1] i32 ascending, from 0 to at most rows
    c       [rows, n]        of a's dtype

Rows of c past the last offset are not written. Products are accumulated in f32 and rounded
once.

Bound: `tilewright.testing.DOT_BOUND`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require
from tilewright.testing import (
    DOT_BOUND,
    Case,
    Expected,
    Peer,
    Spec,
    Tensors,
    dot_bound,
    exact_operands,
    numpy_dtype,
)
from tilewright.testing.peers import numpy_peer, torch_peer

# Up to how many rows per group, on average, a tile of so many rows serves best. On a CPU the
# rows past a group's end are not computed, so that fewer tiles bring weights into form.
_ROWS_FOR = {1: 0.25, 2: 1, 4: 2, 16: 8, 32: 24, 64: 256, 128: math.inf}
_ROWS_FOR_CPU = {1: 0.25, 2: 1, 4: 2, 16: 8, 64: 56, 96: 88, 144: 150, 256: math.inf}


def reference(a: np.ndarray, b: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """`c` of the definition in float64, one group at a time; unwritten rows are 0."""
    c = np.zeros((len(a), b.shape[1]))
    for g in range(len(b)):
        first, end = offsets[g], offsets[g + 1]
        if first < end:
            c[first:end] = a[first:end].astype(np.float64) @ b[g].astype(np.float64).T
    return c


@functools.cache
def grouped_gemm_kernel(
    n: int, k: int, groups: int, row_tile: int, dtype: str, target: str
) -> Any:
    """The compiled kernel of one weight shape; the number of rows stays dynamic.

    `row_tile` is the most rows of a tile.
    """
    rows = T.dynamic("rows")
    # Few rows: memory is all that counts, and rows of B are read where they lie, long parts of
    # them one after the other.
    streamed = row_tile <= 4 and target.startswith("cpu")
    columns = [32] if streamed else [128, 64, 32]
    heights = [m for m in reversed(_rows_for(target)) if m <= row_tile]
    # On a GPU tiles of several steps are on their way at once, of two blocks side by side. On
    # a CPU the end of k that is no whole tile costs more than shallow tiles do.
    depths = [64, 32]
    if target.startswith("cpu"):
        columns = columns[-2:]  # a step of these weights is read again and again from L1
        longest = 4096 if streamed else 256
        depths = [longest >> i for i in range(8) if k % (longest >> i) == 0] or [32]

    @T.prim_func
    def grouped_gemm(
        A: T.Tensor([rows, k], dtype),
        B: T.Tensor([groups, n, k], dtype),
        Offsets: T.Tensor([groups + 1], T.int32),
        C: T.Tensor([rows, n], dtype),
    ):
        BM = T.choose("BM", heights)
        BN = T.choose("BN", columns)
        BK = T.choose("BK", depths)
        # Group g has ceil(rows of g / BM) row tiles, and at most `rows` groups have any.
        tiles = rows // BM + T.min(rows, groups)
        with T.Kernel(T.ceildiv(n, BN), tiles) as (bx, by):
            upto = T.alloc_shared([groups], T.int32)
            before = T.alloc_fragment([groups], T.int32)
            found = T.alloc_fragment([1], T.int32)
            a_tile = T.alloc_shared([BM, BK], dtype)
            b_tile = T.alloc_shared([BN, BK], dtype)
            acc = T.alloc_fragment([BM, BN], T.float32)

            # The group of row tile `by` is the number of groups whose tiles end before it.
            for g in T.Parallel(groups):
                upto[g] = T.ceildiv(Offsets[g + 1] - Offsets[g], BM)
            T.cumsum(upto, upto, dim=0)
            for g in T.Parallel(groups):
                before[g] = T.if_then_else(upto[g] <= by, 1, 0)
            T.reduce_sum(before, found, dim=0)
            group = found[0]
            if group < groups:
                first = Offsets[group]
                end = Offsets[group + 1]
                row = first + (by - upto[group] + T.ceildiv(end - first, BM)) * BM
                T.clear(acc)
                for step in T.Pipelined(T.ceildiv(k, BK), num_stages=3):
                    T.copy(A[row, step * BK], a_tile)
                    T.copy(B[group, bx * BN, step * BK], b_tile)
                    T.gemm(a_tile, b_tile, acc, transpose_B=True)
                # The tile's rows past the group's end are another group's.
                for i, j in T.Parallel(BM, BN):
                    if row + i < end:
                        C[row + i, bx * BN + j] = acc[i, j]

    return tilewright.compile(grouped_gemm, target=target)


def grouped_gemm(a: Any, b: Any, offsets: Any, *, out: Any = None, target: str = "cpu") -> Any:
    """Each group of rows of `a` times its own `b` transposed: `out` [rows, n].

    Shapes and dtypes are those of the module's docstring. `out` is made where not given; its
    rows past the last offset are not written. Raises ValueError where shapes or dtypes do
    not fit together.
    """
    (rows, k), (groups, n, k_b) = a.shape, b.shape
    dtype = dtype_of(a)
    require(dtype in ("bf16", "f16", "f32"), f"a is {dtype} and must be bf16, f16 or f32")
    require(k == k_b, f"a contracts over {k} and b over {k_b}: they must be equal")
    if out is None:
        out = empty(a, (rows, n))
    tile = _row_tile(rows, groups, target)
    grouped_gemm_kernel(n, k, groups, tile, dtype, target)(a, b, offsets, out)
    return out


def _rows_for(target: str) -> dict[int, float]:
    """The heights of tiles, and the most rows that groups have on average for each."""
    return _ROWS_FOR_CPU if target.startswith("cpu") else _ROWS_FOR


def _row_tile(rows: int, groups: int, target: str) -> int:
    """The rows of a tile: on a GPU half of the last tile of each group is computed for
    nothing, on average; everywhere the weights are brought into form again for each tile."""
    return next(m for m, most in _rows_for(target).items() if rows <= most * groups)


def make_case(
    name: str,
    counts: tuple[int, ...],
    n: int,
    k: int,
    *,
    dtype: str = "bf16",
    beyond: int = 0,
    peers: tuple[Peer, ...] = (),
) -> Case:
    """The record of one product; `beyond` rows follow the last group and stay untouched."""
    groups, rows = len(counts), sum(counts) + beyond
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def make_inputs(rng: np.random.Generator) -> Tensors:
        a = rng.standard_normal((rows, k), np.float32).astype(numpy_dtype(dtype))
        a[offsets[-1] :] = np.nan
        b = rng.standard_normal((groups, n, k), np.float32).astype(numpy_dtype(dtype))
        return {"a": a, "b": b, "offsets": offsets}

    def integers(rng: np.random.Generator, swapped: bool) -> Tensors:
        a, b = exact_operands(rng, (rows, k), (groups, n, k), k, dtype, swapped=swapped)
        return {"a": a, "b": b, "offsets": offsets}

    def drop_term(inputs: Tensors) -> Tensors:
        a = inputs["a"].copy()
        a[:, k // 2] = 0
        return {**inputs, "a": a}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        c = reference(**inputs)
        bound = np.zeros_like(c)
        for g, (first, end) in enumerate(zip(offsets, offsets[1:], strict=False)):
            if first < end:
                some = inputs["a"][first:end].astype(np.float64)
                weight = inputs["b"][g].astype(np.float64).T
                bound[first:end] = dot_bound(some, weight, c[first:end], dtype)
        untouched = np.zeros(c.shape, bool)
        untouched[offsets[-1] :] = True
        return {"out": Expected(c, bound, untouched if beyond else None)}

    def run(target: str, inputs: Tensors, results: Tensors) -> None:
        grouped_gemm(**inputs, **results, target=target)

    itemsize = numpy_dtype(dtype).itemsize
    used = sum(1 for count in counts if count)
    macs = sum(counts) * n * k
    exact = (
        functools.partial(integers, swapped=False),
        functools.partial(integers, swapped=True),
    )
    return Case(
        kernel="grouped_gemm",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((rows, n), numpy_dtype(dtype))},
        expect=expect,
        run=run,
        bound=DOT_BOUND,
        flops=2 * macs,
        bytes=(sum(counts) * (k + n) + used * n * k) * itemsize + 4 * (groups + 1),
        macs=macs,
        integers=exact if macs else (),
        drop_term=drop_term if macs else None,
        peers=peers,
    )


def _peers() -> tuple[Peer, ...]:
    """A loop over the groups, and PyTorch's own grouped product."""

    def spans(offsets: Any) -> list[tuple[int, int, int]]:
        ends = [int(o) for o in offsets]
        return [(g, *span) for g, span in enumerate(zip(ends, ends[1:], strict=False))]

    def numpy_loop(a: Any, b: Any, offsets: Any) -> Callable[[], Any]:
        c = np.empty((len(a), b.shape[1]), a.dtype)
        parts = [(a[i:j], b[g].T, c[i:j]) for g, i, j in spans(offsets) if i < j]
        return lambda: [np.matmul(some, weight, out=out) for some, weight, out in parts]

    def torch_loop(a: Any, b: Any, offsets: Any) -> Callable[[], Any]:
        import torch

        c = torch.empty((len(a), b.shape[1]), dtype=a.dtype)
        parts = [(a[i:j], b[g].T, c[i:j]) for g, i, j in spans(offsets) if i < j]
        return lambda: [torch.mm(some, weight, out=out) for some, weight, out in parts]

    def torch_linear(a: Any, b: Any, offsets: Any) -> Callable[[], Any]:
        import torch

        parts = [(a[i:j], b[g]) for g, i, j in spans(offsets) if i < j]
        linear = torch.nn.functional.linear
        return lambda: torch.cat([linear(some, weight) for some, weight in parts])

    def torch_grouped_mm(a: Any, b: Any, offsets: Any) -> Callable[[], Any]:
        import torch

        return lambda: torch._grouped_mm(a, b.transpose(1, 2), offs=offsets[1:])

    return (
        numpy_peer("loop of matmuls in f32", numpy_loop, "f32"),
        torch_peer("loop of mm", torch_loop),
        torch_peer("loop of linear", torch_linear),
        torch_peer("_grouped_mm", torch_grouped_mm),
    )


def verify_cases() -> list[Case]:
    """Ragged groups, empty ones at every place, sizes that no tile divides."""
    ragged = (0, 5, 130, 0, 0, 1, 64, 17, 0)
    return [
        make_case("ragged", ragged, 96, 80),
        make_case("ragged", ragged, 96, 80, dtype="f16"),
        make_case("ragged", ragged, 100, 72, dtype="f32"),
        make_case("decode", (1, 0, 2, 1, 0, 3, 0, 0), 200, 136),
        make_case("one_group", (33,), 48, 24),
        make_case("rows_beyond", (3, 0, 40), 72, 64, beyond=70),
        make_case("all_empty", (0, 0, 0), 64, 64, beyond=4),
        make_case("many_groups", tuple(i % 3 for i in range(200)), 40, 32),
    ]


def bench_cases() -> list[Case]:
    """2048 rows over 16 experts, uneven; 8 tokens of DeepSeek-V2-Lite over 64 experts."""
    rng = np.random.default_rng(16)
    uneven = rng.multinomial(2048, rng.dirichlet(np.full(16, 8.0)))
    routed = np.bincount(rng.random((8, 64)).argsort(1)[:, :6].ravel(), minlength=64)
    peers = _peers()
    return [
        make_case("e16_r2048", tuple(map(int, uneven)), 1024, 1024, peers=peers),
        make_case("e64_t8", tuple(map(int, routed)), 2816, 2048, peers=peers),
    ]
