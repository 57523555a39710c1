"""Kernels that name the thread they run on.

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
def sums(X, threads: int = 128):
    """Of each `threads` elements, by halves that barriers part."""
    n = T.dynamic("n")
    X: T.Tensor((n,), "float32")
    Y = T.empty((T.ceildiv(n, threads),), "float32")
    with T.Kernel(T.ceildiv(n, threads), threads=threads) as block:
        tx = T.get_thread_binding()
        at = block * threads + tx
        shared = T.alloc_shared((threads,), "float32")
        mine = T.alloc_var("float32", init=0.0)
        mine += X[at]
        shared[tx] = mine
        half = T.alloc_var("int32", init=threads // 2)
        T.sync_threads()
        while half > 0:
            if tx < half:
                mine += shared[tx + half]
            T.sync_threads()
            if tx < half:
                shared[tx] = mine
            half = half // 2
            T.sync_threads()
        if tx == 0:
            Y[block] = shared[0]
    return Y


def test_barriers_part_what_threads_do(device):
    x = np.random.default_rng(5).integers(-9, 10, 1000).astype(np.float32)
    expected = np.add.reduceat(x, np.arange(0, 1000, 128))
    assert np.array_equal(sums.for_target(device)(x), expected)


@tilewright.jit
def scans(X):
    """Running sums of rows: barriers in a loop under a condition on the thread."""
    rows = T.dynamic("rows")
    X: T.Tensor((rows, 64), "int32")
    Y = T.empty((rows, 65), "int32")
    with T.Kernel(rows, threads=96) as row:
        tx = T.get_thread_binding(0)
        line = T.alloc_shared((64,), "int32")
        left = T.alloc_var("int32")
        if tx < 64:
            line[tx] = X[row, tx]
            for step in T.serial(6):
                distance = 1 << step
                before = tx - distance
                T.sync_threads()
                left = 0
                if before >= 0:
                    left = line[before]
                T.sync_threads()
                line[tx] = line[tx] + left
            T.sync_threads()
            Y[row, tx] = line[tx]
        else:
            T.sync_threads()
            if tx == 64:
                Y[row, tx] = line[63] + tx
    return Y


def test_barriers_under_a_condition(device):
    x = np.random.default_rng(6).integers(-9, 10, (5, 64)).astype(np.int32)
    y = scans.for_target(device)(x)
    assert np.array_equal(y[:, :64], x.cumsum(1))
    assert np.array_equal(y[:, 64], x.sum(1) + 64)


@tilewright.jit
def products(A, B, C_per_thread: int = 4):
    """A @ B.T with threads in two dimensions and an array of sums for each."""
    M, N, K = T.const("M, N, K")
    A: T.Tensor((M, K), "float32")
    B: T.Tensor((N, K), "float32")
    C = T.empty((M, N), "float32")
    with T.Kernel(T.ceildiv(N, 8 * C_per_thread), T.ceildiv(M, 4), threads=(8, 4)) as (bx, by):
        tx, ty = T.get_thread_bindings()
        a_tile = T.alloc_shared((4, 16), "float32")
        b_tile = T.alloc_shared((8 * C_per_thread, 16), "float32")
        total = T.alloc_local((C_per_thread,), "float32")
        T.clear(total)
        for k in T.serial(T.ceildiv(K, 16)):
            T.copy(A[by * 4, k * 16], a_tile)
            T.copy(B[bx * 8 * C_per_thread, k * 16], b_tile)
            for c in T.serial(C_per_thread):
                for i in T.serial(16):
                    total[c] += a_tile[ty, i] * b_tile[tx * C_per_thread + c, i]
        for c in T.vectorized(C_per_thread):
            C[by * 4 + ty, (bx * 8 + tx) * C_per_thread + c] = total[c]
    return C


def test_tiles_and_arrays_of_threads(device):
    rng = np.random.default_rng(7)
    a, b = (rng.integers(-4, 5, (rows, 40)).astype(np.float32) for rows in (10, 50))
    assert np.array_equal(products.for_target(device)(a, b), a @ b.T)


@tilewright.jit
def counted(X, Keys, limit: int = 3):
    """How many elements are above the keys in turn, until there are `limit` of them, and the
    key then."""
    n, keys = T.const("n, keys")
    X: T.Tensor((n,), "int32")
    Keys: T.Tensor((keys,), "int32")
    Count = T.empty((2,), "int32")
    with T.Kernel(1, threads=32):
        tx = T.get_thread_binding()
        found = T.alloc_shared((2,), "int32")
        seen = T.alloc_var("int32")
        place = T.alloc_var("int32")
        T.fill(found, 0)
        for key in T.serial(keys):
            T.sync_threads()
            seen = found[0]
            T.sync_threads()
            if seen >= limit:
                break
            place = tx
            while place < n:
                if X[place] > Keys[key]:
                    seen = T.atomic_add(found[0], 1, return_prev=True)
                place = place + 32
            if tx == 31:
                found[1] = key
        T.sync_threads()
        if tx < 2:
            Count[tx] = found[tx]
    return Count


def test_a_loop_that_all_threads_leave(device):
    kernel = counted.for_target(device)
    x = np.arange(100, dtype=np.int32)
    assert list(kernel(x, np.array([99, 98, 97, 0], np.int32))) == [3, 2]
    assert list(kernel(x, np.array([99, 49, 97, 0], np.int32))) == [50, 1]


@tilewright.jit
def strided(Groups, groups: int, blocks: int = 3):
    """How many rows name each group, and rows whose groups repeat cleared to -1."""
    rows = T.dynamic("rows")
    k = T.const("k")
    Groups: T.Tensor((rows, k), "int64")
    Count = T.empty((groups,), "int32")
    with T.Kernel(1, threads=32):
        for i in T.Parallel(groups):
            Count[i] = 0
    with T.Kernel(blocks, threads=64) as block:
        tx = T.get_thread_binding()
        counts = T.alloc_shared((groups,), "int32")
        T.clear(counts)
        for i in T.serial(block * 64 + tx, rows, blocks * 64):
            seen = T.alloc_var("uint64", init=0)
            for j in T.unroll(k):
                bit = T.uint64(1) << T.cast(Groups[i, j], "uint64")
                if seen & bit != 0:
                    Groups[i, j] = -1
                else:
                    T.atomic_add(counts[Groups[i, j]], 1)
                seen |= bit
        T.sync_threads()
        for i in T.serial(tx, groups, 64):
            if counts[i] > 0:
                T.atomic_add(Count[i], counts[i])
    return Count


def test_loops_of_one_thread(device):
    groups = np.random.default_rng(8).integers(0, 40, (500, 4)).astype(np.int64)
    expected, kept = np.zeros(40, np.int32), groups.copy()
    for row in kept:
        for j in range(4):
            if row[j] in row[:j]:
                row[j] = -1
            else:
                expected[row[j]] += 1
    counts = strided.for_target(device)(groups, 40)
    assert np.array_equal(counts, expected)
    if device == "cpu":
        assert np.array_equal(groups, kept)


@tilewright.jit(out_idx=[-1])
def many(n):
    @T.prim_func
    def main(X: T.Tensor((n,), "float32"), Y: T.Tensor((n,), "float32")):
        with T.Kernel(T.ceildiv(n, 128)) as block:
            tx = T.get_thread_binding(0)
            Y[block * 128 + tx] = X[block * 128 + tx] + tx

    return main


def test_threads_that_nobody_counted(device):
    x = np.ones(300, np.float32)
    y = many.for_target(device)(300)(x)
    assert np.array_equal(y, x + np.arange(300) % 128)


def refused(body):
    with pytest.raises(CompileError) as info:
        tilewright.compile(body)
    return str(info.value)


def test_what_is_no_code_of_a_thread():
    @T.prim_func
    def whole(X: T.Tensor((64,), "float32")):
        with T.Kernel(1, threads=64):
            tx = T.get_thread_binding()
            tile = T.alloc_shared((8,), "float32")
            T.copy(X[tx], tile)

    assert "the thread is asked for in an operation on whole tiles" in refused(whole)

    @T.prim_func
    def dimension(X: T.Tensor((64,), "float32")):
        with T.Kernel(1, threads=64):
            X[T.get_thread_binding(1)] = 0

    assert "the threads have no dimension 1" in refused(dimension)

    @T.prim_func
    def barrier(X: T.Tensor((64,), "float32")):
        with T.Kernel(1, threads=64):
            tx = T.get_thread_binding()
            if X[tx] > 0:
                T.sync_threads()
                X[tx] = 0

    assert "take the barrier out of the branch" in refused(barrier)

    @T.prim_func
    def nobody(X: T.Tensor((64,), "float32")):
        with T.Kernel(2, threads=64) as block:
            if T.get_thread_binding() == block:
                T.clear(X)

    assert "is not shown to hold for one" in refused(nobody)


@tilewright.jit
def by_some(X):
    X: T.Tensor((64,), "float32")
    Y = T.empty((64,), "float32")
    with T.Kernel(1, threads=64):
        tx = T.get_thread_binding()
        warp = tx // 32
        tile = T.alloc_shared((64,), "float32")
        if warp == 1:
            T.copy(X, tile)
        T.sync_threads()
        if T.get_thread_binding() < 32:
            for i in T.Parallel(64):
                Y[i] = tile[i] + 1
    return Y


def test_what_some_threads_do_is_done_once(device):
    x = np.arange(64, dtype=np.float32)
    assert np.array_equal(by_some.for_target(device)(x), x + 1)
