"""Reductions and scans by a combiner of one's own, and scans by known ones.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright.language.dtypes import parse
from tilewright.testing import gamma, numpy_dtype

pytestmark = pytest.mark.every_device

SHAPES = [((7,), 0), ((1, 1), 1), ((24, 100), 0), ((10, 300), 1), ((3, 5, 7), 1), ((17, 1), 0)]

NUMBERS = [
    "float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
]  # fmt: skip


def run(device: str, kernel: object, *arguments: object) -> None:
    tilewright.compile(kernel, target=device)(*arguments)


@T.macro
def joined(a, b):
    """(1 + a) (1 + b) - 1, which 0 leaves as it is."""
    both = a * b
    return a + b + both


def differ(a, b):
    return a != b


def reduction(
    shape: tuple, dtype: str, dim: int, combiner: object, identity: object, clear: bool = True
):
    out = (*shape[:dim], *shape[dim + 1 :]) or (1,)

    @T.prim_func
    def kernel(A: T.Tensor(shape, dtype), Out: T.Tensor(out, dtype)):
        with T.Kernel(1):
            x = T.alloc_fragment(shape, dtype)
            y = T.alloc_fragment(out, dtype)
            T.copy(A, x)
            T.copy(Out, y)
            T.reduce(x, y, dim, combiner, identity, clear=clear)
            T.copy(y, Out)

    return kernel, out


@pytest.mark.parametrize("clear", [True, False])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_reductions_by_a_combiner(device, shape, dim, clear):
    kernel, out = reduction(shape, "uint32", dim, joined, 0, clear=clear)
    rng = np.random.default_rng(1)
    a = rng.integers(0, 2**32, shape, np.uint32)
    result = rng.integers(0, 2**32, out, np.uint32)
    expected = np.multiply.reduce(a + np.uint32(1), dim, dtype=np.uint32).reshape(out)
    if not clear:
        expected = expected * (result + np.uint32(1))
    run(device, kernel, a, result)
    assert np.array_equal(result, expected - np.uint32(1))


@pytest.mark.parametrize("dtype", NUMBERS)
def test_a_combiner_on_every_type(device, dtype):
    made = numpy_dtype(parse(dtype).short)

    @T.prim_func
    def kernel(
        A: T.Tensor((5, 37), dtype), R: T.Tensor((5,), dtype), S: T.Tensor((5, 37), dtype)
    ):
        with T.Kernel(1):
            a = T.alloc_shared((5, 37), dtype)
            r = T.alloc_fragment((5,), dtype)
            T.copy(A, a)
            T.reduce(a, r, 1, lambda x, y: T.if_then_else(x < y, x, y), T.max_value(dtype))
            T.copy(r, R)
            T.scan(a, dim=1, combiner=T.max)
            T.copy(a, S)

    a = np.random.default_rng(2).integers(0, 90, (5, 37)).astype(made)
    r, s = np.zeros(5, made), np.zeros((5, 37), made)
    run(device, kernel, a, r, s)
    exact = a.astype(np.float64)
    assert np.array_equal(r.astype(np.float64), exact.min(1))
    assert np.array_equal(s.astype(np.float64), np.maximum.accumulate(exact, 1))


def test_a_combiner_of_truth_values(device):
    kernel, out = reduction((6, 21), "bool", 1, differ, False)
    a = np.random.default_rng(3).random((6, 21)) < 0.5
    result = np.zeros(out, bool)
    run(device, kernel, a, result)
    assert np.array_equal(result, np.logical_xor.reduce(a, 1))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_narrow_floats_are_combined_in_float32(device, dtype):
    """A value of the block's own is part of the combiner, and each result is rounded once."""
    made = numpy_dtype(parse(dtype).short)

    @T.prim_func
    def kernel(
        A: T.Tensor((300, 9), dtype), R: T.Tensor((9,), dtype), S: T.Tensor((300, 9), dtype),
        by: T.float32,
    ):  # fmt: skip
        with T.Kernel(1):
            a = T.alloc_shared((300, 9), dtype)
            r = T.alloc_fragment((9,), dtype)
            T.copy(A, a)
            T.reduce(a, r, 0, lambda x, y: x * y * by, 1 / by)
            T.copy(r, R)
            T.scan(a, a, 0, combiner=lambda x, y: x * y * by)
            T.copy(a, S)

    a = np.random.default_rng(4).uniform(0.7, 1.5, (300, 9)).astype(made)
    r, s = np.zeros(9, made), np.zeros((300, 9), made)
    run(device, kernel, a, r, s, 0.9)
    by = np.float64(np.float32(0.9))
    exact = np.multiply.accumulate(a.astype(np.float64) * by, 0) / by
    unit = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24}[dtype]
    # Two roundings for each combination, one of the result, one of the identity; f16 may
    # be denormal.
    bound = exact * ((1 + gamma(2 * 301)) * (1 + unit) - 1) + 2.0**-25
    assert (np.abs(r.astype(np.float64) - exact[-1]) <= bound[-1]).all()
    assert (np.abs(s.astype(np.float64) - exact) <= bound).all()


def test_a_combiner_reads_the_slice_alone(device):
    @T.prim_func
    def kernel(A: T.Tensor((6, 40), "float32"), R: T.Tensor((4,), "float32")):
        with T.Kernel(1):
            a = T.alloc_shared((6, 40), "float32")
            r = T.alloc_shared((4, 2), "float32")
            T.copy(A, a)
            T.reduce(a[1:5, 3:34], r[:, 1], 1, T.max, -T.infinity("float32"))
            T.copy(r[:, 1], R)

    a = np.full((6, 40), np.nan, np.float32)
    a[1:5, 3:34] = np.random.default_rng(5).standard_normal((4, 31))
    r = np.zeros(4, np.float32)
    run(device, kernel, a, r)
    assert np.array_equal(r, a[1:5, 3:34].max(1))


# -- scans ------------------------------------------------------------------------------------


def scanned(a: np.ndarray, dim: int, combine, reverse: bool, first=None) -> np.ndarray:
    """Element by element along `dim`; exclusive where there is a `first`."""
    line = np.moveaxis(a, dim, 0)
    line = line[::-1] if reverse else line
    result = np.empty_like(line)
    for i in range(len(line)):
        before = [np.full_like(line[0], first)] if first is not None else []
        taken = list(line[:i]) if first is not None else list(line[: i + 1])
        result[i] = functools.reduce(combine, before + taken)
    return np.moveaxis(result[::-1] if reverse else result, 0, dim)


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("shape", "dim"), [((37,), 0), ((5, 24), 1), ((24, 21), 0), ((3, 1, 4), 1)]
)
def test_scans_by_a_combiner(device, shape, dim, reverse, exclusive):
    """The last element that is not zero: which side comes first matters."""

    @T.prim_func
    def kernel(A: T.Tensor(shape, "int16"), Out: T.Tensor(shape, "int16")):
        with T.Kernel(1):
            x = T.alloc_shared(shape, "int16")
            y = T.alloc_fragment(shape, "int16")
            T.copy(A, x)
            T.scan(
                x, y, dim, combiner=lambda a, b: T.if_then_else(b != 0, b, a),
                identity=0, reverse=reverse, exclusive=exclusive,
            )  # fmt: skip
            T.copy(y, Out)

    rng = np.random.default_rng(6)
    a = (rng.integers(-99, 99, shape) * (rng.random(shape) < 0.4)).astype(np.int16)
    out = np.full(shape, 7, np.int16)
    run(device, kernel, a, out)
    first = 0 if exclusive else None
    expected = scanned(a, dim, lambda x, y: np.where(y != 0, y, x), reverse, first)
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("shape", "dim"), [((41,), 0), ((5, 24), 1), ((24, 21), 0)])
def test_cummax(device, shape, dim, reverse):
    @T.prim_func
    def kernel(A: T.Tensor(shape, "float32"), Out: T.Tensor(shape, "float32")):
        with T.Kernel(1):
            x = T.alloc_shared(shape, "float32")
            T.copy(A, x)
            T.cummax(x, dim=dim, reverse=reverse)
            T.copy(x, Out)

    a = np.random.default_rng(7).standard_normal(shape).astype(np.float32)
    a.flat[a.size // 2] = np.nan
    a.flat[a.size // 3] = -np.inf
    out = np.zeros(shape, np.float32)
    run(device, kernel, a, out)
    turned = np.flip(a, dim) if reverse else a
    expected = np.maximum.accumulate(turned, dim)
    expected = np.flip(expected, dim) if reverse else expected
    assert np.array_equal(out, expected, equal_nan=True)


@pytest.mark.parametrize("dim", [0, 1])
def test_scans_that_leave_their_own_element_out(device, dim):
    """In place, and on a slice whose surroundings stay as they are."""

    @T.prim_func
    def kernel(A: T.Tensor((9, 20), "int32"), Out: T.Tensor((9, 20), "int32")):
        with T.Kernel(1):
            x = T.alloc_shared((9, 20), "int32")
            T.copy(A, x)
            T.cumsum(x[2:7, 1:18], dim=dim, exclusive=True)
            T.copy(x, Out)

    a = np.random.default_rng(8).integers(-99, 99, (9, 20)).astype(np.int32)
    out = np.zeros((9, 20), np.int32)
    run(device, kernel, a, out)
    expected, part = a.copy(), a[2:7, 1:18]
    expected[2:7, 1:18] = np.cumsum(part, dim) - part
    assert np.array_equal(out, expected)


@pytest.mark.parametrize(
    ("dtype", "least"),
    [("int8", -128), ("uint16", 0), ("float32", -np.inf), ("float8_e5m2", -np.inf),
     ("float8_e4m3fn", -448), ("float8_e8m0fnu", np.nan)],
)  # fmt: skip
def test_the_maximum_of_no_element(device, dtype, least):
    """What every number is as large as: -infinity, where it has a value in the type."""
    made = numpy_dtype(parse(dtype).short)

    @T.prim_func
    def kernel(A: T.Tensor((3,), dtype), Out: T.Tensor((3,), dtype)):
        with T.Kernel(1):
            x = T.alloc_shared((3,), dtype)
            T.copy(A, x)
            T.cummax(x, exclusive=True)
            T.copy(x, Out)

    a, out = np.array([2, 1, 4]).astype(made), np.zeros(3).astype(made)
    run(device, kernel, a, out)
    expected = np.array([least, 2, 2], np.float64)
    assert np.array_equal(out.astype(np.float64), expected, equal_nan=True)
