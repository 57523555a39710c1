# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tensors that no cache holds: stored past the caches, and asked for a block ahead.

Small ones take another form of the same loops, which the rest of the suite runs.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T

DTYPES = {"f32": np.float32, "bf16": ml_dtypes.bfloat16, "i8": np.int8}
LARGE = 32 << 20  # bytes, from which a tensor is streamed
GUARD = 64  # elements around it


def _table(n: int, dtype: str, target: str):
    """out[i, j] = column[j] + row[i], a row a block."""
    rows = T.dynamic("rows")

    @T.prim_func
    def table(
        Column: T.Tensor((n,), dtype),
        Row: T.Tensor((rows,), dtype),
        Out: T.Tensor((rows, n), dtype),
    ):
        with T.Kernel(rows) as bx:
            for j in T.Parallel(n):
                Out[bx, j] = Column[j] + Row[bx]

    return tilewright.compile(table, target=target)


@pytest.mark.parametrize("offset", [0, 1, 13])
@pytest.mark.parametrize("n", [1024, 1000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_large_outputs_at_any_address(dtype, n, offset):
    kernel = _table(n, dtype, "cpu")
    assert "!nontemporal" in kernel.llvm()
    numpy_dtype = np.dtype(DTYPES[dtype])
    rows = LARGE // (n * numpy_dtype.itemsize) + 1
    memory = np.full(rows * n + offset + 2 * GUARD, 77, numpy_dtype)
    address = memory.ctypes.data // numpy_dtype.itemsize
    first = -address % GUARD + offset  # `offset` elements into a line of the cache
    out = memory[first : first + rows * n].reshape(rows, n)
    column = np.arange(n).astype(np.int8).astype(numpy_dtype)
    row = (np.arange(rows) % 5).astype(numpy_dtype)
    kernel(column, row, out)
    np.testing.assert_array_equal(out, column + row[:, None])
    assert np.all(memory[:first] == 77)
    assert np.all(memory[first + rows * n :] == 77)


def test_what_is_streamed_is_there_when_the_call_returns():
    """To whatever thread reads it next."""
    n = 4096
    rows = LARGE // (4 * n) + 1
    fill = _table(n, "f32", "cpu")

    @T.prim_func
    def reverse(X: T.Tensor((rows, n), "f32"), Out: T.Tensor((rows, n), "f32")):
        with T.Kernel(rows) as bx:
            T.copy(X[rows - 1 - bx, 0:n], Out[bx, 0:n])

    turn = tilewright.compile(reverse, target="cpu")
    column = np.random.default_rng(5).integers(0, 1000, n).astype(np.float32)
    row = np.arange(rows, dtype=np.float32)
    out, back = (np.full((rows, n), np.nan, np.float32) for _ in range(2))
    for _ in range(4):
        row += 1
        fill(column, row, out)
        turn(out, back)
        np.testing.assert_array_equal(back, (column + row[:, None])[::-1])


def _powers(n: int, dtype: str, deep: bool):
    """out[i, :] = 2 ** x[i, :] / sum(2 ** x[i, :]), a row a block; `deep` has the sums
    written as well, in front of the rows' last loop."""
    rows = T.dynamic("rows")

    @T.prim_func
    def powers(
        X: T.Tensor((rows, n), dtype),
        Sum: T.Tensor((rows,), "f32"),
        Out: T.Tensor((rows, n), dtype),
    ):
        with T.Kernel(rows) as bx:
            x = T.alloc_fragment((1, n), "f32")
            total = T.alloc_fragment((1,), "f32")
            T.copy(X[bx, 0], x)
            for i, j in T.Parallel(1, n):
                x[i, j] = T.exp2(x[i, j])
            T.reduce_sum(x, total, dim=1)
            if deep:
                Sum[bx] = total[0]
            for i, j in T.Parallel(1, n):
                x[i, j] /= total[i]
            T.copy(x, Out[bx, 0])

    return tilewright.compile(powers, target="cpu")


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("offset", [0, 1, 13])
@pytest.mark.parametrize("n", [1024, 1040])
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_rows_that_are_written_beside_the_next_ones(dtype, n, offset, deep):
    """Bit for bit what smaller tensors get, whose blocks end before the next begins."""
    kernel = _powers(n, dtype, deep)
    stages = kernel.stages()
    assert stages["cpu-overlap-blocks"] != stages["outline-kernels"]
    numpy_dtype = np.dtype(DTYPES[dtype])
    rows = LARGE // (n * numpy_dtype.itemsize) + 1
    memory = np.full(rows * n + offset + 2 * GUARD, 77, numpy_dtype)
    first = -(memory.ctypes.data // numpy_dtype.itemsize) % GUARD + offset
    out = memory[first : first + rows * n].reshape(rows, n)
    x = np.random.default_rng(n + offset).standard_normal((rows, n), np.float32)
    x = x.astype(numpy_dtype)
    expected, sums = np.empty_like(x), np.full((2, rows), np.nan, np.float32)
    kernel(x, sums[0], out)
    for part in np.array_split(np.arange(rows), 3):
        here = slice(part[0], part[-1] + 1)
        kernel(x[here], sums[1, here], expected[here])
    np.testing.assert_array_equal(out.view(np.uint8), expected.view(np.uint8))
    np.testing.assert_array_equal(sums[0], sums[1])
    assert np.all(memory[:first] == 77)
    assert np.all(memory[first + rows * n :] == 77)


@pytest.mark.parametrize("rows", [0, 1, 2, 7])
def test_blocks_ask_for_rows_that_exist_or_none(rows):
    """The last block's next one does not exist; the last rows of its own may not either."""
    n, BM = 512, 4
    count = T.dynamic("count")

    @T.prim_func
    def centre(X: T.Tensor((count, n), "f32"), Out: T.Tensor((count, n), "f32")):
        with T.Kernel(T.ceildiv(count, BM)) as bx:
            x = T.alloc_fragment((BM, n), "f32")
            total = T.alloc_fragment((BM,), "f32")
            T.copy(X[bx * BM, 0], x)
            T.reduce_sum(x, total, dim=1)
            for i, j in T.Parallel(BM, n):
                x[i, j] -= total[i] / n
            T.copy(x, Out[bx * BM, 0])

    kernel = tilewright.compile(centre, target="cpu")
    assert "memref.prefetch" in kernel.stages()["cpu-prefetch-blocks"]
    x = np.random.default_rng(rows).integers(-8, 8, (rows, n)).astype(np.float32)
    out = np.full_like(x, np.nan)
    kernel(x, out)
    np.testing.assert_array_equal(out, x - x.sum(1, keepdims=True) / n)
