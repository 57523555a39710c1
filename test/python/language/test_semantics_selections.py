"""Elements in order: T.sort, and T.topk as the beginning of it.

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

DTYPES = [
    "float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2", "bool",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip


def sorting(shape: tuple, dtype: str, dim: int, descending: bool):
    @T.prim_func
    def kernel(
        A: T.Tensor(shape, dtype), V: T.Tensor(shape, dtype), I: T.Tensor(shape, "int32")
    ):
        with T.Kernel(1):
            x = T.alloc_shared(shape, dtype)
            T.copy(A, x)
            values, places = T.sort(x, dim, descending=descending)
            T.copy(values, V)
            T.copy(places, I)

    return kernel


def order_of(line: list, descending: bool) -> list[int]:
    """Positions in order, NaN first, by Python's stable sort, to which -0.0 is 0.0."""
    nan = [i for i, x in enumerate(line) if x != x]
    rest = [i for i, x in enumerate(line) if x == x]
    # A stable sort that is reversed keeps equals in their order.
    return nan + sorted(rest, key=lambda i: line[i], reverse=descending)


def check(device: str, a: np.ndarray, dtype: str, dim: int, descending: bool) -> None:
    values, places = np.zeros_like(a), np.full(a.shape, -1, np.int32)
    kernel = sorting(a.shape, dtype, dim, descending)
    tilewright.compile(kernel, target=device)(a, values, places)
    rows = np.moveaxis(a, dim, -1)
    numbers = rows.astype(np.int64) if rows.dtype.kind == "b" else rows
    expected = np.empty(rows.shape, np.int32)
    for at in np.ndindex(rows.shape[:-1]):
        line = [x.item() if x.dtype.kind in "iu" else float(x) for x in numbers[at]]
        expected[at] = order_of(line, descending)
    expected = np.moveaxis(expected, -1, dim)
    assert np.array_equal(places, expected)
    taken = np.ascontiguousarray(np.take_along_axis(a, expected, dim))
    assert np.array_equal(values.view(np.uint8), taken.view(np.uint8))  # -0.0 and NaN too


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sort_of_every_type(device, dtype, descending):
    made = numpy_dtype(parse(dtype).short)
    rng = np.random.default_rng(1)
    if parse(dtype).is_integer and dtype != "bool":
        limits = np.iinfo(made)
        a = rng.integers(limits.min, limits.max, (3, 33), made, endpoint=True)
        a[1] = rng.integers(0, 4, 33)
        a[2, ::5], a[2, 1::5] = limits.min, limits.max
    else:
        a = (rng.integers(-9, 9, (3, 33)) / 4).astype(made)
    if parse(dtype).is_float:
        a[0, 3], a[0, 20], a[1, ::4], a[1, 1::4] = np.nan, np.nan, -0.0, 0.0
        a[2, 5] = np.inf if dtype != "float8_e4m3fn" else 448
        a[2, 6] = -a[2, 5]
    check(device, a, dtype, 1, descending)


@pytest.mark.parametrize(
    ("shape", "dim"),
    [((1,), 0), ((64,), 0), ((700,), -1), ((7, 5), 0), ((3, 16, 2), 1), ((4, 1), 1)],
)
def test_sort_along_any_dimension(device, shape, dim):
    a = np.random.default_rng(2).integers(0, 50, shape).astype(np.float32)
    check(device, a, "float32", dim, descending=False)


def test_topk_is_the_beginning_of_sort(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((4, 40), "float32"), V: T.Tensor((2, 4, 9), "float32"),
        I: T.Tensor((2, 4, 9), "int32"),
    ):  # fmt: skip
        with T.Kernel(1):
            x = T.alloc_shared((4, 48), "float32")
            T.fill(x, T.infinity("float32"))
            T.copy(A, x[:, 3:43])
            first, at_first = T.topk(x[:, 3:43], 9, largest=False)
            every, at_every = T.sort(x[:, 3:43])
            T.copy(first, V[0, :, :])
            T.copy(at_first, I[0, :, :])
            T.copy(every[:, 0:9], V[1, :, :])
            T.copy(at_every[:, 0:9], I[1, :, :])

    a = np.random.default_rng(3).integers(0, 20, (4, 40)).astype(np.float32)
    a[1, 7] = a[1, 30] = np.nan
    values, places = np.zeros((2, 4, 9), np.float32), np.zeros((2, 4, 9), np.int32)
    tilewright.compile(kernel, target=device)(a, values, places)
    assert np.array_equal(values[0], values[1], equal_nan=True)
    assert np.array_equal(places[0], places[1])
    assert list(places[0, 1, :2]) == [7, 30]
