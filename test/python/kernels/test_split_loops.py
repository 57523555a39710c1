# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loops that look as if their steps could be done in parts, or can in an unusual way.

Each kernel has the same results with `batch_invariant`, where no loop is divided.
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T

R, C, N = 16, 64, 4000


def _compare(function, *arrays: np.ndarray, is_divided: bool, tolerance: float = 0.0):
    """Runs `function`, whose last argument is its result, with its loop divided and whole."""
    results = []
    for options in ({}, {"batch_invariant": True}):
        kernel = tilewright.compile(function, target="cpu", **options)
        divided = any("steps of a sum of its" in str(r) for r in kernel.remarks())
        assert divided == (is_divided and not options)
        out = arrays[-1].copy()
        kernel(*arrays[:-1], out)
        results.append(out)
    np.testing.assert_allclose(*results, rtol=tolerance, atol=0)


@pytest.fixture
def x():
    """Small integers, of which sums in any order are exact."""
    generator = np.random.default_rng(20261201)
    return generator.integers(-3, 4, (R, C * N)).astype(np.float32)


def test_steps_from_a_number_on_that_only_the_block_knows(x):
    """How many there are is constant."""

    @T.prim_func
    def kernel(
        X: T.Tensor((R, C * N), "f32"),
        First: T.Tensor((1,), "i32"),
        Out: T.Tensor((R, C), "f32"),
    ):
        with T.Kernel(1):
            tile = T.alloc_shared((R, C), "f32")
            s = T.alloc_fragment((R, C), "f32")
            T.clear(s)
            first = First[0]
            for step in T.serial(first, first + 1501):
                T.copy(X[0, step * C], tile)
                for i, j in T.Parallel(R, C):
                    s[i, j] += tile[i, j]
            T.copy(s, Out)

    first, out = np.array([7], np.int32), np.full((R, C), np.nan, np.float32)
    _compare(kernel, x, first, out, is_divided=True)


def test_a_view_moves_elements(x):
    @T.prim_func
    def kernel(X: T.Tensor((R, C * N), "f32"), Out: T.Tensor((8, 4), "f32")):
        with T.Kernel(1):
            tile = T.alloc_shared((4, 4), "f32")
            moved = T.alloc_shared((4, 4), "f32")
            s = T.alloc_shared((8, 4), "f32")
            seen = T.view(s, (4, 8))
            T.clear(s)
            for step in T.serial(8000):
                T.copy(X[0, step * 4], tile)
                for i, j in T.Parallel(4, 4):
                    moved[i, j] = s[i, j] + tile[i, j]
                for i, j in T.Parallel(4, 4):
                    seen[i, j] = moved[i, j]
            T.copy(s, Out)

    _compare(kernel, x, np.full((8, 4), np.nan, np.float32), is_divided=False)


def test_a_combiner_that_uses_what_steps_have_counted(x):
    @T.prim_func
    def kernel(X: T.Tensor((R, C * N), "f32"), Out: T.Tensor((R,), "f32")):
        with T.Kernel(1):
            tile = T.alloc_shared((R, C), "f32")
            part = T.alloc_fragment((R,), "f32")
            s = T.alloc_fragment((R,), "f32")
            count = T.alloc_fragment((1,), "f32")
            T.clear(s)
            T.clear(count)
            for step in T.serial(N):
                T.copy(X[0, step * C], tile)
                c = count[0]
                T.reduce(tile, part, 1, lambda a, b: a + b + c, -c)  # noqa: B023
                for i in T.Parallel(R):
                    s[i] += part[i]
                for i in T.Parallel(1):
                    count[i] += 1
            T.copy(s, Out)

    _compare(kernel, x, np.full((R,), np.nan, np.float32), is_divided=False)


@pytest.mark.parametrize("dtype", ["i8", "i32"])
def test_the_magnitude_of_the_most_negative_integer(x, dtype):
    numpy_dtype = np.dtype(dtype.replace("i", "int"))

    @T.prim_func
    def kernel(X: T.Tensor((R, C * N), dtype), Out: T.Tensor((R,), dtype)):
        with T.Kernel(1):
            tile = T.alloc_shared((R, C), dtype)
            s = T.alloc_fragment((R,), dtype)
            T.clear(s)
            for step in T.serial(N):
                T.copy(X[0, step * C], tile)
                T.reduce_absmax(tile, s, dim=1, clear=False)
            T.copy(s, Out)

    integers = x.astype(numpy_dtype)
    integers[::3, 1000] = np.iinfo(numpy_dtype).min
    _compare(kernel, integers, np.full((R,), 77, numpy_dtype), is_divided=True)


def test_a_difference_of_equal_sums_is_not_nothing(x):
    """What rounding takes from a sum of 2^25 and more is summed too."""

    @T.prim_func
    def kernel(X: T.Tensor((R, C * N), "f32"), Out: T.Tensor((R, C), "f32")):
        with T.Kernel(1):
            tile = T.alloc_shared((R, C), "f32")
            s = T.alloc_fragment((R, C), "f32")
            lost = T.alloc_fragment((R, C), "f32")
            T.fill(s, 2.0**25)
            T.clear(lost)
            for step in T.serial(N):
                T.copy(X[0, step * C], tile)
                for i, j in T.Parallel(R, C):
                    lost[i, j] += tile[i, j] - ((s[i, j] + tile[i, j]) - s[i, j])
                for i, j in T.Parallel(R, C):
                    s[i, j] += tile[i, j]
            T.copy(lost, Out)

    _compare(kernel, x, np.full((R, C), np.nan, np.float32), is_divided=False)


@pytest.mark.parametrize("is_smallest", [False, True])
def test_weights_of_an_extremum_that_begins_anywhere(x, is_smallest):
    @T.prim_func
    def kernel(
        X: T.Tensor((R, C * N), "f32"),
        Begin: T.Tensor((R,), "f32"),
        Out: T.Tensor((R,), "f32"),
    ):
        with T.Kernel(1):
            tile = T.alloc_shared((R, C), "f32")
            top = T.alloc_fragment((R,), "f32")
            before = T.alloc_fragment((R,), "f32")
            total = T.alloc_fragment((R,), "f32")
            T.copy(Begin, top)
            T.clear(total)
            for step in T.serial(N):
                T.copy(X[0, step * C], tile)
                T.copy(top, before)
                if is_smallest:
                    T.reduce_min(tile, top, dim=1, clear=False)
                else:
                    T.reduce_max(tile, top, dim=1, clear=False)
                for i, j in T.Parallel(R, C):
                    tile[i, j] = T.exp(tile[i, j] - top[i])
                for i in T.Parallel(R):
                    total[i] *= T.exp(before[i] - top[i])
                T.reduce_sum(tile, total, dim=1, clear=False)
            T.copy(total, Out)

    begin = np.linspace(-5, 5, R, dtype=np.float32)
    out = np.full((R,), np.nan, np.float32)
    _compare(kernel, x, begin, out, is_divided=True, tolerance=1e-3)


def test_terms_that_the_maximum_has_not_taken_in(x):
    """A mask by multiplication: in a part that is all masked a term would be infinite."""

    @T.prim_func
    def kernel(
        X: T.Tensor((R, C * N), "f32"),
        Mask: T.Tensor((R, C * N), "f32"),
        Out: T.Tensor((R,), "f32"),
    ):
        with T.Kernel(1):
            tile = T.alloc_shared((R, C), "f32")
            mask = T.alloc_shared((R, C), "f32")
            visible = T.alloc_shared((R, C), "f32")
            top = T.alloc_fragment((R,), "f32")
            before = T.alloc_fragment((R,), "f32")
            total = T.alloc_fragment((R,), "f32")
            T.fill(top, -1e30)
            T.clear(total)
            for step in T.serial(N):
                T.copy(X[0, step * C], tile)
                T.copy(Mask[0, step * C], mask)
                for i, j in T.Parallel(R, C):
                    visible[i, j] = T.if_then_else(
                        mask[i, j] > 0, tile[i, j], -T.infinity("f32")
                    )
                T.copy(top, before)
                T.reduce_max(visible, top, dim=1, clear=False)
                for i, j in T.Parallel(R, C):
                    tile[i, j] = T.exp(tile[i, j] - top[i]) * mask[i, j]
                for i in T.Parallel(R):
                    total[i] *= T.exp(before[i] - top[i])
                T.reduce_sum(tile, total, dim=1, clear=False)
            T.copy(total, Out)

    mask = np.zeros((R, C * N), np.float32)
    mask[:, : C * 300] = 1  # the last parts are padding
    out = np.full((R,), np.nan, np.float32)
    _compare(kernel, x, mask, out, is_divided=False)
    assert np.isfinite(_result(kernel, x, mask, out)).all()


def _result(function, *arrays: np.ndarray) -> np.ndarray:
    tilewright.compile(function, target="cpu")(*arrays)
    return arrays[-1]


def test_a_long_way_to_the_number_of_steps(x):
    """Each value is computed once in front of the kernel, in however many it is used."""

    @T.prim_func
    def kernel(X: T.Tensor((R, C * N), "f32"), Out: T.Tensor((R, C), "f32"), many: T.int32):
        with T.Kernel(1):
            tile = T.alloc_shared((R, C), "f32")
            s = T.alloc_fragment((R, C), "f32")
            T.clear(s)
            m = many
            for _ in T.unroll(40):
                m = (m * (m % 7 + 1) + m // 3) % 3001
            for step in T.serial(m):
                T.copy(X[0, step * C], tile)
                for i, j in T.Parallel(R, C):
                    s[i, j] += tile[i, j]
            T.copy(s, Out)

    kernel_of = tilewright.compile(kernel, target="cpu")
    assert any("steps of a sum of its" in str(r) for r in kernel_of.remarks())
    out = np.full((R, C), np.nan, np.float32)
    kernel_of(x, out, 1234)
    steps = 1234
    for _ in range(40):
        steps = (steps * (steps % 7 + 1) + steps // 3) % 3001
    np.testing.assert_array_equal(out, x.reshape(R, N, C)[:, :steps].sum(1))
