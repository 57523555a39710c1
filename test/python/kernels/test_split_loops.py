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
    # With a minimum the weight of what was before grows, beyond all numbers in some part.
    _compare(kernel, x, begin, out, is_divided=not is_smallest, tolerance=1e-3)


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


# Steps of a softmax of rows of R numbers, of which the maximum takes in others than the
# weights are made of. The first step has the largest; what comes later, and the maximum does
# not see, would be infinite in a part that begins without it.


@T.macro
def transposed(x, z, top, part):
    for i, j in T.Parallel(R, R):
        z[i, j] = x[j, i]
    T.reduce_max(z, top, dim=1, clear=False)


@T.macro
def diagonal(x, z, top, part):
    for i, j in T.Parallel(R, R):
        z[i, j] = x[i, i]
    T.reduce_max(z, top, dim=1, clear=False)


@T.macro
def smallest(x, z, top, part):
    T.reduce_min(x, part, dim=1)
    for i in T.Parallel(R):
        top[i] = T.max(top[i], part[i])


@T.macro
def negated(x, z, top, part):
    T.reduce_max(x, part, dim=1)
    for i in T.Parallel(R):
        top[i] = T.max(top[i], part[i] * -1.0)


@T.macro
def largest(x, z, top, part):
    T.reduce_max(x, part, dim=1)
    for i in T.Parallel(R):
        top[i] = T.max(top[i], part[i])


def _softmax(update, round_total="f32", round_weight="f32", round_term="f32"):
    @T.prim_func
    def kernel(
        X: T.Tensor((R, R * N), "f32"),
        Y: T.Tensor((R, R * N), "f32"),
        Out: T.Tensor((R,), "f32"),
    ):
        with T.Kernel(1):
            x = T.alloc_shared((R, R), "f32")
            y = T.alloc_shared((R, R), "f32")
            z = T.alloc_shared((R, R), "f32")
            top = T.alloc_fragment((R,), "f32")
            before = T.alloc_fragment((R,), "f32")
            part = T.alloc_fragment((R,), "f32")
            total = T.alloc_fragment((R,), "f32")
            T.fill(top, -1e30)
            T.clear(total)
            for step in T.serial(N):
                T.copy(X[0, step * R], x)
                T.copy(Y[0, step * R], y)
                T.copy(top, before)
                update(x, z, top, part)
                for i, j in T.Parallel(R, R):
                    term = T.exp(x[i, j] - top[i]) * y[i, j]
                    z[i, j] = T.cast(T.cast(term, round_term), "f32")
                for i in T.Parallel(R):
                    weight = T.exp(before[i] - top[i])
                    total[i] *= T.cast(T.cast(weight, round_weight), "f32")
                T.reduce_sum(z, part, dim=1)
                for i in T.Parallel(R):
                    total[i] = T.cast(T.cast(total[i] + part[i], round_total), "f32")
            T.copy(total, Out)

    return kernel


@pytest.mark.parametrize("update", [transposed, diagonal, smallest, negated, largest])
def test_a_maximum_of_something_else(update):
    x = np.zeros((R, R * N), np.float32)
    x[:, R:] = -1
    x[:, :R] = -200 if update is negated else 200
    if update is not largest:
        x[5, R + 3 :: R] = 150
    y, out = np.ones_like(x), np.full((R,), np.nan, np.float32)
    _compare(_softmax(update), x, y, out, is_divided=update is largest)
    assert np.isfinite(_result(_softmax(update), x, y, out)).all()


@pytest.mark.parametrize(
    ("name", "dtype", "is_divided"),
    [
        ("round_total", "bf16", False),
        ("round_total", "f16", False),
        ("round_weight", "bf16", False),
        ("round_weight", "f8e4m3fn", False),
        ("round_term", "f16", False),
        ("round_term", "bf16", True),
    ],
)
def test_what_is_rounded_in_each_step(name, dtype, is_divided):
    """A sum, a weight, and a term that may leave the range of its type."""
    x = np.broadcast_to(np.arange(R * N, dtype=np.float32) * 1e-3, (R, R * N)).copy()
    x[:, :R] = 200
    y = np.full_like(x, 1e5)
    y[:, :R] = 1
    out = np.full((R,), np.nan, np.float32)
    function = _softmax(largest, **{name: dtype})
    _compare(function, x, y, out, is_divided=is_divided, tolerance=1e-5)


def test_a_row_that_the_maximum_takes_from_elsewhere():
    """One element for all: the compiler may not look for the columns of its row."""
    x = np.random.default_rng(3).uniform(-3, 3, (R, R * N)).astype(np.float32)

    @T.prim_func
    def kernel(X: T.Tensor((R, R * N), "f32"), Out: T.Tensor((R,), "f32")):
        with T.Kernel(1):
            x = T.alloc_shared((R, R), "f32")
            z = T.alloc_shared((R, R), "f32")
            v = T.alloc_fragment((R,), "f32")
            top = T.alloc_fragment((R,), "f32")
            before = T.alloc_fragment((R,), "f32")
            total = T.alloc_fragment((R,), "f32")
            T.fill(top, -1e30)
            T.clear(total)
            for step in T.serial(N):
                T.copy(X[0, step * R], x)
                T.copy(top, before)
                for i in T.Parallel(R):
                    v[i] = x[i, 3] * x[i, 2]
                for i, j in T.Parallel(R, R):
                    z[i, j] = v[i]
                T.reduce_max(z, top, dim=1, clear=False)
                for i in T.Parallel(R):
                    weight = T.exp(before[i] - top[i])
                    total[i] = total[i] * weight + T.exp(v[i] - top[i])
            T.copy(total, Out)

    out = np.full((R,), np.nan, np.float32)
    _compare(kernel, x, out, is_divided=False, tolerance=1e-5)
