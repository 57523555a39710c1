# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products whose tiles are small, as on a GPU, and of which a core does several at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.testing.dtypes import numpy_dtype

N, K = 520, 90


def fused(kernel: Any) -> int:
    """How many times blocks were made one."""
    return sum("rows or columns as one" in remark for remark in map(str, kernel.remarks()))


def masked_product(block_m: int, block_n: int, dtype: str) -> Any:
    """C = max(A B + bias of the column + weight of the row, 0) below the diagonal, else -1."""
    m = T.dynamic("m")

    @T.prim_func
    def product(
        A: T.Tensor((m, K), dtype),
        B: T.Tensor((K, N), dtype),
        Bias: T.Tensor((N,), "f32"),
        Weight: T.Tensor((m,), "f32"),
        C: T.Tensor((m, N), "f32"),
        Sums: T.Tensor((T.ceildiv(N, block_n), m), "f32"),
    ):
        with T.Kernel(T.ceildiv(N, block_n), T.ceildiv(m, block_m)) as (bx, by):
            a = T.alloc_shared((block_m, 32), dtype)
            b = T.alloc_shared((32, block_n), dtype)
            weight = T.alloc_fragment((block_m,), "f32")
            c = T.alloc_fragment((block_m, block_n), "f32")
            T.copy(Weight[by * block_m], weight)
            T.clear(c)
            for k in T.Pipelined(T.ceildiv(K, 32)):
                T.copy(A[by * block_m, k * 32], a)
                T.copy(B[k * 32, bx * block_n], b)
                T.gemm(a, b, c)
            for i, j in T.Parallel(block_m, block_n):
                row = by * block_m + i
                column = bx * block_n + j
                if column > row:
                    c[i, j] = -1.0
                else:
                    c[i, j] = T.max(c[i, j] + Bias[column] + weight[i], 0)
            T.copy(c, C[by * block_m, bx * block_n])
            sums = T.alloc_fragment((block_m,), "f32")
            T.reduce_sum(c, sums, dim=1)
            T.copy(sums, Sums[bx, by * block_m])

    return tilewright.compile(product)


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize(("block_m", "block_n"), [(16, 64), (32, 32), (8, 16), (64, 16)])
def test_every_row_is_its_own(block_m: int, block_n: int, dtype: str) -> None:
    """Masks, biases and sums by rows, with a last block that is not full."""
    kernel = masked_product(block_m, block_n, dtype)
    # Each block's sum of its columns is written, so columns stay in their blocks.
    assert fused(kernel) == (block_m < 64)
    rng = np.random.default_rng(block_m)
    for m in (0, 1, 9, 33, 130):
        around = np.full((m + 2, K), np.nan, numpy_dtype(dtype))
        a = around[1:-1]
        a[...] = rng.integers(-3, 4, a.shape)
        b = rng.integers(-3, 4, (K, N)).astype(numpy_dtype(dtype))
        bias = rng.integers(-9, 9, N).astype(np.float32)
        weight = rng.integers(-9, 9, m).astype(np.float32)
        c = np.full((m + 2, N), np.nan, np.float32)
        sums = np.full((-(-N // block_n), m), np.nan, np.float32)
        kernel(a, b, bias, weight, c[1:-1], sums)
        expected = a.astype(np.float64) @ b.astype(np.float64) + bias + weight[:, None]
        expected = np.maximum(expected, 0)
        expected[np.arange(N) > np.arange(m)[:, None]] = -1
        np.testing.assert_array_equal(c[1:-1], expected)
        assert np.isnan(c[[0, -1]]).all()
        for part, found in enumerate(sums):
            columns = np.zeros((m, block_n))
            some = expected[:, block_n * part : block_n * (part + 1)]
            columns[:, : some.shape[1]] = some
            # What is behind the last column is computed, of operands that are zero.
            if some.shape[1] == block_n:
                np.testing.assert_array_equal(found, columns.sum(1))


@pytest.mark.parametrize("transpose_b", [False, True])
def test_small_tiles_on_both_sides(transpose_b: bool) -> None:
    """Tiles of 16 x 16 become 64 x 64."""
    m = T.dynamic("m")
    shape_b, tile_b = ((N, K), (16, 32)) if transpose_b else ((K, N), (32, 16))

    @T.prim_func
    def product(
        A: T.Tensor((m, K), "f32"), B: T.Tensor(shape_b, "f32"), C: T.Tensor((m, N), "f32")
    ):
        with T.Kernel(T.ceildiv(N, 16), T.ceildiv(m, 16)) as (bx, by):
            a = T.alloc_shared((16, 32), "f32")
            b = T.alloc_shared(tile_b, "f32")
            c = T.alloc_fragment((16, 16), "f32")
            T.clear(c)
            for k in T.Pipelined(T.ceildiv(K, 32)):
                T.copy(A[by * 16, k * 32], a)
                if transpose_b:
                    T.copy(B[bx * 16, k * 32], b)
                else:
                    T.copy(B[k * 32, bx * 16], b)
                T.gemm(a, b, c, transpose_B=transpose_b)
            T.copy(c, C[by * 16, bx * 16])

    kernel = tilewright.compile(product)
    assert fused(kernel) >= 2
    rng = np.random.default_rng(3)
    for rows in (0, 5, 64, 100):
        a = rng.integers(-3, 4, (rows, K)).astype(np.float32)
        b = rng.integers(-3, 4, (N, K) if transpose_b else (K, N)).astype(np.float32)
        c = np.full((rows, N), np.nan, np.float32)
        kernel(a, b, c)
        np.testing.assert_array_equal(c, a @ (b.T if transpose_b else b))


def test_rows_of_groups_stay_in_their_blocks() -> None:
    """A block's number that names its weights keeps the block."""

    @T.prim_func
    def grouped(
        A: T.Tensor((512, 32), "f32"),
        B: T.Tensor((4, 32, 64), "f32"),
        Group: T.Tensor((32,), "i32"),
        C: T.Tensor((512, 64), "f32"),
    ):
        with T.Kernel(32) as by:
            a = T.alloc_shared((16, 32), "f32")
            b = T.alloc_shared((32, 64), "f32")
            c = T.alloc_fragment((16, 64), "f32")
            T.copy(A[by * 16, 0], a)
            T.copy(B[Group[by], 0, 0], b)
            T.gemm(a, b, c, clear_accum=True)
            T.copy(c, C[by * 16, 0])

    kernel = tilewright.compile(grouped)
    assert fused(kernel) == 0
    rng = np.random.default_rng(4)
    a = rng.integers(-3, 4, (512, 32)).astype(np.float32)
    b = rng.integers(-3, 4, (4, 32, 64)).astype(np.float32)
    group = rng.integers(0, 4, 32).astype(np.int32)
    c = np.full((512, 64), np.nan, np.float32)
    kernel(a, b, group, c)
    np.testing.assert_array_equal(c, np.einsum("rk,rkn->rn", a, b[group.repeat(16)]))
