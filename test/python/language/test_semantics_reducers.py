"""Top experts and sums of rows by reducers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
import pytest

import tilewright
import tilewright.language as T
from tilewright import CompileError

pytestmark = pytest.mark.every_device


@tilewright.jit
def best_experts(experts: int, k: int):
    tokens = T.dynamic("tokens")

    @T.prim_func
    def main(
        Scores: T.Tensor[(tokens, experts), T.float32],
        Best: T.Tensor[(tokens, k), T.int64],
    ):
        with T.Kernel(tokens, threads=32) as token:
            scores = T.alloc_fragment((experts,), "float32")
            largest = T.alloc_fragment((1,), "float32")
            first = T.alloc_reducer((1,), "int32", "min", replication="all")
            found = T.alloc_shared((k,), "int32")
            T.copy(Scores[token, 0], scores)
            for round in T.unroll(k):
                T.reduce_max(scores, largest)
                T.fill(first, T.max_value("int32"))
                for i in T.Parallel(experts):
                    if scores[i] == largest[0]:
                        first[0] = T.min(first[0], i)
                T.finalize_reducer(first)
                found[round] = first[0]
                for i in T.Parallel(experts):
                    if i == first[0]:
                        scores[i] = -T.infinity("float32")
            T.copy(found, Best[token, 0])

    return main


def test_first_of_the_largest(device):
    scores = np.random.default_rng(1).integers(0, 9, (7, 40)).astype(np.float32)
    best = np.zeros((7, 6), np.int64)
    best_experts.for_target(device)(40, 6)(scores, best)
    assert np.array_equal(best, np.argsort(-scores, axis=1, kind="stable")[:, :6])


@tilewright.jit
def rows(X):
    m, n = T.const("m, n")
    X: T.Tensor((m, n), "int32")
    Y = T.empty((3, m), "int32")
    with T.Kernel(1, threads=64):
        total = T.alloc_reducer(m, "int32")
        plain = T.alloc_reducer((m,), "int32", op="sum")
        largest = T.alloc_reducer((m,), "int32", op="max")
        T.clear(total)
        T.fill(plain, 1)
        T.fill(largest, 0)
        for i, j in T.Parallel(m, n):
            total[i] += X[i, j]
            plain[i] = X[i, j] + plain[i]
            largest[i] = T.max(largest[i], X[i, j])
        T.finalize_reducer(total)
        for i in T.Parallel(m):
            Y[0, i] = total[i]
            Y[1, i] = plain[i]
            Y[2, i] = largest[i]
    return Y


def test_all_combiners(device):
    x = np.random.default_rng(2).integers(-99, 99, (5, 33)).astype(np.int32)
    expected = np.stack([x.sum(1), x.sum(1) + 1, x.max(1).clip(0)])
    assert np.array_equal(rows.for_target(device)(x), expected)


def test_other_assignments_are_refused():
    @T.prim_func
    def kernel(X: T.Tensor((8,), "float32")):
        with T.Kernel(1):
            r = T.alloc_reducer((1,), "float32", op="max")
            for i in T.Parallel(8):
                r[0] = X[i]

    with pytest.raises(CompileError, match="an element of the reducer r is assigned") as info:
        tilewright.compile(kernel)
    assert "r[i] = T.max(r[i], x)" in str(info.value)
