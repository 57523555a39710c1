# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Drawn products: any tiles and grids, and what kernels do beside the product.

Passes that give a product other tiles or another grid than it was written with (cpu-fit-tiles,
cpu-specialize-sizes, cpu-fuse-blocks, cpu-split-blocks) decide by what a block's number is used
for; drawn programs have few blocks and seldom a whole matrix. Values are integers, of which all
sums are exact, so NumPy's results are equal.
"""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.testing.dtypes import numpy_dtype

SIDES = (1, 2, 3, 4, 8, 12, 16, 16, 16, 24, 32, 32, 40, 64, 96)
SEEDS = 60


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A product of `batch` pairs of matrices [m, k] and [k, n], and what is done to it."""

    m: int
    n: int
    k: int
    batch: int
    tile: tuple[int, int, int]
    dtype: str
    dynamic: bool
    transpose_a: bool
    transpose_b: bool
    columns_first: bool  # in the grid
    gathered: bool  # rows of A are named by a list
    grouped: bool  # a block of rows names its matrix B
    triangular: bool  # columns of A right of the diagonal are left out, by the loop and a mask
    bias: bool
    weights: str  # of rows: none, copied, read one by one
    masked: bool  # elements above the diagonal are -1
    counted: bool  # rows from a number on that a tensor holds are -2
    sums: bool  # of a block's columns are written too
    local: str  # by rows' numbers in their block: none, read, copied, or -3 in the first row
    store: str  # copy, elements, transposed, behind (rows lie 5 further down)

    @classmethod
    def draw(cls, seed: int) -> Drawn:
        rng = random.Random(seed)

        def chance(one_in: int) -> bool:
            return rng.randrange(one_in) == 0

        tile = (rng.choice(SIDES), rng.choice(SIDES), rng.choice((8, 16, 17, 32)))
        blocks = rng.choice((1, 2, 5, 9)), rng.choice((1, 3, 8, 17))
        m, n = (
            max(0, side * count - rng.choice((0, 0, 1, side // 2)))
            for side, count in zip(tile, blocks)
        )
        few = rng.choice((m, m, m, 1, 7, 8))
        return cls(
            min(m, few), n, rng.choice((1, 16, 40, 70)), rng.choice((1, 1, 2)), tile,
            rng.choice(("f32", "bf16", "i8")), chance(2), chance(4), chance(2), chance(2),
            chance(6), chance(8), chance(8), chance(3), rng.choice(("", "copied", "read")),
            chance(3), chance(6), chance(5),
            rng.choice(("", "", "", "", "", "", "read", "copied", "first")),
            rng.choice(("copy", "copy", "elements", "transposed", "behind")),
        )  # fmt: skip


def compiled(drawn: Drawn) -> Any:
    """The kernel, for tensors as `inputs` makes them."""
    d = drawn
    BM, BN, BK = d.tile
    n, k, batch = d.n, d.k, d.batch
    m = T.dynamic("m") if d.dynamic else d.m
    total = "i32" if d.dtype == "i8" else "f32"
    shape_a, tile_a = ((k, m), (BK, BM)) if d.transpose_a else ((m, k), (BM, BK))
    shape_b, tile_b = ((n, k), (BN, BK)) if d.transpose_b else ((k, n), (BK, BN))
    row_blocks, column_blocks = T.ceildiv(m, BM), -(-n // BN)
    behind = 5 if d.store == "behind" else 0
    out_shape = (n, m) if d.store == "transposed" else (m, n)
    grid = (row_blocks, column_blocks) if d.columns_first else (column_blocks, row_blocks)

    @T.prim_func
    def product(
        A: T.Tensor((batch, *shape_a), d.dtype),
        B: T.Tensor((batch, 3, *shape_b), d.dtype),
        Rows: T.Tensor((m,), "i32"),
        Group: T.Tensor((row_blocks,), "i32"),
        Count: T.Tensor((batch,), "i32"),
        Bias: T.Tensor((n,), total),
        Weight: T.Tensor((m,), total),
        C: T.Tensor((batch, *out_shape), total),
        Sums: T.Tensor((batch, column_blocks, m), total),
        Local: T.Tensor((BM,), total),
    ):
        with T.Kernel(*grid, batch) as (first, second, bz):
            by, bx = (first, second) if d.columns_first else (second, first)
            a = T.alloc_shared(tile_a, d.dtype)
            b = T.alloc_shared(tile_b, d.dtype)
            c = T.alloc_fragment((BM, BN), total)
            turned = T.alloc_fragment((BN, BM), total)
            rows = T.alloc_shared((BM,), "i32")
            weight = T.alloc_fragment((BM,), total)
            sums = T.alloc_fragment((BM,), total)
            local = T.alloc_fragment((BM,), total)
            group = 0
            if d.grouped:
                group = Group[by]
            if d.gathered:
                T.copy(Rows[by * BM], rows)
            if d.local == "copied":
                T.copy(Local[0], local)
            if d.weights == "copied":
                T.copy(Weight[by * BM], weight)
            T.clear(c)
            steps = T.ceildiv(k, BK)
            if d.triangular:
                steps = T.min(steps, T.ceildiv((by + 1) * BM, BK))
            for step in T.Pipelined(steps, num_stages=2):
                if d.gathered:
                    T.gather(A[bz, 0, step * BK], rows, a, axis=1)
                elif d.transpose_a:
                    T.copy(A[bz, step * BK, by * BM], a)
                else:
                    T.copy(A[bz, by * BM, step * BK], a)
                if d.triangular:
                    for i, j in T.Parallel(BM, BK):
                        if step * BK + j > by * BM + i:
                            a[i, j] = T.cast(0, d.dtype)
                if d.transpose_b:
                    T.copy(B[bz, group, bx * BN, step * BK], b)
                else:
                    T.copy(B[bz, group, step * BK, bx * BN], b)
                T.gemm(a, b, c, transpose_A=d.transpose_a, transpose_B=d.transpose_b)
            for i, j in T.Parallel(BM, BN):
                if d.bias:
                    if bx * BN + j < n:
                        c[i, j] += Bias[bx * BN + j]
                if d.weights == "copied":
                    c[i, j] += weight[i]
                if d.weights == "read":
                    if by * BM + i < m:
                        c[i, j] += Weight[by * BM + i]
                if d.local == "read":
                    c[i, j] += Local[i]
                if d.local == "copied":
                    c[i, j] += local[i]
                if d.local == "first":
                    if i == 0:
                        c[i, j] = T.cast(-3, total)
                if d.masked:
                    if bx * BN + j > by * BM + i:
                        c[i, j] = T.cast(-1, total)
                if d.counted:
                    if by * BM + i >= Count[bz]:
                        c[i, j] = T.cast(-2, total)
                if bx * BN + j >= n:
                    c[i, j] = T.cast(0, total)
            if d.sums:
                T.reduce_sum(c, sums, dim=1)
                T.copy(sums, Sums[bz, bx, by * BM])
            if d.store == "elements":
                for i, j in T.Parallel(BM, BN):
                    if by * BM + i < m and bx * BN + j < n:
                        C[bz, by * BM + i, bx * BN + j] = c[i, j]
            elif d.store == "transposed":
                for i, j in T.Parallel(BM, BN):
                    turned[j, i] = c[i, j]
                T.copy(turned, C[bz, bx * BN, by * BM])
            else:
                T.copy(c, C[bz, by * BM + behind, bx * BN])

    return tilewright.compile(product)


def check(drawn: Drawn) -> None:
    """Runs the kernel and compares all that it writes, and does not."""
    d = drawn
    rng = np.random.default_rng(d.m + 1000 * d.n)
    BM, BN, _ = d.tile
    dtype, total = numpy_dtype(d.dtype), np.int32 if d.dtype == "i8" else np.float32
    a = rng.integers(-3, 4, (d.batch, d.m, d.k))
    b = rng.integers(-3, 4, (d.batch, 3, d.k, d.n))
    rows = rng.integers(0, max(d.m, 1), d.m).astype(np.int32)
    group = rng.integers(0, 3, -(-d.m // BM)).astype(np.int32)
    count = rng.integers(0, d.m + 2, d.batch).astype(np.int32)
    bias, weight = (rng.integers(-9, 9, size).astype(total) for size in (d.n, d.m))
    column_blocks = -(-d.n // BN)
    c = np.full((d.batch, d.n, d.m) if d.store == "transposed" else (d.batch, d.m, d.n), 77)
    c = c.astype(total)
    sums = np.full((d.batch, column_blocks, d.m), 77, total)
    local = rng.integers(-9, 9, BM).astype(total)
    compiled(d)(
        np.ascontiguousarray(a.swapaxes(1, 2) if d.transpose_a else a).astype(dtype),
        np.ascontiguousarray(b.swapaxes(2, 3) if d.transpose_b else b).astype(dtype),
        rows, group, count, bias, weight, c, sums, local,
    )  # fmt: skip

    taken = a[:, rows] if d.gathered else a
    at = np.arange(d.m)
    if d.triangular:
        taken = np.where(np.arange(d.k) > at[:, None], 0, taken)
    matrices = b[:, group.repeat(BM)[: d.m] if d.grouped else np.zeros(d.m, int)]
    expected = np.einsum("zmk,zmkn->zmn", taken, matrices)
    expected += (bias if d.bias else np.zeros(d.n, int)).astype(int)
    if d.weights:
        expected += weight.astype(int)[:, None]
    if d.local == "first":
        expected[:, at % BM == 0] = -3
    elif d.local:
        expected += local.astype(int)[at % BM][:, None]
    if d.masked:
        expected[:, np.arange(d.n) > at[:, None]] = -1
    if d.counted:
        expected[at >= count[:, None]] = -2
    if d.sums:
        padded = np.zeros((d.batch, d.m, column_blocks * BN), int)
        padded[..., : d.n] = expected
        of_blocks = padded.reshape(d.batch, d.m, column_blocks, BN).sum(3).swapaxes(1, 2)
        np.testing.assert_array_equal(sums, of_blocks)
    else:
        assert (sums == 77).all()
    if d.store == "behind":
        expected[:, 5:] = expected[:, : max(d.m - 5, 0)]
        expected[:, :5] = 77
    elif d.store == "transposed":
        expected = expected.swapaxes(1, 2)
    np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_drawn_product(seed: int) -> None:
    drawn = Drawn.draw(seed)
    if drawn.gathered or drawn.triangular:  # both are written for rows of A
        drawn = dataclasses.replace(drawn, transpose_a=False)
    check(drawn)


def test_what_is_drawn() -> None:
    """Among the drawn ones are those that each of the passes changes, and others."""
    remarks = [
        " ".join(map(str, compiled(Drawn.draw(seed)).remarks()))
        for seed in range(SEEDS)
        if not (Drawn.draw(seed).gathered or Drawn.draw(seed).triangular)
    ]
    for said in ("a form of its own", "blocks of", "its tensors have no more"):
        found = sum(said in text for text in remarks)
        assert len(remarks) // 20 <= found < len(remarks), (said, found)
