# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loops of few blocks whose steps several blocks do: online softmax, sums, maxima."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import runtime
from tilewright.kernels.online_softmax import FLOOR, LOG2E, absorb, normalise
from tilewright.testing import attend

HEADS, D, DV, BN = 16, 96, 128, 32
SCALE = D**-0.5
DTYPES = {"f32": np.float32, "bf16": ml_dtypes.bfloat16}


@pytest.fixture
def generator():
    return np.random.default_rng(20261130)


def _run(kernel, inputs, *outs: np.ndarray) -> None:
    """Fills `outs`, with the same on one thread and on two."""
    results = []
    for threads in (1, 2):
        for out in outs:
            out.fill(np.nan if out.dtype.kind == "f" else -77)
        runtime.set_num_threads(threads)
        try:
            kernel(*inputs, *outs)
        finally:
            runtime.set_num_threads(0)
        results.append([out.copy() for out in outs])
    for one, two in zip(*results):
        np.testing.assert_array_equal(one, two)


def _is_split(kernel) -> bool:
    return any("steps of a sum of its 1 blocks done in" in str(r) for r in kernel.remarks())


# The step of an online softmax in several forms. All have the largest score so far in `top`,
# and in `before` what sums of earlier steps are multiplied by.


@T.macro
def by_library(score, prob, acc, top, before, total, step_total):
    absorb(score, prob, acc, top, before, total, step_total, SCALE * LOG2E, HEADS, BN, DV)


@T.macro
def by_parts(score, prob, acc, top, before, total, step_total):
    """The maximum of a step meets that of the others in a loop; exp; a multiply-add."""
    T.copy(top, before)
    T.fill(top, -T.infinity("f32"))
    T.reduce_max(score, top, dim=1, clear=False)
    for i in T.Parallel(HEADS):
        top[i] = T.max(top[i], before[i])
    for i in T.Parallel(HEADS):
        before[i] = T.exp(before[i] * SCALE - top[i] * SCALE)
    for i, j in T.Parallel(HEADS, BN):
        score[i, j] = T.exp(T.fma(score[i, j], SCALE, -(top[i] * SCALE)))
        prob[i, j] = score[i, j]
    T.reduce_sum(score, step_total, dim=1)
    for i in T.Parallel(HEADS):
        total[i] = T.fma(total[i], before[i], step_total[i])
    for i, j in T.Parallel(HEADS, DV):
        acc[i, j] = before[i] * acc[i, j]


@T.macro
def in_place(score, prob, acc, top, before, total, step_total):
    """The total takes a step's weights in where it is; the maximum is a reduction's."""
    for i in T.Parallel(HEADS):
        before[i] = top[i]
    T.reduce_max(score, top, dim=1, clear=False)
    for i in T.Parallel(HEADS):
        step_total[i] = T.exp2((before[i] - top[i]) * (SCALE * LOG2E))
        total[i] *= step_total[i]
    for i, j in T.Parallel(HEADS, BN):
        weight = T.exp2((score[i, j] - top[i]) * (SCALE * LOG2E))
        score[i, j] = weight
        prob[i, j] = weight
    T.reduce_sum(score, total, dim=1, clear=False)
    for i, j in T.Parallel(HEADS, DV):
        acc[i, j] *= step_total[i]


def _decode(absorb_step, dtype: str, keys, floor: float = FLOOR, from_tensor: bool = False):
    """One block that attends `keys` keys, or as many as a tensor says."""
    n = T.dynamic("n") if keys is None else keys

    @T.prim_func
    def decode(
        Q: T.Tensor((HEADS, D), dtype),
        K: T.Tensor((n, D), dtype),
        V: T.Tensor((n, DV), dtype),
        Length: T.Tensor((1,), "i32"),
        First: T.Tensor((HEADS,), "i32"),
        Out: T.Tensor((HEADS, DV), "f32"),
        Lse: T.Tensor((HEADS,), "f32"),
    ):
        with T.Kernel(1):
            q = T.alloc_shared((HEADS, D), dtype)
            k = T.alloc_shared((BN, D), dtype)
            v = T.alloc_shared((BN, DV), dtype)
            score = T.alloc_fragment((HEADS, BN), "f32")
            prob = T.alloc_fragment((HEADS, BN), dtype)
            acc = T.alloc_fragment((HEADS, DV), "f32")
            first = T.alloc_shared((HEADS,), "i32")
            top = T.alloc_fragment((HEADS,), "f32")
            before = T.alloc_fragment((HEADS,), "f32")
            total = T.alloc_fragment((HEADS,), "f32")
            step_total = T.alloc_fragment((HEADS,), "f32")
            length = Length[0] if from_tensor else n
            T.copy(Q, q)
            T.copy(First, first)
            T.clear(acc)
            T.clear(total)
            T.fill(top, floor)
            for step in T.Pipelined(T.ceildiv(length, BN), num_stages=2):
                T.copy(K[step * BN, 0], k)
                T.copy(V[step * BN, 0], v)
                if step * BN + BN > length:
                    for i, j in T.Parallel(BN, DV):
                        if step * BN + i >= length:
                            v[i, j] = 0
                T.gemm(q, k, score, transpose_B=True, clear_accum=True)
                for i, j in T.Parallel(HEADS, BN):
                    at = step * BN + j
                    score[i, j] = T.if_then_else(
                        (at < length) & (at >= first[i]), score[i, j], -T.infinity("f32")
                    )
                absorb_step(score, prob, acc, top, before, total, step_total)
                T.gemm(prob, v, acc)
            normalise(acc, total, HEADS, DV)
            T.copy(acc, Out)
            for i in T.Parallel(HEADS):
                Lse[i] = T.log(total[i]) + top[i] * SCALE

    return tilewright.compile(decode, target="cpu")


def _check(kernel, generator, dtype, length, first, capacity=None) -> None:
    """Compares with the definition; what lies behind the last key is NaN."""
    capacity = length if capacity is None else capacity
    q, k, v = (
        generator.standard_normal(shape).astype(DTYPES[dtype])
        for shape in ((HEADS, D), (capacity, D), (capacity, DV))
    )
    k[length:], v[length:] = np.nan, np.nan
    out, lse = np.empty((HEADS, DV), np.float32), np.empty(HEADS, np.float32)
    _run(kernel, [q, k, v, np.array([length], np.int32), first], out, lse)
    valid = np.arange(capacity)[None, :] >= first[:, None]
    valid &= np.arange(capacity)[None, :] < length
    exact = attend(q, k, v, valid, SCALE, dtype)
    assert (np.abs(out - exact.out.value) <= exact.out.bound).all()
    rows = valid.any(1)
    assert (np.abs(lse - exact.lse.value) <= exact.lse.bound)[rows].all()


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@pytest.mark.parametrize("step", [by_library, by_parts, in_place])
def test_forms_of_a_step(generator, step, dtype):
    kernel = _decode(step, dtype, 7 * BN * 16 + 5)
    assert _is_split(kernel)
    _check(kernel, generator, dtype, 7 * BN * 16 + 5, np.zeros(HEADS, np.int32))


@pytest.mark.parametrize("from_tensor", [False, True])
def test_any_number_of_keys(generator, from_tensor):
    kernel = _decode(by_library, "f32", None, from_tensor=from_tensor)
    assert _is_split(kernel)
    for length in (0, 1, BN, 333, 1000, 4096, 5001):
        capacity = length + 70 if from_tensor else length
        _check(kernel, generator, "f32", length, np.zeros(HEADS, np.int32), capacity)


def test_a_grid_of_any_size(generator):
    """Up to three blocks are divided; which there are, only a call says."""
    batch, n = T.dynamic("batch"), T.dynamic("n")

    @T.prim_func
    def decode(
        Q: T.Tensor((batch, 2 * HEADS, D), "bf16"),
        K: T.Tensor((batch, n, D), "bf16"),
        V: T.Tensor((batch, n, DV), "bf16"),
        Out: T.Tensor((batch, 2 * HEADS, DV), "f32"),
    ):
        with T.Kernel(2, batch) as (bx, by):
            q = T.alloc_shared((HEADS, D), "bf16")
            k = T.alloc_shared((BN, D), "bf16")
            v = T.alloc_shared((BN, DV), "bf16")
            score = T.alloc_fragment((HEADS, BN), "f32")
            prob = T.alloc_fragment((HEADS, BN), "bf16")
            acc = T.alloc_fragment((HEADS, DV), "f32")
            top = T.alloc_fragment((HEADS,), "f32")
            before = T.alloc_fragment((HEADS,), "f32")
            total = T.alloc_fragment((HEADS,), "f32")
            step_total = T.alloc_fragment((HEADS,), "f32")
            T.copy(Q[by, bx * HEADS, 0], q)
            T.clear(acc)
            T.clear(total)
            T.fill(top, FLOOR)
            for step in T.Pipelined(T.ceildiv(n, BN), num_stages=2):
                T.copy(K[by, step * BN, 0], k)
                T.copy(V[by, step * BN, 0], v)
                T.gemm(q, k, score, transpose_B=True, clear_accum=True)
                for i, j in T.Parallel(HEADS, BN):
                    if step * BN + j >= n:
                        score[i, j] = -T.infinity("f32")
                by_library(score, prob, acc, top, before, total, step_total)
                T.gemm(prob, v, acc)
            normalise(acc, total, HEADS, DV)
            T.copy(acc, Out[by, bx * HEADS, 0])

    kernel = tilewright.compile(decode, target="cpu")
    assert "its at most 3 blocks done in" in "\n".join(map(str, kernel.remarks()))
    for requests, keys in [(1, 3000), (1, 0), (0, 3000), (2, 777), (3, 5)]:
        q, k, v = (
            generator.standard_normal((requests, rows, columns)).astype(DTYPES["bf16"])
            for rows, columns in ((2 * HEADS, D), (keys, D), (keys, DV))
        )
        out = np.empty((requests, 2 * HEADS, DV), np.float32)
        _run(kernel, [q, k, v], out)
        for request in range(requests):
            valid = np.ones((2 * HEADS, keys), bool)
            exact = attend(q[request], k[request], v[request], valid, SCALE, "bf16").out
            assert (np.abs(out[request] - exact.value) <= exact.bound).all()


@pytest.mark.parametrize("floor", [FLOOR, 0.0])
def test_rows_that_see_only_late_keys(generator, floor):
    """Whole parts are masked for most rows, and all of them for the last one."""
    length = 4000
    first = np.linspace(0, length, HEADS).astype(np.int32)
    kernel = _decode(by_library, "bf16", length, floor=floor)
    assert _is_split(kernel)
    _check(kernel, generator, "bf16", length, first)


def test_a_maximum_that_begins_at_minus_infinity(generator):
    """Such a row must see a key of the first step, and may see none of a whole part."""
    length = 4000
    kernel = _decode(by_parts, "f32", length, floor=-np.inf)
    assert _is_split(kernel)
    q, k, v = (
        generator.standard_normal(shape).astype(np.float32)
        for shape in ((HEADS, D), (length, D), (length, DV))
    )
    # Scores of the last keys are minus infinity, as those of masked ones are.
    k[1000:, 0], q[:, 0] = -np.inf, 1.0
    out, lse = np.empty((HEADS, DV), np.float32), np.empty(HEADS, np.float32)
    nothing = np.zeros(1, np.int32), np.zeros(HEADS, np.int32)
    _run(kernel, [q, k, v, *nothing], out, lse)
    valid = np.broadcast_to(np.arange(length) < 1000, (HEADS, length))
    exact = attend(q, k, v, valid, SCALE, "f32")
    assert (np.abs(out - exact.out.value) <= exact.out.bound).all()
    # Rows that see nothing at first are NaN, on one block as on several.
    late = np.full(HEADS, 500, np.int32)
    _run(kernel, [q, k, v, nothing[0], late], out, lse)
    assert np.isnan(out).all()
    assert np.isnan(lse).all()


def test_what_is_not_finite_stays_in_its_row(generator):
    length = 4000
    kernel = _decode(by_library, "f32", length)
    q, k, v = (
        generator.standard_normal(shape).astype(np.float32)
        for shape in ((HEADS, D), (length, D), (length, DV))
    )
    q[3], v[3333, 7] = np.nan, np.inf
    out, lse = np.empty((HEADS, DV), np.float32), np.empty(HEADS, np.float32)
    _run(kernel, [q, k, v, np.zeros(1, np.int32), np.zeros(HEADS, np.int32)], out, lse)
    finite = np.ones((HEADS, DV), bool)
    finite[3], finite[:, 7] = False, False
    np.testing.assert_array_equal(np.isfinite(out), finite)
    np.testing.assert_array_equal(np.isposinf(out[:, 7]), np.arange(HEADS) != 3)


def test_sums_begin_where_the_kernel_has_them_begin(generator):
    """An attention sink: a weight that stands for no key is in the total from the start."""
    n = 200_000

    @T.prim_func
    def total_weight(
        X: T.Tensor((8, n), "f32"), Sink: T.Tensor((8,), "f32"), Out: T.Tensor((8, 2), "f32")
    ):
        with T.Kernel(1):
            x = T.alloc_shared((8, 128), "f32")
            top = T.alloc_fragment((8,), "f32")
            before = T.alloc_fragment((8,), "f32")
            total = T.alloc_fragment((8,), "f32")
            T.copy(Sink, top)
            T.fill(total, 1)
            for step in T.Pipelined(T.ceildiv(n, 128), num_stages=2):
                T.copy(X[0, step * 128], x)
                for i, j in T.Parallel(8, 128):
                    if step * 128 + j >= n:
                        x[i, j] = -T.infinity("f32")
                T.copy(top, before)
                T.reduce_max(x, top, dim=1, clear=False)
                for i, j in T.Parallel(8, 128):
                    x[i, j] = T.exp(x[i, j] - top[i])
                for i in T.Parallel(8):
                    total[i] *= T.exp(before[i] - top[i])
                T.reduce_sum(x, total, dim=1, clear=False)
            for i in T.Parallel(8):
                Out[i, 0] = total[i]
                Out[i, 1] = top[i]

    kernel = tilewright.compile(total_weight, target="cpu")
    assert _is_split(kernel)
    x = generator.standard_normal((8, n)).astype(np.float32)
    sink = np.array([-np.inf, -9, -1, 0, 3, 8, 20, 90], np.float32)
    out = np.empty((8, 2), np.float32)
    _run(kernel, [x, sink], out)
    top = np.maximum(x.max(1), sink).astype(np.float64)
    exact = np.exp(x - top[:, None]).sum(1) + np.exp(sink - top)
    np.testing.assert_array_equal(out[:, 1], top)
    # -inf is no number to begin with: the first step takes exp(-inf - top), which is 0.
    np.testing.assert_allclose(out[:, 0], exact, rtol=2e-5)


def test_sums_and_extrema_of_long_rows(generator):
    n = 300_001

    @T.prim_func
    def statistics(
        X: T.Tensor((4, n), "f32"),
        K: T.Tensor((4, n), "i8"),
        Sums: T.Tensor((4, 3), "f32"),
        Counts: T.Tensor((4, 2), "i32"),
    ):
        with T.Kernel(1):
            x = T.alloc_shared((4, 256), "f32")
            k = T.alloc_shared((4, 256), "i8")
            wide = T.alloc_fragment((4, 256), "i32")
            squares = T.alloc_fragment((4, 256), "f32")
            total = T.alloc_fragment((4,), "f32")
            largest = T.alloc_fragment((4,), "f32")
            smallest = T.alloc_fragment((4,), "f32")
            count = T.alloc_fragment((4,), "i32")
            steps = T.alloc_fragment((4,), "i32")
            T.fill(total, 0.5)
            T.clear(largest)
            T.fill(smallest, T.infinity("f32"))
            T.clear(count)
            T.fill(steps, 7)
            for step in T.serial(T.ceildiv(n, 256)):
                T.copy(X[0, step * 256], x)
                T.copy(K[0, step * 256], k)
                for i, j in T.Parallel(4, 256):
                    squares[i, j] = x[i, j] * x[i, j]
                    wide[i, j] = T.cast(k[i, j], "i32")
                T.reduce_sum(squares, total, dim=1, clear=False)
                T.reduce_absmax(x, largest, dim=1, clear=False)
                T.reduce_min(x, smallest, dim=1, clear=False)
                T.reduce_sum(wide, count, dim=1, clear=False)
                for i in T.Parallel(4):
                    steps[i] += 1
            for i in T.Parallel(4):
                Sums[i, 0] = total[i]
                Sums[i, 1] = largest[i]
                Sums[i, 2] = smallest[i]
                Counts[i, 0] = count[i]
                Counts[i, 1] = steps[i]

    kernel = tilewright.compile(statistics, target="cpu")
    assert _is_split(kernel)
    x = generator.integers(-4, 5, (4, n)).astype(np.float32)
    x[2, 123_456], x[3, 200_000] = -77, np.nan
    k = generator.integers(-128, 128, (4, n)).astype(np.int8)
    sums, counts = np.empty((4, 3), np.float32), np.empty((4, 2), np.int32)
    _run(kernel, [x, k], sums, counts)
    # Sums of small integers and a half are exact in any order.
    squares = 0.5 + (x.astype(np.float64) ** 2).sum(1)
    np.testing.assert_array_equal(sums[:, 0], squares.astype(np.float32))
    np.testing.assert_array_equal(sums[:, 1], np.abs(x).max(1))
    # The last step's columns behind the row's end are 0.
    np.testing.assert_array_equal(sums[:, 2], x.min(1))
    np.testing.assert_array_equal(counts[:, 0], k.astype(np.int64).sum(1))
    np.testing.assert_array_equal(counts[:, 1], 7 + -(-n // 256))
