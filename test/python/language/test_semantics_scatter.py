"""T.scatter: rows stored where an index tile says.

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

IDS = np.array([3, -1, 0, 9, 3, 10, -(2**31), 5, 2**31 - 1, 3], np.int32)  # of 10 rows


def scattered(into: np.ndarray, ids: np.ndarray, rows: np.ndarray, add: bool) -> np.ndarray:
    """`into`, row after row."""
    result = into.copy()
    for i, row in zip(ids, rows):
        if 0 <= i < len(result):
            result[i] = result[i] + row if add else row
    return result


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize(
    ("src", "dst"), [("float32", "float32"), ("float32", "bfloat16"), ("uint8", "int32")]
)
def test_scatter(device, src, dst, atomic):
    """The last row with an index wins or all are added; rows that are not there do nothing."""
    made = numpy_dtype(parse(src).short), numpy_dtype(parse(dst).short)

    @T.prim_func
    def kernel(
        A: T.Tensor((10, 21), src), I: T.Tensor((10,), "int32"), Out: T.Tensor((10, 40), dst)
    ):
        with T.Kernel(1):
            rows = T.alloc_fragment((10, 21), src)
            ids = T.alloc_shared((10,), "int32")
            T.copy(A, rows)
            T.copy(I, ids)
            T.scatter(rows, ids, Out[0, 7], atomic=atomic)

    rng = np.random.default_rng(1)
    a = rng.integers(0, 60, (10, 21)).astype(made[0])
    out = rng.integers(0, 60, (10, 40)).astype(made[1])
    expected = out.copy()
    expected[:, 7:28] = scattered(out[:, 7:28], IDS, a.astype(made[1]), atomic)
    tilewright.compile(kernel, target=device)(a, IDS, out)
    assert np.array_equal(out, expected)


def test_scatter_past_the_edges_of_a_tensor(device):
    """A start moves the rows; what lies outside in either dimension is not written."""
    n, m = T.dynamic("n"), T.dynamic("m")

    @T.prim_func
    def kernel(
        A: T.Tensor((4, 16), "float32"),
        I: T.Tensor((4,), "int64"),
        Out: T.Tensor((n, m), "float32"),
    ):
        with T.Kernel(1):
            rows = T.alloc_shared((4, 16), "float32")
            ids = T.alloc_shared((6,), "int64")
            T.copy(A, rows)
            T.copy(I, ids[1:5])
            T.scatter(rows, ids[1:5], Out[2, 9])

    compiled = tilewright.compile(kernel, target=device)
    a = np.random.default_rng(2).standard_normal((4, 16)).astype(np.float32)
    for shape in ((6, 20), (6, 64), (2, 12), (0, 9)):
        # -2 would be row 0, and 2**62 + 2 wraps nowhere.
        ids = np.array([1, -2, 2**62, 0])
        out = np.full(shape, np.nan, np.float32)
        expected = out.copy()
        for i, row in ((1, a[0]), (0, a[3])):
            if 2 + i < shape[0]:
                part = expected[2 + i, 9:25]
                part[:] = row[: len(part)]
        compiled(a, ids, out)
        assert np.array_equal(out, expected, equal_nan=True)


@pytest.mark.parametrize("atomic", [False, True])
def test_more_rows_than_the_tile_has(device, atomic):
    """Indices say where rows go, so there may be more of them; as a whole, or from a start."""

    @T.prim_func
    def kernel(
        A: T.Tensor((10, 4), "int32"), I: T.Tensor((10,), "int32"),
        Whole: T.Tensor((3, 5), "int32"), Start: T.Tensor((3, 5), "int32"),
    ):  # fmt: skip
        with T.Kernel(1):
            rows = T.alloc_shared((10, 4), "int32")
            ids = T.alloc_shared((10,), "int32")
            whole = T.alloc_shared((3, 5), "int32")
            start = T.alloc_shared((3, 5), "int32")
            T.copy(A, rows)
            T.copy(I, ids)
            T.clear(whole)
            T.clear(start)
            T.scatter(rows, ids, whole[:, 0:4], atomic=atomic)
            T.scatter(rows, ids, start[0, 1], atomic=atomic)
            T.copy(whole, Whole)
            T.copy(start, Start)

    a = np.random.default_rng(6).integers(-99, 99, (10, 4)).astype(np.int32)
    ids = np.array([0, 2, 2, -1, 3, 2, 0, 9, 1, 0], np.int32)
    whole, start = np.zeros((3, 5), np.int32), np.zeros((3, 5), np.int32)
    tilewright.compile(kernel, target=device)(a, ids, whole, start)
    expected = scattered(np.zeros((3, 4), np.int32), ids, a, atomic)
    assert np.array_equal(whole, np.pad(expected, ((0, 0), (0, 1))))
    assert np.array_equal(start, np.pad(expected, ((0, 0), (1, 0))))


@pytest.mark.parametrize("atomic", [False, True])
def test_scatter_in_a_pipeline_along_another_axis(device, atomic):
    """Columns, into a tile of the block and into a tensor that all blocks add to."""

    @T.prim_func
    def kernel(
        A: T.Tensor((6, 3, 8), "int32"), I: T.Tensor((6, 8), "int32"),
        Tile: T.Tensor((3, 30), "int32"), Sum: T.Tensor((3, 30), "int32"),
    ):  # fmt: skip
        with T.Kernel(2) as bx:
            columns = T.alloc_shared((3, 8), "int32")
            ids = T.alloc_shared((8,), "int32")
            tile = T.alloc_shared((3, 30), "int32")
            T.clear(tile)
            for k in T.Pipelined(6, num_stages=2):
                T.copy(A[k, 0, 0], columns)
                T.copy(I[k, 0], ids)
                T.scatter(columns, ids, tile, axis=1, atomic=atomic)
                T.scatter(columns, ids, Sum, axis=1, atomic=True)
            if bx == 0:
                T.copy(tile, Tile)

    rng = np.random.default_rng(3)
    a, ids = rng.integers(-99, 99, (6, 3, 8)), rng.integers(-3, 33, (6, 8))
    tile, total = np.zeros((3, 30), np.int32), np.zeros((3, 30), np.int32)
    expected, added = np.zeros((30, 3), int), np.zeros((30, 3), int)
    for k in range(6):
        expected = scattered(expected, ids[k], a[k].T, atomic)
        added = scattered(added, ids[k], a[k].T, True)
    tilewright.compile(kernel, target=device)(
        a.astype(np.int32), ids.astype(np.int32), tile, total
    )
    assert np.array_equal(tile, expected.T)
    assert np.array_equal(total, 2 * added.T)


def test_scatter_of_one_row_and_of_single_elements(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((40,), "float16"), I: T.Tensor((40,), "int32"),
        Rows: T.Tensor((9, 40), "float16"), One: T.Tensor((50,), "float16"),
    ):  # fmt: skip
        with T.Kernel(1):
            row = T.alloc_shared((1, 40), "float16")
            ids = T.alloc_shared((40,), "int32")
            T.copy(A, row[0, :])
            T.copy(I, ids)
            T.scatter(row, ids[4], Rows)
            T.scatter(row[0, :], ids, One)

    a = np.random.default_rng(4).standard_normal(40).astype(np.float16)
    ids = np.random.default_rng(5).permutation(60)[:40].astype(np.int32)
    ids[4] = 7
    rows, one = np.full((9, 40), 5, np.float16), np.full(50, 5, np.float16)
    tilewright.compile(kernel, target=device)(a, ids, rows, one)
    assert np.array_equal(rows, scattered(np.full((9, 40), 5, np.float16), [7], [a], False))
    assert np.array_equal(one, scattered(np.full(50, 5, np.float16), ids, a, False))
