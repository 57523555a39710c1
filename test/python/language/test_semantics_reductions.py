"""Named reductions at the corners: positions, truth values, slices, former values.

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

SHAPES = [((1,), 0), ((67,), 0), ((9, 40), 0), ((5, 1), 1), ((3, 33, 2), 1), ((2, 3, 130), -1)]


def reduced(
    device: str, name: str, a: np.ndarray, dtype: str, dim: int, result: str, former=None
):
    """T.reduce_<name> of `a` along `dim`, into a tile that keeps the dimension."""
    dim %= a.ndim
    shape, out = a.shape, (*a.shape[:dim], 1, *a.shape[dim + 1 :])
    reduce, clear = getattr(T, f"reduce_{name}"), former is None

    @T.prim_func
    def kernel(A: T.Tensor(shape, dtype), Out: T.Tensor(out, result)):
        with T.Kernel(1):
            x = T.alloc_shared(shape, dtype)
            y = T.alloc_fragment(out, result)
            T.copy(A, x)
            T.copy(Out, y)
            if clear:
                reduce(x, y, dim=dim)
            else:
                reduce(x, y, dim=dim, clear=False)
            T.copy(y, Out)

    got = np.zeros(out, numpy_dtype(parse(result).short)) if clear else former.copy()
    tilewright.compile(kernel, target=device)(a, got)
    return got


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_positions_along_any_dimension(device, name, shape, dim):
    """NumPy's rule: the first of equals, and the first NaN before all else."""
    a = np.random.default_rng(1).integers(0, 6, shape).astype(np.float32)
    a.flat[a.size // 2 :: 31] = np.nan
    got = reduced(device, name, a, "float32", dim, "int64")
    assert np.array_equal(got, getattr(np, name)(a, axis=dim, keepdims=True))


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int64", "uint64", "float16", "bfloat16", "bool"]
)
def test_positions_of_every_kind_of_element(device, dtype):
    made = numpy_dtype(parse(dtype).short)
    rng = np.random.default_rng(2)
    if parse(dtype).is_integer and dtype != "bool":
        limits = np.iinfo(made)
        a = rng.choice(np.array([limits.min, 0, 1, limits.max], made), (7, 19))
    else:
        a = rng.integers(0, 2, (7, 19)).astype(made)
    for name in ("argmax", "argmin"):
        got = reduced(device, name, a, dtype, 1, "int32")
        wide = a.astype(np.float32) if parse(dtype).is_float else a
        assert np.array_equal(got, getattr(np, name)(wide, axis=1, keepdims=True))


@pytest.mark.parametrize("dtype", ["float32", "int16", "bool"])
@pytest.mark.parametrize(("shape", "dim"), SHAPES)
def test_truth_of_any_element(device, dtype, shape, dim):
    """Not zero is true: NaN is, -0.0 is not. The former value takes part where it is asked."""
    rng = np.random.default_rng(3)
    a = (rng.random(shape) < 0.9).astype(numpy_dtype(parse(dtype).short))
    if dtype == "float32":
        a[a == 0] = -0.0
        a.flat[0] = np.nan
    for name in ("any", "all"):
        expected = getattr(np, name)(a, axis=dim, keepdims=True)
        got = reduced(device, name, a, dtype, dim, "bool")
        assert np.array_equal(got, expected)
    former = rng.random(expected.shape) < 0.5
    assert np.array_equal(
        reduced(device, "all", a, dtype, dim, "bool", former), expected & former
    )


@pytest.mark.parametrize("name", ["bitand", "bitor", "bitxor", "abssum", "absmax"])
def test_more_reductions_go_on(device, name):
    rng = np.random.default_rng(4)
    a = rng.integers(-(2**31), 2**31, (6, 45), np.int32)
    former = rng.integers(1 - 2**31, 2**31, (6, 1), np.int32)
    former[0] = -5
    a[:3] %= 100
    got = reduced(device, name, a, "int32", 1, "int32", former)
    if name.startswith("bit"):
        combine = getattr(
            np, {"bitand": "bitwise_and", "bitor": "bitwise_or"}.get(name, "bitwise_xor")
        )
        expected = combine.reduce(np.concatenate([former, a], 1), 1, keepdims=True)
    elif name == "abssum":
        expected = (former + np.abs(a).sum(1, keepdims=True, dtype=np.int64)).astype(np.int32)
    else:  # the magnitude of the least integer is that of an unsigned one
        most = np.abs(a.astype(np.int64)).max(1, keepdims=True)
        expected = np.maximum(most, former).astype(np.int32)
    assert np.array_equal(got, expected)


def test_reductions_of_slices_read_the_slice_alone(device):
    @T.prim_func
    def kernel(
        A: T.Tensor((3, 9, 40), "float32"), S: T.Tensor((3, 33), "float32"),
        P: T.Tensor((5,), "int32"), L: T.Tensor((5,), "bool"),
    ):  # fmt: skip
        with T.Kernel(1):
            a = T.alloc_shared((3, 9, 40), "float32")
            most = T.alloc_shared((3, 33), "float32")
            place = T.alloc_shared((5, 2), "int32")
            every = T.alloc_shared((2, 5), "bool")
            T.copy(A, a)
            T.reduce_max(a[:, 2:7, 4:37], most, dim=1)
            T.reduce_argmin(a[1, 2:7, 4:37], place[:, 1], dim=1)
            T.reduce_all(a[1, 2:7, 4:37], every[1, :], dim=1)
            T.copy(most, S)
            T.copy(place[:, 1], P)
            T.copy(every[1, :], L)

    a = np.full((3, 9, 40), np.nan, np.float32)
    part = a[:, 2:7, 4:37]
    part[:] = np.random.default_rng(5).integers(-3, 40, part.shape)
    a[:, :2], a[:, 7:] = 0, 0
    most, place, every = np.zeros((3, 33), np.float32), np.zeros(5, np.int32), np.zeros(5, bool)
    tilewright.compile(kernel, target=device)(a, most, place, every)
    assert np.array_equal(most, part.max(1))
    assert np.array_equal(place, part[1].argmin(1))
    assert np.array_equal(every, part[1].all(1))
