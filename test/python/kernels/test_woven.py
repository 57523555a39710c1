# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Products of few rows by rows of bf16, which become pairs in registers (woven atoms)."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T

BF16 = ml_dtypes.bfloat16


@pytest.fixture
def generator():
    return np.random.default_rng(20261130)


def _values(m: int, n: int, keys: int, step: int, row: int, target: str = "cpu", lists=False):
    """P [m, keys] times V [keys, n], whose rows are `row` elements apart."""

    @T.prim_func
    def values(
        P: T.Tensor((m, keys), "bf16"),
        V: T.StridedTensor((keys, n), (row, 1), "bf16"),
        Rows: T.Tensor((keys,), "i32"),
        Out: T.Tensor((m, n), "f32"),
    ):
        with T.Kernel(1):
            p = T.alloc_shared((m, step), "bf16")
            v = T.alloc_shared((step, n), "bf16")
            rows = T.alloc_shared((step,), "i32")
            acc = T.alloc_fragment((m, n), "f32")
            T.clear(acc)
            for at in T.Pipelined(T.ceildiv(keys, step), num_stages=2):
                T.copy(P[0, at * step], p)
                if lists:
                    T.copy(Rows[at * step], rows)
                    T.gather(V[0, 0], rows, v)
                else:
                    T.copy(V[at * step, 0], v)
                T.gemm(p, v, acc)
            T.copy(acc, Out)

    return tilewright.compile(values, target=target)


def _weaves(*shape, **options) -> bool:
    remarks = _values(*shape, target="cpu:znver5", **options).remarks()
    return any("uses #cpu.atom<dpbf16 woven" in str(remark) for remark in remarks)


# Rows of P, columns of V, keys, keys of a step, elements from one row of V to the next, and
# whether the product is woven where the CPU has dot products of bf16.
SHAPES = [
    (16, 512, 256, 64, 576, True),
    (16, 512, 250, 64, 576, True),  # the last step's rows end before the tile does
    (5, 96, 70, 32, 96, True),  # columns that fill one and a half blocks of four vectors
    (13, 160, 33, 16, 200, True),
    (24, 64, 64, 64, 72, True),
    (16, 128, 256, 64, 4096, False),  # rows that share sets of L1
    (16, 48, 128, 64, 48, False),  # no whole pair of vectors
    (40, 128, 128, 64, 128, False),  # a panel serves many rows
    (2, 512, 128, 64, 576, False),
]


@pytest.mark.parametrize("lists", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values(generator, shape, lists):
    m, n, keys, step, row, is_woven = shape
    if not lists:
        assert _weaves(m, n, keys, step, row) == is_woven
    p = generator.standard_normal((m, keys)).astype(BF16)
    memory = np.full((keys, row), np.nan, BF16)
    memory[:, :n] = generator.standard_normal((keys, n)).astype(BF16)
    rows = generator.permutation(keys).astype(np.int32)
    out = np.full((m, n), np.nan, np.float32)
    _values(m, n, keys, step, row, lists=lists)(p, memory[:, :n], rows, out)
    v = memory[rows if lists else slice(None), :n].astype(np.float64)
    wide = p.astype(np.float64)
    # Products of bf16 are exact in f32; their sum has an error for each addition.
    bound = keys * 2.0**-24 * (np.abs(wide) @ np.abs(v))
    assert (np.abs(out - wide @ v) <= 2 * bound).all()


@pytest.mark.parametrize("rows", [4, 7, 12, 16, 24])
def test_infinities_and_nans_stay_in_their_columns(generator, rows):
    n, keys = 64, 128
    p = generator.uniform(0.5, 1, (rows, keys)).astype(BF16)
    v = generator.standard_normal((keys, n)).astype(BF16)
    v[77, 5], v[76, 38] = np.nan, np.inf
    out = np.zeros((rows, n), np.float32)
    _values(rows, n, keys, 64, n)(p, v, np.zeros(keys, np.int32), out)
    finite = np.ones((rows, n), bool)
    finite[:, [5, 38]] = False
    np.testing.assert_array_equal(np.isfinite(out), finite)
    assert np.isposinf(out[:, 38]).all()


def test_a_tile_that_is_computed_is_woven_where_it_is(generator):
    """What the block makes itself needs no panel either."""
    m, n, keys = 16, 128, 256

    @T.prim_func
    def scaled(
        P: T.Tensor((m, keys), "bf16"),
        V: T.Tensor((keys, n), "i8"),
        Scale: T.Tensor((keys,), "f32"),
        Out: T.Tensor((m, n), "f32"),
    ):
        with T.Kernel(1):
            p = T.alloc_shared((m, 64), "bf16")
            bytes_ = T.alloc_shared((64, n), "i8")
            v = T.alloc_shared((64, n), "bf16")
            acc = T.alloc_fragment((m, n), "f32")
            T.clear(acc)
            for at in T.Pipelined(keys // 64, num_stages=2):
                T.copy(P[0, at * 64], p)
                T.copy(V[at * 64, 0], bytes_)
                for i, j in T.Parallel(64, n):
                    v[i, j] = T.cast(T.cast(bytes_[i, j], "f32") * Scale[at * 64 + i], "bf16")
                T.gemm(p, v, acc)
            T.copy(acc, Out)

    stages = tilewright.compile(scaled, target="cpu:znver5").stages()
    assert "dpbf16 woven" in stages["select-atoms"]
    assert "tile.pack" not in stages["cpu-pack-operands"]
    # Scales are powers of two, so that products are exact, and so are sums of integers.
    p = generator.integers(-3, 4, (m, keys)).astype(BF16)
    v = generator.integers(-9, 10, (keys, n)).astype(np.int8)
    scale = (2.0 ** generator.integers(-2, 3, keys)).astype(np.float32)
    out = np.full((m, n), np.nan, np.float32)
    tilewright.compile(scaled, target="cpu")(p, v, scale, out)
    expected = p.astype(np.float64) @ (v * scale[:, None].astype(np.float64))
    np.testing.assert_array_equal(out, expected)
