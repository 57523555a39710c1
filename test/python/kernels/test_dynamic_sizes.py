# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products of any number of rows, which have a kernel of their own for few of them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.testing.dtypes import numpy_dtype

N, K = 72, 200


@functools.cache
def product(dtype: str, transpose_b: bool, **sizes: int) -> Any:
    """A product and its rows' sums, for tiles of 64 x 32 and a number of rows like `sizes`."""
    m = T.dynamic("m", **sizes)
    shape_b, tile_b = ((N, K), (32, 64)) if transpose_b else ((K, N), (64, 32))

    @T.prim_func
    def product(
        A: T.Tensor((m, K), dtype),
        B: T.Tensor(shape_b, dtype),
        C: T.Tensor((m, N), "f32"),
        Largest: T.Tensor((T.ceildiv(N, 32), m), "f32"),
    ):
        with T.Kernel(T.ceildiv(N, 32), T.ceildiv(m, 64)) as (bx, by):
            a = T.alloc_shared((64, 64), dtype)
            b = T.alloc_shared(tile_b, dtype)
            c = T.alloc_fragment((64, 32), "f32")
            largest = T.alloc_fragment((64,), "f32")
            T.clear(c)
            for k in T.Pipelined(T.ceildiv(K, 64)):
                T.copy(A[by * 64, k * 64], a)
                if transpose_b:
                    T.copy(B[bx * 32, k * 64], b)
                else:
                    T.copy(B[k * 64, bx * 32], b)
                T.gemm(a, b, c, transpose_B=transpose_b)
            for i, j in T.Parallel(64, 32):
                c[i, j] = T.max(c[i, j], 0)
            T.reduce_max(c, largest, dim=1)
            T.copy(c, C[by * 64, bx * 32])
            T.copy(largest, Largest[bx, by * 64])

    return tilewright.compile(product)


def forms_for_few(kernel: Any) -> int:
    return sum("has a form of its own" in remark for remark in map(str, kernel.remarks()))


@pytest.mark.parametrize("m", [0, 1, 3, 7, 8, 9, 16, 17, 64, 65, 200])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_every_number_of_rows_is_right(dtype: str, transpose_b: bool, m: int) -> None:
    kernel = product(dtype, transpose_b)
    assert forms_for_few(kernel) == 2
    rng = np.random.default_rng(m)
    # Integers, of which all sums are exact; rows of A are the middle of an array of NaN.
    around = np.full((m + 2, K), np.nan, numpy_dtype(dtype))
    a = around[1:-1]
    a[...] = rng.integers(-3, 4, a.shape)
    b = rng.integers(-3, 4, (N, K) if transpose_b else (K, N)).astype(numpy_dtype(dtype))
    c = np.full((m + 2, N), np.nan, np.float32)
    largest = np.full((-(-N // 32), m), np.nan, np.float32)
    kernel(a, b, c[1:-1], largest)
    b64 = b.astype(np.float64)
    expected = np.maximum(a.astype(np.float64) @ (b64.T if transpose_b else b64), 0)
    np.testing.assert_array_equal(c[1:-1], expected)
    assert np.isnan(c[[0, -1]]).all()
    for part, found in enumerate(largest):
        columns = expected[:, 32 * part : 32 * (part + 1)]
        np.testing.assert_array_equal(found, columns.max(1, initial=0))


@pytest.mark.parametrize("sizes", [{"min": 17}, {"max": 8}])
def test_known_sizes_have_one_form(sizes: dict[str, int]) -> None:
    kernel = product("f32", False, **sizes)
    assert forms_for_few(kernel) == 0
    fits = any("computes 8 of a tile's 64 rows" in str(remark) for remark in kernel.remarks())
    assert fits == ("max" in sizes)


def test_rows_that_may_not_depend_on_their_number_have_one_form() -> None:
    m = T.dynamic("m")

    @T.prim_func
    def rows(
        A: T.Tensor((m, 64), "f32"), B: T.Tensor((64, 64), "f32"), C: T.Tensor((m, 64), "f32")
    ):
        with T.Kernel(T.ceildiv(m, 64)) as by:
            a = T.alloc_shared((64, 64), "f32")
            b = T.alloc_shared((64, 64), "f32")
            c = T.alloc_fragment((64, 64), "f32")
            T.copy(A[by * 64, 0], a)
            T.copy(B, b)
            T.gemm(a, b, c, clear_accum=True)
            T.copy(c, C[by * 64, 0])

    assert forms_for_few(tilewright.compile(rows)) == 2
    assert forms_for_few(tilewright.compile(rows, batch_invariant=True)) == 0
