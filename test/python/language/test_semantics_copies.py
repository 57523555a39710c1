"""Copies and gathers convert as T.cast does.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.language.dtypes import parse
from tilewright.testing import numpy_dtype

pytestmark = pytest.mark.every_device


@pytest.mark.parametrize("result", ["uint8", "uint16", "uint32", "uint64", "int8", "int32"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float8_e5m2"])
def test_copied_floats_saturate_in_integers(device, dtype, result):
    """Unsigned integers have a range of their own: -1 is 0 in them, and 200 fits 8 bits."""

    @T.prim_func
    def kernel(
        A: T.Tensor((1, 9), dtype), I: T.Tensor((2,), "int32"),
        C: T.Tensor((9,), result), G: T.Tensor((2, 9), result),
    ):  # fmt: skip
        with T.Kernel(1):
            tile = T.alloc_shared((9,), result)
            rows = T.alloc_shared((2, 9), result)
            ids = T.alloc_shared((2,), "int32")
            T.copy(A[0, :], tile)
            T.copy(tile, C)
            T.copy(I, ids)
            T.gather(A[0, 0], ids, rows)
            T.copy(rows, G)

    made = numpy_dtype(parse(dtype).short)
    a = np.array([-1, -0.5, 0, 1.5, 96, 224, 57344, np.inf, np.nan]).astype(made)
    c, g = np.full(9, 77, result), np.full((2, 9), 77, result)
    tilewright.compile(kernel, target=device)(a[None], np.array([0, -1], np.int32), c, g)
    limits = np.iinfo(result)
    wide = [0 if x != x else min(max(x, limits.min), limits.max) for x in a.astype(float)]
    expected = [int(x) for x in wide]
    assert c.tolist() == g[0].tolist() == expected
    assert not g[1].any()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_unsigned_indices_are_copied_into_signed_ones(device, dtype):
    def kernel_of(held: str, dtype: str = dtype):
        @T.prim_func
        def kernel(
            A: T.Tensor((300, 4), "int32"), I: T.Tensor((5,), dtype),
            C: T.Tensor((5, 4), "int32"),
        ):  # fmt: skip
            with T.Kernel(1):
                ids = T.alloc_shared((5,), held)
                rows = T.alloc_shared((5, 4), "int32")
                T.copy(I, ids)
                T.gather(A, ids, rows)
                T.copy(rows, C)

        return kernel

    with pytest.raises(tilewright.CompileError, match="indices are signed"):
        tilewright.compile(kernel_of(dtype), target=device)
    a = np.arange(1200, dtype=np.int32).reshape(300, 4)
    ids = np.array([0, 127, 128, 200, 255], dtype)
    c = np.zeros((5, 4), np.int32)
    tilewright.compile(kernel_of("int64"), target=device)(a, ids, c)
    assert np.array_equal(c, a[ids])


def test_products_take_any_number_of_a_page():
    """Where the number and one more would wrap: outside is 0, and nothing is written there."""

    @T.prim_func
    def kernel(
        Pages: T.Tensor((T.dynamic("n"), 16, 128), "float32"),
        Table: T.Tensor((6,), "int64"),
        Q: T.Tensor((16, 128), "float32"),
        Out: T.Tensor((T.dynamic("n"), 16, 16), "float32"),
        Sums: T.Tensor((6, 16, 16), "float32"),
    ):
        with T.Kernel(1):
            k = T.alloc_shared((16, 128), "float32")
            q = T.alloc_shared((16, 128), "float32")
            part = T.alloc_shared((16, 32), "float32")
            s = T.alloc_fragment((16, 16), "float32")
            T.copy(Q, q)
            for step in T.serial(6):
                T.copy(Pages[Table[step], 0, 0], k)
                T.gemm(k, q, s, transpose_B=True, clear_accum=True)
                T.copy(s, Sums[step, 0, 0])
                T.clear(s)
                for i in T.serial(4):
                    T.copy(Q[0, i * 32], part)
                    T.gemm(part, part, s, transpose_B=True)
                T.copy(s, Out[Table[step], 0, 0])

    end = np.iinfo(np.int64)
    table = np.array([1, end.max, end.min, end.max - 1, 2, 0])
    rng = np.random.default_rng(1)
    # What lies around the pages would be seen.
    pages = rng.integers(1, 4, (6, 16, 128)).astype("f4")[2:4]
    q = rng.integers(1, 4, (16, 128)).astype("f4")
    around, sums = np.zeros((6, 16, 16), "f4"), np.full((6, 16, 16), -1, "f4")
    tilewright.compile(kernel, target="cpu")(pages, table, q, around[2:4], sums)
    for page, found in zip(table, sums, strict=True):
        assert np.array_equal(found, pages[page] @ q.T if 0 <= page < 2 else 0 * found)
    assert np.array_equal(around[2:4], [q @ q.T] * 2)
    assert not around[:2].any()
    assert not around[4:].any()
