# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernels of so few blocks that each becomes several, on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import runtime

U32 = 2.0**-24


@pytest.fixture
def generator():
    return np.random.default_rng(20261129)


def _run(kernel, *arrays: np.ndarray) -> np.ndarray:
    """What `kernel` writes to the last of `arrays`, the same on one thread and on two."""
    out = arrays[-1]
    results = []
    for threads in (1, 2):
        out.fill(np.nan if out.dtype.kind == "f" else -77)
        runtime.set_num_threads(threads)
        try:
            kernel(*arrays)
        finally:
            runtime.set_num_threads(0)
        results.append(out.copy())
    np.testing.assert_array_equal(*results)
    return results[0]


def _remarks(kernel) -> str:
    return "\n".join(kernel.remarks())


def _attention(rows: int, keys: int, d: int):
    @T.prim_func
    def attention(
        Q: T.Tensor((rows, d), "f32"),
        K: T.Tensor((keys, d), "f32"),
        V: T.Tensor((keys, d), "f32"),
        Out: T.Tensor((rows, d), "f32"),
    ):
        with T.Kernel(1):
            q = T.alloc_shared((128, d), "f32")
            k = T.alloc_shared((64, d), "f32")
            v = T.alloc_shared((64, d), "f32")
            scores = T.alloc_fragment((128, 64), "f32")
            acc = T.alloc_fragment((128, d), "f32")
            top = T.alloc_fragment((128,), "f32")
            before = T.alloc_fragment((128,), "f32")
            total = T.alloc_fragment((128,), "f32")
            part = T.alloc_fragment((128,), "f32")
            T.copy(Q[0, 0], q)
            T.clear(acc)
            T.clear(total)
            T.fill(top, -T.infinity("f32"))
            for step in T.Pipelined(T.ceildiv(keys, 64), num_stages=2):
                T.copy(K[step * 64, 0], k)
                T.copy(V[step * 64, 0], v)
                T.gemm(q, k, scores, transpose_B=True, clear_accum=True)
                # Row i sees the first 4 i + 1 keys.
                for i, j in T.Parallel(128, 64):
                    scores[i, j] = T.if_then_else(
                        step * 64 + j <= 4 * i, scores[i, j], -T.infinity("f32")
                    )
                T.copy(top, before)
                T.reduce_max(scores, top, dim=1, clear=False)
                for i, j in T.Parallel(128, 64):
                    scores[i, j] = T.exp(scores[i, j] - top[i])
                T.reduce_sum(scores, part, dim=1)
                for i in T.Parallel(128):
                    total[i] = total[i] * T.exp(before[i] - top[i]) + part[i]
                for i, j in T.Parallel(128, d):
                    acc[i, j] = acc[i, j] * T.exp(before[i] - top[i])
                T.gemm(scores, v, acc)
            for i, j in T.Parallel(128, d):
                Out[i, j] = acc[i, j] / total[i]

    return tilewright.compile(attention, target="cpu")


@pytest.mark.parametrize(
    ("rows", "parts"), [(128, "2 parts of 64 of 128"), (99, "2 parts of 56 of 112")]
)
def test_attention_of_one_block(generator, rows, parts):
    keys, d = 500, 64
    kernel = _attention(rows, keys, d)
    assert f"done in {parts} rows or columns" in _remarks(kernel)
    q, k, v = (generator.standard_normal((n, d)).astype(np.float32) for n in (rows, keys, keys))
    out = _run(kernel, q, k, v, np.empty((rows, d), np.float32))
    scores = q.astype(np.float64) @ k.T
    scores[np.arange(keys)[None, :] > 4 * np.arange(rows)[:, None]] = -np.inf
    weights = np.exp(scores - scores.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    # Errors of d products in an exponent, of a sum of `keys` and of the rescalings.
    exponent = 4 * d * U32 * (np.abs(q).astype(np.float64) @ np.abs(k).T).max()
    bound = (exponent + (keys + 64) * U32) * (weights @ np.abs(v)) + 1e-30
    assert (np.abs(out - weights @ v) <= 2 * bound).all()


def _gathered(picked: int, n: int):
    @T.prim_func
    def gathered(
        Table: T.Tensor((1000, n), "f32"),
        Rows: T.Tensor((2, picked), "i32"),
        Out: T.Tensor((2, picked, n), "f32"),
    ):
        with T.Kernel(2) as which:
            ids = T.alloc_shared((256,), "i32")
            x = T.alloc_shared((256, n), "f32")
            top = T.alloc_fragment((256,), "f32")
            T.copy(Rows[which, 0], ids)
            T.gather(Table[0, 0], ids, x)
            T.reduce_max(x, top, dim=1)
            for i, j in T.Parallel(256, n):
                x[i, j] = x[i, j] - top[i]
            T.copy(x, Out[which, 0, 0])

    return tilewright.compile(gathered, target="cpu")


@pytest.mark.parametrize(
    ("picked", "parts"), [(256, "4 parts of 64 of 256"), (201, "4 parts of 52 of 208")]
)
def test_rows_that_a_tile_names(generator, picked, parts):
    n = 1000
    kernel = _gathered(picked, n)
    assert f"has each of its 2 blocks done in {parts}" in _remarks(kernel)
    table = generator.standard_normal((1000, n)).astype(np.float32)
    rows = generator.integers(0, 1000, (2, picked)).astype(np.int32)
    out = _run(kernel, table, rows, np.empty((2, picked, n), np.float32))
    expected = table[rows] - table[rows].max(2, keepdims=True)
    np.testing.assert_array_equal(out, expected)


def _product(m: int, n: int, k: int, dtype: str, accum: str, **options):
    @T.prim_func
    def product(
        A: T.Tensor((m, k), dtype),
        B: T.Tensor((n, k), dtype),
        Bias: T.Tensor((n,), accum),
        Out: T.Tensor((m, n), accum),
    ):
        with T.Kernel(T.ceildiv(n, 32), T.ceildiv(m, 16)) as (bx, by):
            a = T.alloc_shared((16, 64), dtype)
            b = T.alloc_shared((32, 64), dtype)
            bias = T.alloc_shared((32,), accum)
            c = T.alloc_fragment((16, 32), accum)
            T.copy(Bias[bx * 32], bias)
            T.clear(c)
            for step in T.Pipelined(T.ceildiv(k, 64), num_stages=2):
                T.copy(A[by * 16, step * 64], a)
                T.copy(B[bx * 32, step * 64], b)
                T.gemm(a, b, c, transpose_B=True)
            for i, j in T.Parallel(16, 32):
                c[i, j] = c[i, j] + bias[j]
            T.copy(c, Out[by * 16, bx * 32])

    return tilewright.compile(product, target="cpu", **options)


@pytest.mark.parametrize("shape", [(16, 32), (13, 64), (29, 30)])
@pytest.mark.parametrize("dtype", ["f32", "i8"])
def test_long_sums_of_small_tiles(generator, dtype, shape):
    (m, n), k = shape, 64 * 1029 - 5
    accum, numpy_dtype, result = (
        ("i32", np.int8, np.int32) if dtype == "i8" else ("f32", np.float32, np.float32)
    )
    kernel = _product(m, n, k, dtype, accum)
    assert "has the 1029 steps of a sum of its" in _remarks(kernel)
    # Small integers, of which sums in any order are exact.
    a, b = (generator.integers(-8, 9, (rows, k)).astype(numpy_dtype) for rows in (m, n))
    bias = generator.integers(-99, 100, n).astype(result)
    out = _run(kernel, a, b, bias, np.empty((m, n), result))
    np.testing.assert_array_equal(out, a.astype(np.float64) @ b.T.astype(np.float64) + bias)


def test_a_sum_of_nothing(generator):
    bias = generator.standard_normal(32).astype(np.float32)
    nothing = [np.empty((rows, 0), np.float32) for rows in (16, 32)]
    out = _run(
        _product(16, 32, 0, "f32", "f32"), *nothing, bias, np.empty((16, 32), np.float32)
    )
    np.testing.assert_array_equal(out, np.broadcast_to(bias, (16, 32)))


def test_rows_are_the_same_in_every_batch(generator):
    k, n = 64 * 256, 32
    a = generator.standard_normal((16 * 8, k)).astype(np.float32)
    b = generator.standard_normal((n, k)).astype(np.float32)
    bias = generator.standard_normal(n).astype(np.float32)
    few, many = (
        _run(
            _product(m, n, k, "f32", "f32", batch_invariant=True),
            a[:m].copy(),
            b,
            bias,
            np.empty((m, n), np.float32),
        )
        for m in (16, 16 * 8)
    )
    np.testing.assert_array_equal(few, many[:16])


def _window(n: int):
    @T.prim_func
    def window(X: T.Tensor((256, n), "f32"), Y: T.Tensor((256, n + 2), "f32")):
        with T.Kernel(1):
            x = T.alloc_shared((256, n), "f32")
            T.copy(X[0, 0], x)
            for shift in T.serial(3):
                for i, j in T.Parallel(256, n):
                    x[i, j] = x[i, j] + 1.0
                T.copy(x, Y[0, shift])

    return tilewright.compile(window, target="cpu")


def _maximum(n: int):
    @T.prim_func
    def maximum(X: T.Tensor((256, n), "f32"), Y: T.Tensor((256, n), "f32")):
        with T.Kernel(1):
            x = T.alloc_shared((256, n), "f32")
            top = T.alloc_shared((1,), "f32")
            T.copy(X[0, 0], x)
            T.fill(top, -T.infinity("f32"))
            for i, j in T.Parallel(256, n):
                T.atomic_max(top[0], x[i, j])
            for i, j in T.Parallel(256, n):
                Y[i, j] = x[i, j] - top[0]

    return tilewright.compile(maximum, target="cpu")


def test_what_a_block_does_in_order(generator):
    n = 4096
    x = generator.integers(-99, 100, (256, n)).astype(np.float32)
    out = _run(_window(n), x, np.empty((256, n + 2), np.float32))
    expected = np.empty((256, n + 2), np.float32)
    for shift in range(3):
        expected[:, shift : shift + n] = x + shift + 1
    np.testing.assert_array_equal(out, expected)
    out = _run(_maximum(n), x, np.empty((256, n), np.float32))
    np.testing.assert_array_equal(out, x - x.max())
